"""The model trial of seed 1, and its datasets: tabulation and analysis."""

from __future__ import annotations

import pytest

from equipoise.analysis.analyse import analyse_records
from equipoise.analysis.datasets import analysis_datasets
from equipoise.analysis.plan import plan
from equipoise.protocol.load import load_protocol
from equipoise.records.records import Records
from equipoise.records.standards.described import Table, analysis_table, sdtm_tables
from equipoise.simulate.scenario import load_scenario
from equipoise.verbs.simulating import simulated_records


@pytest.fixture(scope="package")
def trial() -> tuple[Records, tuple[Table, ...]]:
    """Records, and the analysis datasets made from them."""
    protocol = load_protocol("msc-t1d")
    records, allocation = simulated_records(protocol, load_scenario(protocol.authored.default_scenario), 1)
    data = analyse_records(records, allocation, software={}).data
    made = analysis_datasets(plan(protocol), data)
    return records, tuple(analysis_table(d.name, d.title, d.labels, d.table) for d in made)


@pytest.fixture(scope="package")
def records(trial: tuple[Records, tuple[Table, ...]]) -> Records:
    return trial[0]


@pytest.fixture(scope="package")
def tabulation(records: Records) -> tuple[Table, ...]:
    """SDTM, with the supplied values."""
    return sdtm_tables(records)


@pytest.fixture(scope="package")
def analysis(trial: tuple[Records, tuple[Table, ...]]) -> tuple[Table, ...]:
    return trial[1]
