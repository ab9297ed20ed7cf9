"""Read a YAML 1.2 document into plain data, remembering the line of every value.

A document is JSON data written in YAML: mappings with text keys, sequences, text, numbers, booleans and null.
What JSON cannot hold (anchors, aliases, tags, merge keys, infinities) and what would make two readers see two
documents (duplicate keys, leading zeros, odd line ends) is refused, each with its line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from equipoise.errors import InputError, Problem
from equipoise.source.builder import Builder, RefusedError
from equipoise.source.characters import decoded, forbidden_characters
from equipoise.source.paths import Step, format_path, value_at
from equipoise.source.quoting import cut, written
from equipoise.source.syntax import plain_words

LARGEST_DOCUMENT = 5_000_000  # bytes; a protocol has some 50,000
_MISFIT = re.compile(r"\\U(?!000|0010)[0-9A-Fa-f]{8}|^%YAML")


@dataclass(frozen=True, slots=True)
class Document:
    """An authored document: its plain data, and the line on which each of its values stands."""

    file: str
    data: Any
    lines: Mapping[tuple[Step, ...], int] = field(repr=False)
    changed: bool = False
    """Whether the data are no longer those of the file."""

    def line(self, steps: Sequence[Step]) -> int | None:
        """The line of the value at `steps`, or of the nearest enclosing value where it is absent."""
        for length in range(len(steps), -1, -1):
            found = self.lines.get(tuple(steps[:length]))
            if found is not None:
                return found
        return None

    def problem(self, steps: Sequence[Step], rule: str, message: str, remedy: str, value: object = None) -> Problem:
        """A `Problem` at `steps`; it quotes `value`, else what stands there unless that is a whole part."""
        text = self._quoted(steps) if value is None else written(value)
        return Problem(self.file, self.line(steps), format_path(self.data, steps), rule, message, remedy, text)

    def _quoted(self, steps: Sequence[Step]) -> str | None:
        try:
            here = value_at(self.data, steps)
        except (KeyError, IndexError, TypeError):
            return None
        whole_part = isinstance(here, dict) or (
            isinstance(here, list) and any(isinstance(i, dict | list) for i in here)
        )
        return None if whole_part else written(here)


def read_document(path: Path) -> Document:
    """Read the YAML document at `path`.

    Raises InputError with the file and line where it cannot be read, is not UTF-8, is not YAML, or is not
    JSON data.
    """
    try:
        if path.stat().st_size > LARGEST_DOCUMENT:
            raise _too_large(str(path), path.stat().st_size)
        raw = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"cannot read {path}",
            [
                Problem(
                    str(path),
                    None,
                    "",
                    "file-readable",
                    f"the file cannot be read: {reason}",
                    "Give the path of a file.",
                )
            ],
        ) from None
    return parse_document(raw, str(path))


def parse_document(raw: bytes, file: str) -> Document:
    """Parse the bytes of a YAML document that stands in `file`; errors as `read_document`."""
    text = _text(raw, file)
    parser = YAML(typ="safe", pure=True)
    parser.version = (1, 2)
    builder = Builder(iter(parser.parse(text)))
    data = None
    try:
        data = builder.document()
    except RefusedError:
        pass
    except YAMLError as error:
        raise _refused(file, [*_told(builder, file, None), _syntax_problem(file, text, error)]) from None
    except (OverflowError, ValueError, AssertionError):  # the parser's own, for \U99999999 and %YAML 1.3
        line = _line_of_misfit(text, builder.reached)
        message = "YAML 1.2 does not know this escape or directive"
        problem = Problem(file, line, "", "yaml-syntax", message, "Correct or remove it.", _source_line(text, line))
        raise _refused(file, [*_told(builder, file, None), problem]) from None
    if builder.refusals:
        raise _refused(file, _told(builder, file, data))
    return Document(file, data, MappingProxyType(builder.lines))


def _told(builder: Builder, file: str, data: Any) -> list[Problem]:
    return [refusal.told(file, data) for refusal in builder.refusals]


def _line_of_misfit(text: str, reached: int) -> int:
    """The line, from `reached`, of the first escape or directive that makes the parser itself fail."""
    lines = enumerate(text.splitlines()[reached - 1 :], start=reached)
    return next((number for number, line in lines if _MISFIT.search(line)), reached)


def _source_line(text: str, line: int) -> str | None:
    return cut("".join(text.splitlines()[line - 1 : line])) or None


def _text(raw: bytes, file: str) -> str:
    if len(raw) > LARGEST_DOCUMENT:
        raise _too_large(file, len(raw))
    try:
        text = decoded(raw)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        got = " ".join(f"{byte:02X}" for byte in raw[error.start : error.start + 4])
        message, remedy = "the file is not UTF-8", "Save it as UTF-8."
        raise _refused(file, [Problem(file, line, "", "encoding", message, remedy, f"bytes {got}")]) from None
    remedy = "Remove it, or write it as an escape in double quotes."
    found = [
        Problem(file, line, "", "forbidden-character", "a character is not allowed in YAML", remedy, name)
        for line, name in forbidden_characters(text)
    ]
    if found:
        raise _refused(file, found)
    return text


def _too_large(file: str, size: int) -> InputError:
    message = f"the file has {size:,} bytes, more than {LARGEST_DOCUMENT:,}"
    return _refused(file, [Problem(file, None, "", "document-size", message, "Give a protocol, not a data file.")])


def _refused(file: str, problems: list[Problem]) -> InputError:
    return InputError(f"{file} is not a plain YAML document", sorted(problems, key=lambda problem: problem.line or 0))


def _syntax_problem(file: str, text: str, error: YAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark if isinstance(error, MarkedYAMLError) else None
    line = mark.line + 1 if mark is not None else 1
    message, remedy, at_opening = plain_words(str(getattr(error, "problem", None) or error))
    context = getattr(error, "context_mark", None)
    if at_opening and context is not None:
        line = context.line + 1
    return Problem(file, line, "", "yaml-syntax", message, remedy, _source_line(text, line))
