"""Forms: how one of our values is written as an SDTM value, and read back. Each is exact both ways.

The study day without zero is SDTM's (Implementation Guide 3.4, section 4.4.4): the day of time zero is 1, the day
before it -1. Everywhere else in equipoise days are elapsed days, and that day is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from equipoise.protocol.model import Protocol
from equipoise.records.classes import UNSCHEDULED

Kind = type[pl.DataType]
NUMERAL = r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"


@dataclass(frozen=True, slots=True)
class Context:
    """What a form may look at: the protocol, and the other columns of the same rows, in our terms."""

    protocol: Protocol
    rows: pl.DataFrame


Change = Callable[[pl.Series, Context], pl.Series]


@dataclass(frozen=True, slots=True)
class Form:
    """How a column is written and read.

    kind:    the type of the SDTM variable: text, whole or real number.
    encode:  our values -> SDTM's, missing where ours are missing.
    decode:  SDTM's values -> ours; missing where SDTM's are missing or cannot be understood.
    rule, message, remedy:  what is said of a value that cannot be understood.
    """

    kind: Kind
    encode: Change
    decode: Change
    rule: str = "sdtm-text"
    message: str = "the cell is not text"
    remedy: str = "Write it as text."


def as_text(values: pl.Series) -> pl.Series:
    """Numbers as the shortest text that reads back to the same number; text as it is."""
    if values.dtype.is_float():
        return pl.Series(values.name, [None if v is None else repr(v) for v in values.to_list()], dtype=pl.String)
    return values.cast(pl.String)


def _where(values: pl.Series, condition: pl.Series) -> pl.Series:
    """The values where the condition holds, missing elsewhere."""
    return pl.select(pl.when(condition).then(values)).to_series().alias(values.name)


def as_kind(values: pl.Series, kind: Kind) -> pl.Series:
    """A column of a file as `kind`; missing where it cannot be. No text is missing as a number."""
    if kind is pl.String:
        return as_text(values)
    if values.dtype == pl.String:
        numerals = _where(values, values.str.contains(NUMERAL))
        numbers = numerals.cast(pl.Float64, strict=False)
    else:
        numbers = values.cast(pl.Float64, strict=False)
    numbers = _where(numbers, numbers.is_finite())
    if kind is pl.Float64:
        return numbers
    return _where(numbers, (numbers.floor() == numbers) & (numbers.abs() < 2**53)).cast(pl.Int64)


def is_given(values: pl.Series, kind: Kind) -> pl.Series:
    """Where a column of a file has a value; an empty text is one, but not where a number should be."""
    if values.dtype == pl.String and kind is not pl.String:
        return values.is_not_null() & (values != "").fill_null(value=False)
    return values.is_not_null()


def _same(values: pl.Series, _: Context) -> pl.Series:
    return values


def _narrow(values: pl.Series, _: Context) -> pl.Series:
    return values.cast(pl.Int32, strict=False)


def _widen(values: pl.Series, _: Context) -> pl.Series:
    return values.cast(pl.Int64)


_WHOLE = ("sdtm-whole-number", "the cell is not a whole number", "Write digits, or leave the cell empty.")
TEXT = Form(pl.String, _same, _same)
NUMBER = Form(
    pl.Float64, _same, _same, "sdtm-number", "the cell is not a finite number", "Write it as 1.5, or leave it empty."
)
WHOLE = Form(pl.Int64, _widen, _narrow, *_WHOLE)
WHOLE_AS_TEXT = Form(
    pl.String,
    lambda values, _: values.cast(pl.String),
    lambda values, context: _narrow(as_kind(values, pl.Int64), context),
    *_WHOLE,
)


def _study_day(values: pl.Series, _: Context) -> pl.Series:
    days = values.cast(pl.Int64)
    return (days + (days >= 0).cast(pl.Int64)).alias(values.name)


def _elapsed_day(values: pl.Series, _: Context) -> pl.Series:
    days = _where(values, values != 0)
    return (days - (days > 0).cast(pl.Int64)).cast(pl.Int32, strict=False).alias(values.name)


STUDY_DAY = Form(
    pl.Int64,
    _study_day,
    _elapsed_day,
    "sdtm-study-day",
    "the cell is not a study day",
    "Write a whole number; SDTM has no day 0: time zero is day 1, the day before it -1.",
)


def words(pairs: Mapping[str | bool, str | None], remedy: str) -> Form:
    """Our words and SDTM's; one of SDTM's may be a missing cell."""
    back = {theirs: ours for ours, theirs in pairs.items()}
    kind = pl.Boolean if True in pairs else pl.String

    def encode(values: pl.Series, _: Context) -> pl.Series:
        return pl.Series(values.name, [pairs.get(value) for value in values.to_list()], dtype=pl.String)

    def decode(values: pl.Series, _: Context) -> pl.Series:
        return pl.Series(values.name, [back.get(value) for value in values.to_list()], dtype=kind)

    return Form(pl.String, encode, decode, "sdtm-word", "SDTM's word is not known here", remedy)


def _minutes(values: pl.Series, _: Context) -> pl.Series:
    texts = [None if v is None else f"{'-' if v < 0 else ''}PT{abs(v)}M" for v in values.to_list()]
    return pl.Series(values.name, texts, dtype=pl.String)


def _of_duration(values: pl.Series, context: Context) -> pl.Series:
    plain = _where(values, values.str.contains("^-?PT[0-9]+M$"))
    return _narrow(as_kind(plain.str.replace("PT", "").str.replace("M", ""), pl.Int64), context)


DURATION = Form(
    pl.String,
    _minutes,
    _of_duration,
    "sdtm-duration",
    "the cell is not a duration in minutes",
    "Write ISO 8601, as PT45M.",
)


def _subject(values: pl.Series, context: Context) -> pl.Series:
    prefix = f"{context.protocol.id}-"
    return pl.Series(values.name, [prefix + value for value in values.to_list()], dtype=pl.String)


def _participant(values: pl.Series, context: Context) -> pl.Series:
    prefix = f"{context.protocol.id}-"
    found = [v[len(prefix) :] if v is not None and v.startswith(prefix) else None for v in values.to_list()]
    return pl.Series(values.name, found, dtype=pl.String)


SUBJECT = Form(
    pl.String,
    _subject,
    _participant,
    "sdtm-subject",
    "the subject is not one of this study",
    "Write the protocol's id, a hyphen and the participant.",
)


def _only(known: Callable[[Protocol], list[str]]) -> Change:
    def decode(values: pl.Series, context: Context) -> pl.Series:
        return _where(values, values.is_in(known(context.protocol)))

    return decode


VISIT = Form(
    pl.String,
    _same,
    _only(lambda protocol: [*(visit.id for visit in protocol.visits), UNSCHEDULED]),
    "visit-known",
    "the protocol has no such visit",
    f"Use the protocol's visits, or {UNSCHEDULED}.",
)


def assessment_of(observation_class: str) -> Form:
    """The protocol's assessments of one class."""
    return Form(
        pl.String,
        _same,
        _only(lambda protocol: [a.id for a in protocol.assessments if a.observation_class == observation_class]),
        "assessment-known",
        f"the protocol has no such {observation_class}",
        "Use the id of one of the protocol's assessments of this class.",
    )


def _codes(protocol: Protocol) -> dict[tuple[str | None, str | None], str]:
    return {(assessment.id, test.id): test.code for assessment in protocol.findings for test in assessment.tests}


def _code(values: pl.Series, context: Context) -> pl.Series:
    codes = _codes(context.protocol)
    pairs = zip(context.rows["assessment"].to_list(), values.to_list(), strict=True)
    return pl.Series(values.name, [codes[pair] for pair in pairs], dtype=pl.String)


def _test(values: pl.Series, context: Context) -> pl.Series:
    tests = {(assessment, code): test for (assessment, test), code in _codes(context.protocol).items()}
    pairs = zip(context.rows["assessment"].to_list(), values.to_list(), strict=True)
    return pl.Series(values.name, [tests.get(pair) for pair in pairs], dtype=pl.String)


TEST_CODE = Form(
    pl.String,
    _code,
    _test,
    "test-known",
    "the assessment has no test with this code",
    "Use the code of one of the protocol's tests of the assessment.",
)
