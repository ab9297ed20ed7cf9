"""The likelihood of negative binomial counts in many trials at once, and where it is largest.

Counts y with mean mu = time exp(x'b) and variance mu + alpha mu². At a given alpha the logarithm of the likelihood is
strictly concave in b, so that Newton's steps, halved where they overshoot, always reach its maximum. Fisher's scoring
does not: with a covariate and a large alpha it can step to and fro for ever. The design is orthogonalised, never
squared as it is, so that a covariate whose values are large beside their spread keeps its digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.stats.arrays import Counts, Flags, Floats

LOG_GRID = np.linspace(-7.0, 5.0, 25)
"""ln alpha at which the profile is looked at first; between 0 (Poisson) and the first of them nobody can tell."""
FAR = 25.0
"""A fitted ln rate so far below the pooled one is on its way to minus infinity."""
NEWTON = 100
HALVINGS = 40
NEAR = 1e-6
"""A Newton step that promises less than this is not checked: rounding would be all that is seen."""
ARRIVED = 1e-18
"""The promised rise of the likelihood at which one more step, whose error is its square, is the last."""
ROOT_STEPS = 60
ROOT = 1e-13
RIDGE = 1e-14
STEEPEST = 300.0
"""exp of twice this is still a number."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts (R, n), ln time, an orthonormal basis (R, n, p) of the design, and weights 1 or 0 (0: not included).

    floor: (R,) the ln rate below which a rate is on its way to 0. A trial with no weight is not fitted.
    """

    y: Floats
    offset: Floats
    basis: Floats
    w: Floats
    floor: Floats

    def of(self, trials: Counts) -> Counted:
        """Some of the trials."""
        return Counted(self.y[trials], self.offset[trials], self.basis[trials], self.w[trials], self.floor[trials])

    @property
    def fitted(self) -> Flags:
        """Trials that have anybody, (R,)."""
        return np.asarray(self.w.any(axis=1))


def rates(data: Counted, b: Floats) -> Floats:
    """The logarithm of each person's rate, (R, n)."""
    return np.einsum("rnp,rp->rn", data.basis, b)


def means(data: Counted, b: Floats) -> Floats:
    """Expected counts, (R, n)."""
    return np.exp(np.clip(data.offset + rates(data, b), -STEEPEST, STEEPEST))


def gone(data: Counted, b: Floats) -> Flags:
    """Trials in which somebody's rate is on its way to 0, (R,)."""
    return np.asarray(((data.w > 0) & (rates(data, b) < data.floor[:, None])).any(axis=1))


def expected_information(data: Counted, mean: Floats, alpha: Floats) -> Floats:
    """Q'WQ with W = mu/(1 + alpha mu), (R, p, p); the unit matrix for a trial that is not fitted."""
    return _gram(data, mean / (1 + alpha[:, None] * mean))


def log_likelihood(data: Counted, mean: Floats, alpha: Floats) -> Floats:
    """(R,) of NB2; of Poisson where alpha is 0."""
    from scipy.special import gammaln, xlogy

    a = alpha[:, None]
    size = 1 / np.where(a > 0, a, 1.0)
    spread = gammaln(data.y + size) - gammaln(size) + xlogy(data.y, a * mean) - (data.y + size) * np.log1p(a * mean)
    term = np.where(a > 0, spread, xlogy(data.y, mean) - mean) - gammaln(data.y + 1)
    return (data.w * term).sum(axis=1)


def maximise(data: Counted, alpha: Floats, start: Floats | None = None) -> tuple[Floats, Flags]:
    """The coefficients of the basis at a dispersion, (R, p), and whether each trial's have come to rest."""
    b = _start(data)
    if start is not None:
        # Rates that ran away at another dispersion need not at this one, and would never come back.
        b = np.where(gone(data, start)[:, None], b, start)
    rested = ~data.fitted
    left = np.flatnonzero(data.fitted)
    for _ in range(NEWTON):
        if not len(left):
            break
        part, a = data.of(left), alpha[left]
        b[left], rise = _step(part, a, b[left])
        rested[left] = rise < ARRIVED
        left = left[(rise >= ARRIVED) & ~gone(part, b[left])]
    return b, rested


