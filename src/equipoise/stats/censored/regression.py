"""Linear regression of normal values some of which are only known to lie below, above or between limits.

y = x'b + σe with standard normal e. An exact value contributes its density, a censored one the probability of its
interval (Tobin, Econometrica 1958;26:24-36; Amemiya, Econometrica 1973;41:997-1016). In b/σ and 1/σ the log-likelihood
is concave (Burridge, J R Stat Soc B 1981;43:41-45): there is one maximum or none. All trials are fitted at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from equipoise.stats.arrays import Codes, Counts, Flags, Floats, Texts, all_of, beside
from equipoise.stats.censored.ascent import Landscape, Places, Summit, Surface, ascend
from equipoise.stats.censored.terms import exactly_known, normal_terms
from equipoise.stats.least_squares import NO_SPREAD, blank, orthogonalise
from equipoise.stats.status import Status, first_of, texts
from equipoise.stats.student import Alternative, infer

Reference = Literal["t", "normal"]

NORMAL_DF = 1e10
"""Degrees of freedom at which t is normal to ten digits."""
NO_INFORMATION = 1e-9
"""A direction of the coefficients that holds less than this share of an exact value's information holds none."""
NO_RESIDUAL = -12.0
"""A fitted ln SD so far below that of the starting residuals is on its way to minus infinity."""


@dataclass(frozen=True, slots=True)
class CensoredFit:
    """A regression in each of R trials; NaN where the status says.

    coefficients:   (R, p), maximum likelihood.
    sd:             (R,) σ, maximum likelihood (its square is the sum of squares over n, where nothing is censored).
    covariance:     (R, p + 1, p + 1) of the coefficients and ln σ: the inverse of the observed information.
    log_likelihood: (R,).
    df:             (R,) n - p.
    n, censored:    (R,) values, and how many of them are not exact.
    residuals:      (R, n) E(e | what is known of the value), in units of σ; 0 outside ``included``. They are the scores
                    of a re-randomisation test (Chesher & Irish, J Econometrics 1987;34:33-61).
    """

    coefficients: Floats
    sd: Floats
    covariance: Floats
    log_likelihood: Floats
    df: Floats
    n: Counts
    censored: Counts
    residuals: Floats
    status: Codes

    @property
    def messages(self) -> Texts:
        """``ok`` or why numbers are missing, (R,)."""
        return texts(self.status)


@dataclass(frozen=True, slots=True)
class CensoredContrast:
    """A combination of coefficients in each of R trials; all (R,). The likelihood makes its interval approximate."""

    estimate: Floats
    standard_error: Floats
    df: Floats
    lower: Floats
    upper: Floats
    statistic: Floats
    p_value: Floats
    status: Codes

    @property
    def messages(self) -> Texts:
        """``ok`` or why numbers are missing, (R,)."""
        return texts(self.status)


