"""The tool finds each kind of difference, and nothing where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.baseline.__main__ import main
from tests.baseline.leaves import differences, leaves_of

BEFORE = {"results": [{"id": "a", "p": 0.25, "n": [1, 2]}, {"id": "b", "p": None, "n": []}]}


@pytest.mark.requirement("BASELINE-LEAVES")
def test_leaves_go_by_the_ids_of_their_items() -> None:
    assert leaves_of(BEFORE) == {
        "/results[a]/id": '"a"',
        "/results[a]/p": "0.25",
        "/results[a]/n[0]": "1",
        "/results[a]/n[1]": "2",
        "/results[b]/id": '"b"',
        "/results[b]/p": "null",
        "/results[b]/n": "[]",
    }


@pytest.mark.requirement("BASELINE-LEAVES")
def test_a_changed_a_lost_and_a_new_leaf_are_found_and_no_other() -> None:
    after = {"results": [{"id": "b", "p": None, "n": [3]}, {"id": "a", "p": 0.250000001, "n": [1, 2]}]}
    found = {str(difference) for difference in differences(leaves_of(BEFORE), leaves_of(after))}
    assert found == {
        "/results[a]/p: 0.25 -> 0.250000001",
        "/results[b]/n: [] -> (not there)",
        "/results[b]/n[0]: (not there) -> 3",
    }
    within = differences(leaves_of(BEFORE), leaves_of(after), within=1e-6)
    assert "/results[a]/p" not in {difference.path for difference in within}
    assert len(within) == 2


@pytest.mark.requirement("BASELINE-LEAVES")
def test_two_folders_differ_by_leaves_and_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, p, page in (("a", 0.25, "one"), ("b", 0.5, "two")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "results.json").write_text(json.dumps({"p": p}), "utf-8")
        (tmp_path / name / "report.html").write_text(page, "utf-8")
        (tmp_path / name / "provenance.json").write_text(name, "utf-8")
    assert main([str(tmp_path / "a"), str(tmp_path / "a")]) == 0
    assert capsys.readouterr().out == ""
    assert main([str(tmp_path / "a"), str(tmp_path / "b")]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first == "/p: 0.25 -> 0.5" and second.startswith("file report.html: ")
