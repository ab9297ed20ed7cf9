"""Checks of records against their protocol: what cannot be true is a problem, what is hard to believe a warning."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date

import polars as pl

from equipoise.errors import Problem, shown
from equipoise.protocol.model import Protocol
from equipoise.records.classes import CLASSES, UNSCHEDULED, Column, ObservationClass

Tables = Mapping[str, pl.DataFrame]
Problems = Iterator[Problem]

_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?\Z", re.ASCII)


def check_types(observation_class: ObservationClass, table: pl.DataFrame) -> Problems:
    """Every column is there, of its type, and no other."""
    where = observation_class.name
    for column in observation_class.columns:
        if column.name not in table.columns and column.since == 1:
            remedy = "Write all columns of the observation class, empty where nothing is known."
            yield Problem(where, None, column.name, "column-missing", "the column is missing", remedy)
        elif column.name in table.columns and table.schema[column.name] != column.kind:
            message = f"the column is {table.schema[column.name]}, not {column.kind.__name__}"
            yield Problem(where, None, column.name, "column-type", message, "Convert it before making records.")
    for name in table.columns:
        if name not in observation_class.schema:
            yield Problem(where, None, name, "column-unknown", "there is no such column", "Remove it.")


def check_tables(protocol: Protocol, tables: Tables) -> tuple[list[Problem], list[Problem]]:
    """All problems and all warnings of tables whose columns have been checked."""
    problems: list[Problem] = []
    for item in CLASSES:
        table = tables[item.name]
        if table.height:
            problems += _required(item, table)
            problems += _words(item, table)
            problems += _finite(item, table)
            problems += _unique(item, table)
    checks: tuple[Callable[[Protocol, Tables], Problems], ...] = (
        _participants_known,
        _names_known,
        _tests_known,
        _units_right,
        _findings_consistent,
        _consent_first,
        _days_in_order,
        _entry_days,
    )
    for check in checks:
        problems += check(protocol, tables)
    warnings = [*_implausible(protocol, tables), *_out_of_window(protocol, tables)]
    return problems, warnings


def _rows(
    table: pl.DataFrame,
    where: str,
    column: str,
    rule: str,
    message: str,
    remedy: str,
) -> Problems:
    """A problem for each row of `table`, placed by the row's source; errors and warnings are collapsed in print."""
    for row in table.iter_rows(named=True):
        file, line = _place(row.get("source"), where)
        path = f"{where}.{column}"
        yield Problem(file, line, path, rule, message.format(**row), remedy, shown(row.get(column)))


def _place(source: str | None, where: str) -> tuple[str, int | None]:
    file, _, line = (source or "").rpartition(":")
    return (file, int(line)) if file and line.isdecimal() else (source or where, None)


def _required(item: ObservationClass, table: pl.DataFrame) -> Problems:
    for column in item.columns:
        if column.required:
            empty = table.filter(pl.col(column.name).is_null() | _blank(column))
            yield from _rows(empty, item.name, column.name, "value-required", "the cell is empty", "Fill it in.")


def _blank(column: Column) -> pl.Expr:
    if column.kind is pl.String:
        return pl.col(column.name).str.strip_chars() == ""
    return pl.lit(value=False)


def _words(item: ObservationClass, table: pl.DataFrame) -> Problems:
    for column in item.columns:
        if column.words:
            wrong = table.filter(pl.col(column.name).is_not_null() & ~pl.col(column.name).is_in(column.words))
            remedy = f"Use one of: {', '.join(column.words)}."
            yield from _rows(wrong, item.name, column.name, "word-known", "the word is not known here", remedy)


def _finite(item: ObservationClass, table: pl.DataFrame) -> Problems:
    for column in item.columns:
        if column.kind is pl.Float64:
            wrong = table.filter(~pl.col(column.name).is_finite().fill_null(value=True))
            remedy = "Leave the cell empty where there is no number."
            yield from _rows(wrong, item.name, column.name, "number-finite", "the value is not a finite number", remedy)


def _unique(item: ObservationClass, table: pl.DataFrame) -> Problems:
    twice = table.filter(pl.struct(item.key).is_duplicated() & ~pl.struct(item.key).is_first_distinct())
    described = ", ".join(f"{name} {{{name}}}" for name in item.key)
    message = f"this row stands twice ({described})"
    remedy = "Remove one of them, or number repeated measurements in the column sequence."
    column = "sequence" if "sequence" in item.key else item.key[-1]
    yield from _rows(twice, item.name, column, "key-unique", message, remedy)


