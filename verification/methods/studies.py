"""The rows of ``methods`` in bands.yaml, the studies that they name, and the rule by which a run fails."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from math import isfinite
from multiprocessing import get_context
from multiprocessing.pool import Pool
from pathlib import Path

from ruamel.yaml import YAML

from verification.methods.tally import Mean, Share

BANDS = Path(__file__).parents[1] / "bands.yaml"
WORKERS = 2
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Row:
    """What one number of a study may be, and why; a foil, without a band, is only reported."""

    id: str
    study: str
    trials: int
    seed: int
    band: tuple[float, float] | None
    reason: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A row beside what its study counted in so many trials; nothing where the study counts no such thing.

    listed: whether bands.yaml has the row; where it has not, the count was not foreseen.
    """

    row: Row
    trials: int
    counted: Share | Mean | None
    listed: bool = True

    @property
    def ok(self) -> bool:
        """Whether the 99.9 % Monte-Carlo interval and the band have a point in common; of a foil, if it is counted."""
        if self.counted is None or not self.listed:
            return False
        if self.row.band is None:
            return True
        low, high = self.counted.interval
        return low <= self.row.band[1] and high >= self.row.band[0]


@dataclass(frozen=True, slots=True)
class Job:
    """One study as it is run."""

    study: str
    trials: int
    seed: int


def read_rows(path: Path = BANDS) -> tuple[Row, ...]:
    """The rows of ``methods``, in order.

    ValueError: two rows with one id, or rows of one study that differ in seed or trials.
    """
    listed = YAML(typ="safe").load(path.read_text("utf-8"))["methods"]
    rows = tuple(Row(**{**row, "band": row["band"] and tuple(row["band"])}) for row in listed)
    seen: set[tuple[str, str]] = set()
    for row in rows:
        if (row.study, row.id) in seen:
            raise ValueError(f"{row.study}: two rows are called {row.id!r}; give each its own id")
        seen.add((row.study, row.id))
    jobs_of(rows)
    return rows


def jobs_of(rows: Sequence[Row], at_most: int | None = None) -> tuple[Job, ...]:
    """Each study once, in the order of the rows. ValueError: its rows differ in seed or trials."""
    sizes: dict[str, tuple[int, int]] = {}
    for row in rows:
        if sizes.setdefault(row.study, (row.trials, row.seed)) != (row.trials, row.seed):
            raise ValueError(f"{row.study}: {row.id!r} has another seed or number of trials than the rows before it")
    return tuple(
        Job(study, trials if at_most is None else min(at_most, trials), seed) for study, (trials, seed) in sizes.items()
    )


def judged(rows: Sequence[Row], *, at_most: int | None = None, workers: int = WORKERS) -> Iterator[list[Judged]]:
    """Run the studies of the rows side by side, and judge study by study; every study at most ``at_most`` trials.

    What a study counts and no row names is added as a row that fails: a number must not pass unseen.
    ValueError: a study that there is none of.
    """
    jobs = jobs_of(rows, at_most)
    for job in jobs:
        check_known(job.study)
    for job, found in zip(jobs, _counted(jobs, workers), strict=True):
        yield _beside([row for row in rows if row.study == job.study], job, found)


def check_known(study: str) -> None:
    """ValueError: no module of this package is a study of that name."""
    name = f"{__package__}.{study}"
    if not study.isidentifier() or find_spec(name) is None or not hasattr(import_module(name), "run"):
        raise ValueError(f"there is no study {study!r}: verification/methods/{study}.py with a function run is wanted")


def count(job: Job) -> dict[str, Share | Mean]:
    """What a study counts."""
    return import_module(f"{__package__}.{job.study}").run(job.trials, job.seed)


def as_json(item: Judged) -> dict[str, object]:
    """One row of the file."""
    found = item.counted
    return {
        "id": item.row.id,
        "study": item.row.study,
        "kind": type(found).__name__.lower() if found else None,
        "trials": item.trials,
        "seed": item.row.seed,
        "value": _number(found.value) if found else None,
        "interval": [_number(end) for end in found.interval] if found else None,
        "band": item.row.band,
        "refused": found.refused if found else None,
        "ok": item.ok,
        "reason": item.row.reason,
    }


def _counted(jobs: Sequence[Job], workers: int) -> Iterator[dict[str, Share | Mean]]:
    with _pool(workers) as pool:
        yield from pool.imap(count, jobs)


def _pool(workers: int) -> Pool:
    """Processes with one thread of linear algebra each: two that wait for each other cost many times more."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        return get_context("spawn").Pool(workers)
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _beside(rows: Sequence[Row], job: Job, found: dict[str, Share | Mean]) -> list[Judged]:
    named = {row.id for row in rows}
    further = [Row(name, job.study, job.trials, job.seed, None, "no row") for name in found if name not in named]
    listed = [Judged(row, job.trials, found.get(row.id)) for row in rows]
    return listed + [Judged(row, job.trials, found[row.id], listed=False) for row in further]


def _number(value: float) -> float | None:
    """Six digits after the point; nothing instead of NaN, which JSON has no word for."""
    return round(value, 6) if isfinite(value) else None
