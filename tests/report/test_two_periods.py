"""The report of a trial with two periods: flow, safety tables, courses over time, and marks of simulated data."""

from __future__ import annotations

import dataclasses
import re
from typing import Literal

import pytest

from equipoise.analysis.results import ClaimResult
from equipoise.documents.drawings import Flow, FlowBox, Trajectories
from equipoise.documents.figures import draw
from equipoise.documents.html import render
from equipoise.documents.model import Callout, Document, Paragraph
from equipoise.documents.runs import plain
from equipoise.report.build import SIMULATED, report_document
from equipoise.report.outcomes import MOST_INDIVIDUALS
from equipoise.report.source import ReportSource
from tests.documents import pictures
from tests.report.two_periods import TREG_VISITS, two_periods


@pytest.fixture(scope="module")
def source() -> ReportSource:
    return two_periods()


@pytest.fixture(scope="module")
def document(source: ReportSource) -> Document:
    return report_document(source)


@pytest.fixture(scope="module")
def html(document: Document) -> str:
    return render(document)


def drawing(document: Document, name: str) -> object:
    return next(item.drawing for item in document.figures() if item.id == name)


def table(document: Document, name: str) -> list[list[str]]:
    """The cells of a table as words, each row after the heading that it stands under."""
    found = next(item for item in document.tables() if item.id == name)
    return [[item.group, *(plain(cell.text) for cell in item.cells)] for item in found.rows]


def words(box: FlowBox | None) -> list[tuple[str, int | None]]:
    assert box is not None
    return [(box.title, box.count), *box.details]


@pytest.mark.requirement("REPORT-FLOW")
@pytest.mark.requirement("REPORT-CROSSOVER")
def test_the_flow_goes_from_enrolment_through_both_periods_to_the_analysis(document: Document) -> None:
    flow = drawing(document, "flow")
    assert isinstance(flow, Flow)
    assert [stage.period or stage.label for stage in flow.stages] == [
        "Enrolment",
        "",
        "",
        "Allocation",
        "Period 1 (months 0 to 12)",
        "Period 2 (months 12 to 24)",
        "Analysis",
    ]
    assessed, selected, randomised, *_ = flow.stages
    assert words(assessed.boxes[0]) == [("Assessed for eligibility", 17)]
    assert words(selected.side)[0] == ("Not eligible", 6)
    assert words(randomised.side) == [
        ("Not randomised", 4),
        ("Declined to take part", 2),
        ("Not eligible at screening", 1),
        ("· low C-peptide", 1),
        ("Not randomised for another reason", 1),
    ]


@pytest.mark.requirement("REPORT-FLOW")
def test_a_period_s_box_says_what_was_given_and_has_its_colour(document: Document) -> None:
    flow = drawing(document, "flow")
    assert isinstance(flow, Flow)
    first, second, analysis = flow.stages[-3:]
    assert [box.role if box else "" for box in first.boxes] == ["active", "placebo"]
    assert [box.role if box else "" for box in second.boxes] == ["placebo", "active"]
    assert words(second.boxes[0]) == [
        ("Normal saline given", 3),
        ("Received both infusions", 2),
        ("Received one infusion", 1),
        ("· lot not released", 1),
        ("Left during the period", 1),
        ("· lost to follow-up", 1),
        ("Seen at Month 24", 2),
    ]
    assert words(analysis.boxes[1]) == [("Analysed", None), ("MAIN", 2), ("LATE", 2)]


def test_a_criterion_that_was_not_met_is_not_told_as_a_fact(source: ReportSource) -> None:
    steps = tuple(
        dataclasses.replace(step, reasons=(("Diagnosed within 6 weeks", 5), ("Cancer", 1)))
        if step.id == "not-eligible"
        else step
        for step in source.results.flow
    )
    changed = dataclasses.replace(source, results=dataclasses.replace(source.results, flow=steps))
    flow = drawing(report_document(changed), "flow")
    assert isinstance(flow, Flow)
    assert words(flow.stages[1].side)[1:] == [("not met: Diagnosed within 6 weeks", 5), ("Cancer", 1)]


