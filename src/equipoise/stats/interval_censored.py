"""Time until an event that is only seen at visits: grouped proportional hazards by the complementary log-log.

An event found at one visit and absent at the one before happened in between. With hazards that are proportional in
continuous time, the chance of the event in interval j, among those without it at its start, is 1 - exp(-H), where
ln H = g_j + x'b: b is the ln hazard ratio of the continuous time, and g_j is free (Prentice & Gloeckler, Biometrics
1978;34:57-67). Someone who missed visits has an interval that spans several; then H is the sum over these. All trials
are fitted at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.stats.arrays import Codes, Counts, Flags, Floats, Texts
from equipoise.stats.censored.ascent import Landscape, Places, Surface, ascend
from equipoise.stats.least_squares import blank
from equipoise.stats.status import Status, first_of, texts
from equipoise.stats.student import Alternative, infer

FURTHEST = 60.0
"""A ln hazard ratio is held below this while it is looked for."""
MOST = 30.0
"""A cumulative hazard beyond which nobody is left, to 13 digits: larger ones are no likelier."""
SMALL = 1e-300
NO_INFORMATION = 1e-3
"""A covariate (of SD 1) with less information than this has a ln hazard ratio on its way to infinity."""
RIDGE = 1e-12
"""Keeps the information on a hazard of 0 from being singular."""
NORMAL_DF = 1e10
"""Degrees of freedom at which t is normal to ten digits."""


@dataclass(frozen=True, slots=True)
class HazardFit:
    """Grouped proportional hazards in each of R trials with J intervals and p covariates; NaN where the status says.

    coefficients:   (R, p) ln hazard ratios.
    covariance:     (R, p, p), from the expected information.
    hazards:        (R, J) chance of the event in each interval, where all covariates are 0; 0 where nobody had it.
    log_likelihood: (R,).
    events, n:      (R,).
    """

    coefficients: Floats
    covariance: Floats
    hazards: Floats
    log_likelihood: Floats
    events: Counts
    n: Counts
    status: Codes

    @property
    def messages(self) -> Texts:
        """``ok`` or why numbers are missing, (R,)."""
        return texts(self.status)


@dataclass(frozen=True, slots=True)
class HazardContrast:
    """A ln hazard ratio with its normal interval and Wald test in each of R trials; all (R,)."""

    estimate: Floats
    standard_error: Floats
    lower: Floats
    upper: Floats
    statistic: Floats
    p_value: Floats
    status: Codes

    @property
    def messages(self) -> Texts:
        """``ok`` or why numbers are missing, (R,)."""
        return texts(self.status)


@dataclass(frozen=True, slots=True)
class _Data:
    """People as rows of 0 and 1 over the intervals: those they passed without the event, and those of their event.

    passed, spanned: (R, n, J). event: (R, n). x: (R, n, p), covariates brought to mean 0 and SD 1.
    """

    passed: Floats
    spanned: Floats
    event: Flags
    x: Floats


def fit_interval_censored(
    last_without: Counts, first_with: Counts, covariates: Floats, included: Flags, *, intervals: int
) -> HazardFit:
    """Fit in every trial. Visits are numbered 0 (entry) to J = ``intervals``; interval j ends at visit j.

    last_without: (R, n) the last visit at which the person was known to be without the event, 0 .. J.
    first_with:   (R, n) the first visit at which the event was there, above ``last_without``; -1 where it never was.
    covariates:   (R, n, p) or (n, p), without a column of ones: the hazards g_j take its place. included: (R, n).
    A person seen at entry only says nothing and does no harm.
    ValueError: visits that cannot be, shapes that do not fit, or no interval.
    """
    start, end, use, z = _checked(last_without, first_with, covariates, included, intervals)
    event = use & (end > 0)
    visits = np.arange(1, intervals + 1)
    passed = use[..., None] & (visits <= start[..., None])
    spanned = event[..., None] & (visits > start[..., None]) & (visits <= end[..., None])
    finite = np.asarray(np.isfinite(z).all(axis=2))
    status = _status_before(passed.any(axis=2) | event, event, use, finite, z)
    fine = use & (status == Status.OK)[:, None]
    x, mean, spread = _standardised(np.where((fine & finite)[..., None], z, 0.0), fine)
    kept = fine[..., None].astype(np.float64)
    data = _Data(passed * kept, spanned * kept, event & fine, x)
    summit = ascend(_surface(data), _start(data))
    point, told = summit.point, _about_covariates(data, summit.point)
    least = np.linalg.eigvalsh(told).min(axis=1, initial=np.inf)
    failed = {Status.SEPARATED_HAZARDS: least < NO_INFORMATION, Status.NOT_CONVERGED: ~summit.converged}
    status = np.where(status == Status.OK, first_of(failed), status).astype(np.int8)
    fitted = status == Status.OK
    coefficients = point[:, intervals:] / spread
    cumulative = point[:, :intervals] ** 2 * np.exp(-(coefficients * mean).sum(axis=1))[:, None]
    return HazardFit(
        coefficients=blank(coefficients, fitted),
        covariance=blank(np.linalg.pinv(told, hermitian=True) / spread[:, :, None] / spread[:, None, :], fitted),
        hazards=blank(-np.expm1(-cumulative), fitted),
        log_likelihood=blank(summit.landscape.value, fitted),
        events=event.sum(axis=1),
        n=use.sum(axis=1),
        status=status,
    )


def hazard_contrast(
    fit: HazardFit, weights: Floats, *, level: float = 0.95, alternative: Alternative = "two-sided"
) -> HazardContrast:
    """The combination weights·b of ln hazard ratios, weights (p,), with a normal reference (Wald).

    ValueError: weights that do not fit, a level outside (0, 1), an unknown alternative.
    """
    w, p = np.asarray(weights, np.float64), fit.coefficients.shape[1]
    if w.shape != (p,) or not w.any():
        raise ValueError(f"weights {w.shape} are no contrast of {p} coefficients")
    estimate = fit.coefficients @ w
    error = np.sqrt(np.einsum("p,rpq,q->r", w, fit.covariance, w))
    known = fit.status == Status.OK
    df = np.where(known, NORMAL_DF, np.nan)
    found = infer(estimate, error, df, known, level=level, alternative=alternative)
    numbers = (found.lower, found.upper, found.statistic, found.p_value)
    return HazardContrast(estimate, error, *numbers, status=fit.status)


def likelihood_ratio_p(fit: HazardFit, reduced: HazardFit) -> Floats:
    """The p-value (R,) that the covariates left out of ``reduced`` have no effect: twice the gain in likelihood, χ².

    With few events it is to be preferred to Wald's. NaN where either has no fit. ValueError: nothing was left out.
    """
    from scipy.special import chdtrc

    df = fit.coefficients.shape[1] - reduced.coefficients.shape[1]
    if df < 1:
        raise ValueError("the reduced model has as many covariates as the full one")
    gain = np.maximum(2 * (fit.log_likelihood - reduced.log_likelihood), 0.0)
    return np.asarray(chdtrc(df, gain), np.float64)


def _checked(
    last_without: Counts, first_with: Counts, covariates: Floats, included: Flags, intervals: int
) -> tuple[Counts, Counts, Flags, Floats]:
    start, end = np.asarray(last_without), np.asarray(first_with)
    if intervals < 1 or start.ndim != 2 or start.shape != end.shape:
        raise ValueError(f"visits {start.shape} and {end.shape} with {intervals} intervals make no trial")
    if not (np.issubdtype(start.dtype, np.integer) and np.issubdtype(end.dtype, np.integer)):
        raise ValueError("visits are whole numbers")
    use = np.broadcast_to(np.asarray(included, np.bool_), start.shape)
    possible = (start >= 0) & (start <= intervals) & ((end == -1) | ((end > start) & (end <= intervals)))
    if not (possible | ~use).all():
        raise ValueError(f"a visit lies between 0 and {intervals}, and the event after the last visit without it")
    return start, end, use, np.broadcast_to(np.asarray(covariates, np.float64), (*start.shape, covariates.shape[-1]))


def _status_before(telling: Flags, event: Flags, use: Flags, finite: Flags, z: Floats) -> Codes:
    """What forbids a fit before it is tried; covariates must vary among those who tell something."""
    telling = telling & use
    rows = np.where((telling & finite)[..., None], z, 0.0)
    ones = (telling & finite)[..., None].astype(np.float64)
    size = np.maximum(np.abs(rows).max(axis=1, keepdims=True, initial=0.0), 1e-300)
    rank = np.linalg.matrix_rank(np.concatenate([ones, rows / size], axis=2)) if len(z) else np.zeros(0)
    return first_of(
        {
            Status.NO_OBSERVATIONS: np.asarray(~telling.any(axis=1)),
            Status.NOT_FINITE: np.asarray((use & ~finite).any(axis=1)),
            Status.NO_EVENTS: np.asarray(~event.any(axis=1)),
            Status.SINGULAR_DESIGN: np.asarray(rank <= z.shape[2]),
        }
    )


def _standardised(z: Floats, use: Flags) -> tuple[Floats, Floats, Floats]:
    """Covariates less their mean, over their SD, (R, n, p); and these two, (R, p)."""
    n = np.maximum(use.sum(axis=1), 1)[:, None]
    mean = z.sum(axis=1) / n
    centred = np.where(use[..., None], z - mean[:, None], 0.0)
    spread = np.sqrt((centred**2).sum(axis=1) / n)
    spread = np.where(spread > 0, spread, 1.0)
    return centred / spread[:, None], mean, spread


def _surface(everybody: _Data) -> Surface:
    """The log-likelihood of u_j = exp(g_j / 2) and b, (R, J + p).

    In u a hazard of 0 is no edge: the slope vanishes there and the curvature does not, so that Newton's method arrives.
    """
    intervals = everybody.passed.shape[2]

    def at(point: Floats, rows: Places) -> Landscape:
        data = _Data(everybody.passed[rows], everybody.spanned[rows], everybody.event[rows], everybody.x[rows])
        u, ratio = point[:, :intervals], _ratio(data, point[:, intervals:])
        before = ratio * np.einsum("rnj,rj->rn", data.passed, u * u)
        span = np.where(data.event, ratio * np.einsum("rnj,rj->rn", data.spanned, u * u), 1.0)
        odds = _odds(span, data.event)
        value = np.where(data.event, np.log(np.maximum(-np.expm1(-span), SMALL)), 0.0) - before
        # By the hazards u_j² first, then by u.
        bend = -odds * (1 + odds)
        each = ratio[..., None] * (odds[..., None] * data.spanned - data.passed)
        slope, push = each.sum(axis=1), odds * span - before
        gradient = np.concatenate([2 * u * slope, np.einsum("rn,rnp->rp", push, data.x)], axis=1)
        hessian = np.empty((*point.shape, point.shape[1]))
        inner = np.einsum("rn,rni,rnj->rij", bend * ratio**2, data.spanned, data.spanned)
        diagonal = np.arange(intervals)
        hessian[:, :intervals, :intervals] = 4 * u[:, :, None] * u[:, None, :] * inner
        hessian[:, diagonal, diagonal] += 2 * slope
        cross = np.einsum("rnj,rnp->rjp", each + (bend * ratio * span)[..., None] * data.spanned, data.x)
        hessian[:, :intervals, intervals:] = 2 * u[:, :, None] * cross
        hessian[:, intervals:, :intervals] = hessian[:, :intervals, intervals:].swapaxes(1, 2)
        hessian[:, intervals:, intervals:] = np.einsum("rn,rnp,rnq->rpq", push + bend * span**2, data.x, data.x)
        return Landscape(value.sum(axis=1), gradient, hessian)

    return at


def _ratio(data: _Data, b: Floats) -> Floats:
    """Each person's hazard ratio, (R, n)."""
    return np.exp(np.clip(np.einsum("rnp,rp->rn", data.x, b), -FURTHEST, FURTHEST))


