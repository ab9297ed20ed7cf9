"""Records beside the files that they were imported from: imported once more, they must be the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from equipoise.errors import DataError, IntegrityError, Problem
from equipoise.records.allocation import Allocation
from equipoise.records.importing.apply import import_files
from equipoise.records.importing.map import LoadedMap, find_map, load_map
from equipoise.records.records import Records
from equipoise.verbs.importing import digests, folder_of
from equipoise.verbs.provenance import NAME, read_steps
from equipoise.verbs.recomputed import differs

MAP = "import map"


def check_inputs(folder: Path, files: Path, records: Records, arms: Allocation | None) -> None:
    """Import the files again by the map that provenance names, and compare; arms where the folder holds them.

    Raises DataError where the folder was not imported or its map is not there, IntegrityError where a file is not the
    one that was read, or gives other records.
    """
    step = _importing(folder)
    mapping = _map(folder, step, records.protocol.id)
    found = digests(mapping, folder_of(files))
    for name, digest in found.items():
        if step["inputs"].get(name) != digest:
            message = f"it has the digest {digest}, and {step['inputs'].get(name, 'none')} was imported"
            problem = Problem(str(files / name), None, "", "input-same", message, "Find the file that was imported.")
            raise IntegrityError(f"{name} is not what was imported", [problem])
    again = import_files(records.made_under or records.protocol, mapping, folder_of(files))
    if again.records.digest != records.digest:
        message = f"the files in {files} give records with the digest {again.records.digest}, not {records.digest}"
        raise differs(folder / "records", message)
    if arms is not None and (again.allocation is None or again.allocation.digest != arms.digest):
        raise differs(folder / "allocation.csv", f"the files in {files} give other arms")


def _importing(folder: Path) -> dict[str, Any]:
    """The step that read files by a map."""
    found = [step for step in read_steps(folder) if MAP in step["inputs"]]
    if not found:
        message = "no step has imported files"
        problem = Problem(str(folder / NAME), None, "", "step-imports", message, "Leave --inputs out.")
        raise DataError(f"{folder} was not imported", [problem])
    return found[0]


def _map(folder: Path, step: dict[str, Any], protocol: str) -> LoadedMap:
    """The map that the command named, else the one shipped with the protocol; its digest is compared with the rest."""
    command = list(step["command"])
    given = Path(command[command.index("--map") + 1]) if "--map" in command[:-1] else None
    if given is not None and not given.is_file():
        message = f"the files were imported by the map {given}, which is not there"
        problem = Problem(str(given), None, "", "map-exists", message, "Run the command where the map can be found.")
        raise DataError(f"{folder} cannot be imported again", [problem])
    return load_map(find_map(protocol, given))
