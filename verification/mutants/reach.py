"""Which tests come into which function: a copy of the tree tells, in which each function says that it was entered.

A test file is run in a process of its own, so that nothing kept in memory by another file hides a call. Programs that
a test starts say it too. Compiled functions cannot say anything: their tests are those of their room.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from verification.mutants.sample import ROOMS
from verification.mutants.sites import PACKAGE, Mutant
from verification.mutants.workers import FAILED, Outcome, each, run_tests, write_module

SAYS = """
import os
_path = os.environ.get("EQUIPOISE_ENTERED", os.devnull)
_seen = set()


def entered(name):
    if name not in _seen:
        _seen.add(name)
        with open(_path, "a") as file:
            file.write(f"{os.environ.get('PYTEST_CURRENT_TEST', '').rpartition(' (')[0]}\\t{name}\\n")
"""
MODULE = "equipoise_entered"
COMPILED = "patients/mechanistic/"
NOT_RUN = ("tests/setup/", "tests/bench/", "tests/docs/", "tests/verification/")
"""Tests of the repository itself and of campaigns: no function is tested there alone, and they take long."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What one test file does without any mutant."""

    seconds: dict[str, float]
    """Each test that passes: its time."""
    entered: dict[str, list[str]]
    """`path::function`: the tests that were the first of their file to come there."""


def saying(path: str, source: bytes) -> bytes:
    """The module with a word at the start of each function."""
    lines = source.splitlines(keepends=True)
    words = []
    for name, node in _functions(ast.parse(source), ""):
        body = node.body[1:] if ast.get_docstring(node) is not None and len(node.body) > 1 else node.body
        first = min([body[0].lineno, *(d.lineno for d in getattr(body[0], "decorator_list", []))])
        words.append((first, body[0].col_offset, f'__import__("{MODULE}").entered("{path}::{name}")'.encode()))
    for line, column, word in sorted(words, reverse=True):
        before = lines[line - 1][:column]
        end = b"\n" + before if not before.strip() else b"; "
        lines[line - 1] = before + word + end + lines[line - 1][column:]
    return b"".join(lines)


def _functions(node: ast.AST, outer: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for child in ast.iter_child_nodes(node):
        name = f"{outer}.{child.name}".lstrip(".") if hasattr(child, "name") else outer
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield name, child
        yield from _functions(child, name if isinstance(child, ast.stmt) else outer)


def test_files(root: Path) -> list[str]:
    """The files whose tests are run, from the root."""
    paths = [path.relative_to(root).as_posix() for path in sorted(root.glob("tests/**/test_*.py"))]
    order = {room: place for place, room in enumerate(ROOMS)}
    paths.sort(key=lambda path: order.get(path.split("/")[1], len(order)))
    return [path for path in paths if not path.startswith(NOT_RUN)]


def find_reach(root: Path, copies: list[Path], stored: Path, *, known_only: bool = False) -> dict[str, Reach]:
    """Run each test file that has changed since the stored run; store, and give them all.

    known_only: run none, and give those alone that were run before as they are now.
    """
    known = json.loads(stored.read_text("utf-8")) if stored.exists() else {}
    digests = {path: sha256((root / path).read_bytes()).hexdigest() for path in test_files(root)}
    wanted = [path for path, digest in digests.items() if known.get(path, {}).get("digest") != digest]
    wanted = [] if known_only else wanted
    for copy in copies if wanted else []:
        (copy / "src" / f"{MODULE}.py").write_text(SAYS, "utf-8")
        for path in sorted((copy / PACKAGE).glob("**/*.py")):
            if COMPILED not in path.as_posix():
                write_module(path, saying(path.relative_to(copy).as_posix(), path.read_bytes()))
    limit = 1200.0

    def work(copy: Path, path: str) -> Outcome:
        return run_tests(copy, root, [path], limit=limit, first_only=False)

    for path, outcome in each(copies, wanted, work):
        if outcome.code not in (0, FAILED):
            raise RuntimeError(
                f"{path}: pytest ended with {outcome.code} after {outcome.seconds:.0f} s: {outcome.failed}"
            )
        if outcome.failed:
            sys.stdout.write(f"{path}: fails in a copy and is left out: {', '.join(outcome.failed)}\n")
        known[path] = {"digest": digests[path], "seconds": outcome.passed, "entered": _entered(path, outcome)}
        stored.parent.mkdir(parents=True, exist_ok=True)
        stored.write_text(json.dumps({p: known[p] for p in digests if p in known}), "utf-8")
    for copy in copies if wanted else []:
        for path in (root / PACKAGE).glob("**/*.py"):
            write_module(copy / path.relative_to(root), path.read_bytes())
    current = [path for path, digest in digests.items() if known.get(path, {}).get("digest") == digest]
    return {path: Reach(known[path]["seconds"], known[path]["entered"]) for path in current}


def _entered(path: str, outcome: Outcome) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in outcome.said.splitlines():
        test, _, name = line.partition("\t")
        if not test or test in outcome.passed:  # else a test that fails here anyway
            found.setdefault(name, []).append(test)
    return {name: sorted(set(tests)) for name, tests in found.items()}


def tests_for(mutant: Mutant, reach: dict[str, Reach], budget: float, also: tuple[str, ...]) -> tuple[list[str], int]:
    """The tests to run on a mutant, and how many there are in all.

    File by file, since a file's tests share what is dear to make: its own room's files before others, and those that
    take little before those that take long. In a file those that come to the function are first; then the rest, which
    may use what the first one made and kept. They are cut where the budget of seconds is spent. also: files whose tests
    come first of all, and cost nothing of the budget.
    """
    name = f"{mutant.path}::{mutant.function}"
    own = f"tests/{mutant.room}/"
    order: list[tuple[bool, bool, float, str, bool, float, str]] = []
    for path, found in reach.items():
        tests = (
            set(found.seconds) if COMPILED in mutant.path and path.startswith(own) else _reaching(found, mutant, name)
        )
        whole = sum(found.seconds.values())
        if not tests.isdisjoint(found.seconds):
            order += [
                (path not in also, not path.startswith(own), whole, path, test not in tests, seconds, test)
                for test, seconds in found.seconds.items()
            ]
    chosen, spent = list[str](), 0.0
    for later, *_, seconds, test in sorted(order):
        spent += seconds if later else 0.0
        if spent > budget and chosen:
            break
        chosen.append(test)
    return chosen, len(order)


def _reaching(found: Reach, mutant: Mutant, name: str) -> set[str]:
    """The tests of a file that come to a function; for code of the module or a class, to any of its functions."""
    if tests := found.entered.get(name):
        return set(tests)
    if mutant.function and not mutant.function.rpartition(".")[2][:1].isupper():
        return set()
    prefix = f"{name}." if mutant.function else f"{mutant.path}::"
    inside = {test for other, tests in found.entered.items() if other.startswith(prefix) for test in tests}
    module = {test for other, tests in found.entered.items() if other.startswith(f"{mutant.path}::") for test in tests}
    if inside or module:
        return inside or module
    # A module that only declares things: whatever uses them is in its room.
    return set(found.seconds) if any(test.startswith(f"tests/{mutant.room}/") for test in found.seconds) else set()
