"""Who was allocated to which arm: a file apart from the records, so that they can be analysed without it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from equipoise.errors import DataError, Problem
from equipoise.protocol.model import Protocol
from equipoise.source.digest import digest_of_data

HEADER = ("participant", "arm")


@dataclass(frozen=True, slots=True)
class Allocation:
    """Participant -> arm, in the order of the participants' identifiers."""

    arms: Mapping[str, str]

    @classmethod
    def of(cls, arms: Mapping[str, str]) -> Allocation:
        """Freeze a mapping of participants to arms."""
        return cls(MappingProxyType(dict(sorted(arms.items()))))

    @property
    def digest(self) -> str:
        return digest_of_data(dict(self.arms))

    def to_csv(self) -> str:
        """The allocation as CSV text with a header."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(self.arms.items())
        return stream.getvalue()


def scrambled_allocation(protocol: Protocol, participants: Sequence[str], seed: int) -> Allocation:
    """Arms that mean nothing, in the protocol's ratio: for a dry run while nobody may know the real ones.

    The order of the participants does not matter.
    """
    people = sorted(participants)
    ratio = [arm.id for arm in protocol.arms for _ in range(arm.ratio)]
    arms = [ratio[place % len(ratio)] for place in range(len(people))]
    order = np.random.default_rng([seed, len(people)]).permutation(len(people))
    return Allocation.of({person: arms[place] for person, place in zip(people, order, strict=True)})


def check_allocation(arms: Mapping[str, tuple[str, str, int | None]], protocol: Protocol) -> list[Problem]:
    """Problems of an allocation given as participant -> (arm, file, line)."""
    known = [arm.id for arm in protocol.arms]
    return [
        Problem(
            file,
            line,
            "arm",
            "arm-known",
            "the protocol has no such arm",
            f"Its arms are {', '.join(known)}.",
            repr(arm),
        )
        for arm, file, line in arms.values()
        if arm not in known
    ]


def read_allocation(
    path: Path, protocol: Protocol, participants: frozenset[str], randomised: frozenset[str] = frozenset()
) -> Allocation:
    """Read allocation.csv; `randomised` are the participants who must be in it.

    Raises DataError for unknown arms or participants, duplicates, someone randomised without an arm, another layout.
    """
    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problem = Problem(
            str(path), None, "", "allocation-readable", str(error), "Give a CSV file with participant,arm."
        )
        raise DataError(f"cannot read the allocation {path}", [problem]) from None
    if not rows or tuple(rows[0]) != HEADER or any(len(row) != len(HEADER) for row in rows):
        message = "the file does not have exactly the columns participant,arm"
        raise DataError(
            f"cannot read the allocation {path}",
            [
                Problem(
                    str(path),
                    1,
                    "",
                    "allocation-columns",
                    message,
                    "Write participant,arm and one row a participant.",
                )
            ],
        )
    found: dict[str, tuple[str, str, int | None]] = {}
    problems: list[Problem] = []
    for line, (participant, arm) in enumerate(rows[1:], 2):
        if participant in found:
            message = "the participant is allocated twice"
            problems.append(
                Problem(str(path), line, "participant", "key-unique", message, "Keep one row.", repr(participant))
            )
        if participant not in participants:
            message = "the participant is not in the records"
            remedy = "Use the allocation that belongs to these records."
            problems.append(
                Problem(str(path), line, "participant", "participant-known", message, remedy, repr(participant))
            )
        found[participant] = (arm, str(path), line)
    problems += check_allocation(found, protocol)
    for participant in sorted(randomised - set(found)):
        message = f"participant {participant!r} was randomised and has no arm here"
        remedy = "Add the row; to leave arms out altogether analyse with --blinded."
        problems.append(Problem(str(path), None, "participant", "allocation-complete", message, remedy))
    if problems:
        raise DataError(f"the allocation {path} does not fit the records", problems)
    return Allocation.of({participant: arm for participant, (arm, _, _) in found.items()})