def fit_censored(lower: Floats, upper: Floats, design: Floats, included: Flags) -> CensoredFit:
    """Maximum likelihood in every trial.

    lower, upper: (R, n) limits; equal for an exact value, -inf and inf where a side is open, so that a value below the
    limit of quantification has -inf and that limit. design: (R, n, p) or (n, p). included: (R, n) or (n,).
    ValueError: shapes that do not fit, or a mask that is not boolean.
    """
    if lower.shape != upper.shape:
        raise ValueError(f"lower limits {lower.shape} do not fit upper limits {upper.shape}")
    use = beside(lower, included)
    x = np.where(use[..., None], design, 0.0)
    n, p = use.sum(axis=1), x.shape[2]
    censored = (use & ~exactly_known(lower, upper)).sum(axis=1)
    status = _status_before(lower, upper, x, use)
    use = use & (status == Status.OK)[:, None]
    x = np.where(use[..., None] & np.isfinite(x), x, 0.0)
    low, high = np.where(use, lower, -np.inf), np.where(use, upper, np.inf)
    basis, factor, independent = orthogonalise(x)
    status = np.where((status == Status.OK) & ~independent, np.int8(Status.SINGULAR_DESIGN), status)
    start, scale, flat = _start(low, high, basis, use)
    status = np.where((status == Status.OK) & flat, np.int8(Status.CONSTANT_OUTCOME), status)
    shift = np.einsum("rnp,rp->rn", basis, start)
    low, high = ((limit - shift) / scale[:, None] for limit in (low, high))
    summit = ascend(_surface(low, high, basis), np.zeros((len(x), p + 1)))
    status = np.where((status == Status.OK) & _without_maximum(summit), np.int8(Status.NO_MAXIMUM), status)
    exact = exactly_known(low, high)
    fitted = status == Status.OK
    mean = np.einsum("rnp,rp->rn", basis, summit.point[:, :p])
    terms = normal_terms(low, high, mean, summit.point[:, p:])
    # Values were divided by the scale, which the density of an exact one feels.
    likelihood = summit.landscape.value - exact.sum(axis=1) * np.log(scale)
    return CensoredFit(
        coefficients=blank(np.einsum("rpq,rq->rp", factor, start + scale[:, None] * summit.point[:, :p]), fitted),
        sd=blank(scale * np.exp(summit.point[:, p]), fitted),
        covariance=blank(_covariance(summit, factor, scale, fitted), fitted),
        log_likelihood=blank(likelihood, fitted),
        df=blank((n - p).astype(np.float64), fitted),
        n=n,
        censored=censored,
        residuals=blank(np.where(use, terms.by_m * np.exp(summit.point[:, p:]), 0.0), fitted),
        status=status.astype(np.int8),
    )


def censored_contrast(
    fit: CensoredFit,
    weights: Floats,
    *,
    level: float = 0.95,
    reference: Reference = "t",
    alternative: Alternative = "two-sided",
) -> CensoredContrast:
    """The combination weights·b, weights (p,), by its standard error from the observed information.

    reference ``t``: t on n - p degrees of freedom, the standard error enlarged by √(n/(n - p)); without censoring this
    is analysis of covariance, exactly. ``normal``: neither, as large-sample theory has it; with twenty people it
    rejects too often. Both are approximate where values are censored: the test to rely on is by re-randomisation.
    ValueError: weights that do not fit, a level outside (0, 1), an unknown reference or alternative.
    """
    p, known = fit.coefficients.shape[1], fit.status == Status.OK
    covariance = fit.covariance[:, :p, :p]
    return contrast_of(
        fit.coefficients, covariance, fit.n, fit.df, known, fit.status, weights, level, reference, alternative
    )


def contrast_of(
    coefficients: Floats,
    covariance: Floats,
    n: Counts,
    df: Floats,
    known: Flags,
    status: Codes,
    weights: Floats,
    level: float,
    reference: Reference,
    alternative: Alternative,
) -> CensoredContrast:
    """The combination weights·b with its approximate interval; see ``censored_contrast``."""
    if reference not in get_args(Reference):
        raise ValueError(f"reference must be one of {get_args(Reference)}, not {reference!r}")
    w, p = np.asarray(weights, np.float64), coefficients.shape[1]
    if w.shape != (p,) or not w.any():
        raise ValueError(f"weights {w.shape} are no contrast of {p} coefficients")
    estimate = coefficients @ w
    error = np.sqrt(np.einsum("p,rpq,q->r", w, covariance, w))
    if reference == "t":
        error = error * np.sqrt(np.where(known, n, 1) / np.where(known, df, 1.0))
    else:
        df = np.where(known, NORMAL_DF, np.nan)
    found = infer(estimate, error, df, known, level=level, alternative=alternative)
    numbers = (found.lower, found.upper, found.statistic, found.p_value)
    return CensoredContrast(estimate, error, df, *numbers, status=status)


