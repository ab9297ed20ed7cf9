"""Permuted blocks: within each block the arms stand in their exact ratio, in random order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import comb, prod

import numpy as np

from equipoise.randomisation.arrays import (
    Arms,
    Counts,
    Floats,
    Indices,
    Levels,
    Sizes,
    checked_history,
    checked_ratio,
    written,
)
from equipoise.randomisation.procedure import Realised
from equipoise.randomisation.walk import Course, Sequential, Walk, chosen

LARGEST_BLOCK = 10_000


@dataclass(frozen=True, slots=True)
class PermutedBlocks(Sequential):
    """Blocks of one size, or each of a size drawn from several with equal probability.

    sizes:  multiples of the ratio's sum.
    The sizes that were realised are part of what the reference set is conditional on, the last block's too.
    Rosenberger & Lachin 2016, section 3.5; Matts & Lachin, Control Clin Trials 1988;9:327-344.
    """

    sizes: tuple[int, ...]
    ratio: tuple[int, ...] = (1, 1)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ratio", checked_ratio(self.ratio))
        total = sum(self.ratio)
        if not self.sizes:
            raise ValueError("permuted blocks need at least one block size")
        for size in self.sizes:
            if not 1 <= size <= LARGEST_BLOCK:
                raise ValueError(f"a block holds 1 to {LARGEST_BLOCK} participants, not {size}")
            if size % total:
                raise ValueError(
                    f"a block of {size} cannot hold the ratio {written(self.ratio)}: use multiples of {total}"
                )
        object.__setattr__(self, "sizes", tuple(sorted({int(size) for size in self.sizes})))

    @property
    def description(self) -> str:
        return f"permuted-blocks {written(self.ratio)} sizes {','.join(str(size) for size in self.sizes)}"

    def walk(self, course: Course) -> Walk:
        return _Blocks(course.rows, self.ratio, self.sizes, course.block_sizes)

    def checked(self, realised: Realised) -> Realised:
        """With the size of every block; ValueError where they are missing, not ours, or change within a block."""
        if realised.block_sizes is None:
            if len(self.sizes) > 1:
                raise ValueError("block sizes are random: the reference set needs those that were realised")
            sizes = np.full(realised.participants, max(self.sizes), np.int16)
            return replace(realised, block_sizes=sizes)
        self._blocks(realised.block_sizes)
        return realised

    def size(self, realised: Realised) -> int | None:
        sizes = self.checked(realised).block_sizes
        assert sizes is not None
        return prod(self._beginnings(size, met) for size, met in self._blocks(sizes))

    def _blocks(self, sizes: Sizes) -> list[tuple[int, int]]:
        """Size of each block and how many of it were met, from the size at each participant."""
        found: list[tuple[int, int]] = []
        for size in sizes.tolist():
            if found and found[-1][1] < found[-1][0]:
                if size != found[-1][0]:
                    raise ValueError(f"a block of {found[-1][0]} ends after {found[-1][1]} with a block of {size}")
                found[-1] = (size, found[-1][1] + 1)
            elif size in self.sizes:
                found.append((size, 1))
            else:
                raise ValueError(f"a block of {size} is none of {self.description}")
        return found

    def _beginnings(self, size: int, met: int) -> int:
        """In how many ways a block can begin: all (a_1, …, a_k) with sum `met` that fit into it, multinomially."""
        ways = [1] + [0] * met
        for share in self.ratio:
            most = share * size // sum(self.ratio)
            ways = [
                sum(ways[total - here] * comb(total, here) for here in range(min(most, total) + 1))
                for total in range(met + 1)
            ]
        return ways[met]

    def probability_of_next(self, history: tuple[int, ...], strata: Levels | None = None) -> tuple[Fraction, ...]:
        """For somebody who knows the possible sizes but not the realised ones: averaged over what these may be."""
        self.refuse_strata(strata)
        history = checked_history(history, len(self.ratio))
        begins = self._block_begins(history)
        joint = [Fraction(0)] * len(self.ratio)
        for start, weight in enumerate(begins):
            for size in self.sizes:
                if weight and start + size > len(history):
                    likelihood = weight / len(self.sizes) * self._within(history[start:], size)
                    left = self._left(history[start:], size)
                    for arm, count in enumerate(left if likelihood else ()):
                        joint[arm] += likelihood * Fraction(count, sum(left))
        if not sum(joint):
            raise ValueError(f"{self.description} cannot have made this history")
        return tuple(chance / sum(joint) for chance in joint)

    def _block_begins(self, history: tuple[int, ...]) -> list[Fraction]:
        """For each place the probability of the arms before it, a block beginning there."""
        begins = [Fraction(1)] + [Fraction(0)] * len(history)
        for start in range(len(history)):
            for size in self.sizes:
                if begins[start] and start + size <= len(history):
                    within = self._within(history[start : start + size], size)
                    begins[start + size] += begins[start] / len(self.sizes) * within
        return begins

    def _left(self, arms: tuple[int, ...], size: int) -> list[int]:
        return [share * size // sum(self.ratio) - arms.count(arm) for arm, share in enumerate(self.ratio)]

    def _within(self, arms: tuple[int, ...], size: int) -> Fraction:
        """The probability that a block of this size begins with these arms."""
        left, found = self._left((), size), Fraction(1)
        for arm in arms:
            found *= Fraction(left[arm], sum(left))
            left[arm] -= 1
        return found


class _Blocks(Walk):
    """What is left of each arm in the block under way."""

    def __init__(self, rows: int, ratio: tuple[int, ...], sizes: tuple[int, ...], given: Sizes | None) -> None:
        super().__init__()
        self._rows = np.arange(rows)
        self._ratio = np.array(ratio, np.int16)
        self._sizes = np.array(sizes, np.int16)
        self._given = given
        self._left = np.zeros((len(ratio), rows), np.int16)
        self._size = np.zeros(rows, np.int16)

    def arrive(self, participant: int, uniforms: Floats) -> Floats:
        """Where a block is full the next begins: at the given size, or at one drawn by the uniform's first part."""
        super().arrive(participant, uniforms)
        begins = ~self._left[:, self.active].any(axis=0)
        if self._given is not None:
            size = self._given[:, participant]
        elif len(self._sizes) == 1:
            size = self._sizes
        else:
            spread = uniforms * len(self._sizes)
            which = chosen(np.ones((len(self._sizes), 1)), uniforms)
            size, uniforms = self._sizes[which], np.where(begins, spread - which, uniforms)
        self._size[self.active] = np.where(begins, size, self._size[self.active])
        whole = self._ratio[:, None] * (self._size[self.active] // self._ratio.sum())
        self._left[:, self.active] = np.where(begins, whole, self._left[:, self.active])
        return uniforms

    def weights(self) -> Floats:
        return self._left[:, self.active].astype(float)

    def take(self, arms: Arms) -> None:
        self._left[arms, self._rows[self.active]] -= 1

    def keep(self, rows: Indices) -> None:
        self._rows = np.arange(len(rows))
        self._left, self._size = self._left[:, rows], self._size[rows]

    def block_size(self) -> Sizes:
        return self._size[self.active]

    def states(self) -> Counts:
        return self._left.T.astype(np.int64)