def _odds(span: Floats, event: Flags) -> Floats:
    """1 / (exp(H) - 1), 0 for those without the event, and where it is certain."""
    return np.where(event & (span < MOST), 1 / np.expm1(np.clip(span, SMALL, MOST)), 0.0)


def _start(data: _Data) -> Floats:
    """Hazards by sharing each event among the intervals that it spans; exactly 0 where none can have been."""
    intervals = data.passed.shape[2]
    share = data.spanned.sum(axis=2, keepdims=True)
    events = (data.spanned / np.maximum(share, 1.0)).sum(axis=1)
    at_risk = data.passed.sum(axis=1) + events
    point = np.zeros((len(events), intervals + data.x.shape[2]))
    point[:, :intervals] = np.sqrt(-np.log1p(-events / np.maximum(at_risk + 0.5, 1.0)))
    return point


def _about_covariates(data: _Data, point: Floats) -> Floats:
    """The expected information on the covariates' coefficients that is left, the hazards being unknown, (R, p, p).

    A row of the binomial likelihood is an interval passed, or the span of the event; with H its cumulative hazard the
    row's information is (∂H)(∂H)' / (exp(H) - 1). What is left is the Schur complement.
    """
    intervals = data.passed.shape[2]
    hazard = _ratio(data, point[:, intervals:])[..., None] * (point[:, :intervals] ** 2)[:, None, :]
    spanned = hazard * data.spanned
    odds = _odds(spanned.sum(axis=2), data.event)
    each = data.passed * hazard**2 * _odds(hazard, data.passed > 0)
    among = np.einsum("rn,rni,rnj->rij", odds, spanned, spanned)
    diagonal = np.arange(intervals)
    # By g_j: a hazard of 0 holds no information, and its row is all 0.
    among[:, diagonal, diagonal] += each.sum(axis=1) + RIDGE
    person = each + (odds * spanned.sum(axis=2))[..., None] * spanned
    across = np.einsum("rnj,rnp->rjp", person, data.x)
    whole = np.einsum("rn,rnp,rnq->rpq", person.sum(axis=2), data.x, data.x)
    return whole - across.swapaxes(1, 2) @ np.linalg.solve(among, across)
