"""What is expected of each person's missing values, given what was measured and the strategy.

Carpenter, Roger & Kenward, J Biopharm Stat 2013;23:1352-1371: a person's marginal means come from the own arm before
the event and are built with the reference arm's after it; the covariance is that of all arms. The missing values are
then conditional on the measured ones under that joint normal distribution. Only the measured deviations from the own
marginal means count, so a person who was above the own arm's mean stays above the reference arm's.
"""

from __future__ import annotations

import numpy as np

from equipoise.stats.arrays import Floats
from equipoise.stats.imputation.normal_model import NormalFit, precisions
from equipoise.stats.imputation.people import STRATEGIES, RepeatedMeasures


def marginal_means(people: RepeatedMeasures, fit: NormalFit) -> Floats:
    """The marginal means (R, n, T) that each person's strategy joins together, under each of R fits.

    Missing at random: the own arm's mean throughout. Jump to reference: the reference arm's from the event on. Copy
    reference: the reference arm's throughout. Copy increments: from the event on the reference arm's, shifted by the
    distance of the two arms at the last visit before; by nothing where there is none.
    """
    own = np.einsum("nk,rkt->rnt", people.design, fit.coefficients)
    reference = np.einsum("nk,rkt->rnt", people.as_arm(people.reference), fit.coefficients)
    person = np.arange(len(people.arm))
    before = (own - reference)[:, person, np.maximum(people.after - 1, 0)]
    shift = np.where(people.after > 0, before, 0.0)[..., None]
    later = people.later
    event = np.asarray(later.any(axis=1))[:, None]
    choices = {
        "missing-at-random": own,
        "jump-to-reference": np.where(later, reference, own),
        "copy-reference": np.where(event, reference, own),
        "copy-increments": np.where(later, reference + shift, own),
    }
    return np.stack([choices[name] for name in STRATEGIES])[people.strategy, :, person].swapaxes(0, 1)


def conditional_means(people: RepeatedMeasures, fit: NormalFit) -> Floats:
    """The values (R, n, T): measured where they were, else their conditional means under each of R fits.

    m_mis + S_mo S_oo⁻¹ (y_obs - m_obs). What was measured after the event counts as measured.
    Wolbers, Noci, Delmar, Gower-Page, Yiu & Bartlett, Pharm Stat 2022;21:1246-1257.
    """
    return _filled(people, fit, None)


def conditional_draws(people: RepeatedMeasures, fit: NormalFit, generator: np.random.Generator) -> Floats:
    """The same, but missing values drawn from their conditional distribution, independently in each of R fits."""
    return _filled(people, fit, generator.standard_normal((len(fit.covariance), *people.values.shape)))


def _filled(people: RepeatedMeasures, fit: NormalFit, normal: Floats | None) -> Floats:
    known = np.flatnonzero(np.isfinite(fit.log_likelihood))
    result = np.full((len(fit.covariance), *people.values.shape), np.nan)
    patterns, index = np.unique(people.seen, axis=0, return_inverse=True)
    covariance = fit.covariance[known][:, None]
    weights = covariance @ precisions(covariance, patterns)[0]
    means = marginal_means(people, fit)[known]
    residual = np.where(people.seen, people.values - means, 0.0)
    values = means
    spread = None if normal is None else _root(covariance - weights @ covariance)
    for p in range(len(patterns)):
        who = np.flatnonzero(index.ravel() == p)
        values[:, who] += residual[:, who] @ weights[:, p].swapaxes(1, 2)
        if spread is not None and normal is not None:
            values[:, who] += normal[np.ix_(known, who)] @ spread[:, p]
    result[known] = np.where(people.seen, people.values, values)
    return result


def _root(covariance: Floats) -> Floats:
    """The symmetric square root of (..., T, T), of less than full rank where values are known."""
    sizes, axes = np.linalg.eigh((covariance + covariance.swapaxes(-1, -2)) / 2)
    return (axes * np.sqrt(np.maximum(sizes, 0.0))[..., None, :]) @ axes.swapaxes(-1, -2)
