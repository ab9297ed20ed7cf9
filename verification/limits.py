"""The 99.9 % Monte-Carlo interval of a rate, and which rate outside a band a run of that size would find."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.stats import beta, binom, norm

CONFIDENCE = 0.999
TAIL = (1 - CONFIDENCE) / 2
POWER = 0.9


def limits(hits: int, trials: int) -> tuple[float, float]:
    """The exact interval of a rate (Clopper & Pearson, Biometrika 1934;26:404-413)."""
    miss = trials - hits
    low = float(beta.ppf(TAIL, hits, miss + 1)) if hits else 0.0
    high = float(beta.ppf(1 - TAIL, hits + 1, miss)) if miss else 1.0
    return low, high


@cache
def found_above(end: float, trials: int) -> float:
    """The smallest rate whose interval lies wholly above `end` in 90 % of runs of so many trials; 1 where none does."""
    hits = np.arange(1, trials + 1)
    beyond = beta.ppf(TAIL, hits, trials - hits + 1) > end
    if not beyond.any():
        return 1.0
    least = int(hits[beyond.argmax()])
    low, high = end, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if binom.sf(least - 1, trials, middle) >= POWER else (middle, high)
    return high


def found_below(end: float, trials: int) -> float:
    """The largest rate whose interval lies wholly below `end` in 90 % of runs; 0 where none does."""
    return 1 - found_above(1 - end, trials)


def found_beyond(error: float) -> float:
    """How far beyond the end of a band a mean must be to be found in 90 % of runs, with its standard error."""
    return float(norm.ppf(1 - TAIL) + norm.ppf(POWER)) * error
