"""Every exception that equipoise raises on purpose, and the exit code that each becomes on the command line.

    EquipoiseError
    ├── InputError            2  the user's input (protocol, option, scenario) is wrong
    ├── DataError             3  the data do not fit the protocol
    ├── IntegrityError        4  something was changed that must not have been
    └── SurroundingsError     5  the machine: disk, missing extra, unreachable cluster

A user's mistake ends in one of these, with one `Problem` for each thing that is wrong; it never ends in a traceback.
Anything else that escapes is a defect of equipoise (exit code 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, told so that its author can mend it without reading our code.

    file, line:  where it stands (line None: the file as a whole).
    path:        where in the document (``arms.placebo.ratio``) or table (``findings.value``).
    value:       the offending value as its author wrote it, or None where something is absent.
    rule:        the short name of the rule, stable, the same as in the documentation and the tests.
    message:     what is wrong, as one sentence.
    remedy:      what to do about it, as one sentence.
    """

    file: str
    line: int | None
    path: str
    rule: str
    message: str
    remedy: str
    value: str | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        where = f" {self.path}:" if self.path else ""
        got = "" if self.value is None else f" (got {self.value})"
        return f"{place}:{where} {self.message}{got} [{self.rule}]. {self.remedy}"


MOST_TOLD = 3
"""Different problems of one rule in one column that are told; `problems` of the error has all."""


def lines_of(problems: Sequence[Problem]) -> Iterator[str]:
    """A line for each problem; of one rule in one place of a file, the first different ones and how many more.

    The same cell a thousand times, or a thousand cells with one mistake, is one thing for its author to mend.
    """
    groups: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        groups.setdefault((problem.file, problem.path, problem.rule), []).append(problem)
    told: dict[Problem, int] = {}
    for group in groups.values():
        first: dict[tuple[str, str | None], Problem] = {}
        for problem in group:
            first.setdefault((problem.message, problem.value), problem)
        shortened = list(first.values())[:MOST_TOLD]
        told |= dict.fromkeys(shortened, 0) | {shortened[-1]: len(group) - len(shortened)}
    for problem in problems:
        if problem in told:
            more = told.pop(problem)
            yield f"{problem} And {more} more." if more else str(problem)


class EquipoiseError(Exception):
    """Base of all errors that are told to the user in words of their own."""

    exit_code: ClassVar[int] = 1

    def __init__(self, summary: str, problems: Iterable[Problem] = ()) -> None:
        self.summary = summary
        self.problems = tuple(problems)
        super().__init__(summary)

    def __str__(self) -> str:
        return "\n".join([self.summary, *(f"  {line}" for line in lines_of(self.problems))])


class InputError(EquipoiseError):
    """The protocol, scenario or command that the user gave is wrong."""

    exit_code = 2


class DataError(EquipoiseError):
    """The data do not fit the protocol."""

    exit_code = 3


class IntegrityError(EquipoiseError):
    """Something was changed, or cannot be reproduced, that must not differ."""

    exit_code = 4


class SurroundingsError(EquipoiseError):
    """The machine cannot do what was asked: disk, permissions, a missing extra."""

    exit_code = 5


def shown(value: object, longest: int = 60) -> str:
    """A value as an error message quotes it: its author's form, cut at `longest` characters."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= longest else text[: longest - 1] + "…"
