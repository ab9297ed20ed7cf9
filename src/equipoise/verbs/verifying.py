"""`equipoise verify`: everything in a folder is what its records give, and every byte is what was written."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl

from equipoise.analysis.analyse import analyse_records
from equipoise.analysis.datasets import analysis_datasets
from equipoise.analysis.plan import plan
from equipoise.analysis.results import read_results, to_data
from equipoise.errors import DataError, InputError, IntegrityError, Problem
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.allocation import Allocation
from equipoise.records.dispensed import FILE as FILE_OF_DOSES
from equipoise.records.dispensed import Dispensed
from equipoise.records.folder import find_records, read_records
from equipoise.records.masked import proved_part
from equipoise.records.records import Records
from equipoise.records.scramble import scrambled_allocation
from equipoise.records.visibility import View, view_of
from equipoise.report.build import FORMATS, report_bytes
from equipoise.simulate.mechanism import FILE, mechanism_of
from equipoise.simulate.scenario import Scenario, load_scenario
from equipoise.source.digest import digest_of_file
from equipoise.truth.own import truth_of_trial
from equipoise.truth.table import FILE as TRUTH
from equipoise.truth.table import read_truth
from equipoise.truth.table import to_data as truth_data
from equipoise.verbs.analysing import SIGNED, find_allocation, find_dispensed
from equipoise.verbs.masking import check_masked, newest_version
from equipoise.verbs.provenance import NAME, read_steps, software
from equipoise.verbs.simulating import simulated_files

RELATIVE_TOLERANCE = 1e-9
"""How far a recomputed number may lie from the stored one: other processors round sums in another order."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was recomputed and found to be the same."""

    folder: Path
    results: int
    tables: int
    files: int


def verify(folder: str | Path) -> Verified:
    """Recompute results, datasets and report from the protocol, records and allocation in `folder`.

    Raises IntegrityError with the first difference: a file whose bytes are not those that were written, or a number
    that the records do not give.
    """
    path = Path(folder)
    if not (path / "results.json").is_file():
        problem = Problem(
            str(path), None, "", "results-exist", "there is no results.json here", "Run `equipoise analyse`."
        )
        raise DataError(f"nothing to verify in {path}", [problem])
    files = _bytes_as_written(path)
    stored = json.loads((path / "results.json").read_text(encoding="utf-8"))
    protocol = _protocol(path, stored)
    blinded = stored.get("allocation") is None
    view = _view(path, protocol, stored.get("withheld"))
    records_folder = find_records(path)
    records = read_records(records_folder, protocol)
    seed = (stored.get("allocation") or {}).get("scrambled")
    arms = _arms(records, records_folder, seed, blinded=blinded)
    dispensed = find_dispensed(records, records_folder.parent) if arms is not None and seed is None else None
    if records.seed is not None and (path / "scenario.yaml").is_file():
        _same_simulation(path / "scenario.yaml", records, dispensed)
    before = load_protocol(path / SIGNED / "protocol.yaml") if (path / SIGNED / "protocol.yaml").is_file() else None
    again = None if seed is None else int(seed)
    analysed = analyse_records(
        records, arms, software=software(), scrambled=again, signed=before, dispensed=dispensed, view=view
    )
    difference = first_difference(stored, to_data(analysed.results), "results")
    if difference is not None:
        raise _differs(path / "results.json", difference)
    for dataset in analysis_datasets(plan(protocol), analysed.data):
        _same_table(path / "adam" / f"{dataset.name}.parquet", dataset.table)
    _same_report(path)
    return Verified(path, len(analysed.results.results), len(analysed.results.tables), files)


def _view(folder: Path, protocol: Protocol, withheld: Any) -> View | None:
    """The view of the role that the results were made for; the folder must not hold what is withheld from it."""
    if withheld is None:
        return None
    view = view_of(protocol, str(withheld["role"]), blinded=bool(withheld["allocation"]))
    check_masked(folder, view)
    return view


@dataclass(frozen=True, slots=True)
class Proved:
    """A masked copy that was found to be a part of whole records: its parts, and what it lacks."""

    folder: Path
    parts: tuple[str, ...]
    lacks: tuple[str, ...]


