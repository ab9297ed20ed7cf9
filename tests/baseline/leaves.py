"""The leaves of a JSON document by readable paths, and those in which two documents differ."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Leaves = dict[str, str]
"""The JSON text of each leaf by its path; an empty list or object is a leaf."""


@dataclass(frozen=True)
class Difference:
    """One leaf that differs; None where a side does not have it."""

    path: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        def shown(value: str | None) -> str:
            return "(not there)" if value is None else value

        return f"{self.path}: {shown(self.before)} -> {shown(self.after)}"


def leaves_of(document: Any) -> Leaves:
    """All leaves; items of a list that all have a unique text under `id` go by it, others by their number."""
    return dict(_leaves(document, ""))


def differences(before: Leaves, after: Leaves, within: float = 0.0) -> list[Difference]:
    """The leaves that are not the same on both sides, in the order of `before`, new ones last.

    `within` is the relative difference up to which two numbers are the same.
    """
    paths = [*before, *(path for path in after if path not in before)]
    pairs = ((path, before.get(path), after.get(path)) for path in paths)
    return [Difference(path, old, new) for path, old, new in pairs if not _same(old, new, within)]


def _same(before: str | None, after: str | None, within: float) -> bool:
    if before == after or before is None or after is None or not within:
        return before == after
    try:
        return math.isclose(float(before), float(after), rel_tol=within)
    except ValueError:
        return False


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{path}/{key}")
    elif isinstance(value, list) and value:
        for name, item in zip(_names(value), value, strict=True):
            yield from _leaves(item, f"{path}[{name}]")
    else:
        yield path, json.dumps(value, ensure_ascii=False)


def _names(items: Sequence[Any]) -> list[str]:
    ids = [item.get("id") if isinstance(item, Mapping) else None for item in items]
    if all(isinstance(name, str) for name in ids) and len(set(ids)) == len(ids):
        return [str(name) for name in ids]
    return [str(number) for number in range(len(items))]
