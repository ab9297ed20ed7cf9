"""On which day each intercurrent event began, (R, n), from the records of a Panel; infinity where it did not.

The onset is the start day of what was recorded; for rules of doses and lots the planned day of the dose, for
`insulin-zero` the day of the visit. Only what began on or after the allocation is intercurrent: an older medicine or an
earlier pregnancy belongs to the medical history. A record without a day shows no onset (`undated` counts them).

Days are compared in one way everywhere: the day of the onset itself is still before the event. A value of that day was
taken before it, an event of that day is counted, and the day is the last one at risk; and by then the intercurrent
event has happened.

Rules of lots and doses look at records that everybody has, whatever the arm. The one exception is an amount that the
records state: its range is that of the product of the participant's arm, where the arm is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from equipoise.protocol.model import Protocol
from equipoise.protocol.rules_events import INSULIN_UNIT
from equipoise.protocol.schema.inference import IntercurrentEvent, Recorded
from equipoise.records.classes import STUDY_TREATMENT
from equipoise.records.panel import Flags, Floats, Panel, Rows

DECLINED = ("declin", "refus")
"""Parts of words by which a reason says that the participant did not want the doses of a period."""


@dataclass(frozen=True, slots=True)
class Dose:
    """A planned dose: its period, its number within it from 1, and its planned study day."""

    period: str
    number: int
    day: int


def onsets(panel: Panel, parameters: Mapping[str, Floats]) -> Mapping[str, Floats]:
    """Event -> day of its onset, (R, n), inf where it did not happen; of every event that is bound to records.

    parameters: derived ones, (R, n, visits of the protocol); only `insulin-zero` reads any.
    """
    events = panel.protocol.authored.intercurrent_events
    return MappingProxyType({event.id: onset(panel, event, parameters) for event in events if event.recorded})


def onset(panel: Panel, event: IntercurrentEvent, parameters: Mapping[str, Floats]) -> Floats:
    """The day on which one bound event began, (R, n); inf where it did not."""
    recorded = event.recorded
    assert recorded is not None, "only a bound event has onsets"
    if recorded.rule is None:
        return _first(panel, *_rows_of(panel, recorded))
    match recorded.rule:
        case "lot-failed":
            return _earliest_dose(panel, recorded, _lots_failed(panel))
        case "dose-below-range":
            return _earliest_dose(panel, recorded, _doses_below(panel))
        case "dose-not-given":
            return _earliest_dose(panel, recorded, _of_doses(panel, given=False))
        case "period-declined":
            return _declined(panel, str(recorded.period))
        case "insulin-zero":
            name = recorded.parameter or insulin_parameter(panel.protocol)
            assert name is not None, "the plan has checked the parameter"
            return _insulin_zero(panel, parameters[name])


def undated(panel: Panel, event: IntercurrentEvent) -> Flags:
    """Who has a record of the event without its day, (R, n); rules have planned days and none of these."""
    found = np.zeros(panel.present.shape, np.bool_)
    if event.recorded is not None and event.recorded.rule is None:
        rows, mine, day = _rows_of(panel, event.recorded)
        without = mine & np.isnan(day)
        found[rows.trial[without], rows.participant[without]] = True
    return found


def visit_days(panel: Panel) -> Floats:
    """Each person's own day of each visit, (R, n, visits): as recorded, else of its measurements, else as planned."""
    days = panel.visit_day
    order = {visit.id: place for place, visit in enumerate(panel.protocol.visits)}
    if np.isnan(days).any():
        days = days.copy()
        for block in panel.blocks.values():
            for place, visit in enumerate(block.visits):
                own = days[:, :, order[visit]]
                days[:, :, order[visit]] = np.where(np.isnan(own), block.day[:, :, place], own)
    planned = np.array([visit.day for visit in panel.protocol.visits], np.float64)
    return np.where(np.isnan(days), planned, days)


def insulin_parameter(protocol: Protocol) -> str | None:
    """The only parameter of an insulin dose in U/kg/day; None where there is none, or more than one."""
    found = [item.id for item in protocol.parameters if item.unit == INSULIN_UNIT]
    return found[0] if len(found) == 1 else None


def planned_doses(protocol: Protocol) -> tuple[Dose, ...]:
    """Every planned dose by day. Where arms plan a dose for different days it is the earliest: no arm is looked at."""
    days: dict[tuple[str, int], int] = {}
    for period in protocol.periods:
        for arm in protocol.arms:
            for number, offset in enumerate(protocol.product(arm.treatments[period.id]).dose_days, start=1):
                day = period.first_day + offset
                key = (period.id, number)
                days[key] = min(day, days.get(key, day))
    doses = [Dose(period, number, day) for (period, number), day in days.items()]
    return tuple(sorted(doses, key=lambda dose: (dose.day, dose.number)))


