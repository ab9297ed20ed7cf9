"""Bases of the directions in which a covariance may move, and the sums of the likelihood along them.

A likelihood's derivatives are traces of products with symmetric matrices E_i, i = 1 .. B. What these matrices are
decides what they cost. With T visits in P patterns, each of them has a cost of its own for each iteration:

Elements   one matrix for each element on or below the diagonal: all covariances; of the order T⁴
Matrices   any B matrices, as the derivatives by few parameters are: of the order B P T³
Lags       one matrix for each distance between visits on an even grid: Toeplitz; of the order P T² log T, by Fourier
           transforms (Σ over a and c of Omega_(a+l, c) A_(c+m, a) is a correlation of Omega and A in two dimensions)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np

from equipoise.stats.arrays import Counts, Floats

CHUNK = 64
"""Patterns whose Fourier transforms are held at once."""


class Basis(Protocol):
    """Symmetric matrices E_i (B of T x T) and sums of products with them."""

    def gradient(self, slope: Floats) -> Floats:
        """(B,) ½ tr(G E_i) of G (T, T)."""
        ...

    def matrix(self, weights: Floats) -> Floats:
        """(T, T) Σ w_i E_i of w (B,)."""
        ...

    def sandwich(self, vectors: Floats) -> Floats:
        """(B, q, q) Σ over rows of v'E_i v, of v (m, T, q)."""
        ...

    def quartic(self, omega: Floats, inner: Floats) -> Floats:
        """(B, B) Σ over patterns of tr(E_i Omega E_j A), made symmetric, for symmetric Omega and A (P, T, T)."""
        ...

    def weave(self, weights: Floats, omega: Floats) -> Floats:
        """(P, T, T) Σ w_ij E_i Omega E_j of each pattern, for w (B, B) and Omega (P, T, T)."""
        ...


@cache
def lower(visits: int) -> tuple[Counts, Counts]:
    """Row and column of each element on or below the diagonal, row by row."""
    return np.tril_indices(visits)


@cache
def unfolding(visits: int) -> Floats:
    """(T², B): column i is E_i of ``Elements``, flat."""
    rows, columns = lower(visits)
    matrix = np.zeros((visits, visits, len(rows)))
    each = np.arange(len(rows))
    matrix[rows, columns, each] = 1.0
    matrix[columns, rows, each] = 1.0
    return matrix.reshape(visits * visits, -1)


@dataclass(frozen=True, slots=True)
class Elements:
    """E_i is 1 at the i-th element on or below the diagonal and at its mirror image."""

    visits: int

    def gradient(self, slope: Floats) -> Floats:
        return 0.5 * unfolding(self.visits).T @ slope.ravel()

    def matrix(self, weights: Floats) -> Floats:
        found = np.empty((self.visits, self.visits))
        rows, columns = lower(self.visits)
        found[rows, columns] = found[columns, rows] = weights
        return found

    def sandwich(self, vectors: Floats) -> Floats:
        q = vectors.shape[2]
        flat = vectors.reshape(len(vectors), -1)
        gram = (flat.T @ flat).reshape(self.visits, q, self.visits, q)
        rows, columns = lower(self.visits)
        both = gram[rows, :, columns, :]
        both = both + both.swapaxes(1, 2)
        both[rows == columns] *= 0.5
        return both

    def quartic(self, omega: Floats, inner: Floats) -> Floats:
        count, visits, _ = omega.shape
        table = omega.reshape(count, -1).T @ inner.reshape(count, -1)
        # Element (b, c, d, a) is omega_bc A_da, the part of e_a e_b' Omega e_c e_d' A in the trace.
        table = table.reshape((visits,) * 4).transpose(3, 0, 1, 2).reshape(visits**2, visits**2)
        unfold = unfolding(visits)
        folded = unfold.T @ table @ unfold
        return 0.5 * (folded + folded.T)

    def weave(self, weights: Floats, omega: Floats) -> Floats:
        T, unfold = self.visits, unfolding(self.visits)
        table = (unfold @ weights @ unfold.T).reshape((T,) * 4).transpose(0, 3, 1, 2).reshape(T**2, T**2)
        return (omega.reshape(-1, T**2) @ table.T).reshape(-1, T, T)


