"""How an estimate is shown: ratios instead of their logarithms, per cent instead of shares."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from equipoise.analysis.results import SHARE, Result
from equipoise.documents.numbers import estimate as estimate_text
from equipoise.documents.runs import Text
from equipoise.report.source import ReportSource

VARIANTS = {
    "interaction": "interaction",
    "with": "in those who have the characteristic",
    "without": "in those who do not",
}
"""Words for the variants of an analysis that stand beside each other."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An estimate as people read it.

    unit:  "" where the kind says it all. kind: what the number is, as `difference` or `rate ratio`.
    null:  the value of no effect. factor: by how much numbers were multiplied, None for a ratio.
    """

    estimate: float | None
    lower: float | None
    upper: float | None
    unit: str
    kind: str
    null: float
    decimals: int
    factor: float | None

    def text(self, status: str) -> Text:
        """The estimate with its interval, or the status."""
        return estimate_text(self.estimate, self.lower, self.upper, self.decimals, status)

    @property
    def number_unit(self) -> str:
        """The unit with the space before it."""
        return f" {self.unit}" if self.unit else ""


def shown(source: ReportSource, result: Result) -> Shown:
    """How `result` is shown."""
    if result.scale == "log":
        estimate, lower, upper = _each(result, math.exp)
        return Shown(estimate, lower, upper, "", result.unit.removeprefix("ln "), 1.0, 2, None)
    if result.unit == SHARE:
        compared = "-v-" in result.contrast
        estimate, lower, upper = _each(result, lambda value: 100 * value)
        unit, kind = ("percentage points", "difference") if compared else ("%", "share")
        return Shown(estimate, lower, upper, unit, kind, 0.0, 0, 100.0)
    decimals = source.protocol.parameter(result.parameter).decimals
    estimate, lower, upper = result.estimate, result.lower, result.upper
    return Shown(
        estimate, lower, upper, result.unit, "difference", 0.0, decimals + 1 if decimals < 2 else decimals, 1.0
    )


Numbers = tuple[float | None, float | None, float | None]


def _each(result: Result, change: Callable[[float], float]) -> Numbers:
    """Estimate and limits, each changed where there is one."""
    values = (result.estimate, result.lower, result.upper)
    first, second, third = (None if value is None else change(value) for value in values)
    return first, second, third


def why_missing(result: Result) -> str:
    """Why a number of `result` is not there: its status, or that the analysis has no such number beside its estimate.

    A share has no degrees of freedom, and an analysis that only estimates has no p-value: neither is a failure.
    """
    return "this analysis gives no such number" if result.status == "ok" else result.status


def variant_words(result: Result) -> str:
    """What tells a result apart from the others of its analysis, with a comma before it; "" where nothing does."""
    parts = result.id.split("/")
    return f", {VARIANTS.get(parts[5], parts[5])}" if len(parts) > 5 else ""
