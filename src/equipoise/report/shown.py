"""How an estimate is shown: ratios instead of their logarithms, per cent instead of shares."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from equipoise.analysis.results import SHARE, Result
from equipoise.documents.numbers import estimate as estimate_text
from equipoise.documents.numbers import p_value
from equipoise.documents.runs import Text
from equipoise.report.source import ReportSource

INTERACTION = "interaction"
VARIANTS = {
    INTERACTION: "interaction: effect in those who have the characteristic less effect in the others",
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
        compared = result.active is not None
        estimate, lower, upper = _each(result, lambda value: 100 * value)
        unit, kind = ("percentage points", "difference") if compared else ("%", "share")
        return Shown(estimate, lower, upper, unit, kind, 0.0, 0, 100.0)
    decimals = source.protocol.parameter(result.parameter).decimals
    estimate, lower, upper = result.estimate, result.lower, result.upper
    places, unit = decimals + 1 if decimals < 2 else decimals, "" if result.unit == PURE else result.unit
    kind = "difference" if result.active is not None else "mean"
    return Shown(estimate, lower, upper, unit, kind, 0.0, places, 1.0)


NO_SUCH_NUMBER = "this analysis gives no such number"
MID_P = "mid-p"
PURE = "1"
"""The unit of a pure number, which is not printed."""
TURNING = ("at_most", "below")
"""Options of an analysis by which low values are what is counted."""
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
    return NO_SUCH_NUMBER if result.status == "ok" else result.status


def why_no_spread(result: Result) -> str:
    """Why there is no standard error or degree of freedom: where there is an interval, the method needs none."""
    return why_missing(result) if result.lower is None and result.upper is None else NO_SUCH_NUMBER


def p_text(result: Result) -> Text:
    """The p-value, named where it is a mid-p."""
    text = p_value(result.p_value, why_missing(result))
    return f"{text} (mid-p)" if isinstance(text, str) and result.p_kind == MID_P else text


def variant_words(result: Result) -> str:
    """What tells a result apart from the others of its analysis, with a comma before it; "" where nothing does."""
    return "" if result.variant is None else f", {VARIANTS.get(result.variant, result.variant)}"


def name_of(source: ReportSource, result: Result) -> str:
    """A result by its analysis; by its parameter too where its analysis compares several, and by its variant."""
    own = f"{source.protocol.parameter(result.parameter).label}: " if result.analysis in source.panels else ""
    return f"{own}{result.label}{variant_words(result)}"


def better(source: ReportSource, result: Result) -> Literal["higher", "lower"] | None:
    """The direction of an estimate in which the active arm fares better, by its own parameter; None where neither is.

    Where values count that are low enough, as in a share below a limit or the hazard of a loss, the direction turns.
    An interaction compares effects and not arms, and favours neither.
    """
    own = source.protocol.parameter(result.parameter).better
    if own is None or result.variant == INTERACTION:
        return None
    analysis = next(item for item in source.protocol.analyses if item.id == result.analysis)
    turned = any(analysis.options.get(name) is not None for name in TURNING)
    return own if not turned else "lower" if own == "higher" else "higher"
