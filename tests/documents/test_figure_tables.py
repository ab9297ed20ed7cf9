"""The numbers behind each figure, as tables."""

from __future__ import annotations

import math
from dataclasses import replace

from equipoise.documents.drawings import ArmTrajectory, FlowBox, Quantity, SmallMultiples
from equipoise.documents.figure_tables import behind
from equipoise.documents.model import Column, FigureBlock, Table, row
from equipoise.documents.runs import Missing, plain
from tests.documents import sample


def figure(drawing, table=None):
    return FigureBlock("f", "What is seen", drawing, "A sentence that says it.", table)


def lines(table):
    return [[plain(cell.text) for cell in item.cells] for item in table.rows]


def test_trajectories_give_n_mean_and_interval_of_each_visit():
    drawing = sample.trajectories()
    table = behind(figure(drawing))
    assert [column.group for column in table.columns] == ["", "Stem cells", "Stem cells", "Placebo", "Placebo"]
    point = drawing.arms[0].means[2]
    expected = f"{point.mean:.2f} ({point.lower:.2f}, {point.upper:.2f})"
    assert lines(table)[2][:3] == ["3", str(point.n), expected]
    assert len(table.rows) == len(sample.TICKS)


def test_an_arm_without_means_says_why():
    drawing = replace(sample.trajectories(), arms=(ArmTrajectory(sample.CELLS),))
    table = behind(figure(drawing))
    assert table.rows[0].cells[1].text == "0"
    assert table.rows[0].cells[2].text == Missing("no value at this time")


def test_a_forest_keeps_texts_groups_and_emphasis():
    table = behind(figure(sample.forest()))
    assert lines(table)[0] == ["AUC, ln(x + 1)", "0.11 (−0.01, 0.23)", "0.065"]
    assert table.rows[0].group == "C-peptide"
    assert table.rows[-1].group == "Glycaemia"
    assert table.rows[0].cells[0].strong
    bare = replace(sample.forest(), columns=(), rows=(replace(sample.forest().rows[1], texts=()),))  # type: ignore[arg-type]
    assert lines(behind(figure(bare))) == [["AUC, ln(x + 1)", "0.11 (−0.01, 0.23)"]]


def test_a_flow_lists_every_box_and_reason_with_its_count():
    drawing = sample.flow()
    table = behind(figure(drawing))
    boxes = [item for stage in drawing.stages for item in (*stage.boxes, stage.side) if isinstance(item, FlowBox)]
    found = lines(table)
    assert len(found) == sum(1 + len(item.details) for item in boxes)
    for item in boxes:
        assert any(line[0] == item.title and line[2] == str(item.count) for line in found)
    assert ["Declined to take part", "all", "4"] in found
    assert ["Analysed at month 24", "Late cells", "7"] in found
    assert [item.group for item in table.rows][-1] == "Period 2, months 12 to 24: Analysis"
    assert "" not in {item.group for item in table.rows}


def test_strips_give_median_and_range():
    assert lines(behind(figure(sample.strips())))[1] == ["Placebo", "10", "25", "8 to 39"]
    nobody = replace(sample.strips(), arms=((sample.CELLS, (math.nan,)),))
    assert lines(behind(figure(nobody))) == [["Stem cells", "0", "–", "–"]]


def test_a_table_of_its_own_goes_first():
    own = Table("own", "Own", (Column("a"),), (row("b"),))
    assert behind(figure(sample.forest(), own)) is own


def test_small_multiples_give_every_quantity_at_every_tick():
    curves = (((0.0, 1.0), (5.0, 2.5)), ((6.0, 4.0),))
    panels = (Quantity("Mass", curves), Quantity("HbA1c", curves, 1))
    drawing = SmallMultiples((sample.CELLS, sample.SALINE), panels, "Months", ((0.0, "0"), (6.0, "6")))
    table = behind(figure(drawing))
    assert [item.group for item in table.rows] == ["Mass", "Mass", "HbA1c", "HbA1c"]
    assert lines(table)[1] == ["6", "2.50", "4.00"] and lines(table)[3] == ["6", "2.5", "4.0"]
    assert table.rows[0].cells[2].text == Missing("no value at this time")
