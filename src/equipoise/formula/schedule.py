"""The visits in time: their order, where it came from, how far apart they are, and those without any value.

An order that was not given is never guessed: text has only that of the alphabet, in which "Week 16" comes before
"Week 8". It is used where no number depends on it, and refused where one does.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np

from equipoise.errors import InputError, Problem, shown
from equipoise.formula.columns import ALPHABET, MET, UNORDERED, Column, word
from equipoise.formula.grammar import Parsed
from equipoise.formula.tokens import refuse
from equipoise.stats.arrays import Floats
from equipoise.stats.mmrm import StructureName

BY_DISTANCE = ("ar1", "ar1h", "toep", "toeph")
"""Structures in which the covariance of two visits depends on how far apart they are."""
TIMED = (*BY_DISTANCE, "ris")
"""Structures that times have a part in."""
GIVEN = "as given by visits"
MOST_NAMED = 12
"""More labels than this are not listed in full."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller says of the visits.

    labels: in order, or nothing. times: (T,) of these. drop_empty: leave out visits without an analysed value before
    distances are counted.
    """

    labels: tuple[str, ...] | None
    times: Floats | None
    drop_empty: bool


@dataclass(frozen=True, slots=True)
class Schedule:
    """The visits of a fit. labels: (T,) of those with values, in order. all_labels: with those that have none.

    order: where the order came from, in words. places: (T,) on the scale of the distances. times: (T,) as given,
    or nothing. empty: the labels of visits without any value. dropped: whether these were left out before
    distances were counted.
    """

    labels: tuple[str, ...]
    all_labels: tuple[str, ...]
    order: str
    places: Floats
    times: Floats | None
    empty: tuple[str, ...]
    dropped: bool

    @property
    def line(self) -> str:
        """The visits with values in their order, in one line."""
        return " < ".join(shortened(self.labels))

    def notes(self, structure: StructureName) -> tuple[str, ...]:
        """What became of visits without any value."""
        if not self.empty:
            return ()
        several = len(self.empty) > 1
        who = f"there is no complete row at {', '.join(shortened(self.empty))}"
        it, keeps = ("they", "keep their places") if several else ("it", "keeps its place")
        if self.dropped:
            return (f"{who}: left out before distances were counted (drop_empty_visits)",)
        if structure in BY_DISTANCE:
            return (f"{who}: {it} {keeps}, and distances count {'them' if several else 'it'}",)
        return (f"{who}: {it} {'have' if several else 'has'} no part in the covariance, in which no distance counts",)


def shortened(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The labels, or the first and the last of many."""
    return labels if len(labels) <= MOST_NAMED else (*labels[: MOST_NAMED - 3], "...", labels[-1])


def asked(visits: Any, times: Any, drop_empty_visits: object, structure: StructureName) -> Asked:
    """What the arguments say. InputError: they are no labels or times, or have nothing to act on."""
    if not isinstance(drop_empty_visits, bool | np.bool_):
        raise _wrong("drop_empty_visits", "It is True or False", "Give one of them.", drop_empty_visits)
    if visits is None:
        if times is not None:
            message, remedy = "Times belong to visits in an order", "Give visits=[…] too, one for each of the times."
            raise _wrong("times", message, remedy, times)
        return Asked(None, None, bool(drop_empty_visits))
    labels = _labels(visits)
    if times is None:
        return Asked(labels, None, bool(drop_empty_visits))
    if structure not in TIMED:
        message = f"The covariance {structure} has no place for times"
        raise _wrong("times", message, f"Leave them out; {', '.join(TIMED)} use them.")
    return Asked(labels, _times(times, labels), bool(drop_empty_visits))


def arranged(column: Column, labels: tuple[str, ...] | None) -> Column:
    """The column with its levels in the order of the labels, if these are given.

    InputError: a row has a visit that is not among them.
    """
    if labels is None:
        return column
    assert column.codes is not None
    present = np.bincount(column.codes[column.codes >= 0], minlength=len(column.levels)) > 0
    there = [level for level, some in zip(column.levels, present, strict=True) if some]
    lost = [level for level in there if level not in labels]
    if lost:
        message = f"Rows have visits that are not listed: {', '.join(shortened(tuple(lost)))}"
        raise _wrong("visits", message, "List every visit, or leave those rows out of the data.")
    if not any(level in labels for level in there):
        raise _wrong("visits", f"No row of {column.name} has one of these visits", "Give the column's own values.")
    number = {label: place for place, label in enumerate(labels)}
    turned = np.array([number.get(level, -1) for level in column.levels] + [-1], dtype=np.int64)
    return replace(column, codes=turned[column.codes], levels=labels, order=GIVEN)


