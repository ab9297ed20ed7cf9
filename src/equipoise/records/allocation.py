"""Who was allocated to which arm, and where in the list: a file apart from the records, which serve without it.

Beside the arm a row may hold the participant's number in the list, its stratum, and the block. A number is one of the
stratum's list (under minimisation, and without strata, of the one list), from 1; numbers that are missing are slots
that nobody entered. A stratum is the ids of its levels, in the protocol's order of strata, joined by ``/``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from equipoise.errors import DataError, Problem
from equipoise.protocol.model import Protocol
from equipoise.source.digest import digest_of_data

HEADER = ("participant", "arm")
WHOLE = ("sequence", "block", "block_size")
OPTIONAL = ("sequence", "stratum", "block", "block_size")
BETWEEN_LEVELS = "/"


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in the allocation list, as far as it is known.

    sequence:    number in the list, from 1. stratum: ids of levels joined by ``/``.
    block:       number of the block within the stratum, from 1. block_size: of the whole block, the broken last too.
    """

    sequence: int | None = None
    stratum: str | None = None
    block: int | None = None
    block_size: int | None = None

    def known(self) -> dict[str, int | str]:
        """Column -> value, of those that are known."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Allocation:
    """Participant -> arm, and -> slot where anything is known of it; in the order of the participants' identifiers."""

    arms: Mapping[str, str]
    slots: Mapping[str, Slot] = field(default_factory=dict)

    @classmethod
    def of(cls, arms: Mapping[str, str], slots: Mapping[str, Slot] | None = None) -> Allocation:
        """Freeze mappings of participants to arms and slots."""
        known = {person: slot for person, slot in sorted((slots or {}).items()) if person in arms and slot != Slot()}
        return cls(MappingProxyType(dict(sorted(arms.items()))), MappingProxyType(known))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the file: the optional ones where any row has a value."""
        there = {name for slot in self.slots.values() for name in slot.known()}
        return (*HEADER, *(name for name in OPTIONAL if name in there))

    @property
    def digest(self) -> str:
        """Over participant -> arm where nothing else is known, else over the rows."""
        if not self.slots:
            return digest_of_data(dict(self.arms))
        rows = ({"participant": person, "arm": arm, **self._slot(person).known()} for person, arm in self.arms.items())
        return digest_of_data(list(rows))

    def _slot(self, participant: str) -> Slot:
        return self.slots.get(participant, Slot())

    def to_csv(self) -> str:
        """The allocation as CSV text with a header."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        columns = self.columns
        writer.writerow(columns)
        for person, arm in self.arms.items():
            cells: dict[str, Any] = {"participant": person, "arm": arm, **self._slot(person).known()}
            writer.writerow([cells.get(name, "") for name in columns])
        return stream.getvalue()


@dataclass(frozen=True, slots=True)
class AllocationRow:
    """A row as a file has it: texts, with the file and the line."""

    participant: str
    cells: Mapping[str, str]
    file: str
    line: int | None

    def problem(self, column: str, rule: str, message: str, remedy: str) -> Problem:
        cell = self.participant if column == "participant" else self.cells.get(column, "")
        return Problem(self.file, self.line, column, rule, message, remedy, repr(cell))


def checked_allocation(rows: Sequence[AllocationRow], protocol: Protocol) -> tuple[Allocation, list[Problem]]:
    """The allocation of rows, and what is wrong with them: then it is not to be used."""
    problems: list[Problem] = []
    slots: dict[str, Slot] = {}
    for row in rows:
        slot, found = _slot(row)
        slots[row.participant] = slot
        problems += found
    for check in (_arms_known, _strata_known, _columns_whole, _numbers_once, _blocks_whole):
        problems += check(rows, slots, protocol)
    return Allocation.of({row.participant: row.cells["arm"] for row in rows}, slots), problems


def _slot(row: AllocationRow) -> tuple[Slot, list[Problem]]:
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name in OPTIONAL:
        cell = row.cells.get(name, "")
        if cell == "":
            continue
        if name not in WHOLE:
            values[name] = cell
        elif cell.isascii() and cell.isdecimal() and 1 <= int(cell) < 2**31:
            values[name] = int(cell)
        else:
            remedy = "Write a whole number from 1 on, or leave the cell empty."
            problems.append(row.problem(name, "whole-number", "this is no number of a slot or block", remedy))
    return Slot(**values), problems


Slots = Mapping[str, Slot]
Rows = Sequence[AllocationRow]


def _arms_known(rows: Rows, slots: Slots, protocol: Protocol) -> Iterator[Problem]:
    known = [arm.id for arm in protocol.arms]
    for row in rows:
        if row.cells["arm"] not in known:
            remedy = f"Its arms are {', '.join(known)}."
            yield row.problem("arm", "arm-known", "the protocol has no such arm", remedy)


def _strata_known(rows: Rows, slots: Slots, protocol: Protocol) -> Iterator[Problem]:
    strata = protocol.randomisation.strata
    for row in rows:
        stratum = slots[row.participant].stratum
        if stratum is None:
            continue
        if not strata:
            yield row.problem("stratum", "stratum-known", "the protocol has no strata", "Leave the column out.")
        elif levels_of(stratum, protocol) is None:
            choices = [" | ".join(level.id for level in item.levels) or "any text" for item in strata]
            remedy = (
                f"Write one level of each stratum, joined by {BETWEEN_LEVELS}: {f' {BETWEEN_LEVELS} '.join(choices)}."
            )
            yield row.problem("stratum", "stratum-known", "these are no levels of the protocol's strata", remedy)


