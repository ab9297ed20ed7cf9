"""Every valid protocol loads; every broken one is refused in exactly the words that stand beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from equipoise.errors import InputError
from equipoise.protocol.load import find_protocol, load_protocol, shipped_protocols
from equipoise.source.document import read_document
from equipoise.source.paths import Step, format_path, value_at
from tests.protocol.places import BASE, INVALID, PROTOCOLS, VALID

MEANING = "is not a meaningful protocol"
# What a rule says of something that is not there: there is no value to quote.
ABSENT = {
    "missing-key",
    "schema-version",
    "document-mapping",
    "one-document",
    "no-directives",
    "nesting",
    "list-too-short",
    "text-key",
    "unknown-key",
    "placebo-controlled",
    "treatment-complete",
    "product-used",
    "gate-has-limit",
    "consent-every-age",
    "age-range",
    "stratum-levels",
    "stratum-expressions",
    "findings-have-tests",
    "findings-have-visits",
    "minutes-complete",
    "questionnaire-visits",
    "quantification-limit",
    "strategy-complete",
    "recorded-one-way",
    "recorded-names",
    "recorded-period",
    "recorded-insulin",
    "composite-consequence",
    "estimand-or-set",
    "primary-exists",
    "family-used",
}


def told(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        load_protocol(path)
    return caught.value


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_valid_protocol_loads(path: Path) -> None:
    assert load_protocol(path).id == path.stem


@pytest.mark.parametrize("name", shipped_protocols())
def test_a_shipped_protocol_loads_by_its_name(name: str) -> None:
    protocol = load_protocol(name)
    assert protocol.id == name
    assert protocol.path == find_protocol(name)


@pytest.mark.requirement("PROTOCOL-INVALID", "PROTOCOL-ERRORS")
@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_a_broken_protocol_is_told_in_the_words_beside_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    error = told(Path(path.name))
    assert f"{error}\n" == path.with_suffix(".txt").read_text(encoding="utf-8"), (
        "after a change of words: python -m tests.protocol.accept_messages, and read the difference"
    )
    assert error.exit_code == 2


@pytest.mark.requirement("PROTOCOL-ERRORS")
@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_a_broken_protocol_has_one_mistake_and_is_named_for_it(path: Path) -> None:
    (problem,) = told(path).problems
    assert path.stem == problem.rule or path.stem.startswith(f"{problem.rule}-")
    assert problem.line is not None
    assert problem.message and problem.message[0] not in " ."
    assert problem.remedy.endswith((".", "?")) or problem.remedy.endswith("`.")
    assert problem.value or problem.rule in ABSENT
    quoted = Path(problem.file).read_bytes().splitlines()
    assert 1 <= problem.line <= len(quoted)


@pytest.mark.requirement("PROTOCOL-INVALID")
def test_there_are_enough_broken_protocols() -> None:
    meaning = [path for path in INVALID if MEANING in path.with_suffix(".txt").read_text(encoding="utf-8")]
    assert len(INVALID) >= 45
    assert len(meaning) >= 28
    strays = {path.stem for path in (PROTOCOLS / "invalid").glob("*.txt")} - {path.stem for path in INVALID}
    assert not strays


def broken(tmp_path: Path, *edits: tuple[str, str]) -> InputError:
    text = BASE.read_text(encoding="utf-8")
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = tmp_path / "broken.yaml"
    path.write_text(text, encoding="utf-8")
    (tmp_path / "questionnaires").mkdir(exist_ok=True)
    sheet = (BASE.parent / "questionnaires" / "wellbeing.yaml").read_text(encoding="utf-8")
    (tmp_path / "questionnaires" / "wellbeing.yaml").write_text(sheet, encoding="utf-8")
    return told(path)


@pytest.mark.requirement("PROTOCOL-ALL-ERRORS")
def test_all_mistakes_of_keys_and_types_are_told_at_once(tmp_path: Path) -> None:
    error = broken(
        tmp_path,
        ("  phase: II\n", "  fase: II\n"),
        ("ratio: 1, treatments: {main: tablet}", "ratio: one, treatments: {main: tablet}"),
        ("role: placebo", "role: sham"),
        ("participants: 20", "participants: 0"),
        ("    domain: LB\n    visits: [baseline, month-12]", "    domain: lb\n    visits: [baseline, month-12]"),
        ("clock: since-day-0", "clock: [since-day-0]"),
    )
    assert "is not a valid protocol" in error.summary
    assert [(problem.path, problem.rule) for problem in error.problems] == [
        ("study.phase", "missing-key"),
        ("study.fase", "unknown-key"),
        ("arms.tablet.ratio", "wrong-type"),
        ("products.placebo.role", "not-one-of"),
        ("randomisation.participants", "out-of-range"),
        ("assessments.hba1c.domain", "bad-format"),
        ("estimands.auc.clock", "wrong-type"),
    ]
    lines = [problem.line for problem in error.problems if problem.line]
    assert lines == sorted(lines)


@pytest.mark.requirement("PROTOCOL-ALL-ERRORS")
def test_all_mistakes_of_meaning_are_told_at_once(tmp_path: Path) -> None:
    error = broken(
        tmp_path,
        ("block_sizes: [2, 4]", "block_sizes: [3]"),
        ("age >= 12 && age <= 35", "age >= 12 && weight <= 35"),
        ("label: Month 6, period: main, day: 182", "label: Month 6, period: main, day: 482"),
        ("quantification: {lower: 0.05, upper: 20", "quantification: {lower: 50, upper: 20"),
        ("variable: {parameter: auc, visit: month-12}", "variable: {parameter: auk, visit: month-12}"),
        ("role: sensitivity, of: auc", "role: sensitivity, of: acu"),
        ("questionnaires/wellbeing.yaml", "questionnaires/absent.yaml"),
        ("products.tablet.dose.amount:", "products.tablet.dose.amout:"),
    )
    assert MEANING in error.summary
    assert sorted(problem.rule for problem in error.problems) == [
        "assumed-path",
        "block-fits-ratio",
        "expression-name",
        "file-exists",
        "known-analysis",
        "known-parameter",
        "quantification-order",
        "visit-in-period",
    ]
    lines = [problem.line for problem in error.problems if problem.line]
    assert lines == sorted(lines)


def test_mistakes_in_questionnaires_stand_beside_those_of_the_protocol(tmp_path: Path) -> None:
    sheets = "questionnaires:\n"
    for number in (1, 2):
        sheets += f"  - {{id: sheet-{number}, label: S, file: sheet-{number}.yaml, visits: [baseline]}}\n"
        text = "schema: equipoise/questionnaire/1\nid: s\ntitle: T\n"
        text += f"items:\n  - {{id: a, code: A{number}, lowest: 1, highest: 1}}\n"
        (tmp_path / f"sheet-{number}.yaml").write_text(text + ("source: S\n" if number == 2 else ""), encoding="utf-8")
    error = broken(tmp_path, ("questionnaires:\n", sheets), ("block_sizes: [2, 4]", "block_sizes: [5]"))
    assert [(Path(problem.file).name, problem.rule) for problem in error.problems] == [
        ("broken.yaml", "block-fits-ratio"),
        ("sheet-1.yaml", "missing-key"),
        ("sheet-2.yaml", "item-range"),
    ]


@pytest.mark.parametrize("name", ["no-such-trial", "no/such/file.yaml", "a\0b", "x" * 5000, "", ".", "*"])
def test_a_protocol_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"protocol-exists") as caught:
        load_protocol(name)
    assert "t1dal" in caught.value.problems[0].remedy


def test_a_misspelt_key_is_met_with_the_right_one(tmp_path: Path) -> None:
    error = broken(tmp_path, ("    minutes_at:\n", "    minute_at:\n"), ("decimals: 3", "decimal: 3"))
    hints = [re.findall(r"Did you mean '(\w+)'\?", problem.remedy) for problem in error.problems]
    assert hints == [["minutes_at"], ["decimals"]]


def mappings(data: Any, steps: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """The steps of every mapping of the schema in a protocol: those whose keys are our names, not their author's."""
    free = {"treatments", "options", "conversions", "intercurrent_events", "assumed"}
    if isinstance(data, dict):
        if not steps or steps[-1] not in free:
            yield steps
        for key, value in data.items():
            yield from mappings(value, (*steps, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from mappings(value, (*steps, index))


PARTS = [steps for steps in mappings(read_document(BASE).data) if steps[-2:-1] != ("options",)]


@pytest.mark.requirement("PROTOCOL-STRICT")
@pytest.mark.parametrize("steps", PARTS, ids=lambda steps: ".".join(map(str, steps)) or "document")
def test_an_unknown_key_is_refused_wherever_it_stands(steps: tuple[Step, ...], tmp_path: Path) -> None:
    data = json.loads(json.dumps(read_document(BASE).data))
    value_at(data, steps)["surplus"] = 1
    (tmp_path / "surplus.yaml").write_text(json.dumps(data), encoding="utf-8")
    (problem,) = told(tmp_path / "surplus.yaml").problems
    assert problem.rule == "unknown-key"
    assert problem.path == format_path(data, (*steps, "surplus"))


@pytest.mark.requirement("PROTOCOL-VERSION")
@pytest.mark.parametrize(
    "schema", ["equipoise/protocol/3", "equipoise/protocol/1 ", "equipoise/questionnaire/1", "", "1", 1, None, ["x"]]
)
def test_any_other_schema_is_refused(schema: object, tmp_path: Path) -> None:
    data = read_document(BASE).data | {"schema": schema}
    (tmp_path / "other.yaml").write_text(json.dumps(data), encoding="utf-8")
    (problem,) = told(tmp_path / "other.yaml").problems
    assert (problem.rule, problem.path) == ("schema-version", "schema")
    assert "equipoise/protocol/" in problem.remedy