@pytest.mark.requirement("REPORT-FLOW")
def test_the_numbers_behind_the_flow_are_those_of_the_results(document: Document, source: ReportSource) -> None:
    figure = next(item for item in document.figures() if item.id == "flow")
    assert figure.table is not None
    told = {
        (plain(r.cells[0].text), plain(r.cells[1].text), r.group, plain(r.cells[2].text)) for r in figure.table.rows
    }
    labels = {None: "all"} | {arm.id: arm.label for arm in source.protocol.arms}
    periods = {None: "Before the first period"} | {period.id: period.label for period in source.protocol.periods}
    for step in source.results.flow:
        assert (step.label, labels[step.arm], periods[step.period], str(step.count)) in told


@pytest.mark.requirement("RESULTS-BLINDED")
def test_a_blinded_report_of_two_periods_tells_no_arm() -> None:
    blind = report_document(two_periods(blinded=True))
    flow = drawing(blind, "flow")
    assert isinstance(flow, Flow)
    assert {len(stage.boxes) for stage in flow.stages} == {1}
    told = " ".join(
        cell
        for name in ("harm-adverse-events", "harm-serious")
        for row in table(blind, f"table-{name}")
        for cell in row
    )
    assert "MSC first" not in told and "active" not in told


PERIOD_1 = "Period 1 (months 0 to 12)"


@pytest.mark.parametrize(
    "row",
    [
        [PERIOD_1, "Treatment", "active", "placebo", ""],
        [PERIOD_1, "Participants at risk", "3", "2", "5"],
        [PERIOD_1, "Person-years", "2.4", "2.0", "4.4"],
        [PERIOD_1, "Any", "2 (67%); 3", "1 (50%); 1", "3 (60%); 4"],
        [PERIOD_1, "Serious and related", "1 (33%); 1", "0", "1 (20%); 1"],
        ["Before the first infusion", "Any", "1 (33%); 1", "0", "1 (25%); 1"],
        [
            "Period 2 (months 12 to 24)",
            "one-sided 95% limit",
            "0 of 2: below 78%",
            "0 of 1: below 95%",
            "0 of 3: below 64%",
        ],
    ],
)
@pytest.mark.requirement("REPORT-ADVERSE")
def test_the_safety_table_tells_people_shares_and_events(document: Document, row: list[str]) -> None:
    assert row in table(document, "table-harm-adverse-events")


def test_what_was_never_asked_of_events_is_a_note_and_no_row(document: Document) -> None:
    names = {row[1] for row in table(document, "table-harm-hypoglycaemia")}
    assert "Level 3" in names and not names & {"Serious", "Related", "Serious and related"}
    found = next(item for item in document.tables() if item.id == "table-harm-hypoglycaemia")
    assert "Not recorded for these events: serious, related, serious and related." in [plain(n) for n in found.notes]


@pytest.mark.requirement("REPORT-ADVERSE")
def test_terms_stand_by_frequency_with_their_worst_grades(document: Document) -> None:
    rows = table(document, "table-harm-adverse-events-by-term")
    assert [row[1] for row in rows] == ["Fever", "grade 3", "Headache", "Sepsis", "grade 5"]
    # Columns: before, period 1, period 2, first of group A and then of group B.
    assert rows[0][2:] == ["1; 1", "1; 2", "0", "0", "1; 1", "0"]
    assert rows[1][2:] == ["0", "1; 1", "0", "0", "0", "0"]


def test_a_primary_outcome_of_safety_stands_at_the_head(document: Document) -> None:
    boxes = [block for block in document.summary if isinstance(block, Callout)]
    (main,) = [block for block in boxes if plain(block.title) == "Main results"]
    told = [plain(block.text) for block in main.blocks if isinstance(block, Paragraph)]
    harm = "1 of 5 had a serious related one (one-sided exact 95% limit of that share: below 66%)"
    assert told == [
        f"Primary. Adverse events: 5 of 5 participants had 7 in all; {harm}. (table-harm-adverse-events)",
        "Primary. Episodes of hypoglycaemia: 2 of 5 participants had 3 in all. (table-harm-hypoglycaemia)",
    ]


