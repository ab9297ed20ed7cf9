"""What a study of a method counts, and the 99.9 % Monte-Carlo interval of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

from scipy.stats import beta, norm

CONFIDENCE = 0.999
TAIL = (1 - CONFIDENCE) / 2


@dataclass(frozen=True, slots=True)
class Share:
    """How many of so many trials rejected, or covered the truth. refused: trials without an answer, outside both."""

    hits: int
    of: int
    refused: int = 0

    @property
    def value(self) -> float:
        """The share; NaN where no trial has an answer."""
        return self.hits / self.of if self.of else nan

    @property
    def interval(self) -> tuple[float, float]:
        """Exact (Clopper & Pearson, Biometrika 1934;26:404-413)."""
        miss = self.of - self.hits
        low = float(beta.ppf(TAIL, self.hits, miss + 1)) if self.hits else 0.0
        high = float(beta.ppf(1 - TAIL, self.hits + 1, miss)) if miss else 1.0
        return low, high


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over trials, a bias for one, with its Monte-Carlo standard error. refused: as for a share."""

    mean: float
    error: float
    refused: int = 0

    @property
    def value(self) -> float:
        """The mean."""
        return self.mean

    @property
    def interval(self) -> tuple[float, float]:
        """By the central limit theorem."""
        half = float(norm.ppf(1 - TAIL)) * self.error
        return self.mean - half, self.mean + half
