"""The datasets of a folder, whoever wrote them, in all formats; what was read, and what was not and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from equipoise.errors import DataError, Problem
from equipoise.records.sdtm.files import LINE, read_sheet
from equipoise.records.standards.dataset_json_reading import is_dataset_json, read_with_notes
from equipoise.records.standards.transport import read_transport

SUFFIXES = ("parquet", "csv", "json", "ndjson", "dsjc", "xpt")
"""Of files that may hold datasets; where two hold one of the same name, the format of more files is read, then this
order."""
_OURS = ("provenance.json", "variables.json", "results.json", "records.json")
_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,31}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FileRead:
    """A dataset that was read: its name in capitals, the file, how many rows, and what its reader should know."""

    dataset: str
    file: str
    rows: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileLeft:
    """A file or folder that was not read, and why."""

    file: str
    why: str


@dataclass(frozen=True, slots=True)
class DatasetsFound:
    """The datasets of a folder by name, in capitals; what was read and what was not."""

    frames: dict[str, pl.DataFrame]
    read: tuple[FileRead, ...]
    left: tuple[FileLeft, ...]


@dataclass(frozen=True, slots=True)
class _Opened:
    """A dataset of a file: the name that it has inside, empty where the format has none."""

    path: Path
    inside: str
    frame: pl.DataFrame
    notes: tuple[str, ...] = ()

    def named(self, counts: Counter[str]) -> str:
        """The name inside where no other file has it inside too, else that of the file."""
        stem, inside = self.path.stem.upper(), self.inside.upper()
        return inside if inside and counts[inside] == 1 else stem


def datasets_in(folder: Path) -> DatasetsFound:
    """Every dataset in a folder, of all formats together.

    Raises DataError with every file that cannot be read, or where there is none; SurroundingsError where transport
    files need the extra `standards`.
    """
    if not folder.is_dir():
        problem = Problem(str(folder), None, "", "folder-exists", "there is no such folder", "Correct its name.")
        raise DataError(f"there are no datasets in {folder}", [problem])
    paths, left = _chosen(folder)
    return read_files(folder, paths, left)


def read_files(folder: Path, paths: Iterable[Path], left: Iterable[FileLeft] = ()) -> DatasetsFound:
    """The datasets of these files of a folder; raises as `datasets_in` does."""
    opened: list[_Opened] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            opened += _READERS[suffix_of(path)](path)
        except DataError as error:
            problems += error.problems
    if not opened and not problems:
        message = f"no dataset is here, in a file that ends in {', '.join(f'.{name}' for name in SUFFIXES)}"
        problems = [Problem(str(folder), None, "", "file-exists", message, "Give a folder with datasets.")]
    if problems:
        raise DataError(f"the datasets in {folder} cannot be read", problems)
    return _named(opened, list(left))


def suffix_of(path: Path) -> str:
    """The suffix of a file in small letters, without its dot: DM.XPT is a transport file."""
    return path.suffix.lower().removeprefix(".")


def files_of_datasets(folder: Path, suffix: str) -> list[Path]:
    """The files of one format, however their names are spelt, without equipoise's own that hold no dataset."""
    paths = (path for path in sorted(folder.iterdir()) if path.is_file() and path.name not in _OURS)
    return [path for path in paths if suffix_of(path) == suffix]


def _chosen(folder: Path) -> tuple[list[Path], list[FileLeft]]:
    """The files to read, and those that are left."""
    chosen: dict[str, Path] = {}
    left = [FileLeft(f"{path.name}/", "a folder") for path in sorted(folder.iterdir()) if path.is_dir()]
    found = [path for suffix in SUFFIXES for path in files_of_datasets(folder, suffix)]
    count = Counter(map(suffix_of, found))
    for path in sorted(found, key=lambda path: (-count[suffix_of(path)], SUFFIXES.index(suffix_of(path)), path.name)):
        other = chosen.get(path.stem.upper())
        if other is not None:
            left.append(FileLeft(path.name, f"{path.stem.upper()} is read from {other.name}"))
        elif is_dataset_json(path):
            chosen[path.stem.upper()] = path
        else:
            left.append(FileLeft(path.name, "no Dataset-JSON"))
    others = (path.name for path in folder.iterdir() if path.is_file() and path not in found)
    left += [FileLeft(name, "a file of equipoise" if name in _OURS else "no format of datasets") for name in others]
    return sorted(chosen.values()), left


def _named(opened: list[_Opened], left: list[FileLeft]) -> DatasetsFound:
    """Each dataset under its name: that inside the file, but where two have the same inside, that of the file."""
    counts = Counter(one.inside.upper() for one in opened)
    frames: dict[str, pl.DataFrame] = {}
    read: list[FileRead] = []
    for one in sorted(opened, key=lambda one: (one.named(counts) != one.path.stem.upper(), one.path.name)):
        name, within = one.named(counts), one.inside.upper()
        if name in frames:
            file = next(file.file for file in read if file.dataset == name)
            left.append(FileLeft(one.path.name, f"{name} is read from {file}"))
            continue
        frames[name] = one.frame
        notes = (*one.notes, *_other_name(one, name, within))
        read.append(FileRead(name, one.path.name, one.frame.height, notes))
    ordered = tuple(sorted(read, key=lambda file: (file.file, file.dataset)))
    return DatasetsFound(dict(sorted(frames.items())), ordered, tuple(sorted(left, key=lambda file: file.file)))


def _other_name(one: _Opened, name: str, within: str) -> Iterator[str]:
    if within and within != one.path.stem.upper():
        yield f"the dataset is called {within} in the file, and is checked as {name}"
    if not _NAME.fullmatch(name):
        yield f"{name!r} is no name of a dataset"


def _sheet(path: Path) -> list[_Opened]:
    sheet, problems = read_sheet(path)
    if sheet is None:
        raise DataError(f"{path} cannot be read", problems)
    return [_Opened(path, "", sheet.frame.drop(LINE))]


def _json(path: Path) -> list[_Opened]:
    table, notes = read_with_notes(path)
    return [_Opened(path, table.name, table.frame, notes)]


def _members(path: Path) -> list[_Opened]:
    return [_Opened(path, member.name, member.frame, member.notes) for member in read_transport(path)]


_READERS: dict[str, Callable[[Path], list[_Opened]]] = {
    "parquet": _sheet,
    "csv": _sheet,
    "json": _json,
    "ndjson": _json,
    "dsjc": _json,
    "xpt": _members,
}