def maximise_dispersion(data: Counted, *, adjusted: bool) -> tuple[Floats, Flags]:
    """The alpha that maximises the profile, (R,), and whether it was found; 0 where Poisson is as likely as any.

    ``adjusted``: less half the log determinant of the coefficients' information (Cox & Reid).
    The best of a grid, then the zero of the profile's slope beside it: a zero has all its digits, a maximum found by
    comparing values has half of them, and those would depend on which trials are fitted together.
    """
    trials = len(data.y)
    if not trials:
        return np.zeros(0), np.zeros(0, np.bool_)
    b, _ = maximise(data, np.zeros(trials))
    best, place, top = _profile(data, np.zeros(trials), b, adjusted=adjusted), np.full(trials, -1), b
    for number, log_alpha in enumerate(LOG_GRID):
        alpha = np.full(trials, np.exp(log_alpha))
        b, _ = maximise(data, alpha, b)
        value = _profile(data, alpha, b, adjusted=adjusted)
        better = value > best
        best, place = np.where(better, value, best), np.where(better, number, place)
        top = np.where(better[:, None], b, top)
    found = place < len(LOG_GRID) - 1
    log_alpha = np.full(trials, -np.inf)
    inner = np.flatnonzero((place >= 0) & found & data.fitted)
    if len(inner):
        log_alpha[inner] = _zero(data.of(inner), LOG_GRID[place[inner]], top[inner], adjusted=adjusted)
    return np.exp(log_alpha), found


def _gram(data: Counted, weight: Floats) -> Floats:
    """Q' diag(w weight) Q; a ridge of rounding's size keeps rates on their way to 0 from making it singular."""
    p = data.basis.shape[2]
    gram = np.einsum("rnp,rn,rnq->rpq", data.basis, data.w * weight, data.basis)
    ridge = np.where(data.fitted, RIDGE * np.trace(gram, axis1=1, axis2=2), 1.0)
    return gram + ridge[:, None, None] * np.eye(p)


def _solve(matrices: Floats, vectors: Floats) -> Floats:
    """(R, p, p) and (R, p) -> (R, p)."""
    return np.asarray(np.linalg.solve(matrices, vectors[..., None])[..., 0], np.float64)


def _start(data: Counted) -> Floats:
    """Least squares of the ln rate, with half an event added."""
    return np.einsum("rnp,rn->rp", data.basis, data.w * (np.log(data.y + 0.5) - data.offset))


def _score(data: Counted, mean: Floats, alpha: Floats) -> Floats:
    return np.einsum("rnp,rn->rp", data.basis, data.w * (data.y - mean) / (1 + alpha[:, None] * mean))


def _curvature(data: Counted, mean: Floats, alpha: Floats) -> Floats:
    """The observed information, (R, p, p)."""
    a = alpha[:, None]
    return _gram(data, mean * (1 + a * data.y) / (1 + a * mean) ** 2)


def _height(data: Counted, b: Floats, alpha: Floats) -> Floats:
    """The part of the likelihood that hangs on the coefficients, (R,)."""
    a = alpha[:, None]
    mean = means(data, b)
    size = 1 / np.where(a > 0, a, 1.0)
    cost = np.where(a > 0, (data.y + size) * np.log1p(a * mean), mean)
    return (data.w * (data.y * (data.offset + rates(data, b)) - cost)).sum(axis=1)


