"""Controlled imputation for counts: events in the time that nobody observed, under a stated rate.

Keene, Roger, Hartley & Kenward, Pharm Stat 2014;13:258-264. A person's own rate is gamma distributed about the arm's,
so that given y events in the observed time the events in the unobserved time are negative binomial again, with a mean
that the person's own count has pulled up or down. They may run at the own arm's rate (missing at random), at the
reference arm's from then on (jump to reference), or as if the person had been in the reference arm throughout (copy
reference). A factor multiplies the imputed rate (a delta on the ln scale).

Parameters are drawn from their posterior distribution: ln of the dispersion from the likelihood with the coefficients
integrated out (Laplace's approximation: the Cox-Reid adjusted profile, J R Stat Soc B 1987;49:1-39) and a flat prior
on the standard deviation of the people's rates (Gelman, Bayesian Anal 2006;1:515-534); coefficients from the normal
distribution about their best values at that dispersion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from equipoise.stats.ancova import ancova_design, difference_weights
from equipoise.stats.arrays import Counts, Flags, Floats
from equipoise.stats.counts import count_contrast, fit_negative_binomial
from equipoise.stats.imputation.draws import too_many_failed
from equipoise.stats.imputation.rubin import pool
from equipoise.stats.status import Status
from equipoise.stats.student import Alternative, infer

RateStrategy = Literal["missing-at-random", "jump-to-reference", "copy-reference"]
GRID = np.linspace(-9.0, 4.0, 131)
"""ln of the dispersion. Below it the counts are Poisson to all purposes, above it a person has hardly any own rate."""
SCORING = 100
LARGEST_STEP = 2.0
AT_REST = 1e-10
LARGEST_MEAN = 1e9
"""More events than anybody can count; the draw then fails, not the generator."""


@dataclass(frozen=True, slots=True)
class ImputedRates:
    """ln of the ratio of the rates, active by reference arm, over the planned time; NaN where the status says.

    draws: completed data sets used. failed: draws that could not be analysed. carried: (arms,) people with unobserved
    time. added: (arms,) events imputed, on average of the draws.
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
    added: Floats
    status: Status

    @property
    def message(self) -> str:
        """``ok`` or why numbers are missing."""
        return self.status.text


@dataclass(frozen=True, slots=True)
class CountedPeople:
    """Arms (n,), counts (n,) in observed time (n,), unobserved time (n,).

    own: (n, p) the design. jumped: (n, p) the same as if everybody were in the reference arm.
    """

    arm: np.ndarray
    events: Floats
    time: Floats
    unobserved: Floats
    own: Floats
    jumped: Floats

    def carried(self, arms: int) -> Counts:
        """How many people of each arm, (arms,), have unobserved time."""
        return np.bincount(self.arm[self.unobserved > 0], minlength=arms).astype(np.int64)


@dataclass(frozen=True, slots=True)
class RatePosterior:
    """Draws of the dispersion (m,) and the coefficients (m, p)."""

    dispersion: Floats
    coefficients: Floats


