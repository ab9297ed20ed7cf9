"""reference/run: a difference, a failure and a missing program are told apart."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.stats.reference import REFERENCE

STORED = '{"software": {"made with": "1"}, "cases": {"a": {"x": [1.0, null, "word"], "y": 2}}}'


def rerun(folder, printed, stored=STORED, suffix=".py"):
    method = folder / "method"
    method.mkdir(exist_ok=True)
    (method / f"script{suffix}").write_text(printed)
    (method / "script.json").write_text(stored)
    return subprocess.run(
        [sys.executable, REFERENCE / "run", "--folder", folder], capture_output=True, text=True, check=False
    )


def test_the_same_numbers_pass_whatever_version_made_them(tmp_path):
    new = STORED.replace("1.0", "1.0000000000001").replace('"1"', '"2"')
    done = rerun(tmp_path, f"print({new!r})")
    assert done.returncode == 0
    assert "method/script.py: same (stored with" in done.stdout


@pytest.mark.requirement("STATS-REFERENCES")
def test_a_difference_is_named_and_fails(tmp_path):
    for old, new, place in (
        ("1.0", "1.00000000001", "/cases/a/x/0: 1.0 stored"),
        ("null", "3", "/cases/a/x/1"),
        ('"y": 2', '"z": 2', "/cases/a/y: only in the stored output"),
        (', "word"', "", "3 values stored, 2 found"),
    ):
        done = rerun(tmp_path, f"print({STORED.replace(old, new)!r})")
        assert done.returncode == 1
        assert place in done.stdout
        assert "1 different" in done.stdout


def test_a_script_that_fails_or_prints_no_json_fails(tmp_path):
    assert "1 failed" in rerun(tmp_path, "raise SystemExit('no licence')").stdout
    done = rerun(tmp_path, "print('hello')")
    assert done.returncode == 1
    assert "no JSON" in done.stdout


def test_a_script_whose_program_is_absent_is_left_out_aloud(tmp_path):
    method = tmp_path / "method"
    method.mkdir()
    (method / "script.R").write_text("# needs: surelyNoSuchPackage\n")
    (method / "script.json").write_text(STORED)
    done = subprocess.run(
        [sys.executable, REFERENCE / "run", "--folder", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "1 left out" in done.stdout
    assert "is not installed" in done.stdout


def test_a_folder_without_scripts_is_a_mistake(tmp_path):
    done = subprocess.run([sys.executable, REFERENCE / "run", "--folder", tmp_path], capture_output=True, check=False)
    assert done.returncode == 1


def test_a_script_with_an_environment_of_its_own_runs_in_it_or_is_left_out_aloud(tmp_path):
    method = tmp_path / "method"
    method.mkdir()
    (method / "requirements.txt").write_text("somepackage\n")
    done = rerun(tmp_path, f"print({STORED!r})")
    assert done.returncode == 0
    assert "method/script.py: left out, its environment method/.venv is not installed" in done.stdout
    (method / ".venv" / "bin").mkdir(parents=True)
    (method / ".venv" / "bin" / "python").symlink_to(sys.executable)
    done = rerun(tmp_path, f"print({STORED!r})")
    assert "method/script.py: same" in done.stdout