@dataclass(frozen=True, slots=True)
class Matrices:
    """E_i are the given matrices (B, T, T)."""

    given: Floats

    def gradient(self, slope: Floats) -> Floats:
        return 0.5 * np.tensordot(self.given, slope, axes=2)

    def matrix(self, weights: Floats) -> Floats:
        return np.tensordot(weights, self.given, axes=1)

    def sandwich(self, vectors: Floats) -> Floats:
        q = vectors.shape[2]
        flat = vectors.reshape(-1, q)
        return np.stack([flat.T @ (one @ vectors).reshape(-1, q) for one in self.given])

    def quartic(self, omega: Floats, inner: Floats) -> Floats:
        T = omega.shape[1]
        # Side by side and one above the other, the patterns are summed over by one product of two matrices.
        beside = inner.transpose(1, 0, 2).reshape(T, -1)
        moved = np.stack([beside @ (one @ omega).reshape(-1, T) for one in self.given])
        B = len(self.given)
        found = moved.reshape(B, -1) @ self.given.reshape(B, -1).T
        return 0.5 * (found + found.T)

    def weave(self, weights: Floats, omega: Floats) -> Floats:
        right = np.tensordot(weights, self.given, axes=1)
        found = np.zeros_like(omega)
        for one, other in zip(self.given, right, strict=True):
            found += one @ omega @ other
        return found


@dataclass(frozen=True, slots=True)
class Lags:
    """E_l is 1 where two of the T visits of an even grid are l apart, l = 0 .. T - 1."""

    visits: int

    def gradient(self, slope: Floats) -> Floats:
        sums = np.array([np.trace(slope, offset=lag) for lag in range(self.visits)])
        sums[0] *= 0.5
        return sums

    def matrix(self, weights: Floats) -> Floats:
        return weights[np.abs(np.subtract.outer(np.arange(self.visits), np.arange(self.visits)))]

    def sandwich(self, vectors: Floats) -> Floats:
        T, length = self.visits, self._length
        turned = np.fft.rfft(vectors, length, axis=1).transpose(1, 2, 0)
        spectrum = turned @ turned.conj().swapaxes(1, 2)
        found = np.fft.irfft(spectrum, length, axis=0)[:T]
        found = found + found.swapaxes(1, 2)
        found[0] *= 0.5
        return found

    def quartic(self, omega: Floats, inner: Floats) -> Floats:
        T, length = self.visits, self._length
        spectrum = np.zeros((length, length // 2 + 1), dtype=np.complex128)
        for first in range(0, len(omega), CHUNK):
            part = slice(first, first + CHUNK)
            left, right = (np.fft.rfft2(of[part], (length, length)) for of in (omega, inner))
            spectrum += np.einsum("puv,puv->uv", left, np.conjugate(right, out=right))
        correlation = np.fft.irfft2(spectrum, (length, length))
        # From signed distances to absolute ones; 0 has no other sign.
        folded = correlation[:T].copy()
        folded[1:] += correlation[:-T:-1]
        found = folded[:, :T].copy()
        found[:, 1:] += folded[:, :-T:-1]
        return 0.5 * (found + found.T)

    def weave(self, weights: Floats, omega: Floats) -> Floats:
        T, length = self.visits, self._length
        kernel = np.zeros((length, length))
        signed = np.arange(1 - T, T)
        kernel[np.ix_(signed, signed)] = weights[np.ix_(np.abs(signed), np.abs(signed))]
        turned = np.fft.rfft2(kernel)
        parts = []
        for first in range(0, len(omega), CHUNK):
            moved = np.fft.rfft2(omega[first : first + CHUNK], (length, length)) * turned
            parts.append(np.fft.irfft2(moved, (length, length))[:, :T, :T])
        return np.concatenate(parts)

    @property
    def _length(self) -> int:
        """Of transforms in which nothing comes round: at least 2T - 1."""
        return _smooth(2 * self.visits - 1)


@cache
def _smooth(least: int) -> int:
    """The next even number with no other prime factors than 2, 3 and 5, of which transforms are fast."""
    length = least + least % 2
    while True:
        rest = length
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
        length += 2
