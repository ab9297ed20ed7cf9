"""From what truly happened to a Panel: what would have been recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.patients.chance import Bools, Floats
from equipoise.protocol.model import Protocol
from equipoise.records.classes import SEXES, STATUSES
from equipoise.records.panel import HELD, MISSED, NO_VISIT, STRATUM, Block, Panel, Rows
from equipoise.simulate import occurrences
from equipoise.simulate.dispensing import dispensing_rows
from equipoise.simulate.enrolment import (
    DECLINED,
    ENROLLED,
    NOT_ELIGIBLE,
    NOT_SELECTED,
    SITE,
    Enrolment,
    ScreeningStreams,
)
from equipoise.simulate.entry import entry_days
from equipoise.simulate.followed import untreated
from equipoise.simulate.intercurrent import PREGNANCY
from equipoise.simulate.lots import lot_rows
from equipoise.simulate.marks import marked_events, marked_infusions, marked_lots
from equipoise.simulate.measurements import DIARY, Bedside, measure, unknown_tests
from equipoise.simulate.occurrences import assessment_of
from equipoise.simulate.scenario import Scenario
from equipoise.simulate.streams import Streams

if TYPE_CHECKING:
    from equipoise.simulate.trial import Nature

DECLINED_TEXT = "declined to take part"
WITHDRAWN_REASONS = ("withdrew consent", "moved away", "burden of the visits", "wish for another treatment")
LOST_REASON = "lost to follow-up"
RECORDED_DOMAINS = ("AE", "CE", "MH", "DV", "PR", "EX", "CM")
"""SDTM domains of the events and interventions that are simulated."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Who stands on the participants' axis of a Panel, K people in each of R trials.

    person: (R, K) index among those assessed. seat: (R, K) the place that the person took, -1 for none.
    present: (R, K). at: (R, n) position on the axis of who took each place. ids: K identifiers, ascending.
    """

    person: NDArray[np.int64]
    seat: NDArray[np.int64]
    present: Bools
    at: NDArray[np.int64]
    ids: tuple[str, ...]

    @property
    def seated(self) -> Bools:
        return self.present & (self.seat >= 0)

    def spread(self, values: NDArray[Any], blank: float | bool | str) -> NDArray[Any]:
        """Values of the places, (R, n, …), on the axis, (R, K, …), of the same type; `blank` for who has no place."""
        rows = np.arange(self.seat.shape[0])[:, np.newaxis]
        chosen = values[rows, np.maximum(self.seat, 0)].copy()
        chosen[~self.seated] = blank
        return chosen


def participants_only(enrolment: Enrolment) -> Axis:
    """Those who took the places, in their order."""
    trials, places = enrolment.chosen.shape
    seat = np.broadcast_to(np.arange(places), (trials, places))
    seat = np.where(enrolment.present, seat, -1)
    ids = tuple(f"P{number + 1:05d}" for number in range(places))
    at = np.broadcast_to(np.arange(places), (trials, places))
    return Axis(enrolment.chosen, seat, enrolment.present, at, ids)


def everybody(enrolment: Enrolment) -> Axis:
    """Everybody who was assessed, in the order in which they came."""
    trials, most = enrolment.stage.shape
    count = int(enrolment.assessed.max(initial=0))
    person = np.broadcast_to(np.arange(count), (trials, count))
    seat = np.full((trials, most), -1)
    rows, places = np.nonzero(enrolment.present)
    seat[rows, enrolment.chosen[rows, places]] = places
    present = np.arange(count) < enrolment.assessed[:, np.newaxis]
    ids = tuple(f"P{number + 1:05d}" for number in range(count))
    return Axis(person, seat[:, :count], present, enrolment.chosen, ids)


def assemble(protocol: Protocol, scenario: Scenario, nature: Nature, axis: Axis) -> Panel:
    """The Panel of the people on `axis`."""
    held, day = _visits(protocol, nature, axis)
    status = np.where(held, HELD, NO_VISIT).astype(np.int8)
    missed = axis.spread(~nature.calendar.held & (nature.calendar.day < nature.calendar.left[..., np.newaxis]), False)
    status[missed] = MISSED
    left, reasons = _leaving(scenario, nature)
    return Panel(
        protocol=protocol,
        ids=axis.ids,
        present=axis.present.copy(),
        arm=axis.spread(nature.enrolment.arm, -1),
        covariates=MappingProxyType(_covariates(protocol, nature, axis, left)),
        labels=MappingProxyType(_labels(nature, axis, left, reasons)),
        visit_day=np.where(held, day, np.nan),
        visit_status=status,
        blocks=MappingProxyType(_blocks(protocol, scenario, nature, axis)),
        supplied=MappingProxyType({}),
        events=_on_axis(_events(protocol, scenario, nature), axis),
        interventions=_on_axis(_interventions(protocol, scenario, nature, axis), axis),
        lots=_on_axis(_lots(scenario, nature, axis), axis),
        entry=MappingProxyType(_entry(nature.enrolment, axis)),
        collected=collected(protocol),
        dispensed=_on_axis(dispensing_rows(protocol, nature.treatment, nature.enrolment.present, axis), axis),
    )


def collected(protocol: Protocol) -> tuple[str, ...]:
    """The assessments that simulated people are asked for, whether or not anything comes of it."""
    unknown = set(unknown_tests(protocol))
    asked = {a.id for a in protocol.findings if any(f"{a.id}.{test.id}" not in unknown for test in a.tests)}
    asked |= {name for domain in RECORDED_DOMAINS if (name := assessment_of(protocol, domain)) is not None}
    return tuple(item.id for item in protocol.assessments if item.id in asked)


def _entry(enrolment: Enrolment, axis: Axis) -> dict[str, NDArray[Any]]:
    columns = enrolment.slots.columns(enrolment.present)
    return {name: axis.spread(values, "" if name == STRATUM else np.nan) for name, values in columns.items()}


def _first_is_screening(protocol: Protocol) -> bool:
    """Whether the schedule begins with a visit before the one that is the baseline."""
    return protocol.visits[0].id != protocol.conventions.baselines[0].visit


def _visits(protocol: Protocol, nature: Nature, axis: Axis) -> tuple[Bools, Floats]:
    """Which visits were held, and on which study day, (R, K, V); no study day for those without a day 0."""
    held = axis.spread(nature.calendar.held, False)
    if _first_is_screening(protocol):
        stage = np.take_along_axis(nature.enrolment.stage, axis.person, axis=1)
        held[..., 0] |= axis.present & (stage >= NOT_ELIGIBLE)
    return held, axis.spread(nature.calendar.day, np.nan)


def _leaving(scenario: Scenario, nature: Nature) -> tuple[NDArray[np.int8], NDArray[np.str_]]:
    """Of the places: 0 stayed, 1 withdrew, 2 was lost, and the reason."""
    gone = nature.calendar.left < nature.calendar.day[..., -1]
    chance = nature.draw("leaving-how", 2)
    lost = chance[..., 0] < scenario.authored.missing.lost
    how = np.where(gone, np.where(lost, 2, 1), 0).astype(np.int8)
    words = np.array(WITHDRAWN_REASONS)[(chance[..., 1] * len(WITHDRAWN_REASONS)).astype(np.int64)]
    return how, np.where(how == 2, LOST_REASON, np.where(how == 1, words, ""))


def _covariates(protocol: Protocol, nature: Nature, axis: Axis, left: NDArray[np.int8]) -> dict[str, Floats]:
    people = nature.enrolment.people
    calendar, treatment = nature.calendar, nature.treatment
    doses = np.where(treatment.given, treatment.day, np.inf)
    first_dose = doses.min(axis=-1, initial=np.inf)
    seen = np.where(calendar.held, calendar.day, -np.inf).max(axis=-1)
    # Who is lost was last seen at a visit; who withdraws says so on that day.
    last = np.where(left == 1, np.minimum(calendar.left, calendar.day[..., -1]), seen)
    age = np.floor(np.take_along_axis(people.age, axis.person, axis=1) * 10) / 10
    female = np.take_along_axis(people.female, axis.person, axis=1)
    return {
        "age_years": np.where(axis.present, age, np.nan),
        "sex": np.where(axis.present, np.where(female, SEXES.index("female"), SEXES.index("male")), np.nan),
        "diagnosis_day": axis.spread(nature.screening_day - nature.people.days_since_diagnosis, np.nan),
        "consent_day": axis.spread(nature.screening_day, np.nan),
        "allocation_day": axis.spread(nature.allocation_day, np.nan),
        "first_dose_day": axis.spread(np.where(np.isfinite(first_dose), first_dose, np.nan), np.nan),
        "last_contact_day": axis.spread(np.where(np.isfinite(last), last, np.nan), np.nan),
        "status": _status(nature, axis, left),
        "entry_day": _entry_day(nature, axis),
    }


def _entry_day(nature: Nature, axis: Axis) -> Floats:
    """Calendar days of each day 0, of those without one of the first contact, from the first of all on the axis."""
    enrolment = nature.enrolment
    contact = np.take_along_axis(enrolment.contact, enrolment.chosen, axis=1)
    days = entry_days(contact, nature.allocation_day, nature.screening_day)
    known = np.where(axis.seated, axis.spread(days, np.nan), np.take_along_axis(enrolment.contact, axis.person, axis=1))
    first = np.where(axis.present, known, np.inf).min(axis=1, keepdims=True, initial=np.inf)
    return np.where(axis.present, known - first, np.nan)


def _status(nature: Nature, axis: Axis, left: NDArray[np.int8]) -> Floats:
    stage = np.take_along_axis(nature.enrolment.stage, axis.person, axis=1)
    out = np.isin(stage, (NOT_SELECTED, NOT_ELIGIBLE))
    status = np.where(out, STATUSES.index("not-eligible"), STATUSES.index("screened")).astype(np.float64)
    ends = np.array([STATUSES.index(word) for word in ("completed", "withdrawn", "lost")], np.float64)
    status = np.where(axis.seated, axis.spread(ends[left], np.nan), status)
    return np.where(axis.present, status, np.nan)


def _labels(
    nature: Nature, axis: Axis, left: NDArray[np.int8], reasons: NDArray[np.str_]
) -> dict[str, NDArray[np.str_]]:
    enrolment = nature.enrolment
    stage = np.take_along_axis(enrolment.stage, axis.person, axis=1)
    why = np.take_along_axis(enrolment.reason, axis.person, axis=1)
    texts = np.array([*enrolment.texts, ""], np.str_)[why]
    texts = np.where(stage == DECLINED, DECLINED_TEXT, np.where(stage == ENROLLED, "", texts))
    reason = np.where(axis.seated, axis.spread(reasons, ""), texts)
    return {
        "site": np.where(axis.present, SITE, ""),
        "reason": np.where(axis.present, reason, ""),
    }


def _blocks(protocol: Protocol, scenario: Scenario, nature: Nature, axis: Axis) -> dict[str, Block]:
    """Of those with a place at every visit; of everybody screened at the screening visit."""
    visits = tuple(visit.id for visit in protocol.visits)
    bedside = Bedside(
        people=nature.people,
        visits=visits,
        course=nature.course,
        day=nature.calendar.day,
        held=nature.calendar.held & nature.enrolment.present[..., np.newaxis],
        fever=nature.fever,
        diary=_diaries(protocol, nature),
        draw=nature.draw,
        parameters=scenario.parameters,
        missing_results=scenario.authored.missing.results,
        missing_points=scenario.authored.missing.points,
    )
    screening = _screening_bedside(protocol, scenario, nature, axis) if _first_is_screening(protocol) else None
    blocks: dict[str, Block] = {}
    for assessment in protocol.findings:
        block = _block_on_axis(measure(assessment, bedside), axis)
        if screening is not None and visits[0] in assessment.visits:
            first = measure(assessment, screening)
            for part in ("value", "censored", "day", "asked"):
                getattr(block, part)[:, :, 0] = getattr(first, part)[:, :, 0]
        blocks[assessment.id] = block
    return blocks


def _block_on_axis(block: Block, axis: Axis) -> Block:
    return replace(
        block,
        value=axis.spread(block.value, np.nan),
        censored=axis.spread(block.censored, 0),
        day=axis.spread(block.day, np.nan),
        asked=axis.spread(block.asked, False),
    )


def _screening_bedside(protocol: Protocol, scenario: Scenario, nature: Nature, axis: Axis) -> Bedside:
    """The screening visit of those on the axis: the samples that decided on their eligibility."""
    enrolment = nature.enrolment
    people = enrolment.people.choose(axis.person)
    streams = nature.draw
    wide = Streams(streams.seed, streams.trials, enrolment.people.shape[1], streams.first)
    draw = ScreeningStreams(wide, axis.person)
    stage = np.take_along_axis(enrolment.stage, axis.person, axis=1)
    held = axis.present & (stage >= NOT_ELIGIBLE)
    days = np.zeros((*held.shape, 1))
    course = untreated(scenario, people, days, draw)
    return Bedside(
        people=people,
        visits=(protocol.visits[0].id,),
        course=course,
        day=axis.spread(nature.screening_day, np.nan)[..., np.newaxis],
        held=held[..., np.newaxis],
        fever=np.zeros((*held.shape, 1), np.bool_),
        diary={},
        draw=draw,
        parameters=scenario.parameters,
        missing_results=0.0,
        missing_points=0.0,
    )


def _diaries(protocol: Protocol, nature: Nature) -> Mapping[str, Floats]:
    """Days with an entry since the last collection, (R, n, visits of the assessment), by diary."""
    kept = np.cumsum(nature.diary_kept, axis=2)
    order = [visit.id for visit in protocol.visits]
    found: dict[str, Floats] = {}
    for assessment in protocol.findings:
        if not any(test.code == DIARY for test in assessment.tests):
            continue
        counts: list[Floats] = []
        before = np.zeros(kept.shape[:2])
        for visit in assessment.visits:
            place = order.index(visit)
            day = np.clip(nature.calendar.day[..., place], 0, kept.shape[2] - 1).astype(np.int64)
            now = np.take_along_axis(kept, day[..., np.newaxis], axis=2)[..., 0].astype(np.float64)
            counts.append(now - before)
            before = np.where(nature.calendar.held[..., place], now, before)
        found[assessment.id] = np.stack(counts, axis=-1)
    return found


def _on_axis(rows: Rows, axis: Axis) -> Rows:
    """Rows of the places as rows of the axis; on both, trials and people are in the same order."""
    return Rows(
        rows.trial, axis.at[rows.trial, rows.participant].astype(np.int64), MappingProxyType(dict(rows.columns))
    )


def _events(protocol: Protocol, scenario: Scenario, nature: Nature) -> Rows:
    screening_day, stay, people = nature.screening_day, nature.stay, nature.people
    diagnosis_day = screening_day - people.days_since_diagnosis
    parts: list[occurrences.Part] = []
    if (name := assessment_of(protocol, "AE")) is not None:
        harm = occurrences.adverse_event_rows(name, nature.adverse_events, screening_day, stay)
        parts.append(marked_events(harm, nature.treatment, scenario.authored.marks))
    if (name := assessment_of(protocol, "CE")) is not None:
        parts.append(occurrences.episode_rows(name, nature.episodes, screening_day, nature.diary_kept))
    if (name := assessment_of(protocol, "MH")) is not None:
        parts.append(occurrences.diagnosis_rows(name, diagnosis_day, stay))
        parts.append(occurrences.pregnancy_rows(name, nature.event_days[PREGNANCY], stay))
    if (name := assessment_of(protocol, "DV")) is not None:
        parts.append(occurrences.deviation_rows(name, nature.treatment, stay))
    return occurrences.event_rows([occurrences.of_present(part, stay.present) for part in parts])


def _lots(scenario: Scenario, nature: Nature, axis: Axis) -> Rows:
    rows = lot_rows(nature.treatment, nature.enrolment.present, axis.ids, axis.at)
    return marked_lots(rows, nature.treatment, scenario.authored.marks)


def _interventions(protocol: Protocol, scenario: Scenario, nature: Nature, axis: Axis) -> Rows:
    treatment, stay, draw = nature.treatment, nature.stay, nature.draw
    parts: list[occurrences.Part] = []
    if (name := assessment_of(protocol, "PR")) is not None:
        parts.append(occurrences.aspiration_rows(name, nature.aspiration_day))
    if (name := assessment_of(protocol, "EX")) is not None:
        minutes = 30 + np.floor(31 * draw("infusion-minutes", len(treatment.slots)))
        weight = nature.course.weight[..., 0]
        bags = np.array(axis.ids, np.str_)[axis.at]
        infusions = occurrences.infusion_rows(name, treatment, weight, minutes, bags)
        parts.append(marked_infusions(infusions, treatment, scenario.authored.marks))
    if (name := assessment_of(protocol, "CM")) is not None:
        diagnosis_day = nature.screening_day - nature.people.days_since_diagnosis
        parts += occurrences.medication_rows(name, nature.event_days, diagnosis_day, stay)
    return occurrences.intervention_rows([occurrences.of_present(part, stay.present) for part in parts])
