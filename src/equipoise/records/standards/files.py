"""Tables -> the files of one format, as bytes by name, all of them or none."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from equipoise.errors import DataError, Problem
from equipoise.records.standards.dataset_json import to_dataset_json
from equipoise.records.standards.define import StudyName, define_xml
from equipoise.records.standards.described import Table
from equipoise.records.standards.xpt import write_xpt, xpt_problems

StandardKind = Literal["xpt", "dataset-json", "define"]
KINDS: tuple[StandardKind, ...] = get_args(StandardKind)
_DESCRIPTIONS = {"SDTM": "define.xml", "ADaM": "define-adam.xml"}


def standard_files(tables: Sequence[Table], study: StudyName, kind: StandardKind) -> dict[str, bytes]:
    """The files: a dataset each (``dm.xpt``, ``dm.json``) and their define.xml; for ``define`` that alone.

    A table that is no standard's has a file and stands in no description.
    Raises DataError with every problem of every table, SurroundingsError without the extra `standards`.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}, not one of {', '.join(KINDS)}")
    suffix = "json" if kind == "dataset-json" else "xpt"
    files: dict[str, bytes] = {}
    if kind == "xpt":
        files = _transport(tables)
    elif kind == "dataset-json":
        files = {f"{table.name.lower()}.json": to_dataset_json(table, study.id).encode() for table in tables}
    for standing, name in _DESCRIPTIONS.items():
        described = [table for table in tables if table.standing == standing]
        if described:
            files[name] = define_xml(described, study, suffix=suffix).encode()
    return files


def _transport(tables: Sequence[Table]) -> dict[str, bytes]:
    problems: list[Problem] = [problem for table in tables for problem in xpt_problems(table)]
    if problems:
        raise DataError("these datasets do not fit SAS transport files of version 5", problems)
    made: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as folder:
        for table in tables:
            path = Path(folder) / f"{table.name.lower()}.xpt"
            write_xpt(table, path)
            made[path.name] = path.read_bytes()
    return made
