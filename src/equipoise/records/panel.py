"""Panel: the values of one or of thousands of trials as dense arrays; the only input of derivations and methods.

Every array has a leading trial axis R; n is the number of participants. A trial with fewer participants than the
largest has `present` False for the rest. Visits carry their period (a protocol's visit belongs to at most one), so that
the visit axis covers both. Each assessment has a block of its own: other assessments' time points would leave most of
one big array empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from equipoise.protocol.model import Assessment, Protocol

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]
Flags = NDArray[np.bool_]

COVARIATES = (
    "age_years",
    "sex",
    "diagnosis_day",
    "consent_day",
    "allocation_day",
    "first_dose_day",
    "last_contact_day",
    "status",
    "entry_day",
)
"""Columns of the participants: numbers, days, and codes (`sex`, `status`: index into the words of their column)."""

LABELS = ("site", "reason")
NUMBERS_OF_ENTRY = ("sequence", "block", "block_size")
"""Columns of the allocation that are numbers; its `stratum` is text."""
STRATUM = "stratum"
UNKNOWN_ARM = -1
LEFT, EXACT, RIGHT = -1, 0, 1
NO_VISIT, HELD, MISSED = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The findings of one assessment.

    value:     (R, n, visit, minute, test), in the protocol's units; NaN where there is none; the limit where censored.
    censored:  same shape; -1 below `value`, 1 above it, 0 exact or missing.
    day:       (R, n, visit), elapsed days; NaN where not known.
    asked:     (R, n, visit, minute, test), where a measurement was asked for but not done.
    The minute axis has one entry for assessments without time points.
    """

    assessment: str
    visits: tuple[str, ...]
    minutes: tuple[int, ...]
    tests: tuple[str, ...]
    value: Floats
    censored: Codes
    day: Floats
    asked: Flags

    def test(self, test: str) -> tuple[Floats, Codes]:
        """Values and censoring of one test, both (R, n, visit, minute)."""
        index = self.tests.index(test)
        return self.value[..., index], self.censored[..., index]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Records of which a participant may have any number: columns of one length, sorted by trial and participant.

    trial, participant: indices of each row; columns: float (NaN missing) or text ("" missing) arrays.
    """

    trial: NDArray[np.int64]
    participant: NDArray[np.int64]
    columns: Mapping[str, NDArray[np.float64] | NDArray[np.str_]]

    def __len__(self) -> int:
        return len(self.trial)


def _no_rows() -> Rows:
    return Rows(np.zeros(0, np.int64), np.zeros(0, np.int64), {})


def unknown_entry(trials: int, participants: int) -> dict[str, NDArray[np.float64] | NDArray[np.str_]]:
    """The allocation's columns where it has none but the arms."""
    shape = (trials, participants)
    return {name: np.full(shape, np.nan) for name in NUMBERS_OF_ENTRY} | {STRATUM: np.full(shape, "", np.str_)}


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """The values of R trials of up to n participants under one protocol.

    ids:         identifiers of the participants, ascending, the same in every trial.
    present:     (R, n).
    arm:         (R, n), index into the protocol's arms; -1 where not allocated or not known.
    covariates:  name -> (R, n), NaN where missing.
    labels:      name -> (R, n) text, "" where missing.
    entry:       columns of the allocation, (R, n): `sequence`, the number in the list of the stratum, `block`, a number
                 within the stratum, `block_size`, of the whole block, NaN where missing; `stratum`, "" where missing.
    visit_day:   (R, n, visits of the protocol), NaN where not held or not known.
    visit_status: same shape: 0 no record, 1 held, 2 missed.
    blocks:      assessment -> Block, for every assessment of class findings.
    supplied:    parameter -> (R, n, visits of the protocol), values that came with the data.
    events, interventions, lots: rows; lots are release tests, without columns where there are none.
    dispensed:   bags that were given, with their product; without columns where that is not recorded.
    collected:   assessments that were asked for or have rows, in the protocol's order: one without rows that is not
                 among them was not recorded.
    """

    protocol: Protocol
    ids: tuple[str, ...]
    present: Flags
    arm: Codes
    covariates: Mapping[str, Floats]
    labels: Mapping[str, NDArray[np.str_]]
    visit_day: Floats
    visit_status: Codes
    blocks: Mapping[str, Block]
    supplied: Mapping[str, Floats]
    events: Rows
    interventions: Rows
    lots: Rows = field(default_factory=_no_rows)
    dispensed: Rows = field(default_factory=_no_rows)
    entry: Mapping[str, NDArray[np.float64] | NDArray[np.str_]] = field(default_factory=dict)
    collected: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.entry:
            object.__setattr__(self, "entry", unknown_entry(*self.present.shape))

    @property
    def trials(self) -> int:
        return self.present.shape[0]

    @property
    def participants(self) -> int:
        return self.present.shape[1]

    @property
    def blinded(self) -> bool:
        """Whether no participant's arm is known."""
        return bool((self.arm == UNKNOWN_ARM).all())

    def visit_index(self, visit: str) -> int:
        """Position of a visit on the visit axis of the protocol; raises KeyError."""
        for index, item in enumerate(self.protocol.visits):
            if item.id == visit:
                return index
        raise KeyError(visit)

    def arrays(self) -> Iterator[tuple[str, NDArray[np.generic]]]:
        """Every array with its name, in a fixed order."""
        yield from (("present", self.present), ("arm", self.arm))
        yield from ((f"covariates.{name}", self.covariates[name]) for name in COVARIATES)
        yield from ((f"labels.{name}", self.labels[name]) for name in LABELS)
        yield from ((f"entry.{name}", self.entry[name]) for name in (*NUMBERS_OF_ENTRY, STRATUM))
        yield from (("visit_day", self.visit_day), ("visit_status", self.visit_status))
        for name, block in self.blocks.items():
            for part in ("value", "censored", "day", "asked"):
                yield f"{name}.{part}", getattr(block, part)
        yield from ((f"supplied.{name}", values) for name, values in self.supplied.items())
        for kind in ("events", "interventions", "lots", "dispensed"):
            rows: Rows = getattr(self, kind)
            yield from ((f"{kind}.trial", rows.trial), (f"{kind}.participant", rows.participant))
            yield from ((f"{kind}.{name}", column) for name, column in rows.columns.items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Panel) and not differences(self, other)

    __hash__ = None  # pyright: ignore[reportAssignmentType]  arrays have no hash


