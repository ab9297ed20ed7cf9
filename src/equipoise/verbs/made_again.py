"""Plans and exports that are in a trial's folder, made again from its protocol and records: the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from equipoise.records.records import Records
from equipoise.records.standards.described import sdtm_tables
from equipoise.records.standards.usdm import usdm_bytes
from equipoise.report.build import FORMATS
from equipoise.verbs.exporting import KINDS, USDM_FILE, Kind, exported_files
from equipoise.verbs.masking import masked_for, role_view
from equipoise.verbs.planning import PLAN, plan_files
from equipoise.verbs.provenance import read_steps
from equipoise.verbs.recomputed import differs

_KINDS: Mapping[str, Kind] = {kind: kind for kind in KINDS}


def check_documents(folder: Path, records: Records) -> None:
    """Every plan, study definition and export in the folder is what the protocol that its step names gives.

    Raises IntegrityError with the first file that is not.
    """
    versions = {version.digest: version for version in (*records.earlier, records.protocol)}
    for step in read_steps(folder):
        protocol = versions.get(step["inputs"].get("protocol", ""))
        if protocol is None:  # of another trial's files only the bytes are compared; `check_steps` has said so
            continue
        if step["verb"] == "sap":
            _same(folder, step["outputs"], plan_files(protocol, _formats(step["outputs"])))
        elif step["verb"] == "export" and USDM_FILE in step["outputs"]:
            _same(folder, step["outputs"], {USDM_FILE: usdm_bytes(protocol)})
        elif step["verb"] == "export" and protocol is records.protocol:
            _same_export(folder, step, records)


def _formats(outputs: Iterable[str]) -> tuple[Any, ...]:
    """The formats of a plan that can be made here; of one that cannot only the bytes are compared."""
    makeable = (kind for kind in FORMATS if kind == "html" or find_spec("typst") is not None)
    return tuple(kind for kind in makeable if f"{PLAN}.{kind}" in outputs)


def _same_export(folder: Path, step: Mapping[str, Any], records: Records) -> None:
    kind = _KINDS.get(_option(step["command"], "--kind") or "")
    if kind is None:  # `export DIR --view`: a copy of records, which are read themselves
        return
    seen = masked_for(records, role_view(records.protocol, _option(step["command"], "--view")))
    _same(folder, step["outputs"], exported_files(records.protocol, sdtm_tables(seen), (), kind))


def _option(command: Sequence[str], name: str) -> str | None:
    """The value of an option in a command, as provenance keeps it."""
    return command[command.index(name) + 1] if name in command[:-1] else None


def _same(folder: Path, outputs: Mapping[str, str], made: Mapping[str, bytes]) -> None:
    for name, content in made.items():
        if name in outputs and (folder / name).read_bytes() != content:
            raise differs(folder / name, "the file is not what the protocol and the records give")
