"""Rules of versions: a document has the keys of the version that it says it is written in, and that version's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from equipoise.errors import Problem
from equipoise.protocol.lookup import Draft
from equipoise.protocol.schema.base import SCHEMAS, SINCE, Part
from equipoise.protocol.schema.people import ROLE_WORDS, ROLES
from equipoise.source.paths import Step, value_at

Problems = Iterator[Problem]
UPGRADE = "Write it as a document of that version by `equipoise amend PROTOCOL --upgrade -o FILE`, or remove the key."


def keys_are_of_the_version(draft: Draft) -> Problems:
    """No key is younger than the version that the document names."""
    yield from _younger(draft, draft.authored, (), SCHEMAS.index(draft.authored.schema_) + 1)


def _younger(draft: Draft, part: object, steps: tuple[Step, ...], version: int) -> Problems:
    if isinstance(part, Part):
        for name, field in type(part).model_fields.items():
            key = field.alias or name
            extra = field.json_schema_extra
            brought = extra.get(SINCE, 1) if isinstance(extra, dict) else 1
            if isinstance(brought, int) and brought > version and name in part.model_fields_set:
                message = (
                    f"the key {key!r} came with {SCHEMAS[brought - 1]}, and the document says {SCHEMAS[version - 1]}"
                )
                yield draft.problem((*steps, key), "key-since", message, UPGRADE)
            else:
                yield from _younger(draft, getattr(part, name), (*steps, key), version)
    elif isinstance(part, tuple):
        for index, item in enumerate(part):
            yield from _younger(draft, item, (*steps, index), version)
    elif isinstance(part, Mapping):
        for name, item in part.items():
            yield from _younger(draft, item, (*steps, name), version)


def roles_are_known(draft: Draft) -> Problems:
    """Every role is one of the fixed list; from version 2 on it is spelt by its id."""
    blinding = ("blinding",)
    lists: list[tuple[Step, ...]] = [(*blinding, "masked")]
    lists += [(*blinding, "items", index, "hidden_from") for index in range(len(draft.authored.blinding.items))]
    spelt = SCHEMAS.index(draft.authored.schema_) == 0
    for steps in lists:
        for index, word in enumerate(value_at(draft.document.data, steps)):
            if word in ROLE_WORDS and not spelt:
                message = "a role is written by its id"
                yield draft.problem((*steps, index), "role-id", message, f"Write {ROLE_WORDS[word]}.")
            elif word not in ROLE_WORDS:
                yield from draft.unknown((*steps, index), "known-role", word, ROLES)


RULES = (keys_are_of_the_version, roles_are_known)
