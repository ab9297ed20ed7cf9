"""The runner of planted faults, on a toy tree whose package has the same name as ours."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tools.sabotage import check

CODE = '"""Toy."""\n\n\ndef double(x):\n    return 2 * x\n\n\ndef unused(x):\n    return x\n'
TESTS = """
import pytest
from equipoise import double

@pytest.mark.parametrize("x", [0, 3])
def test_double(x):
    assert double(x) == x + x

def test_of_something_else():
    assert double

def test_that_fails_anyway():
    assert double(1) == 3
"""
FAULTY = CODE.replace("2 * x", "3 * x")


def make_tree(folder: Path, caught_by: str, broken: str = FAULTY, header: str = "# fault: tripled\n") -> Path:
    """Make a toy tree with one planted fault, whose patch git writes."""
    root = folder / "tree"
    for name in ("src/equipoise", "tests/sabotage"):
        (root / name).mkdir(parents=True)
    module = root / "src" / "equipoise" / "__init__.py"
    (root / "pyproject.toml").write_text("[tool.pytest.ini_options]\ntestpaths = ['tests']\n", encoding="utf-8")
    (root / "tests" / "test_toy.py").write_text(TESTS, encoding="utf-8")
    module.write_text(CODE, encoding="utf-8")
    changed = folder / "changed.py"
    changed.write_text(broken, encoding="utf-8")
    command = ["git", "diff", "--no-index", "--no-color", str(module), str(changed)]
    patch = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    hunks = patch[patch.index("@@") :]
    name = "src/equipoise/__init__.py"
    text = f"{header}# caught-by: {caught_by}\n--- a/{name}\n+++ b/{name}\n{hunks}"
    (root / "tests" / "sabotage" / "tripled.patch").write_text(text, encoding="utf-8")
    return root


@pytest.mark.requirement("SETUP-SABOTAGE")
def test_a_fault_that_its_test_notices_is_caught(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_tree(tmp_path, "tests/test_toy.py::test_double")
    assert check(root, []) == []
    assert "caught: tripled (tripled.patch" in capsys.readouterr().out
    assert (root / "src" / "equipoise" / "__init__.py").read_text(encoding="utf-8") == CODE


@pytest.mark.requirement("SETUP-SABOTAGE")
def test_the_seconds_of_each_fault_are_told_and_which_were_slow(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_tree(tmp_path, "tests/test_toy.py::test_double")
    assert check(root, []) == []
    quick = capsys.readouterr().out
    assert re.search(r"\(tripled\.patch, \d+\.\d s\)", quick) and "no fault took over 10 s" in quick
    monkeypatch.setattr("tools.sabotage.SLOW", 0.001)
    assert check(root, []) == []
    assert re.search(
        r"^slow: tripled\.patch: tests/test_toy\.py::test_double took", capsys.readouterr().out, re.MULTILINE
    )


UNCAUGHT = {
    "a test that does not look": ("tests/test_toy.py::test_of_something_else", FAULTY, "NOT CAUGHT"),
    "a test that fails anyway": ("tests/test_toy.py::test_that_fails_anyway", FAULTY, "do not pass without any fault"),
    "a test that is not there": ("tests/test_toy.py::test_double_of", FAULTY, "do not pass without any fault"),
    "a module that cannot be imported": ("tests/test_toy.py::test_double", "1 / 0\n" + CODE, "could not run"),
}


@pytest.mark.requirement("SETUP-SABOTAGE")
@pytest.mark.parametrize(("test", "broken", "message"), UNCAUGHT.values(), ids=UNCAUGHT)
def test_a_fault_is_not_caught_by(tmp_path: Path, test: str, broken: str, message: str) -> None:
    complaints = check(make_tree(tmp_path, test, broken), [])
    assert message in complaints[0]


@pytest.mark.requirement("SETUP-SABOTAGE")
def test_a_patch_that_no_longer_applies_is_told(tmp_path: Path) -> None:
    root = make_tree(tmp_path, "tests/test_toy.py::test_double")
    module = root / "src" / "equipoise" / "__init__.py"
    module.write_text(CODE.replace("2 * x", "x + x"), encoding="utf-8")
    complaints = check(root, [])
    assert len(complaints) == 1
    assert "tripled.patch: the patch no longer applies" in complaints[0]


def test_a_patch_without_its_header_is_told(tmp_path: Path) -> None:
    root = make_tree(tmp_path, "tests/test_toy.py::test_double", header="")
    assert "must begin with '# fault: …' and '# caught-by: test'" in check(root, [])[0]


def test_to_find_no_fault_at_all_is_a_complaint(tmp_path: Path) -> None:
    root = make_tree(tmp_path, "tests/test_toy.py::test_double")
    assert "no planted fault found" in check(root, ["another name"])[0]
