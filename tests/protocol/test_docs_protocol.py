"""docs/protocol.md names every key of the schema, every word that a key may have, and every rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from equipoise.protocol.json_schema import protocol_schema, questionnaire_schema
from tests.protocol.test_rules import all_rules

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
SECTIONS, RULES = PAGE.split("\n## Rules\n")
ROWS = re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", RULES, re.MULTILINE)


def parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    yield from schema["$defs"].values()


def words(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from (word for word in part.get("enum", ()) if isinstance(word, str))
        for value in part.values():
            yield from words(value)
    elif isinstance(part, list):
        for item in part:
            yield from words(item)


def test_the_table_of_rules_is_complete_and_has_nothing_else() -> None:
    names = [name for name, _ in ROWS]
    assert sorted(names) == sorted(all_rules())


def test_every_rule_is_explained_in_a_sentence() -> None:
    assert all(text[0].isupper() or text.startswith("`") for _, text in ROWS)
    assert all(text.endswith(".") and len(text) > 12 for _, text in ROWS)


def test_every_key_is_explained() -> None:
    shown = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`([^`\n]+)`", SECTIONS))))
    for schema in (protocol_schema(), questionnaire_schema()):
        keys = {key for part in parts(schema) for key in part.get("properties", {})}
        assert keys <= shown, keys - shown


def test_keys_that_must_stand_are_marked() -> None:
    for section in protocol_schema()["required"]:
        assert f"`{section}` *" in SECTIONS
    for section in set(protocol_schema()["properties"]) - set(protocol_schema()["required"]):
        assert re.search(rf"`{section}`(?! \*)", SECTIONS)


def test_every_word_that_a_key_may_have_is_named() -> None:
    for schema in (protocol_schema(), questionnaire_schema()):
        missing = {word for word in words(schema) if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", SECTIONS)}
        assert missing == set()
