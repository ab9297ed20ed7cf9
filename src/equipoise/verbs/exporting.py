"""`equipoise export`: records and analyses become datasets that others read; `equipoise conform` checks anybody's."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, get_args

import polars as pl

from equipoise.errors import DataError, InputError, Problem
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.folder import find_records, read_records
from equipoise.records.sdtm.files import writer_of
from equipoise.records.standards.back import is_analysis
from equipoise.records.standards.conformance import Finding, check_adam, check_sdtm
from equipoise.records.standards.define import StudyName
from equipoise.records.standards.described import Table, analysis_table, sdtm_tables
from equipoise.records.standards.files import standard_files
from equipoise.records.standards.found import FileLeft, FileRead, datasets_in
from equipoise.records.standards.metadata import SUPPLIED_NAMES
from equipoise.records.standards.usdm import usdm_bytes, usdm_objections
from equipoise.records.standards.usdm.checks import Objection
from equipoise.source.digest import digest_of_file
from equipoise.verbs.folder import OutputFolder
from equipoise.verbs.masking import masked_for, refuse_beside_whole, role_view
from equipoise.verbs.provenance import record_step

Kind = Literal["csv", "parquet", "xpt", "dataset-json"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ADAM = "adam"
USDM_FILE = "usdm.json"
_OURS = {theirs: ours for ours, theirs in SUPPLIED_NAMES.items()}


@dataclass(frozen=True, slots=True)
class Exported:
    """Where an export went, the names of its files, and what the conformance checks find in it."""

    folder: Path
    files: tuple[str, ...]
    findings: tuple[Finding, ...]


def export(
    protocol: str | Path,
    records: str | Path,
    output: str | Path,
    *,
    kind: Kind = "csv",
    adam: bool = False,
    role: str | None = None,
) -> Exported:
    """Write the records in a folder as SDTM datasets with the trial's design, one file each; arms are not in them.

    kind: xpt (SAS transport, version 5) and dataset-json (1.1) come with a define.xml (2.1). adam: the analysis
    datasets of the folder too, under adam/, with subjects named as in SDTM; they hold the arms. role: without what is
    hidden from it before database lock; analysis datasets must then have been made for the same role.

    Raises InputError (protocol), DataError (records, a protocol that SDTM cannot hold, values that a format cannot
    hold, no analysis in the folder), IntegrityError (changed), SurroundingsError (the extra `standards` is absent).
    Nothing has been written then.
    """
    loaded = load_protocol(protocol)
    view = role_view(loaded, role)
    refuse_beside_whole(Path(output), view)
    if adam and view is not None:
        refuse_beside_whole(Path(records), view)
    if adam and Path(output).resolve() == Path(records).resolve():
        raise _over_its_own(Path(output))
    found = masked_for(read_records(find_records(Path(records)), loaded), view)
    tables = sdtm_tables(found)
    analysed = _analysis_tables(Path(records), loaded.id) if adam else ()
    files = exported_files(loaded, tables, analysed, kind)
    target = OutputFolder(Path(output))
    for name, data in files.items():
        target.write_bytes(name, data)
    command = ["equipoise", "export", str(protocol), str(records), "--kind", kind, *(["--adam"] if adam else [])]
    command += ["--view", role] if role is not None else []
    inputs = {"protocol": loaded.digest, "records": found.digest}
    if adam:
        inputs["results.json"] = digest_of_file(Path(records) / "results.json")
    record_step(target, "export", [*command, "-o", str(output)], inputs)
    findings = (*check_sdtm(_frames(tables)), *(check_adam(_frames(analysed)) if adam else ()))
    return Exported(target.path, tuple(sorted(files)), findings)


def exported_files(
    protocol: Protocol, tables: tuple[Table, ...], analysed: tuple[Table, ...], kind: Kind
) -> dict[str, bytes]:
    """The files of an export by their names: datasets of the records, and analysis datasets under adam/."""
    study = StudyName(protocol.id, protocol.authored.study.title)
    files = _files(tables, study, kind)
    return files | {f"{ADAM}/{_described(name)}": data for name, data in _files(analysed, study, kind).items()}


def _over_its_own(folder: Path) -> InputError:
    message = "the folder holds the analysis datasets themselves, which name people as the records do"
    problem = Problem(str(folder), None, "", "export-elsewhere", message, "Give another folder with -o.")
    return InputError("cannot export analysis datasets into the folder that they are read from", [problem])


def export_usdm(protocol: str | Path, output: str | Path) -> Path:
    """Write a protocol as ``usdm.json``: its design, in CDISC's Unified Study Definitions Model 4.0.

    Raises InputError for the protocol; nothing has been written then.
    """
    loaded = load_protocol(protocol)
    data = usdm_bytes(loaded)
    target = OutputFolder(Path(output))
    target.write_bytes(USDM_FILE, data)
    command = ["equipoise", "export", str(protocol), "--kind", "usdm", "-o", str(output)]
    record_step(target, "export", command, {"protocol": loaded.digest})
    return target.path / USDM_FILE


def conform_usdm(path: str | Path) -> tuple[Objection, ...]:
    """What our checks find in a USDM document, anybody's; raises DataError where the file is no JSON."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        problem = Problem(str(path), None, "", "json-readable", f"the file is no JSON: {error}", "Give the file whole.")
        raise DataError(f"cannot read {path}", [problem]) from None
    return usdm_objections(document)