def _participants_known(protocol: Protocol, tables: Tables) -> Problems:
    known = tables["participants"]["participant"].implode()
    for name, table in tables.items():
        if name != "participants" and table.height:
            strangers = table.filter(~pl.col("participant").is_in(known)).unique(
                "participant", keep="first", maintain_order=True
            )
            remedy = "Add the participant, or correct the identifier."
            message = "the participant is not in the table of participants"
            yield from _rows(strangers, name, "participant", "participant-known", message, remedy)


def _names_known(protocol: Protocol, tables: Tables) -> Problems:
    visits = [visit.id for visit in protocol.visits]
    for name in ("visits", "findings", "supplied"):
        known = visits if name == "supplied" else [*visits, UNSCHEDULED]
        wrong = tables[name].filter(~pl.col("visit").is_in(known))
        remedy = f"The protocol's visits are {', '.join(visits)}; others are called {UNSCHEDULED}."
        yield from _rows(wrong, name, "visit", "visit-known", "the protocol has no such visit", remedy)
    for name in ("findings", "events", "interventions"):
        known = [a.id for a in protocol.assessments if a.observation_class == name]
        wrong = tables[name].filter(~pl.col("assessment").is_in(known))
        remedy = f"The protocol's {name} are {', '.join(known) or 'none'}."
        yield from _rows(wrong, name, "assessment", "assessment-known", f"the protocol has no such {name}", remedy)
    parameters = [parameter.id for parameter in protocol.parameters]
    wrong = tables["supplied"].filter(~pl.col("parameter").is_in(parameters))
    remedy = f"The protocol's parameters are {', '.join(parameters)}."
    yield from _rows(wrong, "supplied", "parameter", "parameter-known", "the protocol has no such parameter", remedy)


def _tests_known(protocol: Protocol, tables: Tables) -> Problems:
    for assessment in protocol.findings:
        tests = [test.id for test in assessment.tests]
        rows = tables["findings"].filter(pl.col("assessment") == assessment.id)
        remedy = f"{assessment.label} has the tests {', '.join(tests)}."
        wrong = rows.filter(~pl.col("test").is_in(tests))
        yield from _rows(wrong, "findings", "test", "test-known", "the assessment has no such test", remedy)
        domain = rows.filter(pl.col("domain") != assessment.domain)
        remedy = f"The protocol says {assessment.domain}."
        yield from _rows(domain, "findings", "domain", "domain-right", "the domain is not the assessment's", remedy)


def _units_right(protocol: Protocol, tables: Tables) -> Problems:
    units = {(a.id, test.id): test.unit for a in protocol.findings for test in a.tests}
    for (assessment, test), unit in units.items():
        rows = tables["findings"].filter((pl.col("assessment") == assessment) & (pl.col("test") == test))
        wrong = rows.filter(pl.col("unit") != unit)
        remedy = f"Convert to {unit}, the protocol's unit, when the data are read."
        yield from _rows(wrong, "findings", "unit", "unit-right", "the unit is not the protocol's", remedy)
    for parameter in protocol.parameters:
        rows = tables["supplied"].filter(pl.col("parameter") == parameter.id)
        wrong = rows.filter(pl.col("unit") != parameter.unit)
        remedy = f"Convert to {parameter.unit}, the protocol's unit, when the data are read."
        yield from _rows(wrong, "supplied", "unit", "unit-right", "the unit is not the protocol's", remedy)


def _findings_consistent(protocol: Protocol, tables: Tables) -> Problems:
    findings = tables["findings"]
    done = pl.col("status") == "done"
    empty = findings.filter(done & pl.col("value").is_null() & (pl.col("original").fill_null("") == ""))
    remedy = "Give the result, or set the status to not-done."
    yield from _rows(empty, "findings", "value", "result-present", "a measurement that was done has no result", remedy)
    full = findings.filter(~done & (pl.col("value").is_not_null() | pl.col("censored").is_not_null()))
    remedy = "Remove the result, or set the status to done."
    yield from _rows(full, "findings", "value", "result-absent", "a measurement that was not done has a result", remedy)
    limitless = findings.filter(pl.col("censored").is_not_null() & pl.col("value").is_null())
    remedy = "Write the limit as the value."
    yield from _rows(limitless, "findings", "value", "limit-present", "a censored result has no limit", remedy)


