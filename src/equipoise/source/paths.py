"""The one grammar of paths in a document, used by error messages, `assumed:` and `--set`.

A path is steps joined by dots: a key of a mapping, or the `id` (or `name`) of an item of a list, or its
number, from 0, where the items have none: ``analyses.c2-rate.options.level``. A key that is empty or holds a
dot or a bracket is written in square brackets, with ``]`` doubled: ``scales.[1.5]``. A part that is all
digits is a number in a list.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any

Step = str | int

_PART = re.compile(r"(?:\[((?:[^\]]|\]\])*)\]|([^.\[\]]+))(?:\.(?!\Z)|\Z)")
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,8})\Z")


def format_path(data: Any, steps: Sequence[Step]) -> str:
    """The path to `steps` in `data`, list items named by their id where one item alone has it.

    Steps that lead out of `data` are written as they are; `find_steps` reads the others back.
    """
    parts: list[str] = []
    here = data
    for step in steps:
        if isinstance(step, str):
            parts.append(_as_part(step))
            here = here.get(step) if isinstance(here, dict) else None
        elif isinstance(here, list) and 0 <= step < len(here):
            name = _telling_name(here, step)
            parts.append(str(step) if name is None else _as_part(name))
            here = here[step]
        else:
            parts.append(str(step))
            here = None
    return ".".join(parts)


def find_steps(data: Any, path: str) -> tuple[Step, ...] | None:
    """The steps of `path` in `data`, or None where it leads nowhere or is no path."""
    here = data
    steps: list[Step] = []
    for part in split_path(path):
        step = _step(here, part)
        if step is None:
            return None
        steps.append(step)
        here = here[step]
    return tuple(steps) or None


def value_at(data: Any, steps: Sequence[Step]) -> Any:
    """The value at `steps` in `data`; raises KeyError, IndexError or TypeError where there is none."""
    for step in steps:
        data = data[step]
    return data


def with_value(data: Any, path: str, value: Any) -> Any:
    """A copy of `data` in which `path` holds `value`; a last key that is absent from its mapping is added.

    Raises KeyError with the part of the path that leads nowhere.
    """
    changed = copy.deepcopy(data)
    parts = split_path(path)
    if not parts:
        raise KeyError(path)
    here = changed
    for number, part in enumerate(parts[:-1]):
        step = _step(here, part)
        if step is None:
            raise KeyError(".".join(_as_part(part) for part in parts[: number + 1]))
        here = here[step]
    last = _step(here, parts[-1])
    if last is None:
        if not isinstance(here, dict):
            raise KeyError(path)
        last = parts[-1]
    here[last] = value
    return changed


def identity(item: Any) -> str | None:
    """The id, or else the name, of an item of a list; None where it has neither."""
    if isinstance(item, dict):
        for key in ("id", "name"):
            if isinstance(item.get(key), str):
                return item[key]
    return None


def split_path(path: str) -> list[str]:
    """The parts of a path, brackets removed; none where it is empty or breaks the grammar."""
    parts: list[str] = []
    position = 0
    while position < len(path):
        match = _PART.match(path, position)
        if match is None:
            return []
        bracketed, plain = match.groups()
        parts.append(plain if bracketed is None else bracketed.replace("]]", "]"))
        position = match.end()
    return parts


def _as_part(name: str) -> str:
    bare = name and not any(mark in name for mark in ".[]")
    return name if bare else f"[{name.replace(']', ']]')}]"


def _step(here: Any, part: str) -> Step | None:
    if isinstance(here, dict):
        return part if part in here else None
    if not isinstance(here, list):
        return None
    if _NUMBER.match(part):
        return int(part) if int(part) < len(here) else None
    return next((index for index, item in enumerate(here) if identity(item) == part), None)


def _telling_name(items: list[Any], index: int) -> str | None:
    """The id of an item, where it leads to this item and no other."""
    name = identity(items[index])
    return name if name is not None and _step(items, name) == index and not _NUMBER.match(name) else None