def has_lots(panel: Panel, recorded: Recorded) -> Flags:
    """Who has a lot of the event's doses, so that it is known whether one failed, (R, n)."""
    lots = panel.lots
    found = np.zeros(panel.present.shape, np.bool_)
    if len(lots):
        every = np.ones(len(lots), np.bool_)
        asked = _asked(panel.protocol, recorded)[_dose_of_lots(panel, every)]
        found[lots.trial[asked], lots.participant[asked]] = True
    return found


# ---- what was recorded by its name


def _rows_of(panel: Panel, recorded: Recorded) -> tuple[Rows, Flags, Floats]:
    """The table of an event that is recorded by its name, which of its rows are of it, and their days."""
    if recorded.events is not None:
        rows, assessment = panel.events, recorded.events
        names, wanted, days = rows.columns["term"], recorded.terms, rows.columns["start_day"]
        mine = rows.columns["assessment"] == assessment
    else:
        rows, assessment = panel.interventions, str(recorded.interventions)
        names, wanted, days = rows.columns["treatment"], recorded.treatments, rows.columns["day"]
        mine = (rows.columns["assessment"] == assessment) & (rows.columns["status"] == "given")
    mine = np.asarray(mine, np.bool_)
    words = {name.casefold().strip() for name in wanted or ()}
    own = np.flatnonzero(mine)
    mine[own] = [str(name).casefold().strip() in words for name in names[own]]
    return rows, mine, np.asarray(days, np.float64)


def _first(panel: Panel, rows: Rows, mine: Flags, day: Floats) -> Floats:
    """The first day since the allocation, or since time zero where that is not known, of some rows, (R, n)."""
    since = np.nan_to_num(panel.covariates["allocation_day"], nan=0.0)
    with np.errstate(invalid="ignore"):
        kept = mine & (day >= since[rows.trial, rows.participant])
    found = np.full(panel.present.shape, np.inf)
    np.minimum.at(found, (rows.trial[kept], rows.participant[kept]), day[kept])
    return found


# ---- doses and lots


def _asked(protocol: Protocol, recorded: Recorded) -> Flags:
    """Which of the planned doses a rule is about."""
    return np.array(
        [
            recorded.period in (None, dose.period) and recorded.dose_number in (None, dose.number)
            for dose in planned_doses(protocol)
        ],
        np.bool_,
    )


def _earliest_dose(panel: Panel, recorded: Recorded, happened: Flags) -> Floats:
    """The planned day of the first of the rule's doses at which it happened, (R, n); happened: (R, n, doses)."""
    days = np.array([dose.day for dose in planned_doses(panel.protocol)], np.float64)
    hit = happened & _asked(panel.protocol, recorded)
    return np.where(hit, days, np.inf).min(axis=2, initial=np.inf)


