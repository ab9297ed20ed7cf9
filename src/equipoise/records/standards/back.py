"""Datasets in the formats of others -> Records, through the one reader of SDTM: nothing is believed unchecked."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import polars as pl

from equipoise.errors import DataError, Problem
from equipoise.protocol.model import Protocol
from equipoise.records.records import Records
from equipoise.records.sdtm import read_sdtm
from equipoise.records.sdtm.files import LINE, read_sheet
from equipoise.records.standards.dataset_json import read_dataset_json
from equipoise.records.standards.metadata import SUPPLIED_NAMES
from equipoise.records.standards.xpt import read_xpt

_OURS = {theirs: ours for ours, theirs in SUPPLIED_NAMES.items()}
SUFFIXES = ("parquet", "csv", "json", "xpt")
_NOT_DATASETS = ("provenance.json", "variables.json", "results.json", "records.json")


def kind_in(folder: Path) -> str | None:
    """The suffix of the SDTM datasets in a folder, None where there are none; raises DataError where there are two."""
    kinds = [suffix for suffix in SUFFIXES if (folder / f"dm.{suffix}").is_file()]
    if len(kinds) > 1:
        message = f"datasets lie here as {' and as '.join(kinds)}"
        remedy = "Give a folder with the datasets of one trial in one format."
        problem = Problem(str(folder), None, "", "file-exists", message, remedy)
        raise DataError(f"cannot read SDTM datasets from {folder}", [problem])
    return kinds[0] if kinds else None


def read_datasets(folder: Path, protocol: Protocol) -> Records:
    """Records from a folder of SDTM datasets, in whichever format they are.

    Raises DataError with every problem, SurroundingsError where transport files need the extra `standards`.
    """
    match kind_in(folder):
        case "json":
            return records_from_dataset_json(folder, protocol)
        case "xpt":
            return records_from_xpt(folder, protocol)
        case _:
            return read_sdtm(folder, protocol)


def records_from_frames(frames: dict[str, pl.DataFrame], protocol: Protocol) -> Records:
    """Records from SDTM datasets by name (any case); raises DataError as `read_sdtm` does, placed by row."""
    with tempfile.TemporaryDirectory() as folder:
        for name, frame in frames.items():
            given = frame.rename(_OURS, strict=False) if name.upper() == "SUPPLIED" else frame
            given.write_parquet(Path(folder) / f"{name.lower()}.parquet")
        return read_sdtm(Path(folder), protocol)


def records_from_dataset_json(folder: Path, protocol: Protocol) -> Records:
    """Records from a folder of Dataset-JSON files (``dm.json``, …), equal to those that were written.

    Files of analysis datasets may lie beside them. Raises DataError with every problem of every file.
    """
    frames = _read(_tabulations(folder, "json"), folder, "json")
    return records_from_frames(frames, protocol)


def records_from_xpt(folder: Path, protocol: Protocol) -> Records:
    """Records from a folder of SAS transport files; empty texts, which the format does not have, are missing.

    Raises DataError as `records_from_dataset_json`.
    """
    return records_from_frames(_read(_tabulations(folder, "xpt"), folder, "xpt"), protocol)


def frames_in(folder: Path) -> dict[str, pl.DataFrame]:
    """Every dataset in a folder by name, whoever wrote it, in the format of most of the files.

    Raises DataError with every file that cannot be read.
    """
    if not folder.is_dir():
        problem = Problem(str(folder), None, "", "folder-exists", "there is no such folder", "Correct its name.")
        raise DataError(f"there are no datasets in {folder}", [problem])
    found = {suffix: _datasets(folder, suffix) for suffix in SUFFIXES}
    suffix = max(found, key=lambda name: len(found[name]))
    return _read(found[suffix], folder, suffix)


def _read(paths: Iterable[Path], folder: Path, suffix: str) -> dict[str, pl.DataFrame]:
    frames: dict[str, pl.DataFrame] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            frames[path.stem] = _READERS[suffix](path)
        except DataError as error:
            problems += error.problems
    if not frames and not problems:
        message = f"no dataset is here, in a file that ends in {', '.join(f'.{name}' for name in SUFFIXES)}"
        remedy = "Give a folder with datasets."
        problems = [Problem(str(folder), None, "", "file-exists", message, remedy)]
    if problems:
        raise DataError(f"the datasets in {folder} cannot be read", problems)
    return frames


def _sheet(path: Path) -> pl.DataFrame:
    sheet, problems = read_sheet(path)
    if sheet is None:
        raise DataError(f"{path} cannot be read", problems)
    return sheet.frame.drop(LINE)


_READERS: dict[str, Callable[[Path], pl.DataFrame]] = {
    "parquet": _sheet,
    "csv": _sheet,
    "json": lambda path: read_dataset_json(path).frame,
    "xpt": read_xpt,
}


def _datasets(folder: Path, suffix: str) -> list[Path]:
    return [path for path in sorted(folder.glob(f"*.{suffix}")) if path.name not in _NOT_DATASETS]


def _tabulations(folder: Path, suffix: str) -> list[Path]:
    """All but analysis datasets, whose names begin with AD and go on."""
    return [path for path in _datasets(folder, suffix) if not is_analysis(path.stem)]


def is_analysis(name: str) -> bool:
    """Whether a dataset of this name is one of analysis."""
    return name.lower().startswith("ad") and len(name) > 2
