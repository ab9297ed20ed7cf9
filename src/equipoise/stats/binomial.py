"""Proportions of few events: exact limits of one, score interval and exact test of two, in many trials at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from equipoise.stats.arrays import Codes, Counts, Flags, Floats, Texts
from equipoise.stats.status import Status, first_of, texts
from equipoise.stats.student import Alternative

Sides = Literal["two-sided", "upper", "lower"]

HALVINGS = 64
"""Steps of a bisection: a bracket of width 1 shrinks below the distance of neighbouring numbers about 0.1."""

LOST_DIGITS = 1e-6
"""The cosine gives the root of the cubic to better than this, even where two roots meet."""

SAME_PROBABILITY = 1e-7
"""Tables whose probabilities differ by less than this share are equally probable, as in R's fisher.test."""


@dataclass(frozen=True, slots=True)
class ProportionInterval:
    """A proportion with its limits in each of R trials; all of one shape. A one-sided interval ends at 0 or 1."""

    estimate: Floats
    lower: Floats
    upper: Floats
    status: Codes

    @property
    def messages(self) -> Texts:
        """``ok`` or why numbers are missing."""
        return texts(self.status)


@dataclass(frozen=True, slots=True)
class ScoreInterval:
    """A comparison of two arms with its score interval and test in each of R trials; all of one shape.

    The interval is two-sided whatever the alternative. statistic: standard normal if the arms do not differ, positive
    where the first has more events. Where the reference arm has no event, a ratio and its upper limit are infinite.
    """

    estimate: Floats
    lower: Floats
    upper: Floats
    statistic: Floats
    p_value: Floats
    status: Codes

    @property
    def messages(self) -> Texts:
        """``ok`` or why numbers are missing."""
        return texts(self.status)


@dataclass(frozen=True, slots=True)
class FisherTest:
    """Fisher's exact p-value and its mid-p in each of R trials; all of one shape."""

    p_value: Floats
    mid_p_value: Floats
    status: Codes

    @property
    def messages(self) -> Texts:
        """``ok`` or why numbers are missing."""
        return texts(self.status)


def clopper_pearson(
    events: ArrayLike, n: ArrayLike, *, level: float = 0.95, sides: Sides = "two-sided"
) -> ProportionInterval:
    """Exact limits of a proportion: ``events`` of ``n`` people, whole numbers of any shapes that fit each other.

    With a = (1 - level)/2, or 1 - level for the one limit of a one-sided interval, the lower limit is the a-quantile of
    Beta(x, n - x + 1) and the upper the (1 - a)-quantile of Beta(x + 1, n - x): 1 - a^(1/n) for 0 of n.
    ValueError: counts that are no counts, a level outside (0, 1), unknown sides.
    Clopper & Pearson, Biometrika 1934;26:404-413.
    """
    tail = tail_area(level) * (1 if sides == "two-sided" else 2)
    if sides not in get_args(Sides):
        raise ValueError(f"sides must be one of {get_args(Sides)}, not {sides!r}")
    from scipy.special import betaincinv

    x, people = as_counts(events, n)
    _check_within(x, people)
    status = first_of({Status.NO_OBSERVATIONS: people == 0})
    free_below, free_above = (x == 0) | (sides == "upper"), (x == people) | (sides == "lower")
    lower = np.where(free_below, 0.0, betaincinv(np.maximum(x, 1), people - x + 1, tail))
    upper = np.where(free_above, 1.0, betaincinv(x + 1, np.maximum(people - x, 1), 1 - tail))
    known = status == Status.OK
    estimate, lower, upper = (np.where(known, v, np.nan) for v in (x / np.maximum(people, 1), lower, upper))
    return ProportionInterval(estimate, lower, upper, status)


