"""The table of SDTM variables: which of our columns each one holds. It alone drives writing and reading.

Names and places follow SDTM 2.0 and its Implementation Guide 3.4. ``--`` stands for the domain.
"""

from __future__ import annotations

import polars as pl

from equipoise.errors import DataError, Problem
from equipoise.protocol.model import Protocol
from equipoise.records.classes import SUPPLIED
from equipoise.records.sdtm import derived as d
from equipoise.records.sdtm.design import DESIGN
from equipoise.records.sdtm.forms import (
    DURATION,
    NUMBER,
    STUDY_DAY,
    SUBJECT,
    TEST_CODE,
    TEXT,
    VISIT,
    WHOLE,
    WHOLE_AS_TEXT,
    Form,
    assessment_of,
    words,
)
from equipoise.records.sdtm.parts import Dataset, Derived, Part, Variable

LOTS_DOMAIN = "XL"  # SDTM leaves codes that begin with X, Y or Z to sponsors


def _supp(name: str, column: str, label: str, form: Form = TEXT, *, assigned: bool = False) -> Variable:
    return Variable(name, column, label, form, supplemental=True, assigned=assigned)


def _days(start: str, end: str | None = None) -> tuple[Variable, ...]:
    first = Variable("--STDY", start, "Study Day of Start", STUDY_DAY)
    return (first,) if end is None else (first, Variable("--ENDY", end, "Study Day of End", STUDY_DAY))


_SUBJECT = Variable("USUBJID", "participant", "Unique Subject Identifier", SUBJECT)
_SEQ = Derived("--SEQ", "Sequence Number", pl.Int64, d.sequence, identifier=True)
_SOURCE = _supp("SOURCE", "source", "Where our record comes from", assigned=True)
_DOMAIN = Variable("DOMAIN", "domain", "Domain Abbreviation")
_LINE = Variable("--SPID", "sequence", "Sponsor-Defined Identifier", WHOLE_AS_TEXT)
_FLAG = words({True: "Y", False: "N"}, "Write Y, N, or nothing.")
_SEX = words({"female": "F", "male": "M"}, "Write F, M, or nothing.")
_HELD = words({"held": "Y", "missed": "N"}, "Write Y or N.")
_GIVEN = words({"given": "Y", "not-given": "N"}, "Write Y or N.")
_DONE = words({"done": None, "not-done": "NOT DONE"}, "Write NOT DONE, or leave the cell empty.")
_SIDE = words({"left": "LEFT", "right": "RIGHT"}, "Write LEFT, RIGHT, or nothing.")
_PASSED = words({True: "PASSED", False: "FAILED"}, "Write PASSED, FAILED, or nothing.")
_STANDING = words(
    {
        "screened": "ONGOING IN SCREENING",
        "not-eligible": "SCREEN FAILURE",
        "randomised": "ONGOING IN STUDY",
        "completed": "COMPLETED",
        "withdrawn": "WITHDRAWN",
        "lost": "LOST TO FOLLOW-UP",
    },
    "Write one of SCREEN FAILURE, ONGOING IN SCREENING, ONGOING IN STUDY, COMPLETED, WITHDRAWN, LOST TO FOLLOW-UP.",
)

DEMOGRAPHICS = Part(
    "participants",
    "DM",
    (
        _SUBJECT,
        Derived("SUBJID", "Subject Identifier for the Study", pl.String, d.copy_of("participant")),
        Variable("SITEID", "site", "Study Site Identifier"),
        Variable("AGE", "age_years", "Age", NUMBER),
        Derived("AGEU", "Age Units", pl.String, d.where_given("age_years", "YEARS")),
        Variable("SEX", "sex", "Sex", _SEX),
        _supp("DIAGDY", "diagnosis_day", "Study Day of Diagnosis", STUDY_DAY),
        _supp("RFXSTDY", "first_dose_day", "Study Day of First Study Dose", STUDY_DAY),
        _supp("RFPENDY", "last_contact_day", "Study Day of Last Contact", STUDY_DAY),
        _supp("ENTRYDAY", "entry_day", "Calendar Days from First Reference Date", WHOLE, assigned=True),
        _SOURCE,
    ),
)


def _milestone(column: str, term: str) -> Part:
    constants = {"DSTERM": term, "DSDECOD": term, "DSCAT": "PROTOCOL MILESTONE"}
    return Part("participants", "DS", (_SUBJECT, _SEQ, *_days(column)), constants, present=column, joined=True)


