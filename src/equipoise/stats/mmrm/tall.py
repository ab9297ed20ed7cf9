"""Least squares before the fit: what the design leaves of the outcome, also where there are very many values.

A QR decomposition of all rows at once reads them from memory again for each column. Many rows are therefore taken in
parts that fit into the processor's cache, and the triangles of the parts together give the triangle of the whole,
by orthogonal steps alone (Demmel, Grigori, Hoemmen & Langou, SIAM J Sci Comput 2012;34:A206-A239).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.stats.arrays import Floats
from equipoise.stats.least_squares import DEPENDENT, orthogonalise

PART = 512
"""Rows of a part."""
MANY = 8 * PART
"""From so many rows on the decomposition is made in parts."""


@dataclass(frozen=True, slots=True)
class Remains:
    """Least squares of N values on p columns. independent: whether X's columns are; if not, the rest is void.

    coefficients: (p,). residuals: (N,). factor: (p, p), such that X @ factor has orthonormal columns.
    """

    independent: bool
    coefficients: Floats
    residuals: Floats
    factor: Floats


def remains(design: Floats, outcome: Floats) -> Remains:
    """What a design (N, p) leaves of an outcome (N,)."""
    return _in_parts(design, outcome) if len(outcome) >= MANY else _at_once(design, outcome)


def _at_once(design: Floats, outcome: Floats) -> Remains:
    bases, factors, independent = orthogonalise(design[None])
    effects = bases[0].T @ outcome
    return Remains(bool(independent[0]), factors[0] @ effects, outcome - bases[0] @ effects, factors[0])


def _in_parts(design: Floats, outcome: Floats) -> Remains:
    p = design.shape[1]
    length = np.sqrt(np.einsum("np,np->p", design, design))
    length[length == 0.0] = 1.0
    columns = np.empty((len(outcome), p + 1))
    np.divide(design, length, out=columns[:, :p])
    columns[:, p] = outcome
    triangle = _triangle(columns)
    independent = bool((np.abs(np.diagonal(triangle)[:p]) > DEPENDENT).all())
    if not independent:
        return Remains(independent, np.full(p, np.nan), outcome, np.eye(p))
    # The outcome was the last column: above its own length stand its products with the orthonormal basis.
    factor = np.linalg.inv(triangle[:p, :p])
    scaled = factor @ triangle[:p, p]
    factor = factor / length[:, None]
    return Remains(independent, scaled / length, outcome - columns[:, :p] @ scaled, factor)


def _triangle(columns: Floats) -> Floats:
    """T of columns = QT, (q, q), for many more rows than columns."""
    whole = len(columns) // PART * PART
    q = columns.shape[1]
    parts = np.asarray(np.linalg.qr(columns[:whole].reshape(-1, PART, q), mode="r")).reshape(-1, q)
    return np.asarray(np.linalg.qr(np.concatenate([parts, columns[whole:]]), mode="r"))