def proportion_difference(
    events: ArrayLike,
    n: ArrayLike,
    reference_events: ArrayLike,
    reference_n: ArrayLike,
    *,
    level: float = 0.95,
    alternative: Alternative = "two-sided",
) -> ScoreInterval:
    """The difference of two proportions, x1/n1 - x0/n0, with Miettinen and Nurminen's score interval and test.

    The interval holds each difference D with (x1/n1 - x0/n0 - D)² <= z² V(D), where V = (p1(1 - p1)/n1 +
    p0(1 - p0)/n0) N/(N - 1) at the likeliest p1 = p0 + D; the test is that of D = 0. It needs no event in either arm.
    ValueError: counts that are no counts, a level outside (0, 1), an unknown alternative.
    Miettinen & Nurminen, Stat Med 1985;4:213-226.
    """
    z = normal_quantile(level)
    tables = as_tables(events, n, reference_events, reference_n)
    x1, n1, x0, n0 = tables
    status = first_of({Status.NO_OBSERVATIONS: (n1 == 0) | (n0 == 0)})
    # An empty arm is calculated as one person without event, and left out at the end.
    known = status == Status.OK
    x1, n1, x0, n0 = (np.where(known, count, fill) for count, fill in zip(tables, (0, 1, 0, 1), strict=True))
    difference, pooled = x1 / n1 - x0 / n0, (x1 + x0) / (n1 + n0)
    variance = pooled * (1 - pooled) * (n1 + n0) ** 2 / (n1 * n0 * (n1 + n0 - 1.0))
    # Nobody or everybody has the event: both arms are alike, and the test says nothing against it.
    statistic = difference / np.sqrt(np.where(variance > 0, variance, 1.0))
    upper = _upper_limit(x1, n1, x0, n0, z)
    lower = -_upper_limit(x0, n0, x1, n1, z)
    return score_interval(difference, lower, upper, statistic, status, alternative)


def _upper_limit(x1: Counts, n1: Counts, x0: Counts, n0: Counts, z: float) -> Floats:
    """The largest difference that the score test does not reject; 1 is always rejected, or else the estimate."""
    estimate = x1 / n1 - x0 / n0

    def rejected(difference: Floats) -> Flags:
        p0 = restricted_proportion(x1, n1, x0, n0, difference)
        p1 = np.clip(p0 + difference, 0.0, 1.0)
        variance = (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0) * (n1 + n0) / (n1 + n0 - 1.0)
        return (difference - estimate) ** 2 > z**2 * variance

    return bisected(rejected, estimate, np.ones_like(estimate))


def restricted_proportion(x1: Counts, n1: Counts, x0: Counts, n0: Counts, difference: Floats) -> Floats:
    """The likeliest proportion p0 of the reference arm where p1 - p0 is the given difference.

    The slope of the log-likelihood is 0 at the middle root of a cubic, found by the cosine. One step of Newton's method
    on the cubic gives back the digits that the cosine loses. Miettinen & Nurminen, Stat Med 1985;4:213-226.
    """
    N, x, d = n1 + n0, x1 + x0, difference
    b, c, e = (n1 + 2 * n0) * d - N - x, (n0 * d - N - 2 * x0) * d + x, x0 * d * (1 - d)
    centre = b / (3.0 * N)
    q = centre**3 - b * c / (6.0 * N**2) + e / (2.0 * N)
    p = np.where(q >= 0, 1.0, -1.0) * np.sqrt(np.maximum(centre**2 - c / (3.0 * N), 0.0))
    cosine = np.clip(q / np.where(p == 0, 1.0, p**3), -1.0, 1.0)
    root = 2 * p * np.cos((np.pi + np.arccos(cosine)) / 3) - centre
    least, most = np.maximum(0.0, -d), np.minimum(1.0, 1 - d)
    root = np.clip(root, least, most)
    value, slope = ((N * root + b) * root + c) * root + e, (3.0 * N * root + 2 * b) * root + c
    step = np.divide(value, slope, out=np.zeros_like(root), where=slope != 0)
    # Where two roots meet, value and slope are both rounding, and their quotient is anything.
    return np.clip(np.where(np.abs(step) < LOST_DIGITS, root - step, root), least, most)


def fisher_exact(
    events: ArrayLike,
    n: ArrayLike,
    reference_events: ArrayLike,
    reference_n: ArrayLike,
    *,
    alternative: Alternative = "two-sided",
) -> FisherTest:
    """Fisher's exact test of two proportions, given the number of events of both arms together, and its mid-p.

    two-sided: the probability of all tables less probable than the one seen, and of those as probable; greater, less:
    of all tables with more, or fewer, events in the first arm, and of the one seen. Mid-p counts half of the tables
    that are as probable as (two-sided), or are, the one seen; it is 0.5 where only one table is possible.
    Memory grows with R times the most events that the first arm could have had.
    ValueError: counts that are no counts, an unknown alternative.
    Fisher, J R Stat Soc 1935;98:39-82. Lancaster, J Am Stat Assoc 1961;56:223-234.
    """
    check_alternative(alternative)
    x1, n1, x0, n0 = as_tables(events, n, reference_events, reference_n)
    status = first_of({Status.NO_OBSERVATIONS: (n1 == 0) | (n0 == 0)})
    possible = np.arange(np.max(np.minimum(n1, x1 + x0), initial=0) + 1)
    chance = _hypergeometric(possible, n1[..., None], n0[..., None], (x1 + x0)[..., None])
    seen = np.take_along_axis(chance, x1[..., None], axis=-1)
    match alternative:
        case "greater":
            extreme, alike = possible > x1[..., None], possible == x1[..., None]
        case "less":
            extreme, alike = possible < x1[..., None], possible == x1[..., None]
        case _:
            alike = np.abs(chance - seen) <= SAME_PROBABILITY * seen
            extreme = (chance < seen) & ~alike
    beyond, level = (np.where(flags, chance, 0.0).sum(axis=-1) for flags in (extreme, alike))
    known = status == Status.OK
    p_value, mid = (np.where(known, np.minimum(beyond + share * level, 1.0), np.nan) for share in (1.0, 0.5))
    return FisherTest(p_value, mid, status)


