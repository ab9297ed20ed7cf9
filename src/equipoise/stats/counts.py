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

from equipoise.stats.arrays import Codes, Flags, Floats, Texts
from equipoise.stats.status import Status, first_of, texts
from equipoise.stats.student import Alternative, infer

Dispersion = Literal["cox-reid", "maximum-likelihood", "none"]
Reference = Literal["t", "normal"]
LOG_GRID = np.linspace(-7.0, 5.0, 25)
"""ln alpha at which the profile is looked at first; between 0 (Poisson) and the first of them nobody can tell."""
STEPS = 60
"""Halvings by the golden section: they leave a 1e-12th of the distance of two points of the grid."""
NEWTON = 60
LARGEST_STEP = 4.0
SMALL = 1e-12
FAR = 25.0
"""A fitted ln rate so far from the pooled one is on its way to minus infinity."""
GOLDEN = (np.sqrt(5) - 1) / 2
DOUBLINGS = 8
LIMIT = 1e-6
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


@dataclass(frozen=True, slots=True)
class _Data:
    """Counts, ln time, design, and weights 1 or 0, of the trials that can be fitted."""

    y: Floats
    offset: Floats
    x: Floats
    w: Floats


def fit_negative_binomial(
    counts: Floats, time: Floats, design: Floats, included: Flags, *, dispersion: Dispersion = "cox-reid"
) -> CountFit:
    """Fit NB2 in every trial.

    counts: (R, n) whole numbers of events. time: (R, n) at risk, in the unit that rates are wanted in.
    design: (R, n, p). included: (R, n).
    dispersion: ``maximum-likelihood`` leaves out the adjustment; ``none`` is Poisson regression.
    ValueError: an unknown dispersion, or counts that are negative.
    """
    if dispersion not in get_args(Dispersion):
        raise ValueError(f"dispersion must be one of {get_args(Dispersion)}, not {dispersion!r}")
    data, status, df = _prepared(counts, time, design, included)
    adjusted = dispersion == "cox-reid"
    alpha = np.zeros(len(status)) if dispersion == "none" else _dispersion(data, adjusted=adjusted)
    coefficients, converged = _coefficients(data, alpha)
    mean = _mean(data, coefficients)
    information = _information(data, mean, alpha)
    log_likelihood = _log_likelihood(data, mean, alpha)
    status = _after(status, data, coefficients, converged)
    return _fit(coefficients, _inverse(information), alpha, log_likelihood, df, status)


def fit_quasi_poisson(counts: Floats, time: Floats, design: Floats, included: Flags) -> CountFit:
    """Poisson means whose variance is phi times as large, phi by Pearson's statistic over n - p; shapes as above.

    McCullagh & Nelder, Generalized Linear Models, 1989, section 6.2.3.
    """
    data, status, df = _prepared(counts, time, design, included)
    alpha = np.zeros(len(status))
    coefficients, converged = _coefficients(data, alpha)
    mean = _mean(data, coefficients)
    pearson = (data.w * (data.y - mean) ** 2 / np.maximum(mean, SMALL)).sum(axis=1)
    phi = pearson / np.maximum(df, 1.0)
    covariance = phi[:, None, None] * _inverse(_information(data, mean, alpha))
    status = _after(status, data, coefficients, converged)
    return _fit(coefficients, covariance, phi, np.full(len(phi), np.nan), df, status)


def count_contrast(
    fit: CountFit,
    weights: Floats,
    *,
    level: float = 0.95,
    reference: Reference = "t",
    alternative: Alternative = "two-sided",
) -> CountContrast:
    """The combination weights·b, weights (p,), with t on n - p degrees of freedom or a normal reference.

    ValueError: a level outside (0, 1), an unknown reference or alternative.
    """
    if reference not in get_args(Reference):
        raise ValueError(f"reference must be one of {get_args(Reference)}, not {reference!r}")
    w = np.asarray(weights, np.float64)
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
    from scipy.special import gammaincc

    free = fit_negative_binomial(counts, time, design, included, dispersion="maximum-likelihood")
    x = np.broadcast_to(design, (*np.shape(counts), design.shape[-1]))
    shift = np.exp(np.nan_to_num(x[..., column]) * np.reshape(null, (-1, 1)))
    rest = np.delete(x, column, axis=2)
    held = fit_negative_binomial(counts, time * shift, rest, included, dispersion="maximum-likelihood")
    rise = 2 * np.maximum(free.log_likelihood - held.log_likelihood, 0.0)
    return np.where(np.isnan(rise), np.nan, gammaincc(0.5, np.nan_to_num(rise) / 2))


