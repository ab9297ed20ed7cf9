"""Covariance structures: how the T x T covariance of a complete person follows from k parameters theta.

us      any covariance; theta is the covariance itself, row by row below the diagonal
cs      one variance, one correlation              csh     variances by visit, one correlation
ar1     one variance, correlation rho^d            ar1h    variances by visit, correlation rho^d
toep    one variance, a correlation for each d     toeph   variances by visit, a correlation for each d
ris     random intercept and slope in time plus residual: g_00 + g_01 (s + t) + g_11 s t + g_r [s = t]

d is the distance |s - t| of the visits, or of the places that they are given. Those with correlations have the
logarithms of their standard deviations first, then rho / sqrt(1 - rho²) of each correlation, or the logit of its place
between its bounds: for cs and csh -1/(T - 1) and 1, for ar1 at distances that are no whole numbers 0 and 1. The
covariance of ``ris`` is marginal: only the whole must be positive definite (Verbeke & Molenberghs, Linear mixed models
for longitudinal data, 2000, chapter 5).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

import numpy as np

from equipoise.stats.arrays import Floats
from equipoise.stats.mmrm.bases import Basis, Elements, Lags, Matrices, lower, unfolding

StructureName = Literal["us", "cs", "csh", "ar1", "ar1h", "toep", "toeph", "ris"]


FEW_VISITS = 12
"""Up to so many visits, all elements of the covariance together cost no more than a few parameters one by one."""
SINGLE = 4
"""So many parameters cost less one by one than the Fourier transforms of all distances."""
CLOSE = 1e-4
"""Where a visit keeps less than this share of its variance, transforms of all distances lose digits that count."""
VANISHED = 1e-20
"""A variance of which this share is left, beside the largest, is none."""
SAME = 1e-9
"""Distances that differ by less than this share are the same."""
MANY_VISITS = 40
"""From so many visits on, all elements of the covariance together cost more than any parameters one by one."""


class Structure(Protocol):
    """A differentiable family of covariances."""

    def start(self, moments: Floats) -> Floats:
        """Parameters (k,) near a positive definite ``moments`` (T, T)."""
        ...

    def sigma(self, theta: Floats) -> Floats:
        """The covariance (T, T)."""
        ...

    def jacobian(self, theta: Floats) -> Floats:
        """Its first derivatives (k, T, T); of the unstructured one, those of S in Sigma = LSL'."""
        ...

    def curvature(self, theta: Floats, weights: Floats) -> Floats | None:
        """Σ w_ij of its second derivatives, (T, T), for symmetric w (k, k); nothing where all are 0."""
        ...

    def bend(self, theta: Floats, slope: Floats) -> Floats:
        """What the way of ``move`` adds to the second derivatives of f, (k, k).

        slope: (T, T) G, as in ``Derivatives``, by what ``jacobian`` has the derivatives of.
        """
        ...

    def move(self, theta: Floats, step: Floats) -> Floats:
        """Parameters (k,) after a step (k,) from ``theta``."""
        ...


@dataclass(frozen=True, slots=True)
class Unstructured:
    """Any positive definite covariance, reached along curves that never leave the positive definite matrices.

    With Sigma = LL', the step D leads to L(I + D + ½ D²)L', which is positive definite for every symmetric D.
    Pennec, Fillard & Ayache, Int J Comput Vis 2006;66:41-66; Absil, Mahony & Sepulchre, Optimization algorithms on
    matrix manifolds, 2008.
    """

    visits: int

    def start(self, moments: Floats) -> Floats:
        return moments[lower(self.visits)]

    def sigma(self, theta: Floats) -> Floats:
        return (unfolding(self.visits) @ theta).reshape(self.visits, self.visits)

    def jacobian(self, theta: Floats) -> Floats:  # noqa: ARG002 - the signature of every structure
        return unfolding(self.visits).T.reshape(-1, self.visits, self.visits)

    def curvature(self, theta: Floats, weights: Floats) -> Floats | None:  # noqa: ARG002 - the signature of every one
        return None

    def bend(self, theta: Floats, slope: Floats) -> Floats:  # noqa: ARG002 - the signature of every structure
        # ½ tr(G E_i E_j), made symmetric: I in the place of Omega, G in the place of A.
        return 0.5 * Elements(self.visits).quartic(np.eye(self.visits)[None], slope[None])

    def move(self, theta: Floats, step: Floats) -> Floats:
        change = self.sigma(step)
        root = np.linalg.cholesky(self.sigma(theta))
        moved = root @ (np.eye(self.visits) + change + 0.5 * change @ change) @ root.T
        return (0.5 * (moved + moved.T))[lower(self.visits)]


