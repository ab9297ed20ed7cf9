"""One step at a time through many sequences: the loop that all procedures share.

A procedure gives a `Walk`, which knows for each sequence under way the weights of the next arm. Allocating, drawing
a reference set, writing it out and finding the probability of a sequence are then the same few lines for all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from equipoise.randomisation.arrays import (
    Active,
    Arms,
    Counts,
    Floats,
    Indices,
    Levels,
    Sizes,
    checked_arms,
    checked_uniforms,
)
from equipoise.randomisation.procedure import LARGEST_SET, Realised, ReferenceSet


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What is known of so many sequences before their first step.

    strata:       with an axis of sequences in front, of length 1 where they are the same for all.
    block_sizes:  (1, n), or None where they are still to be drawn.
    """

    rows: int
    participants: int
    strata: Levels | None = None
    block_sizes: Sizes | None = None


class Walk(ABC):
    """Sequences under way. Only this room makes them; they change as they go.

    active:       which of them get the participant who has arrived (all, but for a stratified procedure).
    participant:  the number, from 0, of who has arrived.
    """

    def __init__(self) -> None:
        self.active: Active = slice(None)
        self.participant = 0

    def arrive(self, participant: int, uniforms: Floats) -> Floats:
        """The next participant comes; gives what is left of their uniforms for the choice of an arm."""
        self.participant = participant
        return uniforms

    @abstractmethod
    def weights(self) -> Floats:
        """(arms, active) numbers in proportion to the chances of the next arm; each column has one above 0."""

    @abstractmethod
    def take(self, arms: Arms) -> None:
        """Who has arrived got these arms, (active,)."""

    @abstractmethod
    def keep(self, rows: Indices) -> None:
        """Go on with these sequences only, each as often as it is named."""

    @abstractmethod
    def states(self) -> Counts:
        """(sequences, …) numbers: two sequences with equal ones have the same future."""

    def block_size(self) -> Sizes | None:
        """(active,) the size of the block in which who has arrived stands; None where there are no blocks."""
        return None


