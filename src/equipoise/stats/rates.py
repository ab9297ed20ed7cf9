"""Rates of few events in person-time, in many trials at once: score intervals, and the exact test of a ratio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from equipoise.stats.arrays import Codes, Counts, Flags, Floats, Texts
from equipoise.stats.binomial import (
    ScoreInterval,
    as_counts,
    bisected,
    check_alternative,
    normal_quantile,
    score_interval,
    tail_area,
)
from equipoise.stats.status import Status, first_of, texts
from equipoise.stats.student import Alternative

Convention = Literal["mid-p", "exact"]


@dataclass(frozen=True, slots=True)
class ExactRateRatio:
    """A ratio of rates with its conditional interval and test in each of R trials; all of one shape.

    The ratio is infinite where the reference arm has no event, and so is its upper limit.
    one_sided: the interval has one limit, with all of 1 - level beyond it.
    """

    estimate: Floats
    lower: Floats
    upper: Floats
    p_value: Floats
    one_sided: Flags
    status: Codes

    @property
    def messages(self) -> Texts:
        """``ok`` or why numbers are missing."""
        return texts(self.status)


@dataclass(frozen=True, slots=True)
class _Arms:
    """Events x and person-time t of two arms, of one shape; where the status is not OK they are stand-ins."""

    x1: Counts
    t1: Floats
    x0: Counts
    t0: Floats
    status: Codes

    def swapped(self) -> _Arms:
        return _Arms(self.x0, self.t0, self.x1, self.t1, self.status)


def rate_difference(
    events: ArrayLike,
    time: ArrayLike,
    reference_events: ArrayLike,
    reference_time: ArrayLike,
    *,
    level: float = 0.95,
    alternative: Alternative = "two-sided",
) -> ScoreInterval:
    """The difference of two rates, x1/t1 - x0/t0, with Miettinen and Nurminen's score interval and test.

    ``time`` is person-time in any unit, and the result is a number per that unit. The interval holds each difference
    D with (x1/t1 - x0/t0 - D)² <= z² (r1/t1 + r0/t0) at the likeliest r1 = r0 + D; the test is that of D = 0. Events
    must be Poisson: count first events, or a person's second makes the interval too short. It needs no event.
    ValueError: counts that are no counts, negative time, a level outside (0, 1), an unknown alternative.
    Miettinen & Nurminen, Stat Med 1985;4:213-226.
    """
    z = normal_quantile(level)
    arms = _arms(events, time, reference_events, reference_time, need_events=False)
    difference = arms.x1 / arms.t1 - arms.x0 / arms.t0
    lower, upper = -_upper_difference(arms.swapped(), z), _upper_difference(arms, z)
    return score_interval(difference, lower, upper, _statistic(arms), arms.status, alternative)


def rate_ratio(
    events: ArrayLike,
    time: ArrayLike,
    reference_events: ArrayLike,
    reference_time: ArrayLike,
    *,
    level: float = 0.95,
    alternative: Alternative = "two-sided",
) -> ScoreInterval:
    """The ratio of two rates, (x1/t1)/(x0/t0), with Miettinen and Nurminen's score interval and test.

    The interval holds each ratio F with (x1/t1 - F x0/t0)² <= z² F (x1 + x0)/(t1 t0), a quadratic; the test is that of
    F = 1. It needs an event in one arm. The same as Wilson's interval of the first arm's share of the events.
    ValueError: counts that are no counts, negative time, a level outside (0, 1), an unknown alternative.
    Miettinen & Nurminen, Stat Med 1985;4:213-226. Wilson, J Am Stat Assoc 1927;22:209-212.
    """
    z = normal_quantile(level)
    arms = _arms(events, time, reference_events, reference_time, need_events=True)
    # Where the first arm has no event, 1/inf is the lower limit 0.
    lower, upper = 1 / _upper_ratio(arms.swapped(), z), _upper_ratio(arms, z)
    return score_interval(_ratio(arms), lower, upper, _statistic(arms), arms.status, alternative)


def exact_rate_ratio(
    events: ArrayLike,
    time: ArrayLike,
    reference_events: ArrayLike,
    reference_time: ArrayLike,
    *,
    convention: Convention = "mid-p",
    one_sided_at_zero: bool = True,
    level: float = 0.95,
    alternative: Alternative = "two-sided",
) -> ExactRateRatio:
    """The ratio of two rates, (x1/t1)/(x0/t0), tested and limited given the number of events of both arms together.

    Of x1 + x0 events the first arm has x1, binomial with share F t1/(F t1 + t0) at the ratio F. A limit is the ratio at
    which the tail that begins at the events seen has (1 - level)/2; ``convention`` says whether the events seen count
    by half (mid-p) or in full (exact). The two-sided p is twice the smaller tail, at most 1, so that it is below
    1 - level when a two-sided interval excludes 1. The interval does not follow the alternative.
    one_sided_at_zero: where one arm has no event, the one limit that there is has 1 - level beyond it instead.
    ValueError: counts that are no counts, negative time, a level outside (0, 1), an unknown convention or alternative.
    Przyborowski & Wilenski, Biometrika 1940;31:313-323. Mid-p: Berry & Armitage, Statistician 1995;44:417-423.
    """
    if convention not in get_args(Convention):
        raise ValueError(f"convention must be one of {get_args(Convention)}, not {convention!r}")
    check_alternative(alternative)
    arms = _arms(events, time, reference_events, reference_time, need_events=True)
    one_sided = one_sided_at_zero & ((arms.x1 == 0) | (arms.x0 == 0)) & (arms.status == Status.OK)
    area = tail_area(level) * np.where(one_sided, 2, 1)
    lower = _lower_exact(arms, area, convention)
    with np.errstate(divide="ignore"):
        upper = 1 / _lower_exact(arms.swapped(), area, convention)
    share, total = arms.t1 / (arms.t1 + arms.t0), arms.x1 + arms.x0
    greater = _tail(arms.x1, total, share, convention)
    less = _tail(arms.x0, total, arms.t0 / (arms.t1 + arms.t0), convention)
    tails = {"greater": greater, "less": less, "two-sided": np.minimum(2 * np.minimum(greater, less), 1.0)}
    known = arms.status == Status.OK
    numbers = (np.where(known, number, np.nan) for number in (_ratio(arms), lower, upper, tails[alternative]))
    return ExactRateRatio(*numbers, one_sided=one_sided, status=arms.status)


def _arms(events: ArrayLike, time: ArrayLike, other: ArrayLike, other_time: ArrayLike, *, need_events: bool) -> _Arms:
    """The checked counts, and the status of each; an arm of which nothing is known becomes one event in time 1."""
    t1, t0 = (np.asarray(values, dtype=np.float64) for values in (time, other_time))
    if (t1 < 0).any() or (t0 < 0).any():
        raise ValueError("person-time must not be negative")
    x1, x0 = as_counts(events, other)
    x1, t1, x0, t0 = np.broadcast_arrays(x1, t1, x0, t0)
    status = first_of(
        {
            Status.NOT_FINITE: ~(np.isfinite(t1) & np.isfinite(t0)),
            Status.NO_EXPOSURE: (t1 == 0) | (t0 == 0),
            Status.NO_EVENTS: need_events & (x1 + x0 == 0),
        }
    )
    known = status == Status.OK
    return _Arms(*(np.where(known, number, 1) for number in (x1, t1, x0, t0)), status=status)


def _ratio(arms: _Arms) -> Floats:
    """The ratio of the rates, infinite where the reference arm has no event."""
    crossed = arms.x0 * arms.t1
    return np.divide(arms.x1 * arms.t0, crossed, out=np.full(crossed.shape, np.inf), where=crossed > 0)


def _statistic(arms: _Arms) -> Floats:
    """(r1 - r0)/√(x/(t1 t0)): the score statistic of equal rates; 0 without an event."""
    total, time = arms.x1 + arms.x0, arms.t1 * arms.t0
    return (arms.x1 * arms.t0 - arms.x0 * arms.t1) / np.sqrt(np.where(total > 0, total, 1) * time)


def _upper_difference(arms: _Arms, z: float) -> Floats:
    """The largest difference that the score test does not reject, by bisection."""
    x1, t1, x0, t0 = arms.x1, arms.t1, arms.x0, arms.t0
    estimate, pooled = x1 / t1 - x0 / t0, (x1 + x0) / (t1 + t0)

    def rejected(difference: Floats) -> Flags:
        r1, r0 = restricted_rates(x1, t1, x0, t0, difference)
        return (difference - estimate) ** 2 > z**2 * (r1 / t1 + r0 / t0)

    # With c as here, c² >= z² (most + c)/t1 + z² pooled/t0, and that is no less than z² V at ``positive`` + c.
    positive = np.maximum(estimate, 0.0)
    c = z**2 / t1 + z * np.sqrt((positive + pooled) / t1 + pooled / t0)
    return bisected(rejected, estimate, positive + c)


def restricted_rates(x1: Counts, t1: Floats, x0: Counts, t0: Floats, difference: Floats) -> tuple[Floats, Floats]:
    """The likeliest rates r1 and r0 of two arms where r1 - r0 is the given difference.

    The smaller rate r solves T r² - (x - T d) r - s d = 0, with T all person-time, x all events, s the events of the
    arm with the smaller rate and d the size of the difference.
    """
    T, d = t1 + t0, np.abs(difference)
    b, fewer = x1 + x0 - T * d, np.where(difference >= 0, x0, x1)
    root = np.sqrt(b**2 + 4 * T * fewer * d)
    # Of two forms of the same root, that in which nothing cancels.
    below = 2 * fewer * d / np.where(b < 0, root - b, 1.0)
    smaller = np.where(b < 0, below, (b + root) / (2 * T))
    return smaller + np.maximum(difference, 0.0), smaller + np.maximum(-difference, 0.0)


def _upper_ratio(arms: _Arms, z: float) -> Floats:
    """The larger root F of r0² F² - (2 r1 r0 + w) F + r1² = 0 with w = z² (x1 + x0)/(t1 t0); infinite where r0 is 0."""
    r1, r0 = arms.x1 / arms.t1, arms.x0 / arms.t0
    w = z**2 * (arms.x1 + arms.x0) / (arms.t1 * arms.t0)
    twice = 2 * r1 * r0 + w + np.sqrt(w * (w + 4 * r1 * r0))
    return np.divide(twice, 2 * r0**2, out=np.full(r0.shape, np.inf), where=r0 > 0)


def _lower_exact(arms: _Arms, area: Floats, convention: Convention) -> Floats:
    """The ratio at which the tail from the first arm's events upwards has the given area; 0 without events there."""
    from scipy.special import betaincinv

    x1, total = arms.x1, arms.x1 + arms.x0
    if convention == "exact":
        share = np.where(x1 > 0, betaincinv(np.maximum(x1, 1), arms.x0 + 1, area), 0.0)
    else:
        start, end = np.zeros_like(area), np.ones_like(area)
        share = bisected(lambda trial: _tail(x1, total, trial, "mid-p") > area, start, end)
        share = np.where(x1 > 0, share, 0.0)
    return share * arms.t0 / ((1 - share) * arms.t1)


def _tail(k: Counts, total: Counts, share: Floats, convention: Convention) -> Floats:
    """The probability of k or more of ``total`` binomial events, those of exactly k by half under mid-p."""
    whole = _at_least(k, total, share)
    return whole if convention == "exact" else (whole + _at_least(k + 1, total, share)) / 2


def _at_least(k: Counts, total: Counts, share: Floats) -> Floats:
    from scipy.special import betainc

    inside = betainc(np.maximum(k, 1), np.maximum(total - k + 1, 1), share)
    return np.where(k <= 0, 1.0, np.where(k > total, 0.0, inside))