def profile_limits(
    counts: Floats, time: Floats, design: Floats, included: Flags, column: int, *, level: float = 0.95
) -> tuple[Floats, Floats]:
    """The values of a coefficient that `likelihood_ratio` does not reject lie between these limits, (R,) each.

    Found by halving between the estimate and a value that is rejected, to 1e-6. NaN where there is no fit.
    """
    fit = fit_negative_binomial(counts, time, design, included, dispersion="maximum-likelihood")
    centre = np.nan_to_num(fit.coefficients[:, column])
    width = 2 * np.nan_to_num(np.sqrt(fit.covariance[:, column, column]), nan=1.0)
    limits: list[Floats] = []
    for side in (-1.0, 1.0):
        inside, outside = centre.copy(), centre + side * width
        for _ in range(DOUBLINGS):
            near = likelihood_ratio(counts, time, design, included, column, null=outside) > 1 - level
            if not near.any():
                break
            inside, outside = np.where(near, outside, inside), np.where(near, centre + 2 * (outside - centre), outside)
        while np.abs(outside - inside).max(initial=0.0) > LIMIT:
            middle = (inside + outside) / 2
            kept = likelihood_ratio(counts, time, design, included, column, null=middle) > 1 - level
            inside, outside = np.where(kept, middle, inside), np.where(kept, outside, middle)
        limits.append(np.where(fit.status == Status.OK, (inside + outside) / 2, np.nan))
    return limits[0], limits[1]


def _prepared(counts: Floats, time: Floats, design: Floats, included: Flags) -> tuple[_Data, Codes, Floats]:
    """The data with harmless numbers where nothing can be fitted, the status so far, and n - p."""
    y, t, use = np.asarray(counts, np.float64), np.asarray(time, np.float64), np.asarray(included, np.bool_)
    x = np.broadcast_to(np.asarray(design, np.float64), (*y.shape, design.shape[-1]))
    if (y[use] < 0).any():
        raise ValueError("a number of events cannot be negative")
    whole = np.isfinite(y) & np.isfinite(t) & (t > 0) & np.isfinite(x).all(axis=2)
    n, p = use.sum(axis=1), x.shape[2]
    rank = np.linalg.matrix_rank(np.where((use & whole)[..., None], x, 0.0)) if len(y) else np.zeros(0)
    status = first_of(
        {
            Status.NO_OBSERVATIONS: np.asarray(n == 0),
            Status.NO_EXPOSURE: np.asarray((use & ~(t > 0)).any(axis=1)),
            Status.NOT_FINITE: np.asarray((use & ~whole).any(axis=1)),
            Status.SINGULAR_DESIGN: np.asarray(rank < p),
            Status.TOO_FEW_OBSERVATIONS: np.asarray(n <= p),
            Status.NO_EVENTS: np.asarray(np.where(use, np.nan_to_num(y), 0.0).sum(axis=1) == 0),
        }
    )
    fine = use & (status == Status.OK)[:, None]
    stand_in = np.zeros(p)
    data = _Data(
        y=np.where(fine, y, 0.0),
        offset=np.log(np.where(fine, t, 1.0)),
        x=np.where(fine[..., None], x, stand_in),
        w=fine.astype(np.float64),
    )
    return data, status, (n - p).astype(np.float64)


def _mean(data: _Data, coefficients: Floats) -> Floats:
    return np.exp(np.clip(data.offset + np.einsum("rnp,rp->rn", data.x, coefficients), -700, 700))


def _information(data: _Data, mean: Floats, alpha: Floats) -> Floats:
    """X'WX, (R, p, p)."""
    weight = data.w * mean / (1 + alpha[:, None] * mean)
    return np.einsum("rnp,rn,rnq->rpq", data.x, weight, data.x)


def _inverse(matrices: Floats) -> Floats:
    """(R, p, p), symmetric; of a singular one the pseudo-inverse, whose trial has a status."""
    return np.asarray(np.linalg.pinv(matrices, hermitian=True), np.float64)


def _start(data: _Data) -> Floats:
    """Least squares of the ln rate, with half an event added."""
    z = np.log(data.y + 0.5) - data.offset
    gram = np.einsum("rnp,rn,rnq->rpq", data.x, data.w, data.x)
    return np.einsum("rpq,rnq,rn->rp", _inverse(gram), data.x, data.w * z)


