"""Records as a folder of Parquet files with a manifest, read back to the same digest."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import IO

import polars as pl

from equipoise.errors import DataError, IntegrityError, Problem
from equipoise.protocol.model import Protocol
from equipoise.records.classes import CLASSES
from equipoise.records.records import Records

MANIFEST = "records.json"
SCHEMA = "equipoise/records/1"


Writer = Callable[[str, Callable[[IO[bytes]], object]], object]
"""Writes a file: its name, and a function that is handed a binary stream."""


def write_records(records: Records, write: Writer) -> None:
    """Write one Parquet file a table, and records.json, through `write`."""
    for name, table in records.tables.items():
        write(f"{name}.parquet", _parquet(table))
    manifest = {
        "schema": SCHEMA,
        "protocol": {"id": records.protocol.id, "digest": records.protocol.digest},
        "digest": records.digest,
        "rows": {name: table.height for name, table in records.tables.items()},
    }
    text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
    write(MANIFEST, lambda stream: stream.write(text.encode()))


def _parquet(table: pl.DataFrame) -> Callable[[IO[bytes]], object]:
    return lambda stream: table.write_parquet(stream, compression="zstd", statistics=False)


def find_records(path: Path) -> Path:
    """The records folder given by itself or by the folder that holds it as ``records``.

    Raises DataError where there is neither.
    """
    for folder in (path, path / "records"):
        if (folder / MANIFEST).is_file():
            return folder
    remedy = f"Give a folder with {MANIFEST}, or the folder that holds it as records/."
    problem = Problem(str(path), None, "", "records-exist", "there are no records here", remedy)
    raise DataError(f"cannot find records in {path}", [problem])


def read_records(folder: Path, protocol: Protocol) -> Records:
    """Read the records in `folder` and check them against `protocol`.

    Raises DataError where they cannot be read or do not fit, IntegrityError where their content is not what the
    manifest's digest says.
    """
    manifest = _manifest(folder)
    tables = {item.name: _table(folder / f"{item.name}.parquet") for item in CLASSES}
    if manifest["protocol"]["id"] != protocol.id:
        message = f"the records follow the protocol {manifest['protocol']['id']!r}, not {protocol.id!r}"
        remedy = "Analyse them with their own protocol."
        raise DataError(
            "these records belong to another protocol",
            [_problem(folder / MANIFEST, "records-protocol", message, remedy)],
        )
    records = Records.of(protocol, tables)
    if records.digest != manifest["digest"]:
        message = f"the tables have the digest {records.digest}, the manifest says {manifest['digest']}"
        remedy = "Restore the folder from its source; do not edit the tables by hand."
        raise IntegrityError(
            "the records were changed", [_problem(folder / MANIFEST, "records-digest", message, remedy)]
        )
    return records


def _manifest(folder: Path) -> dict[str, dict[str, str]]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["schema"] != SCHEMA:
            raise KeyError(f"schema {manifest['schema']}")
        _ = manifest["protocol"]["id"], manifest["digest"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = _problem(path, "records-manifest", f"the manifest cannot be read: {error}", "Import the data again.")
        raise DataError(f"cannot read the records in {folder}", [problem]) from None
    return manifest


def _table(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        problem = _problem(path, "records-table", f"the table cannot be read: {error}", "Import the data again.")
        raise DataError(f"cannot read {path}", [problem]) from None


def _problem(path: Path, rule: str, message: str, remedy: str) -> Problem:
    return Problem(str(path), None, "", rule, message, remedy)
