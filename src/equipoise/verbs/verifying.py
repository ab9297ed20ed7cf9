"""`equipoise verify`: everything in a folder is what its records give, and every byte is what was written."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from equipoise.analysis.analyse import analyse_records
from equipoise.analysis.chances import to_text
from equipoise.analysis.datasets import analysis_datasets
from equipoise.analysis.plan import plan
from equipoise.analysis.results import Results, read_results, to_data
from equipoise.errors import DataError, InputError, IntegrityError, Problem
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.allocation import Allocation
from equipoise.records.dispensed import FILE as FILE_OF_DOSES
from equipoise.records.dispensed import Dispensed
from equipoise.records.folder import earlier_folder, find_records, read_records
from equipoise.records.masked import proved_part
from equipoise.records.records import Records
from equipoise.records.scramble import scrambled_allocation
from equipoise.records.visibility import View, view_of
from equipoise.report.build import FORMATS, report_bytes
from equipoise.simulate.mechanism import FILE, mechanism_of
from equipoise.simulate.scenario import Scenario, load_scenario
from equipoise.truth.own import truth_of_trial
from equipoise.truth.table import FILE as TRUTH
from equipoise.truth.table import read_truth
from equipoise.truth.table import to_data as truth_data
from equipoise.verbs.analysing import SIGNED, find_allocation, find_dispensed
from equipoise.verbs.chances import NAME as CHANCES
from equipoise.verbs.chances import SCENARIO, chances_of, scenario_in
from equipoise.verbs.imported_again import check_inputs
from equipoise.verbs.made_again import check_documents
from equipoise.verbs.masking import check_masked, newest_version
from equipoise.verbs.provenance import read_steps, software
from equipoise.verbs.recomputed import differs, first_difference, same_datasets, same_table
from equipoise.verbs.recorded_files import check_files, check_steps
from equipoise.verbs.sealing import check_seal
from equipoise.verbs.simulating import simulated_files


@dataclass(frozen=True, slots=True)
class Verified:
    """What was recomputed and found to be the same."""

    folder: Path
    results: int
    tables: int
    files: int


def verify(folder: str | Path, *, inputs: str | Path | None = None, expect: str | None = None) -> Verified:
    """Recompute results, datasets and report from the protocol, records and allocation in `folder`.

    inputs: the folder of the files that were imported; records and arms are then made from them again. expect: the
    digest that `seal` gave of the folder.

    Raises IntegrityError with the first difference: a file whose bytes are not those that were written, or a number
    that the records do not give.
    """
    path = Path(folder)
    if expect is not None:
        check_seal(path, expect)
    if not (path / "results.json").is_file():
        problem = Problem(
            str(path), None, "", "results-exist", "there is no results.json here", "Run `equipoise analyse`."
        )
        raise DataError(f"nothing to verify in {path}", [problem])
    files = check_files(path)
    stored = json.loads((path / "results.json").read_text(encoding="utf-8"))
    protocol = _protocol(path, stored)
    blinded = stored.get("allocation") is None
    view = _view(path, protocol, stored.get("withheld"))
    records_folder = find_records(path)
    records = read_records(records_folder, protocol)
    seed = (stored.get("allocation") or {}).get("scrambled")
    arms = _arms(records, records_folder, seed, blinded=blinded)
    dispensed = find_dispensed(records, records_folder.parent) if arms is not None and seed is None else None
    scenario = None
    if records.seed is not None and not records.lacks:
        scenario = _same_simulation(path / SCENARIO, records, arms if seed is None else None, dispensed)
    if inputs is not None:
        check_inputs(path, Path(inputs), records, find_allocation(records, records_folder, None, blinded=False))
    before = load_protocol(path / SIGNED / "protocol.yaml") if (path / SIGNED / "protocol.yaml").is_file() else None
    again = None if seed is None else int(seed)
    analysed = analyse_records(
        records, arms, software=software(), scrambled=again, signed=before, dispensed=dispensed, view=view
    )
    difference = first_difference(stored, to_data(analysed.results), "results")
    if difference is not None:
        raise differs(path / "results.json", difference)
    same_datasets(path, analysis_datasets(plan(protocol), analysed.data))
    _same_chances(path, analysed.results, protocol)
    _same_report(path)
    check_documents(path, records)
    parts = {
        "records": records,
        "allocation": arms if seed is None else None,
        "dispensed": dispensed,
        "scenario": scenario,
        "signed plan": before,
    }
    now = {name: (part.digest,) for name, part in parts.items() if part is not None}
    check_steps(path, now | {"protocol": records.protocols})
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
    """Which of protocol, records, allocation, software and packages of methods two analysed folders have in common.

    Raises DataError where one of them holds no results.
    """
    mine, theirs = (read_results(Path(path) / "results.json") for path in (folder, other))
    return Compared(
        {
            "protocol": mine.protocol == theirs.protocol,
            "records": mine.records == theirs.records,
            "allocation": mine.allocation == theirs.allocation,
            "software": mine.software == theirs.software,
            "methods": mine.made_by == theirs.made_by,
        }
    )


def _same_simulation(
    scenario: Path, records: Records, arms: Allocation | None, dispensed: Dispensed | None
) -> Scenario:
    """Simulated records are what their protocol, scenario and seed give; arms and products too, where they are read."""
    assert records.seed is not None
    if not scenario.is_file():
        message = "the records are simulated, and the scenario that they were simulated under is not here"
        raise _refused(scenario, "scenario-present", message, "Restore the file.")
    try:
        chosen = load_scenario(scenario)
    except InputError as error:
        raise IntegrityError("the folder's scenario cannot be read", error.problems) from None
    made = records.made_under
    if made is None:
        message = f"the records were simulated under the protocol {records.under}, which is not here"
        remedy = f"Put its document there as {earlier_folder(1)}protocol.yaml, with the files that it names."
        raise _refused(scenario.parent / "protocol.yaml", "protocol-present", message, remedy)
    again, drawn, given = simulated_files(made, chosen, records.seed)
    if again.digest != records.digest:
        message = f"protocol, scenario and seed {records.seed} give records with the digest {again.digest}"
        raise differs(scenario, f"{message}, not {records.digest}")
    if arms is not None and arms.digest != drawn.digest:
        message = f"protocol, scenario and seed {records.seed} give other arms"
        raise differs(scenario.parent / "allocation.csv", message)
    if dispensed is not None and dispensed != given:
        message = f"protocol, scenario and seed {records.seed} give other doses than {FILE_OF_DOSES} says"
        raise differs(scenario.parent / FILE_OF_DOSES, message)
    states = mechanism_of(made, chosen, records.seed)
    if states is not None and (scenario.parent / FILE).is_file():
        same_table(scenario.parent / FILE, states)
    if (scenario.parent / TRUTH).is_file():
        _same_truth(scenario.parent / TRUTH, made, chosen, records.seed)
    return chosen


def _same_truth(path: Path, protocol: Protocol, scenario: Scenario, seed: int) -> None:
    """True values of the trial's people are those of both potential outcomes.

    Those of a population came from a file that provenance names; of them only the bytes are compared.
    """
    stored = read_truth(path)
    own = replace(stored, estimands=tuple(replace(item, population=None) for item in stored.estimands))
    again = truth_of_trial(plan(protocol), scenario, seed)
    difference = first_difference(truth_data(own), truth_data(again), "truth")
    if difference is not None:
        raise differs(path, difference)


def _refused(path: Path, rule: str, message: str, remedy: str) -> IntegrityError:
    return IntegrityError(
        "the folder lacks what its records need", [Problem(str(path), None, "", rule, message, remedy)]
    )


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


def _same_chances(folder: Path, results: Results, protocol: Protocol) -> None:
    """The chances of verdicts are the package's own, unless provenance says that a file was given."""
    if any("chances" in step["inputs"] for step in read_steps(folder) if step["verb"] == "analyse"):
        return
    real = results.allocation is not None and "scrambled" not in results.allocation
    wanted = chances_of(plan(protocol), scenario_in(folder, protocol), None) if real else ()
    path = folder / CHANCES
    stored = path.read_text(encoding="utf-8") if path.is_file() else ""
    if stored != (to_text(*wanted) if wanted else ""):
        raise differs(path, "the chances of verdicts are not those of this protocol and scenario")


def _same_report(folder: Path) -> None:
    """Every report that is there is what results and datasets give, byte for byte."""
    for kind in FORMATS:
        path = folder / f"report.{kind}"
        makeable = kind == "html" or find_spec("typst") is not None  # else its digest is all that can be compared
        if makeable and path.is_file() and path.read_bytes() != report_bytes(folder, kind):
            raise differs(path, "the report is not what results.json and the datasets give")
