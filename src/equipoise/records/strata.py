"""In which stratum each participant was allocated: as the allocation says, else by the strata's own expressions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.people import Stratum, Variable
from equipoise.records.allocation import levels_of
from equipoise.records.classes import SEXES
from equipoise.records.panel import STRATUM, Panel
from equipoise.source.expressions import Expression

UNKNOWN = -1
Levels = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Strata:
    """The levels of the participants of R trials.

    levels:  (R, n, strata) number of the level of each of the protocol's strata, UNKNOWN where it is not known.
    counts:  number of levels of each stratum.
    """

    levels: Levels
    counts: tuple[int, ...]

    @property
    def cells(self) -> Levels:
        """(R, n) one number for each combination of levels, UNKNOWN where a level is not known."""
        number = np.zeros(self.levels.shape[:2], np.int64)
        for place, count in enumerate(self.counts):
            number = number * count + self.levels[..., place]
        return np.where((self.levels == UNKNOWN).any(axis=2), UNKNOWN, number)


def strata_of(panel: Panel) -> Strata:
    """The strata of everybody in a Panel: of who has one in the allocation that one, of others by expression."""
    strata = panel.protocol.randomisation.strata
    found = np.full((*panel.present.shape, len(strata)), UNKNOWN, np.int64)
    names = [[level.id for level in stratum.levels] for stratum in strata]
    texts = panel.entry[STRATUM]
    for text in sorted(set(np.unique(texts).tolist()) - {""}):
        for place, level in enumerate(levels_of(text, panel.protocol) or ()):
            if level not in names[place]:  # a stratum whose levels the protocol does not list
                names[place].append(level)
            found[texts == text, place] = names[place].index(level)
    left = panel.present & (texts == "")
    if strata and left.any():
        evaluated = np.stack([levels_by_expression(panel, stratum, left) for stratum in strata], axis=-1)
        found[left] = evaluated[left]
    return Strata(found, tuple(max(len(levels), 1) for levels in names))


def levels_by_expression(panel: Panel, stratum: Stratum, among: NDArray[np.bool_]) -> Levels:
    """The level (R, n) whose expression alone is true of a participant; UNKNOWN for none, several, or who is not among.

    The variables are read where `eligibility.variables[].from` says.
    """
    found = np.full(panel.present.shape, UNKNOWN, np.int64)
    expressions = [None if level.expression is None else Expression(level.expression) for level in stratum.levels]
    if not expressions or None in expressions:
        return found
    asked = [expression for expression in expressions if expression is not None]
    names = sorted({name for expression in asked for name in expression.names})
    variables = {variable.name: variable for variable in panel.protocol.eligibility.variables}
    columns = [recorded_values(panel, variables[name]) if name in variables else None for name in names]
    if any(column is None for column in columns):
        return found
    known: dict[tuple[object, ...], int] = {}
    for trial, person in zip(*np.nonzero(among), strict=True):
        values = tuple(column[trial, person] for column in columns if column is not None)
        if values not in known:
            known[values] = _level(asked, dict(zip(names, values, strict=True)))
        found[trial, person] = known[values]
    return found


def _level(expressions: list[Expression], values: Mapping[str, object]) -> int:
    true = [number for number, item in enumerate(expressions) if item.evaluate(values).answer is True]
    return true[0] if len(true) == 1 else UNKNOWN


def recorded_values(panel: Panel, variable: Variable) -> NDArray[np.object_] | None:
    """The values of a variable in the records, (R, n), None where missing; None where the records do not hold it."""
    source = variable.from_
    if source is None:
        return None
    if source.participants is not None:
        return _of_participants(panel, source.participants)
    block = next((item for name, item in panel.blocks.items() if str(source.test).startswith(f"{name}.")), None)
    test = str(source.test).rpartition(".")[2]
    if block is None or source.visit not in block.visits or test not in block.tests or block.minutes:
        return None
    factor = _factor(panel.protocol, block.assessment, test, variable)
    if factor is None:
        return None
    values = block.value[:, :, block.visits.index(source.visit), 0, block.tests.index(test)] / factor
    return _objects(values, boolean=variable.type == "boolean")


def _of_participants(panel: Panel, column: str) -> NDArray[np.object_]:
    if column == "site":
        texts: NDArray[Any] = panel.labels["site"].astype(object)
        texts[panel.labels["site"] == ""] = None
        return texts
    values = panel.covariates[column]
    if column == "sex":
        words = np.array([*SEXES, None], object)
        return words[np.where(np.isnan(values), len(SEXES), np.nan_to_num(values)).astype(np.int64)]
    return _objects(np.floor(values), boolean=False)


def _objects(values: NDArray[np.float64], *, boolean: bool) -> NDArray[np.object_]:
    found: NDArray[Any] = (values != 0).astype(object) if boolean else values.astype(object)
    found[np.isnan(values)] = None
    return found


def _factor(protocol: Protocol, assessment: str, test: str, variable: Variable) -> float | None:
    """The factor from the variable's unit to the test's; None where there is none."""
    item = next(one for one in protocol.assessment(assessment).tests if one.id == test)
    if variable.unit is None or variable.unit == item.unit:
        return 1.0
    return (item.conversions or {}).get(variable.unit)