def _study_rows(panel: Panel) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The rows of study doses, and which planned dose each is: by period and number, else by the nearest day."""
    rows = panel.interventions
    mine = np.flatnonzero(rows.columns["treatment"] == STUDY_TREATMENT)
    doses = planned_doses(panel.protocol)
    place = np.full(mine.size, -1, np.intp)
    period, number = rows.columns["period"][mine], np.asarray(rows.columns["dose_number"], np.float64)[mine]
    for index, dose in enumerate(doses):
        place[(period == dose.period) & (number == dose.number)] = index
    day = np.asarray(rows.columns["day"], np.float64)[mine]
    planned = np.array([dose.day for dose in doses], np.float64)
    lost = np.flatnonzero((place < 0) & ~np.isnan(day))
    place[lost] = np.abs(day[lost, None] - planned).argmin(axis=1)
    known = place >= 0
    return mine[known], place[known]


def _of_doses(panel: Panel, *, given: bool) -> Flags:
    """Which doses the records say were given, or were not, (R, n, doses); a dose without a record is neither."""
    rows = panel.interventions
    mine, place = _study_rows(panel)
    right = rows.columns["status"][mine] == ("given" if given else "not-given")
    found = np.zeros((*panel.present.shape, len(planned_doses(panel.protocol))), np.bool_)
    found[rows.trial[mine][right], rows.participant[mine][right], place[right]] = True
    return found


def _dose_of_lots(panel: Panel, wanted: Flags) -> NDArray[np.intp]:
    """Which dose each wanted row of the lots was made for (0 for the others), (rows,).

    It is the dose that the lot was given as; a lot that was never given was for the first dose from its day on, by that
    dose's recorded day or, without one, its planned day.
    """
    lots, rows = panel.lots, panel.interventions
    doses = planned_doses(panel.protocol)
    mine, place = _study_rows(panel)
    here = np.zeros(panel.present.shape, np.bool_)
    here[lots.trial[wanted], lots.participant[wanted]] = True
    near = here[rows.trial[mine], rows.participant[mine]]
    mine, place = mine[near], place[near]
    names = zip(rows.trial[mine].tolist(), rows.columns["lot"][mine].tolist(), strict=True)
    given_as = {key: dose for key, dose in zip(names, place.tolist(), strict=True) if key[1]}
    days = np.empty((*panel.present.shape, len(doses)))
    days[:] = [dose.day for dose in doses]
    recorded = np.asarray(rows.columns["day"], np.float64)[mine]
    dated = ~np.isnan(recorded)
    days[rows.trial[mine][dated], rows.participant[mine][dated], place[dated]] = recorded[dated]
    found = np.zeros(len(lots), np.intp)
    own = np.flatnonzero(wanted)
    day = np.nan_to_num(np.asarray(lots.columns["day"], np.float64)[own], nan=-np.inf)
    later = days[lots.trial[own], lots.participant[own]] >= day[:, None]
    by_day = np.where(later.any(axis=1), later.argmax(axis=1), len(doses) - 1)
    keys = zip(lots.trial[own].tolist(), lots.columns["lot"][own].tolist(), strict=True)
    found[own] = [given_as.get(key, dose) for key, dose in zip(keys, by_day.tolist(), strict=True)]
    return found


def _lots_failed(panel: Panel) -> Flags:
    """The doses of which a lot failed: by its decision, or by a gate that it did not pass, (R, n, doses)."""
    found = np.zeros((*panel.present.shape, len(planned_doses(panel.protocol))), np.bool_)
    lots = panel.lots
    if not len(lots):
        return found
    gates = [test.id for product in panel.protocol.products for test in product.release_tests if test.use == "gate"]
    not_passed = np.asarray(lots.columns["passed"], np.float64) == 0
    failed = (lots.columns["decision"] == "failed") | (not_passed & np.isin(lots.columns["test"], gates))
    place = _dose_of_lots(panel, failed)
    found[lots.trial[failed], lots.participant[failed], place[failed]] = True
    return found


def _doses_below(panel: Panel) -> Flags:
    """The doses that were given and lay below their range, (R, n, doses).

    By what the lot held of the dose, where a release test measures it, and by the amount that the records state.
    """
    found = np.zeros((*panel.present.shape, len(planned_doses(panel.protocol))), np.bool_)
    lots = panel.lots
    for product in panel.protocol.products if len(lots) else ():
        for test in product.release_tests:
            least = product.dose.lowest if product.dose.lowest is not None else test.lower
            if test.measures == "dose" and least is not None:
                low = (lots.columns["test"] == test.id) & (np.asarray(lots.columns["value"], np.float64) < least)
                found[lots.trial[low], lots.participant[low], _dose_of_lots(panel, low)[low]] = True
    found |= _amounts_below(panel)
    return found & _of_doses(panel, given=True)


def _amounts_below(panel: Panel) -> Flags:
    """The doses whose recorded amount lies below the range of the arm's product, in the unit of its range."""
    rows, protocol = panel.interventions, panel.protocol
    found = np.zeros((*panel.present.shape, len(planned_doses(protocol))), np.bool_)
    mine, place = _study_rows(panel)
    amount = np.asarray(rows.columns["amount"], np.float64)[mine]
    stated = ~np.isnan(amount)
    mine, place, amount = mine[stated], place[stated], amount[stated]
    trial, person = rows.trial[mine], rows.participant[mine]
    arm, unit = panel.arm[trial, person], rows.columns["unit"][mine]
    doses = planned_doses(protocol)
    for index, item in enumerate(protocol.arms):
        for number, planned in enumerate(doses):
            dose = protocol.product(item.treatments[planned.period]).dose
            if dose.lowest is not None:
                name = f"{dose.unit}/kg" if dose.per == "kg" else dose.unit
                low = (arm == index) & (place == number) & (unit == name) & (amount < dose.lowest)
                found[trial[low], person[low], number] = True
    return found


def _declined(panel: Panel, period: str) -> Floats:
    """The planned day of a period's first dose, for who had none of its doses and by a reason did not want them."""
    doses = planned_doses(panel.protocol)
    inside = np.array([dose.period == period for dose in doses], np.bool_)
    first = min((dose.day for dose in doses if dose.period == period), default=np.inf)
    rows = panel.interventions
    mine, place = _study_rows(panel)
    own = mine[inside[place] & (rows.columns["status"][mine] == "not-given")]
    reasons = [str(reason).casefold().strip() for reason in rows.columns["reason"][own]]
    says_so = np.array([any(word in reason for word in DECLINED) for reason in reasons], np.bool_)
    unwanted = own[says_so]
    declined = np.zeros(panel.present.shape, np.bool_)
    declined[rows.trial[unwanted], rows.participant[unwanted]] = True
    declined &= ~(_of_doses(panel, given=True) & inside).any(axis=2)
    return np.where(declined, float(first), np.inf)


def _insulin_zero(panel: Panel, dose: Floats) -> Floats:
    """The day of the first visit after time zero at which the dose of insulin is 0, (R, n)."""
    after = np.array([visit.day > 0 for visit in panel.protocol.visits], np.bool_)
    return np.where((dose == 0) & after, visit_days(panel), np.inf).min(axis=2, initial=np.inf)
