"""A simulated report opens with what it is; objectives, limits and precision are called what they are."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from equipoise.documents.model import Callout, Document, KeyValues, Paragraph, Section, Table, texts, walk_sections
from equipoise.documents.runs import Text, plain
from equipoise.protocol.load import load_protocol
from equipoise.report.build import report_document
from equipoise.report.source import ReportSource, read_source
from equipoise.report.synopsis import objectives
from equipoise.verbs.simulating import trial

FACTS = ("212 people", "Royan", "NCT04078308", "IRCT2016070428786N1", "registered retrospectively", "SPSS")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("simulated") / "out"
    trial("msc-t1d", made, seed=1, formats=())
    return made


@pytest.fixture(scope="module")
def source(folder: Path) -> ReportSource:
    return read_source(folder)


@pytest.fixture(scope="module")
def document(source: ReportSource) -> Document:
    return report_document(source)


def section(document: Document, name: str) -> Section:
    return next(item for item in walk_sections(document.sections) if item.id == name)


def told(callout: Callout) -> str:
    return " ".join(plain(block.text) for block in callout.blocks if isinstance(block, Paragraph))


def opening(document: Document) -> str:
    parts: list[Text] = [document.subtitle, *(text for pair in document.meta for text in pair)]
    parts += [text for block in document.summary for text in texts(block)]
    return " ".join(plain(text) for text in parts)


@pytest.mark.requirement("REPORT-SCENARIO")
def test_it_opens_with_the_scenario_and_what_it_assumes(source: ReportSource, document: Document) -> None:
    first = document.summary[0]
    assert isinstance(first, Callout) and "scenario published" in plain(first.title)
    words = told(first)
    assert source.scenario is not None and source.scenario.authored.summary in words and "seed 1" in words
    assert "mechanistic model" in words and "6 of the 7 are assumed" in words
    assert "scenario published, seed 1" in document.subtitle
    assert not [fact for fact in FACTS if fact in opening(document)]
    assert any(FACTS[0] in plain(text) for block in section(document, "plan").blocks for text in texts(block))


@pytest.mark.requirement("REPORT-SCENARIO")
def test_every_value_of_the_scenario_stands_with_its_ground(source: ReportSource, document: Document) -> None:
    (table,) = [block for block in section(document, "scenario").blocks if isinstance(block, Table)]
    assert source.scenario is not None
    authored, rows = source.scenario.authored, [[plain(cell.text) for cell in item.cells] for item in table.rows]
    assert len(rows) == len(authored.links) + 11 + len(authored.intercurrent_events)
    assert all(len(cells) == 3 and cells[2] != "not stated" for cells in rows)
    homing = next(cells for cells in rows if cells[0].startswith("homing"))
    drawn = source.scenario.links(1, 0).homing
    assert (
        homing[1] == f"{drawn:.3g} share of a dose; drawn about 0.02, 0.005 to 0.05"
        and homing[2] == authored.sources["links.homing"]
    )


@pytest.mark.requirement("REPORT-SCENARIO")
def test_a_changed_scenario_is_not_passed_off_as_the_shipped_one(tmp_path: Path) -> None:
    made = tmp_path / "out"
    trial("msc-t1d", made, scenario="no-effect", seed=2, changes=("scenario.dropout=0.4",), formats=())
    document = report_document(read_source(made))
    first = document.summary[0]
    assert isinstance(first, Callout) and "It is not the shipped file of this name" in told(first)
    assert "The active treatment does nothing to them." in told(first)
    rows = [plain(item.cells[1].text) for item in section(document, "scenario").blocks[1].rows]  # type: ignore[union-attr]
    assert "none" in rows and "40.0%" in rows


@pytest.mark.requirement("REPORT-SCENARIO")
def test_without_a_stored_scenario_it_says_so_and_real_people_have_none(source: ReportSource) -> None:
    bare = report_document(dataclasses.replace(source, scenario=None))
    assert isinstance(bare.summary[0], Callout) and "not stored in this folder" in told(bare.summary[0])
    real = dataclasses.replace(source, scenario=None, results=dataclasses.replace(source.results, seed=None))
    document = report_document(real)
    assert FACTS[0] in opening(document) and "Royan Institute" in opening(document)
    assert not [item for item in walk_sections(document.sections) if item.id == "scenario"]


@pytest.mark.requirement("REPORT-OBJECTIVES")
def test_objectives_say_what_is_to_be_found_out(source: ReportSource, document: Document) -> None:
    (facts,) = section(document, "synopsis").blocks
    assert isinstance(facts, KeyValues)
    words = {plain(term): plain(text) for term, text in facts.items}
    episodes = "the rate ratio of Episodes of hypoglycaemia of level 2 or 3 so far at Month 12"
    arms = "MSC first (early) against Placebo first (late)"
    assert words["Objectives"].startswith(f"Primary: to estimate {episodes}, {arms}; to describe adverse events")
    for claim in source.protocol.claims:
        assert claim.text not in words["Objectives"] and claim.text in words["Claims to be examined"]
    first = list(words).index("Participants simulated")
    assert first < list(words).index("Title")


@pytest.mark.requirement("REPORT-OBJECTIVES")
def test_a_protocol_without_claims_has_objectives_too() -> None:
    pilot = objectives(load_protocol("cdisc-pilot"))
    doses = "Xanomeline high dose against Placebo"
    assert pilot.startswith(f"Primary: to estimate the difference in means of ADAS-Cog (11) at Week 24, {doses};")
    assert "HbA1c" in objectives(load_protocol("msc-t1d")) and "hbA1c" not in objectives(load_protocol("msc-t1d"))


@pytest.mark.requirement("REPORT-DENOMINATORS")
def test_safety_limits_stand_with_numerator_and_denominator(document: Document) -> None:
    main = next(
        block for block in document.summary if isinstance(block, Callout) and plain(block.title) == "Main results"
    )
    assert "0 of 21 had a serious related one (one-sided exact 95% limit of that share: below 14%)" in told(main)
    limits = [
        [plain(cell.text) for cell in item.cells[1:]]
        for table in document.tables()
        for item in table.rows
        if plain(item.cells[0].text) == "one-sided 95% limit"
    ]
    assert ["0 of 10: below 26%", "0 of 11: below 24%", "0 of 21: below 14%"] in limits
    assert all(" of " in text for cells in limits for text in cells)


@pytest.mark.requirement("REPORT-POST-HOC")
def test_precision_from_the_trials_own_errors_is_called_post_hoc(document: Document) -> None:
    table = next(item for item in document.tables() if item.id == "table-precision")
    assert plain(table.title).startswith("Post-hoc precision")
    assert any(
        plain(block.text).startswith("Post-hoc precision of 19")
        for block in document.summary
        if isinstance(block, Paragraph)
    )


@pytest.mark.requirement("REPORT-ROUNDED")
def test_no_number_of_the_report_is_a_signed_zero_or_a_rounding_error(document: Document) -> None:
    minus = "\N{MINUS SIGN}"
    words = " ".join(plain(text) for block in document.blocks() for text in texts(block))
    assert re.findall(rf"(?<![\w.])[-+{minus}]0(?:\.0+)?(?![\w.\d])", words) == []
    assert re.findall(rf"\d[eE][-{minus}]1\d\b", words) == []


@pytest.mark.requirement("REPORT-TRAIL")
def test_the_rows_behind_a_table_of_events_are_its_own_events(document: Document) -> None:
    notes = {item.id: [plain(note) for note in item.notes] for item in document.tables()}
    (episodes,) = [note for note in notes["table-safety-hypoglycaemia"] if note.startswith("Source")]
    assert "adam/adae, AECAT hypoglycaemia" in episodes and "Medical history" not in episodes
    (harm,) = [note for note in notes["table-safety-adverse-events"] if note.startswith("Source")]
    assert harm.endswith("rows: Adverse events.")
