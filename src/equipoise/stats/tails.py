"""One-sided p-values of a comparison, and the two-sided one that has a side: many trials at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.stats.arrays import Codes, Floats


@dataclass(frozen=True, slots=True)
class Tails:
    """The two one-sided p-values of R trials; NaN where there is no test.

    lower: (R,) of no effect against a lower value. upper: (R,) against a higher one.
    """

    lower: Floats
    upper: Floats

    @property
    def two_sided(self) -> Floats:
        """min(1, 2 min(lower, upper)): each direction has half of the level."""
        return np.minimum(1.0, 2 * np.minimum(self.lower, self.upper))

    @property
    def side(self) -> Codes:
        """-1 where the lower value, 1 where the higher one has the smaller p-value; 0 for neither."""
        with np.errstate(invalid="ignore"):
            return np.sign(np.nan_to_num(self.lower - self.upper)).astype(np.int8)

    def towards(self, direction: int) -> Floats:
        """The p-value against a higher value (1) or a lower one (-1)."""
        return self.upper if direction > 0 else self.lower


def student_tails(estimate: Floats, standard_error: Floats, df: Floats, null: float = 0.0) -> Tails:
    """Student's t of (estimate - null)/SE, all (R,); the normal distribution where df is missing or infinite.

    NaN where there is no positive standard error. Student, Biometrika 1908;6:1-25.
    """
    from scipy.special import ndtr, stdtr

    known = np.isfinite(estimate) & (np.nan_to_num(standard_error) > 0)
    statistic = np.where(known, estimate - null, np.nan) / np.where(known, standard_error, 1.0)
    student = np.isfinite(df)
    freedom = np.where(student, df, 1.0)
    lower, upper = (np.where(student, stdtr(freedom, t), ndtr(t)) for t in (statistic, -statistic))
    return Tails(lower, upper)


def signed_tails(p_value: Floats, estimate: Floats) -> Tails:
    """The tails of a symmetric two-sided test, as of a likelihood ratio by its signed root: p/2 on the side shown."""
    lower = np.where(estimate < 0, p_value / 2, 1 - p_value / 2)
    known = np.isfinite(p_value) & ~np.isnan(estimate)
    lower = np.where(estimate == 0, 0.5, lower)
    return Tails(np.where(known, lower, np.nan), np.where(known, 1 - lower, np.nan))


def student_quantile(share: float, df: float | None) -> float:
    """The quantile of Student's t, or of the normal distribution where there are no degrees of freedom."""
    from scipy.special import ndtri, stdtrit

    return float(ndtri(share) if df is None or not np.isfinite(df) else stdtrit(df, share))
