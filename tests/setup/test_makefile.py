"""The set-up installs once, in order, and a broken one is never taken for a good one; the check runs every gate."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INSTALLER = """#!/bin/bash
echo "$*" >> calls.txt
if [ -e fail-on-"$2" ]; then echo "no such hash" >&2; exit 2; fi
"""
SYNC = "pip sync --quiet --python .venv/bin/python --compile-bytecode --require-hashes requirements/lock.txt"
INSTALL = "pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e ."


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Make a tree whose installer only writes down how it was called, and fails where a file tells it to."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    installer = tmp_path / ".venv" / "bin" / "uv"
    installer.parent.mkdir(parents=True)
    installer.write_text(INSTALLER, encoding="utf-8")
    installer.chmod(0o755)
    return tmp_path


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run make there, as from a fresh shell."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(["make", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)


def calls(folder: Path) -> list[str]:
    """Give how the installer was called since the last look."""
    path = folder / "calls.txt"
    found = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return found


@pytest.mark.requirement("SETUP-BOOTSTRAP")
def test_the_lock_goes_in_by_hash_and_compiled_then_our_package_alone(tree: Path) -> None:
    done = make(tree, "install")
    assert done.returncode == 0, done.stderr
    assert calls(tree) == [SYNC, INSTALL]


@pytest.mark.requirement("SETUP-BOOTSTRAP")
def test_a_second_run_does_nothing_and_takes_no_time(tree: Path) -> None:
    make(tree, "install")
    calls(tree)
    started = time.monotonic()
    assert make(tree, "install").returncode == 0
    assert time.monotonic() - started < 1
    assert calls(tree) == []


@pytest.mark.requirement("SETUP-BOOTSTRAP")
@pytest.mark.parametrize("name", ["requirements/lock.txt", "pyproject.toml"])
def test_a_changed_file_installs_again(tree: Path, name: str) -> None:
    make(tree, "install")
    calls(tree)
    later = time.time() + 5
    os.utime(tree / name, (later, later))
    assert make(tree, "install").returncode == 0
    assert calls(tree) == [SYNC, INSTALL]


@pytest.mark.requirement("SETUP-BOOTSTRAP")
@pytest.mark.parametrize("step", ["sync", "install"])
def test_a_failed_installation_is_tried_again(tree: Path, step: str) -> None:
    make(tree, "install")
    calls(tree)
    (tree / f"fail-on-{step}").touch()
    later = time.time() + 5
    os.utime(tree / "pyproject.toml", (later, later))
    for _ in range(2):
        done = make(tree, "install")
        assert done.returncode != 0
        assert "no such hash" in done.stderr
        assert calls(tree) != []
    (tree / f"fail-on-{step}").unlink()
    assert make(tree, "install").returncode == 0
    assert calls(tree) == [SYNC, INSTALL]


@pytest.mark.requirement("SETUP-BOOTSTRAP")
@pytest.mark.parametrize("command", ["trial", "test"])
def test_both_commands_set_up_first(tree: Path, command: str) -> None:
    (tree / "fail-on-sync").touch()
    assert make(tree, command).returncode != 0
    assert calls(tree) == [SYNC]


@pytest.mark.requirement("SETUP-GATES")
def test_the_check_runs_every_gate_and_the_tests_last() -> None:
    printed = make(ROOT, "--dry-run", "test").stdout
    gates = [
        "ruff check",
        "ruff format --quiet --check",
        "lint-imports",
        "tools/requirement_ids.py",
        "pyright",
        "tools/sabotage.py",
        "-m pytest",
    ]
    places = [printed.find(gate) for gate in gates]
    assert places == sorted(places)
    assert -1 not in places
    assert "-m pytest" in printed.strip().splitlines()[-1]


@pytest.mark.requirement("SETUP-TRIAL")
def test_the_trial_is_the_model_trial_of_seed_1() -> None:
    commands = [line for line in make(ROOT, "--dry-run", "trial").stdout.splitlines() if "/equipoise " in line]
    (command,) = commands
    formats = ("--format", "html", "--format", "pdf", "--format", "docx")
    assert command.split()[1:] == ["trial", "msc-t1d", "--seed", "1", *formats, "-o", "out/model-trial"]
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^\| `make trial` \| (.*) \|$", contributing, re.MULTILINE)
    assert "model trial" in line and "small-trial" not in line


@pytest.mark.requirement("SETUP-GATES")
def test_warnings_are_errors(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    test = tmp_path / "tests" / "test_warns.py"
    test.parent.mkdir()
    test.write_text("import warnings\n\ndef test_it():\n    warnings.warn('old')\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "UserWarning: old" in done.stdout
