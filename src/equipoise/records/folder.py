"""Records as a folder of Parquet files with a manifest, read back to the same digest.

The manifest of `equipoise/records/2` holds the digest of each part and the digest over them; that of a masked copy
names what the copy lacks, and holds digests only of what it has. A folder of `equipoise/records/1` is read and verified
by its own rule, and is written as one again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import polars as pl

from equipoise.errors import DataError, InputError, IntegrityError, Problem
from equipoise.protocol.amendment import chain_of, earlier_versions
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.classes import BY_NAME, CLASSES
from equipoise.records.records import VERSIONS, Records

MANIFEST = "records.json"
EARLIER = "earlier"
SCHEMAS = {f"equipoise/records/{version}": version for version in VERSIONS}


Writer = Callable[[str, Callable[[IO[bytes]], object]], object]
"""Writes a file: its name, and a function that is handed a binary stream."""


def write_records(records: Records, write: Writer) -> None:
    """Write one Parquet file a table, and records.json, through `write`, in the version that the records have."""
    for name, table in records.tables.items():
        write(f"{name}.parquet", _parquet(table.select(BY_NAME[name].columns_of(records.version))))
    text = json.dumps(_described(records), indent=2, sort_keys=True) + "\n"
    write(MANIFEST, lambda stream: stream.write(text.encode()))


def _described(records: Records) -> dict[str, Any]:
    manifest = {
        "schema": f"equipoise/records/{records.version}",
        "protocol": {"id": records.protocol.id, "digest": records.under},
        "digest": records.digest,
        "rows": {name: table.height for name, table in records.tables.items()},
    }
    if records.version > 1:
        manifest |= {"parts": dict(records.parts), "collected": list(records.collected)}
    return manifest | ({"lacks": list(records.lacks)} if records.lacks else {})


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
    manifest's digests say.
    """
    manifest = _manifest(folder)
    version = SCHEMAS[manifest["schema"]]
    tables = {item.name: _table(folder / f"{item.name}.parquet") for item in CLASSES}
    if manifest["protocol"]["id"] != protocol.id:
        message = f"the records follow the protocol {manifest['protocol']['id']!r}, not {protocol.id!r}"
        remedy = "Analyse them with their own protocol."
        raise DataError(
            "these records belong to another protocol",
            [_problem(folder / MANIFEST, "records-protocol", message, remedy)],
        )
    under = manifest["protocol"].get("digest", protocol.digest)  # those of version 1 need not say it
    beside = () if protocol.authored.amends is None else _documents_beside(folder.parent)
    earlier = earlier_versions(protocol, beside)
    _under_this_protocol(folder, under, protocol, earlier)
    if version == 1:
        _only_columns_of_version_1(folder, tables)
    records = Records.of(
        protocol,
        tables,
        collected=manifest.get("collected", ()),
        lacks=manifest.get("lacks", ()),
        version=version,
        under=under,
        earlier=earlier,
    )
    if records.digest != manifest["digest"]:
        message = f"the tables have the digest {records.digest}, the manifest says {manifest['digest']}"
        raise _changed(folder, message)
    if version > 1 and dict(records.parts) != manifest["parts"]:
        names = sorted(set(records.parts.items()) ^ set(manifest["parts"].items()))
        raise _changed(folder, f"the manifest has other digests of parts: {', '.join(dict(names))}")
    return records


def earlier_folder(number: int) -> str:
    """Where a trial's folder keeps the document of an earlier version of its protocol; the oldest is 1."""
    return f"{EARLIER}/{number}/"


def _documents_beside(folder: Path) -> Iterator[Protocol]:
    """The protocols beside records that can be read; their digests, not their places, say which versions they are."""
    for path in (folder / "protocol.yaml", *sorted((folder / EARLIER).glob("*/protocol.yaml"))):
        if path.is_file():
            try:
                yield load_protocol(path)
            except InputError:
                continue


def _under_this_protocol(folder: Path, digest: str, protocol: Protocol, earlier: tuple[Protocol, ...]) -> None:
    """The records were made under the protocol that is given, or under one that it amends."""
    if digest in chain_of(protocol, earlier):
        return
    message = f"the records were made under the protocol {digest}, and the one given is {protocol.digest}"
    own = folder.parent / "protocol.yaml"
    beside = f"Analyse them with {own}" if own.is_file() else "Analyse them with the protocol that they were made under"
    remedy = f"{beside}; in an amendment write `amends: {digest}` (with --set: protocol.amends={digest})."
    problem = _problem(folder / MANIFEST, "records-amended", message, remedy)
    raise DataError("these records were made under another protocol", [problem])


def _changed(folder: Path, message: str) -> IntegrityError:
    remedy = "Restore the folder from its source; do not edit the tables by hand."
    problem = _problem(folder / MANIFEST, "records-digest", message, remedy)
    return IntegrityError("the records were changed", [problem])


def _only_columns_of_version_1(folder: Path, tables: dict[str, pl.DataFrame]) -> None:
    """A column that this version does not have is not covered by its digest."""
    problems = [
        _problem(
            folder / f"{name}.parquet",
            "column-unknown",
            f"records of version 1 have no column {column!r}",
            "Remove it, or import the data again: records of version 2 hold it.",
        )
        for name, table in tables.items()
        for column in table.columns
        if column in BY_NAME[name].schema and column not in BY_NAME[name].columns_of(1)
    ]
    if problems:
        raise DataError("the records do not have the columns that they must have", problems)


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["schema"] not in SCHEMAS:
            raise KeyError(f"schema {manifest['schema']}")
        _ = manifest["protocol"]["id"], manifest["digest"]
        if SCHEMAS[manifest["schema"]] > 1:
            _ = manifest["parts"].items(), [str(name) for name in manifest["collected"]]
            _ = [str(name) for name in manifest.get("lacks", ())]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
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
