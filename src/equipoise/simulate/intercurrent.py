"""Intercurrent events of simulated people: which can happen, on which day, what they do, and a world without them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import InputError, Problem
from equipoise.patients.chance import Draw, Floats
from equipoise.patients.empirical.safety import TERMS
from equipoise.patients.interludes import Interlude
from equipoise.patients.population import People
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import IntercurrentEvent, Recorded

if TYPE_CHECKING:
    from equipoise.simulate.scenario import Scenario

YEAR = 365.25
MEDICINES = {
    "glucose-technology": "Automated insulin delivery",
    "other-immunotherapy": "Other immunotherapy",
    "systemic-steroids": "Systemic corticosteroid",
    "sglt2-glp1": "SGLT2 inhibitor",
}
"""Intercurrent events that are recorded as concomitant medication."""
PREGNANCY = "pregnancy"
PREGNANCY_TERM = "Pregnancy"
PREGNANCY_AGES = (16, 46)
HAPPENINGS = (*MEDICINES, PREGNANCY)
"""What can happen to simulated people besides the fate of their doses."""
LOT_FAILED, BELOW_RANGE, NOT_GIVEN = "lot-failed", "dose-below-range", "dose-not-given"
PERIOD_DECLINED = "period-declined"
DOSE_RULES = (LOT_FAILED, BELOW_RANGE, NOT_GIVEN, PERIOD_DECLINED)
"""Rules by which the records of a dose show an event, and which the simulation can switch off."""


def first_time(uniform: Floats, yearly: float) -> Floats:
    """The study day of the first event at a constant hazard that reaches `yearly` of all within a year."""
    if yearly <= 0:
        return np.full(uniform.shape, np.inf)
    if yearly >= 1:
        return np.ones(uniform.shape)
    return np.floor(_years(uniform, yearly) * YEAR) + 1


def _years(uniform: Floats, yearly: float) -> Floats:
    """Time to an event in years at that hazard."""
    return np.log1p(-uniform) / np.log1p(-yearly)


def first_time_changed(uniform: Floats, yearly: float, since: Floats, log_ratio: float) -> Floats:
    """The same where the hazard is multiplied from the study day `since` on, infinity for never."""
    if not 0 < yearly < 1:
        return first_time(uniform, yearly)
    days, start = _years(uniform, yearly) * YEAR, np.maximum(since, 0.0)
    with np.errstate(invalid="ignore"):
        later = start + (days - start) / np.exp(log_ratio)
    return np.floor(np.where(days <= start, days, later)) + 1


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """What never happens in a world without some intercurrent events.

    happenings: names of HAPPENINGS. terms: adverse events. doses: by rule, the doses (period, number) to which it does
    not happen, None for any.
    """

    happenings: frozenset[str] = frozenset()
    terms: frozenset[str] = frozenset()
    doses: tuple[tuple[str, str | None, int | None], ...] = ()

    def of(self, rule: str, slots: Collection[tuple[str, int]]) -> NDArray[np.bool_]:
        """At which of the planned doses, (period, number within it), what the rule describes does not happen."""
        mine = [(period, number) for name, period, number in self.doses if name == rule]
        return np.array([any(p in (None, s) and n in (None, k) for p, n in mine) for s, k in slots], np.bool_)


NOTHING_OFF = SwitchedOff()


def switched_off(protocol: Protocol, without: Collection[str]) -> SwitchedOff:
    """What the protocol's intercurrent events `without` mean for simulated people.

    Raises InputError where an event is not declared, or is none that a simulation can leave out.
    """
    if not without:
        return NOTHING_OFF
    declared = {item.id: item for item in protocol.authored.intercurrent_events}
    problems: list[Problem] = []
    happenings: set[str] = set()
    terms: set[str] = set()
    doses: list[tuple[str, str | None, int | None]] = []
    for name in without:
        event = declared.get(name)
        if event is None:
            remedy = f"Name one of: {', '.join(declared) or 'none'}."
            message = f"the protocol declares no intercurrent event {name!r}"
            problems.append(protocol.document.problem(("intercurrent_events",), "known-event", message, remedy, name))
            continue
        recorded = event.recorded
        if why := cannot_switch_off(protocol, event):
            steps = ("intercurrent_events", list(declared).index(name))
            remedy = "Choose another strategy for it."
            problems.append(protocol.document.problem(steps, "event-switched-off", why, remedy, name))
        elif recorded is not None and recorded.rule is not None:
            doses.append((recorded.rule, recorded.period, recorded.dose_number))
        else:
            happenings |= set(happenings_of(event))
            terms |= {term for term in TERMS if recorded is not None and _named(term, recorded.terms)}
    if problems:
        raise InputError(f"{protocol.path}: a world without these events cannot be simulated", problems)
    return SwitchedOff(frozenset(happenings), frozenset(terms), tuple(doses))


def cannot_switch_off(protocol: Protocol, event: IntercurrentEvent) -> str | None:
    """Why simulated people cannot be spared an event; None where they can."""
    recorded = event.recorded
    if recorded is None:
        known = event.id in HAPPENINGS
        return None if known else "the event is not bound to records, so that nothing says what would not happen"
    if recorded.rule is not None:
        return None if recorded.rule in DOSE_RULES else "the event is an outcome of the simulated people themselves"
    assessment = recorded.events or recorded.interventions
    domain = next((item.domain for item in protocol.assessments if item.id == assessment), None)
    if domain in ("AE", "CM") or (domain == "MH" and _named(PREGNANCY_TERM, recorded.terms)):
        return None if not _named("Insulin", recorded.treatments) else "nobody here can go without insulin"
    return "simulated people have it as an outcome or as treatment of the study, and cannot be spared it"


def happenings_of(event: IntercurrentEvent) -> Iterator[str]:
    """The names of what the simulation makes happen that this event of a protocol stands for."""
    recorded = event.recorded or Recorded()
    for name in HAPPENINGS:
        text, words = (PREGNANCY_TERM, recorded.terms) if name == PREGNANCY else (MEDICINES[name], recorded.treatments)
        if name == event.id if event.recorded is None else _named(text, words):
            yield name


def _named(text: str, words: Collection[str] | None) -> bool:
    return text.casefold() in {word.casefold() for word in words or ()}


def days_of_events(
    protocol: Protocol, scenario: Scenario, people: People, treated: Floats, draw: Draw, off: SwitchedOff
) -> Mapping[str, Floats]:
    """The study day on which each of HAPPENINGS comes to each person, (R, n); infinity for never.

    treated: (R, n) study day of the first active dose, infinity for none: from then on an event may come more or less
    often, where the scenario says so.
    A medicine comes only where the protocol declares its event: who looks for nothing else finds usual care.
    """
    events = protocol.authored.intercurrent_events
    declared = {event.id for event in events} | {name for event in events for name in happenings_of(event)}
    yearly = scenario.authored.intercurrent_events
    days: dict[str, Floats] = {}
    for name in HAPPENINGS:
        never = name in off.happenings or (name in MEDICINES and name not in declared)
        uniform, share = draw(f"intercurrent-{name}", 1)[..., 0], 0.0 if never else yearly.get(name, 0.0)
        ratio = scenario.interlude(name).treated_log_hazard
        day = first_time_changed(uniform, share, treated, ratio) if ratio else first_time(uniform, share)
        days[name] = np.where(_may_be_pregnant(people), day, np.inf) if name == PREGNANCY else day
    return days


def _may_be_pregnant(people: People) -> NDArray[np.bool_]:
    low, high = PREGNANCY_AGES
    return people.female & (people.age >= low) & (people.age < high)


def interludes(scenario: Scenario, days: Mapping[str, Floats], screening_day: Floats) -> tuple[Interlude, ...]:
    """Those of the events that move outcomes, on the clock of the simulated people; of study days by event, (R, n)."""
    sizes = {name: scenario.interlude(name) for name in days}
    found = (Interlude(day - screening_day, sizes[name]) for name, day in days.items() if sizes[name].acts)
    return tuple(item for item in found if np.isfinite(item.day).any())
