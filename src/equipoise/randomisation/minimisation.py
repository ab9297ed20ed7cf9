"""Minimisation with a random element (Pocock & Simon): towards the arm that balances the margins best."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from equipoise.randomisation.arrays import (
    Arms,
    Counts,
    Floats,
    Indices,
    Levels,
    checked_history,
    checked_levels,
    checked_ratio,
    written,
)
from equipoise.randomisation.procedure import Realised
from equipoise.randomisation.walk import Course, Sequential, Walk


@dataclass(frozen=True, slots=True)
class Minimisation(Sequential):
    """The preferred arm is the one after which the counts at the participant's levels differ least.

    The measure is the sum over factors of the range of the arms' counts. The preferred arm is taken with `probability`,
    each other with an equal part of the rest; among arms that tie, the preference falls at random.

    Arms have equal shares. With unequal ones the usual rules do not keep the ratio at each single allocation, which
    biases a re-randomisation test (Kuznetsova & Tymofyeyev, Stat Med 2012;31:701-723), so they are refused.

    Without strata the overall numbers are balanced. Each choice needs all earlier arms, so no list can be made ahead:
    this serves simulation, and the re-randomisation of trials that were minimised in the same order.

    Pocock & Simon, Biometrics 1975;31:103-115.
    """

    probability: float
    ratio: tuple[int, ...] = (1, 1)
    takes_strata: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "ratio", checked_ratio(self.ratio))
        if len(set(self.ratio)) > 1:
            raise ValueError(f"minimisation is defined for arms of equal shares, not {written(self.ratio)}")
        least = 1 / len(self.ratio)
        if not least < self.probability <= 1:
            raise ValueError(
                f"minimisation follows its preference with a probability above {least:.3g} and up to 1, "
                f"not {self.probability}"
            )

    @property
    def description(self) -> str:
        return f"minimisation {written(self.ratio)} probability {self.probability}"

    def prepared(self, course: Course) -> Course:
        if course.strata is None:
            # One factor with one level: the overall numbers.
            return replace(course, strata=np.zeros((1, course.participants, 1), np.int64))
        strata = checked_levels(course.strata, (1, 2, 3), "strata")
        strata = strata[:, None] if strata.ndim == 1 else strata
        strata = strata[None] if strata.ndim == 2 else strata
        if strata.shape[0] not in (1, course.rows) or strata.shape[1] != course.participants:
            raise ValueError(
                f"strata must be (participants, factors) or (trials, participants, factors), not {course.strata.shape}"
            )
        return replace(course, strata=strata)

    def walk(self, course: Course) -> Walk:
        assert course.strata is not None
        return _Margins(course.rows, len(self.ratio), self.probability, course.strata)

    def size(self, realised: Realised) -> int | None:
        """Every sequence is possible, unless the preference is always followed."""
        return len(self.ratio) ** realised.participants if self.probability < 1 else None

    def probability_of_next(self, history: tuple[int, ...], strata: Levels | None = None) -> tuple[Fraction, ...]:
        history = checked_history(history, len(self.ratio))
        prepared = self.prepared(Course(1, len(history) + 1, strata)).strata
        assert prepared is not None
        levels = prepared[0]
        for place, arm in enumerate(history if self.probability == 1 else ()):
            if not self._next(history[:place], levels[: place + 1])[arm]:
                raise ValueError(f"{self.description} cannot have made this history")
        return self._next(history, levels)

    def _next(self, history: tuple[int, ...], levels: Levels) -> tuple[Fraction, ...]:
        preferred, probability = self._preferred(history, levels), Fraction(str(self.probability))
        other = (1 - probability) / (len(self.ratio) - 1)
        return tuple(
            sum(probability if arm == favourite else other for favourite in preferred) / Fraction(len(preferred))
            for arm in range(len(self.ratio))
        )

    def _preferred(self, history: tuple[int, ...], levels: Levels) -> list[int]:
        """The arms after whose choice the margins differ least."""
        measures = []
        for candidate in range(len(self.ratio)):
            measure = 0
            for column in levels.T:
                there = [arm for arm, level in zip(history, column[:-1], strict=True) if level == column[-1]]
                counts = [[*there, candidate].count(arm) for arm in range(len(self.ratio))]
                measure += max(counts) - min(counts)
            measures.append(measure)
        return [arm for arm, measure in enumerate(measures) if measure == min(measures)]


class _Margins(Walk):
    """How many of each arm stand at each level of each factor."""

    def __init__(self, rows: int, arms: int, probability: float, strata: Levels) -> None:
        super().__init__()
        self._rows = np.arange(rows)
        self._probability = probability
        self._other = (1 - probability) / (arms - 1)
        levels = strata.max(axis=(0, 1), initial=0) + 1
        # The levels of all factors stand one after the other: one column of counts for each.
        self._strata = strata + np.concatenate([[0], np.cumsum(levels)[:-1]])
        self._counts: NDArray[np.int32] = np.zeros((rows, int(levels.sum()), arms), np.int32)

    def _here(self) -> Levels:
        """The columns of who has arrived: (R or 1, factors)."""
        return self._strata[:, self.participant]

    def weights(self) -> Floats:
        counts = self._counts[self._rows[:, None], self._here()]
        measures = []
        for arm in range(counts.shape[2]):
            after = counts.copy()
            after[:, :, arm] += 1
            measures.append((after.max(axis=2) - after.min(axis=2)).sum(axis=1))
        preferred = np.stack(measures) == np.min(measures, axis=0)
        return self._other + preferred * ((self._probability - self._other) / preferred.sum(axis=0))

    def take(self, arms: Arms) -> None:
        self._counts[self._rows[:, None], self._here(), arms[:, None].astype(np.intp)] += 1

    def keep(self, rows: Indices) -> None:
        self._rows = np.arange(len(rows))
        self._counts = self._counts[rows]

    def states(self) -> Counts:
        return self._counts.reshape(len(self._rows), -1).astype(np.int64)
