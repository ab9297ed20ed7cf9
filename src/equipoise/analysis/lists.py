"""Where everybody allocated stands in the trial's allocation list, as the data say it: never by identifiers.

Each stratum has a list of its own whose slots are numbered from 1; minimisation, and a trial without strata, has one.
Everybody allocated is in it, dosed or not, analysed or not. Slots that nobody entered stay in the list, since what they
held decided what came after. Within permuted blocks only the block and its size matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.data import Flags
from equipoise.protocol.model import Protocol
from equipoise.randomisation import Realised
from equipoise.records.order import ranks
from equipoise.records.panel import UNKNOWN_ARM, Panel
from equipoise.records.strata import UNKNOWN, strata_of

BLOCKS = "permuted-blocks"
LONGEST_LIST = 100_000
"""Slots of all lists together: more than any trial has, and larger numbers are no numbers of a list."""
ORDERLESS = "simple"
"""Each participant is tossed for alone: neither order nor stratum matters."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The slots of a trial's lists, list after list, up to the last that was entered; hashable, to share draws.

    strata:   of each slot, () without strata. levels: of each slot under minimisation, () without.
    sizes:    of each slot's block, () where they are not needed.
    entered:  places of the slots that were entered.
    """

    slots: int
    entered: tuple[int, ...]
    strata: tuple[int, ...] = ()
    levels: tuple[tuple[int, ...], ...] = ()
    sizes: tuple[int, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether every slot was entered."""
        return len(self.entered) == self.slots

    def realised(self) -> Realised:
        """What the reference set is conditional on."""
        strata = np.array(self.levels or self.strata, np.int64) if self.levels or self.strata else None
        return Realised(self.slots, strata, np.array(self.sizes, np.int16) if self.sizes else None)


@dataclass(frozen=True, slots=True, eq=False)
class Sequences:
    """Trials of a Panel with the same slots entered and the same number allocated to each arm.

    trials:  (r,) which trials of the Panel.
    place:   (r, n) where on the participants' axis stands who entered the first slot, the second …
    arms:    (r, n) their arms.
    layout:  the slots; None where `reason` says why they are not known.
    """

    trials: NDArray[np.intp]
    place: NDArray[np.intp]
    arms: NDArray[np.int8]
    layout: Layout | None
    reason: str = ""

    def of(self, values: NDArray) -> NDArray:
        """Values (R, K, …) of a Panel as (r, n, …) in the order of the slots."""
        return values[self.trials[:, None], self.place]


def sequences(panel: Panel) -> Iterator[Sequences]:
    """The trials with anybody allocated, in groups that share one reference set."""
    lists = _Lists.of(panel)
    numbers = [(lists.allocated & (panel.arm == arm)).sum(axis=1) for arm in range(len(panel.protocol.arms))]
    counts = np.stack(numbers, axis=1)
    keys = np.concatenate([counts, lists.keys()], axis=1)
    _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    for number, example in enumerate(first):
        size = int(counts[example].sum())
        if not size:
            continue
        trials = np.flatnonzero(group.ravel() == number)
        place = lists.order[trials, :size]
        layout, reason = lists.layout(int(example), size)
        yield Sequences(trials, place, panel.arm[trials[:, None], place], layout, reason)


