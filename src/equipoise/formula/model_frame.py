"""The rows of a data frame that a model is fitted to, with the columns that it needs: R's model frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from equipoise.errors import InputError, Problem, shown
from equipoise.formula.arithmetic import Expression
from equipoise.formula.columns import Column, Frame, frame_of, of_numbers, unusable
from equipoise.formula.grammar import Parsed
from equipoise.formula.schedule import Asked, Schedule, arranged, scheduled
from equipoise.formula.tokens import refuse
from equipoise.stats.arrays import Counts, Flags, Floats

MOST_VISITS = 100
"""More distinct times than this are no visits."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the terms in N rows: values (N,) of a covariate, or codes (N,) of the levels of a factor.

    means: of each column of a covariate, over the rows. order: of the levels of a factor, in words.
    """

    label: str
    expression: Expression
    values: Floats
    codes: Counts
    levels: tuple[str, ...]
    means: Mapping[str, float]
    order: str = ""

    @property
    def name(self) -> str:
        """The column, without back quotes; of an expression, its label."""
        return self.expression.text if self.expression.is_column else self.label

    @property
    def is_factor(self) -> bool:
        """Whether it has levels."""
        return bool(self.levels)


@dataclass(frozen=True, slots=True)
class ModelFrame:
    """N complete rows. visit and subject (N,) are codes of visits and people.

    schedule: the visits in time. times: (T,) as given, or of ``ris`` the visits' own numbers. rows: (N,) which of
    the data's. missing: how many rows lack each column that some row lacks.
    """

    outcome: Floats
    variables: tuple[Variable, ...]
    visit: Counts
    visits: tuple[str, ...]
    schedule: Schedule
    times: Floats | None
    subject: Counts
    people: tuple[str, ...]
    weights: Floats | None
    rows: Counts
    dropped: int
    missing: Mapping[str, int]


def model_frame(parsed: Parsed, data: object, weights: object, wanted: Asked) -> ModelFrame:
    """Take from the data what a formula names, without the rows in which anything of it is missing.

    InputError: a column that is not there, or no data frame. DataError: a column of the wrong kind, no complete row,
    a factor with one level, two values of a person at one visit, an infinite value, a weight that is not above 0.
    """
    frame = frame_of(data)
    used = _used(parsed, frame)
    covariance = parsed.covariance
    visit, subject = frame.key(covariance.visit.text), frame.key(covariance.subject.text)
    visit = arranged(visit, wanted.labels)
    columns = {name: frame.read(name) for name in used if name not in (visit.name, subject.name)}
    named = {expression.text for part in (parsed.response, *parsed.variables) for expression in part.columns()}
    columns |= {name: frame.read(name) for name in (visit.name, subject.name) if name in named}
    if visit.name in columns and columns[visit.name].codes is not None:
        columns[visit.name] = visit
    weight, weight_name = _weights(weights, frame)
    _same_index(weights, data)
    gaps = {column.name: column.missing for column in (*columns.values(), visit, subject)}
    if weight is not None:
        gaps[weight_name] = np.isnan(weight)
    kept = _complete(gaps, frame.rows)
    rows = np.flatnonzero(kept)
    reduced = {name: _rows(column, kept) for name, column in columns.items()}
    whole, visit, subject = visit, _rows(visit, kept), _rows(subject, kept)
    assert visit.codes is not None
    assert subject.codes is not None
    _one_value_each(visit, subject, rows)
    schedule = scheduled(whole, visit, wanted)
    return ModelFrame(
        outcome=_numbers(parsed, parsed.response, reduced, rows),
        variables=tuple(_variable(parsed, expression, reduced, rows) for expression in parsed.variables),
        visit=visit.codes,
        visits=visit.levels,
        schedule=schedule,
        times=_times(parsed, frame, schedule, visit, rows),
        subject=subject.codes,
        people=subject.levels,
        weights=None if weight is None else _positive(weight[kept], weight_name, rows),
        rows=rows,
        dropped=frame.rows - len(rows),
        missing=MappingProxyType({name: int(gap.sum()) for name, gap in gaps.items() if gap.any()}),
    )


def _used(parsed: Parsed, frame: Frame) -> list[str]:
    """The names of the columns that the formula uses, once each. InputError: one that is not there."""
    parts = (parsed.response, *parsed.variables, parsed.covariance.visit, parsed.covariance.subject)
    found: list[str] = []
    for part in parts:
        for column in part.columns():
            if column.text not in frame.names:
                remedy = f"Columns are {_listed(frame.names)}."
                message = "The data have no such column"
                refuse(parsed.text, column.position, "formula-column", message, remedy, column.text)
            if column.text not in found:
                found.append(column.text)
    return found


def _listed(names: tuple[str, ...], most: int = 12) -> str:
    listed = ", ".join(names[:most]) or "none"
    return listed if len(names) <= most else f"{listed} and {len(names) - most} more"


def _weights(weights: Any, frame: Frame) -> tuple[Floats | None, str]:
    """Weights (N,) of all rows, NaN where missing, and what to call them."""
    if weights is None:
        return None, ""
    if isinstance(weights, str):
        if weights not in frame.names:
            message, remedy = "The data have no such column", f"Columns are {_listed(frame.names)}."
            raise _weights_error(message, remedy, weights)
        numbers = frame.read(weights).numbers
        if numbers is None:
            raise unusable(f"column {weights}", "data-kind", "Weights are numbers", "Convert the column before.")
        return numbers, weights
    try:
        if not of_numbers(weights):
            raise TypeError(weights)
        values = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError):
        raise _weights_error("Weights are numbers", "Give a column's name or an array.", weights) from None
    if values.shape != (frame.rows,):
        message = f"Weights of shape {values.shape} do not fit {frame.rows} rows"
        raise _weights_error(message, "Give one for each row of the data.", None)
    return values, "weights"


def _same_index(weights: Any, data: Any) -> None:
    """InputError: weights and data of pandas have rows by other names, so that positions would be a guess."""
    mine, theirs = getattr(weights, "index", None), getattr(data, "index", None)
    if mine is not None and theirs is not None and hasattr(mine, "equals") and not mine.equals(theirs):
        message = "Weights and data have another index, so that their rows are not the same ones"
        raise _weights_error(message, "Give a column of the data, or weights.loc[data.index].", None)


def _weights_error(message: str, remedy: str, value: object) -> InputError:
    told = None if value is None else shown(value)
    return InputError("the weights cannot be used", [Problem("weights", None, "", "weights", message, remedy, told)])


def _positive(weights: Floats, name: str, rows: Counts) -> Floats:
    wrong = ~((weights > 0) & np.isfinite(weights))
    if wrong.any():
        i = int(np.argmax(wrong))
        remedy = "Leave out the rows that are not to count."
        raise unusable(f"{name}, row {rows[i] + 1}", "weights", "A weight is above 0 and finite", remedy, weights[i])
    return weights


def _complete(gaps: Mapping[str, Flags], rows: int) -> Flags:
    """The rows without a gap (N,). DataError: there is none."""
    if rows == 0:
        raise unusable("", "data-empty", "The data frame has no rows", "Look at how it was read or filtered.")
    kept = ~np.logical_or.reduce(list(gaps.values()))
    if not kept.any():
        most = max(gaps, key=lambda name: int(gaps[name].sum()))
        message = f"No row is complete: {most} is missing in {int(gaps[most].sum())} of {rows}"
        raise unusable(f"column {most}", "data-empty", message, "Look at how it was read, or leave it out.")
    return kept


def _rows(column: Column, kept: Flags) -> Column:
    """The column in the rows that are kept, without the levels that are not among them."""
    if column.numbers is not None:
        return Column(column.name, numbers=column.numbers[kept])
    assert column.codes is not None
    codes = column.codes[kept]
    present = np.bincount(codes, minlength=len(column.levels)) > 0
    levels = tuple(level for level, there in zip(column.levels, present, strict=True) if there)
    return replace(column, codes=(np.cumsum(present) - 1)[codes], levels=levels)


def _one_value_each(visit: Column, subject: Column, rows: Counts) -> None:
    """DataError: a person has two values at one visit."""
    assert visit.codes is not None
    assert subject.codes is not None
    if len(visit.levels) > MOST_VISITS:
        message = f"{len(visit.levels)} distinct times are more than the {MOST_VISITS} that visits may have"
        raise unusable(f"column {visit.name}", "data-visits", message, "Name the planned visit, not the day.")
    cell = subject.codes * len(visit.levels) + visit.codes
    first = np.full(len(subject.levels) * len(visit.levels), -1, dtype=np.int64)
    order = np.arange(len(cell))
    first[cell[::-1]] = order[::-1]
    again = np.flatnonzero(first[cell] != order)
    if len(again):
        j = int(again[0])
        i = int(first[cell[j]])
        who, when = subject.levels[subject.codes[j]], visit.levels[visit.codes[j]]
        place = f"{subject.name} {who}, {visit.name} {when}"
        message = f"Rows {rows[i] + 1} and {rows[j] + 1} are the same person at the same visit"
        if len(again) > 1:
            message += f", and {len(again) - 1} more rows repeat one"
        raise unusable(place, "data-repeated", message, "Keep one value of each person at each visit.")


def _variable(parsed: Parsed, expression: Expression, columns: Mapping[str, Column], rows: Counts) -> Variable:
    label = expression.label
    column = columns[expression.text] if expression.is_column else None
    if column is not None and column.codes is not None:
        if len(column.levels) < 2:
            message = "A factor with one level tells nobody from anybody"
            remedy = "Leave it out of the formula, or look at what the rows have in common."
            raise unusable(f"column {column.name}", "data-constant", message, remedy, ", ".join(column.levels))
        return Variable(label, expression, np.empty(0), column.codes, column.levels, {}, column.order)
    values = _numbers(parsed, expression, columns, rows)
    means = {part.text: _mean(columns[part.text].numbers) for part in expression.columns()}
    return Variable(label, expression, values, np.empty(0, dtype=np.int64), (), MappingProxyType(means))


def _mean(numbers: Floats | None) -> float:
    assert numbers is not None
    return float(numbers.mean())


def _numbers(parsed: Parsed, expression: Expression, columns: Mapping[str, Column], rows: Counts) -> Floats:
    """The values of an expression in the rows that are kept (N,)."""
    for part in expression.columns():
        if columns[part.text].numbers is None:
            what = "The outcome" if expression is parsed.response else "Arithmetic"
            remedy = "Convert the column to numbers, or name another."
            refuse(
                parsed.text,
                part.position,
                "formula-kind",
                f"{what} needs numbers, and this holds words",
                remedy,
                part.text,
            )

    def of(name: str) -> Floats:
        numbers = columns[name].numbers
        assert numbers is not None
        return numbers

    values = np.full(len(rows), expression.value(of), dtype=np.float64)
    wrong = ~np.isfinite(values)
    if wrong.any():
        i = int(np.argmax(wrong))
        told = ", ".join(f"{part.text} = {of(part.text)[i]:g}" for part in expression.columns())
        place, remedy = f"{expression.label}, row {rows[i] + 1}", "Leave the row out, or mend its value."
        raise unusable(place, "data-not-finite", "The value is not finite", remedy, told)
    return values


def _times(parsed: Parsed, frame: Frame, schedule: Schedule, visit: Column, rows: Counts) -> Floats | None:
    """The times (T,), as given or of visits that are numbers. InputError: a random slope needs them."""
    if schedule.times is not None or parsed.covariance.structure != "ris":
        return schedule.times
    column = frame.read(visit.name)
    if column.numbers is None:
        place = parsed.covariance.visit.position
        message = "A random slope needs visits that are numbers: the times"
        remedy = "Name the column of the weeks or days, or give visits=[…] with times=[…]."
        refuse(parsed.text, place, "formula-kind", message, remedy, visit.name)
    assert visit.codes is not None
    times = np.empty(len(visit.levels))
    times[visit.codes] = column.numbers[rows]
    if not np.isfinite(times).all():
        i = int(np.argmax(~np.isfinite(column.numbers[rows])))
        place = f"{visit.name}, row {rows[i] + 1}"
        raise unusable(place, "data-not-finite", "A time is not finite", "Leave the row out, or mend its value.")
    return times
