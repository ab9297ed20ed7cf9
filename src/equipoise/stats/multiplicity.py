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
