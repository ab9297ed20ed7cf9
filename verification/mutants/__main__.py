"""Try the mutants: `python -m verification.mutants`. The page docs/mutants.md is made from what is stored.

    --workers N     processes, each with a copy of the tree; default 2
    --rooms R …     only these rooms
    --known-tests   only the test files whose way through the code an earlier run has stored
    --survivors     only those that were not killed in the stored run; the others keep what is stored
    --untried       only those that the stored run has not tried
    --seed N        another sample; it is printed and not stored
    --budget S      seconds of tests a mutant, by their time without it; default 60

The exit status is 1 where a room's target is missed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from verification.mutants.page import write_page
from verification.mutants.reach import Reach, find_reach, tests_for
from verification.mutants.sample import ROOMS, SEED, sample
from verification.mutants.score import scores
from verification.mutants.sites import Mutant
from verification.mutants.workers import FAILED, GRACE, SLOWER, UNUSABLE, copies_of, each, run_tests, write_module

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).with_name("results.json")
EQUIVALENTS = Path(__file__).with_name("equivalents.yaml")
FIRST = 12
"""Tests that are run on a mutant before the others."""
REACH = ROOT / "verification" / "out" / "mutants" / "reach.json"


def tried(root: Path, copy: Path, mutant: Mutant, reach: dict[str, Reach], budget: float) -> dict[str, Any]:
    """Plant one mutant in a copy, run its tests, take it out again; what is stored of it."""
    tests, reaching = tests_for(mutant, reach, budget)
    row = {
        "id": mutant.id,
        "room": mutant.room,
        "path": mutant.path,
        "function": mutant.function,
        "line": mutant.line,
        "kind": mutant.kind,
        "before": mutant.before,
        "after": mutant.after,
        "tests": len(tests),
        "reaching": reaching,
    }
    if not tests:
        return row | {"outcome": "survived", "by": None, "seconds": 0.0}
    seconds = sum(found.seconds[test] for found in reach.values() for test in tests if test in found.seconds)
    module = copy / mutant.path
    source = module.read_bytes()
    write_module(module, mutant.planted(source))
    spent = 0.0
    try:
        # Most are killed by the first few tests: the modules of the others need not be loaded for them.
        for some in filter(None, (tests[:FIRST], tests[FIRST:])):
            outcome = run_tests(copy, root, some, limit=GRACE + SLOWER * seconds)
            spent += outcome.seconds
            if outcome.code != 0:
                break
    finally:
        write_module(module, source)
    unloadable = outcome.code == UNUSABLE and any(outcome.failed)  # a module of tests that the mutant breaks
    if outcome.code not in (0, FAILED, None) and not unloadable:
        raise RuntimeError(f"{mutant}: pytest ended with {outcome.code}: {outcome.failed}")
    word = {None: "never ends", 0: "survived"}.get(outcome.code, "killed")
    return row | {"outcome": word, "by": next(filter(None, outcome.failed), None), "seconds": round(spent, 1)}


def main(arguments: Sequence[str]) -> int:
    """Draw, run, print, store, and write the page."""
    parser = argparse.ArgumentParser(prog="verification.mutants", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rooms", nargs="*", choices=list(ROOMS), default=list(ROOMS))
    parser.add_argument("--survivors", action="store_true")
    parser.add_argument("--untried", action="store_true")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--known-tests", action="store_true")
    parser.add_argument("--budget", type=float, default=60.0)
    options: Any = parser.parse_args(arguments)
    ours = options.seed == SEED
    stored = _stored() if ours else {}
    mutants = [mutant for mutant in sample(ROOT, options.seed) if mutant.room in options.rooms]
    if options.survivors:
        mutants = [m for m in mutants if stored.get(m.id, {"outcome": "survived"})["outcome"] == "survived"]
    if options.untried:
        mutants = [m for m in mutants if m.id not in stored]
    commit = _commit()
    for row in run(mutants, options.workers, options.budget, known_only=options.known_tests):
        stored[row["id"]] = row | {"commit": commit}
        if ours:
            _store(stored, options.budget)
    rows = list(stored.values())
    if ours:
        write_page(RESULTS)
    missed = False
    for score in scores(rows, YAML(typ="safe").load(EQUIVALENTS)):
        sys.stdout.write(f"{score.line}\n")
        missed |= score.missed
    return int(missed)


def run(mutants: list[Mutant], workers: int, budget: float, *, known_only: bool) -> Iterator[dict[str, Any]]:
    """Try the mutants in copies of the tree, and once more the tests that killed them, without any mutant."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies = copies_of(ROOT, Path(folder).resolve(), workers)
        reach = find_reach(ROOT, copies, REACH, known_only=known_only)
        for _, row in each(copies, mutants, lambda copy, mutant: tried(ROOT, copy, mutant, reach, budget)):
            rows.append(row)
            change = f"{row['before']} -> {row['after']}".replace("\n", " ")
            sys.stdout.write(f"{row['id']} {row['outcome']}: {row['path']}:{row['line']} {row['function']}: {change}")
            sys.stdout.write(f" ({row['tests']} of {row['reaching']} tests, {row['seconds']} s)\n")
            sys.stdout.flush()
            yield row
        killers = sorted({row["by"] for row in rows if row["by"] and "::" in row["by"]})
        failed = run_tests(copies[0], ROOT, killers, limit=3600, first_only=False).failed if killers else []
        for row in rows:
            if row["by"] in failed:
                sys.stdout.write(f"{row['id']} survived: {row['by']} fails without it too\n")
                yield row | {"outcome": "survived"}


def _stored() -> dict[str, dict[str, Any]]:
    """What earlier runs have found of the sample as it is now."""
    rows = json.loads(RESULTS.read_text("utf-8"))["mutants"] if RESULTS.exists() else []
    now = {mutant.id for mutant in sample(ROOT)}
    return {row["id"]: row for row in rows if row["id"] in now}


def _store(rows: dict[str, dict[str, Any]], budget: float) -> None:
    order = [rows[mutant.id] for mutant in sample(ROOT) if mutant.id in rows]
    RESULTS.write_text(json.dumps({"seed": SEED, "budget": budget, "mutants": order}, indent=1) + "\n", "utf-8")


def _commit() -> str:
    """Which tree was tried."""

    def git(*words: str) -> str:
        command = ["git", *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - our own words
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--", "src", "tests")
    return git("rev-parse", "--short=12", "HEAD") + (" with changes" if changed else "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
