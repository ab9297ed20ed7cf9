"""The published JSON Schemas are current, and a validator that is not ours agrees with them and with us."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from equipoise.errors import InputError
from equipoise.protocol.json_schema import protocol_schema, published, questionnaire_schema, write
from equipoise.protocol.load import find_protocol, load_protocol, shipped_protocols
from equipoise.protocol.schema.base import SCHEMAS
from equipoise.source.document import read_document
from tests.protocol.places import BASE, INVALID, PROTOCOLS, VALID

PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "schemas"
SHIPPED = [find_protocol(name) for name in shipped_protocols()]
SHEETS = sorted(
    [*(SHIPPED[0].parent / "questionnaires").glob("*.yaml"), *(PROTOCOLS / "valid" / "questionnaires").glob("*.yaml")]
)

pytestmark = pytest.mark.requirement("PROTOCOL-JSON-SCHEMA")


def schema_for(path: Path) -> dict[str, object]:
    """The JSON Schema of the version that a document says it has; of the newest where it says none."""
    data = read_document(path).data
    said = data.get("schema") if isinstance(data, dict) else None
    return protocol_schema(SCHEMAS.index(said) + 1) if said in SCHEMAS else protocol_schema()


def messages(schema: dict[str, object], path: Path) -> list[str]:
    return [error.message for error in Draft202012Validator(schema).iter_errors(read_document(path).data)]


def test_the_published_files_are_current() -> None:
    for name, text in published().items():
        assert (PUBLISHED / name).read_text(encoding="utf-8") == text, (
            "run: python -m equipoise.protocol.json_schema docs/schemas"
        )


def test_what_is_written_is_what_is_published(tmp_path: Path) -> None:
    write(tmp_path / "schemas")
    assert {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "schemas").iterdir()} == published()


@pytest.mark.parametrize(
    "schema", [protocol_schema(1), protocol_schema(2), questionnaire_schema()], ids=["1", "2", "q"]
)
def test_they_are_json_schema(schema: dict[str, object]) -> None:
    Draft202012Validator.check_schema(schema)
    assert str(schema["$id"]).startswith("urn:equipoise:")


@pytest.mark.parametrize("path", [*VALID, *SHIPPED], ids=lambda path: path.stem)
def test_valid_protocols_are_accepted(path: Path) -> None:
    assert messages(schema_for(path), path) == []


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.stem)
def test_questionnaires_are_accepted(path: Path) -> None:
    assert messages(questionnaire_schema(), path) == []
    assert messages(protocol_schema(), path) != []


def step_of(path: Path) -> str:
    """The step of checking that refuses a broken protocol: yaml, schema or meaning."""
    with pytest.raises(InputError) as caught:
        load_protocol(path)
    summary = caught.value.summary
    return "yaml" if "plain YAML" in summary else "meaning" if "meaningful" in summary else "schema"


@pytest.mark.requirement("PROTOCOL-STRICT", "PROTOCOL-VERSION")
@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_broken_protocols_are_refused_where_the_schema_can_tell(path: Path) -> None:
    step = step_of(path)
    if step != "yaml":
        younger = path.stem.startswith("key-since")  # its own version's schema does not know the key
        assert bool(messages(schema_for(path), path)) == (step == "schema" or younger)


def test_every_part_refuses_unknown_keys() -> None:
    for schema in (protocol_schema(1), protocol_schema(2), questionnaire_schema()):
        parts = [part for part in [schema, *schema["$defs"].values()] if part["type"] == "object"]
        assert parts
        assert all(part["additionalProperties"] is False for part in parts)


def test_every_key_is_reachable_from_a_valid_protocol() -> None:
    """The schema holds nothing that no valid protocol of ours uses, `amends` apart: an amendment needs another file."""
    unused: set[str] = set()
    seen: set[str] = set()
    for path in [*VALID, *SHIPPED]:
        mark(protocol_schema(), protocol_schema(), read_document(path).data, seen)
    for name, part in protocol_schema()["$defs"].items():
        unused |= {f"{name}.{key}" for key in part.get("properties", {}) if f"{name}.{key}" not in seen}
    assert unused == set(), BASE


def test_a_schema_has_the_keys_of_its_version_and_earlier_ones() -> None:
    first, second = protocol_schema(1), protocol_schema(2)
    assert set(second["$defs"]) - set(first["$defs"]) == {"Composite", "Principal", "Recorded", "VariableSource"}
    brought = {
        f"{name}.{key}"
        for name, part in first["$defs"].items()
        for key in set(second["$defs"][name].get("properties", {})) - set(part.get("properties", {}))
    }
    assert brought == {
        "BlindedItem.from",
        "ClaimPart.margin",
        "Conventions.seed",
        "Estimand.composite",
        "Estimand.order",
        "Estimand.principal",
        "Family.opposite",
        "Family.sides",
        "IntercurrentEvent.recorded",
        "ReleaseTest.kind",
        "Variable.from",
    }


def mark(schema: dict[str, object], part: object, data: object, seen: set[str]) -> None:
    assert isinstance(part, dict)
    for option in part.get("anyOf", ()):
        if option.get("type") != "null":
            part = option
    name = str(part.get("$ref", "")).rsplit("/", 1)[-1]
    definition = schema["$defs"][name] if name else part  # type: ignore[index]
    if isinstance(data, dict):
        for key, value in data.items():
            if key in definition.get("properties", {}):
                seen.add(f"{name}.{key}")
                mark(schema, definition["properties"][key], value, seen)
            for pattern in definition.get("patternProperties", {}).values():
                mark(schema, pattern, value, seen)
    elif isinstance(data, list) and isinstance(definition.get("items"), dict):
        for item in data:
            mark(schema, definition["items"], item, seen)
