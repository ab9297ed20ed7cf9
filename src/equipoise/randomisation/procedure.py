"""What every procedure can do, what its reference set is conditional on, and the whole of a small reference set."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol

import numpy as np

from equipoise.randomisation.arrays import Arms, Floats, Levels, Sizes, checked_levels

LARGEST_SET = 250_000
"""Reference sets up to this size are written out: at n = 21, big stick with limit 2 has 118,098."""


@dataclass(frozen=True, slots=True, eq=False)
class Realised:
    """What happened in the trial, apart from the arms: the reference set is conditional on it.

    participants:  n, the number allocated.
    strata:        (n,) the stratum of each, or (n, factors) their levels under minimisation; None without strata.
    block_sizes:   (n,) the size of the whole block in which each stands, the last block's too, though it may have
                   been broken off; needed where permuted blocks have more than one size.
    """

    participants: int
    strata: Levels | None = None
    block_sizes: Sizes | None = None

    def __post_init__(self) -> None:
        if self.participants < 0:
            raise ValueError(f"the number of participants must not be negative: {self.participants}")
        for what, values in (("strata", self.strata), ("block_sizes", self.block_sizes)):
            if values is None:
                continue
            levels = checked_levels(values, (1, 2) if what == "strata" else (1,), what)
            if len(levels) != self.participants:
                raise ValueError(f"{what} must have a row for each of {self.participants}, not {len(levels)}")


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceSet:
    """Every allocation that the procedure could have made, where they are few enough to be written out.

    status:         ``complete``, or ``too-many``: then arms and probabilities are empty, and `draw` is the way.
    size:           how many there are; None where counting them would mean writing them out.
    arms:           (size, n), in lexicographic order.
    probabilities:  (size,), summing to 1. They need not be equal: a test weights by them.
    """

    status: Literal["complete", "too-many"]
    size: int | None
    arms: Arms
    probabilities: Floats

    @classmethod
    def too_many(cls, size: int | None, participants: int) -> ReferenceSet:
        return cls("too-many", size, np.zeros((0, participants), np.int8), np.zeros(0))


class Procedure(Protocol):
    """A way to allocate participants to arms, one after the other.

    One uniform for each participant decides everything, by inverse transform; so participant i does not depend on
    how many follow (but for the maximal procedure without a length).
    """

    @property
    def ratio(self) -> tuple[int, ...]:
        """The share of each arm."""
        ...

    @property
    def description(self) -> str:
        """The method with its parameters in one line, stable: what a sealed list says of itself."""
        ...

    def allocate(self, uniforms: Floats, strata: Levels | None = None) -> Arms:
        """The arms (R, n) of R trials that the uniforms (R, n) give.

        strata: for a stratified procedure (n,) or (R, n), for minimisation (n, factors) or (R, n, factors).
        ValueError: wrong shapes or values, strata where the procedure takes none, none where it needs them.
        """
        ...

    def block_sizes(self, uniforms: Floats, strata: Levels | None = None) -> Sizes | None:
        """The sizes (R, n) of the blocks in which `allocate` placed people; None where there are no blocks."""
        ...

    def probability_of_next(self, history: tuple[int, ...], strata: Levels | None = None) -> tuple[Fraction, ...]:
        """The exact probability of each arm for the next participant, given the arms so far and nothing else.

        strata: of those so far and of the next one, (len(history) + 1,) or (len(history) + 1, factors).
        ValueError: the procedure could not have made this history.
        """
        ...

    def draw(self, realised: Realised, uniforms: Floats) -> Arms:
        """As many allocations (m, n) as there are rows of uniforms (m, n), from the procedure given what happened."""
        ...

    def enumerate(self, realised: Realised, at_most: int = LARGEST_SET) -> ReferenceSet:
        """All allocations given what happened, with their probabilities, where they are at most so many."""
        ...

    def probability_of(self, arms: Arms, realised: Realised) -> Floats:
        """The probability (R,) of each sequence (R, n) given what happened: 0 where the procedure cannot make it."""
        ...