@pytest.mark.requirement("REPORT-ADVERSE")
def test_every_serious_event_has_a_line(document: Document, source: ReportSource) -> None:
    rows = table(document, "table-harm-serious")
    assert [row[1] for row in rows] == ["P0", "P2"]
    assert len(rows) == len(source.results.table("harm/serious").rows)


def test_no_serious_event_is_said_in_words(source: ReportSource) -> None:
    tables = tuple(
        dataclasses.replace(item, rows=()) if item.id == "harm/serious" else item for item in source.results.tables
    )
    found = report_document(dataclasses.replace(source, results=dataclasses.replace(source.results, tables=tables)))
    assert not [item for item in found.tables() if item.id == "table-harm-serious"]
    told = [plain(b.text) for b in found.blocks() if isinstance(b, Paragraph)]
    silent = "Episodes of hypoglycaemia, seriousness: not recorded, which is not the same as none."
    assert f"No serious event was recorded. {silent}" in told


def test_without_an_answer_to_seriousness_nothing_is_said_of_serious_events(source: ReportSource) -> None:
    notes = tuple(f"{name}, seriousness: not recorded." for name in ("Adverse events", "Episodes of hypoglycaemia"))
    blank = {"harm/serious": {"rows": (), "notes": notes}}
    summary = source.results.table("harm")
    place = [column.id for column in summary.columns].index("statistic")
    rows = tuple(
        (*row[: place + 1], *(None for _ in row[place + 1 :])) if row[place] == "participants: serious" else row
        for row in summary.rows
    )
    blank["harm"] = {"rows": rows}
    tables = tuple(dataclasses.replace(item, **blank.get(item.id, {})) for item in source.results.tables)
    found = report_document(dataclasses.replace(source, results=dataclasses.replace(source.results, tables=tables)))
    told = [plain(b.text) for b in found.blocks() if isinstance(b, Paragraph)]
    assert " ".join(notes) in told and not any("No serious event" in text for text in told)


@pytest.mark.requirement("REPORT-FIGURES")
def test_visits_two_days_apart_stand_apart(document: Document) -> None:
    treg = drawing(document, "figure-treg-percent")
    assert isinstance(treg, Trajectories)
    assert [x for x, _ in treg.ticks] == list(range(len(TREG_VISITS)))
    assert "evenly" in treg.x_label
    assert [line.value for line in treg.divisions] == [TREG_VISITS.index("dose-3") - 0.5]
    assert all(person.x == tuple(range(len(TREG_VISITS))) for arm in treg.arms for person in arm.individuals)
    assert [point.x for point in treg.arms[0].means] == list(range(len(TREG_VISITS)))


@pytest.mark.requirement("REPORT-FIGURES")
def test_visits_months_apart_stand_by_time(document: Document) -> None:
    cytokine = drawing(document, "figure-ifn-gamma")
    assert isinstance(cytokine, Trajectories)
    assert cytokine.ticks[-1][0] == pytest.approx(735 / 365.25 * 12)
    assert "time since day 0" in cytokine.x_label
    assert [line.value for line in cytokine.divisions] == pytest.approx([371 / 365.25 * 12])


@pytest.mark.requirement("REPORT-FIGURES")
def test_concentrations_have_a_log_axis_where_it_can_hold_them(document: Document) -> None:
    scales = {name: drawing(document, f"figure-{name}") for name in ("ifn-gamma", "treg-percent")}
    assert {name: item.y_scale for name, item in scales.items() if isinstance(item, Trajectories)} == {
        "ifn-gamma": "log",
        "treg-percent": "linear",
    }
    below = drawing(report_document(two_periods(lowest=-0.7)), "figure-ifn-gamma")
    assert isinstance(below, Trajectories) and below.y_scale == "linear"


