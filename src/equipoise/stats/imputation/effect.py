"""The difference of two arms at one visit of a trial with imputed values: what every way of imputing gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from equipoise.stats.ancova import contrast
from equipoise.stats.arrays import Codes, Counts, Flags, Floats
from equipoise.stats.imputation.people import RepeatedMeasures
from equipoise.stats.least_squares import fit_least_squares
from equipoise.stats.status import Status
from equipoise.stats.student import Alternative, infer

Distribution = Literal["normal", "t"]
NORMAL_DF = 1e10
"""Degrees of freedom at which t is normal to ten digits."""


@dataclass(frozen=True, slots=True)
class ImputedEffect:
    """Arm ``active`` less the reference arm at one visit of one trial; NaN where the status says.

    df: infinite where the reference is normal.
    draws: completed data sets used; 0 for the conditional mean. failed: draws without a fit.
    carried: (arms,) people whose value at the visit is imputed.
    left_out: (n,) the estimate without each person; empty after draws.
    completed: (n, T) values with their conditional means, or the average of the draws.
    """

    estimate: float
    standard_error: float
    df: float
    lower: float
    upper: float
    statistic: float
    p_value: float
    draws: int
    failed: int
    carried: Counts
    left_out: Floats
    completed: Floats
    status: Status

    @property
    def message(self) -> str:
        """``ok`` or why numbers are missing."""
        return self.status.text


def ancova_at(
    people: RepeatedMeasures, outcome: Floats, included: Flags, weights: Floats
) -> tuple[Floats, Floats, Codes]:
    """The difference in R completed outcomes (R, n) of the included people (R, n): estimates, variances, statuses."""
    fit = fit_least_squares(outcome, people.design, included)
    found = contrast(fit, weights)
    return found.estimate, found.standard_error**2, found.status


def degrees_of_freedom(distribution: Distribution, complete: float) -> float:
    """Those of the analysis of complete values, or infinitely many. ValueError: an unknown distribution."""
    if distribution not in get_args(Distribution):
        raise ValueError(f"distribution must be one of {get_args(Distribution)}, not {distribution!r}")
    return complete if distribution == "t" else np.inf


def carried_at(people: RepeatedMeasures, visit: int) -> Counts:
    """How many people of each arm, (arms,), have an imputed value at the visit."""
    return np.bincount(people.arm[~people.seen[:, visit]], minlength=people.arms).astype(np.int64)


def conclude(
    people: RepeatedMeasures,
    visit: int,
    estimate: float,
    standard_error: float,
    df: float,
    completed: Floats,
    *,
    status: Status = Status.OK,
    left_out: Floats | None = None,
    draws: int = 0,
    failed: int = 0,
    level: float,
    alternative: Alternative,
) -> ImputedEffect:
    """An estimate with its t interval and test; under another status than OK the estimate alone."""
    testable = np.array(status == Status.OK)
    error, freedom = np.array(standard_error), np.array(min(df, NORMAL_DF))
    found = infer(np.array(estimate), error, freedom, testable, level=level, alternative=alternative)
    return ImputedEffect(
        estimate=estimate,
        standard_error=standard_error if testable else np.nan,
        df=df if testable else np.nan,
        lower=float(found.lower),
        upper=float(found.upper),
        statistic=float(found.statistic),
        p_value=float(found.p_value),
        draws=draws,
        failed=failed,
        carried=carried_at(people, visit),
        left_out=np.zeros(0) if left_out is None else left_out,
        completed=completed,
        status=status,
    )


def nothing(people: RepeatedMeasures, visit: int, status: Status, *, draws: int = 0, failed: int = 0) -> ImputedEffect:
    """No number, and the reason why."""
    gone = np.nan
    carried, values = carried_at(people, visit), people.values
    return ImputedEffect(gone, gone, gone, gone, gone, gone, gone, draws, failed, carried, np.zeros(0), values, status)
