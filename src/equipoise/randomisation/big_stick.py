"""Big stick: a fair coin, until one arm is ahead by the limit; then the other arm comes for certain."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from equipoise.randomisation.arrays import Floats, Levels
from equipoise.randomisation.imbalance import Imbalances, checked_limit, imbalance_after, ways
from equipoise.randomisation.procedure import Realised
from equipoise.randomisation.walk import Course, Sequential, Walk


@dataclass(frozen=True, slots=True)
class BigStick(Sequential):
    """Two arms at 1:1, never further apart than the limit.

    Its sequences are not equally probable: each certain step doubles the probability. Soares & Wu, Commun Stat
    Theory Methods 1983;12:2017-2034.
    """

    limit: int
    ratio: tuple[int, ...] = field(default=(1, 1), init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "limit", checked_limit(self.limit))

    @property
    def description(self) -> str:
        return f"big-stick 1:1 limit {self.limit}"

    def walk(self, course: Course) -> Walk:
        return _Stick(course.rows, self.limit)

    def size(self, realised: Realised) -> int | None:
        return ways(self.limit, realised.participants, range(-self.limit, self.limit + 1))[0]

    def probability_of_next(self, history: tuple[int, ...], strata: Levels | None = None) -> tuple[Fraction, ...]:
        self.refuse_strata(strata)
        imbalance = imbalance_after(history, self.limit, self.description)
        first = Fraction(int(imbalance < 0)) if abs(imbalance) == self.limit else Fraction(1, 2)
        return (first, 1 - first)


class _Stick(Imbalances):
    def __init__(self, rows: int, limit: int) -> None:
        super().__init__(rows)
        self._limit = limit

    def weights(self) -> Floats:
        imbalance = self.imbalance[self.active]
        return np.stack([imbalance < self._limit, imbalance > -self._limit]).astype(float)
