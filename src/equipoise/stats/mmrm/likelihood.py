"""The Gaussian likelihood of repeated measures in the covariance itself: its value, gradient and information.

With V the covariance of all values, block diagonal over people, r the residuals and q = V⁻¹r,

    f = ½ (log|V| + log|X'V⁻¹X| + r'V⁻¹r),                          the middle term for the restricted likelihood,

is minimised. E_i is the symmetric matrix of the i-th element on or below the diagonal of the T x T covariance of a
complete person, Phi = (X'V⁻¹X)⁻¹ = CC', P_i = C'X'V⁻¹E_iV⁻¹XC and b_i = C'X'V⁻¹E_iq. Harville, J Am Stat Assoc
1977;72:320-338; Jennrich & Schluchter, Biometrics 1986;42:805-820.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from equipoise.stats.arrays import Counts, Floats
from equipoise.stats.mmrm.blocks import Blocks


@dataclass(frozen=True, slots=True)
class Point:
    """The likelihood at one covariance, in the blocks' scaled and orthogonalised terms.

    value: f. sigma: (T, T). omega: (P, T, T) inverse covariance of each pattern, 0 at missing visits.
    weighted: (m, T, p + 1) omega times rows. spread: (p, p) C. coefficients: (p,).
    """

    value: float
    sigma: Floats
    omega: Floats
    weighted: Floats
    spread: Floats
    coefficients: Floats


@dataclass(frozen=True, slots=True)
class Derivatives:
    """First and second derivatives of f by the k = T(T + 1)/2 elements of the covariance.

    slope: (T, T) G, where df = ½ tr(G dSigma). gradient: (k,). observed: (k, k) the matrix of second derivatives.
    products: (k, p, p) P_i. sums: (P, T, T) H, the part of the coefficients in the expected information.
    """

    slope: Floats
    gradient: Floats
    observed: Floats
    products: Floats
    sums: Floats


@cache
def lower(visits: int) -> tuple[Counts, Counts]:
    """Row and column of each element on or below the diagonal, row by row."""
    return np.tril_indices(visits)


@cache
def unfolding(visits: int) -> Floats:
    """(T², k): column i is E_i, flat."""
    rows, columns = lower(visits)
    matrix = np.zeros((visits, visits, len(rows)))
    each = np.arange(len(rows))
    matrix[rows, columns, each] = 1.0
    matrix[columns, rows, each] = 1.0
    return matrix.reshape(visits * visits, -1)


def evaluate(blocks: Blocks, sigma: Floats, *, reml: bool) -> Point | None:
    """F at ``sigma`` (T, T); nothing where that is not positive definite."""
    p = blocks.columns
    try:
        if not blocks.whole:
            np.linalg.cholesky(sigma)
        root = np.linalg.cholesky(sigma * blocks.both + blocks.absent)
        inverse = np.linalg.inv(root)
        omega = inverse.swapaxes(1, 2) @ inverse * blocks.both
        weighted = omega[blocks.pattern] @ blocks.rows
        cross = blocks.rows.reshape(-1, p + 1).T @ weighted.reshape(-1, p + 1)
        triangle = np.linalg.cholesky(cross[:p, :p])
        spread = np.asarray(np.linalg.inv(triangle).T, dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
    along = spread.T @ cross[:p, p]
    logs = 2.0 * np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1) @ blocks.people
    if reml:
        logs = logs + 2.0 * np.log(np.diagonal(triangle)).sum()
    value = 0.5 * float(logs + cross[p, p] - along @ along)
    return Point(value, sigma, omega, weighted, spread, spread @ along) if np.isfinite(value) else None


def differentiate(blocks: Blocks, point: Point, *, reml: bool) -> Derivatives:
    """Gradient and observed information.

    observed_ij = Σ tr(E_i Omega E_j (qq' + H - n Omega / 2)) - b_i'b_j - ½ tr(P_i P_j), summed over patterns; full
    likelihood: without H and the last term.
    """
    p, visits = blocks.columns, blocks.visits
    turned = np.eye(p + 1)
    turned[:p, :p], turned[:p, p] = point.spread, -point.coefficients
    along = point.weighted @ turned
    sums = _by_pattern(blocks, along[..., :p])
    squares = _by_pattern(blocks, along[..., p:])
    people = blocks.people[:, None, None] * point.omega
    slope = (people - squares - (sums if reml else 0.0)).sum(axis=0)

    flat = along.reshape(len(along), -1)
    gram = (flat.T @ flat).reshape(visits, p + 1, visits, p + 1)
    rows, columns = lower(visits)
    both = gram[rows, :, columns, :]
    both = both + both.swapaxes(1, 2)
    both[rows == columns] *= 0.5
    products = np.ascontiguousarray(both[:, :p, :p])
    mixed = both[:, :p, p]
    observed = quartic(point.omega, squares - 0.5 * people + (sums if reml else 0.0)) - mixed @ mixed.T
    if reml:
        each = products.reshape(len(products), -1)
        observed -= 0.5 * each @ each.T
    gradient = 0.5 * unfolding(visits).T @ slope.ravel()
    return Derivatives(slope, gradient, observed, products, sums)


def expected_information(blocks: Blocks, point: Point, derivatives: Derivatives, *, reml: bool) -> Floats:
    """(k, k) Σ tr(E_i Omega E_j (n Omega / 2 - H)) + ½ tr(P_i P_j); full likelihood: Σ n/2 tr(E_i Omega E_j Omega)."""
    people = 0.5 * blocks.people[:, None, None] * point.omega
    if not reml:
        return quartic(point.omega, people)
    each = derivatives.products.reshape(len(derivatives.products), -1)
    return quartic(point.omega, people - derivatives.sums) + 0.5 * each @ each.T


def quartic(omega: Floats, inner: Floats) -> Floats:
    """(k, k) Σ over patterns of tr(E_i Omega E_j A), made symmetric, for Omega and A (P, T, T)."""
    count, visits, _ = omega.shape
    table = omega.reshape(count, -1).T @ inner.reshape(count, -1)
    # Element (b, c, d, a) is omega_bc A_da, the part of e_a e_b' Omega e_c e_d' A in the trace.
    table = table.reshape((visits,) * 4).transpose(3, 0, 1, 2).reshape(visits**2, visits**2)
    unfold = unfolding(visits)
    folded = unfold.T @ table @ unfold
    return 0.5 * (folded + folded.T)


def _by_pattern(blocks: Blocks, vectors: Floats) -> Floats:
    """(P, T, T) sums of vv' over the rows of each pattern and the last axis, v (m, T, .)."""
    return np.add.reduceat(vectors @ vectors.swapaxes(1, 2), blocks.first, axis=0)