CONSENT = _milestone("consent_day", "INFORMED CONSENT OBTAINED")
ALLOCATION = _milestone("allocation_day", "RANDOMIZED")
DISPOSITION = Part(
    "participants",
    "DS",
    (
        _SUBJECT,
        _SEQ,
        Variable("DSDECOD", "status", "Standardized Disposition Term", _STANDING),
        Derived(
            "DSTERM", "Reported Term for the Disposition Event", pl.String, d.first_given("reason", "status", _STANDING)
        ),
        _supp("REASON", "reason", "Reason for the disposition"),
    ),
    {"DSCAT": "DISPOSITION EVENT"},
    joined=True,
)
VISITS = Part(
    "visits",
    "SV",
    (
        _SUBJECT,
        Derived("VISITNUM", "Visit Number", pl.Int64, d.own_visit_number, identifier=True),
        Variable("VISIT", "visit", "Visit Name", VISIT),
        Derived("VISITDY", "Planned Study Day of Visit", pl.Int64, d.planned_day),
        Variable("SVOCCUR", "status", "Occurrence", _HELD),
        Variable("SVREASOC", "reason", "Reason for Occur Value"),
        Variable("SVSTDTC", "date", "Start Date/Time of Observation"),
        Variable("SVSTDY", "day", "Study Day of Start of Observation", STUDY_DAY),
        _supp("SEQUENCE", "sequence", "Count of visits of one name", WHOLE, assigned=True),
        _supp("PROTOCOL", "protocol", "Digest of the protocol in force", assigned=True),
        _SOURCE,
    ),
)
LOTS = Part(
    "lots",
    LOTS_DOMAIN,
    (
        _SUBJECT,
        _SEQ,
        Variable("--REFID", "lot", "Reference ID"),
        Derived("--TESTCD", "Short Name of Test", pl.String, d.release_test_code),
        Variable("--TEST", "test", "Name of Test"),
        Variable("--ORRES", "original", "Result or Finding in Original Units"),
        Variable("--STRESN", "value", "Numeric Result/Finding in Standard Units", NUMBER),
        Variable("--STRESU", "unit", "Standard Units"),
        Variable("--RESCAT", "passed", "Result Category", _PASSED),
        Variable("--DY", "day", "Study Day", STUDY_DAY),
        _supp("DECISION", "decision", "What became of the lot"),
        _SOURCE,
    ),
)
FINDINGS = Part(
    "findings",
    "--",
    (
        _DOMAIN,
        _SUBJECT,
        _SEQ,
        Variable("--REPNUM", "sequence", "Repetition Number", WHOLE),
        Variable("--CAT", "assessment", "Category", assessment_of("findings")),
        Variable("--TESTCD", "test", "Short Name of Test", TEST_CODE),
        Derived("--TEST", "Name of Test", pl.String, d.test_label),
        Variable("--ORRES", "original", "Result or Finding in Original Units"),
        Variable("--ORRESU", "original_unit", "Original Units"),
        Derived("--STRESC", "Character Result/Finding in Std Format", pl.String, d.standard_text),
        Variable("--STRESN", "value", "Numeric Result/Finding in Standard Units", NUMBER, when=("censored", None)),
        Variable("--STRESU", "unit", "Standard Units"),
        Variable("--LLOQ", "value", "Lower Limit of Quantitation", NUMBER, when=("censored", "left")),
        Variable("--ULOQ", "value", "Upper Limit of Quantitation", NUMBER, when=("censored", "right")),
        Variable("--STAT", "status", "Completion Status", _DONE),
        Variable("--REASND", "reason", "Reason Not Done"),
        Derived("VISITNUM", "Visit Number", pl.Int64, d.visit_number),
        Variable("VISIT", "visit", "Visit Name", VISIT),
        Variable("--DTC", "date", "Date/Time of Collection"),
        Variable("--DY", "day", "Study Day of Visit/Collection/Exam", STUDY_DAY),
        Derived("--TPT", "Planned Time Point Name", pl.String, d.time_point),
        Variable("--TPTNUM", "minute", "Planned Time Point Number", WHOLE),
        _supp("CENSORED", "censored", "Side on which the result lies beyond", _SIDE),
        _SOURCE,
    ),
)
EVENTS = Part(
    "events",
    "--",
    (
        _DOMAIN,
        _SUBJECT,
        _SEQ,
        _LINE,
        Variable("--CAT", "assessment", "Category", assessment_of("events")),
        Variable("--TERM", "term", "Reported Term"),
        Variable("--BODSYS", "category", "Body System or Organ Class"),
        Variable("--TOXGR", "grade", "Standard Toxicity Grade", WHOLE_AS_TEXT),
        Variable("--SER", "serious", "Serious Event", _FLAG),
        Variable("--REL", "related", "Causality", _FLAG),
        Variable("--OUT", "outcome", "Outcome of Event"),
        Variable("--STDTC", "date", "Start Date/Time"),
        *_days("start_day", "end_day"),
        _supp("HYPOLVL", "level", "Level of Hypoglycaemia (ADA)", WHOLE),
        _SOURCE,
    ),
)
INTERVENTIONS = Part(
    "interventions",
    "--",
    (
        _DOMAIN,
        _SUBJECT,
        _SEQ,
        _LINE,
        Variable("--TRT", "treatment", "Name of Treatment"),
        Variable("--CAT", "assessment", "Category", assessment_of("interventions")),
        Variable("--OCCUR", "status", "Occurrence", _GIVEN),
        Variable("--REASOC", "reason", "Reason for Occur Value"),
        Variable("--DOSE", "amount", "Dose", NUMBER),
        Variable("--DOSU", "unit", "Dose Units"),
        Variable("--LOT", "lot", "Lot Number"),
        Variable("--VAMT", "volume_ml", "Vehicle Amount", NUMBER),
        Derived("--VAMTU", "Vehicle Amount Units", pl.String, d.where_given("volume_ml", "mL")),
        Variable("EPOCH", "period", "Epoch"),
        Variable("--STDTC", "date", "Start Date/Time"),
        *_days("day"),
        Variable("--DUR", "minutes", "Duration", DURATION),
        _supp("DOSENUM", "dose_number", "Number of the Dose within the Period", WHOLE),
        _SOURCE,
    ),
)
ANALYSIS_VALUES = Part(
    "supplied",
    "",
    tuple(
        Variable(column.name, column.name, column.meaning, NUMBER if column.kind is pl.Float64 else TEXT)
        for column in SUPPLIED.columns
    ),
)
FIXED = (DEMOGRAPHICS, CONSENT, ALLOCATION, DISPOSITION, VISITS, LOTS)
BY_DOMAIN = (FINDINGS, EVENTS, INTERVENTIONS)
PARTS = (*FIXED, *BY_DOMAIN, ANALYSIS_VALUES)


