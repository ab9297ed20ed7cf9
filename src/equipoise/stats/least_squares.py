"""Ordinary least squares in many trials at once.

Each trial's design is orthogonalised (QR of its columns at unit length), never squared: with X = Q T, T upper
triangular, every quantity follows from Q, T⁻¹ and the effects Q'y, so that a covariate whose values are large
beside their spread costs no more digits than it must. People who are not included have rows of zeros.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.stats.arrays import Codes, Counts, Flags, Floats, Texts, all_of, beside
from equipoise.stats.status import Status, first_of, texts

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
    residuals:         (R, n), 0 outside ``included`` and where the outcome is constant.
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


def fit_least_squares(response: Floats, design: Floats, included: Flags) -> LeastSquares:
    """Least squares of ``response`` (R, n) on ``design`` (R, n, p) or (n, p) over ``included`` (R, n) or (n,).

    b = (X'X)⁻¹X'y, s² = RSS/(n - p), V = s²(X'X)⁻¹, and HC3 = (X'X)⁻¹ X' diag(e²/(1 - h)²) X (X'X)⁻¹ with
    residuals e and leverages h. MacKinnon & White, J Econometrics 1985;29:305-325.

    A trial that cannot be analysed has a status and NaN; a constant outcome has its coefficients and variance 0.
    ValueError: shapes that do not fit, or a mask that is not boolean.
    """
    included = beside(response, included)
    outcome = np.where(included, response, 0.0)
    columns = np.where(included[..., None], design, 0.0)
    n = included.sum(axis=1)
    df = (n - columns.shape[2]).astype(np.float64)
    finite = all_of(np.isfinite(outcome), 1) & all_of(np.isfinite(columns), 1, 2)
    outcome[~finite], columns[~finite] = 0.0, 0.0

    basis, factor, independent = orthogonalise(columns)
    leverage = np.einsum("rnp,rnp->rn", basis, basis)
    effects = np.einsum("rnp,rn->rp", basis, outcome)
    residuals = np.where(included, outcome - np.einsum("rnp,rp->rn", basis, effects), 0.0)
    left = np.einsum("rn,rn->r", residuals, residuals)
    constant = left <= NO_SPREAD**2 * np.einsum("rn,rn->r", outcome, outcome)
    residuals[constant], left[constant] = 0.0, 0.0
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
    variance = left / np.maximum(df, 1.0)
    covariance = factor @ factor.swapaxes(1, 2) * variance[:, None, None]
    pull = basis @ factor.swapaxes(1, 2) * enlarged(residuals, leverage)[..., None]
    return LeastSquares(
        coefficients=blank(np.einsum("rpq,rq->rp", factor, effects), fitted),
        covariance=blank(covariance, fitted),
        covariance_hc3=blank(pull.swapaxes(1, 2) @ pull, _fitted(status_hc3)),
        residual_variance=blank(variance, fitted),
        df=df,
        n=n,
        status=status,
        status_hc3=status_hc3,
        included=included,
        residuals=blank(residuals, fitted),
        leverage=blank(leverage, fitted),
        basis=blank(basis, fitted),
        factor=blank(factor, fitted),
        effects=blank(effects, fitted),
    )


def orthogonalise(columns: Floats) -> tuple[Floats, Floats, Flags]:
    """Q (R, n, p) and T⁻¹ (R, p, p) of X = Q T, and whether X's columns are independent (R,); if not, T⁻¹ is void.

    Columns are brought to unit length first, so that the verdict does not depend on a covariate's unit.
    """
    _, n, p = columns.shape
    if n < p:
        columns = np.concatenate([columns, np.zeros((len(columns), p - n, p))], axis=1)
    length = np.linalg.norm(columns, axis=1)
    length[length == 0.0] = 1.0
    basis, triangle = np.linalg.qr(columns / length[:, None, :])
    remains = np.abs(np.diagonal(triangle, axis1=1, axis2=2))
    independent = all_of(remains > DEPENDENT, 1)
    triangle[~independent] = np.eye(p)
    return basis[:, :n], np.linalg.inv(triangle) / length[:, :, None], independent


def enlarged(residuals: Floats, leverage: Floats) -> Floats:
    """Residuals over 1 - leverage, (R, n): what each would be in a fit without its participant.

    Where the leverage is 1 there is no such fit, and the residual itself (rounding) is given.
    """
    return residuals / np.where(1 - leverage < FULL_LEVERAGE, 1.0, 1 - leverage)


def blank(values: Floats, kept: Flags) -> Floats:
    """``values`` (R, ...) with NaN in the trials that are not kept."""
    return np.where(kept.reshape(-1, *(1,) * (values.ndim - 1)), values, np.nan)


def _fitted(status: Codes) -> Flags:
    return (status == Status.OK) | (status == Status.CONSTANT_OUTCOME)