@pytest.mark.requirement("REPORT-FIGURES")
@pytest.mark.parametrize(("people", "lines"), [(MOST_INDIVIDUALS, MOST_INDIVIDUALS), (MOST_INDIVIDUALS + 2, 0)])
def test_of_many_participants_only_means_are_drawn(people: int, lines: int) -> None:
    figure = next(
        item for item in report_document(two_periods(people=people)).figures() if item.id == "figure-ifn-gamma"
    )
    assert isinstance(figure.drawing, Trajectories)
    assert sum(len(arm.individuals) for arm in figure.drawing.arms) == lines
    assert all(arm.means for arm in figure.drawing.arms)
    assert ("each participant" in figure.alt) == bool(lines)


def test_claims_stand_with_verdict_and_reason(source: ReportSource) -> None:
    claims = (ClaimResult("c3", "It helps.", "inconclusive", (), "hba1c-12: effects beyond 1 are excluded"),)
    found = report_document(dataclasses.replace(source, results=dataclasses.replace(source.results, claims=claims)))
    assert table(found, "table-claims") == [["", "C3. It helps.", "inconclusive", "not simulated", claims[0].reason]]


# ---- Simulated data are marked wherever a reader may look ------------------------------------------------------------


@pytest.mark.requirement("SIMULATE-MARKED")
def test_the_screen_keeps_saying_that_data_are_simulated(html: str) -> None:
    assert f'<aside class="banner" aria-label="Take care">{SIMULATED}</aside>' in html
    assert re.search(r"\.banner \{[^}]*position: sticky", html)
    assert f"({SIMULATED})</title>" in html


@pytest.mark.requirement("SIMULATE-MARKED")
@pytest.mark.requirement("REPORT-SIMULATED")
def test_every_printed_page_says_that_data_are_simulated(html: str) -> None:
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    pages = "".join(re.findall(r"@page\s*\{.*", style, re.DOTALL))
    (content,) = re.findall(r'@top-center\s*\{\s*content:\s*"([^"]*)"', pages)
    assert re.sub(r"\\([0-9a-f]{6})", lambda found: chr(int(found[1], 16)), content) == SIMULATED
    printed = style[style.index("@media print") :]
    assert re.search(r"\.watermark \{[^}]*position: fixed", printed)
    assert re.search(rf'<p class="watermark"[^>]*>{SIMULATED}</p>', html)


@pytest.mark.requirement("SIMULATE-MARKED")
@pytest.mark.parametrize("width", ["wide", "narrow"])
@pytest.mark.requirement("REPORT-SIMULATED")
def test_every_figure_says_that_data_are_simulated(document: Document, html: str, width: str) -> None:
    drawn = re.findall(rf'<svg[^>]*class="{width}".*?</svg>', html, re.DOTALL)
    assert len(drawn) == len(list(document.figures())) == 3
    for picture in drawn:
        assert SIMULATED in " ".join(re.findall(r">([^<>]+)<", picture))


@pytest.mark.requirement("SIMULATE-MARKED")
def test_real_data_are_not_called_simulated(source: ReportSource) -> None:
    real = dataclasses.replace(source, results=dataclasses.replace(source.results, seed=None))
    html = render(report_document(real))
    assert SIMULATED not in html and 'class="banner"' not in html and 'class="watermark"' not in html


@pytest.mark.requirement("REPORT-PHONE")
@pytest.mark.parametrize("width", ["wide", "narrow"])
def test_no_words_of_a_figure_lie_over_each_other(document: Document, width: Literal["wide", "narrow"]) -> None:
    for figure in document.figures():
        picture = draw(figure.drawing, width, mark=document.banner)
        found, whole = pictures.words(picture), pictures.page(picture)
        assert not pictures.collisions(found), figure.id
        assert all(area.inside(whole) for area in found), figure.id
        if figure.id == "flow":
            assert not pictures.collisions(pictures.boxes(picture))
