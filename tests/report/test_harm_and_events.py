"""Harm and recurrent events in the report: the picture of episodes, rates, exposure and shifts say what results say."""

from __future__ import annotations

import pytest

from equipoise.documents.drawings import Trajectories
from equipoise.documents.figures import draw
from equipoise.documents.model import FigureBlock, Table
from equipoise.documents.numbers import digits
from equipoise.documents.runs import plain
from equipoise.report.build import report_document
from equipoise.report.source import ReportSource, read_source
from equipoise.verbs.simulating import trial

pytestmark = pytest.mark.requirement("REPORT-HARM")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> ReportSource:
    folder = tmp_path_factory.mktemp("harm")
    trial("msc-t1d", folder, scenario="published", seed=3)
    return read_source(folder)


@pytest.fixture(scope="module")
def blocks(source: ReportSource) -> dict[str, Table | FigureBlock]:
    document = report_document(source)
    return {item.id: item for item in document.named_blocks() if isinstance(item, Table | FigureBlock)}


def test_the_curve_steps_where_events_are_and_ends_at_the_last_mean(source, blocks) -> None:
    figure, found = blocks["figure-hypoglycaemia-12-course"], source.results.table("hypoglycaemia-12-course")
    assert isinstance(figure, FigureBlock) and isinstance(figure.drawing, Trajectories)
    for arm, group in zip(figure.drawing.arms, ("group-a", "group-b"), strict=True):
        lines = [row for row in found.rows if row[0] == group]
        assert arm.curve[-1][1] == lines[-1][2]
        values = [value for _, value in arm.curve]
        assert values == sorted(values)
        # Two corners a step: it is flat before each rise.
        assert len(arm.curve) == 2 * len(lines) - 1
        assert arm.counts[0] == lines[0][5]
    table = figure.table
    assert table is not None and plain(table.rows[-1].cells[1].text) == digits(figure.drawing.arms[0].curve[-1][1], 2)
    for width in ("wide", "narrow"):
        assert draw(figure.drawing, width).count(b"stroke-width: 2") >= 2


def test_rates_exposure_and_shifts_are_those_of_the_results(source, blocks) -> None:
    rates, found = blocks["table-event-rates-12"], source.results.table("event-rates-12")
    assert isinstance(rates, Table) and len(rates.rows) == len(found.rows)
    names = [column.id for column in found.columns]
    for shown, cells in zip(rates.rows, found.rows, strict=True):
        line = dict(zip(names, cells, strict=True))
        assert plain(shown.cells[1].text).startswith(f"{line['active/participants']}; {line['active/events']} / ")
        assert digits(line["first/estimate"], 2) in plain(shown.cells[3].text)
    exposure = blocks["table-exposure"]
    assert isinstance(exposure, Table)
    given = next(row for row in exposure.rows if plain(row.cells[0].text) == "Infusions given")
    stored = next(row for row in source.results.table("exposure").rows if row[2] == "Infusions given")
    assert [plain(cell.text) for cell in given.cells[1:]] == [str(number) for number in stored[5:]]
    shifts = blocks["table-laboratory-shifts"]
    assert isinstance(shifts, Table)
    assert [plain(row.cells[-1].text) for row in shifts.rows] == [
        str(row[-1]) for row in source.results.table("laboratory-shifts").rows
    ]


def test_a_hazard_is_not_called_a_rate(source) -> None:
    from equipoise.report.shown import shown

    loss = next(item for item in source.results.results if item.analysis == "cpeptide-loss-12")
    assert shown(source, loss).kind == "hazard ratio"
    count = next(item for item in source.results.results if item.analysis == "hypoglycaemia-12")
    assert shown(source, count).kind == "rate ratio"


def test_who_hangs_on_whom_stands_beside_the_claims(source, blocks) -> None:
    table = blocks["table-influence"]
    assert isinstance(table, Table)
    assert len(table.rows) == len(source.results.table("influence").rows)
    labels = {item.label for item in source.protocol.analyses}
    assert all(plain(row.cells[0].text).split(", interaction")[0] in labels for row in table.rows)


def test_terms_stand_under_their_system_organ_class_whose_events_add_up(source, blocks) -> None:
    found = source.results.table("safety/by-term")
    at = {column.id: index for index, column in enumerate(found.columns)}
    lines = [row for row in found.rows if row[0] == "adverse-events" and row[at["grade"]] == "any"]
    classes = {row[at["category"]] for row in lines}
    assert len(classes) > 3
    for category in classes:
        for period in {row[2] for row in lines}:
            mine = [row for row in lines if row[at["category"]] == category and row[2] == period]
            whole = [row for row in mine if row[at["term"]] == "any"]
            terms = [row for row in mine if row[at["term"]] != "any"]
            for group in ("group-a", "group-b", "all"):
                events, people = at[f"{group}/events"], at[f"{group}/participants"]
                assert sum(row[events] for row in terms) == sum(row[events] for row in whole)
                if whole:
                    most = max(row[people] for row in terms)
                    assert most <= whole[0][people] <= sum(row[people] for row in terms)
    table = blocks["table-safety-adverse-events-by-term"]
    assert isinstance(table, Table) and "system organ class" in plain(table.title)
    depth = {plain(item.cells[0].text): item.indent for item in table.rows}
    assert {depth[category] for category in classes} == {0} and depth["Fever"] == 1