def differences(left: Panel, right: Panel) -> list[str]:
    """The names of what differs between two Panels, bit for bit (one missing value equals another)."""
    found = [name for name in ("ids", "collected") if getattr(left, name) != getattr(right, name)]
    if left.protocol.digest != right.protocol.digest:
        found.append("protocol")
    ours, theirs = dict(left.arrays()), dict(right.arrays())
    found += sorted(set(ours) ^ set(theirs))
    return found + [name for name in ours if name in theirs and not _same(ours[name], theirs[name])]


def _same(left: NDArray[np.generic], right: NDArray[np.generic]) -> bool:
    if left.shape != right.shape or left.dtype.kind != right.dtype.kind:
        return False
    if left.dtype.kind != "f":
        return bool((left == right).all())
    both_missing = np.isnan(left) & np.isnan(right)
    same_bits = left.view(np.uint64) == right.view(np.uint64)
    return bool((both_missing | same_bits).all())


def empty_block(assessment: Assessment, trials: int, participants: int) -> Block:
    """A block of an assessment in which nothing was measured or asked for."""
    shape = (
        trials,
        participants,
        len(assessment.visits),
        max(len(assessment.minutes), 1),
        len(assessment.tests),
    )
    return Block(
        assessment=assessment.id,
        visits=assessment.visits,
        minutes=assessment.minutes,
        tests=tuple(test.id for test in assessment.tests),
        value=np.full(shape, np.nan),
        censored=np.zeros(shape, np.int8),
        day=np.full(shape[:3], np.nan),
        asked=np.zeros(shape, np.bool_),
    )
