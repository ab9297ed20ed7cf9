"""The array types that every method takes and gives: R trials lie along the first axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]
Codes = NDArray[np.int8]
"""Status codes, one a trial."""
Texts = NDArray[np.object_]


def beside(values: Floats, included: Flags) -> Flags:
    """``included`` checked and spread to the (R, n) shape of ``values``.

    ValueError: ``values`` is not two-dimensional, or the mask is not boolean or does not fit.
    """
    if values.ndim != 2:
        raise ValueError(f"values must be (trials, participants), not {values.shape}")
    if included.dtype != np.bool_:
        raise ValueError(f"included must be boolean, not {included.dtype}")
    return np.broadcast_to(included, values.shape)


def all_of(flags: Flags, *axes: int) -> Flags:
    """Whether every flag along the axes holds; those of nobody do."""
    return np.asarray(flags.all(axis=axes))
