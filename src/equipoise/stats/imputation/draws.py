"""Multiple imputation under a stated strategy: parameters and values drawn, analysed, and pooled by Rubin's rules.

Rubin's rules carry what is assumed as if it had been measured: under a jump to reference they are wider than the
estimate varies (Wolbers et al., Pharm Stat 2022;21:1246-1257; Bartlett, Stat Biopharm Res 2023;15:178-186).
"""

from __future__ import annotations

import numpy as np

from equipoise.stats.ancova import difference_weights
from equipoise.stats.arrays import Floats
from equipoise.stats.imputation.effect import ImputedEffect, ancova_at, conclude, nothing
from equipoise.stats.imputation.normal_model import Likelihood, fit_normal
from equipoise.stats.imputation.people import RepeatedMeasures
from equipoise.stats.imputation.profiles import conditional_draws
from equipoise.stats.imputation.rubin import pool
from equipoise.stats.status import Status
from equipoise.stats.student import Alternative

FAILED_DRAWS = 0.01
"""A larger share of failed draws makes the others a selection."""


def drawn_effect(
    people: RepeatedMeasures,
    generator: np.random.Generator,
    *,
    draws: int = 200,
    active: int = 1,
    visit: int = -1,
    likelihood: Likelihood = "restricted",
    level: float = 0.95,
    alternative: Alternative = "two-sided",
) -> ImputedEffect:
    """Draw parameters and missing values ``draws`` times, compare the arms in each, and pool by Rubin's rules.

    The parameters of a draw are those of a bootstrap sample of each arm, an approximation of their posterior
    distribution (Little & Rubin, Statistical Analysis with Missing Data, 2002, section 10.2.3; Honaker & King, Am J
    Polit Sci 2010;54:561-581). A sample whose fit fails is dropped; above 1 % of them the status is UNRELIABLE, and
    there are no numbers.
    ValueError: fewer than two draws, arms that cannot be compared, a level outside (0, 1), an unknown word.
    """
    if draws < 2:
        raise ValueError(f"Rubin's rules need at least two draws, not {draws}")
    weights = difference_weights(active, people.reference, people.design.shape[1])
    if not np.isfinite(people.covariates).all():
        return nothing(people, visit, Status.NOT_FINITE)
    first = fit_normal(people.fitted, people.design, likelihood=likelihood)
    if first.status[0] != Status.OK:
        return nothing(people, visit, people.reason(Status(first.status[0])))
    samples = bootstrap_counts(people.arm, draws, generator)
    fit = fit_normal(people.fitted, people.design, samples, likelihood=likelihood, start=first.covariance[0])
    completed = conditional_draws(people, fit, generator)
    estimates, variances, status = ancova_at(people, completed[:, :, visit], np.ones(samples.shape, np.bool_), weights)
    good = (fit.status == Status.OK) & (status == Status.OK)
    failed = int(draws - good.sum())
    if too_many_failed(failed, draws):
        return nothing(people, visit, Status.UNRELIABLE, draws=draws - failed, failed=failed)
    found = pool(estimates[good], variances[good], float(len(people.arm) - len(weights)))
    return conclude(
        people,
        visit,
        found.estimate,
        found.standard_error,
        found.df,
        completed[good].mean(axis=0),
        draws=draws - failed,
        failed=failed,
        level=level,
        alternative=alternative,
    )


def too_many_failed(failed: int, draws: int) -> bool:
    """Whether the draws that are left can no longer be pooled."""
    return failed > FAILED_DRAWS * draws or draws - failed < 2


def bootstrap_counts(arm: np.ndarray, draws: int, generator: np.random.Generator) -> Floats:
    """How often each person is drawn, (draws, n), each arm sampled with replacement to its own size."""
    counts = np.zeros((draws, len(arm)))
    for each in np.unique(arm):
        who = np.flatnonzero(arm == each)
        counts[:, who] = generator.multinomial(len(who), np.full(len(who), 1 / len(who)), size=draws)
    return counts
