"""`equipoise simulate` and `equipoise trial`: a simulated trial, and the whole way from it to the report."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from equipoise.analysis.analyse import analyse_records
from equipoise.analysis.datasets import analysis_datasets
from equipoise.analysis.plan import plan
from equipoise.analysis.results import Results
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
    changes: Sequence[str] = (),
) -> SimulatedTrial:
    """Simulate one trial and write its records, its allocation and what was dispensed.

    scenario: a path or a shipped name; default: the protocol's own, else `no-effect`. seed: default: a fresh one.
    changes: ``protocol.path=value`` or ``scenario.path=value``.

    Raises InputError for the protocol, the scenario, or a protocol that asks for what simulated people do not have.
    """
    prepared = _prepared(protocol, scenario, seed, changes)
    return _simulated(prepared, output, _command("simulate", protocol, prepared, changes, output))


def trial(
    protocol: str | Path,
    output: str | Path,
    *,
    scenario: str | Path | None = None,
    seed: int | None = None,
    changes: Sequence[str] = (),
    chances: str | Path | None = None,
    formats: Sequence[Format] = ("html",),
) -> ReportedTrial:
    """Simulate one trial, analyse it and write its report in each format; other arguments and errors as `simulate`.

    chances: a chances.json to show beside the verdicts instead of the package's own; InputError where it is another's.

    Raises SurroundingsError where a format needs the extra `documents`, which is not installed.
    """
    prepared = _prepared(protocol, scenario, seed, changes)
    planned = plan(prepared.protocol)
    command = _command("trial", protocol, prepared, changes, output)
    command += ["--chances", str(chances)] if chances is not None else []
    told = chances_of(planned, (prepared.scenario.id, prepared.scenario.digest), chances)
    done = _simulated(prepared, output, command)
    analysed = analyse_records(done.records, done.allocation, software=software(), dispensed=done.dispensed)
    target = OutputFolder(done.folder)
    write_analysis(target, analysed, analysis_datasets(planned, analysed.data))
    write_chances(target, told)
    inputs = {"protocol": prepared.protocol.digest, "records": done.records.digest}
    inputs |= {"allocation": done.allocation.digest}
    inputs |= {"dispensed": done.dispensed.digest} if done.dispensed is not None else {}
    inputs |= {"chances": digest_of_file(Path(chances))} if chances is not None else {}
    record_step(target, "analyse", command, inputs, done.seed)
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


def _prepared(protocol: str | Path, scenario: str | Path | None, seed: int | None, changes: Sequence[str]) -> _Prepared:
    check_scopes(changes, ("protocol", "scenario"))
    loaded = load_protocol(protocol, changes)
    chosen = load_scenario(scenario or loaded.authored.default_scenario or DEFAULT, changes)
    return _Prepared(loaded, chosen, secrets.randbelow(LARGEST_FRESH_SEED) if seed is None else seed)


def _simulated(prepared: _Prepared, output: str | Path, command: list[str]) -> SimulatedTrial:
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
    inputs = {"protocol": protocol.digest, "scenario": scenario.digest}
    record_step(target, "simulate", command, inputs, prepared.seed)
    return SimulatedTrial(target.path, prepared.seed, scenario, records, arms, dispensed, unknown_tests(protocol))


def _command(
    verb: str, protocol: str | Path, prepared: _Prepared, changes: Sequence[str], output: str | Path
) -> list[str]:
    path = prepared.scenario.path
    name = path.stem if path.parent.name == "shipped" else str(path)
    command = ["equipoise", verb, str(protocol), "--scenario", name, "--seed", str(prepared.seed)]
    return [*command, *(word for change in changes for word in ("--set", change)), "-o", str(output)]