def verify_part(copy: str | Path, whole: str | Path) -> Proved:
    """Prove that the records in `copy` are those in `whole` without the parts that the copy says it lacks.

    Raises IntegrityError with every part that differs, DataError where there are no records or no protocol.
    """
    path = Path(copy)
    protocol = load_protocol(_protocol_of(path))
    mine = read_records(find_records(path), protocol)
    theirs = read_records(find_records(Path(whole)), protocol)
    return Proved(path, proved_part(newest_version(mine), newest_version(theirs)), mine.lacks)


def _protocol_of(folder: Path) -> Path:
    for place in (folder / "protocol.yaml", folder.parent / "protocol.yaml"):
        if place.is_file():
            return place
    remedy = "Give the folder that `equipoise export --view` or `analyse --role` wrote."
    problem = Problem(str(folder), None, "", "protocol-exists", "there is no protocol.yaml here", remedy)
    raise DataError(f"nothing to verify in {folder}", [problem])


def _arms(records: Records, folder: Path, seed: str | None, *, blinded: bool) -> Allocation | None:
    """The allocation that was analysed: the real one, one that was scrambled by a seed, or none."""
    if seed is None:
        return find_allocation(records, folder, None, blinded=blinded)
    return scrambled_allocation(records, int(seed))


@dataclass(frozen=True, slots=True)
class Compared:
    """What two analysed folders were made from: the name of each input, and whether it is the same."""

    inputs: dict[str, bool]

    @property
    def changed(self) -> tuple[str, ...]:
        """The inputs that differ."""
        return tuple(name for name, same in self.inputs.items() if not same)


def compare(folder: str | Path, other: str | Path) -> Compared:
    """Which of protocol, records, allocation and software two analysed folders have in common.

    Raises DataError where one of them holds no results.
    """
    mine, theirs = (read_results(Path(path) / "results.json") for path in (folder, other))
    return Compared(
        {
            "protocol": mine.protocol == theirs.protocol,
            "records": mine.records == theirs.records,
            "allocation": mine.allocation == theirs.allocation,
            "software": mine.software == theirs.software,
        }
    )


def _same_simulation(scenario: Path, records: Records, dispensed: Dispensed | None) -> None:
    """Simulated records, and what was dispensed where it is read, are what their protocol, scenario and seed give."""
    assert records.seed is not None
    try:
        chosen = load_scenario(scenario)
    except InputError as error:
        raise IntegrityError("the folder's scenario cannot be read", error.problems) from None
    again, _, given = simulated_files(records.protocol, chosen, records.seed)
    if again.digest != records.digest:
        message = f"protocol, scenario and seed {records.seed} give records with the digest {again.digest}"
        raise _differs(scenario, f"{message}, not {records.digest}")
    if dispensed is not None and dispensed != given:
        message = f"protocol, scenario and seed {records.seed} give other doses than {FILE_OF_DOSES} says"
        raise _differs(scenario.parent / FILE_OF_DOSES, message)
    states = mechanism_of(records.protocol, chosen, records.seed)
    if states is not None and (scenario.parent / FILE).is_file():
        _same_table(scenario.parent / FILE, states)
    if (scenario.parent / TRUTH).is_file():
        _same_truth(scenario.parent / TRUTH, records, chosen)


def _same_truth(path: Path, records: Records, scenario: Scenario) -> None:
    """True values of the trial's people are those of both potential outcomes.

    Those of a population came from a file that provenance names; of them only the bytes are compared.
    """
    assert records.seed is not None
    stored = read_truth(path)
    own = replace(stored, estimands=tuple(replace(item, population=None) for item in stored.estimands))
    again = truth_of_trial(plan(records.protocol), scenario, records.seed)
    difference = first_difference(truth_data(own), truth_data(again), "truth")
    if difference is not None:
        raise _differs(path, difference)


