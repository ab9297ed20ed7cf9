"""Every rule that the code can emit has a broken protocol, words, and a line in the documentation."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

import equipoise.protocol.load
from equipoise.errors import InputError
from equipoise.protocol import (
    rules_events,
    rules_inference,
    rules_measurement,
    rules_people,
    rules_questionnaires,
    rules_structure,
)
from equipoise.protocol.json_schema import protocol_schema, questionnaire_schema
from equipoise.protocol.load import load_protocol
from equipoise.protocol.schema.study import ProtocolDocument
from equipoise.protocol.schema_errors import FORMS, WORDS
from equipoise.source.document import read_document
from tests.protocol.places import INVALID

SOURCE = Path(equipoise.protocol.load.__file__).parent.parent
MODULES = sorted([*(SOURCE / "protocol").glob("*.py"), *(SOURCE / "source").glob("*.py")])
# The function that makes a problem -> which of its arguments is the rule.
MAKERS = {"problem": 1, "unknown": 1, "_refuse": 2, "_stop": 2, "Problem": 3}
# Rules that no protocol file on disk can show, and the test that shows each.
ELSEWHERE = {
    "protocol-exists": "test_protocol_files.py: there is no file",
    "file-readable": "test_yaml.py: the file cannot be opened",
    "document-size": "test_yaml.py: the file has five million bytes",
    "schema-newest": "test_upgrade.py: it takes an upgrade",
    "chain-begins": "test_amendment.py: it takes two protocols",
    "amends-previous": "test_amendment.py: it takes two protocols",
    "amends-same-study": "test_amendment.py: it takes two protocols",
}


def rules_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in MAKERS or len(node.args) <= MAKERS[name]:
            continue
        rule = node.args[MAKERS[name]]
        if isinstance(rule, ast.Constant):
            yield str(rule.value)
        else:  # passed on by a function that was given it, never put together
            assert ast.unparse(rule) in ("rule", "self.rule"), f"{path.name}:{node.lineno}: write the rule out"


def all_rules() -> set[str]:
    return {rule for path in MODULES for rule in rules_in(path)} | {rule for rule, _, _ in WORDS.values()}


def rule_of(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_protocol(path)
    return caught.value.problems[0].rule


def test_every_rule_has_a_broken_protocol() -> None:
    shown = {rule_of(path) for path in INVALID}
    assert all_rules() - shown == set(ELSEWHERE)
    assert shown <= all_rules()


def test_rules_are_short_names() -> None:
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", rule) for rule in all_rules())


def test_every_rule_function_is_run_and_documented() -> None:
    for module in (
        rules_structure,
        rules_people,
        rules_measurement,
        rules_questionnaires,
        rules_inference,
        rules_events,
    ):
        public = [
            item
            for name, item in vars(module).items()
            if not name.startswith("_") and getattr(item, "__module__", "") == module.__name__
        ]
        functions = [item for item in public if not isinstance(item, type) and callable(item)]
        assert list(module.RULES) == functions
        assert all(function.__doc__ for function in functions)


def kinds_of(path: Path) -> set[str]:
    try:
        document = read_document(path)
        ProtocolDocument.model_validate_json(json.dumps(document.data))
    except InputError:
        return set()
    except ValidationError as error:
        return {details["type"] for details in error.errors()}
    return set()


def test_every_kind_of_schema_error_has_words_and_a_broken_protocol() -> None:
    assert set().union(*map(kinds_of, INVALID)) == set(WORDS)


def patterns_of(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        for value in schema.values():
            yield from patterns_of(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from patterns_of(item)


def test_every_form_of_the_schema_is_told_in_words() -> None:
    assert set(patterns_of([protocol_schema(), questionnaire_schema()])) <= set(FORMS)
