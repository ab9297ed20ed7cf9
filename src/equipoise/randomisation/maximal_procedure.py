"""The maximal procedure: every sequence that respects the limit is equally probable."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from equipoise.randomisation.arrays import Floats, Levels
from equipoise.randomisation.imbalance import Imbalances, checked_limit, imbalance_after, ways
from equipoise.randomisation.procedure import Realised
from equipoise.randomisation.walk import Course, Sequential, Walk


@dataclass(frozen=True, slots=True)
class MaximalProcedure(Sequential):
    """Two arms at 1:1; uniform over all sequences of a list whose imbalance never exceeds the limit.

    length:       how many slots the list has (in each stratum). None: as many as the trial has participants. The next
                  arm's chance counts the ways in which the rest of the list can go on, so it depends on this length;
                  only a fixed one makes participant i independent of how many follow.
    final_limit:  largest imbalance at the end of the list; None: the limit itself. 0 is Berger's original, which ends
                  in balance and so needs an even length.

    Berger, Ivanova & Knoll, Stat Med 2003;22:3017-3028; the recursion is that of Salama, Ivanova & Qaqish, Stat Med
    2008;27:1421-1428.
    """

    limit: int
    length: int | None = None
    final_limit: int | None = None
    ratio: tuple[int, ...] = field(default=(1, 1), init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "limit", checked_limit(self.limit))
        if self.final_limit is not None and not 0 <= self.final_limit <= self.limit:
            raise ValueError(f"the final limit must lie between 0 and the limit {self.limit}, not {self.final_limit}")
        if self.length is not None:
            if self.length < 0:
                raise ValueError(f"the length of the list must not be negative: {self.length}")
            if self.final_limit == 0 and self.length % 2:
                raise ValueError(f"a list of {self.length} cannot end in balance: give an even length")

    @property
    def description(self) -> str:
        length = "" if self.length is None else f" length {self.length}"
        final = "" if self.final_limit is None else f" final limit {self.final_limit}"
        return f"maximal-procedure 1:1 limit {self.limit}{length}{final}"

    def for_trial(self, participants: int) -> MaximalProcedure:
        """With a definite length: that of the trial where it has none of its own."""
        return replace(self, length=participants) if self.length is None else self

    def _slots(self, participants: int) -> int:
        """The length of the list; ValueError where it is too short for so many."""
        slots = participants if self.length is None else self.length
        if participants > slots:
            raise ValueError(f"the list has {slots} slots, and {participants} participants need one")
        return slots

    def walk(self, course: Course) -> Walk:
        return _Maximal(course.rows, _completions(self.limit, self._slots(course.participants), self._ends))

    def size(self, realised: Realised) -> int | None:
        """Where the trial ended before the list did: the sequences that have a continuation."""
        after = ways(self.limit, self._slots(realised.participants) - realised.participants, self._ends)
        return ways(self.limit, realised.participants, [end for end, number in after.items() if number])[0]

    def probability_of_next(self, history: tuple[int, ...], strata: Levels | None = None) -> tuple[Fraction, ...]:
        self.refuse_strata(strata)
        if self.length is None:
            raise ValueError("the chance of the next arm depends on the length of the list: give one")
        if len(history) >= self.length:
            raise ValueError(f"the list has {self.length} slots, and the history has used {len(history)}")
        imbalance = imbalance_after(history, self.limit, self.description)
        after = ways(self.limit, self.length - len(history) - 1, self._ends)
        first, second = after.get(imbalance + 1, 0), after.get(imbalance - 1, 0)
        if not first + second:
            raise ValueError(f"{self.description} cannot have made this history")
        return (Fraction(first, first + second), Fraction(second, first + second))

    @property
    def _ends(self) -> range:
        final = self.limit if self.final_limit is None else self.final_limit
        return range(-final, final + 1)


def _completions(limit: int, length: int, ends: range) -> Floats:
    """(length + 1, 2·limit + 3): in proportion to the ways to end the list from each imbalance after each step.

    The outer columns are 0. Each row is scaled by its own maximum, since the numbers themselves outgrow any float;
    only sums of positive terms, so the relative error stays below length·2⁻⁵².
    """
    table = np.zeros((length + 1, 2 * limit + 3))
    table[length] = np.isin(np.arange(-limit - 1, limit + 2), ends)
    for step in range(length - 1, -1, -1):
        table[step, 1:-1] = table[step + 1, :-2] + table[step + 1, 2:]
        table[step] /= table[step].max()
    if not table[0, limit + 1]:
        raise ValueError(f"a list of {length} cannot end in balance: give an even length")
    return table


class _Maximal(Imbalances):
    def __init__(self, rows: int, completions: Floats) -> None:
        super().__init__(rows)
        self._ways = completions.ravel()
        self._width = completions.shape[1]

    def weights(self) -> Floats:
        middle = self._width // 2
        here = (self.taken[self.active] + 1) * self._width + self.imbalance[self.active] + middle
        return np.stack([self._ways[here + 1], self._ways[here - 1]])
