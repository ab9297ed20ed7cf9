"""`equipoise simulate` and `equipoise trial`: a simulated trial, and the whole way from it to the report."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from equipoise.analysis.analyse import analyse_records
from equipoise.analysis.datasets import analysis_datasets
from equipoise.analysis.plan import Plan, plan
from equipoise.analysis.results import Results
from equipoise.errors import InputError
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.allocation import Allocation
from equipoise.records.dispensed import Dispensed, dispensed_of
from equipoise.records.from_panel import to_records
from equipoise.records.records import Records, simulated_source
from equipoise.report.build import Format
from equipoise.simulate.measurements import unknown_tests
from equipoise.simulate.mechanism import FILE, mechanism_table
from equipoise.simulate.scenario import DEFAULT, Scenario, load_scenario
from equipoise.simulate.trial import simulate_nature, simulate_trial, whole_panel
from equipoise.source.changes import as_written, check_scopes
from equipoise.source.digest import digest_of_file
from equipoise.truth.own import truth_of_trial, with_population
from equipoise.truth.table import FILE as TRUTH
from equipoise.truth.table import read_truth
from equipoise.truth.table import to_json as truth_json
from equipoise.verbs.analysing import write_analysis
from equipoise.verbs.chances import chances_of, said, write_chances
from equipoise.verbs.folder import OutputFolder
from equipoise.verbs.importing import write_protocol, write_trial
from equipoise.verbs.provenance import record_step, software
from equipoise.verbs.reporting import reports

LARGEST_FRESH_SEED = 2**31


@dataclass(frozen=True, slots=True)
class SimulatedTrial:
    """Where a simulated trial went, and what it is made of.

    unknown: tests of the protocol that simulated people have no value for; they are empty.
    """

    folder: Path
    seed: int
    scenario: Scenario
    records: Records
    allocation: Allocation
    dispensed: Dispensed | None
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportedTrial:
    """A simulated trial, what its analysis found, and its report in each format; said: a line for each claim."""

    simulated: SimulatedTrial
    results: Results
    reports: tuple[Path, ...]
    said: tuple[str, ...] = ()

    @property
    def report(self) -> Path:
        """The first of the reports."""
        return self.reports[0]


def simulate(
    protocol: str | Path,
    output: str | Path,
    *,
    scenario: str | Path | None = None,
    seed: int | None = None,
    truth: str | Path | None = None,
    changes: Sequence[str] = (),
) -> SimulatedTrial:
    """Simulate one trial and write its records, its allocation, what was dispensed and what is true.

    scenario: a path or a shipped name; default: the protocol's own, else `no-effect`. seed: default: a fresh one.
    truth: a file of the population's true values (docs/truth.md), to be written beside those of the trial's own people.
    changes: ``protocol.path=value`` or ``scenario.path=value``.

    Raises InputError for the protocol, the scenario, true values of another trial, or a protocol that asks for what
    simulated people do not have.
    """
    prepared = _prepared(protocol, scenario, seed, truth, changes)
    try:
        planned = plan(prepared.protocol)
    except InputError:  # no analysis of it can be run, so nothing is estimated that could be true or not
        planned = None
    return _simulated(prepared, planned, output, _command("simulate", protocol, prepared, changes, output))


def trial(
    protocol: str | Path,
    output: str | Path,
    *,
    scenario: str | Path | None = None,
    seed: int | None = None,
    truth: str | Path | None = None,
    changes: Sequence[str] = (),
    chances: str | Path | None = None,
    formats: Sequence[Format] = ("html",),
) -> ReportedTrial:
    """Simulate one trial, analyse it and write its report in each format; other arguments and errors as `simulate`.

    chances: a chances.json to show beside the verdicts instead of the package's own; InputError where it is another's.

    Raises SurroundingsError where a format needs the extra `documents`, which is not installed.
    """
    prepared = _prepared(protocol, scenario, seed, truth, changes)
    planned = plan(prepared.protocol)
    command = _command("trial", protocol, prepared, changes, output)
    command += ["--chances", str(chances)] if chances is not None else []
    told = chances_of(planned, (prepared.scenario.id, prepared.scenario.digest), chances)
    done = _simulated(prepared, planned, output, command)
    analysed = analyse_records(done.records, done.allocation, software=software(), dispensed=done.dispensed)
    target = OutputFolder(done.folder)
    write_analysis(target, analysed, analysis_datasets(planned, analysed.data))
    write_chances(target, told)
    inputs = {"protocol": prepared.protocol.digest, "records": done.records.digest}
    inputs |= {"allocation": done.allocation.digest}
    inputs |= {"dispensed": done.dispensed.digest} if done.dispensed is not None else {}
    inputs |= {"chances": digest_of_file(Path(chances))} if chances is not None else {}
    record_step(target, "analyse", command, inputs, done.seed, analysed.results.packages)
    written = reports(done.folder, formats, prepared.protocol)
    return ReportedTrial(done, analysed.results, written, said(analysed.results, told))


def simulated_records(protocol: Protocol, scenario: Scenario, seed: int) -> tuple[Records, Allocation]:
    """The records and the allocation of the trial of this seed."""
    records, allocation, _ = simulated_files(protocol, scenario, seed)
    return records, allocation


def simulated_files(protocol: Protocol, scenario: Scenario, seed: int) -> tuple[Records, Allocation, Dispensed | None]:
    """The same, and what was dispensed."""
    panel = simulate_trial(protocol, scenario, seed)
    return *to_records(panel, source=simulated_source(scenario.id, seed)), dispensed_of(panel)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What a simulation is made from."""

    protocol: Protocol
    scenario: Scenario
    seed: int
    truth: Path | None


