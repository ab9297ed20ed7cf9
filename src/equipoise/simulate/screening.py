"""Who may take part: the protocol's own criteria, asked of simulated people."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.protocol.model import Protocol
from equipoise.source.expressions import Expression

Values = Mapping[str, NDArray[Any]]
"""Name of a variable -> (R, n) numbers, or booleans."""


@dataclass(frozen=True, slots=True)
class Screened:
    """The answer of every criterion.

    eligible: (R, n).
    failed:   (R, n) index of the first criterion that kept a person out, in the protocol's order; -1 for none.
    texts:    the criteria's texts, inclusion first.
    """

    eligible: NDArray[np.bool_]
    failed: NDArray[np.int16]
    texts: tuple[str, ...]


def screen(protocol: Protocol, values: Values, among: Collection[str] | None = None) -> Screened:
    """Ask the criteria (`among`: the ids of those to ask; None: every one) of every person.

    values: (R, n) for each variable that the criteria name. A criterion that cannot be determined keeps a person out,
    as it would in a real trial.
    """
    shape = next(iter(values.values())).shape
    failed = np.full(shape, -1, np.int16)
    texts: list[str] = []
    for wanted, criteria in ((True, protocol.eligibility.inclusion), (False, protocol.eligibility.exclusion)):
        for criterion in criteria:
            if among is None or criterion.id in among:
                answers = answer(protocol.criteria[criterion.id], values, shape)
                out = answers != float(wanted)
                failed[out & (failed < 0)] = len(texts)
            texts.append(criterion.text)
    return Screened(failed < 0, failed, tuple(texts))


def answer(expression: Expression, values: Values, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """1 true, 0 false, NaN cannot be determined; (R, n). Each distinct combination of values is asked once."""
    known = [name for name in expression.names if name in values]
    if not known:
        return np.full(shape, _one(expression, {}))
    columns = np.stack([np.asarray(values[name], np.float64).ravel() for name in known], axis=1)
    distinct, place = np.unique(columns, axis=0, return_inverse=True)
    flags = [np.asarray(values[name]).dtype == np.bool_ for name in known]
    asked = np.array([_one(expression, _row(known, row, flags)) for row in distinct])
    return asked[place.ravel()].reshape(shape)


def _row(names: list[str], row: NDArray[np.float64], flags: list[bool]) -> dict[str, object]:
    """Plain values of one combination; a missing one is None."""
    return {
        name: None if np.isnan(value) else (bool(value) if flag else float(value))
        for name, value, flag in zip(names, row, flags, strict=True)
    }


def _one(expression: Expression, values: Mapping[str, object]) -> float:
    verdict = expression.evaluate(values).answer
    return np.nan if verdict is None else float(verdict)