@dataclass(frozen=True, slots=True, eq=False)
class _Lists:
    """What decides the layout, (R, n) each in the order of lists and slots, those not allocated last.

    stratum:   number of the list, UNKNOWN where it is not known. levels: (R, n, strata) under minimisation.
    sequence, block, size: NaN where not known.
    """

    protocol: Protocol
    allocated: Flags
    order: NDArray[np.intp]
    stratum: NDArray[np.int64]
    levels: NDArray[np.int64] | None
    sequence: NDArray[np.float64]
    block: NDArray[np.float64]
    size: NDArray[np.float64]

    @classmethod
    def of(cls, panel: Panel) -> _Lists:
        plan = panel.protocol.randomisation
        allocated = panel.present & (panel.arm != UNKNOWN_ARM)
        strata = strata_of(panel) if plan.strata and plan.method != ORDERLESS else None
        one_list = strata is None or plan.method == "minimisation"
        number = np.zeros(allocated.shape, np.int64) if strata is None or one_list else strata.cells
        sequence, block, size = (panel.entry[name] for name in ("sequence", "block", "block_size"))
        unclear = bool(np.isnan(sequence[allocated]).any())
        order = np.lexsort((*((ranks(panel),) if unclear else ()), block, sequence, number, ~allocated), axis=1)

        def ordered(values: NDArray) -> NDArray:
            return np.take_along_axis(values, order if values.ndim == 2 else order[..., None], axis=1)

        levels = ordered(strata.levels) if strata is not None and plan.method == "minimisation" else None
        columns = (ordered(number), levels, ordered(sequence), ordered(block), ordered(size))
        return cls(panel.protocol, allocated, order, *columns)

    def keys(self) -> NDArray[np.int64]:
        """(R, …) equal for trials with one layout."""
        there = np.take_along_axis(self.allocated, self.order, axis=1)
        columns = [self.stratum]
        if self.protocol.randomisation.method != ORDERLESS:
            columns += [
                np.nan_to_num(values, nan=-1).astype(np.int64) for values in (self.sequence, self.block, self.size)
            ]
        if self.levels is not None:
            columns += list(np.moveaxis(self.levels, 2, 0))
        return np.concatenate([np.where(there, column, -2) for column in columns], axis=1)

    def layout(self, trial: int, n: int) -> tuple[Layout | None, str]:
        """The layout of a trial with n allocated, or why there is none."""
        plan = self.protocol.randomisation
        if plan.method == ORDERLESS:
            return Layout(n, tuple(range(n))), ""
        if (self.stratum[trial, :n] == UNKNOWN).any() or (
            self.levels is not None and (self.levels[trial, :n] < 0).any()
        ):
            return None, _unknown_strata(self.protocol)
        try:
            stratum, sequence = self.stratum[trial, :n], self.sequence[trial, :n]
            if plan.method == BLOCKS:
                return self._of_blocks(trial, n), ""
            numbers = _whole(sequence)
            if self.levels is not None or plan.method == "minimisation":
                return self._minimised(trial, numbers), ""
            return _of_numbers(stratum, numbers, stratified=bool(plan.strata)), ""
        except _NotKnownError as error:
            return None, str(error)

    def _minimised(self, trial: int, numbers: NDArray[np.int64]) -> Layout:
        n = len(numbers)
        if (numbers != np.arange(1, n + 1)).any():
            message = "numbers are missing in the order of allocation, and minimisation depends on who had them"
            raise _NotKnownError(message)
        levels = () if self.levels is None else tuple(tuple(row) for row in self.levels[trial, :n].tolist())
        return Layout(n, tuple(range(n)), levels=levels)

    def _of_blocks(self, trial: int, n: int) -> Layout:
        """Slots that nobody entered are put at the end of their block: within a block all orders are alike."""
        stratum, sequence = self.stratum[trial, :n], self.sequence[trial, :n]
        block, size = self._blocks(stratum, sequence, self.block[trial, :n], self.size[trial, :n])
        if np.any((np.diff(stratum) == 0) & (np.diff(block) < 0)):
            raise _NotKnownError("the blocks are not in the order of the sequence")
        entered: list[int] = []
        strata: list[int] = []
        sizes: list[int] = []
        for start, end in _runs(stratum, block):
            last = end == n or stratum[end] != stratum[start]
            met, whole = end - start, int(size[start])
            if met > whole:
                raise _NotKnownError(f"a block of {whole} has {met} participants")
            entered += range(len(sizes), len(sizes) + met)
            slots = met if last else whole
            strata += [int(stratum[start])] * slots
            sizes += [whole] * slots
        stratified = bool(self.protocol.randomisation.strata)
        return Layout(len(sizes), tuple(entered), tuple(strata) if stratified else (), sizes=tuple(sizes))

    def _blocks(
        self,
        stratum: NDArray[np.int64],
        sequence: NDArray[np.float64],
        block: NDArray[np.float64],
        size: NDArray[np.float64],
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The block of each and its size: as recorded, or by counting where the protocol's blocks have one size."""
        sizes = set(self.protocol.randomisation.block_sizes)
        if np.isnan(size).any():
            if len(sizes) > 1:
                raise _NotKnownError(
                    "the sizes of the blocks were random, and the records do not hold those that were met"
                )
            size = np.full(len(size), float(next(iter(sizes))))
        if not np.isnan(block).any():
            return block.astype(np.int64), size.astype(np.int64)
        numbers, whole = _whole(sequence), size.astype(np.int64)
        if len(sizes) == 1:
            return (numbers - 1) // whole, whole
        return _counted_blocks(stratum, numbers, whole), whole


class _NotKnownError(Exception):
    """Why a trial's list is not known."""


def _whole(sequence: NDArray[np.float64]) -> NDArray[np.int64]:
    if np.isnan(sequence).any():
        raise _NotKnownError("the records do not hold the order of allocation (the column sequence of the allocation)")
    if sequence.max(initial=0) > LONGEST_LIST:
        raise _NotKnownError(f"a number in the order of allocation is larger than {LONGEST_LIST}")
    return sequence.astype(np.int64)


def _of_numbers(stratum: NDArray[np.int64], numbers: NDArray[np.int64], *, stratified: bool) -> Layout:
    """Every list up to its last number that was entered."""
    entered: list[int] = []
    strata: list[int] = []
    for start, end in _runs(stratum):
        first = len(strata)
        entered += (first + numbers[start:end] - 1).tolist()
        strata += [int(stratum[start])] * int(numbers[end - 1])
    if len(set(entered)) < len(entered):
        raise _NotKnownError("two participants have one number in the order of allocation")
    return Layout(len(strata), tuple(entered), tuple(strata) if stratified else ())


def _runs(*columns: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Beginning and end of each run of rows that are equal in all columns."""
    n = len(columns[0])
    changes = np.any([np.diff(column) != 0 for column in columns], axis=0)
    bounds = [0, *(np.flatnonzero(changes) + 1).tolist(), n]
    yield from pairwise(bounds)


def _counted_blocks(
    stratum: NDArray[np.int64], numbers: NDArray[np.int64], sizes: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The blocks of lists without gaps, one after the other as their sizes say."""
    found = np.zeros(len(numbers), np.int64)
    for start, end in _runs(stratum):
        if (numbers[start:end] != np.arange(1, end - start + 1)).any():
            message = "numbers are missing in the order of allocation, the sizes of the blocks were random, and the"
            raise _NotKnownError(f"{message} records do not hold each participant's block")
        block, left, size = 0, 0, 0
        for place in range(start, end):
            if left == 0:
                block, size = block + 1, int(sizes[place])
                left = size
            elif sizes[place] != size:
                raise _NotKnownError("the size of a block changes before it is full")
            found[place], left = block, left - 1
    return found


def _unknown_strata(protocol: Protocol) -> str:
    strata = protocol.randomisation.strata
    missing = [stratum.label.lower() for stratum in strata if not stratum.recorded]
    labels = missing or [stratum.label.lower() for stratum in strata]
    which = "the data do not hold" if missing else "the analysis does not know each participant's"
    return f"allocation was stratified, and {which} {', '.join(labels)}"
