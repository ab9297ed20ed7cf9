"""What verdicts are made from: the numbers of each estimate in R trials, of a method or of a stored result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from equipoise.analysis.data import Floats
from equipoise.analysis.estimates import Estimate, tails_of
from equipoise.analysis.results import Result
from equipoise.protocol.schema.inference import Analysis
from equipoise.stats.tails import Tails

NUMBERS = ("estimate", "standard_error", "df", "lower", "upper", "p_value", "p_lower", "p_upper")
PLAIN = ("identity", "log")
"""Scales on which no effect is 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One estimate in R trials.

    id:      of its result; of its analysis where there is none.
    decides: whether it is the first of its analysis, the one that claims and families look at.
    values:  numbers by name, each (R,); NaN where there is none.
    """

    analysis: str
    id: str
    family: str | None
    role: str
    scale: str
    level: float
    decides: bool
    values: dict[str, Floats]

    @property
    def trials(self) -> int:
        return len(self.values["p_value"])

    @property
    def tests(self) -> bool:
        """Whether it has a p-value in any trial."""
        return bool(np.isfinite(self.values["p_value"]).any())

    def tails(self, null: float = 0.0) -> Tails:
        """One-sided p-values against a value on the scale of the estimate."""
        return tails_of(self.values, null)


def measured_estimates(analysis: Analysis, estimates: Iterable[Estimate]) -> tuple[Measured, ...]:
    """The estimates of an analysis in all trials of a Panel."""
    return tuple(
        Measured(
            analysis.id,
            analysis.id,
            analysis.family,
            analysis.role,
            item.scale,
            item.level,
            place == 0,
            _complete(dict(item.values), len(item.status)),
        )
        for place, item in enumerate(estimates)
    )


def measured_results(results: Iterable[Result]) -> tuple[Measured, ...]:
    """Results of one trial, each with R = 1, in their order."""
    return measured_alternatives(results, {})


def measured_alternatives(results: Iterable[Result], instead: dict[str, list[Result]]) -> tuple[Measured, ...]:
    """Results of one trial; of those named in `instead` R others in their place, the rest R times the same."""
    trials = max((len(others) for others in instead.values()), default=1)
    found: list[Measured] = []
    seen: set[str] = set()
    for item in results:
        rows = instead.get(item.id, [item] * trials)
        values = {name: np.array([_number(getattr(row, name)) for row in rows]) for name in NUMBERS}
        found.append(
            Measured(
                item.analysis,
                item.id,
                item.family,
                item.role,
                item.scale,
                item.level,
                item.analysis not in seen,
                values,
            )
        )
        seen.add(item.analysis)
    return tuple(found)


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _complete(values: dict[str, Floats], trials: int) -> dict[str, Floats]:
    return {"p_value": np.full(trials, np.nan), **values}