def datasets(protocol: Protocol) -> tuple[Dataset, ...]:
    """The datasets in which a trial under `protocol` is exchanged, whether or not they have rows.

    Raises DataError where the protocol puts assessments into a domain that is taken.
    """
    classes: dict[str, str] = {}
    problems: list[Problem] = []
    for assessment in protocol.assessments:
        kind = classes.setdefault(assessment.domain, assessment.observation_class)
        taken = assessment.domain in {*(part.domain for part in FIXED), *DESIGN} - {"DS"}
        if taken or kind != assessment.observation_class or (assessment.domain == "DS" and kind != "events"):
            message = f"SDTM's domain {assessment.domain} holds other records than the {kind} of {assessment.id!r}"
            remedy = "Give the assessment a domain of its own, beginning with X, Y or Z."
            problems.append(Problem(str(protocol.path), None, "assessments", "sdtm-domain", message, remedy))
    if problems:
        raise DataError("the protocol's domains cannot be told apart in SDTM", problems)
    parts: dict[str, list[Part]] = {}
    for part in FIXED:
        parts.setdefault(part.domain, []).append(part.in_domain(part.domain))
    for domain, observation_class in classes.items():
        part = next(item for item in BY_DOMAIN if item.table == observation_class)
        parts.setdefault(domain, []).append(part.in_domain(domain))
    made = [Dataset(domain, tuple(items), _key(domain)) for domain, items in parts.items()]
    return (*made, Dataset("supplied", (ANALYSIS_VALUES,), None))


def _key(domain: str) -> str | None:
    return {"DM": None, "SV": "VISITNUM"}.get(domain, f"{domain}SEQ")
