"""The allocations that a trial could have had, for re-randomisation tests: its own procedure, once for many trials.

The set is conditional on the number allocated to each arm. It is written out where it is small enough, else drawn; the
draws depend on the procedure, these numbers and the protocol's declared seed alone: a repeated analysis gets the same
ones, one set of draws serves every analysis of a trial, and a trial does not depend on those beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.data import Flags, Floats
from equipoise.analysis.monte_carlo import Purpose, drawing
from equipoise.protocol.model import Protocol
from equipoise.randomisation import Procedure, Realised, Simple, procedure
from equipoise.randomisation.procedure import LARGEST_SET
from equipoise.records.panel import UNKNOWN_ARM, Panel

ATTEMPTS = 500
"""Batches of draws after which numbers in the arms that hardly ever come are given up."""
STEP = 1_000_000
"""Arms drawn in one batch."""
LONGEST = 1000
"""Participants up to whom a sequence is asked whether it was possible: the probability of more is below any float."""

CANNOT = "the design-based test cannot be done: "


@dataclass(frozen=True, slots=True, eq=False)
class Sequences:
    """Trials of a Panel with the same number allocated to each arm.

    trials:  (r,) which trials of the Panel.
    place:   (r, n) where on the participants' axis stands who was allocated first, second …
    arms:    (r, n) their arms.
    """

    trials: NDArray[np.intp]
    place: NDArray[np.intp]
    arms: NDArray[np.int8]

    def of(self, values: NDArray) -> NDArray:
        """Values (R, K, …) of a Panel as (r, n, …) in order of allocation."""
        return values[self.trials[:, None], self.place]


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


def sequences(panel: Panel) -> Iterator[Sequences]:
    """The trials with anybody allocated, grouped by the number in each arm.

    The order of allocation is that of the identifiers (P2 before P10), which is that of entry; study days cannot tell
    it, since each participant's count from an own day 0. Everybody allocated is in it, analysed or not.
    """
    order = np.array(sorted(range(panel.participants), key=lambda place: _numbered(panel.ids[place])), np.intp)
    allocated = panel.present & (panel.arm != UNKNOWN_ARM)
    arms = range(len(panel.protocol.arms))
    numbers = np.stack([(allocated & (panel.arm == arm)).sum(axis=1) for arm in arms], axis=1)
    for counts in np.unique(numbers, axis=0):
        trials = np.flatnonzero((numbers == counts).all(axis=1))
        if counts.sum():
            place = order[np.nonzero(allocated[trials][:, order])[1]].reshape(len(trials), int(counts.sum()))
            yield Sequences(trials, place, panel.arm[trials[:, None], place])


def _numbered(identifier: str) -> tuple[str | int, ...]:
    """Text and numbers of an identifier in turn, so that numbers compare as such."""
    parts = re.split(r"(\d+)", identifier)
    return tuple(int(part) if index % 2 else part for index, part in enumerate(parts))


def why_not(protocol: Protocol) -> str | None:
    """Why a protocol's trials have no reference set that their records determine; None where they have one."""
    plan = protocol.randomisation
    if plan.strata:
        missing = [stratum.label.lower() for stratum in plan.strata if not stratum.recorded]
        labels = missing or [stratum.label.lower() for stratum in plan.strata]
        which = "the data do not hold" if missing else "the analysis does not know each participant's"
        return f"{CANNOT}allocation was stratified, and {which} {', '.join(labels)}"
    if plan.method == "permuted-blocks" and len(set(plan.block_sizes)) > 1:
        return f"{CANNOT}the sizes of the blocks were random, and the records do not hold those that were met"
    return None


def reference(protocol: Protocol, sequences: Sequences, draws: int) -> Reference:
    """The reference set of sequences: all of it where the procedure has at most `draws` in all, else draws from it."""
    count, n = sequences.arms.shape
    reason = why_not(protocol)
    if reason is not None:
        return _none(n, np.full(count, reason, dtype=object))
    realised = Realised(n)
    try:
        plan = _Plan.of(protocol)
        made = plan.procedure()
        possible = made.probability_of(sequences.arms, realised) > 0 if n <= LONGEST else np.ones(count, np.bool_)
        whole = made.enumerate(realised, at_most=min(draws, LARGEST_SET))
    except ValueError as error:
        return _none(n, np.full(count, f"{CANNOT}{error}", dtype=object))
    reason = f"{CANNOT}{made.description} cannot have made these arms in this order; check the order of the identifiers"
    status = np.where(possible, "ok", reason).astype(object)
    if not possible.any():
        return _none(n, status)
    arms = range(len(protocol.arms))
    numbers = np.array([(sequences.arms[0] == arm).sum() for arm in arms])
    if whole.status == "complete":
        same = _with_numbers(whole.arms, numbers)
        share = whole.probabilities[same]
        return Reference(whole.arms[same], share / share.sum(), status)
    drawn = _drawn(plan, tuple(numbers.tolist()), draws)
    if drawn is None:
        reason = f"{CANNOT}so many in each arm hardly ever come of {made.description}"
        return _none(n, np.where(status == "ok", reason, status).astype(object))
    return Reference(drawn, None, status)


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
    seed: int

    @classmethod
    def of(cls, protocol: Protocol) -> _Plan:
        plan, ratio = protocol.randomisation, tuple(arm.ratio for arm in protocol.arms)
        seed = protocol.conventions.seed
        return cls(plan.method, ratio, plan.block_sizes, plan.limit, plan.probability, plan.participants, seed)

    def procedure(self) -> Procedure:
        """Raises ValueError where there is no such procedure."""
        return procedure(
            self.method,
            ratio=self.ratio,
            block_sizes=self.block_sizes,
            limit=self.limit,
            probability=self.probability,
            length=self.length,
        )

    def generator(self) -> np.random.Generator:
        return drawing(self.seed, Purpose.REFERENCE_SET)


def _with_numbers(arms: NDArray[np.int8], numbers: NDArray[np.int64]) -> Flags:
    """Which of the allocations (m, n) have these numbers in the arms."""
    return np.asarray(np.all([(arms == arm).sum(axis=1) == number for arm, number in enumerate(numbers)], axis=0))


@lru_cache(maxsize=8)
def _drawn(plan: _Plan, arms: tuple[int, ...], draws: int) -> NDArray[np.int8] | None:
    """So many draws with these numbers in the arms, not to be written to; None where they hardly ever come."""
    numbers, source, made = np.array(arms), plan.generator(), plan.procedure()
    n = int(numbers.sum())
    if isinstance(made, Simple):
        # Given the numbers every order of simple randomisation is equally probable.
        ordered = np.repeat(np.arange(len(numbers), dtype=np.int8), numbers)
        return _frozen(ordered[np.argsort(source.random((draws, n)), axis=1)])
    kept: list[NDArray[np.int8]] = []
    found = 0
    for _ in range(ATTEMPTS):
        some = made.draw(Realised(n), source.random((max(STEP // n, 1), n)))
        kept.append(some[_with_numbers(some, numbers)])
        found += len(kept[-1])
        if found >= draws:
            return _frozen(np.concatenate(kept)[:draws])
    return None


def _frozen(arms: NDArray[np.int8]) -> NDArray[np.int8]:
    arms.setflags(write=False)
    return arms
