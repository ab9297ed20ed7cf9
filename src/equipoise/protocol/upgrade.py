"""A protocol written anew in the newest version of the format: the same promises, as an amendment of the old one.

Only three things change: the name of the schema, `amends`, and roles that are not spelt by their id. Layout and
comments are kept: lines are edited where they hold these values, and the result is read back and compared.
"""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from equipoise.errors import InputError
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import SCHEMAS
from equipoise.protocol.schema.people import ROLE_WORDS
from equipoise.source.document import Document, parse_document
from equipoise.source.paths import Step

NEWEST = SCHEMAS[-1]


def upgraded(protocol: Protocol, text: str) -> str:
    """The text of a protocol's document in the newest version; `text` is that of its file.

    Raises InputError where the document is of the newest version already.
    """
    document = protocol.document
    if protocol.authored.schema_ == NEWEST:
        remedy = "There is nothing to upgrade."
        problem = document.problem(("schema",), "schema-newest", "the document is of the newest version", remedy)
        raise InputError(f"{document.file} cannot be upgraded", [problem])
    wanted = _data(document.data, protocol.digest)
    edited = _edited(document, text, protocol.digest)
    return edited if _reads_as(edited, wanted) else json.dumps(wanted, indent=1, ensure_ascii=False) + "\n"


def _data(data: dict[str, Any], digest: str) -> dict[str, Any]:
    """The data that the new document must hold, `amends` after `id`."""
    new = copy.deepcopy(data)
    new["schema"] = NEWEST
    blinding = new["blinding"]
    blinding["masked"] = _spelt(blinding["masked"])
    for item in blinding.get("items", ()):
        item["hidden_from"] = _spelt(item["hidden_from"])
    new.pop("amends", None)
    ordered: dict[str, Any] = {}
    for key, value in new.items():
        ordered[key] = value
        if key == "id":
            ordered["amends"] = digest
    return ordered


def _spelt(words: list[str]) -> list[str]:
    return [ROLE_WORDS.get(word, word) for word in words]


def _edited(document: Document, text: str, digest: str) -> str:
    lines = text.splitlines(keepends=True)
    for steps in _role_places(document.data):
        number = document.lines.get(steps)
        if number is not None:
            lines[number - 1] = _with_ids(lines[number - 1])
    schema, name, was = (document.lines.get((key,)) for key in ("schema", "id", "amends"))
    if schema is not None:
        lines[schema - 1] = lines[schema - 1].replace(document.data["schema"], NEWEST)
    if was is not None:
        lines[was - 1] = lines[was - 1].replace(document.data["amends"], digest)
    elif name is not None:
        lines[name - 1] += f"amends: {digest}\n"
    return "".join(lines)


def _role_places(data: dict[str, Any]) -> list[tuple[Step, ...]]:
    """The steps to every role of a document."""
    blinding = data["blinding"]
    places: list[tuple[Step, ...]] = [("blinding", "masked", index) for index in range(len(blinding["masked"]))]
    for number, item in enumerate(blinding.get("items", ())):
        places += [("blinding", "items", number, "hidden_from", index) for index in range(len(item["hidden_from"]))]
    return places


def _with_ids(line: str) -> str:
    for word, role in ROLE_WORDS.items():
        line = re.sub(rf"(?<=[\[,\s'\"-]){word}(?=\s*[\],'\"#]|\s*$)", role, line)
    return line


def _reads_as(text: str, wanted: dict[str, Any]) -> bool:
    """Whether the edited text is a document with just these data."""
    try:
        return parse_document(text.encode(), "upgraded").data == wanted
    except InputError:
        return False
