"""What happens and what is done between measurements, as rows: events by their domain, interventions by theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.patients.chance import Bools, Floats
from equipoise.patients.empirical.hypoglycaemia import Episodes
from equipoise.patients.empirical.safety import CAUSES, AdverseEvents
from equipoise.protocol.model import Protocol
from equipoise.records.classes import STUDY_TREATMENT
from equipoise.records.from_records import CARRIED_COLUMNS
from equipoise.records.panel import Rows
from equipoise.simulate.intercurrent import MEDICINES, PREGNANCY_TERM
from equipoise.simulate.treatment import GIVEN, NOT_REACHED, REASONS, Treatment

Texts = NDArray[np.str_]
Columns = dict[str, NDArray[Any]]
Part = tuple[NDArray[np.int64], NDArray[np.int64], Columns]
"""Rows of one kind: trial, participant, columns."""

SYSTEM_ORGAN_CLASSES = {
    "Upper respiratory infection": "Infections and infestations",
    "Headache": "Nervous system disorders",
    "Gastroenteritis": "Infections and infestations",
    "Fever": "General disorders and administration site conditions",
    "Fatigue": "General disorders and administration site conditions",
    "Abdominal pain": "Gastrointestinal disorders",
    "Nausea": "Gastrointestinal disorders",
    "Back pain": "Musculoskeletal and connective tissue disorders",
    "Rash acneiform": "Skin and subcutaneous tissue disorders",
    "Dizziness": "Nervous system disorders",
    "Fracture": "Injury, poisoning and procedural complications",
    "Urinary tract infection": "Infections and infestations",
    "Anxiety": "Psychiatric disorders",
    "Appendicitis": "Infections and infestations",
    "Ketoacidosis": "Metabolism and nutrition disorders",
    "Infusion site extravasation": "General disorders and administration site conditions",
    "Sinus tachycardia": "Cardiac disorders",
    "Phlebitis": "Vascular disorders",
    "Pain": "General disorders and administration site conditions",
    "Hematoma": "Vascular disorders",
    "Anaphylaxis": "Immune system disorders",
}
"""Where the dictionary of regulators (MedDRA) puts the terms that simulated events have."""
HOSPITAL = ("Appendicitis", "Ketoacidosis")
"""Terms that put people into hospital, which makes an event serious whatever its grade."""
RELEASE_FAILED = "Release failed after infusion"
DAYS_OF_CULTURE = 14
"""Days after an infusion on which a test that ends after release has its result."""


@dataclass(frozen=True, slots=True)
class Stay:
    """How long each person is in the trial, (R, n): in study days. `last`: the last contact."""

    first: Floats
    last: Floats
    present: Bools


def assessment_of(protocol: Protocol, domain: str) -> str | None:
    """The events or interventions of an SDTM domain; None where the protocol records none."""
    found = (a.id for a in protocol.assessments if a.domain == domain and a.observation_class != "findings")
    return next(found, None)


def of_present(part: Part, present: Bools) -> Part:
    """The rows of those who are there: places that nobody took have none."""
    trial, person, columns = part
    keep = present[trial, person]
    return trial[keep], person[keep], {name: values[keep] for name, values in columns.items()}


def event_rows(parts: list[Part]) -> Rows:
    """Parts (trial, participant, columns) as the events of a Panel, in its order."""
    return _rows("events", parts)


def intervention_rows(parts: list[Part]) -> Rows:
    """The same for interventions."""
    return _rows("interventions", parts)


def _rows(kind: str, parts: list[Part]) -> Rows:
    trial = np.concatenate([part[0] for part in parts]) if parts else np.zeros(0, np.int64)
    person = np.concatenate([part[1] for part in parts]) if parts else np.zeros(0, np.int64)
    columns: Columns = {}
    for column in CARRIED_COLUMNS[kind]:
        text = column.kind is pl.String
        blank = "" if text else np.nan
        pieces = [np.broadcast_to(part[2].get(column.name, blank), part[0].shape) for part in parts]
        joined = np.concatenate(pieces) if pieces else np.zeros(0)
        columns[column.name] = joined.astype(np.str_) if text else joined.astype(np.float64)
    order = np.lexsort((columns[DAY[kind]], columns["assessment"], person, trial))
    return Rows(trial[order], person[order], {name: values[order] for name, values in columns.items()})


DAY = {"events": "start_day", "interventions": "day"}


def adverse_event_rows(assessment: str, events: AdverseEvents, screening_day: Floats, stay: Stay) -> Part:
    """Adverse events with grade, seriousness and relation to the study treatment."""
    trial, person = events.trial, events.participant
    start = events.day + screening_day[trial, person]
    end = start + events.duration - 1
    term = np.array(events.terms, np.str_)[events.term]
    background = events.cause == CAUSES.index("background")
    ongoing = end > stay.last[trial, person]
    columns: Columns = {
        "assessment": np.full(trial.shape, assessment),
        "term": term,
        "category": np.array([SYSTEM_ORGAN_CLASSES[text] for text in events.terms], np.str_)[events.term],
        "start_day": start,
        "end_day": np.where(ongoing, np.nan, end),
        "grade": np.asarray(events.grade, np.float64),
        "serious": np.asarray((events.grade >= 4) | np.isin(term, HOSPITAL), np.float64),
        "related": np.asarray(~background, np.float64),
        "outcome": np.where(ongoing, "not recovered", "recovered"),
    }
    return trial, person, columns


def episode_rows(assessment: str, episodes: Episodes, screening_day: Floats, diary_kept: Bools) -> Part:
    """Episodes of hypoglycaemia of the days on which the diary was kept; severe ones (level 3) are known anyway.

    diary_kept: (R, n, days from day 0).
    """
    day = np.floor(episodes.day + screening_day[episodes.trial, episodes.participant])
    place = np.clip(day, 0, diary_kept.shape[2] - 1).astype(np.int64)
    known = diary_kept[episodes.trial, episodes.participant, place] | (episodes.level == 3)
    trial, person, level, day = (v[known] for v in (episodes.trial, episodes.participant, episodes.level, day))
    columns: Columns = {
        "assessment": np.full(trial.shape, assessment),
        "term": np.full(trial.shape, "Hypoglycaemia"),
        "category": np.full(trial.shape, "Metabolism and nutrition disorders"),
        "start_day": day,
        "end_day": day,
        "level": level.astype(np.float64),
        "outcome": np.full(trial.shape, "recovered"),
    }
    return trial, person, columns


def diagnosis_rows(assessment: str, diagnosis_day: Floats, stay: Stay) -> Part:
    """The medical history that everyone has."""
    trial, person = np.nonzero(stay.present)
    columns: Columns = {
        "assessment": np.full(trial.shape, assessment),
        "term": np.full(trial.shape, "Type 1 diabetes mellitus"),
        "category": np.full(trial.shape, "Metabolism and nutrition disorders"),
        "start_day": diagnosis_day[trial, person],
    }
    return trial, person, columns


def deviation_rows(assessment: str, treatment: Treatment, stay: Stay) -> Part:
    """Deviations: an infusion that was due and not given, and one whose lot failed a release test afterwards.

    Lots are made for everybody, so that the second kind is recorded of everybody, whatever the infusion held.
    """
    trial, person, slot = np.nonzero((treatment.outcome != GIVEN) & (treatment.outcome != NOT_REACHED))
    reasons = np.array(REASONS, np.str_)[treatment.outcome[trial, person, slot]]
    terms = np.char.add("Infusion not given: ", reasons) if trial.size else np.zeros(0, np.str_)
    day = treatment.day[trial, person, slot]
    if treatment.lots is not None:
        late = np.nonzero(treatment.given & treatment.lots.late)
        trial, person = np.concatenate([trial, late[0]]), np.concatenate([person, late[1]])
        terms = np.concatenate([terms, np.full(late[0].size, RELEASE_FAILED)])
        known = np.minimum(treatment.day[late] + DAYS_OF_CULTURE, stay.last[late[0], late[1]])
        day = np.concatenate([day, np.maximum(known, treatment.day[late])])
    columns: Columns = {
        "assessment": np.full(trial.shape, assessment),
        "term": terms,
        "category": np.full(trial.shape, "Study treatment"),
        "start_day": day,
    }
    return trial, person, columns


def infusion_rows(assessment: str, treatment: Treatment, weight: Floats, minutes: Floats, ids: Texts) -> Part:
    """Study infusions, masked: volume and time are those of cells and saline alike.

    weight: (R, n) kg; the volume is 1 mL/kg. minutes: (R, n, slots). ids: (R, n).
    """
    trial, person, slot = np.nonzero(treatment.outcome != NOT_REACHED)
    outcome = treatment.outcome[trial, person, slot]
    given = outcome == GIVEN
    periods = np.array([item.period for item in treatment.slots], np.str_)
    numbers = np.array([item.number for item in treatment.slots], np.float64)
    lots = np.array([f"{ids[t, p]}-{s + 1}" for t, p, s in zip(trial, person, slot, strict=True)], np.str_)
    columns: Columns = {
        "assessment": np.full(trial.shape, assessment),
        "treatment": np.full(trial.shape, STUDY_TREATMENT),
        "period": periods[slot],
        "dose_number": numbers[slot],
        "day": treatment.day[trial, person, slot],
        "volume_ml": np.where(given, np.round(weight[trial, person]), np.nan),
        "minutes": np.where(given, minutes[trial, person, slot], np.nan),
        "status": np.where(given, "given", "not-given"),
        "reason": np.array(REASONS, np.str_)[outcome],
        "lot": np.where(given & (treatment.lots is not None), lots, ""),
    }
    return trial, person, columns


def aspiration_rows(assessment: str, day: Floats) -> Part:
    """The bone-marrow aspiration; NaN days have none."""
    trial, person = np.nonzero(~np.isnan(day))
    columns: Columns = {
        "assessment": np.full(trial.shape, assessment),
        "treatment": np.full(trial.shape, "Bone-marrow aspiration"),
        "day": day[trial, person],
        "status": np.full(trial.shape, "given"),
    }
    return trial, person, columns


def medication_rows(assessment: str, days: Mapping[str, Floats], diagnosis_day: Floats, stay: Stay) -> list[Part]:
    """Insulin from the diagnosis on, and the medicines and devices that are intercurrent events.

    days: by event, the study day on which it comes, (R, n), infinity for never.
    """
    trial, person = np.nonzero(stay.present)
    insulin: Columns = {
        "assessment": np.full(trial.shape, assessment),
        "treatment": np.full(trial.shape, "Insulin"),
        "day": diagnosis_day[trial, person],
        "status": np.full(trial.shape, "given"),
    }
    parts = [(trial, person, insulin)]
    for name, medicine in MEDICINES.items():
        day = days[name]
        trial, person = np.nonzero(stay.present & (day <= stay.last))
        begun: Columns = {
            "assessment": np.full(trial.shape, assessment),
            "treatment": np.full(trial.shape, medicine),
            "day": day[trial, person],
            "status": np.full(trial.shape, "given"),
        }
        parts.append((trial, person, begun))
    return parts


def pregnancy_rows(assessment: str, day: Floats, stay: Stay) -> Part:
    """Pregnancies, in the medical history; day: (R, n), infinity for never."""
    trial, person = np.nonzero(stay.present & (day <= stay.last))
    columns: Columns = {
        "assessment": np.full(trial.shape, assessment),
        "term": np.full(trial.shape, PREGNANCY_TERM),
        "category": np.full(trial.shape, "Pregnancy, puerperium and perinatal conditions"),
        "start_day": day[trial, person],
    }
    return trial, person, columns
