"""p-values adjusted so that the chance of any false claim in a family stays at its level."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def holm(p_values: Floats) -> Floats:
    """Holm's step-down adjusted p-values, (R, k) -> (R, k), each row a family.

    The i-th smallest p is multiplied by k - i + 1 and made monotone. Holm, Scand J Stat 1979;6:65-70.
    """
    count = p_values.shape[1]
    order = np.argsort(p_values, axis=1, kind="stable")
    scaled = np.take_along_axis(p_values, order, axis=1) * (count - np.arange(count))
    stepped = np.minimum(np.maximum.accumulate(scaled, axis=1), 1.0)
    adjusted = np.empty_like(stepped)
    np.put_along_axis(adjusted, order, stepped, axis=1)
    return adjusted


def fixed_sequence(p_values: Floats) -> Floats:
    """Adjusted p-values of hypotheses tested in their given order, each only while all before it are rejected.

    (R, k) -> (R, k): the running maximum. Maurer, Hothorn & Lehmacher 1995; Westfall & Krishen, JSPI 2001;99:25-40.
    """
    return np.maximum.accumulate(p_values, axis=1)


def hochberg(p_values: Floats) -> Floats:
    """Hochberg's step-up adjusted p-values, (R, k) -> (R, k), each row a family.

    The i-th smallest p is multiplied by k - i + 1, as in Holm's, and made monotone from the largest down. It keeps the
    level of a family if the statistics are independent or positively dependent, not in general. NaN counts as 1 beside
    the others and stays NaN itself.
    Hochberg, Biometrika 1988;75:800-802.
    """
    count = p_values.shape[1]
    return _stepped_up(p_values, count - np.arange(count, dtype=np.float64))


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Benjamini and Hochberg's adjusted p-values, (R, k) -> (R, k), each row a family.

    The i-th smallest p times k / i, made monotone from the largest down. It bounds the expected share of false claims
    among the claims, not the chance of a false one: for exploratory panels only. NaN counts as 1 beside the others and
    stays NaN itself.
    Benjamini & Hochberg, J R Stat Soc B 1995;57:289-300.
    """
    count = p_values.shape[1]
    return _stepped_up(p_values, count / np.arange(1.0, count + 1.0))


def _stepped_up(p_values: Floats, factors: Floats) -> Floats:
    """Ascending p-values times their factors (k,), each at most the one after it and 1."""
    known = np.where(np.isnan(p_values), 1.0, p_values)
    order = np.argsort(known, axis=1, kind="stable")
    scaled = np.take_along_axis(known, order, axis=1) * factors
    stepped = np.minimum(np.minimum.accumulate(scaled[:, ::-1], axis=1)[:, ::-1], 1.0)
    adjusted = np.empty_like(stepped)
    np.put_along_axis(adjusted, order, stepped, axis=1)
    return np.where(np.isnan(p_values), np.nan, adjusted)
