"""What is stored of an analysis beside what its records give again: numbers, rows and texts, to a tolerance."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from equipoise.analysis.datasets import Dataset
from equipoise.errors import IntegrityError, Problem
from equipoise.verbs.analysing import ADAM, VARIABLES, described_variables
from equipoise.verbs.recorded_files import files_in

RELATIVE_TOLERANCE = 1e-9
"""How far a recomputed number may lie from the stored one: other processors round sums in another order."""


def differs(path: Path, difference: str) -> IntegrityError:
    """The error that says what a file holds and what its records give."""
    remedy = "Trust the recomputed value; find out who changed the file or the software."
    problem = Problem(str(path), None, "", "recomputed", difference, remedy)
    return IntegrityError("the records do not give what is stored", [problem])


def first_difference(stored: Any, recomputed: Any, path: str) -> str | None:
    """The first place where two trees of JSON data differ, numbers to a relative tolerance; None where none does."""
    if isinstance(stored, dict) and isinstance(recomputed, dict):
        for key in [*stored, *(key for key in recomputed if key not in stored)]:
            if key not in stored or key not in recomputed:
                return f"{path}.{key} is {'not stored' if key not in stored else 'stored but not recomputed'}"
            found = first_difference(stored[key], recomputed[key], f"{path}.{key}")
            if found is not None:
                return found
        return None
    if isinstance(stored, list) and isinstance(recomputed, list):
        if len(stored) != len(recomputed):
            return f"{path} has {len(stored)} items, recomputed {len(recomputed)}"
        for index, (ours, theirs) in enumerate(zip(stored, recomputed, strict=True)):
            name = ours.get("id", index) if isinstance(ours, dict) else index
            found = first_difference(ours, theirs, f"{path}[{name}]")
            if found is not None:
                return found
        return None
    return None if _equal(stored, recomputed) else f"{path} is stored as {stored!r}, recomputed {recomputed!r}"


def _equal(stored: Any, recomputed: Any) -> bool:
    if isinstance(stored, float) and isinstance(recomputed, float):
        return math.isclose(stored, recomputed, rel_tol=RELATIVE_TOLERANCE, abs_tol=1e-12)
    return type(stored) is type(recomputed) and stored == recomputed


def same_table(path: Path, recomputed: pl.DataFrame) -> None:
    """A Parquet file has the rows and columns that are given; raises IntegrityError with the first difference."""
    try:
        stored = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise differs(path, f"the dataset cannot be read: {error}") from None
    if stored.schema != recomputed.schema or stored.height != recomputed.height:
        raise differs(path, f"the dataset has {stored.height} rows, recomputed {recomputed.height}, or other columns")
    for name in stored.columns:
        rows = list(zip(stored[name].to_list(), recomputed[name].to_list(), strict=True))
        for number, (ours, theirs) in enumerate(rows, 1):
            if not _equal(ours, theirs):
                raise differs(path, f"{name} in row {number} is stored as {ours!r}, recomputed {theirs!r}")


def same_datasets(folder: Path, datasets: tuple[Dataset, ...]) -> None:
    """Both files of each dataset, what describes their variables, and no other file beside them."""
    _no_other(folder, [f"{dataset.name}.{kind}" for dataset in datasets for kind in ("parquet", "csv")])
    for dataset in datasets:
        same_table(folder / "adam" / f"{dataset.name}.parquet", dataset.table)
        _same_text(folder / "adam" / f"{dataset.name}.csv", dataset.table)
    path = folder / VARIABLES
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise differs(path, f"the description of variables cannot be read: {error}") from None
    difference = first_difference(stored, described_variables(datasets), "variables")
    if difference is not None:
        raise differs(path, difference)


def _no_other(folder: Path, names: Sequence[str]) -> None:
    for name, path in files_in(folder / ADAM).items():
        if name not in (*names, Path(VARIABLES).name):
            raise differs(path, "the analysis gives no dataset of this name")


def _same_text(path: Path, recomputed: pl.DataFrame) -> None:
    """A CSV file has the bytes that the table gives; where another processor gave other last digits, the same cells."""
    try:
        stored, again = path.read_bytes(), recomputed.write_csv().encode()
    except OSError as error:
        raise differs(path, f"the dataset cannot be read: {error}") from None
    if stored == again:
        return
    rows = [list(csv.reader(content.decode("utf-8", "replace").splitlines())) for content in (stored, again)]
    if len(rows[0]) != len(rows[1]):
        raise differs(path, f"the file has {len(rows[0])} lines, recomputed {len(rows[1])}")
    for number, (ours, theirs) in enumerate(zip(*rows, strict=True), 1):
        for name, mine, other in itertools.zip_longest(rows[1][0], ours, theirs, fillvalue=""):
            if mine != other and not _equal(_number(mine), _number(other)):
                raise differs(path, f"{name} in line {number} is stored as {mine!r}, recomputed {other!r}")


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
