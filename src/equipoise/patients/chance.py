"""Distributions by inverse transform: uniforms in, values out, one uniform a value.

Nothing here rejects or repeats a draw, so a changed parameter never shifts another draw.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Draw = Callable[[str, int], Floats]
"""`draw(purpose, k)`: one block of uniforms in (0, 1), (trials, people, k), always the same for a purpose."""


def normal(uniform: Floats) -> Floats:
    """Standard normal values."""
    from scipy.special import ndtri

    return np.asarray(ndtri(uniform), np.float64)


def normal_share(value: ArrayLike) -> Floats:
    """The standard normal distribution function."""
    from scipy.special import ndtr

    return np.asarray(ndtr(np.asarray(value, np.float64)), np.float64)


def gamma(uniform: Floats, shape: float) -> Floats:
    """Gamma values with mean 1 and variance 1/shape."""
    from scipy.special import gammaincinv

    return np.asarray(gammaincinv(shape, uniform), np.float64) / shape


def truncated_gamma(uniform: Floats, shape: float, scale: float, highest: float) -> Floats:
    """Gamma values of this shape and scale, given that they do not exceed `highest`."""
    from scipy.special import gammainc, gammaincinv

    return np.asarray(gammaincinv(shape, uniform * gammainc(shape, highest / scale)), np.float64) * scale


def category(uniform: Floats, shares: ArrayLike) -> NDArray[np.int64]:
    """Index 0, 1, ... with these probabilities, which are made to sum to 1."""
    weights = np.asarray(shares, np.float64)
    return np.searchsorted(np.cumsum(weights / weights.sum())[:-1], uniform, side="right").astype(np.int64)


def normals(draw: Draw, purpose: str, count: int) -> Floats:
    """Standard normal values of a purpose, (trials, people, count)."""
    return normal(draw(purpose, count))


def one(draw: Draw, purpose: str) -> Floats:
    """One uniform a person, (trials, people)."""
    return draw(purpose, 1)[..., 0]
