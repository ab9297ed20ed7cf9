"""Try the mutants: `python -m verification.mutants`. The page docs/mutants.md is made from what is stored.

    --workers N     processes, each with a copy of the tree; default 2
    --rooms R …     only these rooms
    --known-tests   only the test files whose way through the code an earlier run has stored
    --survivors     only those that were not killed in the stored run; the others keep what is stored
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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from verification.mutants.page import write_page
from verification.mutants.reach import Reach, find_reach, tests_for
from verification.mutants.sample import ROOMS, SEED, sample
from verification.mutants.score import scores
from verification.mutants.sites import Mutant
from verification.mutants.workers import FAILED, GRACE, SLOWER, copies_of, each, run_tests, write_module

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).with_name("results.json")
EQUIVALENTS = Path(__file__).with_name("equivalents.yaml")
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
    try:
        outcome = run_tests(copy, root, tests, limit=GRACE + SLOWER * seconds)
    finally:
        write_module(module, source)
    if outcome.code not in (0, FAILED, 2, None):
        raise RuntimeError(f"{mutant}: pytest ended with {outcome.code}: {outcome.failed}")
    word = {None: "never ends", 0: "survived"}.get(outcome.code, "killed")
    return row | {"outcome": word, "by": (outcome.failed or [None])[0], "seconds": round(outcome.seconds, 1)}


def main(arguments: Sequence[str]) -> int:
    """Draw, run, print, store, and write the page."""
    parser = argparse.ArgumentParser(prog="verification.mutants", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rooms", nargs="*", choices=list(ROOMS), default=list(ROOMS))
    parser.add_argument("--survivors", action="store_true")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--known-tests", action="store_true")
    parser.add_argument("--budget", type=float, default=60.0)
    options: Any = parser.parse_args(arguments)
    stored = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {"mutants": []}
    settled = {row["id"]: row for row in stored["mutants"] if row["outcome"] != "survived"}
    mutants = [mutant for mutant in sample(ROOT, options.seed) if mutant.room in options.rooms]
    if options.survivors:
        mutants = [mutant for mutant in mutants if mutant.id not in settled]
    rows = run(mutants, options.workers, options.budget, known_only=options.known_tests)
    if options.seed == SEED:
        commit = _commit()
        found = {row["id"]: row for row in stored["mutants"]} | {row["id"]: row | {"commit": commit} for row in rows}
        rows = [found[mutant.id] for mutant in sample(ROOT) if mutant.id in found]
        kept = {"seed": SEED, "budget": options.budget, "mutants": rows}
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
        write_page(RESULTS)
    missed = False
    for score in scores(rows, YAML(typ="safe").load(EQUIVALENTS)):
        sys.stdout.write(f"{score.line}\n")
        missed |= score.missed
    return int(missed)


def run(mutants: list[Mutant], workers: int, budget: float, *, known_only: bool) -> list[dict[str, Any]]:
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
        killers = sorted({row["by"] for row in rows if row["by"] and "::" in row["by"]})
        if killers:
            failed = run_tests(copies[0], ROOT, killers, limit=3600, first_only=False).failed
            for row in rows:
                if row["by"] in failed:
                    row["outcome"] = "survived"
                    sys.stdout.write(f"{row['id']} survived: {row['by']} fails without it too\n")
    return rows


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
