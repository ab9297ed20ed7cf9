"""Combinations of the coefficients of a repeated-measures model: intervals, t tests and F tests."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from equipoise.stats.ancova import Contrast, JointTest
from equipoise.stats.arrays import Floats
from equipoise.stats.mmrm.fit import MMRMFit, Solved
from equipoise.stats.mmrm.inference import adjusted, kenward_roger_scale, satterthwaite, turned
from equipoise.stats.mmrm.sandwich import cluster_robust
from equipoise.stats.mmrm.threads import one_thread
from equipoise.stats.status import Status
from equipoise.stats.student import Alternative, infer

Method = Literal["satterthwaite", "kenward-roger", "kenward-roger-linear", "residual", "cr2"]

DEPENDENT = 1e-7
"""Of a combination of unit variance, less than this beside the others is no combination of its own."""
LEAST_OF_CR2 = 0.5
"""Degrees of freedom of a robust variance below this are rounding."""


def coefficient_covariance(fit: MMRMFit, method: Method = "kenward-roger-linear") -> Floats:
    """The covariance (p, p) of the coefficients that a method uses; NaN where the fit has failed.

    ValueError: an unknown method.
    """
    _known(method)
    p = len(fit.coefficients)
    if fit.solved is None:
        return np.full((p, p), np.nan)
    root = turned(fit.solved)
    return root @ _inference(fit, fit.solved, np.eye(p), method)[0] @ root.T


def contrast(
    fit: MMRMFit,
    L: Floats,
    *,
    method: Method = "kenward-roger-linear",
    level: float = 0.95,
    alternative: Alternative = "two-sided",
) -> Contrast:
    """Each combination l'b, l the rows of L (q, p) or the one row (p,), with its t interval and test; all (q,).

    satterthwaite: model covariance; kenward-roger and -linear: adjusted covariance, the same degrees of freedom;
    residual: model covariance, observations less coefficients; cr2: robust covariance, Bell and McCaffrey's degrees
    of freedom. A one-sided alternative makes the p-value one-sided; the interval stays two-sided, at ``level``.
    ValueError: L that does not fit or has a row of 0, an unknown method or alternative, a level outside (0, 1).
    """
    weights = _checked(fit, L, method)
    estimate = np.full(len(weights), np.nan)
    variance, df = estimate.copy(), estimate.copy()
    status = np.full(len(weights), np.int8(fit.status))
    if fit.solved is not None:
        along = weights @ turned(fit.solved)
        spread, df = _inference(fit, fit.solved, along, method)
        estimate = weights @ fit.coefficients
        variance = np.einsum("qa,ab,qb->q", along, spread, along)
        # An adjustment that leaves no variance, or a quadratic form without spread, has no t distribution.
        # Bell and McCaffrey's degrees of freedom are (sum of weights)² over sum of squares, so at least 1: less is
        # the rounding of a variance of nothing, as of an arm of one participant.
        least = LEAST_OF_CR2 if method == "cr2" else 0.0
        void = ~((variance > 0) & (df > least) & np.isfinite(df))
        status[void] = Status.UNDEFINED_LEVERAGE if method == "cr2" else Status.TOO_FEW_OBSERVATIONS
        estimate, variance, df = (np.where(void, np.nan, number) for number in (estimate, variance, df))
    error = np.sqrt(variance)
    found = infer(estimate, error, df, status == Status.OK, level=level, alternative=alternative)
    return Contrast(estimate, error, df, found.lower, found.upper, found.statistic, found.p_value, status)


def joint_test(fit: MMRMFit, L: Floats, *, method: Method = "kenward-roger-linear") -> JointTest:
    """The F test that the q combinations in the rows of L (q, p) are all 0; all (1,).

    kenward-roger and -linear: F scaled by their lambda; satterthwaite: one denominator from those of the independent
    combinations; residual: observations less coefficients.
    ValueError: L that does not fit or has a row of 0; an unknown method, or cr2, which has one row at a time.
    """
    weights = _checked(fit, L, method)
    weights = weights / np.abs(weights).max(axis=1, keepdims=True)  # the test is of directions, whatever their length
    if method == "cr2":
        raise ValueError("cr2 has no joint test: take the combinations one by one")
    if fit.solved is None:
        return _joint(np.nan, np.nan, np.nan, fit.status)
    from scipy.special import fdtrc

    q = len(weights)
    along = weights @ turned(fit.solved)
    unit = along / np.linalg.norm(along, axis=1, keepdims=True)
    if q > len(fit.coefficients) or np.abs(np.diagonal(np.linalg.qr(unit.T, mode="r"))).min() < DEPENDENT:
        return _joint(np.nan, np.nan, np.nan, Status.DEPENDENT_CONTRASTS)
    estimate = weights @ fit.coefficients
    scale = 1.0
    if method == "satterthwaite":
        values, vectors = np.linalg.eigh(along @ along.T)
        statistic = float(((vectors.T @ estimate) ** 2 / values).mean())
        df = _pooled(satterthwaite(fit.solved, vectors.T @ along))
    else:
        spread = _inference(fit, fit.solved, along, method)[0]
        statistic = float(estimate @ np.linalg.solve(along @ spread @ along.T, estimate)) / q
        df = float(fit.residual_df)
        if method != "residual":
            scale, df = kenward_roger_scale(fit.solved, along)
    if not (df > 0 and scale > 0 and statistic >= 0):
        return _joint(np.nan, np.nan, np.nan, Status.TOO_FEW_OBSERVATIONS)
    return _joint(scale * statistic, q, df, Status.OK, float(fdtrc(q, df, scale * statistic)))


def _inference(fit: MMRMFit, solved: Solved, along: Floats, method: Method) -> tuple[Floats, Floats]:
    """The covariance of C⁻¹b (p, p) and the degrees of freedom (q,) of combinations c (q, p)."""
    p = len(fit.coefficients)
    with one_thread():
        match method:
            case "cr2":
                return cluster_robust(solved, along)
            case "residual":
                return np.eye(p), np.full(len(along), float(fit.residual_df))
            case "satterthwaite":
                return np.eye(p), satterthwaite(solved, along)
            case _:
                return adjusted(solved, linear=method == "kenward-roger-linear"), satterthwaite(solved, along)


def _pooled(df: Floats) -> float:
    """The denominator whose F has the mean of q independent F on 1 and df (q,). Fai & Cornelius 1996."""
    if (df <= 2.0).any():
        return 2.0
    if np.ptp(df) <= 1e-8 * df.mean():
        return float(df.mean())
    total = float((df / (df - 2.0)).sum())
    return 2.0 * total / (total - len(df))


def _joint(statistic: float, q: float, df: float, status: Status, p_value: float = np.nan) -> JointTest:
    f, numerator, denominator, p = (np.array([number], dtype=np.float64) for number in (statistic, q, df, p_value))
    return JointTest(f, numerator, denominator, p, np.array([status], dtype=np.int8))


def _known(method: str) -> None:
    if method not in get_args(Method):
        raise ValueError(f"method must be one of {get_args(Method)}, not {method!r}")


def _checked(fit: MMRMFit, L: Floats, method: str) -> Floats:
    _known(method)
    weights = np.atleast_2d(np.asarray(L, dtype=np.float64))
    if weights.ndim != 2 or weights.shape[1] != len(fit.coefficients):
        raise ValueError(f"combinations of {weights.shape} do not fit {len(fit.coefficients)} coefficients")
    if not weights.any(axis=1).all():
        raise ValueError("a combination whose weights are all 0 says nothing")
    return weights
