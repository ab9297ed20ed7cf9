"""Order of entry in simulated trials: the day on which people come, and their places in the allocation list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.patients.chance import Bools, Floats
from equipoise.protocol.model import Protocol
from equipoise.records.allocation import BETWEEN_LEVELS
from equipoise.simulate.streams import Streams

DAYS_A_MONTH = 365.25 / 12


@dataclass(frozen=True, slots=True)
class Slots:
    """Where the participants of R trials with n places stand in the allocation list.

    sequence:    (R, n) number in the stratum's list, from 1.
    stratum:     (R, n) number of the stratum, and its text; one stratum without text where there are none.
    block:       (R, n) number of the block within the stratum; None without blocks.
    block_size:  (R, n) of the whole block; None without blocks.
    """

    sequence: NDArray[np.int64]
    stratum: NDArray[np.int64]
    texts: tuple[str, ...]
    block: NDArray[np.int64] | None
    block_size: NDArray[np.int64] | None

    def columns(self, present: Bools) -> Mapping[str, NDArray[Any]]:
        """The columns of a Panel's `entry`, for those present."""
        unknown = np.full(present.shape, np.nan)
        numbers = {"sequence": self.sequence, "block": self.block, "block_size": self.block_size}
        found: dict[str, NDArray[Any]] = {
            name: unknown.copy() if values is None else np.where(present, values, np.nan)
            for name, values in numbers.items()
        }
        found["stratum"] = np.where(present, np.array(self.texts)[self.stratum], "")
        return found


def contact_days(draw: Streams, assessed_per_month: float) -> Floats:
    """(R, M) whole days from the start of recruitment on which people come, a Poisson process of this rate."""
    gaps = -np.log(draw("recruitment", 1)[..., 0]) * (DAYS_A_MONTH / assessed_per_month)
    return np.floor(np.cumsum(gaps, axis=1))


def entry_days(contact: Floats, allocation_day: Floats, screening_day: Floats) -> Floats:
    """(R, n) calendar days of the day 0 of those with a place, from their days of contact.

    They are screened when they come. A place is given in the order of the list, so nobody is allocated before who
    stands in front: such a person waits, and all later days move along.
    """
    allocated = np.maximum.accumulate(contact - screening_day + allocation_day, axis=1)
    return allocated - allocation_day


def slots(
    protocol: Protocol,
    levels: list[NDArray[np.int64]],
    sizes: NDArray[np.int16] | None,
    shape: tuple[int, int],
    site: str,
) -> Slots:
    """The places of R trials with n places in the list; levels: of each of the protocol's strata, (R, n)."""
    number, texts = np.zeros(shape, np.int64), ("",)
    for stratum, level in zip(protocol.randomisation.strata, levels, strict=True):
        names = tuple(item.id for item in stratum.levels) or (site,)
        number = number * len(names) + level
        texts = tuple(f"{text}{BETWEEN_LEVELS}{name}" if text else name for text in texts for name in names)
    if not all(stratum.recorded for stratum in protocol.randomisation.strata):
        texts = ("",) * len(texts)  # the records of such a trial do not hold it
    lists = np.zeros(shape, np.int64) if protocol.randomisation.method == "minimisation" else number
    sequence = _counted(lists)
    if sizes is None:
        return Slots(sequence, number, texts, None, None)
    met = sizes.astype(np.int64)
    return Slots(sequence, number, texts, _blocks(lists, met), met)


def _counted(lists: NDArray[np.int64]) -> NDArray[np.int64]:
    """1, 2, … along each row within each list."""
    found = np.zeros(lists.shape, np.int64)
    for one in np.unique(lists):
        mine = lists == one
        found = np.where(mine, np.cumsum(mine, axis=1), found)
    return found


def _blocks(lists: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of each participant's block within the list: a new one begins where the last is full."""
    trials = np.arange(len(lists))
    left, block = (np.zeros((len(lists), int(lists.max(initial=0)) + 1), np.int64) for _ in range(2))
    found = np.zeros(lists.shape, np.int64)
    for place in range(lists.shape[1]):
        here = (trials, lists[:, place])
        begins = left[here] == 0
        block[here] += begins
        left[here] = np.where(begins, sizes[:, place], left[here]) - 1
        found[:, place] = block[here]
    return found
