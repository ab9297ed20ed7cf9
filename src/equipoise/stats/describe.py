"""Descriptive statistics of many samples at once: numbers by their moments and quartiles, categories by counts.

Quantiles are the average at a jump of the empirical distribution function: definition 2 of Hyndman & Fan, Am Stat
1996;50:361-365; R's ``quantile(type = 2)``; SAS's default (PCTLDEF=5). It is what the tables of most trials print,
its median is the usual one, and a quartile is always a value that was seen or the middle of two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.stats.arrays import Codes, Counts, Flags, Floats, Texts, all_of, beside
from equipoise.stats.status import Status, first_of, texts

ROUNDING = 4 * np.finfo(np.float64).eps
"""n·p this near to a whole number, relatively, is whole: 0.7·10 falls just short of 7 in binary."""


@dataclass(frozen=True, slots=True)
class Description:
    """A described number in each of R samples; all (R,). NaN where nobody has a value; no sd of a single one.

    n: with a value; missing: included without one.
    """

    n: Counts
    missing: Counts
    mean: Floats
    sd: Floats
    median: Floats
    q1: Floats
    q3: Floats
    minimum: Floats
    maximum: Floats
    status: Codes

    @property
    def messages(self) -> Texts:
        """``ok`` or why numbers are missing, (R,)."""
        return texts(self.status)


@dataclass(frozen=True, slots=True)
class Proportions:
    """Counts of C categories in each of R samples.

    counts:      (R, C).
    denominator: (R,) included with a known category; missing: (R,) included without one.
    proportion:  (R, C) counts / denominator; NaN where the denominator is 0.
    """

    counts: Counts
    denominator: Counts
    missing: Counts
    proportion: Floats
    status: Codes

    @property
    def messages(self) -> Texts:
        """``ok`` or why numbers are missing, (R,)."""
        return texts(self.status)


def describe(values: Floats, included: Flags) -> Description:
    """Describe ``values`` (R, n), NaN where missing, over ``included`` (R, n) or (n,); sd has n - 1 below.

    ValueError: shapes that do not fit, or a mask that is not boolean.
    """
    included = beside(values, included)
    present = included & ~np.isnan(values)
    n = present.sum(axis=1)
    finite = all_of(~(present & np.isinf(values)), 1)
    present = present & finite[:, None]
    status = first_of(
        {
            Status.NOT_FINITE: ~finite,
            Status.NO_OBSERVATIONS: n == 0,
        }
    )
    some = status == Status.OK
    mean = np.where(present, values, 0.0).sum(axis=1) / np.where(some, n, np.nan)
    deviations = np.where(present, values - mean[:, None], 0.0)
    sd = np.sqrt(np.einsum("rn,rn->r", deviations, deviations) / np.where(some & (n > 1), n - 1, np.nan))
    q1, median, q3 = quantiles(values, present, (0.25, 0.5, 0.75)).T
    smallest = np.where(present, values, np.inf).min(axis=1, initial=np.inf)
    largest = np.where(present, values, -np.inf).max(axis=1, initial=-np.inf)
    return Description(
        n=n,
        missing=(included & np.isnan(values)).sum(axis=1),
        mean=mean,
        sd=sd,
        median=median,
        q1=q1,
        q3=q3,
        minimum=np.where(some, smallest, np.nan),
        maximum=np.where(some, largest, np.nan),
        status=status,
    )


def quantiles(values: Floats, included: Flags, probabilities: Sequence[float]) -> Floats:
    """Quantiles (R, k) of ``values`` (R, n) over the included values that are not NaN; NaN where there are none.

    With x sorted and j = ⌊n·p⌋: the mean of the j-th and the next value where n·p is whole, else the next.
    ValueError: a probability outside [0, 1]; shapes that do not fit.
    """
    chance = np.asarray(probabilities, dtype=np.float64)
    if not ((chance >= 0) & (chance <= 1)).all():
        raise ValueError(f"probabilities must lie in [0, 1], not {probabilities}")
    present = beside(values, included) & ~np.isnan(values)
    n = present.sum(axis=1)[:, None]
    # Left out values sort last.
    ordered = np.concatenate([np.sort(np.where(present, values, np.inf), axis=1), np.full((len(n), 1), np.inf)], axis=1)
    position = n * chance
    whole = np.abs(position - np.rint(position)) <= ROUNDING * position
    place = np.where(whole, np.rint(position), np.floor(position)).astype(np.int64)
    last = np.maximum(n - 1, 0)
    upper = np.take_along_axis(ordered, np.minimum(place, last), axis=1)
    lower = np.take_along_axis(ordered, np.clip(place - whole, 0, last), axis=1)
    # Halves are added, not the sum halved, which could overflow; equal values stay as they are.
    return np.where(n > 0, np.where(lower == upper, upper, lower / 2 + upper / 2), np.nan)


def proportions(codes: np.ndarray, included: Flags, categories: int) -> Proportions:
    """Count ``codes`` (R, n), 0 .. categories - 1, over ``included``; NaN or a negative code is missing.

    ValueError: a code among the included that is no category.
    """
    included = beside(codes, included)
    known = included & (codes >= 0)
    if (known & ~np.isin(codes, np.arange(categories))).any():
        raise ValueError(f"a code is none of the {categories} categories")
    counts = (known[..., None] & np.equal.outer(codes, np.arange(categories))).sum(axis=1)
    denominator = known.sum(axis=1)
    return Proportions(
        counts=counts,
        denominator=denominator,
        missing=(included & ~known).sum(axis=1),
        proportion=counts / np.where(denominator > 0, denominator, np.nan)[:, None],
        status=first_of({Status.NO_OBSERVATIONS: denominator == 0}),
    )