def _status_before(lower: Floats, upper: Floats, x: Floats, use: Flags) -> Codes:
    """What forbids a fit before it is tried."""
    n, p = use.sum(axis=1), x.shape[2]
    # Limits in the wrong order, NaN or two infinite ones say nothing about a value.
    open_side = ~np.isfinite(lower) | ~np.isfinite(upper)
    sound = ((lower < upper) & (np.isfinite(lower) | np.isfinite(upper))) | exactly_known(lower, upper)
    return first_of(
        {
            Status.NO_OBSERVATIONS: np.asarray(n == 0),
            Status.NOT_FINITE: ~(all_of(sound | ~use, 1) & all_of(np.isfinite(x), 1, 2)),
            Status.TOO_FEW_OBSERVATIONS: np.asarray(n <= p),
            Status.ALL_CENSORED: all_of(open_side | ~use, 1),
        }
    )


def _start(low: Floats, high: Floats, basis: Floats, use: Flags) -> tuple[Floats, Floats, Flags]:
    """Least squares, a limit or the middle of two standing in: effects, residual SD, and whether it is 0."""
    known_low, known_high = (np.where(np.isfinite(limit), limit, 0.0) for limit in (low, high))
    ends = np.isfinite(low).astype(np.float64) + np.isfinite(high)
    stand_in = np.where(use, (known_low + known_high) / np.maximum(ends, 1.0), 0.0)
    effects = np.einsum("rnp,rn->rp", basis, stand_in)
    residual = np.where(use, stand_in - np.einsum("rnp,rp->rn", basis, effects), 0.0)
    n, size = np.maximum(use.sum(axis=1), 1), np.linalg.norm(stand_in, axis=1)
    spread = np.linalg.norm(residual, axis=1)
    none = spread <= NO_SPREAD * size
    scale = np.where(none, np.where(size > 0, size, 1.0), spread) / np.sqrt(n)
    return effects, scale, none & all_of(~use | exactly_known(low, high), 1)


def _surface(all_low: Floats, all_high: Floats, bases: Floats) -> Surface:
    """The log-likelihood of the coefficients of the basis and ln σ."""
    p = bases.shape[2]

    def at(point: Floats, rows: Places) -> Landscape:
        low, high, basis = all_low[rows], all_high[rows], bases[rows]
        terms = normal_terms(low, high, np.einsum("rnp,rp->rn", basis, point[:, :p]), point[:, p:])
        gradient = np.empty_like(point)
        gradient[:, :p], gradient[:, p] = np.einsum("rnp,rn->rp", basis, terms.by_m), _total(terms.by_s, low, high)
        hessian = np.empty((*point.shape, p + 1))
        hessian[:, :p, :p] = np.einsum("rnp,rn,rnq->rpq", basis, terms.by_mm, basis)
        hessian[:, :p, p] = hessian[:, p, :p] = np.einsum("rnp,rn->rp", basis, terms.by_ms)
        hessian[:, p, p] = _total(terms.by_ss, low, high)
        return Landscape(_total(terms.value, low, high), gradient, hessian)

    return at


def _total(terms: Floats, low: Floats, high: Floats) -> Floats:
    """The sum over values of which anything is known."""
    return np.where(np.isfinite(low) | np.isfinite(high), terms, 0.0).sum(axis=1)


def _without_maximum(summit: Summit) -> Flags:
    """Whether the ascent went on towards infinity."""
    p = summit.point.shape[1] - 1
    log_sd = np.minimum(summit.point[:, p], 300.0)
    information = -summit.landscape.hessian[:, :p, :p] * np.exp(2 * log_sd)[:, None, None]
    least = np.linalg.eigvalsh(information).min(axis=1, initial=np.inf)
    return np.asarray(~summit.converged | (least < NO_INFORMATION) | (log_sd < NO_RESIDUAL))


def _covariance(summit: Summit, factor: Floats, scale: Floats, fitted: Flags) -> Floats:
    """Of the coefficients and ln σ, from that of the basis's coefficients in units of the scale."""
    p = factor.shape[1]
    information = np.where(fitted[:, None, None], -summit.landscape.hessian, np.eye(p + 1))
    back = np.zeros_like(information)
    back[:, :p, :p], back[:, p, p] = factor * scale[:, None, None], 1.0
    return back @ np.linalg.inv(information) @ back.swapaxes(1, 2)
