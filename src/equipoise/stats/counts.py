"""Rates of events that vary between people: negative binomial and quasi-Poisson regression with time at risk.

Counts y with mean mu = time exp(x'b) and variance mu + alpha mu² (negative binomial, NB2). The dispersion alpha
maximises the profile likelihood adjusted for the coefficients, l(b(alpha), alpha) - ½ log|X'WX|, W = mu/(1 + alpha mu)
(Cox & Reid, J R Stat Soc B 1987;49:1-39; for NB2 McCarthy, Chen & Smyth, Nucleic Acids Res 2012;40:4288). The
coefficients have the expected information's standard errors, with t on n - p degrees of freedom: with about twenty
people maximum likelihood and a normal reference reject too often. All trials are fitted at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from equipoise.stats.arrays import Codes, Flags, Floats, Texts, beside
from equipoise.stats.count_likelihood import (
    FAR,
    Counted,
    expected_information,
    gone,
    log_likelihood,
    maximise,
    maximise_dispersion,
    means,
)
from equipoise.stats.least_squares import blank, orthogonalise
from equipoise.stats.status import Status, first_of, texts
from equipoise.stats.student import Alternative, infer

Dispersion = Literal["cox-reid", "maximum-likelihood", "none"]
Reference = Literal["t", "normal"]
DOUBLINGS = 8
LIMIT = 1e-6
FAREST = 250.0
TINY = 1e-300
EXACT = 1e-20
"""A Pearson factor below this is rounding: the rates meet every count."""
NORMAL_DF = 1e10
"""Degrees of freedom at which t is normal to ten digits."""


@dataclass(frozen=True, slots=True)
class CountFit:
    """A regression in each of R trials; NaN where the status says.

    coefficients: (R, p). covariance: (R, p, p). dispersion: (R,) alpha, or the factor phi of a quasi-Poisson fit.
    log_likelihood: (R,) of the negative binomial or Poisson model; NaN for quasi-Poisson. df: (R,) n - p.
    """

    coefficients: Floats
    covariance: Floats
    dispersion: Floats
    log_likelihood: Floats
    df: Floats
    status: Codes

    @property
    def messages(self) -> Texts:
        """``ok`` or why numbers are missing, (R,)."""
        return texts(self.status)


@dataclass(frozen=True, slots=True)
class CountContrast:
    """A combination of coefficients in each of R trials, on the ln scale; all (R,)."""

    estimate: Floats
    standard_error: Floats
    df: Floats
    lower: Floats
    upper: Floats
    p_value: Floats
    status: Codes

    @property
    def messages(self) -> Texts:
        """``ok`` or why numbers are missing, (R,)."""
        return texts(self.status)


def fit_negative_binomial(
    counts: Floats, time: Floats, design: Floats, included: Flags, *, dispersion: Dispersion = "cox-reid"
) -> CountFit:
    """Fit NB2 in every trial.

    counts: (R, n) whole numbers of events. time: (R, n) at risk, in the unit that rates are wanted in.
    design: (R, n, p). included: (R, n).
    dispersion: ``maximum-likelihood`` leaves out the adjustment; ``none`` is Poisson regression.
    ValueError: an unknown dispersion, counts that are negative or no whole numbers, a mask that is not boolean.
    """
    if dispersion not in get_args(Dispersion):
        raise ValueError(f"dispersion must be one of {get_args(Dispersion)}, not {dispersion!r}")
    data, factor, status, df = _prepared(counts, time, design, included)
    alpha, found = np.zeros(len(status)), np.ones(len(status), np.bool_)
    if dispersion != "none":
        alpha, found = maximise_dispersion(data, adjusted=dispersion == "cox-reid")
    b, rested = maximise(data, alpha)
    mean = means(data, b)
    inverse = np.asarray(np.linalg.inv(expected_information(data, mean, alpha)), np.float64)
    status = _after(status, data, b, found & rested)
    return _fit(factor, b, inverse, alpha, log_likelihood(data, mean, alpha), df, status)


def fit_quasi_poisson(counts: Floats, time: Floats, design: Floats, included: Flags) -> CountFit:
    """Poisson means whose variance is phi times as large, phi by Pearson's statistic over n - p; shapes as above.

    McCullagh & Nelder, Generalized Linear Models, 1989, section 6.2.3.
    """
    data, factor, status, df = _prepared(counts, time, design, included)
    alpha = np.zeros(len(status))
    b, rested = maximise(data, alpha)
    mean = means(data, b)
    pearson = (data.w * (data.y - mean) ** 2 / mean).sum(axis=1)
    phi = pearson / np.maximum(df, 1.0)
    inverse = np.linalg.inv(expected_information(data, mean, alpha))
    covariance = np.asarray(phi[:, None, None] * inverse, np.float64)
    status = _after(status, data, b, rested)
    exact = (status == Status.OK) & (phi <= EXACT * np.maximum(data.y.max(axis=1, initial=0.0), 1.0))
    status = np.where(exact, np.int8(Status.CONSTANT_OUTCOME), status).astype(np.int8)
    return _fit(factor, b, covariance, phi, np.full(len(phi), np.nan), df, status)


def count_contrast(
    fit: CountFit,
    weights: Floats,
    *,
    level: float = 0.95,
    reference: Reference = "t",
    alternative: Alternative = "two-sided",
) -> CountContrast:
    """The combination weights·b, weights (p,), with t on n - p degrees of freedom or a normal reference.

    ValueError: weights that do not fit or are all 0, a level outside (0, 1), an unknown reference or alternative.
    """
    if reference not in get_args(Reference):
        raise ValueError(f"reference must be one of {get_args(Reference)}, not {reference!r}")
    w = np.asarray(weights, np.float64)
    if w.shape != fit.coefficients.shape[1:]:
        raise ValueError(f"weights of {w.shape} do not fit {fit.coefficients.shape[1]} coefficients")
    if not w.any():
        raise ValueError("a contrast whose weights are all 0 says nothing")
    estimate = fit.coefficients @ w
    error = np.sqrt(np.einsum("p,rpq,q->r", w, fit.covariance, w))
    testable = fit.status == Status.OK
    df = fit.df if reference == "t" else np.where(testable, NORMAL_DF, np.nan)
    found = infer(estimate, error, df, testable, level=level, alternative=alternative)
    return CountContrast(estimate, error, df, found.lower, found.upper, found.p_value, fit.status)


def likelihood_ratio(
    counts: Floats, time: Floats, design: Floats, included: Flags, column: int, *, null: float | Floats = 0.0
) -> Floats:
    """The p-value (R,) that a coefficient is ``null`` (a number or (R,)), by twice the rise of the NB2 likelihood.

    Both likelihoods have their own dispersion, and the reference is chi-squared with 1 degree of freedom. With about
    twenty people it rejects too often: a foil for what is reported, and what a profile-likelihood interval rests on.
    NaN where `fit_negative_binomial` has a status. ValueError: as there.
    """
    free = fit_negative_binomial(counts, time, design, included, dispersion="maximum-likelihood")
    return _rejected(free, counts, time, design, included, column, null)


def profile_limits(
    counts: Floats, time: Floats, design: Floats, included: Flags, column: int, *, level: float = 0.95
) -> tuple[Floats, Floats]:
    """The values of a coefficient that `likelihood_ratio` does not reject lie between these limits, (R,) each.

    Found by halving between the estimate and a value that is rejected, to 1e-6. Infinite where no value up to 500
    standard errors away is rejected; NaN where there is no fit, or none at some value that had to be tried.
    """
    fit = fit_negative_binomial(counts, time, design, included, dispersion="maximum-likelihood")
    centre = np.nan_to_num(fit.coefficients[:, column])
    width = 2 * np.nan_to_num(np.sqrt(fit.covariance[:, column, column]), nan=1.0)
    limits: list[Floats] = []
    for side in (-1.0, 1.0):
        inside, outside = centre.copy(), centre + side * width
        lost = fit.status != Status.OK
        for _ in range(DOUBLINGS):
            p_value = _rejected(fit, counts, time, design, included, column, outside)
            near, lost = p_value > 1 - level, lost | np.isnan(p_value)
            if not near.any():
                break
            inside, outside = np.where(near, outside, inside), np.where(near, centre + 2 * (outside - centre), outside)
        else:
            p_value = _rejected(fit, counts, time, design, included, column, outside)
            near, lost = p_value > 1 - level, lost | np.isnan(p_value)
        endless = near
        while np.abs(outside - inside).max(initial=0.0, where=~endless & ~lost) > LIMIT:
            middle = (inside + outside) / 2
            p_value = _rejected(fit, counts, time, design, included, column, middle)
            kept, lost = p_value > 1 - level, lost | np.isnan(p_value)
            inside, outside = np.where(kept, middle, inside), np.where(kept, outside, middle)
        limit = np.where(endless, side * np.inf, (inside + outside) / 2)
        limits.append(np.where(lost, np.nan, limit))
    return limits[0], limits[1]


def _rejected(
    free: CountFit,
    counts: Floats,
    time: Floats,
    design: Floats,
    included: Flags,
    column: int,
    null: float | Floats,
) -> Floats:
    """The p-value (R,) of a coefficient's value, given the fit in which it is free."""
    from scipy.special import gammaincc

    x = np.broadcast_to(design, (*np.shape(counts), design.shape[-1]))
    shift = np.exp(np.clip(np.nan_to_num(x[..., column]) * np.reshape(null, (-1, 1)), -FAREST, FAREST))
    rest = np.delete(x, column, axis=2)
    held = fit_negative_binomial(counts, time * shift, rest, included, dispersion="maximum-likelihood")
    rise = 2 * np.maximum(free.log_likelihood - held.log_likelihood, 0.0)
    return np.where(np.isnan(rise), np.nan, gammaincc(0.5, np.nan_to_num(rise) / 2))


