"""The multivariate normal model of repeated measures with missing values: means by visit, one covariance for all arms.

Person i has the mean B'x_i at the T visits and the unstructured covariance S, whatever the arm. Both are estimated
from the observed values alone, by restricted or full maximum likelihood (missing at random given what was observed):
an EM algorithm (Dempster, Laird & Rubin, J R Stat Soc B 1977;39:1-38; restricted likelihood by integrating over the
coefficients, Laird & Ware, Biometrics 1982;38:963-974), sped up by squared extrapolation (Varadhan & Roland, Scand J
Stat 2008;35:335-353). People weigh 0, 1, 2 ..., so that leave-one-out fits and bootstrap samples are one batch, and
one step costs by patterns of missing values, not by people.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from equipoise.stats.arrays import Codes, Flags, Floats, Texts
from equipoise.stats.status import Status, first_of, texts

Likelihood = Literal["restricted", "full"]
TOLERANCE = 1e-11
"""A step that changes no covariance by more than this, in units of the standard deviations, is the last."""
CYCLES = 400
"""Extrapolations, of three steps each."""
DEPENDENT = 1e-7
"""A column of unit length of which less remains beside the columns before it is dependent."""
NO_SPREAD = 1e-12
"""A visit whose residuals are below this share of its values does not vary."""
COLLAPSED = 0.999
"""A visit that correlates beyond this with the others together: their covariance cannot be estimated."""
HOPELESS = 1 - 1e-7
"""Where the search stops: beyond it the covariance can no longer be inverted."""
RIDGE = 1e-13
"""Added to variances of about 1, so that a singular covariance is very large when inverted, and no exception."""
GONE = 1e-12
"""A variance below this share of the first residuals' is none."""
PAIR = 2
"""So many people must have values at both of two visits, for their covariance to be estimated at all."""


@dataclass(frozen=True, slots=True)
class NormalFit:
    """The model in each of R sets of weights, for T visits and k columns; NaN where the status says.

    coefficients: (R, k, T), a column of the design by visit. covariance: (R, T, T).
    log_likelihood: (R,), of the kind that was maximised. status: (R,).
    """

    coefficients: Floats
    covariance: Floats
    log_likelihood: Floats
    status: Codes

    @property
    def messages(self) -> Texts:
        """``ok`` or why numbers are missing, (R,)."""
        return texts(self.status)


@dataclass(frozen=True, slots=True)
class _Sums:
    """Weighted sums over the people of each of P patterns, in R sets: all that the likelihood needs.

    seen: (P, T) which visits are observed. people: (R, P). xx: (R, P, k, k). xy: (R, P, k, T) and yy: (R, P, T, T)
    with 0 for what is missing.
    """

    seen: Flags
    people: Floats
    xx: Floats
    xy: Floats
    yy: Floats

    def of(self, some: np.ndarray) -> _Sums:
        return replace(self, people=self.people[some], xx=self.xx[some], xy=self.xy[some], yy=self.yy[some])


def fit_normal(
    values: Floats,
    design: Floats,
    weights: Floats | None = None,
    *,
    likelihood: Likelihood = "restricted",
    start: Floats | None = None,
) -> NormalFit:
    """Fit ``values`` (n, T), NaN where missing, on ``design`` (n, k), the same columns at every visit.

    weights: (R, n), how often each person counts; everybody once where it is left out. start: (T, T), a covariance near
    to the answers. Who has no value at all tells nothing and is left out.
    ValueError: shapes that do not fit, an infinite value, a design that is not finite, or an unknown likelihood.
    """
    y, x = np.asarray(values, np.float64), np.asarray(design, np.float64)
    w = np.ones((1, len(y))) if weights is None else np.asarray(weights, np.float64)
    _check(y, x, w, likelihood)
    seen = ~np.isnan(y)
    w = w * seen.any(axis=1)
    status = _before(seen, x, w)
    R, k, T = len(w), x.shape[1], y.shape[1]
    coefficients, covariance = np.full((R, k, T), np.nan), np.full((R, T, T), np.nan)
    log_likelihood = np.full(R, np.nan)
    if not (status == Status.OK).any():
        return NormalFit(coefficients, covariance, log_likelihood, status)
    basis, back, shift, scale, constant = _standardised(y, x)
    status = np.where((status == Status.OK) & constant, np.int8(Status.CONSTANT_OUTCOME), status)
    fine = status == Status.OK
    if fine.any():
        sums = _sums((y - basis @ shift) / scale, basis, w[fine])
        first = np.eye(T) if start is None else start / np.outer(scale, scale)
        found, converged = _maximise(sums, np.broadcast_to(first, (len(sums.people), T, T)), likelihood)
        _, beta, value = _step(sums, found, likelihood)
        status[fine] = _after(found, converged)
        coefficients[fine] = back @ (beta.swapaxes(1, 2) * scale + shift)
        covariance[fine] = found * np.outer(scale, scale)
        log_likelihood[fine] = value + _units(sums, scale, back, likelihood)
    return _blank(NormalFit(coefficients, covariance, log_likelihood, status))


