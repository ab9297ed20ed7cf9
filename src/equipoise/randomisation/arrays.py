"""The array types of this room, and the checks at its door. R trials lie along the first axis, n people along the last.

Arms and strata are numbers from 0: the caller knows their names.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Arms = NDArray[np.int8]
"""The arm of each participant, (R, n)."""
Levels = NDArray[np.integer]
"""Numbers from 0 that say in which stratum, or at which level of a factor, a participant is."""
Sizes = NDArray[np.int16]
"""The size of the block in which each participant stands, (R, n) or (n,)."""
Counts = NDArray[np.int64]
Indices = NDArray[np.intp]
Active = slice | Indices
"""Which of many sequences get their next participant now."""

MOST_ARMS = 127


def checked_uniforms(uniforms: Floats) -> Floats:
    """The (R, n) uniforms; ValueError where they are not two-dimensional or not in [0, 1)."""
    if uniforms.ndim != 2:
        raise ValueError(f"uniforms must be (trials, participants), not {uniforms.shape}")
    # The comparison is false for a missing value too.
    if not bool(((uniforms >= 0) & (uniforms < 1)).all()):
        raise ValueError("uniforms must lie in [0, 1), one for each participant")
    return uniforms


def checked_ratio(ratio: tuple[int, ...]) -> tuple[int, ...]:
    """The allocation ratio; ValueError unless it names at least two arms, each with a whole share of at least 1."""
    if not 2 <= len(ratio) <= MOST_ARMS:
        raise ValueError(f"the ratio must name 2 to {MOST_ARMS} arms, not {len(ratio)}")
    if any(share < 1 or int(share) != share for share in ratio):
        raise ValueError(f"each share of the ratio must be a whole number of at least 1, not {written(ratio)}")
    return tuple(int(share) for share in ratio)


def checked_arms(arms: Arms, count: int) -> Arms:
    """The (R, n) arms as int8; ValueError where they are not two-dimensional or name an arm that does not exist."""
    if arms.ndim != 2:
        raise ValueError(f"arms must be (sequences, participants), not {arms.shape}")
    if arms.size and (int(arms.min()) < 0 or int(arms.max()) >= count):
        raise ValueError(f"arms must be numbers from 0 to {count - 1}")
    return arms.astype(np.int8)


def checked_levels(levels: Levels, axes: tuple[int, ...], what: str) -> Levels:
    """Levels with one of the allowed numbers of axes; ValueError where they are not whole numbers from 0."""
    levels = np.asarray(levels)
    if levels.ndim not in axes:
        raise ValueError(f"{what} must have {' or '.join(str(count) for count in axes)} axes, not {levels.ndim}")
    if not np.issubdtype(levels.dtype, np.integer) or (levels.size and int(levels.min()) < 0):
        raise ValueError(f"{what} must be whole numbers from 0")
    return levels


def checked_history(history: tuple[int, ...], arms: int) -> tuple[int, ...]:
    """The arms so far; ValueError where one does not exist."""
    if any(not 0 <= arm < arms for arm in history):
        raise ValueError(f"arms must be numbers from 0 to {arms - 1}")
    return tuple(int(arm) for arm in history)


def written(ratio: tuple[int, ...]) -> str:
    """A ratio as people write it: ``2:1``."""
    return ":".join(str(share) for share in ratio)
