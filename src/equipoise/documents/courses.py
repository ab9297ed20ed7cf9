"""Each participant's course, outcome by outcome: what a reader may look through on a screen."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.documents.drawings import ArmStyle


@dataclass(frozen=True, slots=True)
class Course:
    """One participant: the group's place among the groups, and printed values and study days, None where none is."""

    who: str
    group: int
    values: tuple[str | None, ...]
    days: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class CourseOutcome:
    """An outcome at its visits.

    places: where the visits stand on the time axis. means: by group, printed, one for each visit. log: whether all
    values are above 0 and range over powers of ten.
    """

    label: str
    unit: str
    visits: tuple[str, ...]
    places: tuple[float, ...]
    means: tuple[tuple[str | None, ...], ...]
    people: tuple[Course, ...]
    log: bool = False

    def __post_init__(self) -> None:
        rows = [*self.means, *(person.values for person in self.people), *(person.days for person in self.people)]
        if any(len(row) != len(self.visits) for row in (*rows, self.places)):
            raise ValueError(f"{self.label!r}: every course has one place for each of {len(self.visits)} visits")


@dataclass(frozen=True, slots=True)
class Courses:
    """A view to look through in HTML; paper says where it is. The first outcome is shown first."""

    id: str
    title: str
    groups: tuple[ArmStyle, ...]
    outcomes: tuple[CourseOutcome, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.outcomes or any(len(item.means) != len(self.groups) for item in self.outcomes):
            raise ValueError(f"courses {self.id!r}: outcomes with a mean for each group are wanted")
