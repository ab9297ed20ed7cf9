"""Changes from the command line: made by path, before anything is checked, and written so that they read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.errors import InputError
from equipoise.protocol.load import load_protocol
from equipoise.source.changes import as_written, check_scopes, with_changes
from equipoise.source.document import parse_document

TEXT = b"a: 1\nlist:\n  - {id: x, size: 2}\n  - {id: y, size: 3}\n"


@pytest.mark.parametrize(
    ("change", "path", "expected"),
    [
        ("protocol.a=5", ("a",), 5),
        ("protocol.a=text", ("a",), "text"),
        ("protocol.a='5'", ("a",), "5"),
        ("protocol.a=x=y", ("a",), "x=y"),
        ("protocol.list.y.size=4.5", ("list", 1, "size"), 4.5),
        ("protocol.list.0.size=[1, 2]", ("list", 0, "size"), [1, 2]),
        ("protocol.new={b: true}", ("new",), {"b": True}),
        ("protocol.a=", ("a",), None),
    ],
)
def test_a_value_is_changed_and_nothing_else(change: str, path: tuple[str | int, ...], expected: object) -> None:
    document = parse_document(TEXT, "f.yaml")
    here = with_changes(document, [change], "protocol").data
    before = document.data
    for step in path:
        here = here[step]
    assert here == expected
    assert before == parse_document(TEXT, "f.yaml").data


def test_changes_of_another_scope_are_left_alone() -> None:
    document = parse_document(TEXT, "f.yaml")
    assert with_changes(document, ["scenario.a=2"], "protocol") is document


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("protocol.a", "set-form"),
        ("protocol=1", "set-form"),
        ("protocol.list.z.size=1", "set-path"),
        ("protocol.a.b=1", "set-path"),
        ("protocol.a={", "yaml-syntax"),
        ("protocol.a=&x 1", "no-anchor"),
    ],
)
def test_a_change_that_cannot_be_made_is_refused(change: str, rule: str) -> None:
    with pytest.raises(InputError) as refused:
        with_changes(parse_document(TEXT, "f.yaml"), [change], "protocol")
    assert [problem.rule for problem in refused.value.problems] == [rule]


def test_only_known_scopes_may_be_changed() -> None:
    check_scopes(["protocol.a=1"], ("protocol",))
    with pytest.raises(InputError, match="set-scope"):
        check_scopes(["scenario.a=1"], ("protocol",))


def test_a_changed_protocol_is_checked_like_any_other_and_reads_back(tmp_path: Path) -> None:
    changed = load_protocol("t1dal", ["protocol.randomisation.participants=400"])
    assert changed.randomisation.participants == 400
    assert changed.digest != load_protocol("t1dal").digest
    (tmp_path / "again.yaml").write_text(as_written(changed.document), encoding="utf-8")
    assert load_protocol(tmp_path / "again.yaml").digest == changed.digest
    with pytest.raises(InputError, match="block-fits-ratio") as refused:
        load_protocol("t1dal", ["protocol.randomisation.block_sizes=[4]"])
    assert refused.value.problems[0].line is not None
