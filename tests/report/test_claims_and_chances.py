"""What the report says of claims: verdicts, exploratory intervals without one, and how often each word is said."""

from __future__ import annotations

import dataclasses
from functools import cache

import pytest

from equipoise.analysis.analyse import analyse_records
from equipoise.analysis.chances import Chances
from equipoise.analysis.results import Results
from equipoise.documents.model import Paragraph, Section, Table
from equipoise.documents.runs import plain
from equipoise.protocol.load import load_protocol
from equipoise.records.from_panel import to_records
from equipoise.report.claims import claims_section
from equipoise.report.source import ReportSource
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trial
from tests.report.two_periods import two_periods


@cache
def results() -> Results:
    records, arms = to_records(simulate_trial(load_protocol("msc-t1d"), load_scenario("published"), 1), source="x")
    return analyse_records(records, arms, software={"name": "equipoise", "version": "0"}).results


def chances(scenario: str, **rates: dict[str, tuple[float, float]]) -> Chances:
    return Chances({"scenario": {"id": scenario, "digest": "x"}}, 4000, 1, rates)


def source(*tables: Chances, **changes: object) -> ReportSource:
    shown = dataclasses.replace(results(), tables=(), **changes)
    return dataclasses.replace(two_periods(), protocol=load_protocol("msc-t1d"), results=shown, chances=tables)


def section(*tables: Chances, **changes: object) -> Section:
    found = claims_section(source(*tables, **changes))
    assert found is not None
    return found


def rows(found: Section, name: str) -> list[list[str]]:
    (table,) = (block for block in found.blocks if isinstance(block, Table) and block.id == name)
    return [[plain(cell.text) for cell in line.cells] for line in table.rows]


def words(found: Section) -> str:
    return " ".join(plain(block.text) for block in found.blocks if isinstance(block, Paragraph))


@pytest.mark.requirement("CLAIM-EXPLORATORY")
def test_exploratory_claims_stand_apart_with_estimates_and_no_verdict() -> None:
    found = section()
    assert [line[0][:2] for line in rows(found, "table-claims")] == ["C1", "C2", "C3", "C7"]
    phrases = rows(found, "table-exploratory")
    assert [line[0][:2] for line in phrases if not line[1]] == ["C4", "C5", "C6", "C8"]
    parts = [line for line in phrases if line[1]]
    assert len(parts) == 5 and all("(" in line[1] and line[2].startswith("interval ") for line in parts)
    assert "With 5 such intervals at least one excludes no effect in about 23% of trials" in words(found)
    assert "in half of those as claimed" in words(found)


@pytest.mark.requirement("CLAIM-EXPLORATORY")
def test_the_share_of_trials_follows_the_number_of_intervals() -> None:
    two = tuple(claim for claim in results().claims if claim.id in ("c2", "c8"))
    assert "With 2 such intervals at least one excludes no effect in about 10% of trials" in words(section(claims=two))
    without = tuple(claim for claim in results().claims if claim.kind != "exploratory")
    assert "such intervals" not in words(section(claims=without))


@pytest.mark.requirement("CLAIM-CHANCES")
def test_how_often_a_word_is_said_stands_beside_it() -> None:
    null = chances(
        "no-effect", c7={"not tested": (0.93, 0.004)}, c5={"interval excludes no effect, as claimed": (0.02, 0.01)}
    )
    strong = chances("strong", c7={"not tested": (0.6, 0.01)}, c5={})
    found = section(strong, null)
    c7 = next(line for line in rows(found, "table-claims") if line[0].startswith("C7"))
    assert c7[1:4] == ["not tested", "60.0 %", "93.0 %"]
    c5 = next(line for line in rows(found, "table-exploratory") if line[0].startswith("C5"))
    assert c5[3:] == ["0 of 4000", "2.0 %"]
    table = next(block for block in found.blocks if isinstance(block, Table) and block.id == "table-chances")
    assert plain(table.columns[-1].header).startswith("Not a verdict: ")
    lines = {
        (line.group, plain(line.cells[0].text)): [plain(cell.text) for cell in line.cells[1:]] for line in table.rows
    }
    assert lines["With no effect", "C7"] == ["0 of 4000"] * 3 + ["93.0 %", "0 of 4000", "0 of 4000", ""]
    assert lines["With no effect", "C5"] == [""] * 6 + ["2.0 %"]
    assert lines["Under strong", "C2"] == ["not simulated"] * 6 + [""]


@pytest.mark.requirement("CLAIM-CHANCES")
def test_without_a_simulation_the_report_says_so() -> None:
    found = section()
    assert {line[2] for line in rows(found, "table-claims")} == {"not simulated"}
    assert not [block for block in found.blocks if isinstance(block, Table) and block.id == "table-chances"]


@pytest.mark.requirement("CLAIM-BOTH-DIRECTIONS", "CLAIM-GIVEN")
def test_intervals_are_said_to_be_unadjusted_and_the_opposite_in_full() -> None:
    contradicted = tuple(
        dataclasses.replace(claim, verdict="contradicted") if claim.id == "c3" else claim for claim in results().claims
    )
    found = section(claims=contradicted)
    assert next(line[1] for line in rows(found, "table-claims") if line[0].startswith("C3")) == (
        "contradicted: the opposite was shown"
    )
    table = next(block for block in found.blocks if isinstance(block, Table) and block.id == "table-claims")
    notes = " ".join(plain(note) for note in table.notes)
    assert "every interval in this report is unadjusted" in notes
    assert "C2, C3: given the active product by the end of Period 1" in notes
    assert all(
        "given the active product" not in line[-1] for line in rows(found, "table-claims") if line[0][:2] != "C1"
    )
