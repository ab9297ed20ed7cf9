"""Datasets in the formats of others -> Records, through the one reader of SDTM: nothing is believed unchecked."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import polars as pl

from equipoise.errors import DataError, Problem
from equipoise.protocol.model import Protocol
from equipoise.records.records import Records
from equipoise.records.sdtm import read_sdtm
from equipoise.records.standards.found import SUFFIXES, files_of_datasets, read_files
from equipoise.records.standards.metadata import SUPPLIED_NAMES

_OURS = {theirs: ours for ours, theirs in SUPPLIED_NAMES.items()}
_TABULATION = re.compile("(supp)?[a-z]{2}")
"""The names of datasets of subjects and of the design."""


def kind_in(folder: Path) -> str | None:
    """The suffix of the SDTM datasets in a folder, None where there are none; raises DataError where there are two."""
    if not folder.is_dir():
        return None
    stems = {suffix: {path.stem.lower() for path in files_of_datasets(folder, suffix)} for suffix in SUFFIXES}
    kinds = [suffix for suffix in SUFFIXES if "dm" in stems[suffix]]
    if not kinds:
        return None
    others = [name for name in SUFFIXES if any(map(_TABULATION.fullmatch, stems[name])) and name not in kinds]
    if len(kinds) + len(others) > 1:
        message = f"datasets lie here as {' and as '.join((*kinds, *others))}"
        remedy = "Give a folder with the datasets of one trial in one format."
        problem = Problem(str(folder), None, "", "file-exists", message, remedy)
        raise DataError(f"cannot read SDTM datasets from {folder}", [problem])
    return kinds[0]


def read_datasets(folder: Path, protocol: Protocol) -> Records:
    """Records from a folder of SDTM datasets, in whichever format they are.

    Raises DataError with every problem, SurroundingsError where transport files need the extra `standards`.
    """
    kind = kind_in(folder)
    if kind in ("csv", "parquet", None):
        return read_sdtm(folder, protocol)
    return records_from_dataset_json(folder, protocol, str(kind))


def records_from_frames(frames: dict[str, pl.DataFrame], protocol: Protocol) -> Records:
    """Records from SDTM datasets by name (any case); raises DataError as `read_sdtm` does, placed by row."""
    with tempfile.TemporaryDirectory() as folder:
        for name, frame in frames.items():
            given = frame.rename(_OURS, strict=False) if name.upper() == "SUPPLIED" else frame
            given.write_parquet(Path(folder) / f"{name.lower()}.parquet")
        return read_sdtm(Path(folder), protocol)


def records_from_dataset_json(folder: Path, protocol: Protocol, suffix: str = "json") -> Records:
    """Records from a folder of Dataset-JSON files (``dm.json``, …), equal to those that were written.

    Files of analysis datasets may lie beside them. Raises DataError with every problem of every file.
    """
    return records_from_frames(read_files(folder, _tabulations(folder, suffix)).frames, protocol)


def records_from_xpt(folder: Path, protocol: Protocol) -> Records:
    """Records from a folder of SAS transport files; empty texts, which the format does not have, are missing.

    Raises DataError as `records_from_dataset_json`.
    """
    return records_from_dataset_json(folder, protocol, "xpt")


def _tabulations(folder: Path, suffix: str) -> list[Path]:
    """All but analysis datasets, whose names begin with AD and go on."""
    return [path for path in files_of_datasets(folder, suffix) if not is_analysis(path.stem)]


def is_analysis(name: str) -> bool:
    """Whether a dataset of this name is one of analysis."""
    return name.lower().startswith("ad") and len(name) > 2
