"""Analysis of covariance: ordinary least squares in many trials at once, and contrasts of its coefficients.

Each trial's design is orthogonalised (QR of its columns at unit length), never squared: with X = Q T, T upper
triangular, every quantity follows from Q, T⁻¹ and the effects Q'y, so that a covariate whose values are large
beside their spread costs no more digits than it must. People who are not included have rows of zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from equipoise.stats.arrays import Codes, Counts, Flags, Floats, Texts, beside
from equipoise.stats.status import Status, first_of, texts
from equipoise.stats.student import Alternative, infer

Covariance = Literal["model", "hc3"]

DEPENDENT = 1e-7
"""A column of unit length is dependent if less than this remains beside the columns before it (as in R's lm)."""
NO_SPREAD = 1e-13
"""Residuals below this share of the outcome's own length are rounding, not variation."""
FULL_LEVERAGE = 1e-10
"""A participant whose leverage is this near to 1 alone determines a coefficient."""


@dataclass(frozen=True, slots=True)
class LeastSquares:
    """Ordinary least squares in each of R trials with n participants and p columns. NaN where the status says.

    coefficients:      (R, p), in the order of the design's columns.
    covariance:        (R, p, p) model-based, s²(X'X)⁻¹.
    covariance_hc3:    (R, p, p) heteroscedasticity-consistent, with residuals divided by 1 - leverage.
    residual_variance: (R,) s² = residual sum of squares / df.
    df:                (R,) n - p, the included participants less the columns.
    n:                 (R,) included participants.
    status:            (R,) Status; status_hc3 adds what is wrong with HC3 alone.
    included:          (R, n).
    residuals:         (R, n), 0 outside ``included``.
    leverage:          (R, n) diagonal of X(X'X)⁻¹X', 0 outside ``included``.
    basis:             (R, n, p) Q, orthonormal columns that span the design.
    factor:            (R, p, p) T⁻¹, so that (X'X)⁻¹ = factor factor'.
    effects:           (R, p) Q'y.
    """

    coefficients: Floats
    covariance: Floats
    covariance_hc3: Floats
    residual_variance: Floats
    df: Floats
    n: Counts
    status: Codes
    status_hc3: Codes
    included: Flags
    residuals: Floats
    leverage: Floats
    basis: Floats
    factor: Floats
    effects: Floats

    @property
    def messages(self) -> Texts:
        """``ok`` or why numbers are missing, (R,)."""
        return texts(self.status)


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
    """Weights (p,) of arm ``active`` less arm ``reference``, both indices, in a design of ``ancova_design``."""
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


def fit_least_squares(response: Floats, design: Floats, included: Flags) -> LeastSquares:
    """Least squares of ``response`` (R, n) on ``design`` (R, n, p) or (n, p) over ``included`` (R, n).

    b = (X'X)⁻¹X'y, s² = RSS/(n - p), V = s²(X'X)⁻¹, and HC3 = (X'X)⁻¹ X' diag(e²/(1 - h)²) X (X'X)⁻¹ with
    residuals e and leverages h. MacKinnon & White, J Econometrics 1985;29:305-325.

    A trial that cannot be analysed has a status and NaN; a constant outcome has coefficients and variance 0.
    ValueError: shapes that do not fit, or a mask that is not boolean.
    """
    included = beside(response, included)
    outcome = np.where(included, response, 0.0)
    columns = np.where(included[..., None], design, 0.0)
    n = included.sum(axis=1)
    df = (n - columns.shape[2]).astype(np.float64)
    finite = np.isfinite(outcome).all(axis=1) & np.isfinite(columns).all(axis=(1, 2))
    outcome[~finite], columns[~finite] = 0.0, 0.0

    basis, factor, independent = _orthogonalise(columns)
    leverage = np.einsum("rnp,rnp->rn", basis, basis)
    effects = np.einsum("rnp,rn->rp", basis, outcome)
    residuals = np.where(included, outcome - np.einsum("rnp,rp->rn", basis, effects), 0.0)
    left = np.einsum("rn,rn->r", residuals, residuals)
    constant = left <= NO_SPREAD**2 * np.einsum("rn,rn->r", outcome, outcome)
    status = first_of(
        {
            Status.NOT_FINITE: ~finite,
            Status.TOO_FEW_OBSERVATIONS: df < 1,
            Status.SINGULAR_DESIGN: ~independent,
            Status.CONSTANT_OUTCOME: constant,
        }
    )
    alone = (included & (1 - leverage < FULL_LEVERAGE)).any(axis=1)
    status_hc3 = np.where((status == Status.OK) & alone, np.int8(Status.UNDEFINED_LEVERAGE), status)

    fitted = _fitted(status)
    factor = _blank(factor, fitted)
    effects = _blank(effects, fitted)
    variance = _blank(np.where(constant, 0.0, left / np.maximum(df, 1.0)), fitted)
    enlarged = _enlarged(residuals, leverage, constant)
    spread = np.einsum("rnp,rqp->rnq", basis * enlarged[..., None], factor)
    return LeastSquares(
        coefficients=np.einsum("rpq,rq->rp", factor, effects),
        covariance=factor @ factor.swapaxes(1, 2) * variance[:, None, None],
        covariance_hc3=_blank(spread.swapaxes(1, 2) @ spread, _fitted(status_hc3)),
        residual_variance=variance,
        df=df,
        n=n,
        status=status,
        status_hc3=status_hc3,
        included=included,
        residuals=_blank(residuals, fitted),
        leverage=_blank(leverage, fitted),
        basis=_blank(basis, fitted),
        factor=factor,
        effects=effects,
    )


def _orthogonalise(columns: Floats) -> tuple[Floats, Floats, Flags]:
    """Q (R, n, p), T⁻¹ (R, p, p) of X = Q T, and whether the columns are independent (R,); else Q, T⁻¹ mean nothing.

    Columns are brought to unit length first, so that the verdict does not depend on a covariate's unit.
    """
    _, n, p = columns.shape
    if n < p:
        columns = np.concatenate([columns, np.zeros((len(columns), p - n, p))], axis=1)
    length = np.linalg.norm(columns, axis=1)
    length[length == 0.0] = 1.0
    basis, triangle = np.linalg.qr(columns / length[:, None, :])
    remains = np.abs(np.diagonal(triangle, axis1=1, axis2=2))
    independent = (remains > DEPENDENT).all(axis=1)
    triangle[~independent] = np.eye(p)
    return basis[:, :n], np.linalg.inv(triangle) / length[:, :, None], independent


def _enlarged(residuals: Floats, leverage: Floats, constant: Flags) -> Floats:
    """Residuals over 1 - leverage, (R, n): what each would be in a fit without its person. 0 where constant."""
    remains = np.where(1 - leverage < FULL_LEVERAGE, 1.0, 1 - leverage)
    return np.where(constant[:, None], 0.0, residuals / remains)


def _fitted(status: Codes) -> Flags:
    return (status == Status.OK) | (status == Status.CONSTANT_OUTCOME)


def _blank(values: Floats, kept: Flags) -> Floats:
    """NaN in the trials that are not kept."""
    return np.where(kept.reshape(-1, *(1,) * (values.ndim - 1)), values, np.nan)


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
    ValueError: weights that do not fit, a level outside (0, 1), an unknown covariance or alternative.
    """
    _check(fit, weights, weights.ndim, covariance)
    along = np.einsum("rpq,rp->rq", fit.factor, np.broadcast_to(weights, fit.coefficients.shape))
    estimate = np.einsum("rp,rp->r", along, fit.effects)
    variance = fit.residual_variance * np.einsum("rp,rp->r", along, along)
    status = fit.status
    if covariance == "hc3":
        variance, model = np.square(_spread(fit, along[:, :, None], covariance)).sum(axis=(1, 2)), variance
        # Participants with one and the same value: their residuals are rounding beside the model's.
        none = (fit.status_hc3 == Status.OK) & (variance <= NO_SPREAD * model)
        status = np.where(none, np.int8(Status.CONSTANT_OUTCOME), fit.status_hc3)
    constant = status == Status.CONSTANT_OUTCOME
    kept = constant | (status == Status.OK)
    error = np.where(constant, 0.0, np.where(kept, np.sqrt(variance), np.nan))
    df = np.where(kept, fit.df, np.nan)
    found = infer(estimate, error, df, status == Status.OK, level=level, alternative=alternative)
    numbers = (found.lower, found.upper, found.statistic, found.p_value)
    return Contrast(estimate, error, df, *numbers, status)


def joint_test(fit: LeastSquares, weights: Floats, *, covariance: Covariance = "model") -> JointTest:
    """The F test that q contrasts are all zero: weights (q, p) or (R, q, p), on q and n - p degrees of freedom.

    F = (Lb)' (L V L')⁻¹ (Lb) / q. With HC3 it is the Wald test in its F form.
    ValueError: weights that do not fit, or an unknown covariance.
    """
    from scipy.special import fdtrc

    _check(fit, weights, weights.ndim - 1, covariance)
    q = weights.shape[-2]
    trials, p = fit.coefficients.shape
    along = fit.factor.swapaxes(1, 2) @ np.broadcast_to(weights, (trials, q, p)).swapaxes(1, 2)
    status = fit.status_hc3 if covariance == "hc3" else fit.status
    testable = status == Status.OK
    spread = np.where(testable[:, None, None], _spread(fit, along, covariance), 0.0)
    _, factor, independent = _orthogonalise(spread)
    status = np.where(testable & ~independent, np.int8(Status.DEPENDENT_CONTRASTS), status)
    testable &= independent
    scaled = np.einsum("rpq,rpk,rp->rqk", along, factor, np.nan_to_num(fit.effects)) if False else None
    del scaled
    estimates = np.einsum("rpq,rp->rq", along, fit.effects)
    standardised = np.einsum("rqk,rq->rk", factor, estimates)
    statistic = np.einsum("rk,rk->r", standardised, standardised) / q
    df = np.where(testable, fit.df, np.nan)
    p_value = fdtrc(float(q), df, np.where(testable, statistic, np.nan))
    return JointTest(_blank(statistic, testable), _blank(np.full(trials, float(q)), testable), df, p_value, status)


def leave_one_out(fit: LeastSquares, weights: Floats) -> Floats:
    """The exact change (R, n) of weights·b when one participant is left out, without refitting.

    -weights·(X'X)⁻¹x e/(1 - h). NaN outside ``included``, and where the fit without the participant has no such
    coefficient (leverage 1). Cook & Weisberg, Residuals and Influence in Regression, 1982, eq. 3.2.1... 
    """
    _check(fit, weights, weights.ndim, "model")
    along = np.einsum("rpq,rp->rq", fit.factor, np.broadcast_to(weights, fit.coefficients.shape))
    pull = np.einsum("rnp,rp->rn", fit.basis, along)
    change = -pull * _enlarged(fit.residuals, fit.leverage, fit.status == Status.CONSTANT_OUTCOME)
    return np.where(fit.included & (1 - fit.leverage >= FULL_LEVERAGE), change, np.nan)


def _spread(fit: LeastSquares, along: Floats, covariance: Covariance) -> Floats:
    """A matrix M whose M'M is the covariance of the contrasts with T'⁻¹ weights ``along`` (R, p, q)."""
    if covariance == "model":
        return along * np.sqrt(fit.residual_variance)[:, None, None]
    enlarged = _enlarged(fit.residuals, fit.leverage, fit.status == Status.CONSTANT_OUTCOME)
    return fit.basis @ along * enlarged[..., None]


def _check(fit: LeastSquares, weights: Floats, dimensions: int, covariance: str) -> None:
    trials, p = fit.coefficients.shape
    if weights.shape[-1] != p or dimensions not in (1, 2) or (dimensions == 2 and weights.shape[0] != trials):
        raise ValueError(f"weights of shape {weights.shape} do not fit {trials} trials of {p} coefficients")
    if covariance not in get_args(Covariance):
        raise ValueError(f"covariance must be one of {get_args(Covariance)}, not {covariance!r}")