class Sequential(ABC):
    """What `Procedure` promises, for a procedure that has a walk."""

    __slots__ = ()
    takes_strata: ClassVar[bool] = False
    ratio: tuple[int, ...]

    @property
    @abstractmethod
    def description(self) -> str:
        """See `Procedure`."""

    @abstractmethod
    def walk(self, course: Course) -> Walk:
        """The sequences at their start; the course is one that `prepared` has seen."""

    @abstractmethod
    def size(self, realised: Realised) -> int | None:
        """The number of sequences that are possible, where it can be counted without writing them out."""

    @abstractmethod
    def probability_of_next(self, history: tuple[int, ...], strata: Levels | None = None) -> tuple[Fraction, ...]:
        """See `Procedure`; written apart from the walk, which is tested against it."""

    def prepared(self, course: Course) -> Course:
        """The course with its strata in the form that the walk takes; ValueError where they are wrong or missing."""
        self.refuse_strata(course.strata)
        return course

    def checked(self, realised: Realised) -> Realised:
        """What happened, with all block sizes; ValueError where they are wrong or missing."""
        return realised

    def refuse_strata(self, strata: Levels | None) -> None:
        """ValueError where there are strata and the procedure would not look at them."""
        if strata is not None and not self.takes_strata:
            raise ValueError(f"{self.description} takes no strata: wrap it in Stratified")

    def for_trial(self, participants: int) -> Sequential:  # noqa: ARG002  only one procedure has anything to learn
        """The procedure with what it must know of a trial of so many."""
        return self

    def allocate(self, uniforms: Floats, strata: Levels | None = None) -> Arms:
        """See `Procedure`."""
        return followed(self._start(uniforms, strata), uniforms)

    def block_sizes(self, uniforms: Floats, strata: Levels | None = None) -> Sizes | None:
        """See `Procedure`."""
        return sizes_met(self._start(uniforms, strata), uniforms)

    def draw(self, realised: Realised, uniforms: Floats) -> Arms:
        """See `Procedure`."""
        rows, participants = checked_uniforms(uniforms).shape
        if participants != realised.participants:
            raise ValueError(f"{participants} columns of uniforms for {realised.participants} participants")
        return followed(self._conditional(realised, rows), uniforms)

    def enumerate(self, realised: Realised, at_most: int = LARGEST_SET) -> ReferenceSet:
        """See `Procedure`."""
        walk, size = self._conditional(realised, 1), self.size(realised)
        if size is not None and size > at_most:
            return ReferenceSet.too_many(size, realised.participants)
        return written_out(walk, realised.participants, at_most)

    def probability_of(self, arms: Arms, realised: Realised) -> Floats:
        """See `Procedure`."""
        arms = checked_arms(arms, len(self.ratio))
        if arms.shape[1] != realised.participants:
            raise ValueError(f"{arms.shape[1]} columns of arms for {realised.participants} participants")
        return probability(self._conditional(realised, len(arms)), arms)

    def enumerate_at(self, realised: Realised, entered: Indices, at_most: int = LARGEST_SET) -> ReferenceSet:
        """All allocations of the slots that were entered, with their probabilities over what the others might hold.

        entered: (k,) ascending places among the participants of `realised`, which here are slots of a list.
        """
        return written_out_at(self._conditional(realised, 1), realised.participants, entered, at_most)

    def probability_at(self, arms: Arms, realised: Realised, entered: Indices) -> float:
        """The probability of these arms (k,) at the slots that were entered, whatever the others hold."""
        (row,) = checked_arms(arms[None], len(self.ratio))
        walk = self._conditional(realised, 1)
        return probability_at(walk, realised.participants, dict(zip(entered.tolist(), row.tolist(), strict=True)))

    def _start(self, uniforms: Floats, strata: Levels | None) -> Walk:
        rows, participants = checked_uniforms(uniforms).shape
        return self.walk(self.prepared(Course(rows, participants, strata)))

    def _conditional(self, realised: Realised, rows: int) -> Walk:
        course = self.prepared(Course(rows, realised.participants, realised.strata))
        sizes = self.checked(realised).block_sizes
        return self.walk(replace(course, block_sizes=None if sizes is None else sizes[None]))


def chosen(weights: Floats, uniforms: Floats) -> Arms:
    """The arm by inverse transform: weights (arms, R) and uniforms (R,) give (R,).

    The uniform is scaled by the total, not the weights divided: with u < 1, u·total < total holds in floating point
    too, so an arm of weight 0 is never chosen.
    """
    bounds = np.cumsum(weights, axis=0)
    return (uniforms * bounds[-1] >= bounds[:-1]).sum(axis=0, dtype=np.int8)


def followed(walk: Walk, uniforms: Floats) -> Arms:
    """The arms (R, n) to which the uniforms (R, n) lead."""
    arms = np.empty(uniforms.shape[::-1], np.int8)
    for participant, column in enumerate(uniforms.T):
        left = walk.arrive(participant, column)
        arms[participant] = chosen(walk.weights(), left)
        walk.take(arms[participant])
    return np.ascontiguousarray(arms.T)


def sizes_met(walk: Walk, uniforms: Floats) -> Sizes | None:
    """The sizes (R, n) of the blocks that the uniforms (R, n) meet; None where there are none."""
    sizes = np.zeros(uniforms.shape, np.int16)
    for participant, column in enumerate(uniforms.T):
        left = walk.arrive(participant, column)
        size = walk.block_size()
        if size is None:
            return None
        sizes[:, participant] = size
        walk.take(chosen(walk.weights(), left))
    return sizes