def controlled_rates(
    counts: Floats,
    observed: Floats,
    planned: Floats,
    arm: np.ndarray,
    covariates: Floats | None,
    generator: np.random.Generator,
    *,
    arms: int = 2,
    active: int = 1,
    reference: int = 0,
    strategy: RateStrategy = "jump-to-reference",
    factor: Floats | float = 1.0,
    draws: int = 200,
    level: float = 0.95,
    alternative: Alternative = "two-sided",
) -> ImputedRates:
    """Impute the events of the unobserved time, fit the negative binomial in each draw, pool by Rubin's rules.

    counts: (n,) events in ``observed`` (n,) time at risk of ``planned`` (n,), in one unit; without observed time
    a count is 0. arm: (n,). covariates: (n, k) or None. factor: of the imputed rate, one or (arms,).
    The status is UNRELIABLE, without numbers, where more than 1 % of the draws cannot be analysed.
    ValueError: shapes that do not fit, an unknown arm or strategy, time observed beyond the plan, a count without
    time, a factor that is not positive, fewer than two draws.
    """
    people = _people(counts, observed, planned, arm, covariates, arms, reference)
    factors = np.broadcast_to(np.asarray(factor, np.float64), (arms,))
    if strategy not in get_args(RateStrategy) or not (np.isfinite(factors) & (factors > 0)).all() or draws < 2:
        raise ValueError(f"strategy {strategy!r}, factor {factor} and {draws} draws are not all possible")
    weights = difference_weights(active, reference, people.own.shape[1])
    told = people.time > 0
    first = fit_negative_binomial(people.events[None], people.time[None], people.own[None], told[None])
    if first.status[0] != Status.OK:
        return _no_rates(people, arms, Status(first.status[0]))
    posterior = rate_posterior(people.events[told], people.time[told], people.own[told], draws, generator)
    added = imputed_events(people, posterior, strategy, factors[people.arm], generator)
    estimates, variances, good = _analysed(people, added, weights)
    failed = int(draws - good.sum())
    if too_many_failed(failed, draws):
        return _no_rates(people, arms, Status.UNRELIABLE, draws - failed, failed)
    n, p = people.own.shape
    pooled = pool(estimates[good], variances[good], float(n - p))
    numbers = (np.array(number) for number in (pooled.estimate, pooled.standard_error, pooled.df, True))
    found = infer(*numbers, level=level, alternative=alternative)
    return ImputedRates(
        estimate=pooled.estimate,
        standard_error=pooled.standard_error,
        df=pooled.df,
        lower=float(found.lower),
        upper=float(found.upper),
        statistic=float(found.statistic),
        p_value=float(found.p_value),
        draws=draws - failed,
        failed=failed,
        carried=people.carried(arms),
        added=np.equal.outer(np.arange(arms), people.arm) @ added[good].mean(axis=0),
        status=Status.OK,
    )


def _people(
    counts: Floats,
    observed: Floats,
    planned: Floats,
    arm: np.ndarray,
    covariates: Floats | None,
    arms: int,
    reference: int,
) -> CountedPeople:
    """The people, checked, with their designs; covariates less their means."""
    y, t, plan = (np.asarray(values, np.float64) for values in (counts, observed, planned))
    n, a = len(y), np.asarray(arm)
    z = np.zeros((n, 0)) if covariates is None else np.asarray(covariates, np.float64)
    if not y.shape == t.shape == plan.shape == a.shape == (n,) or z.ndim != 2 or len(z) != n:
        raise ValueError("counts, times, arms and covariates must be of the same people")
    if not (0 <= reference < arms and ((a >= 0) & (a < arms)).all()):
        raise ValueError(f"an arm lies between 0 and {arms - 1}")
    if not ((t >= 0) & (plan >= t) & (plan > 0)).all() or ((y > 0) & (t == 0)).any():
        raise ValueError("time is observed within the plan, and events within observed time")
    if (y[np.isfinite(y)] % 1 != 0).any():
        raise ValueError("a number of events is a whole number")
    centred = z - z.mean(axis=0) if n else z
    own = ancova_design(a[None], centred, arms)[0]
    jumped = ancova_design(np.full((1, n), reference), centred, arms)[0]
    return CountedPeople(a, np.where(t > 0, y, 0.0), t, plan - t, own, jumped)


def rate_posterior(y: Floats, t: Floats, x: Floats, draws: int, generator: np.random.Generator) -> RatePosterior:
    """Draws of the parameters given the observed counts."""
    alpha = np.exp(GRID)
    b, information = _scored(y, t, x, alpha)
    profile = _log_likelihood(y, t, x, b, alpha) - np.linalg.slogdet(information)[1] / 2
    # A flat prior on the standard deviation, √alpha, has the density √alpha in ln alpha.
    height = profile + GRID / 2
    share = np.exp(height - height.max())
    place = generator.choice(len(GRID), size=draws, p=share / share.sum())
    root = np.linalg.cholesky(np.linalg.inv(information))[place]
    deviation = np.einsum("mpq,mq->mp", root, generator.standard_normal((draws, x.shape[1])))
    return RatePosterior(alpha[place], b[place] + deviation)