def _prepared(
    protocol: str | Path,
    scenario: str | Path | None,
    seed: int | None,
    truth: str | Path | None,
    changes: Sequence[str],
) -> _Prepared:
    check_scopes(changes, ("protocol", "scenario"))
    loaded = load_protocol(protocol, changes)
    chosen = load_scenario(scenario or loaded.authored.default_scenario or DEFAULT, changes)
    given = None if truth is None else Path(truth)
    return _Prepared(loaded, chosen, secrets.randbelow(LARGEST_FRESH_SEED) if seed is None else seed, given)


def _simulated(prepared: _Prepared, planned: Plan | None, output: str | Path, command: list[str]) -> SimulatedTrial:
    protocol, scenario = prepared.protocol, prepared.scenario
    nature = simulate_nature(protocol, scenario, prepared.seed, 1)
    source = simulated_source(scenario.id, prepared.seed)
    panel = whole_panel(protocol, scenario, nature)
    records, arms = to_records(panel, source=source)
    dispensed = dispensed_of(panel)
    target = OutputFolder(Path(output))
    write_protocol(target, protocol)
    if scenario.document.changed:
        target.write_text("scenario.yaml", as_written(scenario.document))
    else:
        target.write_bytes("scenario.yaml", scenario.path.read_bytes())
    write_trial(target, records, arms, dispensed)
    states = mechanism_table(protocol, nature)
    if states is not None:
        target.write_with(FILE, states.write_parquet)
    if planned is not None:
        target.write_text(TRUTH, _truth(prepared, planned))
    inputs = {"protocol": protocol.digest, "scenario": scenario.digest}
    inputs |= {} if prepared.truth is None else {"truth": digest_of_file(prepared.truth)}
    record_step(target, "simulate", command, inputs, prepared.seed)
    return SimulatedTrial(target.path, prepared.seed, scenario, records, arms, dispensed, unknown_tests(protocol))


def _truth(prepared: _Prepared, planned: Plan) -> str:
    """The text of truth.json; it is the same whatever arm anybody was allocated to."""
    table = truth_of_trial(planned, prepared.scenario, prepared.seed)
    if prepared.truth is not None:
        table = with_population(table, read_truth(prepared.truth), str(prepared.truth))
    return truth_json(table)


def _command(
    verb: str, protocol: str | Path, prepared: _Prepared, changes: Sequence[str], output: str | Path
) -> list[str]:
    path = prepared.scenario.path
    name = path.stem if path.parent.name == "shipped" else str(path)
    command = ["equipoise", verb, str(protocol), "--scenario", name, "--seed", str(prepared.seed)]
    command += [] if prepared.truth is None else ["--truth", str(prepared.truth)]
    return [*command, *(word for change in changes for word in ("--set", change)), "-o", str(output)]
