"""Analysis of covariance: designs with arms and covariates, and what their least-squares fits say of the arms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from equipoise.stats.arrays import Codes, Flags, Floats, Texts
from equipoise.stats.least_squares import (
    FULL_LEVERAGE,
    LeastSquares,
    blank,
    enlarged,
    fit_least_squares,
    orthogonalise,
)
from equipoise.stats.status import Status, texts
from equipoise.stats.student import Alternative, infer

__all__ = [
    "Contrast",
    "Covariance",
    "JointTest",
    "LeastSquares",
    "ancova_design",
    "contrast",
    "difference_weights",
    "fit_least_squares",
    "joint_test",
    "least_squares_mean_weights",
    "leave_one_out",
]

Covariance = Literal["model", "hc3"]

NO_ERROR = 1e-10
"""An HC3 standard error below this share of the model-based one is rounding of residuals that are all zero."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """A linear combination of coefficients with its t interval and test in each of R trials; all (R,)."""

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


@dataclass(frozen=True, slots=True)
class JointTest:
    """The F test that several contrasts are all zero, in each of R trials; all (R,)."""

    statistic: Floats
    df_numerator: Floats
    df_denominator: Floats
    p_value: Floats
    status: Codes

    @property
    def messages(self) -> Texts:
        """``ok`` or why numbers are missing, (R,)."""
        return texts(self.status)


def ancova_design(arm: np.ndarray, covariates: Floats, arms: int, *, centred_on: Flags | None = None) -> Floats:
    """The design of an analysis of covariance, (R, n, p): 1, one column for each arm but the first, the covariates.

    arm (R, n) or (n,): index 0 .. arms - 1; any other value (unknown arm) makes NaN, so that it must be left out.
    covariates (R, n, k) or (n, k): in their given order, as they are; with ``centred_on`` (R, n), less their mean over
    these participants, which makes the intercept the first arm's least-squares mean and changes nothing else.
    ValueError: fewer than one arm.
    """
    if arms < 1:
        raise ValueError(f"a design has at least one arm, not {arms}")
    values = np.asarray(covariates, dtype=np.float64)
    people = np.broadcast_shapes(arm.shape, values.shape[:-1], (1, 1))
    values = np.broadcast_to(values, (*people, values.shape[-1]))
    if centred_on is not None:
        values = values - _mean(values, np.broadcast_to(centred_on, people))[:, None, :]
    columns = np.equal.outer(arm, np.arange(arms)).astype(np.float64)
    columns[..., 0] = 1.0
    columns[(arm < 0) | (arm >= arms)] = np.nan
    return np.concatenate([np.broadcast_to(columns, (*people, arms)), values], axis=-1)


def difference_weights(active: int, reference: int, columns: int) -> Floats:
    """Weights (p,) of arm ``active`` less arm ``reference``, both indices, in a design of ``ancova_design``.

    ValueError: one arm twice, or an index that is negative or has no column.
    """
    if active == reference or not (0 <= active < columns and 0 <= reference < columns):
        raise ValueError(f"arms {active} and {reference} cannot be compared in {columns} columns")
    weights = np.zeros(columns)
    # The first arm is the design's reference and has no column of its own.
    if active > 0:
        weights[active] += 1.0
    if reference > 0:
        weights[reference] -= 1.0
    return weights


def least_squares_mean_weights(design: Floats, included: Flags, arms: int) -> Floats:
    """Weights (R, arms, p) of each arm's mean at the average covariates of all included participants.

    Take ``weights[:, a]`` as the weights of a contrast. Covariates are numbers: an indicator (sex as 0 and 1) is
    held at its proportion. Searle, Speed & Milliken, Am Stat 1980;34:216-221.
    """
    average = _mean(design, np.broadcast_to(included, design.shape[:2]))
    weights = np.repeat(average[:, None, :], arms, axis=1)
    weights[:, :, :arms] = np.eye(arms)
    weights[:, :, 0] = 1.0
    return weights


def _mean(values: Floats, included: Flags) -> Floats:
    """(R, n, k) -> (R, k) over the included participants; 0 where there are none."""
    total = np.where(included[..., None], values, 0.0).sum(axis=1)
    return total / np.maximum(included.sum(axis=1), 1)[:, None]


def contrast(
    fit: LeastSquares,
    weights: Floats,
    *,
    covariance: Covariance = "model",
    level: float = 0.95,
    alternative: Alternative = "two-sided",
) -> Contrast:
    """The combination weights·b of coefficients, weights (p,) or (R, p), with t on n - p degrees of freedom.

    A one-sided alternative makes the p-value one-sided; the interval stays two-sided, at ``level``.
    Where the outcome is constant the estimate stands, with standard error 0 and neither interval nor test.
    ValueError: weights that do not fit or are all 0, a level outside (0, 1), an unknown covariance or alternative.
    """
    along = _along(fit, weights[..., None, :], covariance)
    estimate = np.einsum("rpq,rp->r", along, fit.effects)
    error = np.linalg.norm(_spread(fit, along, "model"), axis=(1, 2))
    status = fit.status
    if covariance == "hc3":
        error, model = np.linalg.norm(_spread(fit, along, "hc3"), axis=(1, 2)), error
        none = (fit.status_hc3 == Status.OK) & (error <= NO_ERROR * model)
        status = np.where(none, np.int8(Status.CONSTANT_OUTCOME), fit.status_hc3)
    constant = status == Status.CONSTANT_OUTCOME
    kept = constant | (status == Status.OK)
    error = blank(np.where(constant, 0.0, error), kept)
    df = blank(fit.df, kept)
    found = infer(estimate, error, df, status == Status.OK, level=level, alternative=alternative)
    return Contrast(estimate, error, df, found.lower, found.upper, found.statistic, found.p_value, status)


def joint_test(fit: LeastSquares, weights: Floats, *, covariance: Covariance = "model") -> JointTest:
    """The F test that q contrasts are all zero: weights (q, p) or (R, q, p), on q and n - p degrees of freedom.

    F = (Lb)' (L V L')⁻¹ (Lb) / q. With HC3 it is the Wald test in its F form.
    ValueError: weights that do not fit or have a row of 0, or an unknown covariance.
    """
    from scipy.special import fdtrc

    along = _along(fit, weights, covariance)
    status = fit.status_hc3 if covariance == "hc3" else fit.status
    testable = status == Status.OK
    spread = np.where(testable[:, None, None], _spread(fit, along, covariance), 0.0)
    _, factor, independent = orthogonalise(spread)
    status = np.where(testable & ~independent, np.int8(Status.DEPENDENT_CONTRASTS), status)
    testable = testable & independent
    # L V L' = M'M with M = Q T, so that the quadratic form is the squared length of T'⁻¹ L b.
    standardised = np.einsum("rqk,rpq,rp->rk", factor, along, fit.effects)
    q = float(weights.shape[-2])
    statistic = blank(np.einsum("rk,rk->r", standardised, standardised) / q, testable)
    df = blank(fit.df, testable)
    return JointTest(statistic, blank(np.full_like(df, q), testable), df, fdtrc(q, df, statistic), status)


def leave_one_out(fit: LeastSquares, weights: Floats) -> Floats:
    """The exact change (R, n) of weights·b when one participant is left out, without refitting.

    Weights (p,) or (R, p); the change is -weights·(X'X)⁻¹x e/(1 - h). NaN outside ``included``, and where the fit
    without the participant lacks a coefficient (leverage 1). Cook, Technometrics 1977;19:15-18.
    ValueError: weights that do not fit or are all 0.
    """
    along = _along(fit, weights[..., None, :], "model")
    change = -(fit.basis @ along)[..., 0] * enlarged(fit.residuals, fit.leverage)
    return np.where(fit.included & (1 - fit.leverage >= FULL_LEVERAGE), change, np.nan)


def _along(fit: LeastSquares, weights: Floats, covariance: str) -> Floats:
    """T'⁻¹L', (R, p, q), of the checked weights L (q, p) or (R, q, p): contrasts in terms of Q'y."""
    trials, p = fit.coefficients.shape
    fits = weights.shape[-1] == p and (weights.ndim == 2 or (weights.ndim == 3 and len(weights) == trials))
    if not fits:
        raise ValueError(f"weights of {weights.shape} do not fit {trials} trials with {p} coefficients")
    if not weights.any(axis=-1).all():
        raise ValueError("a contrast whose weights are all 0 says nothing")
    if covariance not in get_args(Covariance):
        raise ValueError(f"covariance must be one of {get_args(Covariance)}, not {covariance!r}")
    return fit.factor.swapaxes(1, 2) @ weights.swapaxes(-1, -2)


def _spread(fit: LeastSquares, along: Floats, covariance: Covariance) -> Floats:
    """A matrix M, (R, ., q), whose M'M is the covariance of the q contrasts ``along`` (R, p, q)."""
    if covariance == "model":
        return along * np.sqrt(fit.residual_variance)[:, None, None]
    return fit.basis @ along * enlarged(fit.residuals, fit.leverage)[..., None]