def _prepared(counts: Floats, time: Floats, design: Floats, included: Flags) -> tuple[Counted, Floats, Codes, Floats]:
    """The data with harmless numbers where nothing can be fitted, T⁻¹ of X = Q T, the status so far, and n - p."""
    y, t = np.asarray(counts, np.float64), np.asarray(time, np.float64)
    use = beside(y, np.asarray(included))
    x = np.broadcast_to(np.asarray(design, np.float64), (*y.shape, design.shape[-1]))
    if (y[use] < 0).any():
        raise ValueError("a number of events cannot be negative")
    if (y[use & np.isfinite(y)] % 1 != 0).any():
        raise ValueError("a number of events is a whole number: a share or a mean has no place in this model")
    whole = np.isfinite(y) & np.isfinite(t) & np.isfinite(x).all(axis=2)
    n, p = use.sum(axis=1), x.shape[2]
    basis, factor, independent = orthogonalise(np.where((use & whole)[..., None], x, 0.0))
    status = first_of(
        {
            Status.NO_OBSERVATIONS: np.asarray(n == 0),
            Status.NO_EXPOSURE: np.asarray((use & (t <= 0)).any(axis=1)),
            Status.NOT_FINITE: np.asarray((use & ~whole).any(axis=1)),
            Status.SINGULAR_DESIGN: ~independent,
            Status.TOO_FEW_OBSERVATIONS: np.asarray(n <= p),
            Status.NO_EVENTS: np.asarray(np.where(use, np.nan_to_num(y), 0.0).sum(axis=1) == 0),
        }
    )
    fine = use & (status == Status.OK)[:, None]
    events, years = np.where(fine, y, 0.0), np.where(fine, t, 1.0)
    pooled = np.log(np.maximum(events.sum(axis=1), 1.0) / np.maximum((fine * years).sum(axis=1), TINY))
    basis = np.where(fine[..., None], basis, 0.0)
    data = Counted(events, np.log(years), basis, fine.astype(np.float64), pooled - FAR)
    return data, factor, status, (n - p).astype(np.float64)


def _after(status: Codes, data: Counted, b: Floats, found: Flags) -> Codes:
    """The status once fitted: a rate that runs to 0 has no finite estimate."""
    wrong = np.where(gone(data, b), np.int8(Status.SEPARATED), np.int8(Status.NOT_CONVERGED))
    return np.where((status == Status.OK) & (gone(data, b) | ~found), wrong, status).astype(np.int8)


def _fit(
    factor: Floats,
    b: Floats,
    inverse: Floats,
    dispersion: Floats,
    log_likelihoods: Floats,
    df: Floats,
    status: Codes,
) -> CountFit:
    """What was found in terms of the basis, in those of the design's columns."""
    known = np.asarray(status == Status.OK)
    return CountFit(
        coefficients=blank(np.einsum("rpq,rq->rp", factor, b), known),
        covariance=blank(factor @ inverse @ factor.swapaxes(1, 2), known),
        dispersion=blank(dispersion, known),
        log_likelihood=blank(log_likelihoods, known),
        df=blank(df, known),
        status=status,
    )