def written_out(walk: Walk, participants: int, at_most: int) -> ReferenceSet:
    """Every sequence that a walk of one row can become; ``too-many`` as soon as there are more than allowed."""
    arms, probabilities = np.zeros((1, 0), np.int8), np.ones(1)
    for participant in range(participants):
        walk.arrive(participant, np.zeros(len(arms)))
        weights = walk.weights()
        rows, arm = np.nonzero(weights.T > 0)
        if len(rows) > at_most:
            return ReferenceSet.too_many(None, participants)
        probabilities = probabilities[rows] * (weights[arm, rows] / weights.sum(axis=0)[rows])
        arms = np.concatenate([arms[rows], arm[:, None].astype(np.int8)], axis=1)
        walk.keep(rows)
        walk.take(arms[:, -1])
    return ReferenceSet("complete", len(arms), arms, probabilities)


def probability(walk: Walk, arms: Arms) -> Floats:
    """The probability (R,) with which the walk takes each sequence (R, n)."""
    found, rows = np.ones(len(arms)), np.arange(len(arms))
    for participant, column in enumerate(arms.T):
        walk.arrive(participant, np.zeros(len(arms)))
        weights = walk.weights()
        found *= weights[column, rows] / weights.sum(axis=0)
        # What is impossible stays at 0; the walk goes on by a step that it can take.
        walk.take(np.where(weights[column, rows] > 0, column, weights.argmax(axis=0)).astype(np.int8))
    return found


def written_out_at(walk: Walk, slots: int, entered: Indices, at_most: int) -> ReferenceSet:
    """Every sequence of the entered slots; after a slot that nobody entered, walks that go on alike are one."""
    arms, probabilities, there = np.zeros((1, 0), np.int8), np.ones(1), set(entered.tolist())
    for slot in range(slots):
        rows, arm, shares = _branched(walk, slot, len(arms))
        if len(rows) > at_most:
            return ReferenceSet.too_many(None, len(entered))
        probabilities = probabilities[rows] * shares
        walk.keep(rows)
        walk.take(arm)
        arms = arms[rows]
        if slot in there:
            arms = np.concatenate([arms, arm[:, None]], axis=1)
        else:
            first, probabilities = _merged(np.concatenate([arms, _future(walk)], axis=1), probabilities)
            walk.keep(first)
            arms = arms[first]
    first, probabilities = _merged(arms.astype(np.int64), probabilities)
    return ReferenceSet("complete", len(first), arms[first], probabilities)


def probability_at(walk: Walk, slots: int, arms: dict[int, int]) -> float:
    """The probability that the walk takes these arms at these slots."""
    probabilities = np.ones(1)
    for slot in range(slots):
        rows, arm, shares = _branched(walk, slot, len(probabilities))
        taken = arm == arms.get(slot, 0) if slot in arms else np.ones(len(arm), np.bool_)
        if not taken.any():
            return 0.0
        rows, arm = rows[taken], arm[taken]
        probabilities = probabilities[rows] * shares[taken]
        walk.keep(rows)
        walk.take(arm)
        first, probabilities = _merged(_future(walk), probabilities)
        walk.keep(first)
    return float(probabilities.sum())


def _branched(walk: Walk, slot: int, count: int) -> tuple[Indices, Arms, Floats]:
    """Of each walk under way every arm that it can take next: the walk, the arm, and its chance."""
    walk.arrive(slot, np.zeros(count))
    weights = walk.weights()
    rows, arm = np.nonzero(weights.T > 0)
    return rows, arm.astype(np.int8), weights[arm, rows] / weights.sum(axis=0)[rows]


def _future(walk: Walk) -> Counts:
    states = walk.states()
    return states.reshape(len(states), -1)


def _merged(keys: NDArray[np.integer], probabilities: Floats) -> tuple[Indices, Floats]:
    """The first of the rows with equal keys, in the order of the keys, and their probabilities together."""
    _, first, place = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    together = np.zeros(len(first))
    np.add.at(together, place.ravel(), probabilities)
    return first, together
