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
from equipoise.records.standards.dataset_json import read_dataset_json
from equipoise.records.standards.metadata import SUPPLIED_NAMES
from equipoise.records.standards.xpt import read_xpt

_OURS = {theirs: ours for ours, theirs in SUPPLIED_NAMES.items()}


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
    frames = _read(folder, "json", lambda path: read_dataset_json(path).frame)
    return records_from_frames(frames, protocol)


def records_from_xpt(folder: Path, protocol: Protocol) -> Records:
    """Records from a folder of SAS transport files; empty texts, which the format does not have, are missing.

    Raises DataError as `records_from_dataset_json`.
    """
    return records_from_frames(_read(folder, "xpt", read_xpt), protocol)


def _read(folder: Path, suffix: str, read: Callable[[Path], pl.DataFrame]) -> dict[str, pl.DataFrame]:
    frames: dict[str, pl.DataFrame] = {}
    problems: list[Problem] = []
    for path in _tabulations(sorted(folder.glob(f"*.{suffix}"))):
        try:
            frames[path.stem] = read(path)
        except DataError as error:
            problems += error.problems
    if not frames and not problems:
        remedy, message = "Give the folder that the export wrote.", f"no dataset in a file .{suffix} is here"
        problems = [Problem(str(folder), None, "", "file-exists", message, remedy)]
    if problems:
        raise DataError(f"the datasets in {folder} cannot be read", problems)
    return frames


def _tabulations(paths: Iterable[Path]) -> list[Path]:
    """All but analysis datasets, whose names begin with AD and go on."""
    return [path for path in paths if not (path.stem.lower().startswith("ad") and len(path.stem) > 2)]
