"""The random intercept and slope that a covariance of the structure ``ris`` implies, if there are any.

The model is marginal: only the covariance of the values must be one, S_st = g_00 + g_01 (s + t) + g_11 st + g [s = t].
A g_11 below 0, say, is then an estimate like any other, and no random slope has it (Verbeke & Molenberghs, Linear
mixed models for longitudinal data, 2000, chapter 5; Molenberghs & Verbeke, Commun Stat Theory Methods 2011;40:3498).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.stats.arrays import Floats

ROUNDING = 1e-9
"""An eigenvalue above minus this share of the largest is not below 0."""


@dataclass(frozen=True, slots=True)
class RandomEffects:
    """An intercept and a slope that differ between people, and what is left.

    matrix: (2, 2) of intercept and slope, in units of the times. residual: the variance left. covariance: whether
    the matrix is a covariance and the residual a variance, so that random effects may have them.
    """

    matrix: Floats
    residual: float
    covariance: bool


def implied(sigma: Floats, times: Floats) -> RandomEffects | None:
    """What ``sigma`` (T, T) of ``ris`` at ``times`` (T,) implies; nothing with two visits, where many matrices fit."""
    if len(times) < 3:
        return None
    middle, spread = times.mean(), times.std()
    t, one = (times - middle) / spread, np.ones(len(times))
    basis = [np.outer(one, one), np.add.outer(t, t), np.outer(t, t), np.eye(len(times))]
    flat = np.stack([matrix.ravel() for matrix in basis], axis=1)
    level, mixed, slope, residual = np.linalg.lstsq(flat, sigma.ravel(), rcond=None)[0]
    centred = np.array([[level, mixed], [mixed, slope]])
    values = np.linalg.eigvalsh(centred)
    positive = values[0] >= -ROUNDING * np.abs(values).max() and residual >= 0
    back = np.array([[1.0, -middle / spread], [0.0, 1.0 / spread]])
    return RandomEffects(back @ centred @ back.T, float(residual), bool(positive))