def _check(y: Floats, x: Floats, w: Floats, likelihood: str) -> None:
    if y.ndim != 2 or x.ndim != 2 or w.ndim != 2 or not len(y) == len(x) == w.shape[1]:
        raise ValueError(f"values {y.shape}, design {x.shape} and weights {w.shape} do not fit")
    if np.isinf(y).any() or not np.isfinite(x).all():
        raise ValueError("a value is finite or NaN, and a design is finite")
    if not (np.isfinite(w) & (w >= 0)).all():
        raise ValueError("a weight is finite and not negative")
    if likelihood not in get_args(Likelihood):
        raise ValueError(f"likelihood must be one of {get_args(Likelihood)}, not {likelihood!r}")


def _before(seen: Flags, x: Floats, w: Floats) -> Codes:
    """What the pattern alone forbids, (R,): visits without a coefficient, pairs of visits that nobody links."""
    there = w > 0
    k, T = x.shape[1], seen.shape[1]
    unit = x / np.maximum(np.linalg.norm(x, axis=0), np.finfo(float).tiny)
    at = [np.where((there & seen[:, t])[..., None], unit, 0.0) for t in range(T)]
    ranks = np.stack([np.linalg.matrix_rank(columns, tol=DEPENDENT) for columns in at], axis=1)
    pairs = np.einsum("rn,nt,ns->rts", there.astype(np.float64), seen.astype(np.float64), seen.astype(np.float64))
    return first_of(
        {
            Status.NO_OBSERVATIONS: np.asarray(~there.any(axis=1)),
            Status.SINGULAR_DESIGN: np.asarray((ranks < k).any(axis=1)),
            Status.TOO_FEW_OBSERVATIONS: np.asarray((pairs < PAIR).any(axis=(1, 2)) | (there.sum(axis=1) < k + T)),
        }
    )


def _standardised(y: Floats, x: Floats) -> tuple[Floats, Floats, Floats, Floats, bool]:
    """An orthogonal basis of the design with its way back, and each visit's least-squares fit and residual spread.

    basis (n, k) with x = basis back⁻¹; the coefficients on ``basis`` are ``shift`` (k, T); residuals ÷ ``scale`` (T,).
    """
    size = np.linalg.norm(x, axis=0)
    size = np.where(size > 0, size, 1.0)
    basis, triangle = np.linalg.qr(x / size)
    basis, triangle = basis * np.sqrt(len(x)), triangle / np.sqrt(len(x))
    shift, scale, constant = np.zeros((x.shape[1], y.shape[1])), np.ones(y.shape[1]), False
    for t, column in enumerate(y.T):
        there = ~np.isnan(column)
        if there.any():
            shift[:, t] = np.linalg.lstsq(basis[there], column[there], rcond=None)[0]
            spread = np.sqrt(np.mean((column[there] - basis[there] @ shift[:, t]) ** 2))
            constant |= bool(spread <= NO_SPREAD * np.abs(column[there]).max())
            scale[t] = spread if spread > 0 else 1.0
    return basis, np.linalg.pinv(triangle) / size[:, None], shift, scale, constant


