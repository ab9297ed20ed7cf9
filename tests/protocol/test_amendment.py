"""Amendments: a whole new document bound to the digest of the old one, and the difference between them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from equipoise.errors import InputError
from equipoise.protocol.amendment import Change, check_chain, difference
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from tests.protocol.places import BASE, VALID


def amended(folder: Path, name: str, *edits: tuple[str, str], amends: str | None = None, of: Path = BASE) -> Protocol:
    """A copy of the base protocol with edits, which says that it amends another."""
    text = of.read_text(encoding="utf-8")
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    if amends is not None:
        text = text.replace("id: base\n", f"id: base\namends: {amends}\n", 1)
    if not (folder / "questionnaires").exists():
        shutil.copytree(BASE.parent / "questionnaires", folder / "questionnaires")
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load_protocol(folder / f"{name}.yaml")


@pytest.fixture(scope="module")
def base() -> Protocol:
    return load_protocol(BASE)


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_protocol_does_not_differ_from_itself(path: Path) -> None:
    assert difference(load_protocol(path), load_protocol(path)) == ()


def test_layout_order_and_equal_numbers_are_no_difference(base: Protocol, tmp_path: Path) -> None:
    new = amended(
        tmp_path,
        "same",
        ("{amount: 10, unit: mg, lowest: 5, highest: 20}", "{unit: mg, highest: 2e1, amount: 10.0, lowest: 5}"),
        ("  phase: II\n", "  # phase two\n  phase: 'II'\n"),
        amends=base.digest,
    )
    assert difference(base, new) == ()


def test_each_kind_of_change_is_told_with_its_path(base: Protocol, tmp_path: Path) -> None:
    text = BASE.read_text(encoding="utf-8").splitlines(keepends=True)
    (adult,) = (line for line in text if line.startswith("    - {id: adult, label: Consent"))
    (minor,) = (line for line in text if line.startswith("    - {id: minor, label: Consent"))
    new = amended(
        tmp_path,
        "new",
        ('version: "1.0"', 'version: "2.0"'),
        (
            "dose: {amount: 10, unit: mg, lowest: 5, highest: 20}",
            "dose: {amount: 15, unit: mg, highest: 20, per: administration}",
        ),
        ("    dose_days: [0, 7, 14]\n    dose_window_days: 2", "    dose_days: [0, 14]\n    dose_window_days: 2"),
        ('      - {id: assay, label: Content, unit: "%", lower: 95, upper: 105, use: gate}\n', ""),
        ("use: report}\n", 'use: report}\n      - {id: smell, label: Smell, unit: "1", expected: none, use: report}\n'),
        (adult + minor, minor + adult),
        ("default_scenario: no-effect\n", ""),
        (
            "  products.tablet.dose.amount: Chosen so that the example has a dose.\n",
            "  products.tablet.dose.amount: Raised.\n",
        ),
        amends=base.digest,
    )
    changes = {(change.path, change.kind): (change.before, change.after) for change in difference(base, new)}
    assert changes == {
        ("study.version", "changed"): ("1.0", "2.0"),
        ("products.tablet.dose.amount", "changed"): (10, 15),
        ("products.tablet.dose.lowest", "removed"): (5, None),
        ("products.tablet.dose.per", "added"): (None, "administration"),
        ("products.tablet.dose_days", "changed"): ([0, 7, 14], [0, 14]),
        ("products.tablet.release_tests.assay", "removed"): (
            {"id": "assay", "label": "Content", "unit": "%", "lower": 95, "upper": 105, "use": "gate"},
            None,
        ),
        ("products.tablet.release_tests.smell", "added"): (
            None,
            {"id": "smell", "label": "Smell", "unit": "1", "expected": "none", "use": "report"},
        ),
        ("consent.forms", "reordered"): (["adult", "minor"], ["minor", "adult"]),
        ("default_scenario", "removed"): ("no-effect", None),
        ("assumed.[products.tablet.dose.amount]", "changed"): ("Chosen so that the example has a dose.", "Raised."),
    }


def test_an_item_is_found_again_by_its_id_wherever_it_stands(base: Protocol, tmp_path: Path) -> None:
    first = "    - {id: since-day-0, label: Days since day 0, zero: time-zero}\n"
    new = amended(
        tmp_path,
        "new",
        (first, "    - {id: since-consent, label: Days since consent, zero: consent}\n" + first),
        amends=base.digest,
    )
    assert [(change.path, change.kind) for change in difference(base, new)] == [
        ("conventions.clocks.since-consent", "added")
    ]
    assert [(change.path, change.kind) for change in difference(new, base)] == [
        ("conventions.clocks.since-consent", "removed")
    ]


def test_a_change_in_a_named_file_is_a_change_of_its_digest(base: Protocol, tmp_path: Path) -> None:
    new = amended(tmp_path, "new", amends=base.digest)
    sheet = tmp_path / "questionnaires" / "wellbeing.yaml"
    sheet.write_text(sheet.read_text(encoding="utf-8").replace("highest: 10", "highest: 12"), encoding="utf-8")
    changed = load_protocol(new.path)
    file = "questionnaires/wellbeing.yaml"
    assert difference(base, changed) == (Change(f"files.[{file}]", base.files[file], changed.files[file], "changed"),)


def replayed(data: Any, change: Change) -> None:
    """Undo nothing, apply all: only for changes of values in mappings, which is what this test makes."""
    *parents, last = change.path.split(".")
    for part in parents:
        data = next(i for i in data if i["id"] == part) if isinstance(data, list) else data[part]
    data[last] = change.after


def test_the_changes_say_all_that_differs(base: Protocol, tmp_path: Path) -> None:
    new = amended(
        tmp_path, "new", ("phase: II", "phase: III"), ("level: 0.05", "level: 0.01"), ("hours: 24", "hours: 48")
    )
    again = load_protocol(BASE).document.data
    for change in difference(base, new):
        replayed(again, change)
    assert again == new.document.data


def test_a_chain_holds_where_each_amends_the_one_before(base: Protocol, tmp_path: Path) -> None:
    second = amended(tmp_path, "second", ("phase: II", "phase: III"), amends=base.digest)
    third = amended(tmp_path, "third", ("phase: II", "phase: IV"), amends=second.digest)
    check_chain([])
    check_chain([base])
    check_chain([base, second])
    check_chain([base, second, third])


def told(*protocols: Protocol) -> list[tuple[str, str, str]]:
    with pytest.raises(InputError) as caught:
        check_chain(protocols)
    return [(Path(problem.file).name, problem.path, problem.rule) for problem in caught.value.problems]


def test_a_chain_that_does_not_hold_is_told_link_by_link(base: Protocol, tmp_path: Path) -> None:
    second = amended(tmp_path, "second", ("phase: II", "phase: III"), amends=base.digest)
    third = amended(tmp_path, "third", ("phase: II", "phase: IV"), amends=second.digest)
    loose = amended(tmp_path, "loose")
    other = load_protocol(next(path for path in VALID if path.stem == "minimal"))
    assert told(second) == [("second.yaml", "amends", "chain-begins")]
    assert told(base, third) == [("third.yaml", "amends", "amends-previous")]
    assert told(base, loose, second) == [("loose.yaml", "amends", "amends-previous")]
    assert told(third, second) == [
        ("third.yaml", "amends", "chain-begins"),
        ("second.yaml", "amends", "amends-previous"),
    ]
    assert told(base, other) == [
        ("minimal.yaml", "amends", "amends-previous"),
        ("minimal.yaml", "id", "amends-same-study"),
    ]


def test_the_remedy_is_the_digest_to_write(base: Protocol, tmp_path: Path) -> None:
    wrong = amended(tmp_path, "wrong", amends="sha256:" + "0" * 64)
    with pytest.raises(InputError) as caught:
        check_chain([base, wrong])
    (problem,) = caught.value.problems
    assert problem.line == 4
    assert problem.remedy == f"Write amends: {base.digest}"
    check_chain([base, amended(tmp_path, "right", amends=base.digest)])