def _step(data: Counted, alpha: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Where one Newton step leads, halved until the likelihood does not fall, (R, p); what the whole promises, (R,)."""
    mean = means(data, b)
    score = _score(data, mean, alpha)
    step = _solve(_curvature(data, mean, alpha), score)
    rise = np.einsum("rp,rp->r", score, step)
    share = np.ones(len(b))
    checked = rise > NEAR
    if checked.any():
        here = _height(data, b, alpha)
        for _ in range(HALVINGS):
            falls = checked & (_height(data, b + share[:, None] * step, alpha) < here)
            if not falls.any():
                break
            share = np.where(falls, share / 2, share)
    return b + share[:, None] * step, rise


def _profile(data: Counted, alpha: Floats, b: Floats, *, adjusted: bool) -> Floats:
    """The (adjusted) profile likelihood, (R,), at its coefficients; orthonormal columns shift it by a constant."""
    mean = means(data, b)
    value = log_likelihood(data, mean, alpha)
    return value - np.linalg.slogdet(expected_information(data, mean, alpha))[1] / 2 if adjusted else value


def _slope(data: Counted, log_alpha: Floats, b: Floats, *, adjusted: bool) -> Floats:
    """The derivative of the (adjusted) profile by ln alpha, (R,), at its coefficients.

    By the coefficients the likelihood is flat there; the determinant moves with alpha and with the coefficients.
    """
    from scipy.special import digamma

    alpha = np.exp(log_alpha)
    mean, size, a = means(data, b), 1 / alpha[:, None], alpha[:, None]
    term = size * (np.log1p(a * mean) - digamma(data.y + size) + digamma(size)) + data.y
    slope = (data.w * (term - (data.y + size) * mean / (size + mean))).sum(axis=1)
    if not adjusted:
        return slope
    v = 1 + a * mean
    drift = -np.einsum("rnp,rn->rp", data.basis, data.w * a * (data.y - mean) * mean / v**2)
    moved = rates(data, _solve(_curvature(data, mean, alpha), drift))
    inverse = np.linalg.inv(expected_information(data, mean, alpha))
    leverage = np.einsum("rnp,rpq,rnq->rn", data.basis, inverse, data.basis)
    change = mean / v**2 * moved - a * (mean / v) ** 2
    return slope - (data.w * leverage * change).sum(axis=1) / 2


def _zero(data: Counted, centre: Floats, b: Floats, *, adjusted: bool) -> Floats:
    """Where the slope falls through 0 beside the grid's best point, (R,), by the Illinois rule; -inf below the grid."""
    width = LOG_GRID[1] - LOG_GRID[0]
    low, high = centre - width, centre + width
    up, down = (_slope(data, end, maximise(data, np.exp(end), b)[0], adjusted=adjusted) for end in (low, high))
    falling = up <= 0
    low, high = np.where(falling, -np.inf, low), np.where(falling, -np.inf, high)
    left = np.flatnonzero(~falling)
    side = np.zeros(len(centre))
    b = b.copy()
    for _ in range(ROOT_STEPS):
        if not len(left):
            break
        lo, hi, f, g = low[left], high[left], up[left], down[left]
        middle = np.where(g < 0, (lo * g - hi * f) / np.where(g < 0, g - f, 1.0), (lo + hi) / 2)
        part = data.of(left)
        b[left], _ = maximise(part, np.exp(middle), b[left])
        value = _slope(part, middle, b[left], adjusted=adjusted)
        rises = value > 0
        # The end that stays twice running has its slope halved, or it would stay for good.
        g, f = np.where(rises & (side[left] > 0), g / 2, g), np.where(~rises & (side[left] < 0), f / 2, f)
        moved = np.where(rises, middle - lo, hi - middle)
        low[left], up[left] = np.where(rises, middle, lo), np.where(rises, value, f)
        high[left], down[left] = np.where(rises, hi, middle), np.where(rises, g, value)
        side[left] = np.where(rises, 1.0, -1.0)
        rest = (value == 0) | (moved < ROOT) | (high[left] - low[left] < ROOT)
        ended = left[rest]
        low[ended] = high[ended] = middle[rest]
        left = left[~rest]
    return np.where(np.isneginf(low), -np.inf, (low + high) / 2)
