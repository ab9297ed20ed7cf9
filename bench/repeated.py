"""Repeated measures: the reference data by formula, small trials, and many people."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

import equipoise
from bench.clock import Row, largest_memory, peer, warm
from equipoise.stats.mmrm import contrast, fit_mmrm

SHARED = Path(__file__).parents[2] / "shared" / "data" / "reference"
FORMULA = "FEV1 ~ RACE + SEX + ARMCD * AVISIT + us(AVISIT | USUBJID)"
GLS = "nlme::gls (estimates alone, no small-sample inference)"
SEED = 20_261_001
Case = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def rows() -> Iterator[Row]:
    """Every row of this subject; those that need ../shared only where it lies there."""
    if SHARED.is_dir():
        yield from reference()
        yield from small()
    yield from many(1000, 0.15)
    yield from many(10_000, 0.3)


def reference() -> Iterator[Row]:
    """From the data frame to the table of coefficients."""
    frame = pl.read_csv(SHARED / "fev_data.csv", null_values="NA")
    seconds, word = peer("fev", str(SHARED / "fev_data.csv"))
    for method in ("satterthwaite", "kenward-roger", "kenward-roger-linear"):
        run = partial(equipoise.mmrm, FORMULA, frame, method=method)
        ours, repeats = warm(lambda run=run: run().coefficients)
        what = f"197 people x 4 visits, 11 coefficients, frame to inference, {method}"
        yield Row(f"fev-{method}", what, ours, repeats, 0.02, GLS, seconds, word)


def small() -> Iterator[Row]:
    """The twenty reference trials of 21 people, those that have a maximum."""
    with (SHARED / "small_trials.csv").open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    cases = [case for case in map(partial(_trial, lines), range(1, 21)) if fit_mmrm(*case).message == "ok"]
    seconds, word = peer("small", str(SHARED / "small_trials.csv"))

    def run() -> None:
        for case in cases:
            contrast(fit_mmrm(*case), np.eye(case[1].shape[1])[-1])

    ours, repeats = warm(run)
    what = f"21 people x 6 visits, arrays to inference, kenward-roger-linear, mean of {len(cases)} trials"
    yield Row("small", what, ours / len(cases), repeats, 0.006, GLS, seconds, word)


def _trial(lines: list[dict[str, str]], trial: int) -> Case:
    mine = [line for line in lines if int(line["sim"]) == trial]
    y = np.array([float(line["y"]) if line["y"] not in ("", "NA") else np.nan for line in mine])
    visit = np.array([int(line["visit"][1:]) - 1 for line in mine])
    person = np.unique([line["id"] for line in mine], return_inverse=True)[1]
    arm = np.array([line["arm"] == "MSC" for line in mine], np.float64)
    base = np.array([float(line["base"]) for line in mine])
    here = np.eye(6)[visit]
    return y, np.column_stack([here, here * base[:, None], here * arm[:, None]]), person, visit


def invented(people: int) -> tuple[Case, pl.DataFrame]:
    """People with 10 visits, a tenth of the values missing; 25 coefficients: means by visit and arm, 5 covariates."""
    source = np.random.default_rng([SEED, people])
    visits = 10
    person, visit = np.repeat(np.arange(people), visits), np.tile(np.arange(visits), people)
    arm = (np.arange(people) % 2)[person].astype(np.float64)
    x = source.normal(size=(people, 5))[person]
    root = np.linalg.cholesky(0.5 + 0.5 * np.eye(visits)) * np.linspace(0.8, 1.4, visits)[:, None]
    y = (source.normal(size=(people, visits)) @ root.T).ravel() + 0.3 * arm + 0.2 * x[:, 0]
    y[source.random(len(y)) < 0.1] = np.nan
    here = np.eye(visits)[visit]
    design = np.column_stack([here, here * arm[:, None], x])
    frame = pl.DataFrame({"y": y, "id": person, "visit": visit + 1, "arm": arm}).with_columns(
        *(pl.Series(f"x{j + 1}", x[:, j]) for j in range(5))
    )
    return (y, design, person, visit), frame.with_columns(pl.col("y").fill_nan(None))


def many(people: int, target: float) -> Iterator[Row]:
    """Arrays to the inference of every coefficient, by both methods; memory once."""
    case, frame = invented(people)
    seconds, word = None, "not tried: it would take hours"
    if people == 1000:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "many.csv"
            frame.write_csv(path, null_value="NA")
            seconds, word = peer("many", str(path))
    every = np.eye(case[1].shape[1])
    for method in ("satterthwaite", "kenward-roger"):
        ours, repeats = warm(lambda method=method: contrast(fit_mmrm(*case), every, method=method))
        what = f"{people} people x 10 visits, 25 coefficients, arrays to inference, {method}"
        yield Row(f"people-{people}-{method}", what, ours, repeats, target, GLS, seconds, word)
    if people > 1000:
        yield Row("memory", "memory of the whole process after that", largest_memory(), 1, 500, unit="MB")