def _scored(y: Floats, t: Floats, x: Floats, alpha: Floats) -> tuple[Floats, Floats]:
    """The best coefficients (G, p) at each dispersion (G,), and their information (G, p, p), by Fisher scoring."""
    b = np.zeros((len(alpha), x.shape[1]))
    b[:, 0] = np.log(y.sum() / t.sum())
    for _ in range(SCORING):
        mean = t * np.exp(b @ x.T)
        information = np.einsum("gn,np,nq->gpq", mean / (1 + alpha[:, None] * mean), x, x)
        score = ((y - mean) / (1 + alpha[:, None] * mean)) @ x
        step = np.linalg.solve(information, score[..., None])[..., 0]
        length = np.abs(step).max(axis=1)
        if length.max() < AT_REST:
            break
        b = b + step * np.minimum(1.0, LARGEST_STEP / np.maximum(length, AT_REST))[:, None]
    mean = t * np.exp(b @ x.T)
    return b, np.einsum("gn,np,nq->gpq", mean / (1 + alpha[:, None] * mean), x, x)


def _log_likelihood(y: Floats, t: Floats, x: Floats, b: Floats, alpha: Floats) -> Floats:
    """Of the negative binomial at each dispersion, (G,), less what does not depend on it."""
    from scipy.special import gammaln

    size, mean = 1 / alpha[:, None], t * np.exp(b @ x.T)
    terms = gammaln(y + size) - gammaln(size) + y * np.log(mean / (size + mean)) - size * np.log1p(mean / size)
    return terms.sum(axis=1)


def imputed_events(
    people: CountedPeople,
    posterior: RatePosterior,
    strategy: RateStrategy,
    factor: Floats,
    generator: np.random.Generator,
) -> Floats:
    """Events of the unobserved time, (m, n): Poisson with the person's own rate, given what was counted.

    factor: (n,) of the imputed rate.
    """
    own = np.exp(np.clip(posterior.coefficients @ people.own.T, -700, 60))
    jumped = np.exp(np.clip(posterior.coefficients @ people.jumped.T, -700, 60))
    past = jumped if strategy == "copy-reference" else own
    future = own if strategy == "missing-at-random" else jumped
    size = 1 / posterior.dispersion[:, None]
    # A gamma variate of mean 1 and variance alpha, given y events where time · past rate were expected.
    multiplier = generator.gamma(size + people.events) / (size + people.time * past)
    expected = np.minimum(multiplier * future * factor * people.unobserved, LARGEST_MEAN)
    return generator.poisson(expected).astype(np.float64)


def _analysed(people: CountedPeople, added: Floats, weights: Floats) -> tuple[Floats, Floats, Flags]:
    """The contrast, its variance, and whether it can be used, in each completed data set (m,)."""
    planned = np.broadcast_to(people.time + people.unobserved, added.shape)
    design = np.broadcast_to(people.own, (len(added), *people.own.shape))
    fit = fit_negative_binomial(people.events + added, planned, design, np.ones(added.shape, np.bool_))
    found = count_contrast(fit, weights)
    good = (fit.status == Status.OK) & np.isfinite(found.standard_error)
    return found.estimate, found.standard_error**2, np.asarray(good)


def _no_rates(people: CountedPeople, arms: int, status: Status, draws: int = 0, failed: int = 0) -> ImputedRates:
    gone, nobody = np.nan, np.full(arms, np.nan)
    carried = people.carried(arms)
    return ImputedRates(gone, gone, gone, gone, gone, gone, gone, draws, failed, carried, nobody, status)
