"""Student's t interval and test of one mean, of paired differences, and of two means, in many trials at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from equipoise.stats.arrays import Codes, Counts, Flags, Floats, Texts, all_of, beside
from equipoise.stats.status import Status, first_of, texts
from equipoise.stats.student import Alternative, infer

Variances = Literal["welch", "pooled"]

NO_SPREAD = 1e-13
"""A standard deviation below this share of the values' own size is rounding, not variation."""


@dataclass(frozen=True, slots=True)
class TInterval:
    """A mean, or difference of means, with its t interval and test in each of R trials; all (R,).

    The interval is two-sided whatever the alternative. Where values are constant the estimate stands, with standard
    error 0 and neither interval nor test.
    n: (R,) included values; of two samples (R, 2), first and second.
    """

    estimate: Floats
    standard_error: Floats
    df: Floats
    lower: Floats
    upper: Floats
    statistic: Floats
    p_value: Floats
    n: Counts
    status: Codes

    @property
    def messages(self) -> Texts:
        """``ok`` or why numbers are missing, (R,)."""
        return texts(self.status)


@dataclass(frozen=True, slots=True)
class _Sample:
    """n, mean, variance and a verdict on each of R samples."""

    n: Counts
    mean: Floats
    variance: Floats
    constant: Flags
    finite: Flags


def one_sample_t(
    values: Floats,
    included: Flags,
    *,
    null: float = 0.0,
    level: float = 0.95,
    alternative: Alternative = "two-sided",
) -> TInterval:
    """The mean of ``values`` (R, n) over ``included`` (R, n) or (n,), tested against ``null``, df = n - 1.

    mean ± t·s/√n. Student, Biometrika 1908;6:1-25.
    ValueError: shapes that do not fit, a mask that is not boolean, a level outside (0, 1), an unknown alternative.
    """
    sample = _sample(values, included)
    df = (sample.n - 1).astype(np.float64)
    status = first_of(
        {
            Status.NOT_FINITE: ~sample.finite,
            Status.TOO_FEW_OBSERVATIONS: sample.n < 2,
            Status.CONSTANT_OUTCOME: sample.constant,
        }
    )
    error = np.sqrt(sample.variance / np.maximum(sample.n, 1))
    return _interval(sample.mean, error, df, sample.n, status, null, level, alternative)


def paired_t(
    after: Floats,
    before: Floats,
    included: Flags,
    *,
    null: float = 0.0,
    level: float = 0.95,
    alternative: Alternative = "two-sided",
) -> TInterval:
    """The mean of after - before (each (R, n)) over ``included``: the one-sample interval of the differences."""
    pairs = beside(after, included)
    differences = np.where(pairs, after, 0.0) - np.where(pairs, before, 0.0)
    return one_sample_t(differences, pairs, null=null, level=level, alternative=alternative)


def two_sample_t(
    values: Floats,
    first: Flags,
    second: Flags,
    *,
    variances: Variances = "welch",
    null: float = 0.0,
    level: float = 0.95,
    alternative: Alternative = "two-sided",
) -> TInterval:
    """The mean of ``values`` (R, n) over the mask ``first`` less that over ``second``, each (R, n) or (n,).

    welch:  √(s₁²/n₁ + s₂²/n₂) with Satterthwaite's df, (v₁ + v₂)²/(v₁²/(n₁-1) + v₂²/(n₂-1)), v = s²/n; each sample
            needs two values. Welch, Biometrika 1938;29:350-362.
    pooled: one variance, df = n₁ + n₂ - 2; a sample of one is allowed.
    ValueError: masks that overlap, and as ``one_sample_t``.
    """
    if variances not in get_args(Variances):
        raise ValueError(f"variances must be one of {get_args(Variances)}, not {variances!r}")
    if (beside(values, first) & beside(values, second)).any():
        raise ValueError("a participant stands in both samples")
    a, b = _sample(values, first), _sample(values, second)
    if variances == "welch":
        too_few = (a.n < 2) | (b.n < 2)
        squared, df = _welch(a, b)
    else:
        too_few = (a.n < 1) | (b.n < 1) | (a.n + b.n < 3)
        squared, df = _pooled(a, b)
    status = first_of(
        {
            Status.NOT_FINITE: ~(a.finite & b.finite),
            Status.TOO_FEW_OBSERVATIONS: too_few,
            Status.CONSTANT_OUTCOME: a.constant & b.constant,
        }
    )
    n = np.stack([a.n, b.n], axis=1)
    return _interval(a.mean - b.mean, np.sqrt(squared), df, n, status, null, level, alternative)


def _sample(values: Floats, included: Flags) -> _Sample:
    """Two passes, so that a large mean does not eat the variance. NaN mean where nobody is included."""
    included = beside(values, included)
    kept = np.where(included, values, 0.0)
    finite = all_of(np.isfinite(kept), 1)
    kept[~finite] = 0.0
    n = included.sum(axis=1)
    mean = kept.sum(axis=1) / np.maximum(n, 1)
    deviations = np.where(included, kept - mean[:, None], 0.0)
    squares = np.einsum("rn,rn->r", deviations, deviations)
    constant = squares <= NO_SPREAD**2 * np.einsum("rn,rn->r", kept, kept)
    squares[constant] = 0.0
    return _Sample(n, np.where(finite & (n > 0), mean, np.nan), squares / np.maximum(n - 1, 1), constant, finite)


def _welch(a: _Sample, b: _Sample) -> tuple[Floats, Floats]:
    """Squared standard error and Satterthwaite's degrees of freedom."""
    va, vb = a.variance / np.maximum(a.n, 1), b.variance / np.maximum(b.n, 1)
    # Shares of the whole, since squares of small variances would underflow.
    total = va + vb
    share = va / np.where(total > 0, total, 1.0)
    rest = vb / np.where(total > 0, total, 1.0)
    inverse = share**2 / np.maximum(a.n - 1, 1) + rest**2 / np.maximum(b.n - 1, 1)
    return total, 1 / np.where(total > 0, inverse, np.nan)


def _pooled(a: _Sample, b: _Sample) -> tuple[Floats, Floats]:
    """Squared standard error and degrees of freedom under one variance."""
    df = (a.n + b.n - 2).astype(np.float64)
    squares = a.variance * np.maximum(a.n - 1, 0) + b.variance * np.maximum(b.n - 1, 0)
    return squares / np.maximum(df, 1) * (1 / np.maximum(a.n, 1) + 1 / np.maximum(b.n, 1)), df


def _interval(
    estimate: Floats,
    error: Floats,
    df: Floats,
    n: Counts,
    status: Codes,
    null: float,
    level: float,
    alternative: Alternative,
) -> TInterval:
    known = (status == Status.OK) | (status == Status.CONSTANT_OUTCOME)
    error, df = np.where(known, error, np.nan), np.where(known, df, np.nan)
    found = infer(estimate, error, df, status == Status.OK, null=null, level=level, alternative=alternative)
    return TInterval(estimate, error, df, found.lower, found.upper, found.statistic, found.p_value, n, status)
