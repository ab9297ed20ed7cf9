"""From a YAML parser's events to JSON data and the line of each value, gathering every refusal on the way.

Events rather than a tree of nodes: an alias is never followed, and a file nested ten thousand deep is refused
at level sixty, before anything has been built.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from equipoise.errors import Problem
from equipoise.source.characters import joined_surrogates
from equipoise.source.paths import Step, format_path
from equipoise.source.quoting import cut
from equipoise.source.scalars import JsonNumberError, plain_scalar

DEEPEST_NESTING = 60

Steps = tuple[Step, ...]


class RefusedError(Exception):
    """Reading cannot go on; the builder's refusals say why."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A `Problem` whose path cannot be written yet, because the data that it leads through are half built."""

    line: int
    steps: Steps
    rule: str
    message: str
    remedy: str
    value: str | None

    def told(self, file: str, data: Any) -> Problem:
        """The problem in a file whose data are now known (None where reading had to stop)."""
        got = cut(self.value) if self.value else None
        return Problem(file, self.line, format_path(data, self.steps), self.rule, self.message, self.remedy, got)


class Builder:
    """Builds the one document of an event stream.

    lines:     steps -> line, for every value.
    reached:   the line of the last value that was read.
    refusals:  everything that was refused; the data are worth nothing unless it is empty.
    """

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self.lines: dict[Steps, int] = {}
        self.reached = 1
        self.refusals: list[Refusal] = []

    def document(self) -> Any:
        """The data of the only document; raises RefusedError at a second one or one too deep."""
        stream = next(self._events)
        start = next(self._events)
        if isinstance(start, StreamEndEvent):
            message = "the file is empty"
            self._stop(stream, (), "one-document", message, "Write exactly one document in a file.")
        if isinstance(start, DocumentStartEvent) and (start.tags or start.version not in (None, (1, 2))):
            message = "a directive stands before this line, and none is allowed but %YAML 1.2"
            self._refuse(start, (), "no-directives", message, "Remove it.")
        data = self._value(next(self._events), ())
        next(self._events)
        end = next(self._events)
        if not isinstance(end, StreamEndEvent):
            message = "a second document begins here"
            self._stop(end, (), "one-document", message, "Write exactly one document in a file.")
        return data

    def _value(self, event: Event, steps: Steps) -> Any:
        self.reached = _line(event)
        self.lines.setdefault(steps, self.reached)
        self._bare(event, steps)
        if isinstance(event, ScalarEvent):
            return self._scalar(event, steps)
        if len(steps) >= DEEPEST_NESTING:
            message = f"the document is nested more than {DEEPEST_NESTING} levels deep"
            self._stop(event, (), "nesting", message, "Write it flatter.")
        if isinstance(event, MappingStartEvent):
            return self._mapping(steps)
        return self._sequence(steps) if isinstance(event, SequenceStartEvent) else None

    def _bare(self, event: Event, steps: Steps) -> None:
        """Refuse what hangs on a node besides its value (an anchor, a tag), and an alias."""
        if not isinstance(event, NodeEvent):
            return
        if isinstance(event, AliasEvent):
            self._refuse(
                event, steps, "no-alias", "an alias is not allowed", "Write the value out.", f"*{event.anchor}"
            )
        elif event.anchor is not None:
            self._refuse(event, steps, "no-anchor", "an anchor is not allowed", "Remove it.", f"&{event.anchor}")
        tag = getattr(event, "tag", None)
        if tag is not None:
            tag = str(tag).replace("tag:yaml.org,2002:", "!!")
            self._refuse(event, steps, "no-tag", "a tag is not allowed", "Remove the tag; quotes make text.", tag)

    def _sequence(self, steps: Steps) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            items.append(self._value(event, (*steps, len(items))))
        return items

    def _mapping(self, steps: Steps) -> dict[str, Any]:
        built: dict[str, Any] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._key(event, steps)
            inner = (*steps, key or "")
            if key is not None and key in built:
                message = "the key stands twice in one mapping"
                self._refuse(event, inner, "duplicate-key", message, "Keep one of them.", key)
                key = None
            elif key is not None:
                self.lines[inner] = _line(event)
            value = self._value(
                next(self._events), inner
            )  # read even where the key is refused: its faults are told too
            if key is not None:
                built[key] = value
        return built

    def _key(self, event: Event, steps: Steps) -> str | None:
        before = len(self.refusals)
        self._bare(event, steps)
        if not isinstance(event, ScalarEvent):
            self._stop(
                event,
                steps,
                "text-key",
                "a key must be text, not a list, mapping or alias",
                "Use a word as the key.",
            )
        elif event.value == "<<" and event.style is None:
            self._refuse(event, steps, "no-merge-key", "a merge key is not allowed", "Write the keys out.", "<<")
        elif not isinstance(key := self._scalar(event, steps), str) and len(self.refusals) == before:
            message = "an unquoted key that is a number, true, false or null is not text"
            self._refuse(event, steps, "text-key", message, "Put the key in quotes.", str(event.value))
        elif len(self.refusals) == before:
            return str(key)
        return None

    def _scalar(self, event: ScalarEvent, steps: Steps) -> Any:
        text = str(event.value)
        try:
            if event.style is None:
                return plain_scalar(text)
            if "\x00" in text:
                message = "the text holds a NUL character"
                self._refuse(event, steps, "forbidden-character", message, "Remove it.", ascii(text))
            return joined_surrogates(text)
        except JsonNumberError as error:
            self._refuse(event, steps, "json-number", str(error), error.remedy, text)
        except UnicodeError:
            message = "the text holds half of a character (a lone surrogate)"
            self._refuse(event, steps, "forbidden-character", message, "Write the whole character.", ascii(text))
        return None

    def _stop(self, event: Event, steps: Steps, rule: str, message: str, remedy: str) -> NoReturn:
        self._refuse(event, steps, rule, message, remedy)
        raise RefusedError

    def _refuse(
        self, event: Event, steps: Steps, rule: str, message: str, remedy: str, value: str | None = None
    ) -> None:
        self.refusals.append(Refusal(_line(event), steps, rule, message, remedy, value))


def _line(event: Event) -> int:
    return event.start_mark.line + 1
