"""Every planted fault is caught by the test that it names.

Each `tests/sabotage/*.patch` begins with

    # fault: what is broken, in one line
    # caught-by: tests/room/test_module.py::test_name

followed by a patch as git writes it. The tree is copied, the named tests must pass in the untouched copy, and each
must fail in a copy with its fault in. A patch that no longer applies is a failure, as is a test that could not be
run at all: only a test that ran and said no has caught anything.

    python tools/sabotage.py                 all
    python tools/sabotage.py NAME [NAME …]   those whose file name contains NAME
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("src", "tests", "tools", "examples", "reference", "docs", "pyproject.toml")
NOT_COPIED = shutil.ignore_patterns("__pycache__", ".*_cache", ".hypothesis")
HEADER = re.compile(r"# (fault|caught-by): (.+)")
SECONDS = 600
TESTS_FAILED = 1  # pytest's exit code for "tests ran and some failed"; 2 to 5 mean that they could not run
WORKERS = 2
SLOW = 10.0
"""Seconds within which a fault should be noticed, on a quiet machine."""


class SabotageError(Exception):
    """A fault that was not caught, or a check that could not be made."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A planted fault: its patch, what it breaks, and the test that must notice."""

    path: Path
    summary: str
    caught_by: str


def read_fault(path: Path) -> Fault:
    """Read the two header lines of a patch.

    Raises
    ------
    SabotageError
        The headers are not both there.
    """
    found: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        if header := HEADER.fullmatch(line.rstrip()):
            found[header[1]] = header[2]
    if set(found) != {"fault", "caught-by"}:
        raise SabotageError(f"{path.name}: must begin with '# fault: …' and '# caught-by: test'")
    return Fault(path, found["fault"], found["caught-by"])


def copy_tree(root: Path, target: Path, *, compiled: bool = False) -> Path:
    """Copy what the tests need, with or without compiled modules, and give the copy back."""
    target.mkdir(parents=True)
    for name in COPIED:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=None if compiled else NOT_COPIED)
        elif source.exists():
            shutil.copy2(source, target / name)
    return target


def plant(fault: Fault, copy: Path) -> None:
    """Apply a patch to a copy.

    Raises
    ------
    SabotageError
        The patch does not apply to the tree as it is now.
    """
    # Without the ceiling, git would take a repository around the temporary folder for the tree.
    environment = os.environ | {"GIT_CEILING_DIRECTORIES": str(copy.parent)}
    for command in (["git", "apply", "--numstat"], ["git", "apply"]):
        done = subprocess.run(
            [*command, str(fault.path)], cwd=copy, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SabotageError(f"{fault.path.name}: the patch no longer applies; make it anew\n{done.stderr.strip()}")
        for line in done.stdout.splitlines():  # lines added, lines taken away, file: nothing compiled may outlive it
            shutil.rmtree((copy / line.split("\t")[2]).parent / "__pycache__", ignore_errors=True)


def environment_of(copy: Path, root: Path) -> dict[str, str]:
    """Give the environment in which a copy's own package comes before the installed one."""
    data = root.parent / "shared" / "data"
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        "EQUIPOISE_T1DAL": str(data / "t1dal"),
        "EQUIPOISE_REFERENCE": str(data / "reference"),
        **inherited,
        "CI": "true",  # a skipped test has caught nothing
        "PYTHONPATH": str(copy / "src"),
    }


def run_tests(tests: list[str], root: Path, copy: Path) -> subprocess.CompletedProcess[str]:
    """Run tests in a copy."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
    environment = environment_of(copy, root)
    try:
        return subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise SabotageError(f"{', '.join(tests)}: not done after {SECONDS} s") from error


def require_own_package(package: str, root: Path, copy: Path) -> None:
    """Make sure that the copy's package is the one that a test in the copy imports.

    Raises
    ------
    SabotageError
        Another one wins, so that no fault could ever be seen.
    """
    command = [sys.executable, "-c", f"import {package}; print({package}.__file__)"]
    environment = environment_of(copy, root)
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=True)
    if not Path(done.stdout.strip()).is_relative_to(copy):
        raise SabotageError(f"the tests of the copy would import {done.stdout.strip()}")


def require_passing(faults: list[Fault], root: Path, copy: Path) -> None:
    """Run the named tests on the untouched copy: a test that fails anyway catches nothing.

    Raises
    ------
    SabotageError
        One of them does not pass.
    """
    for package in sorted((copy / "src").glob("*/__init__.py")):
        require_own_package(package.parent.name, root, copy)
    done = run_tests(sorted({fault.caught_by for fault in faults}), root, copy)
    if done.returncode:
        raise SabotageError(f"the named tests do not pass without any fault:\n{done.stdout}{done.stderr}")


def require_caught(fault: Fault, root: Path, untouched: Path) -> float:
    """Plant one fault in a copy of the untouched copy and run its test; give the seconds of the test.

    Raises
    ------
    SabotageError
        The patch does not apply, the test passes all the same, or it could not run.
    """
    copy = copy_tree(untouched, untouched.parent / fault.path.stem, compiled=True)
    try:
        plant(fault, copy)
        started = time.monotonic()
        done = run_tests([fault.caught_by], root, copy)
        seconds = time.monotonic() - started
    finally:
        shutil.rmtree(copy)
    if done.returncode == 0:
        raise SabotageError(f"{fault.path.name}: NOT CAUGHT by {fault.caught_by}: {fault.summary}")
    if done.returncode != TESTS_FAILED:
        how = f"pytest ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        raise SabotageError(f"{fault.path.name}: {fault.caught_by} could not run; {how}")
    return seconds


def check(root: Path, names: list[str]) -> list[str]:
    """Check the faults of a tree whose file name contains one of the names (all without names); print each.

    Returns the complaints.
    """
    paths = sorted((root / "tests" / "sabotage").glob("*.patch"))
    paths = [path for path in paths if not names or any(name in path.name for name in names)]
    if not paths:
        return [f"no planted fault found in {root / 'tests' / 'sabotage'}"]
    complaints: list[str] = []
    slow: list[str] = []
    with tempfile.TemporaryDirectory(prefix="sabotage-") as temporary, ThreadPoolExecutor(WORKERS) as workers:
        try:
            faults = [read_fault(path) for path in paths]
            untouched = copy_tree(root, Path(temporary).resolve() / "untouched tree")
            require_passing(faults, root, untouched)
        except SabotageError as error:
            return [str(error)]
        for fault, job in [(fault, workers.submit(require_caught, fault, root, untouched)) for fault in faults]:
            try:
                seconds = job.result()
            except SabotageError as error:
                complaints.append(str(error))
                continue
            print(f"caught: {fault.summary} ({fault.path.name}, {seconds:.1f} s)", flush=True)
            if seconds > SLOW:
                slow.append(f"slow: {fault.path.name}: {fault.caught_by} took {seconds:.1f} s, over {SLOW:g} s")
    print("\n".join(slow or [f"no fault took over {SLOW:g} s"]), flush=True)
    return complaints


def main(arguments: list[str] | None = None) -> int:
    """Check the planted faults of this repository."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", help="only the patches whose file name contains one of these")
    parser.add_argument("--root", type=Path, default=ROOT, help="the tree to check")
    options: Any = parser.parse_args(arguments)
    complaints = check(options.root.resolve(), options.names)
    for complaint in complaints:
        print(complaint)
    print(f"sabotage: {'every fault was caught' if not complaints else f'{len(complaints)} complaints'}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
