"""What share of a room's mutants is noticed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from verification.mutants.sample import ROOMS, TARGETS


@dataclass(frozen=True, slots=True)
class Score:
    """Mutants of one room."""

    room: str
    killed: int
    tried: int
    """Without those that are declared equivalent."""
    equivalent: int
    target: int | None
    """Per cent."""
    untried: int = 0
    """Of the room's sample."""

    @property
    def missed(self) -> bool:
        """Whether fewer are killed than the target says; nothing is said of a room before all of it is tried."""
        return not self.untried and self.target is not None and 100 * self.killed < self.target * self.tried

    @property
    def line(self) -> str:
        """One line to print."""
        target = "" if self.target is None else f", target {self.target} %{' MISSED' if self.missed else ''}"
        apart = f", {self.equivalent} equivalent" if self.equivalent else ""
        apart += f", {self.untried} NOT TRIED" if self.untried else ""
        return f"{self.room}: {self.killed} of {self.tried} killed ({self.per_cent}){target}{apart}"

    @property
    def per_cent(self) -> str:
        """The share, rounded down: a target is not reached by rounding."""
        return f"{100 * self.killed // self.tried} %" if self.tried else "none tried"


def scores(rows: Sequence[Mapping[str, Any]], equivalents: Mapping[str, Any]) -> Iterator[Score]:
    """The scores of all rooms. What never ends has been noticed: its test does not pass."""
    for room in ROOMS:
        own = [row for row in rows if row["room"] == room]
        apart = [row for row in own if row["outcome"] == "survived" and row["id"] in equivalents]
        killed = [row for row in own if row["outcome"] != "survived"]
        yield Score(room, len(killed), len(own) - len(apart), len(apart), TARGETS.get(room), ROOMS[room] - len(own))
