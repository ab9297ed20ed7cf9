"""Simple randomisation: each participant by a fresh toss, whatever came before."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from equipoise.randomisation.arrays import (
    Arms,
    Counts,
    Floats,
    Indices,
    Levels,
    checked_history,
    checked_ratio,
    written,
)
from equipoise.randomisation.procedure import Realised
from equipoise.randomisation.walk import Course, Sequential, Walk


@dataclass(frozen=True, slots=True)
class Simple(Sequential):
    """Each arm with probability in proportion to its share. Unguessable, and as unbalanced as chance will have it.

    Rosenberger & Lachin, Randomization in Clinical Trials, 2nd ed., Wiley 2016, section 3.2 (complete randomisation).
    """

    ratio: tuple[int, ...] = (1, 1)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ratio", checked_ratio(self.ratio))

    @property
    def description(self) -> str:
        return f"simple {written(self.ratio)}"

    def walk(self, course: Course) -> Walk:
        return _Tosses(course.rows, self.ratio)

    def size(self, realised: Realised) -> int | None:
        return len(self.ratio) ** realised.participants

    def probability_of_next(self, history: tuple[int, ...], strata: Levels | None = None) -> tuple[Fraction, ...]:
        self.refuse_strata(strata)
        checked_history(history, len(self.ratio))
        return tuple(Fraction(share, sum(self.ratio)) for share in self.ratio)


class _Tosses(Walk):
    def __init__(self, rows: int, ratio: tuple[int, ...]) -> None:
        super().__init__()
        self._rows = np.arange(rows)
        self._ratio = np.array(ratio, float)[:, None]

    def weights(self) -> Floats:
        return np.broadcast_to(self._ratio, (len(self._ratio), len(self._rows[self.active])))

    def take(self, arms: Arms) -> None:
        pass

    def keep(self, rows: Indices) -> None:
        self._rows = np.arange(len(rows))

    def states(self) -> Counts:
        return np.zeros((len(self._rows), 1), np.int64)