def _coefficients(data: _Data, alpha: Floats, start: Floats | None = None) -> tuple[Floats, Flags]:
    """Fisher scoring at a given dispersion, (R, p), and whether each trial's has come to rest."""
    b = _start(data) if start is None else start
    active = np.asarray(data.w.any(axis=1))
    for _ in range(NEWTON):
        mean = _mean(data, b)
        score = np.einsum("rnp,rn->rp", data.x, data.w * (data.y - mean) / (1 + alpha[:, None] * mean))
        step = np.einsum("rpq,rq->rp", _inverse(_information(data, mean, alpha)), score)
        length = np.abs(step).max(axis=1, initial=0.0)
        b = b + step * np.minimum(1.0, LARGEST_STEP / np.maximum(length, SMALL))[:, None]
        active = np.asarray(length > SMALL * (1 + np.abs(b).max(axis=1, initial=0.0)))
        if not active.any():
            break
    return b, ~active


def _log_likelihood(data: _Data, mean: Floats, alpha: Floats) -> Floats:
    """(R,) of NB2; of Poisson where alpha is 0."""
    from scipy.special import gammaln, xlogy

    a = alpha[:, None]
    size = 1 / np.where(a > 0, a, 1.0)
    spread = gammaln(data.y + size) - gammaln(size) + xlogy(data.y, a * mean) - (data.y + size) * np.log1p(a * mean)
    term = np.where(a > 0, spread, xlogy(data.y, mean) - mean) - gammaln(data.y + 1)
    return (data.w * term).sum(axis=1)


def _profile(data: _Data, alpha: Floats, start: Floats | None, *, adjusted: bool) -> tuple[Floats, Floats]:
    """The (adjusted) profile likelihood at a dispersion, (R,), and the coefficients there."""
    b, _ = _coefficients(data, alpha, start)
    mean = _mean(data, b)
    value = _log_likelihood(data, mean, alpha)
    if adjusted:
        value = value - np.linalg.slogdet(_information(data, mean, alpha) + _idle(data))[1] / 2
    return value, b


def _idle(data: _Data) -> Floats:
    """A unit matrix for trials that are not fitted, so that their determinant is no zero."""
    return np.where(np.asarray(data.w.any(axis=1))[:, None, None], 0.0, np.eye(data.x.shape[2]))


def _dispersion(data: _Data, *, adjusted: bool) -> Floats:
    """The alpha that maximises the profile, (R,); 0 where the Poisson model is as likely as any."""
    trials = len(data.y)
    if not trials:
        return np.zeros(0)
    best, b = _profile(data, np.zeros(trials), None, adjusted=adjusted)
    place = np.full(trials, -1)
    for number, log_alpha in enumerate(LOG_GRID):
        value, b = _profile(data, np.full(trials, np.exp(log_alpha)), b, adjusted=adjusted)
        better = value > best
        best, place = np.where(better, value, best), np.where(better, number, place)
    width = LOG_GRID[1] - LOG_GRID[0]
    centre = LOG_GRID[np.maximum(place, 0)]
    low, high = centre - width, centre + width
    inner, outer = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    left, b = _profile(data, np.exp(inner), b, adjusted=adjusted)
    right, b = _profile(data, np.exp(outer), b, adjusted=adjusted)
    for _ in range(STEPS):
        lower_half = left > right
        low, high = np.where(lower_half, low, inner), np.where(lower_half, outer, high)
        fresh = np.where(lower_half, high - GOLDEN * (high - low), low + GOLDEN * (high - low))
        value, b = _profile(data, np.exp(fresh), b, adjusted=adjusted)
        inner, outer = np.where(lower_half, fresh, outer), np.where(lower_half, inner, fresh)
        left, right = np.where(lower_half, value, right), np.where(lower_half, left, value)
        if (high - low).max() < 1e-9:
            break
    return np.where(place >= 0, np.exp((low + high) / 2), 0.0)


def _after(status: Codes, data: _Data, coefficients: Floats, converged: Flags) -> Codes:
    """The status once fitted: a rate that runs to 0 has no finite estimate."""
    rate = np.einsum("rnp,rp->rn", data.x, coefficients)
    events, time = (data.w * data.y).sum(axis=1), (data.w * np.exp(data.offset)).sum(axis=1)
    pooled = np.log(np.maximum(events, 1.0) / np.maximum(time, SMALL))
    far = (data.w * (rate < (pooled - FAR)[:, None])).any(axis=1)
    separated = (status == Status.OK) & (far | ~converged)
    return np.where(separated, np.int8(Status.SEPARATED), status).astype(np.int8)


def _fit(
    coefficients: Floats, covariance: Floats, dispersion: Floats, log_likelihood: Floats, df: Floats, status: Codes
) -> CountFit:
    known = status == Status.OK
    return CountFit(
        coefficients=np.where(known[:, None], coefficients, np.nan),
        covariance=np.where(known[:, None, None], covariance, np.nan),
        dispersion=np.where(known, dispersion, np.nan),
        log_likelihood=np.where(known, log_likelihood, np.nan),
        df=np.where(known, df, np.nan),
        status=status,
    )