def _bytes_as_written(folder: Path) -> int:
    """Compare the digest of every recorded output; returns how many there are."""
    steps = read_steps(folder)
    if not steps:
        problem = Problem(
            str(folder / NAME),
            None,
            "",
            "provenance-exists",
            "there is no provenance here",
            "Restore the file.",
        )
        raise IntegrityError(f"{folder} does not say how it was made", [problem])
    outputs = {name: digest for step in steps for name, digest in step["outputs"].items() if name != NAME}
    for name, digest in outputs.items():
        target = folder / name
        if not target.is_file():
            raise _changed(target, "file-present", "the file was written and is not there")
        if digest_of_file(target) != digest:
            raise _changed(target, "bytes-as-written", "the file's bytes are not those that were written")
    return len(outputs)


def _changed(path: Path, rule: str, message: str) -> IntegrityError:
    problem = Problem(str(path), None, "", rule, message, "Restore it, or run the command that wrote it again.")
    return IntegrityError(f"{path.name} was changed", [problem])


def _differs(path: Path, difference: str) -> IntegrityError:
    remedy = "Trust the recomputed value; find out who changed the file or the software."
    problem = Problem(str(path), None, "", "recomputed", difference, remedy)
    return IntegrityError("the records do not give what is stored", [problem])


def _protocol(folder: Path, stored: dict[str, Any]) -> Protocol:
    try:
        protocol = load_protocol(folder / "protocol.yaml")
    except InputError as error:
        raise IntegrityError("the folder's protocol cannot be read", error.problems) from None
    if protocol.digest not in stored["protocol"]["digests"]:
        message = f"the protocol has the digest {protocol.digest}, which the results do not name"
        raise IntegrityError(
            "the protocol is not the one that was analysed",
            [Problem(str(protocol.path), None, "", "protocol-digest", message, "Restore the protocol.")],
        )
    return protocol


def first_difference(stored: Any, recomputed: Any, path: str) -> str | None:
    """The first place where two trees of JSON data differ, numbers to a relative tolerance; None where none does."""
    if isinstance(stored, dict) and isinstance(recomputed, dict):
        for key in [*stored, *(key for key in recomputed if key not in stored)]:
            if key not in stored or key not in recomputed:
                return f"{path}.{key} is {'not stored' if key not in stored else 'stored but not recomputed'}"
            found = first_difference(stored[key], recomputed[key], f"{path}.{key}")
            if found is not None:
                return found
        return None
    if isinstance(stored, list) and isinstance(recomputed, list):
        if len(stored) != len(recomputed):
            return f"{path} has {len(stored)} items, recomputed {len(recomputed)}"
        for index, (ours, theirs) in enumerate(zip(stored, recomputed, strict=True)):
            name = ours.get("id", index) if isinstance(ours, dict) else index
            found = first_difference(ours, theirs, f"{path}[{name}]")
            if found is not None:
                return found
        return None
    return None if _equal(stored, recomputed) else f"{path} is stored as {stored!r}, recomputed {recomputed!r}"


def _equal(stored: Any, recomputed: Any) -> bool:
    if isinstance(stored, float) and isinstance(recomputed, float):
        return math.isclose(stored, recomputed, rel_tol=RELATIVE_TOLERANCE, abs_tol=1e-12)
    return type(stored) is type(recomputed) and stored == recomputed


def _same_table(path: Path, recomputed: pl.DataFrame) -> None:
    try:
        stored = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _differs(path, f"the dataset cannot be read: {error}") from None
    if stored.schema != recomputed.schema or stored.height != recomputed.height:
        raise _differs(path, f"the dataset has {stored.height} rows, recomputed {recomputed.height}, or other columns")
    for name in stored.columns:
        rows = list(zip(stored[name].to_list(), recomputed[name].to_list(), strict=True))
        for number, (ours, theirs) in enumerate(rows, 1):
            if not _equal(ours, theirs):
                raise _differs(path, f"{name} in row {number} is stored as {ours!r}, recomputed {theirs!r}")


def _same_report(folder: Path) -> None:
    """Every report that is there is what results and datasets give, byte for byte."""
    for kind in FORMATS:
        path = folder / f"report.{kind}"
        makeable = kind == "html" or find_spec("typst") is not None  # else its digest is all that can be compared
        if makeable and path.is_file() and path.read_bytes() != report_bytes(folder, kind):
            raise _differs(path, "the report is not what results.json and the datasets give")
