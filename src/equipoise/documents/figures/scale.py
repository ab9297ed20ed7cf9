"""From values to pixels, and where the ticks of an axis stand."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

from equipoise.documents.numbers import MINUS, digits

_LOG_STEPS = ((1, 2, 5), (1, 1.5, 2, 3, 5, 7), (1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 7, 8, 9))


MOST_DECIMALS = 7


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear or logarithmic axis from `low` at pixel `start` to `high` at pixel `end`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """The pixel of a value; NaN for NaN and, on a log axis, for what is not above 0."""
        if math.isnan(value) or (self.log and value <= 0):
            return math.nan
        low, high, here = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        return self.start + (here - low) / (high - low) * (self.end - self.start)

    def holds(self, value: float) -> bool:
        """Whether the value lies on the axis."""
        return self.low <= value <= self.high

    def ticks(self, count: int) -> tuple[tuple[float, str], ...]:
        """About `count` round values on the axis, with their labels."""
        if self.log:
            found = _log_values(self.low, self.high, count)
            small = any(value < 10.0**-MOST_DECIMALS for value in found)
            return tuple((value, _scientific(value) if small else _label(value)) for value in found)
        raw = MaxNLocator(nbins=count, steps=[1, 2, 2.5, 5, 10]).tick_values(self.low, self.high)
        found = [float(v) for v in raw if self.low - 1e-9 <= v <= self.high + 1e-9]
        decimals = max((_decimals(value) for value in found), default=0)
        if decimals > MOST_DECIMALS:
            return tuple((value, _scientific(value)) for value in found)
        return tuple((value, digits(value, decimals)) for value in found)


def fitted(values: Iterable[float], start: float, end: float, log: bool = False, margin: float = 0.05) -> Scale:
    """An axis that holds every finite value (on a log axis every one above 0), with a margin at both ends.

    A linear axis of values above 0 begins at 0 where that costs little room. No value at all gives 0 to 1, or 1 to 10.
    """
    found = [v for v in values if math.isfinite(v) and (v > 0 or not log)]
    if not found:
        return Scale(1.0, 10.0, start, end, True) if log else Scale(0.0, 1.0, start, end)
    low, high = min(found), max(found)
    if log:
        room = (high / low) ** margin if high > low else 2.0
        return Scale(low / room, high * room, start, end, True)
    room = (high - low) * margin if high > low else abs(high) * 0.5 or 1.0
    near_zero = 0 <= low < 0.25 * high
    return Scale(0.0 if near_zero else low - room, high + room, start, end)


def _log_values(low: float, high: float, count: int) -> list[float]:
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    tens = [v for v in (10.0**power for power in powers) if low <= v <= high]
    if len(tens) >= count:
        return tens[:: math.ceil(len(tens) / count)]
    found = tens
    for steps in _LOG_STEPS:
        finer = [v for v in (step * 10.0**power for power in powers for step in steps) if low <= v <= high]
        if len(finer) > count and len(found) >= 2:
            break
        found = finer
    return found


def _decimals(value: float) -> int:
    """Decimals that show the value; more than can be printed where it is that small."""
    places = range(MOST_DECIMALS + 1)
    return next((p for p in places if math.isclose(value, round(value, p), rel_tol=1e-9, abs_tol=0)), MOST_DECIMALS + 1)


def _scientific(value: float) -> str:
    """A value too small for decimals, as 2.5e−9."""
    return f"{value:.6g}".replace("-", MINUS)


def _label(value: float) -> str:
    return digits(value, max(_decimals(value), 0) if value < 1 else min(_decimals(value), 1))
