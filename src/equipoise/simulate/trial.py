"""A simulated trial, from the people assessed to everything that would have been recorded of them.

`simulate` gives Panels: of one trial with everybody who was assessed, or of many trials with those enrolled only. Both
are made by the same steps from the same random numbers, so a campaign's trial is the trial that a single run shows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from equipoise.patients.chance import Bools, Floats
from equipoise.patients.effects import Exposure
from equipoise.patients.empirical.hypoglycaemia import Episodes
from equipoise.patients.empirical.model import Course
from equipoise.patients.empirical.safety import AdverseEvents, draw_adverse_events, feverish
from equipoise.patients.population import People
from equipoise.protocol.model import Protocol
from equipoise.records.panel import Panel
from equipoise.simulate.assemble import assemble, everybody, participants_only
from equipoise.simulate.calendar import Calendar, make_calendar
from equipoise.simulate.enrolment import Enrolment, enrol
from equipoise.simulate.followed import Followed, follow
from equipoise.simulate.intercurrent import days_of_events, interludes, switched_off
from equipoise.simulate.occurrences import Stay, assessment_of
from equipoise.simulate.scenario import Scenario
from equipoise.simulate.streams import Streams
from equipoise.simulate.treatment import Treatment, treat


@dataclass(frozen=True, slots=True)
class Nature:
    """What truly happened to the participants of R trials with n places; arrays are (R, n, …).

    screening_day: study day of each person's screening. followed: at the protocol's visits, and between them.
    allocation_day, aspiration_day: study days; NaN without an aspiration.
    diary_kept: (R, n, days from day 0) whether that day's entry was made.
    event_days: study day of each intercurrent event of simulate/intercurrent.py, infinity where it never comes.
    """

    enrolment: Enrolment
    people: People
    calendar: Calendar
    treatment: Treatment
    exposure: Exposure
    screening_day: Floats
    allocation_day: Floats
    aspiration_day: Floats
    stay: Stay
    followed: Followed
    adverse_events: AdverseEvents
    fever: Bools
    diary_kept: Bools
    event_days: Mapping[str, Floats]
    draw: Streams

    @property
    def course(self) -> Course:
        return self.followed.course

    @property
    def episodes(self) -> Episodes:
        return self.followed.episodes


def simulate_trial(protocol: Protocol, scenario: Scenario, seed: int, trial: int = 0) -> Panel:
    """One trial, with everybody who was assessed for it.

    Raises InputError where the protocol asks for something that simulated people do not have.
    """
    return whole_panel(protocol, scenario, simulate_nature(protocol, scenario, seed, 1, trial))


def whole_panel(protocol: Protocol, scenario: Scenario, nature: Nature) -> Panel:
    """What would have been recorded of everybody who was assessed for one trial."""
    return assemble(protocol, scenario, nature, everybody(nature.enrolment))


def simulate_trials(
    protocol: Protocol,
    scenario: Scenario,
    seed: int,
    trials: int,
    first: int = 0,
    arm: int | None = None,
    without: Collection[str] = (),
) -> list[Panel]:
    """Trials `first` … `first + trials - 1` with those enrolled only, as Panels in this order.

    One Panel where all trials have the same effects; one for each trial where effects vary. arm: everybody is in it:
    with each arm in turn, both potential outcomes of the same people. without: intercurrent events of the protocol that
    never happen, and so never act, in this world; all else has the same random numbers.

    Raises InputError where an event cannot be left out.
    """
    if not scenario.authored.effects_vary:
        nature = simulate_nature(protocol, scenario, seed, trials, first, arm, without)
        return [assemble(protocol, scenario, nature, participants_only(nature.enrolment))]
    natures = (simulate_nature(protocol, scenario, seed, 1, first + number, arm, without) for number in range(trials))
    return [assemble(protocol, scenario, nature, participants_only(nature.enrolment)) for nature in natures]


def simulate_nature(
    protocol: Protocol,
    scenario: Scenario,
    seed: int,
    trials: int,
    first: int = 0,
    arm: int | None = None,
    without: Collection[str] = (),
) -> Nature:
    """Enrol, treat and follow; the effects are those of trial `first`. arm, without: as of `simulate_trials`."""
    off = switched_off(protocol, without)
    authored, parameters = scenario.authored, scenario.parameters
    enrolment = enrol(protocol, scenario, seed, trials, first, arm)
    people = enrolment.people.choose(enrolment.chosen)
    draw = Streams(seed, trials, protocol.randomisation.participants, first)
    calendar = make_calendar(scenario, protocol, draw)
    treatment = treat(protocol, scenario, calendar, enrolment.arm, enrolment.present, draw, off)
    screening_day = _screening_day(protocol, calendar)
    exposure = treatment.exposure(screening_day)
    days = calendar.day - screening_day[..., np.newaxis]
    aspiration = _aspiration_day(protocol, calendar)
    stay = _stay(protocol, calendar, enrolment.present)
    in_trial = (-screening_day, stay.last - screening_day)
    event_days = days_of_events(protocol, scenario, people, treatment.first_active, draw, off)
    acting = interludes(scenario, event_days, screening_day)
    followed = follow(scenario, (seed, first), people, days, in_trial, exposure, draw, acting)
    first_risk = np.where(np.isnan(aspiration), 0.0, aspiration)
    infusions = np.where(treatment.given, treatment.day - screening_day[..., np.newaxis], np.nan)
    adverse_events = draw_adverse_events(
        people,
        first_risk - screening_day,
        stay.last - screening_day,
        infusions,
        treatment.active,
        aspiration - screening_day,
        followed.reaction,
        draw,
        parameters,
        authored.doses.serious_reaction,
    ).without(off.terms)
    last = protocol.visits[-1]
    return Nature(
        enrolment=enrolment,
        people=people,
        calendar=calendar,
        treatment=treatment,
        exposure=exposure,
        screening_day=screening_day,
        allocation_day=_allocation_day(protocol, calendar, draw),
        aspiration_day=aspiration,
        stay=stay,
        followed=followed,
        adverse_events=adverse_events,
        fever=_fever_by_visit(adverse_events, infusions, treatment, days.shape),
        diary_kept=draw("diary", max(last.day + last.after, 0) + 1) >= authored.missing.diary,
        event_days=MappingProxyType(event_days),
        draw=draw,
    )


def _screening_day(protocol: Protocol, calendar: Calendar) -> Floats:
    """The day of the first visit; the baseline visit itself where there is none before it."""
    return calendar.day[..., 0]


def _allocation_day(protocol: Protocol, calendar: Calendar, draw: Streams) -> Floats:
    """A day after the baseline visit and before the next one, a week later at most."""
    order = [visit.id for visit in protocol.visits]
    place = order.index(protocol.conventions.baselines[0].visit)
    low = calendar.day[..., place] + 1
    following = calendar.day[..., place + 1] - 1 if place + 1 < len(order) else low + 6
    high = np.minimum(np.minimum(low + 6, following), 0.0)
    return np.minimum(np.floor(low + draw("allocation-day", 1)[..., 0] * (high - low + 1)), np.maximum(high, low - 1))


def _aspiration_day(protocol: Protocol, calendar: Calendar) -> Floats:
    """The day of the first procedure's visit (domain PR), NaN where the protocol plans none."""
    name = assessment_of(protocol, "PR")
    visits = protocol.assessment(name).visits if name is not None else ()
    if not visits:
        return np.full(calendar.left.shape, np.nan)
    return calendar.day[..., [visit.id for visit in protocol.visits].index(visits[0])]


def _stay(protocol: Protocol, calendar: Calendar, present: Bools) -> Stay:
    end = calendar.day[..., -1]
    return Stay(calendar.day[..., 0], np.minimum(calendar.left, end), present)


def _fever_by_visit(events: AdverseEvents, infusions: Floats, treatment: Treatment, shape: tuple[int, ...]) -> Bools:
    fever = np.zeros(shape, np.bool_)
    followed = feverish(events, infusions)
    for place, slot in enumerate(treatment.slots):
        if slot.visit is not None:
            fever[..., slot.visit] |= followed[..., place]
    return fever
