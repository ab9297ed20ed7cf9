"""The Gaussian likelihood of repeated measures in the covariance itself: its value, gradient and information.

With V the covariance of all values, block diagonal over people, r the residuals and q = V⁻¹r,

    f = ½ (log|V| + log|X'V⁻¹X| + r'V⁻¹r),                          the middle term for the restricted likelihood,

is minimised. E_i is the i-th matrix of a basis of the T x T covariance of a complete person, Phi = (X'V⁻¹X)⁻¹ = CC',
P_i = C'X'V⁻¹E_iV⁻¹XC and b_i = C'X'V⁻¹E_iq. Harville, J Am Stat Assoc 1977;72:320-338; Jennrich & Schluchter,
Biometrics 1986;42:805-820.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.stats.arrays import Floats
from equipoise.stats.mmrm.bases import Basis
from equipoise.stats.mmrm.blocks import Blocks


@dataclass(frozen=True, slots=True)
class Point:
    """The likelihood at one covariance, in the blocks' scaled and orthogonalised terms.

    value: f. sigma: (T, T). inverse: (P, T, T) of the Cholesky factor of each pattern's covariance, 0 at missing
    visits. scaled: (m, T, p + 1) inverse times rows. spread: (p, p) C. coefficients: (p,).
    """

    value: float
    sigma: Floats
    inverse: Floats
    scaled: Floats
    spread: Floats
    coefficients: Floats


@dataclass(frozen=True, slots=True)
class Derivatives:
    """First and second derivatives of f along the B matrices of a basis, which may be one of LSL' (see ``along``).

    slope: (T, T) G, where df = ½ tr(G dSigma). gradient: (B,). observed: (B, B) the matrix of second derivatives.
    products: (B, p, p) P_i. omega: (P, T, T). vectors: (m, T, p) V⁻¹XC. sums: (P, T, T) H, the part of the
    coefficients in the expected information.
    """

    basis: Basis
    slope: Floats
    gradient: Floats
    observed: Floats
    products: Floats
    omega: Floats
    vectors: Floats
    sums: Floats


def evaluate(blocks: Blocks, sigma: Floats, *, reml: bool) -> Point | None:
    """F at ``sigma`` (T, T); nothing where that is not positive definite."""
    p = blocks.columns
    try:
        if not blocks.whole:
            np.linalg.cholesky(sigma)
        root = np.linalg.cholesky(sigma * blocks.both + blocks.absent)
        inverse = np.linalg.inv(root) * blocks.both
        scaled = inverse[blocks.pattern] @ blocks.rows
        flat = scaled.reshape(-1, p + 1)
        cross = flat.T @ flat
        triangle = np.linalg.cholesky(cross[:p, :p])
        spread = np.asarray(np.linalg.inv(triangle).T, dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
    along = spread.T @ cross[:p, p]
    logs = 2.0 * np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1) @ blocks.people
    if reml:
        logs = logs + 2.0 * np.log(np.diagonal(triangle)).sum()
    value = 0.5 * float(logs + cross[p, p] - along @ along)
    return Point(value, sigma, inverse, scaled, spread, spread @ along) if np.isfinite(value) else None


def differentiate(
    blocks: Blocks, point: Point, basis: Basis, *, reml: bool, along: Floats | None = None
) -> Derivatives:
    """Gradient and observed information along a basis E_i; with a Cholesky factor L = ``along`` (T, T), along LE_iL'.

    observed_ij = Σ tr(E_i Omega E_j (qq' + H - n Omega / 2)) - b_i'b_j - ½ tr(P_i P_j), summed over patterns; full
    likelihood: without H and the last term. Omega and all that is made of it are then L'Omega L, and so on, which
    are near I however near to singular Sigma is: no digits are lost where two visits say nearly the same.
    """
    p = blocks.columns
    omega, vectors = _seen_along(blocks, point, along)
    squares, sums = _by_pattern(blocks, vectors[..., p:]), _by_pattern(blocks, vectors[..., :p])
    people = blocks.people[:, None, None] * omega
    both = basis.sandwich(vectors)
    products = np.ascontiguousarray(both[:, :p, :p])
    mixed = both[:, :p, p]
    observed = basis.quartic(omega, squares - 0.5 * people + (sums if reml else 0.0)) - mixed @ mixed.T
    if reml:
        each = products.reshape(len(products), -1)
        observed -= 0.5 * each @ each.T
    slope = (people - squares - (sums if reml else 0.0)).sum(axis=0)
    return Derivatives(basis, slope, basis.gradient(slope), observed, products, omega, vectors[..., :p], sums)


def slope_at(blocks: Blocks, point: Point, *, reml: bool) -> Floats:
    """(T, T) G, where df = ½ tr(G dSigma)."""
    p = blocks.columns
    omega, vectors = _seen_along(blocks, point, None)
    people = blocks.people[:, None, None] * omega
    return (people - _by_pattern(blocks, vectors[..., p:] if not reml else vectors)).sum(axis=0)


def _seen_along(blocks: Blocks, point: Point, along: Floats | None) -> tuple[Floats, Floats]:
    """Omega (P, T, T), and V⁻¹XC and q side by side (m, T, p + 1); with L, L'Omega L and L' times the others."""
    p = blocks.columns
    turned = np.eye(p + 1)
    turned[:p, :p], turned[:p, p] = point.spread, -point.coefficients
    back = point.inverse if along is None else point.inverse @ along
    back = back.swapaxes(1, 2)
    return back @ back.swapaxes(1, 2), back[blocks.pattern] @ (point.scaled @ turned)


def expected_information(blocks: Blocks, derivatives: Derivatives, *, reml: bool) -> Floats:
    """(B, B) Σ tr(E_i Omega E_j (n Omega / 2 - H)) + ½ tr(P_i P_j); full likelihood: Σ n/2 tr(E_i Omega E_j Omega)."""
    basis, omega = derivatives.basis, derivatives.omega
    people = 0.5 * blocks.people[:, None, None] * omega
    if not reml:
        return basis.quartic(omega, people)
    each = derivatives.products.reshape(len(derivatives.products), -1)
    return basis.quartic(omega, people - derivatives.sums) + 0.5 * each @ each.T


def _by_pattern(blocks: Blocks, vectors: Floats) -> Floats:
    """(P, T, T) sums of vv' over the rows of each pattern and the last axis, v (m, T, .)."""
    return np.add.reduceat(vectors @ vectors.swapaxes(1, 2), blocks.first, axis=0)