def scheduled(whole: Column, kept: Column, wanted: Asked) -> Schedule:
    """The schedule of the visits of all rows, and of those that are kept."""
    present = np.isin(whole.levels, kept.levels)
    places = np.arange(len(whole.levels), dtype=np.float64) if wanted.times is None else wanted.times
    places = places[present]
    if wanted.drop_empty and wanted.times is None:
        places = np.arange(len(kept.levels), dtype=np.float64)
    return Schedule(
        labels=kept.levels,
        all_labels=whole.levels,
        order=whole.order,
        places=places,
        times=None if wanted.times is None else wanted.times[present],
        empty=tuple(level for level in whole.levels if level not in kept.levels),
        dropped=wanted.drop_empty,
    )


def _depends(structure: StructureName, schedule: Schedule, by: str) -> tuple[bool, bool]:
    """Whether numbers depend on the order of the visits: by distances, and by Kenward and Roger's full adjustment."""
    count = len(schedule.labels if schedule.dropped else schedule.all_labels)
    apart = structure in BY_DISTANCE and count > 2
    return apart, structure == "us" and by == "kenward-roger" and len(schedule.labels) > 1


def order_note(structure: StructureName, schedule: Schedule, by: str) -> tuple[str, ...]:
    """That numbers depend on an order which the data have, but do not call one in time."""
    if schedule.order not in (MET, UNORDERED) or not any(_depends(structure, schedule, by)):
        return ()
    order = f"{schedule.line}, {schedule.order}"
    return (f"numbers depend on the order of the visits, {order}; say visits=[…] if it is another",)


def check_order(parsed: Parsed, schedule: Schedule, by: str) -> None:
    """InputError: the visits have no order but that of the alphabet, and some number depends on it."""
    structure = parsed.covariance.structure
    apart, adjusted = _depends(structure, schedule, by)
    if schedule.order != ALPHABET or not (apart or adjusted):
        return
    names = ", ".join(shortened(schedule.all_labels))
    if apart:
        message = f"The covariance {structure} depends on the order of the visits, and text has none"
    else:
        message = "Kenward and Roger's full adjustment depends on the order of the visits, and text has none"
    remedy = "Say it: visits=[…], in order, or make the column a polars Enum or an ordered category of pandas."
    if adjusted:
        remedy += " Or take method='kenward-roger-linear', which does not depend on it."
    refuse(parsed.text, parsed.covariance.visit.position, "formula-order", f"{message}: {names}", remedy)


def _labels(visits: Any) -> tuple[str, ...]:
    if isinstance(visits, str | bytes | AbstractSet) or not isinstance(visits, Iterable):
        raise _wrong("visits", "Visits are a list of the column's values, in order", "Give them as a list.", visits)
    values = list(visits)
    for value in values:
        if value is None or str(value) in ("nan", "NaT", "<NA>"):
            raise _wrong("visits", "A visit has a label", "Leave missing values out of the list.", value)
    labels = tuple(word(value) for value in values)
    if len(labels) < 1:
        raise _wrong("visits", "The list of visits is empty", "Name every visit, in order.")
    for place, label in enumerate(labels):
        if label in labels[:place]:
            raise _wrong("visits", "A visit is named twice", "Name each once.", label)
    return labels


def _times(times: Any, labels: tuple[str, ...]) -> Floats:
    if isinstance(times, str) or not isinstance(times, Iterable):
        raise _wrong("times", "Times are a list of numbers", "Give one for each of the visits.", times)
    values = list(times)
    numbers = all(isinstance(value, Real) and not isinstance(value, bool) for value in values)
    if not (numbers and np.isfinite(np.array(values, dtype=np.float64)).all()):
        raise _wrong("times", "Times are finite numbers", "Give the weeks or days of the visits.", values)
    if len(values) != len(labels):
        message = f"{len(values)} times do not fit {len(labels)} visits"
        raise _wrong("times", message, "Give one for each of the visits, those without values too.")
    found = np.array(values, dtype=np.float64)
    if (np.diff(found) <= 0).any():
        raise _wrong("times", "Times rise from visit to visit", "Put visits and times in order.", values)
    return found


def _wrong(path: str, message: str, remedy: str, value: object = None) -> InputError:
    told = None if value is None else shown(value)
    problem = Problem("equipoise.mmrm", None, path, "visits", message, remedy, told)
    return InputError("the visits cannot be used", [problem])