def _sums(y: Floats, x: Floats, w: Floats) -> _Sums:
    """Sums by pattern of what is observed; people without a value make no pattern."""
    seen = ~np.isnan(y)
    patterns, index = np.unique(seen, axis=0, return_inverse=True)
    told = patterns.any(axis=1)
    kept = [np.flatnonzero(index.ravel() == p) for p in np.flatnonzero(told)]
    filled = np.where(seen, y, 0.0)
    stacked = [
        [np.einsum("rn,na,nb->rab", w[:, who], left[who], right[who]) for who in kept]
        for left, right in ((x, x), (x, filled), (filled, filled))
    ]
    xx, xy, yy = (np.stack(parts, axis=1) for parts in stacked)
    return _Sums(patterns[told], np.stack([w[:, who].sum(axis=1) for who in kept], axis=1), xx, xy, yy)


def precisions(covariance: Floats, seen: Flags) -> tuple[Floats, Floats]:
    """The inverse of the observed part of (..., 1, T, T) or (..., P, T, T), 0 elsewhere, and its ln determinant.

    seen: (P, T). Gives (..., P, T, T) and (..., P).
    """
    both = seen[:, :, None] & seen[:, None, :]
    part = np.where(both, covariance, np.eye(seen.shape[1]))
    return np.where(both, np.linalg.inv(part), 0.0), np.linalg.slogdet(part)[1]


def _step(sums: _Sums, covariance: Floats, likelihood: Likelihood) -> tuple[Floats, Floats, Floats]:
    """One EM step: the next covariance (R, T, T), and the coefficients (R, T, k) and likelihood (R,) at this one."""
    R, _, k, T = sums.xy.shape
    precise, log_det = precisions(covariance[:, None] + RIDGE * np.eye(T), sums.seen)
    information = np.einsum("rpts,rpab->rtasb", precise, sums.xx).reshape(R, T * k, T * k)
    beta = np.linalg.solve(information, np.einsum("rpts,rpas->rta", precise, sums.xy).reshape(R, T * k, 1))
    beta = beta.reshape(R, T, k)
    cross = np.einsum("rta,rpas->rpts", beta, sums.xy)
    fitted = np.einsum("rta,rpab,rsb->rpts", beta, sums.xx, beta)
    residual = sums.yy - cross - cross.swapaxes(2, 3) + fitted
    # What is known of a person's whole profile: observed residuals and, by regression, the missing ones.
    known = covariance[:, None] @ precise
    unknown = covariance[:, None] - known @ covariance[:, None]
    squares = (known @ residual @ known.swapaxes(2, 3)).sum(axis=1)
    total = sums.people.sum(axis=1)
    # The precision is 0 outside the observed visits, so what the residual holds there does not count.
    value = -0.5 * (sums.people * (sums.seen.sum(axis=1) * np.log(2 * np.pi) + log_det)).sum(axis=1)
    value = value - 0.5 * np.einsum("rpts,rpts->r", precise, residual)
    if likelihood == "full":
        noise = (sums.people[..., None, None] * unknown).sum(axis=1)
        return (squares + noise) / total[:, None, None], beta, value
    value = value - 0.5 * (np.linalg.slogdet(information)[1] - T * k * np.log(2 * np.pi))
    noise = _noise(sums, known, unknown, information)
    return (squares + noise) / (total - k)[:, None, None], beta, value


def _noise(sums: _Sums, known: Floats, unknown: Floats, information: Floats) -> Floats:
    """The expected residual squares (R, T, T) of what is missing, its coefficients unknown too.

    With complete values the residuals are those of M = I - X(X'WX)⁻¹X'W; the missing values' errors are a person's
    own, ``unknown``, and those of the coefficients, which all people share.
    """
    R, _, k, T = sums.xy.shape
    spread = np.linalg.inv(information).reshape(R, T, k, T, k)
    gram = np.linalg.inv(sums.xx.sum(axis=1))
    own = sums.people - np.einsum("rab,rpba->rp", gram, sums.xx)
    missing = np.eye(T) - known
    each = missing @ np.einsum("rtasb,rpab->rpts", spread, sums.xx) @ missing.swapaxes(2, 3)
    loading = np.einsum("rput,rpca->ructa", missing, sums.xx)
    first = np.einsum("ructa,rtasb->rucsb", loading, spread)
    second = np.einsum("rdc,rucsb->rudsb", gram, first)
    shared = np.einsum("rudsb,rvdsb->ruv", second, loading)
    return (own[..., None, None] * unknown + each).sum(axis=1) - shared