@dataclass(frozen=True, slots=True)
class Linear:
    """Sums of fixed matrices: the covariance is theta times ``basis`` (k, T, T)."""

    basis: Floats

    def start(self, moments: Floats) -> Floats:
        flat = self.basis.reshape(len(self.basis), -1)
        theta = np.asarray(np.linalg.lstsq(flat.T, moments.ravel(), rcond=None)[0], dtype=np.float64)
        # Towards independent residuals, the last matrix, until it is a covariance.
        residual = np.zeros(len(theta))
        residual[-1] = np.trace(moments) / len(moments)
        while np.linalg.eigvalsh(self.sigma(theta))[0] < 0.01 * residual[-1]:
            theta = 0.5 * (theta + residual)
        return theta

    def sigma(self, theta: Floats) -> Floats:
        return np.tensordot(theta, self.basis, axes=1)

    def jacobian(self, theta: Floats) -> Floats:  # noqa: ARG002 - the signature of every structure
        return self.basis

    def curvature(self, theta: Floats, weights: Floats) -> Floats | None:  # noqa: ARG002 - the signature of every one
        return None

    def bend(self, theta: Floats, slope: Floats) -> Floats:  # noqa: ARG002 - the signature of every structure
        return np.zeros((len(theta), len(theta)))

    def move(self, theta: Floats, step: Floats) -> Floats:
        return theta + step


