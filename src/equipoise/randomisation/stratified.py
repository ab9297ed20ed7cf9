"""Stratified randomisation: an independent sequence of some procedure in each stratum."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import prod
from typing import ClassVar

import numpy as np

from equipoise.randomisation.arrays import (
    Arms,
    Counts,
    Floats,
    Indices,
    Levels,
    Sizes,
    checked_levels,
)
from equipoise.randomisation.procedure import Realised
from equipoise.randomisation.walk import Course, Sequential, Walk


@dataclass(frozen=True, slots=True)
class Stratified(Sequential):
    """The procedure within each stratum, as if the others were not there.

    Balance holds within strata only: with S strata and limit L the arms may differ by S·L, so with few participants
    strata should be fewer. A maximal procedure without a length has, in each stratum, a list as long as the trial.
    """

    within: Sequential
    ratio: tuple[int, ...] = field(init=False, repr=False)
    takes_strata: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.within.takes_strata:
            raise ValueError(f"{self.within.description} cannot be stratified again: it takes strata itself")
        object.__setattr__(self, "ratio", self.within.ratio)

    @property
    def description(self) -> str:
        return f"stratified {self.within.description}"

    def prepared(self, course: Course) -> Course:
        if course.strata is None:
            raise ValueError(f"{self.description} needs the stratum of each participant")
        strata = checked_levels(course.strata, (1, 2), "strata")
        if strata.shape not in ((course.participants,), (course.rows, course.participants)):
            raise ValueError(f"strata must be (participants,) or (trials, participants), not {strata.shape}")
        return replace(course, strata=np.atleast_2d(strata))

    def walk(self, course: Course) -> Walk:
        assert course.strata is not None
        count = int(course.strata.max(initial=0)) + 1
        most = max(int((course.strata == stratum).sum(axis=1).max(initial=0)) for stratum in range(count))
        within = self.within.for_trial(course.participants)
        inner = within.walk(Course(course.rows * count, most, None, course.block_sizes))
        return _Strata(inner, course.rows, course.strata, count)

    def checked(self, realised: Realised) -> Realised:
        sizes = np.zeros(realised.participants, np.int16)
        for members, part in self._parts(realised):
            found = self.within.checked(part).block_sizes
            if found is None:
                return realised
            sizes[members] = found
        return replace(realised, block_sizes=sizes)

    def size(self, realised: Realised) -> int | None:
        sizes = [self.within.for_trial(realised.participants).size(part) for _, part in self._parts(realised)]
        return prod(size for size in sizes if size is not None) if None not in sizes else None

    def probability_of_next(self, history: tuple[int, ...], strata: Levels | None = None) -> tuple[Fraction, ...]:
        prepared = self.prepared(Course(1, len(history) + 1, strata)).strata
        assert prepared is not None
        *before, now = prepared[0].tolist()
        here = tuple(arm for arm, stratum in zip(history, before, strict=True) if stratum == now)
        return self.within.probability_of_next(here)

    def _parts(self, realised: Realised) -> list[tuple[Indices, Realised]]:
        """Who is in each stratum that occurs, and what happened there."""
        strata, met = realised.strata, realised.block_sizes
        assert strata is not None
        parts = []
        for stratum in np.unique(strata):
            members = np.flatnonzero(strata == stratum)
            sizes = None if met is None else met[members]
            parts.append((members, Realised(len(members), None, sizes)))
        return parts


class _Strata(Walk):
    """R sequences in each of S strata, of which one of each S is active: that of the participant's stratum."""

    def __init__(self, inner: Walk, rows: int, strata: Levels, count: int) -> None:
        super().__init__()
        self._inner = inner
        self._first = np.arange(rows) * count
        self._strata = strata
        self._count = count

    def arrive(self, participant: int, uniforms: Floats) -> Floats:
        super().arrive(participant, uniforms)
        self._point()
        return self._inner.arrive(participant, uniforms)

    def _point(self) -> None:
        self._inner.active = self._first + self._strata[:, self.participant]

    def weights(self) -> Floats:
        return self._inner.weights()

    def take(self, arms: Arms) -> None:
        self._inner.take(arms)

    def keep(self, rows: Indices) -> None:
        self._inner.keep((rows[:, None] * self._count + np.arange(self._count)).ravel())
        self._first = np.arange(len(rows)) * self._count
        self._point()

    def block_size(self) -> Sizes | None:
        return self._inner.block_size()

    def states(self) -> Counts:
        return self._inner.states().reshape(len(self._first), -1)


def cells(levels: Levels, counts: tuple[int, ...]) -> Levels:
    """One stratum number for each combination of levels: (…, n, factors), with so many levels each, gives (…, n).

    ValueError: a level that does not exist.
    """
    levels = np.asarray(levels)
    if levels.shape[-1] != len(counts):
        raise ValueError(f"{levels.shape[-1]} factors, and {len(counts)} numbers of levels")
    if levels.size and ((levels < 0) | (levels >= np.array(counts))).any():
        raise ValueError(f"levels must be numbers from 0, below {', '.join(str(count) for count in counts)}")
    return np.asarray(np.ravel_multi_index(tuple(np.moveaxis(levels, -1, 0)), counts))
