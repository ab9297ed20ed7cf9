"""The allocations that a trial could have had, for re-randomisation tests: its own procedure, once for many trials.

The set is conditional on the number allocated to each arm, on strata, on the realised sizes of blocks and on which
slots of the lists were entered (`lists`). It is written out where it is small enough, else drawn; the draws depend on
the procedure, on these and on the protocol's declared seed alone: a repeated analysis gets the same ones, one set of
draws serves every analysis of a trial, and a trial does not depend on those beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.data import Flags, Floats
from equipoise.analysis.lists import Layout, Sequences, sequences
from equipoise.analysis.monte_carlo import Purpose, drawing
from equipoise.protocol.model import Protocol
from equipoise.randomisation import ReferenceSet, Simple, procedure
from equipoise.randomisation.procedure import LARGEST_SET
from equipoise.randomisation.walk import Sequential

__all__ = ["CANNOT", "Reference", "Sequences", "reference", "sequences"]

ATTEMPTS = 500
"""Batches of draws after which numbers in the arms that hardly ever come are given up."""
STEP = 1_000_000
"""Arms drawn in one batch."""
LONGEST = 1000
"""Slots up to which a sequence is asked whether it was possible: the probability of more is below any float."""

CANNOT = "the design-based test cannot be done: "


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The reference set of some sequences.

    arms:          (m, n); none where the status says why.
    probabilities: (m,) where these are all that were possible, None where they are draws.
    status:        (r,) text, ``ok`` or why the test cannot be done.
    """

    arms: NDArray[np.int8]
    probabilities: Floats | None
    status: NDArray[np.object_]


def reference(protocol: Protocol, sequences: Sequences, draws: int) -> Reference:
    """The reference set of sequences: all of it where the procedure has at most `draws` in all, else draws from it."""
    count, n = sequences.arms.shape
    layout = sequences.layout
    if layout is None:
        return _none(n, np.full(count, f"{CANNOT}{sequences.reason}", dtype=object))
    realised, at_most = layout.realised(), min(draws, LARGEST_SET)
    try:
        plan = _Plan.of(protocol)
        made = plan.procedure()
        possible = _possible(made, sequences.arms, layout)
        whole = made.enumerate(realised, at_most) if layout.whole else _whole_at(plan, layout, at_most)
    except ValueError as error:
        return _none(n, np.full(count, f"{CANNOT}{error}", dtype=object))
    reason = f"{CANNOT}{made.description} cannot have made these arms in this order; check the order of allocation"
    status = np.where(possible, "ok", reason).astype(object)
    if not possible.any():
        return _none(n, status)
    arms = range(len(protocol.arms))
    numbers = np.array([(sequences.arms[0] == arm).sum() for arm in arms])
    if whole.status == "complete":
        same = _with_numbers(whole.arms, numbers)
        share = whole.probabilities[same]
        return Reference(whole.arms[same], share / share.sum(), status)
    drawn = _drawn(plan, layout, tuple(numbers.tolist()), draws)
    if drawn is None:
        reason = f"{CANNOT}so many in each arm hardly ever come of {made.description}"
        return _none(n, np.where(status == "ok", reason, status).astype(object))
    return Reference(drawn, None, status)


def _possible(made: Sequential, arms: NDArray[np.int8], layout: Layout) -> Flags:
    """Whether the procedure can have made each of the arms (r, n)."""
    if layout.slots > LONGEST:
        return np.ones(len(arms), np.bool_)
    realised = layout.realised()
    if layout.whole:
        return made.probability_of(arms, realised) > 0
    entered = np.array(layout.entered, np.intp)
    distinct, place = np.unique(arms, axis=0, return_inverse=True)
    return np.array([made.probability_at(row, realised, entered) > 0 for row in distinct])[place.ravel()]


@lru_cache(maxsize=8)
def _whole_at(plan: _Plan, layout: Layout, at_most: int) -> ReferenceSet:
    return plan.procedure().enumerate_at(layout.realised(), np.array(layout.entered, np.intp), at_most)


def _none(n: int, status: NDArray[np.object_]) -> Reference:
    return Reference(np.zeros((0, n), np.int8), None, status)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What decides the draws: how arms are allocated, and the seed."""

    method: str
    ratio: tuple[int, ...]
    block_sizes: tuple[int, ...]
    limit: int | None
    probability: float | None
    length: int
    stratified: bool
    seed: int

    @classmethod
    def of(cls, protocol: Protocol) -> _Plan:
        plan, ratio = protocol.randomisation, tuple(arm.ratio for arm in protocol.arms)
        stratified = bool(plan.strata) and plan.method != "simple"
        numbers = (plan.block_sizes, plan.limit, plan.probability, plan.participants)
        return cls(plan.method, ratio, *numbers, stratified, protocol.conventions.seed)

    def procedure(self) -> Sequential:
        """Raises ValueError where there is no such procedure."""
        return procedure(
            self.method,
            ratio=self.ratio,
            block_sizes=self.block_sizes,
            limit=self.limit,
            probability=self.probability,
            length=self.length,
            stratified=self.stratified,
        )

    def generator(self) -> np.random.Generator:
        return drawing(self.seed, Purpose.REFERENCE_SET)


def _with_numbers(arms: NDArray[np.int8], numbers: NDArray[np.int64]) -> Flags:
    """Which of the allocations (m, n) have these numbers in the arms."""
    return np.asarray(np.all([(arms == arm).sum(axis=1) == number for arm, number in enumerate(numbers)], axis=0))


@lru_cache(maxsize=8)
def _drawn(plan: _Plan, layout: Layout, arms: tuple[int, ...], draws: int) -> NDArray[np.int8] | None:
    """So many draws with these numbers in the arms, not to be written to; None where they hardly ever come."""
    numbers, source, made = np.array(arms), plan.generator(), plan.procedure()
    n, entered = int(numbers.sum()), np.array(layout.entered, np.intp)
    if isinstance(made, Simple):
        # Given the numbers every order of simple randomisation is equally probable.
        ordered = np.repeat(np.arange(len(numbers), dtype=np.int8), numbers)
        return _frozen(ordered[np.argsort(source.random((draws, n)), axis=1)])
    kept: list[NDArray[np.int8]] = []
    found, realised = 0, layout.realised()
    for _ in range(ATTEMPTS):
        some = made.draw(realised, source.random((max(STEP // layout.slots, 1), layout.slots)))
        some = some if layout.whole else some[:, entered]
        kept.append(some[_with_numbers(some, numbers)])
        found += len(kept[-1])
        if found >= draws:
            return _frozen(np.concatenate(kept)[:draws])
    return None


def _frozen(arms: NDArray[np.int8]) -> NDArray[np.int8]:
    arms.setflags(write=False)
    return arms
