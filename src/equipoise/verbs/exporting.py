"""`equipoise export`: the records of a folder become SDTM datasets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from equipoise.protocol.load import load_protocol
from equipoise.records.folder import find_records, read_records
from equipoise.records.sdtm import write_sdtm
from equipoise.verbs.folder import OutputFolder
from equipoise.verbs.provenance import record_step


@dataclass(frozen=True, slots=True)
class Exported:
    """Where an export went, and the names of its files."""

    folder: Path
    files: tuple[str, ...]


def export(
    protocol: str | Path, records: str | Path, output: str | Path, *, kind: Literal["parquet", "csv"] = "csv"
) -> Exported:
    """Write the records in a folder as SDTM datasets, one file each; arms are not in them.

    Raises InputError (protocol), DataError (records, or a protocol that SDTM cannot hold), IntegrityError (changed).
    """
    loaded = load_protocol(protocol)
    found = read_records(find_records(Path(records)), loaded)
    target = OutputFolder(Path(output))
    write_sdtm(found, target.write_with, kind)
    names = tuple(sorted(target.written))
    command = ["equipoise", "export", str(protocol), str(records), "--kind", kind, "-o", str(output)]
    record_step(target, "export", command, {"protocol": loaded.digest, "records": found.digest})
    return Exported(target.path, names)
