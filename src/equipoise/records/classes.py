"""The observation classes: for each table its columns, their types, which may be empty, and which make a row unique.

The classes are SDTM's general observation classes without prefixes (findings, events, interventions) and a few tables
beside them. Days are elapsed days from the trial's time zero, which is day 0; SDTM's day without zero exists only at
the edge (`sdtm`). Text identifiers are the protocol's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

Kind = type[pl.DataType]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its type, whether every row has a value, the words allowed, and what it means.

    since: the version of records that it came with.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    words: tuple[str, ...] = ()
    unit: str = ""
    since: int = 1


@dataclass(frozen=True, slots=True)
class ObservationClass:
    """A table: its columns in order, and the key by which rows are unique and sorted."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def schema(self) -> dict[str, Kind]:
        """Column name -> polars type, in order."""
        return {column.name: column.kind for column in self.columns}

    def columns_of(self, version: int) -> tuple[str, ...]:
        """The names of the columns that this version of records has."""
        return tuple(column.name for column in self.columns if column.since <= version)

    def column(self, name: str) -> Column:
        """The column called `name`; raises KeyError."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def empty(self) -> pl.DataFrame:
        """A table of this class without rows."""
        return pl.DataFrame(schema=self.schema)


def _text(name: str, meaning: str, *, required: bool = False, words: tuple[str, ...] = ()) -> Column:
    return Column(name, pl.String, meaning, required, words)


def _whole(name: str, meaning: str, *, required: bool = False, unit: str = "", since: int = 1) -> Column:
    return Column(name, pl.Int32, meaning, required, unit=unit, since=since)


def _number(name: str, meaning: str, *, unit: str = "") -> Column:
    return Column(name, pl.Float64, meaning, unit=unit)


def _flag(name: str, meaning: str) -> Column:
    return Column(name, pl.Boolean, meaning)


_PARTICIPANT = _text("participant", "Identifier of the participant", required=True)
_ASSESSMENT = _text("assessment", "The protocol's assessment", required=True)
_SEQUENCE = _whole("sequence", "Counts repeated rows of one kind, from 1", required=True)
_DAY = _whole("day", "Elapsed days from time zero", unit="days")
_DATE = _text("date", "Calendar date (ISO 8601, possibly partial), where recorded")
_DOMAIN = _text("domain", "SDTM domain of exchange", required=True)
_REASON = _text("reason", "Why it was not done, or ended")
_SOURCE = _text("source", "Where the row comes from: file:line or event number", required=True)

STUDY_TREATMENT = "study treatment"
"""What a study dose is called in the records, whatever it holds."""
SEXES = ("female", "male")
RANDOMISED = ("randomised", "completed", "withdrawn", "lost")
STATUSES = ("screened", "not-eligible", *RANDOMISED)

PARTICIPANTS = ObservationClass(
    "participants",
    (
        _PARTICIPANT,
        _text("site", "Where the participant is seen"),
        _number("age_years", "Age at enrolment", unit="years"),
        _text("sex", "Sex recorded", words=SEXES),
        _whole("diagnosis_day", "Day of the diagnosis (negative: before time zero)", unit="days"),
        _whole("consent_day", "Day on which consent was recorded", unit="days"),
        _whole("allocation_day", "Day of allocation", unit="days"),
        _whole("first_dose_day", "Day of the first study dose", unit="days"),
        _whole("last_contact_day", "Last day on which the participant was seen or heard of", unit="days"),
        _text("status", "How far the participant came", required=True, words=STATUSES),
        _REASON,
        _SOURCE,
        _whole("entry_day", "Calendar days from the earliest participant's day 0 to this one's", unit="days", since=2),
    ),
    ("participant",),
)

VISITS = ObservationClass(
    "visits",
    (
        _PARTICIPANT,
        _text("visit", "The protocol's visit, or unscheduled", required=True),
        _SEQUENCE,
        _DAY,
        _DATE,
        _text("status", "Whether it was held", required=True, words=("held", "missed")),
        _REASON,
        _text("protocol", "Digest of the protocol version in force"),
        _SOURCE,
    ),
    ("participant", "visit", "sequence"),
)

FINDINGS = ObservationClass(
    "findings",
    (
        _PARTICIPANT,
        _text("visit", "The protocol's visit, or unscheduled", required=True),
        _ASSESSMENT,
        _text("test", "The assessment's test", required=True),
        _whole("minute", "Time point within the visit", unit="minutes"),
        _SEQUENCE,
        _DOMAIN,
        _DAY,
        _DATE,
        _text("original", "The result as it was reported"),
        _text("original_unit", "Unit in which it was reported"),
        _number("value", "The result in the protocol's unit; the limit where censored"),
        _text("unit", "The protocol's unit", required=True),
        _text("censored", "Left: below `value`; right: above it", words=("left", "right")),
        _text("status", "Whether there is a result", required=True, words=("done", "not-done")),
        _REASON,
        _SOURCE,
    ),
    ("participant", "assessment", "test", "visit", "minute", "sequence"),
)

EVENTS = ObservationClass(
    "events",
    (
        _PARTICIPANT,
        _ASSESSMENT,
        _SEQUENCE,
        _DOMAIN,
        _text("term", "What happened", required=True),
        _text("category", "System organ class, or kind of event"),
        _whole("start_day", "First day", unit="days"),
        _whole("end_day", "Last day; empty while it goes on", unit="days"),
        _DATE,
        _whole("grade", "Severity grade (CTCAE), 1 to 5"),
        _whole("level", "Level of hypoglycaemia (ADA), 1 to 3"),
        _flag("serious", "Serious by regulation"),
        _flag("related", "At least possibly related to the study treatment"),
        _text("outcome", "How it ended"),
        _SOURCE,
    ),
    ("participant", "assessment", "sequence"),
)

INTERVENTIONS = ObservationClass(
    "interventions",
    (
        _PARTICIPANT,
        _ASSESSMENT,
        _SEQUENCE,
        _DOMAIN,
        _text("treatment", "What was given; study doses are masked as `study treatment`", required=True),
        _text("period", "The protocol's period"),
        _whole("dose_number", "Number of the dose within the period, from 1"),
        _DAY,
        _DATE,
        _number("amount", "Amount given"),
        _text("unit", "Unit of the amount"),
        _number("volume_ml", "Volume given", unit="mL"),
        _whole("minutes", "How long it took", unit="minutes"),
        _text("status", "Whether it was given", required=True, words=("given", "not-given")),
        _REASON,
        _text("lot", "Lot that it came from"),
        _SOURCE,
    ),
    ("participant", "assessment", "sequence"),
)

LOTS = ObservationClass(
    "lots",
    (
        _text("lot", "Identifier of the lot", required=True),
        _text("test", "Release test", required=True),
        _PARTICIPANT,
        _DAY,
        _text("original", "The result as it was reported"),
        _number("value", "The result as a number"),
        _text("unit", "Its unit"),
        _flag("passed", "Whether the test's limits were met"),
        _text("decision", "What became of the lot", required=True, words=("released", "quarantined", "failed")),
        _SOURCE,
    ),
    ("lot", "test"),
)

SUPPLIED = ObservationClass(
    "supplied",
    (
        _PARTICIPANT,
        _text("visit", "The protocol's visit", required=True),
        _text("parameter", "The parameter it is a value of", required=True),
        _number("value", "The value that came with the data"),
        _text("unit", "Its unit", required=True),
        _SOURCE,
    ),
    ("participant", "visit", "parameter"),
)

CLASSES = (PARTICIPANTS, VISITS, FINDINGS, EVENTS, INTERVENTIONS, LOTS, SUPPLIED)
BY_NAME = {item.name: item for item in CLASSES}
UNSCHEDULED = "unscheduled"
