"""How an error message quotes what its author wrote."""

from __future__ import annotations

import json

from equipoise.errors import shown

LONGEST_QUOTE = 60


def written(value: object) -> str:
    """A value as its author might have written it: text in quotes, the rest as JSON, cut where it is long."""
    if isinstance(value, str):
        return shown(value, LONGEST_QUOTE)
    plain = value if isinstance(value, dict | list | int | float | None) else str(value)
    return cut(json.dumps(plain, ensure_ascii=False))


def cut(text: str) -> str:
    """Raw text on one line, cut where it is long."""
    line = text.strip(" \r\n").replace("\t", "\\t").replace("\n", "\\n")
    return line if len(line) <= LONGEST_QUOTE else line[: LONGEST_QUOTE - 1] + "…"