def _maximise(sums: _Sums, start: Floats, likelihood: Likelihood) -> tuple[Floats, Flags]:
    """The covariance at the top of the likelihood, (R, T, T), and whether each has come to rest, (R,)."""
    found, converged = np.array(start), np.zeros(len(start), np.bool_)
    active = ~converged
    for _ in range(CYCLES):
        some = np.flatnonzero(active)
        if not some.size:
            break
        now, part = found[some], sums.of(some)
        one, _, _ = _step(part, now, likelihood)
        two, _, value = _step(part, one, likelihood)
        change = _distance(one, two)
        leap = _leap(now, one, two)
        three, _, reached = _step(part, leap, likelihood)
        # A leap that lost likelihood is not taken; EM itself never loses any.
        better = np.isfinite(reached) & (reached >= value) & np.isfinite(three).all(axis=(1, 2))
        found[some] = np.where(better[:, None, None], three, two)
        at_rest = (change < TOLERANCE) & (_distance(two, found[some]) < TOLERANCE * 100)
        converged[some] = at_rest
        stopped = at_rest | (_tightest(found[some]) > HOPELESS)
        active[some[stopped]] = False
    return found, converged


def _leap(now: Floats, one: Floats, two: Floats) -> Floats:
    """The squared extrapolation from three iterates; the last of them where it leaves the covariances."""
    step, bend = one - now, (two - one) - (one - now)
    length, curve = (np.sqrt((matrix**2).sum(axis=(1, 2))) for matrix in (step, bend))
    alpha = -np.maximum(length / np.maximum(curve, np.finfo(float).tiny), 1.0)
    alpha = np.maximum(alpha, -1e3)[:, None, None]
    leap = now - 2 * alpha * step + alpha**2 * bend
    leap = (leap + leap.swapaxes(1, 2)) / 2
    smallest = np.linalg.eigvalsh(leap)[:, 0]
    floor = np.linalg.eigvalsh((two + two.swapaxes(1, 2)) / 2)[:, 0] * 1e-3
    return np.where((smallest > floor)[:, None, None], leap, two)


def _distance(one: Floats, two: Floats) -> Floats:
    """The largest difference, (R,), in units of the standard deviations."""
    sd = _deviations(two)
    return (np.abs(two - one) / (sd[:, :, None] * sd[:, None, :])).max(axis=(1, 2))


def _after(covariance: Floats, converged: Flags) -> Codes:
    """The status (R,) once fitted."""
    collapsed = np.asarray(_tightest(covariance) > COLLAPSED)
    return first_of({Status.NEAR_SINGULAR: collapsed, Status.NOT_CONVERGED: ~converged})


def _tightest(covariance: Floats) -> Floats:
    """The largest correlation, (R,), by size, of a visit with all others together; 1 where a variance is gone."""
    sd = _deviations(covariance)
    correlation = covariance / (sd[:, :, None] * sd[:, None, :])
    remains = 1 / np.einsum("rtt->rt", np.linalg.inv(correlation + RIDGE * np.eye(sd.shape[1])))
    gone = np.einsum("rtt->rt", covariance) < GONE
    return np.where(gone, 1.0, np.sqrt(np.clip(1 - remains, 0.0, 1.0))).max(axis=1)


def _deviations(covariance: Floats) -> Floats:
    """Standard deviations, (R, T), large enough to divide by."""
    return np.sqrt(np.maximum(np.einsum("rtt->rt", covariance), GONE))


def _units(sums: _Sums, scale: Floats, back: Floats, likelihood: Likelihood) -> Floats:
    """What the likelihood, (R,), gains by going back to the values' and covariates' own units."""
    gain = -np.einsum("rp,pt,t->r", sums.people, sums.seen.astype(np.float64), np.log(scale))
    if likelihood == "full":
        return gain
    return gain + len(back) * np.log(scale).sum() + len(scale) * np.linalg.slogdet(back)[1]


def _blank(fit: NormalFit) -> NormalFit:
    known = fit.status == Status.OK
    return NormalFit(
        np.where(known[:, None, None], fit.coefficients, np.nan),
        np.where(known[:, None, None], fit.covariance, np.nan),
        np.where(known, fit.log_likelihood, np.nan),
        fit.status,
    )
