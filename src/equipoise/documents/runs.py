"""Text as a document holds it: runs of words, emphasis, links, and numbers that know the result behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SCHEMES = ("#", "https://", "http://", "mailto:")


@dataclass(frozen=True, slots=True)
class Strong:
    """Words that matter more."""

    text: Text


@dataclass(frozen=True, slots=True)
class Emphasis:
    """Words said with stress, or a term where it is first used."""

    text: Text


@dataclass(frozen=True, slots=True)
class Code:
    """Text exactly as a machine reads it: a file name, an id, a digest."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead to a place: `#id` in this document, or an address; raises ValueError for any other scheme."""

    text: Text
    target: str

    def __post_init__(self) -> None:
        if not self.target.startswith(SCHEMES):
            raise ValueError(f"a link leads to one of {', '.join(SCHEMES)}, not to {self.target!r}")


@dataclass(frozen=True, slots=True)
class Reference:
    """The number of a table or figure of this document, as 'Table 2', leading to it.

    target: the id of the table or figure.
    """

    target: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is printed, and the id of the result that it comes from.

    Where a row of a table carries the same `result_id`, the number leads to that row.
    """

    text: str
    result_id: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A number that is not there, shown as an en dash, and the reason why: a note under a table, words elsewhere."""

    reason: str


Run = str | Strong | Emphasis | Code | Link | Reference | Number | Missing
Text = Run | tuple[Run, ...]


def runs(text: Text) -> tuple[Run, ...]:
    """Text as a tuple of runs, whichever way it was written."""
    return text if isinstance(text, tuple) else (text,)


def flattened(text: Text) -> Iterator[Run]:
    """Every run of a text, the runs inside emphasis and links included, outer ones first."""
    for run in runs(text):
        yield run
        if isinstance(run, Strong | Emphasis | Link):
            yield from flattened(run.text)


def plain(text: Text) -> str:
    """The bare words of a text; a missing number is an en dash, a reference is its target."""
    return "".join(_words(run) for run in runs(text))


def _words(run: Run) -> str:
    match run:
        case str():
            return run
        case Strong() | Emphasis() | Link():
            return plain(run.text)
        case Code() | Number():
            return run.text
        case Reference():
            return run.target
        case Missing():
            return "–"