def _consent_first(protocol: Protocol, tables: Tables) -> Problems:
    """A trial procedure on a day before consent; where no consent day is recorded nothing can be said."""
    consent = tables["participants"].select("participant", "consent_day").filter(pl.col("consent_day").is_not_null())
    for name in ("findings", "interventions"):
        rows = tables[name].filter(pl.col("assessment").is_in(list(protocol.consent.before)))
        joined = rows.join(consent, on="participant", how="inner")
        early = joined.filter((pl.col("day") < pl.col("consent_day")) & pl.col("status").is_in(["done", "given"]))
        once = early.unique(["participant", "assessment", "day"], keep="first", maintain_order=True)
        message = "{assessment} was done on day {day}, before consent on day {consent_day}"
        remedy = "Correct the day of the procedure or of consent; a true breach is a protocol deviation to report."
        yield from _rows(once, name, "day", "consent-first", message, remedy)


def _days_in_order(protocol: Protocol, tables: Tables) -> Problems:
    participants = tables["participants"]
    for earlier, later in (("consent_day", "allocation_day"), ("allocation_day", "first_dose_day")):
        wrong = participants.filter(pl.col(earlier) > pl.col(later))
        message = f"{earlier} {{{earlier}}} comes after {later} {{{later}}}"
        yield from _rows(wrong, "participants", later, "days-in-order", message, "Correct one of the days.")
    for name in ("visits", "findings", "events", "interventions"):
        dated = tables[name].filter(pl.col("date").is_not_null())
        odd = dated.filter(~pl.col("date").map_elements(possible_date, return_dtype=pl.Boolean))
        message = "there is no such date"
        yield from _rows(odd, name, "date", "date-possible", message, "Write 2022-03-09, or as much as is known of it.")
    age = participants.filter((pl.col("age_years") < 0) | (pl.col("age_years") > 120))
    message = "nobody is of this age"
    yield from _rows(age, "participants", "age_years", "age-possible", message, "Give the age in years.")
    events = tables["events"].filter(pl.col("end_day") < pl.col("start_day"))
    message = "the event ends on day {end_day}, before it starts on day {start_day}"
    yield from _rows(events, "events", "end_day", "days-in-order", message, "Correct one of the days.")


def _entry_days(protocol: Protocol, tables: Tables) -> Problems:
    """Days of entry are counted from the earliest participant's."""
    early = tables["participants"].filter(pl.col("entry_day") < 0)
    message = "the participant entered before the day from which days of entry are counted"
    remedy = "Count calendar days from the earliest reference date (day 0, consent or contact) of all participants."
    yield from _rows(early, "participants", "entry_day", "entry-day-zero", message, remedy)


def possible_date(text: str) -> bool:
    """Whether a text is a date of ISO 8601, possibly partial: year, year-month, or year-month-day."""
    if not _DATE.match(text):
        return False
    try:
        date.fromisoformat(text + "-01-01"[len(text) - 4 :])
    except ValueError:
        return False
    return True


def _implausible(protocol: Protocol, tables: Tables) -> Problems:
    for assessment in protocol.findings:
        for test in assessment.tests:
            if test.plausible is None:
                continue
            low, high = test.plausible
            rows = tables["findings"].filter((pl.col("assessment") == assessment.id) & (pl.col("test") == test.id))
            odd = rows.filter((pl.col("value") < low) | (pl.col("value") > high))
            message = f"{test.label} is outside {low:g} to {high:g} {test.unit}"
            yield from _rows(odd, "findings", "value", "plausible", message, "Check it against its source.")


def _out_of_window(protocol: Protocol, tables: Tables) -> Problems:
    for visit in protocol.visits:
        first, last = visit.day - visit.before, visit.day + visit.after
        held = tables["visits"].filter(pl.col("visit") == visit.id)
        late = held.filter((pl.col("day") < first) | (pl.col("day") > last))
        message = f"{visit.label} was held outside days {first} to {last}"
        remedy = "Its values count as the protocol's windows say; see it in the listing."
        yield from _rows(late, "visits", "day", "visit-window", message, remedy)