@dataclass(frozen=True, slots=True)
class Correlated:
    """Standard deviations times correlations that are 0 or powers of parameters.

    lags: (K, T, T) the power of each correlation parameter in each element, 0 where it has no part in it; with one
    parameter for each element at most. deviations: (v, T, T) how often each log deviation enters each element.
    floor: what the correlations must exceed, if there is such a bound. even: one variance, and correlations by the
    distance of visits on an even grid, so that the covariance is a Toeplitz matrix.
    """

    lags: Floats
    deviations: Floats
    floor: float | None = None
    even: bool = False
    once: bool = field(init=False)

    def __post_init__(self) -> None:
        # Correlations that stand as they are need no powers.
        object.__setattr__(self, "once", bool(((self.lags == 0) | (self.lags == 1)).all()))

    def start(self, moments: Floats) -> Floats:
        v = len(self.deviations)
        variances = np.diagonal(moments)
        spread = variances if v > 1 else np.array([variances.mean()])
        root = np.sqrt(variances)
        correlation = moments / np.outer(root, root)
        rho = np.array([correlation[lag == 1].mean() for lag in self.lags])
        theta = np.concatenate([0.5 * np.log(spread), self._unlinked(rho)])
        while np.linalg.eigvalsh(self._correlation(theta)[0])[0] < 0.01:
            theta[v:] *= 0.8
        return theta

    def sigma(self, theta: Floats) -> Floats:
        return self._spread(theta) * self._correlation(theta)[0]

    def jacobian(self, theta: Floats) -> Floats:
        spread = self._spread(theta)
        values, first, _ = self._correlation(theta)
        return np.concatenate([self.deviations * (spread * values), first * spread])

    def curvature(self, theta: Floats, weights: Floats) -> Floats | None:
        v = len(self.deviations)
        spread = self._spread(theta)
        values, first, curved = self._correlation(theta)
        own = (np.tensordot(weights[:v, :v], self.deviations, axes=1) * self.deviations).sum(axis=0) * values
        mixed = (np.tensordot(weights[:v, v:], first, axes=1) * self.deviations).sum(axis=0)
        return spread * (own + 2.0 * mixed + np.tensordot(np.diagonal(weights)[v:], curved, axes=1))

    def bend(self, theta: Floats, slope: Floats) -> Floats:
        v, k = len(self.deviations), len(theta)
        spread = self._spread(theta) * slope
        values, first, curved = self._correlation(theta)
        own, found = self.deviations.reshape(v, -1), np.zeros((k, k))
        found[:v, :v] = own * (spread * values).ravel() @ own.T
        found[:v, v:] = own @ (first * spread).reshape(k - v, -1).T
        found[v:, :v] = found[:v, v:].T
        each = np.arange(v, k)
        found[each, each] = np.tensordot(curved, spread, axes=2)
        return 0.5 * found

    def move(self, theta: Floats, step: Floats) -> Floats:
        return theta + step

    def _spread(self, theta: Floats) -> Floats:
        """(T, T) products of standard deviations."""
        return np.exp(np.tensordot(theta[: len(self.deviations)], self.deviations, axes=1))

    def _correlation(self, theta: Floats) -> tuple[Floats, Floats, Floats]:
        """The correlations (T, T), and their first and second derivatives (K, T, T), each by its own parameter."""
        rho, rate, bend = self._linked(theta[len(self.deviations) :][:, None, None])
        lags, there = self.lags, self.lags > 0
        if self.once:
            powers = [lags * rho, lags, np.zeros((1, 1, 1))]
        else:
            powers = [self._power(rho, n) * there for n in (0, 1, 2)]
        values = powers[0].sum(axis=0) + np.eye(lags.shape[1])
        once = lags * powers[1]
        return values, once * rate, lags * (lags - 1.0) * powers[2] * rate**2 + once * bend

    def _power(self, rho: Floats, n: int) -> Floats:
        """(K, T, T) correlations to the power of their distances less n; where that is 0 or less, the factor before."""
        if self.floor == 0.0:
            return rho ** (self.lags - n)
        return np.where(self.lags >= n, rho ** np.maximum(self.lags - n, 0.0), 0.0)

    def _linked(self, eta: Floats) -> tuple[Floats, Floats, Floats]:
        """Correlations of parameters, with first and second derivatives."""
        if self.floor is None:
            length = 1.0 + eta**2
            return eta / np.sqrt(length), length**-1.5, -3.0 * eta * length**-2.5
        place = 0.5 * (1.0 + np.tanh(0.5 * eta))
        rate = (1.0 - self.floor) * place * (1.0 - place)
        return self.floor + (1.0 - self.floor) * place, rate, rate * (1.0 - 2.0 * place)

    def _unlinked(self, rho: Floats) -> Floats:
        """Parameters of correlations, of which none starts nearer to a bound than 0.01."""
        if self.floor is None:
            rho = np.clip(rho, -0.99, 0.99)
            return rho / np.sqrt(1.0 - rho**2)
        place = np.clip((rho - self.floor) / (1.0 - self.floor), 0.01, 0.99)
        return np.log(place / (1.0 - place))


@dataclass(frozen=True, slots=True)
class Directions:
    """Where a family may go from some parameters: a basis, and the weights (k, B) of its derivatives in it.

    root: the Cholesky factor L (T, T) if the basis is one of S in Sigma = LSL', or nothing if it is one of Sigma. In
    S no digits are lost where two visits say nearly the same.
    """

    basis: Basis
    jacobian: Floats
    root: Floats | None

    def inside(self, change: Floats) -> Floats:
        """A change of Sigma (T, T), or several, as one of S where the basis is one of S."""
        if self.root is None:
            return change
        back = np.linalg.inv(self.root)
        return back @ change @ back.T

    def outside(self, slope: Floats) -> Floats:
        """A slope G (T, T) by S as one by Sigma."""
        if self.root is None:
            return slope
        back = np.linalg.inv(self.root)
        return back.T @ slope @ back


