"""Covariances of the coefficients and what they say of combinations: Satterthwaite and Kenward-Roger.

All of it in the terms of the orthogonalised design: a combination l'b is c'(C⁻¹b) with c = C'l, its model variance
is c'c, and that variance's derivative by the i-th covariance parameter is c'P_ic. W, the covariance of the
covariance parameters, is the inverse of the observed information.

Fai & Cornelius, J Stat Comput Simul 1996;54:363-378; Kenward & Roger, Biometrics 1997;53:983-997, and Comput Stat
Data Anal 2009;53:2583-2595 (the linear form, which leaves out the second derivatives of the covariance).
"""

from __future__ import annotations

import numpy as np

from equipoise.stats.arrays import Floats
from equipoise.stats.mmrm.bases import lower
from equipoise.stats.mmrm.fit import Solved
from equipoise.stats.mmrm.structures import Unstructured


def turned(solved: Solved) -> Floats:
    """(p, p) the matrix R with RR' the model covariance of the coefficients, in the data's units."""
    return solved.data.scale * solved.data.factor @ solved.optimum.point.spread


def parameter_covariance(solved: Solved) -> Floats:
    """W (k, k), in scaled units."""
    return np.asarray(np.linalg.inv(solved.optimum.hessian), dtype=np.float64)


def basis_covariance(solved: Solved) -> Floats:
    """The covariance (B, B) of the estimated weights of the basis' matrices, in scaled units."""
    jacobian = solved.optimum.way.jacobian
    return jacobian.T @ parameter_covariance(solved) @ jacobian


def satterthwaite(solved: Solved, along: Floats) -> Floats:
    """Degrees of freedom (q,) of combinations c (q, p): 2 (c'c)² / (g'Wg), g_i = c'P_ic."""
    products = solved.optimum.derivatives.products
    slopes = np.einsum("qa,iab,qb->qi", along, products, along, optimize=True)
    spread = np.einsum("qi,ij,qj->q", slopes, basis_covariance(solved), slopes, optimize=True)
    return 2.0 * np.einsum("qa,qa->q", along, along) ** 2 / spread


def adjusted(solved: Solved, *, linear: bool) -> Floats:
    """Kenward and Roger's covariance of C⁻¹b, (p, p): I + 2 Σ W_ij (Q_ij - P_iP_j - R_ij / 4).

    Q_ij = C'X'V⁻¹E_iV⁻¹E_jV⁻¹XC and R_ij = C'X'V⁻¹(d²V/di dj)V⁻¹XC, which is left out if ``linear``. With an
    unstructured covariance R depends on how it is parametrised: here by the logarithms of the diagonal of its
    Cholesky factor and the elements below, row by row, each over its row's diagonal element.
    """
    blocks = solved.data.blocks
    assert blocks is not None
    p = blocks.columns
    elements = basis_covariance(solved)
    # Σ W_ij E_i Omega E_j of each pattern, (P, T, T): no Q_ij is ever formed.
    slopes = solved.optimum.derivatives
    inner = slopes.basis.weave(elements, slopes.omega)
    if not linear:
        inner_second = _second(solved)
        if inner_second is not None:
            inner = inner - 0.25 * inner_second
    along = slopes.vectors
    total = along.reshape(-1, p).T @ (inner[blocks.pattern] @ along).reshape(-1, p)
    products = slopes.products
    mixed = np.tensordot(elements, products, axes=1)
    total -= np.tensordot(products, mixed, axes=((0, 2), (0, 1)))
    total = np.eye(p) + 2.0 * total
    return 0.5 * (total + total.T)


def _second(solved: Solved) -> Floats | None:
    """Σ W_ij d²Sigma/di dj, (T, T), or that of S in LSL'; nothing where it is linear in its parameters."""
    if isinstance(solved.family, Unstructured):
        return _second_of_cholesky(solved.optimum.point.sigma, basis_covariance(solved))
    curvature = solved.family.curvature(solved.optimum.theta, parameter_covariance(solved))
    return None if curvature is None else solved.optimum.way.inside(curvature)


def _second_of_cholesky(sigma: Floats, elements: Floats) -> Floats:
    """``_second`` for Sigma = LL', L = DU with D = exp(diagonal parameters) and U of unit diagonal: L⁻¹(·)L⁻¹'."""
    T = len(sigma)
    rows, columns = lower(T)
    each = np.arange(len(rows))
    root = np.linalg.cholesky(sigma)
    # dL: a parameter of the diagonal multiplies its whole row; one below the diagonal adds its row's D.
    first = np.zeros((len(rows), T, T))
    first[each, rows, columns] = np.diagonal(root)[rows]
    for a in range(T):
        first[a * (a + 3) // 2, a] = root[a]
    own_root = np.linalg.inv(root)
    first = own_root @ first
    jacobian = (first + first.swapaxes(1, 2))[:, rows, columns]
    back = np.linalg.inv(jacobian)
    spread = back.T @ elements @ back
    total = np.tensordot(np.tensordot(spread, first, axes=1), first, axes=((0, 2), (0, 2)))
    # d²L: a diagonal parameter with itself repeats its row, and with one of its row repeats that one.
    bent = np.zeros((T, T))
    for a in range(T):
        own = a * (a + 3) // 2
        bent[a] += spread[own, own] * root[a]
        below = np.arange(own - a, own)
        bent[a, :a] += 2.0 * spread[own, below] * root[a, a]
    total = total + own_root @ bent
    return total + total.T


def kenward_roger_scale(solved: Solved, along: Floats) -> tuple[float, float]:
    """The factor lambda of F and its denominator's degrees of freedom, for combinations c (q, p) of full rank.

    Kenward & Roger, Biometrics 1997;53:983-997, section 3 and appendix.
    """
    q = len(along)
    basis = np.linalg.qr(along.T)[0]
    products = basis.T @ solved.optimum.derivatives.products @ basis
    elements = basis_covariance(solved)
    traces = np.trace(products, axis1=1, axis2=2)
    first = traces @ elements @ traces
    second = np.tensordot(elements, np.einsum("iab,jba->ij", products, products, optimize=True), axes=2)
    both = (first + 6.0 * second) / (2.0 * q)
    g = ((q + 1) * first - (q + 4) * second) / ((q + 2) * second)
    below = 3 * q + 2 * (1 - g)
    c1, c2, c3 = g / below, (q - g) / below, (q + 2 - g) / below
    mean = 1.0 / (1.0 - second / q)
    variance = (2.0 / q) * (1.0 + c1 * both) / ((1.0 - c2 * both) ** 2 * (1.0 - c3 * both))
    rho = variance / (2.0 * mean**2)
    df = 4.0 + (q + 2) / (q * rho - 1.0)
    return float(df / (mean * (df - 2.0))), float(df)
