"""What a study of a method counts, and the 99.9 % Monte-Carlo interval of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

from scipy.stats import norm

from verification.limits import TAIL, found_above, found_below, found_beyond, limits


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
        return limits(self.hits, self.of)

    def finds(self, band: tuple[float, float]) -> tuple[float, float]:
        """The largest share below the band and the smallest above it that so many trials find with a chance of 90 %."""
        return found_below(band[0], self.of), found_above(band[1], self.of)


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

    def finds(self, band: tuple[float, float]) -> tuple[float, float]:
        """The same of a mean with this standard error."""
        beyond = found_beyond(self.error)
        return band[0] - beyond, band[1] + beyond
