"""Try the mutants: `python -m verification.mutants`. The page docs/mutants.md is made from what is stored.

    --workers N     processes, each with a copy of the tree; default 2
    --rooms R …     only these rooms
    --known-tests   only the test files whose way through the code an earlier run has stored
    --survivors     only those that were not killed in the stored run; the others keep what is stored
    --untried       only those that the stored run has not tried
    --seed N        another sample; it is printed and not stored
    --budget S      seconds of tests a mutant, by their time without it; default 60
    --also FILE …   test files that come first, beyond the budget

The exit status is 1 where a room's target is missed or a mutant has not been tried.
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
from verification.mutants.session import THREADED, Job, changed_code, sessions
from verification.mutants.sites import Mutant
from verification.mutants.workers import (
    FAILED,
    GRACE,
    SLOWER,
    UNUSABLE,
    Outcome,
    copies_of,
    each,
    run_tests,
    write_module,
)

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).with_name("results.json")
EQUIVALENTS = Path(__file__).with_name("equivalents.yaml")
REACH = ROOT / "verification" / "out" / "mutants" / "reach.json"


def tried(root: Path, copy: Path, job: Job) -> Outcome:
    """Plant one mutant in a copy, run its tests in a process of their own, take it out again."""
    module = copy / job.mutant.path
    source = module.read_bytes()
    write_module(module, job.mutant.planted(source))
    try:
        return run_tests(copy, root, list(job.tests), limit=job.limit)
    finally:
        write_module(module, source)


def row_of(mutant: Mutant, outcome: Outcome, tests: int, reaching: int) -> dict[str, Any]:
    """What is stored of a mutant."""
    unloadable = outcome.code == UNUSABLE and any(outcome.failed)  # a module of tests that the mutant breaks
    if outcome.code not in (0, FAILED, None) and not unloadable:
        raise RuntimeError(f"{mutant}: pytest ended with {outcome.code}: {outcome.failed}")
    return {
        "id": mutant.id,
        "room": mutant.room,
        "path": mutant.path,
        "function": mutant.function,
        "line": mutant.line,
        "kind": mutant.kind,
        "before": mutant.before,
        "after": mutant.after,
        "outcome": {None: "never ends", 0: "survived"}.get(outcome.code, "killed"),
        "by": next(filter(None, outcome.failed), None),
        "tests": tests,
        "reaching": reaching,
        "seconds": round(outcome.seconds, 1),
    }


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
    parser.add_argument("--also", nargs="*", default=[])
    options: Any = parser.parse_args(arguments)
    ours = options.seed == SEED
    stored = _stored() if ours else {}
    mutants = [mutant for mutant in sample(ROOT, options.seed) if mutant.room in options.rooms]
    if options.survivors:
        mutants = [m for m in mutants if stored.get(m.id, {"outcome": "survived"})["outcome"] == "survived"]
    if options.untried:
        mutants = [m for m in mutants if m.id not in stored]
    commit = _commit()
    also = tuple(options.also)
    for row in run(mutants, options.workers, options.budget, also, known_only=options.known_tests):
        stored[row["id"]] = row | {"commit": commit}
        if ours:
            _store(stored, options.budget)
    rows = list(stored.values())
    if ours:
        write_page(RESULTS)
    missed = False
    for score in scores(rows, YAML(typ="safe").load(EQUIVALENTS)):
        sys.stdout.write(f"{score.line}\n")
        missed |= score.missed or score.untried > 0
    return int(missed)


def run(
    mutants: list[Mutant], workers: int, budget: float, also: tuple[str, ...] = (), *, known_only: bool
) -> Iterator[dict[str, Any]]:
    """Try the mutants in copies of the tree, and once more the tests that killed them, without any mutant."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies = copies_of(ROOT, Path(folder).resolve(), workers)
        reach = find_reach(ROOT, copies, REACH, known_only=known_only)
        found = {mutant.id: tests_for(mutant, reach, budget, also) for mutant in mutants}
        for mutant, outcome in _outcomes(copies, [_job(mutant, found[mutant.id][0], reach) for mutant in mutants]):
            row = row_of(mutant, outcome, len(found[mutant.id][0]), found[mutant.id][1])
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


def _job(mutant: Mutant, tests: list[str], reach: dict[str, Reach]) -> Job:
    seconds = sum(found.seconds[test] for found in reach.values() for test in tests if test in found.seconds)
    return Job(mutant, tuple(tests), GRACE + SLOWER * seconds)


def _outcomes(copies: list[Path], jobs: list[Job]) -> Iterator[tuple[Mutant, Outcome]]:
    """Those without tests at once, those inside functions in sessions, and the others in a process each."""
    yield from ((job.mutant, Outcome(0, {}, [], "", 0.0)) for job in jobs if not job.tests)
    jobs = [job for job in jobs if job.tests]
    inside = [
        job
        for job in jobs
        if changed_code(job.mutant, (ROOT / job.mutant.path).read_bytes(), "") is not None
        and not any(test.startswith(THREADED) for test in job.tests)
    ]
    yield from sessions(ROOT, copies, inside)
    others = [job for job in jobs if job not in inside]
    for job, outcome in each(copies, others, lambda copy, job: tried(ROOT, copy, job)):
        yield job.mutant, outcome


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