def _hypergeometric(k: Counts, n1: Counts, n0: Counts, total: Counts) -> Floats:
    """The probability that k of ``total`` events fall to the first arm, if arms are alike; 0 where impossible."""
    from scipy.special import gammaln

    # The logarithm of the factorial of a negative number is infinite here, which makes impossible tables impossible.
    factorials = (k, n1 - k, total - k, n0 - total + k)
    weight = -np.sum([gammaln(number + 1.0) for number in np.broadcast_arrays(*factorials)], axis=0)
    weight = np.exp(weight - weight.max(axis=-1, keepdims=True))
    return weight / weight.sum(axis=-1, keepdims=True)


def bisected(beyond: Callable[[Floats], Flags], low: Floats, high: Floats) -> Floats:
    """Where ``beyond`` turns from false, at ``low``, to true, at ``high``, element by element."""
    for _ in range(HALVINGS):
        middle = low + (high - low) / 2
        out = beyond(middle)
        low, high = np.where(out, low, middle), np.where(out, middle, high)
    return low + (high - low) / 2


def score_interval(
    estimate: Floats, lower: Floats, upper: Floats, statistic: Floats, status: Codes, alternative: Alternative
) -> ScoreInterval:
    """The result with the p-value of its statistic, NaN where the status is not OK.

    ValueError: an unknown alternative.
    """
    check_alternative(alternative)
    from scipy.special import ndtr

    match alternative:
        case "greater":
            p_value = ndtr(-statistic)
        case "less":
            p_value = ndtr(statistic)
        case _:
            p_value = 2 * ndtr(-np.abs(statistic))
    numbers = (estimate, lower, upper, statistic, p_value)
    return ScoreInterval(*(np.where(status == Status.OK, number, np.nan) for number in numbers), status=status)


def normal_quantile(level: float) -> float:
    """The z of a two-sided interval. ValueError: a level outside (0, 1)."""
    from scipy.special import ndtri

    return float(-ndtri(tail_area(level)))


def tail_area(level: float) -> float:
    """What a two-sided interval leaves on each side. ValueError: a level outside (0, 1)."""
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level}")
    return (1 - level) / 2


def as_counts(*counts: ArrayLike) -> tuple[Counts, ...]:
    """Whole numbers from 0 on, spread to one shape of at least one axis. ValueError: anything else."""
    arrays = [np.asarray(count) for count in counts]
    if not all(np.issubdtype(array.dtype, np.integer) for array in arrays):
        raise ValueError(f"counts must be whole numbers, not {', '.join(str(array.dtype) for array in arrays)}")
    if any((array < 0).any() for array in arrays):
        raise ValueError("counts must not be negative")
    spread = np.broadcast_arrays(*arrays, np.zeros(1))
    return tuple(array.astype(np.int64) for array in spread[:-1])


def as_tables(
    events: ArrayLike, n: ArrayLike, reference_events: ArrayLike, reference_n: ArrayLike
) -> tuple[Counts, ...]:
    """Events and people of two arms, spread to one shape. ValueError: more events than people, or no counts."""
    tables = as_counts(events, n, reference_events, reference_n)
    _check_within(tables[0], tables[1])
    _check_within(tables[2], tables[3])
    return tables


def _check_within(events: Counts, n: Counts) -> None:
    if (events > n).any():
        raise ValueError("more people with an event than people; count each person once")


def check_alternative(alternative: str) -> None:
    """ValueError: not two-sided, greater or less."""
    if alternative not in get_args(Alternative):
        raise ValueError(f"alternative must be one of {get_args(Alternative)}, not {alternative!r}")
