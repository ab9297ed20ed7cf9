"""What one normal value contributes to a likelihood if it is known exactly, or only to lie between two limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.stats.arrays import Flags, Floats

LOG_SQRT_2_PI = float(np.log(2 * np.pi) / 2)
FARTHEST = 30.0
"""An ascent towards an SD of 0 or infinity goes on to here and no farther, so that nothing overflows."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The log-likelihood of each value and its derivatives by the mean m and by s, the logarithm of the SD."""

    value: Floats
    by_m: Floats
    by_s: Floats
    by_mm: Floats
    by_ms: Floats
    by_ss: Floats


def normal_terms(lower: Floats, upper: Floats, mean: Floats, log_sd: Floats) -> Terms:
    """Terms of values between ``lower`` and ``upper``, all of shapes that fit each other.

    Equal limits are an exact value and give its density; an infinite one leaves that side open; both infinite, a value
    that is missing, give 0. With standardised limits a < b and q_k = (a^k φ(a) - b^k φ(b)) / (Φ(b) - Φ(a)) the
    derivatives are q_0/σ, q_1, (q_1 - q_0²)/σ², (q_2 - q_0 - q_0 q_1)/σ and q_3 - q_1 - q_1².
    """
    log_sd = np.clip(log_sd, -FARTHEST, FARTHEST)
    sd = np.exp(log_sd)
    exact = lower == upper
    below, above = np.isfinite(lower), np.isfinite(upper)
    e = np.where(exact, (np.where(below, lower, 0.0) - mean) / sd, 0.0)
    a = np.where(below & ~exact, (np.where(below, lower, 0.0) - mean) / sd, -np.inf)
    b = np.where(above & ~exact, (np.where(above, upper, 0.0) - mean) / sd, np.inf)
    log_chance = log_between(a, b)
    at_a, at_b = _density_share(a, log_chance), _density_share(b, log_chance)
    finite_a, finite_b = np.where(np.isfinite(a), a, 0.0), np.where(np.isfinite(b), b, 0.0)
    q0, q1, q2, q3 = (finite_a**k * at_a - finite_b**k * at_b for k in range(4))
    return Terms(
        value=np.where(exact, -log_sd - e * e / 2 - LOG_SQRT_2_PI, log_chance),
        by_m=np.where(exact, e, q0) / sd,
        by_s=np.where(exact, e * e - 1, q1),
        by_mm=np.where(exact, -1.0, q1 - q0 * q0) / sd**2,
        by_ms=np.where(exact, -2 * e, q2 - q0 - q0 * q1) / sd,
        by_ss=np.where(exact, -2 * e * e, q3 - q1 - q1 * q1),
    )


def log_between(a: Floats, b: Floats) -> Floats:
    """ln(Φ(b) - Φ(a)) for a < b, in either tail without losing digits; 0 where both are infinite."""
    from scipy.special import log_ndtr

    # The upper tail is the lower one seen from the other side.
    right = a > 0
    low, high = np.where(right, -b, a), np.where(right, -a, b)
    log_low, log_high = log_ndtr(low), log_ndtr(high)
    return log_high + np.log1p(-np.exp(log_low - log_high))


def _density_share(limit: Floats, log_chance: Floats) -> Floats:
    """φ(limit) / chance, 0 for an infinite limit."""
    return np.exp(-limit * limit / 2 - LOG_SQRT_2_PI - log_chance)


def exactly_known(lower: Floats, upper: Floats) -> Flags:
    """Which values are exact."""
    return np.asarray(np.isfinite(lower) & (lower == upper))


def censoring_limits(values: Floats, censored: np.ndarray) -> tuple[Floats, Floats]:
    """Lower and upper limits of values with a code each: 0 exact, -1 below the value given, 1 above it.

    ValueError: another code, or shapes that differ.
    """
    code = np.asarray(censored)
    if code.shape != np.shape(values):
        raise ValueError(f"codes {code.shape} do not fit values {np.shape(values)}")
    if not np.isin(code, (-1, 0, 1)).all():
        raise ValueError("a code of censoring is -1 (below), 0 (exact) or 1 (above)")
    return np.where(code < 0, -np.inf, values), np.where(code > 0, np.inf, values)