def levels_of(stratum: str, protocol: Protocol) -> tuple[str, ...] | None:
    """The ids of the levels that a stratum names, one for each of the protocol's strata; None where it does not."""
    strata = protocol.randomisation.strata
    parts = (stratum,) if len(strata) == 1 else tuple(stratum.split(BETWEEN_LEVELS))
    if len(parts) != len(strata):
        return None
    known = [{level.id for level in item.levels} for item in strata]
    fits = all(part in levels or (part and not levels) for part, levels in zip(parts, known, strict=True))
    return parts if fits else None


def _columns_whole(rows: Rows, slots: Slots, protocol: Protocol) -> Iterator[Problem]:
    """A column is filled for everybody or for nobody: half an order is none."""
    for name in OPTIONAL:
        empty = [row for row in rows if getattr(slots[row.participant], name) is None]
        wrong = [row for row in empty if row.cells.get(name, "") == ""]
        if wrong and len(empty) < len(rows):
            message = f"participant {wrong[0].participant!r} has no {name}, and others have one"
            yield wrong[0].problem(name, "allocation-complete", message, "Fill the column, or leave it out.")


def _numbers_once(rows: Rows, slots: Slots, protocol: Protocol) -> Iterator[Problem]:
    """A number is taken once: in its stratum's list, or under minimisation in the one list."""
    one_list = protocol.randomisation.method == "minimisation"
    taken: dict[tuple[str | None, int], str] = {}
    for row in rows:
        slot = slots[row.participant]
        if slot.sequence is None:
            continue
        key = (None if one_list else slot.stratum, slot.sequence)
        other = taken.setdefault(key, row.participant)
        if other != row.participant:
            message = f"participant {other!r} has the same number"
            yield row.problem("sequence", "sequence-once", message, "Number the slots of each stratum 1, 2, ….")


def _blocks_whole(rows: Rows, slots: Slots, protocol: Protocol) -> Iterator[Problem]:
    """A block has one size, no more members than that, and its numbers lie together."""
    members: dict[tuple[str | None, int], list[AllocationRow]] = {}
    for row in rows:
        slot = slots[row.participant]
        if slot.block is not None:
            members.setdefault((slot.stratum, slot.block), []).append(row)
    last: dict[str | None, int] = {}
    for (stratum, _), block in sorted(members.items(), key=lambda item: (item[0][0] or "", item[0][1])):
        sizes = {slots[row.participant].block_size for row in block}
        numbers = [number for row in block if (number := slots[row.participant].sequence) is not None]
        size = next(iter(sizes))
        remedy = "Correct the block, its size, or the numbers."
        if len(sizes) > 1:
            yield block[-1].problem("block_size", "block-size-one", "the block has two sizes", remedy)
        elif size is not None and max(len(block), max(numbers, default=1) - min(numbers, default=1) + 1) > size:
            yield block[-1].problem("block_size", "block-size-one", "the block holds fewer than it has", remedy)
        if numbers and min(numbers) <= last.get(stratum, 0):
            yield block[0].problem("block", "block-in-order", "the block begins before the one before it ends", remedy)
        last[stratum] = max([last.get(stratum, 0), *numbers])


def read_allocation(
    path: Path, protocol: Protocol, participants: frozenset[str], randomised: frozenset[str] = frozenset()
) -> Allocation:
    """Read allocation.csv; `randomised` are the participants who must be in it.

    Raises DataError for unknown arms, strata or participants, duplicates, someone randomised without an arm, numbers
    or blocks that cannot be, another layout.
    """
    rows = _read(path)
    problems = [*_once(rows, participants)]
    found, wrong = checked_allocation(rows, protocol)
    problems += wrong
    for participant in sorted(randomised - set(found.arms)):
        message = f"participant {participant!r} was randomised and has no arm here"
        remedy = "Add the row; to leave arms out altogether analyse with --blinded."
        problems.append(Problem(str(path), None, "participant", "allocation-complete", message, remedy))
    if problems:
        raise DataError(f"the allocation {path} does not fit the records", problems)
    return found


def _once(rows: Iterable[AllocationRow], participants: frozenset[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for row in rows:
        if row.participant in seen:
            yield row.problem("participant", "key-unique", "the participant is allocated twice", "Keep one row.")
        if row.participant not in participants:
            message, remedy = (
                "the participant is not in the records",
                "Use the allocation that belongs to these records.",
            )
            yield row.problem("participant", "participant-known", message, remedy)
        seen.add(row.participant)


def _read(path: Path) -> list[AllocationRow]:
    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        remedy = "Give a CSV file with participant,arm."
        problem = Problem(str(path), None, "", "allocation-readable", str(error), remedy)
        raise DataError(f"cannot read the allocation {path}", [problem]) from None
    header = rows[0] if rows else []
    known = tuple(header[:2]) == HEADER and len(set(header)) == len(header) and set(header[2:]) <= set(OPTIONAL)
    wrong = next((line for line, row in enumerate(rows[1:], 2) if len(row) != len(header)), None)
    if not known or wrong is not None:
        message = f"the file does not have exactly the columns participant,arm and then any of {', '.join(OPTIONAL)}"
        remedy = "Write participant,arm, the others where they are known, and one row a participant."
        problem = Problem(str(path), wrong or 1, "", "allocation-columns", message, remedy)
        raise DataError(f"cannot read the allocation {path}", [problem])
    cells = [dict(zip(header, row, strict=True)) for row in rows[1:]]
    return [AllocationRow(row["participant"], row, str(path), line) for line, row in enumerate(cells, 2)]