def directions(family: Structure, theta: Floats, sigma: Floats) -> Directions:
    """The basis in which a family's derivatives cost least, at parameters (k,) and their covariance (T, T)."""
    visits, first = len(sigma), family.jacobian(theta)
    root = np.asarray(np.linalg.cholesky(sigma), dtype=np.float64)
    if isinstance(family, Unstructured):
        return Directions(Elements(visits), first[(slice(None), *lower(visits))], root)
    many = visits > FEW_VISITS
    even = isinstance(family, Correlated) and family.even
    if many and even and len(first) > SINGLE and shares(sigma).min() > CLOSE:
        return Directions(Lags(visits), first[:, 0], None)
    back = np.linalg.inv(root)
    first = back @ first @ back.T
    if many and (len(first) <= visits // 3 or visits > MANY_VISITS):
        return Directions(Matrices(first), np.eye(len(first)), root)
    return Directions(Elements(visits), first[(slice(None), *lower(visits))], root)


def shares(sigma: Floats) -> Floats:
    """The share (T,) of each visit's variance that remains, given the other visits; 0 where a visit has vanished."""
    variances = np.diagonal(sigma)
    if variances.min() < VANISHED * variances.max():
        return np.zeros(len(sigma))
    root = np.sqrt(variances)
    try:
        return np.asarray(1.0 / np.diagonal(np.linalg.inv(sigma / np.outer(root, root))), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.zeros(len(sigma))


def structure(name: StructureName, visits: int, times: Floats | None = None, places: Floats | None = None) -> Structure:
    """The structure of that name for T visits; ``times`` (T,) for ``ris``, ``places`` (T,) for distances of the rest.

    Distances are counted in units of the smallest. Where they are whole numbers, the correlation of ``ar1`` may be
    negative; where they are not, it is above 0. Each distance has a correlation of its own in ``toep``.
    ValueError: an unknown name, or times or places that do not fit.
    """
    if name not in get_args(StructureName):
        raise ValueError(f"structure must be one of {get_args(StructureName)}, not {name!r}")
    if name == "us" or visits == 1:
        return Unstructured(visits)
    if name == "ris":
        return _random_slope(np.arange(visits, dtype=np.float64) if times is None else times, visits)
    floor = None
    apart = _distances(np.arange(visits, dtype=np.float64) if places is None else places, visits)
    if name.startswith("cs"):
        lags, floor = (apart > 0).astype(np.float64)[None], -1.0 / (visits - 1.0)
    elif name.startswith("ar1"):
        lags = apart[None]
        floor = None if (apart == np.round(apart)).all() else 0.0
    else:
        lags = np.equal.outer(np.unique(apart[apart > 0]), apart).astype(np.float64)
    here = np.eye(visits)
    own = here[:, :, None] + here[:, None, :]
    same = np.full((1, visits, visits), 2.0)
    heterogeneous = name.endswith("h")
    grid = np.abs(np.subtract.outer(np.arange(visits), np.arange(visits)))
    even = not heterogeneous and bool(name.startswith("cs") or np.array_equal(apart, grid))
    return Correlated(lags, own if heterogeneous else same, floor, even)


def _distances(places: Floats, visits: int) -> Floats:
    """(T, T) distances of places (T,) in units of the smallest; those that rounding alone tells apart are equal."""
    if places.shape != (visits,) or len(np.unique(places)) < visits:
        raise ValueError("places must be distinct, one for each visit")
    apart = np.abs(np.subtract.outer(places, places))
    apart = apart / apart[apart > 0].min()
    whole = np.round(apart)
    apart = np.where(np.abs(apart - whole) <= SAME * np.maximum(whole, 1.0), whole, apart)
    values = np.unique(apart)
    first = np.concatenate([[True], np.diff(values) > SAME * values[1:]])
    return values[first][np.cumsum(first) - 1][np.searchsorted(values, apart)]


def _random_slope(times: Floats, visits: int) -> Linear:
    if times.shape != (visits,) or len(np.unique(times)) < visits:
        raise ValueError("times must be distinct, one for each visit")
    # Centred at unit length, the four matrices are as different as they can be made; the family is the same.
    t = times - times.mean()
    t = t / np.sqrt((t**2).mean())
    one = np.ones(visits)
    basis = [np.outer(one, one), np.add.outer(t, t), np.outer(t, t), np.eye(visits)]
    # With two visits, three matrices already give every covariance.
    return Linear(np.stack(basis if visits > 2 else [basis[0], basis[1], basis[3]]))
