"""Two arms at 1:1 whose numbers never differ by more than a limit: what big stick and the maximal procedure share.

The imbalance is the number in the first arm less that in the second.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

import numpy as np

from equipoise.randomisation.arrays import Arms, Counts, Indices, checked_history
from equipoise.randomisation.walk import Walk


def checked_limit(limit: int) -> int:
    """The limit; ValueError where it is not a whole number of at least 1."""
    if limit < 1 or int(limit) != limit:
        raise ValueError(f"the limit of the imbalance must be a whole number of at least 1, not {limit}")
    return int(limit)


def ways(limit: int, steps: int, ends: Iterable[int]) -> dict[int, int]:
    """In how many ways so many steps lead from each imbalance, within the limit all the way, to one of the ends.

    Exact, in whole numbers of any size: one row of a table after the other.
    """
    within = range(-limit, limit + 1)
    allowed = set(ends)
    row = [int(imbalance in allowed) for imbalance in within]
    for _ in range(steps):
        padded = [0, *row, 0]
        row = [below + above for below, above in zip(padded, padded[2:], strict=False)]
    return dict(zip(within, row, strict=True))


def imbalance_after(history: tuple[int, ...], limit: int, description: str) -> int:
    """The imbalance after a history; ValueError where it once exceeded the limit."""
    steps = [1 - 2 * arm for arm in checked_history(history, 2)]
    path = [0, *accumulate(steps)]
    if max(path) > limit or min(path) < -limit:
        raise ValueError(f"{description} cannot have made this history")
    return path[-1]


class Imbalances(Walk):
    """The imbalance of each sequence and how many it has allocated."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.imbalance = np.zeros(rows, np.int32)
        self.taken = np.zeros(rows, np.int32)

    def take(self, arms: Arms) -> None:
        self.imbalance[self.active] += 1 - 2 * arms
        self.taken[self.active] += 1

    def keep(self, rows: Indices) -> None:
        self.imbalance, self.taken = self.imbalance[rows], self.taken[rows]

    def states(self) -> Counts:
        return np.stack([self.imbalance, self.taken], axis=1).astype(np.int64)