def _frames(tables: tuple[Table, ...]) -> dict[str, pl.DataFrame]:
    return {table.name: table.frame for table in tables if table.standing != "other"}


def _described(name: str) -> str:
    """In a folder of their own analysis datasets are described by a file of the usual name."""
    return "define.xml" if name == "define-adam.xml" else name


def _files(tables: tuple[Table, ...], study: StudyName, kind: Kind) -> dict[str, bytes]:
    if not tables:
        return {}
    if kind not in ("csv", "parquet"):
        return standard_files(tables, study, kind)
    return {f"{table.name.lower()}.{kind}": _bytes(_own_names(table), kind) for table in tables}


def _own_names(table: Table) -> pl.DataFrame:
    return table.frame.rename(_OURS) if table.name == "SUPPLIED" else table.frame


def _bytes(frame: pl.DataFrame, kind: str) -> bytes:
    stream = io.BytesIO()
    writer: Callable[[IO[bytes]], object] = writer_of(frame, kind)
    writer(stream)
    return stream.getvalue()


def _analysis_tables(folder: Path, study: str) -> tuple[Table, ...]:
    """The analysis datasets of an analysed folder, as they were written."""
    path = folder / ADAM / "variables.json"
    try:
        variables = json.loads(path.read_text(encoding="utf-8"))
        made = [
            analysis_table(
                name, entry["title"], entry["variables"], pl.read_parquet(folder / ADAM / f"{name}.parquet"), study
            )
            for name, entry in variables.items()
        ]
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        remedy = "Give the folder that `equipoise analyse` wrote, or leave --adam out."
        problem = Problem(str(path), None, "", "analysis-exists", f"no analysis datasets can be read: {error}", remedy)
        raise DataError(f"there is no analysis in {folder}", [problem]) from None
    return tuple(made)


@dataclass(frozen=True, slots=True)
class Examined:
    """What our conformance checks find in the datasets of a folder, which files they read, and which they did not."""

    findings: tuple[Finding, ...]
    read: tuple[FileRead, ...]
    left: tuple[FileLeft, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """What was read and what was not, as a person reads it."""
        told = [f"{file.dataset} from {file.file} ({file.rows})" for file in self.read]
        notes = [f"note: {file.file}: {note}" for file in self.read for note in file.notes]
        left = [f"{file.file} ({file.why})" for file in self.left]
        return (f"read, with rows: {', '.join(told)}", *notes, *([f"not read: {', '.join(left)}"] if left else []))


def examine(folder: str | Path) -> Examined:
    """Check the datasets of a folder, anybody's, of every format that is there: CSV, Parquet, XPT, Dataset-JSON.

    Datasets whose names begin with AD and go on are held to the rules of ADaM, the others to those of SDTM.
    Raises DataError where a file cannot be read, SurroundingsError where transport files need the extra `standards`.
    """
    found = datasets_in(Path(folder))
    analysed = {name: frame for name, frame in found.frames.items() if is_analysis(name)}
    tabulated = {name: frame for name, frame in found.frames.items() if name not in analysed}
    findings = check_sdtm(tabulated) if tabulated else ()
    return Examined((*findings, *(check_adam(analysed) if analysed else ())), found.read, found.left)


def conform(folder: str | Path) -> tuple[Finding, ...]:
    """The findings of `examine` alone."""
    return examine(folder).findings
