"""However a protocol is broken, it loads or is refused with problems that have lines: no other exception escapes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from equipoise.errors import InputError
from equipoise.protocol.amendment import difference
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.source.document import read_document
from equipoise.source.paths import Step, value_at
from tests.protocol.places import BASE
from tests.source.json_data import json_data

UNCHANGED = load_protocol(BASE)
DATA = UNCHANGED.document.data
SHEET = BASE.parent / "questionnaires" / "wellbeing.yaml"
LINES = BASE.read_text(encoding="utf-8").splitlines()

# fmt: off
HOSTILE = st.sampled_from(
    [
        0, -1, 1, 2, 0.5, 1.0, 2**53 - 1, -(2**53) + 1, 1e308, -0.0, "", " ", "x" * 5000, "main", "tablet",
        "baseline", "auc", "age", [], {}, [[]], [{}], [None], {"id": "x"}, [{"id": "x"}, {"id": "x"}],
        [{"id": [1]}, {"id": {}}], [{"name": 3}], [1, 1], [2, 1], True, None, "a.b", "[", "]", "a..b", "../x",
        "/etc/hostname", "questionnaires", ".", "x\n", "(" * 4000, "!" * 3999 + "age", "age >", "age == 'x'",
        "é", "{", "{0}", "%s", "1 / 0 > age", "[1].all(age, age > 0)", "sha256:" + "0" * 64, "\u2028",
    ]
)
# fmt: on


def everywhere(data: Any, steps: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inner:
        yield (*steps, key)
        yield from everywhere(value, (*steps, key))


PLACES = sorted(everywhere(DATA), key=repr)
ELSEWHERE = st.sampled_from(PLACES).map(lambda steps: json.loads(json.dumps(value_at(DATA, steps))))
VALUES = HOSTILE | json_data(6) | ELSEWHERE


def mutated(data: Any, steps: tuple[Step, ...], verb: str, value: Any) -> None:
    """Change `data` in place; a place that an earlier change took away is left alone."""
    try:
        parent, last = value_at(data, steps[:-1]), steps[-1]
        here = parent[last]
    except (KeyError, IndexError, TypeError):
        return
    if isinstance(parent, str):
        return
    if verb == "delete":
        del parent[last]
    elif verb == "replace":
        parent[last] = value
    elif verb == "repeat" and isinstance(here, list):
        here.extend(json.loads(json.dumps(here)))
    elif verb == "reverse" and isinstance(here, list):
        here.reverse()
    elif verb == "add" and isinstance(here, dict):
        here[value if isinstance(value, str) else "added"] = value
    elif verb == "rename" and isinstance(parent, dict):
        parent[value if isinstance(value, str) else "renamed"] = parent.pop(last)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mutations")
    (folder / "questionnaires").mkdir()
    shutil.copy(SHEET, folder / "questionnaires" / "wellbeing.yaml")
    return folder


def loads_or_is_refused(path: Path) -> Protocol | None:
    loaded = attempted(path)
    if isinstance(loaded, InputError):
        assert loaded.problems
        assert all(problem.line for problem in loaded.problems)
        assert str(loaded)
        return None
    assert loaded.digest.startswith("sha256:")
    return loaded


def attempted(path: Path) -> Protocol | InputError:
    try:
        return load_protocol(path)
    except InputError as error:
        return error


VERBS = st.sampled_from(["delete", "replace", "repeat", "reverse", "add", "rename"])


@given(st.lists(st.tuples(st.sampled_from(PLACES), VERBS, VALUES), min_size=1, max_size=3))
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_a_mutated_protocol_loads_or_is_refused(folder: Path, changes: list[tuple[tuple[Step, ...], str, Any]]) -> None:
    data = json.loads(json.dumps(DATA))
    for steps, verb, value in changes:
        mutated(data, steps, verb, value)
    path = folder / "mutated.yaml"
    path.write_text(json.dumps(data, indent=1), encoding="utf-8")
    protocol = loads_or_is_refused(path)
    if protocol is not None:
        assert bool(difference(UNCHANGED, protocol)) == (protocol.digest != UNCHANGED.digest)


TEXT = st.text(max_size=20) | st.sampled_from(
    ["- ", "  ", "\t", "{", "}", "[", "]", ": ", "&a ", "*a", "!t ", "|", ">", "'", '"', "#", "---"]
)


@given(st.lists(st.tuples(st.integers(0, len(LINES) - 1), st.sampled_from("drs+i"), TEXT), min_size=1, max_size=3))
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_a_protocol_with_mutated_lines_loads_or_is_refused(folder: Path, changes: list[tuple[int, str, str]]) -> None:
    lines = list(LINES)
    for number, verb, text in changes:
        place = number % len(lines)
        old = lines[place]
        lines[place] = {"d": "", "r": text, "s": " " + old, "+": old + text, "i": f"{old}\n{text}"}[verb]
    path = folder / "lines.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    loads_or_is_refused(path)


@given(st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mutated_questionnaire_loads_or_is_refused(folder: Path, chooser: st.DataObject) -> None:
    sheet = read_document(SHEET).data
    steps = chooser.draw(st.sampled_from(list(everywhere(sheet))))
    mutated(sheet, steps, chooser.draw(st.sampled_from(["delete", "replace", "repeat", "add"])), chooser.draw(VALUES))
    inner = folder / "sheet"
    (inner / "questionnaires").mkdir(parents=True, exist_ok=True)
    (inner / "questionnaires" / "wellbeing.yaml").write_text(json.dumps(sheet), encoding="utf-8")
    shutil.copy(BASE, inner / "base.yaml")
    loads_or_is_refused(inner / "base.yaml")
