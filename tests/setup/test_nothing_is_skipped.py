"""Where CI is set, a test that did not run has failed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"
TESTS = """
import pytest

def test_runs():
    pass

def test_leaves_itself_out():
    pytest.skip("the reason that was given")

@pytest.mark.skip(reason="marked as left out")
def test_is_left_out():
    pass

@pytest.mark.xfail(reason="known to be wrong")
def test_is_expected_to_fail():
    assert False
"""


def run(folder: Path, source: str, *, ci: str | None) -> subprocess.CompletedProcess[str]:
    """Run one test module under the conftest of this repository."""
    (folder / "conftest.py").write_text(CONFTEST.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "test_some.py").write_text(source, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    if ci is not None:
        environment["CI"] = ci
    command = [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", "-p", "no:xdist", f"--rootdir={folder}"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.requirement("SETUP-NO-SKIP")
def test_every_way_to_leave_a_test_out_fails_in_ci(tmp_path: Path) -> None:
    done = run(tmp_path, TESTS, ci="true")
    assert done.returncode == 1
    assert "2 failed, 1 passed, 1 error" in done.stdout
    for reason in ("the reason that was given", "marked as left out", "known to be wrong"):
        assert f"CI is set and this did not run: {reason}" in done.stdout.replace("Skipped: ", "")


@pytest.mark.requirement("SETUP-NO-SKIP")
def test_a_module_that_leaves_itself_out_fails_in_ci(tmp_path: Path) -> None:
    done = run(tmp_path, 'import pytest\npytest.skip("no such program", allow_module_level=True)\n', ci="1")
    assert done.returncode != 0
    assert "CI is set and this did not run" in done.stdout
    assert "no such program" in done.stdout


@pytest.mark.requirement("SETUP-NO-SKIP")
def test_outside_ci_a_skip_is_a_skip(tmp_path: Path) -> None:
    done = run(tmp_path, TESTS, ci=None)
    assert done.returncode == 0
    assert "1 passed, 2 skipped, 1 xfailed" in done.stdout


@pytest.mark.requirement("SETUP-T1DAL-FIXTURE")
def test_the_trial_data_are_left_out_only_where_their_folder_is_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EQUIPOISE_T1DAL", raising=False)
    source = "def test_reads(t1dal):\n    assert t1dal.is_dir()\n"
    absent = run(tmp_path, source, ci=None)
    assert "1 skipped" in absent.stdout
    assert "EQUIPOISE_T1DAL may name another place" in absent.stdout
    assert "1 error" in run(tmp_path, source, ci="true").stdout


@pytest.mark.requirement("SETUP-T1DAL-FIXTURE")
def test_the_trial_data_may_stand_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EQUIPOISE_T1DAL", str(tmp_path))
    source = f"def test_reads(t1dal):\n    assert str(t1dal) == {str(tmp_path.resolve())!r}\n"
    assert "1 passed" in run(tmp_path, source, ci="true").stdout
