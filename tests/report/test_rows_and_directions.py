"""Rows are named by their parameter, arrows follow its own direction, and nothing is read off the spelling of an id."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path

import numpy as np
import pytest

from equipoise.analysis.results import Result
from equipoise.documents.drawings import Forest, ForestRow
from equipoise.documents.model import Document, FigureBlock, Table
from equipoise.documents.runs import plain
from equipoise.report.build import report_document
from equipoise.report.forests import excluding
from equipoise.report.shown import Shown, better, p_text, shown
from equipoise.report.source import Beside, ReportSource, read_source
from equipoise.verbs.analysing import analyse
from equipoise.verbs.importing import import_trial
from equipoise.verbs.simulating import trial

EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial"
ODD = "factor-v-tablet"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> ReportSource:
    folder = tmp_path_factory.mktemp("rows") / "out"
    trial("msc-t1d", folder, seed=1, formats=())
    return read_source(folder)


@pytest.fixture(scope="module")
def document(source: ReportSource) -> Document:
    return report_document(source)


def forests(document: Document) -> dict[str, FigureBlock]:
    return {plain(item.title).split(": ")[0]: item for item in document.figures() if isinstance(item.drawing, Forest)}


def rows_of(figure: FigureBlock) -> list[ForestRow]:
    assert isinstance(figure.drawing, Forest)
    return [item for item in figure.drawing.rows if isinstance(item, ForestRow)]


def estimates(document: Document) -> Table:
    return next(item for item in document.tables() if item.id == "table-estimates")


def of(source: ReportSource, analysis: str, parameter: str | None = None) -> Result:
    found = source.results.of_analysis(analysis)
    return next(item for item in found if parameter in (None, item.parameter) and item.active is not None)


@pytest.mark.requirement("REPORT-ROWS")
def test_rows_of_several_parameters_are_named_by_their_parameter(source: ReportSource, document: Document) -> None:
    labels = {item.id: item.label for item in source.protocol.parameters}
    assert source.panels == {"cytokines-12", "cytokines-12-detectable", "cytokines-12-panel"}
    for figure in forests(document).values():
        names = [item.label for item in rows_of(figure)]
        assert len(names) == len(set(names)), f"{figure.id}: two rows of one name"
        assert "cytokines" not in figure.id or set(names) <= set(labels.values())
    rows = {item.result_id: plain(item.cells[0].text) for item in estimates(document).rows if item.result_id}
    assert len(set(rows.values())) == len(rows) == len(source.results.results)
    for result in source.results.results:
        if result.analysis in source.panels:
            assert rows[result.id].startswith(labels[result.parameter])


@pytest.mark.requirement("REPORT-ROWS")
def test_a_panel_is_no_part_of_the_figure_of_its_estimands_parameter(document: Document) -> None:
    found = forests(document)
    assert "interleukin" not in str(found["Balance of pro- over anti-inflammatory cytokines"].drawing).lower()
    panel = found["Cytokines at month 12 as a panel, by step-down minP"]
    assert "Interleukin 10" in [item.label for item in rows_of(panel)]


@pytest.mark.requirement("REPORT-FAVOURS")
def test_arrows_follow_the_parameters_own_direction(source: ReportSource, document: Document) -> None:
    early, late = "favours MSC first (early)", "favours Placebo first (late)"
    found = {name: (figure.drawing.below, figure.drawing.above) for name, figure in forests(document).items()}  # type: ignore[union-attr]
    assert found["HbA1c"] == (early, late) and found["Regulatory T cells among CD4 cells"] == (late, early)
    panel = forests(document)["Cytokines at month 12 as a panel, by step-down minP"]
    assert found["Cytokines at month 12 as a panel, by step-down minP"] == ("", ""), "two directions, no arrow"
    told = {item.label: item.texts[-1] for item in rows_of(panel)}
    assert told["Interferon gamma"] == "lower" and told["Interleukin 10"] == "higher"
    for figure in forests(document).values():
        directions = {item.better for item in source.protocol.parameters if item.label in plain(figure.title)}
        assert directions or not figure.drawing.below  # type: ignore[union-attr]


@pytest.mark.requirement("REPORT-FAVOURS")
def test_a_share_of_low_values_and_the_hazard_of_a_loss_turn_the_direction(source: ReportSource) -> None:
    assert source.protocol.parameter("idaa1c").better == "lower"
    assert better(source, of(source, "remission-12")) == "higher", "more people at 9 or less is better"
    assert better(source, of(source, "cpeptide-loss-12")) == "lower", "fewer losses are better"
    assert better(source, of(source, "grade-3-12")) == "lower"
    interaction = next(item for item in source.results.results if item.variant == "interaction")
    assert better(source, interaction) is None, "it compares effects, not arms"
    neither = dataclasses.replace(of(source, "hba1c-12"), parameter="height")
    assert source.protocol.parameter("height").better is None and better(source, neither) is None


@pytest.mark.requirement("REPORT-FAVOURS")
def test_an_interaction_stands_in_no_figure_of_arms(document: Document) -> None:
    names = [item.label for figure in forests(document).values() for item in rows_of(figure)]
    assert names and not [name for name in names if "interaction" in name]


NUMBERS = Shown(0.5, 0.1, 0.9, "", "difference", 0.0, 2, 1.0)
ABOUT = dataclasses.replace(NUMBERS, lower=-0.1)
NONE = dataclasses.replace(NUMBERS, lower=None, upper=None)


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([ABOUT] * 7, "all 7 intervals include 0 (no effect)"),
        ([NUMBERS, *[ABOUT] * 6], "1 of 7 intervals excludes 0 (no effect)"),
        ([NUMBERS, NUMBERS, ABOUT], "2 of 3 intervals exclude 0 (no effect)"),
        ([ABOUT, ABOUT, NONE], "both intervals include 0 (no effect)"),
        ([NUMBERS, NUMBERS], "both intervals exclude 0 (no effect)"),
        ([NUMBERS, NONE], "the interval excludes 0 (no effect)"),
        ([NONE, NONE], "estimates without intervals"),
    ],
)
@pytest.mark.requirement("REPORT-PLAIN-WORDS")
def test_the_count_of_intervals_has_no_double_negation(numbers: list[Shown], told: str) -> None:
    assert excluding(numbers, 0.0) == told


@pytest.mark.requirement("REPORT-PLAIN-WORDS")
def test_logarithmic_axes_say_so(document: Document) -> None:
    seen = 0
    for figure in document.figures():
        drawing = figure.drawing
        kind = getattr(drawing, "scale", getattr(drawing, "y_scale", None))
        if kind is not None:
            label = getattr(drawing, "axis_label", getattr(drawing, "y_label", ""))
            assert label.endswith("log scale") == (kind == "log"), figure.id
            seen += kind == "log"
    assert seen >= 2


@pytest.mark.requirement("REPORT-MID-P")
def test_a_mid_p_is_called_so_wherever_it_is_printed(source: ReportSource, document: Document) -> None:
    mid = [item for item in source.results.results if item.p_kind == "mid-p"]
    assert {item.method for item in mid} == {"proportion", "detectable"}
    rows = {item.result_id: [plain(cell.text) for cell in item.cells] for item in estimates(document).rows}
    for item in source.results.results:
        named = any("(mid-p)" in text for text in rows[item.id])
        assert named == (item.p_kind == "mid-p" and item.p_value is not None)
        assert ("mid-p" in plain(p_text(item))) == named


@pytest.mark.requirement("REPORT-MID-P")
def test_a_table_that_cannot_vary_has_an_interval_and_no_test(source: ReportSource) -> None:
    result = of(source, "cytokines-12-detectable", "il-1-beta")
    arms = [item for item in source.results.results if item.id.startswith(result.id.rpartition("/")[0])]
    assert {item.estimate for item in arms} == {0.0}, "no one had a detectable level: the case that this test is about"
    assert result.lower is not None and result.p_value is None and result.p_kind is None
    assert result.status.startswith("no one in either arm")


@pytest.mark.requirement("REPORT-ROUNDED")
def test_degrees_of_freedom_are_rounded_before_they_are_shown(source: ReportSource) -> None:
    results = tuple(
        dataclasses.replace(item, df=None if item.df is None else 15 - 1e-9) for item in source.results.results
    )
    changed = dataclasses.replace(source, results=dataclasses.replace(source.results, results=results))
    table = estimates(report_document(changed))
    at = [plain(column.header) for column in table.columns].index("df")
    told = {plain(item.cells[at].text) for item in table.rows if item.result_id}
    assert told == {"15", "–"}


@pytest.mark.requirement("REPORT-ROWS")
def test_a_column_beside_the_estimates_is_shown_on_their_scale(source: ReportSource) -> None:
    rate, share, hba1c = of(source, "hypoglycaemia-12"), of(source, "remission-12"), of(source, "hba1c-12")
    values = {rate.id: math.log(0.5), share.id: 0.2, hba1c.id: -1e-17}
    beside = (Beside("True value", "True values are those of this scenario.", values, "it has none"),)
    table = estimates(report_document(dataclasses.replace(source, beside=beside)))
    at = [plain(column.header) for column in table.columns].index("True value")
    told = {item.result_id: plain(item.cells[at].text) for item in table.rows if item.result_id}
    assert (told[rate.id], told[share.id], told[hba1c.id]) == ("0.50", "20", "0.00")
    assert "it has none" in table.reasons() and beside[0].note in [plain(note) for note in table.notes]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> ReportSource:
    """The small trial with an arm whose id looks like a contrast, and a share of its arms."""
    made = tmp_path_factory.mktemp("odd")
    text = (EXAMPLE / "protocol.yaml").read_text("utf-8")
    text = text.replace("{id: tablet, label: New tablet, treatments", f"{{id: {ODD}, label: New tablet, treatments")
    text = text.replace("active: tablet", f"active: {ODD}")
    share = (
        "  - id: controlled\n    label: HbA1c at most 8 % at month 6\n    method: proportion\n"
        "    options: {at_most: 8}\n    estimand: controlled\n    role: secondary\n"
    )
    course = "  - id: course\n    label: Outcomes over time"
    text = text.replace(course, share + course)
    estimand = (
        "  - id: controlled\n    label: Control at month 6\n    population: randomised\n"
        f"    contrast: {{active: {ODD}, reference: placebo}}\n    variable: {{parameter: hba1c, visit: month-6}}\n"
        "    intercurrent_events: {stopped: treatment-policy}\n    summary: difference-in-proportions\n"
        "    clock: since-first-tablet\n"
    )
    text = text.replace("families:\n", estimand + "families:\n", 1)
    (made / "protocol.yaml").write_text(text, "utf-8")
    (made / "map.yaml").write_text(
        (EXAMPLE / "map.yaml").read_text("utf-8").replace("T: tablet,", f"T: {ODD},"), "utf-8"
    )
    import_trial(made / "protocol.yaml", EXAMPLE / "data", made / "out", import_map=made / "map.yaml")
    analyse(made / "protocol.yaml", made / "out", made / "out")
    return read_source(made / "out")


@pytest.mark.requirement("RESULTS-ARMS")
def test_an_arm_whose_id_looks_like_a_contrast_is_still_one_arm(odd: ReportSource) -> None:
    shares = {item.contrast: item for item in odd.results.of_analysis("controlled")}
    assert set(shares) == {f"{ODD}-v-placebo", ODD, "placebo"}
    own, difference = shares[ODD], shares[f"{ODD}-v-placebo"]
    assert (own.active, own.reference) == (None, None)
    assert (difference.active, difference.reference) == (ODD, "placebo")
    assert own not in odd.comparisons() and difference in odd.comparisons()
    assert (shown(odd, own).unit, shown(odd, own).kind) == ("%", "share")
    assert shown(odd, difference).unit == "percentage points"
    document = report_document(odd)
    drawn = [row for figure in document.figures() if isinstance(figure.drawing, Forest) for row in rows_of(figure)]
    assert not [row for row in drawn if np.isclose(row.estimate, 100 * (own.estimate or 0)) and "8 %" in row.label]
    rows = {item.result_id: plain(item.cells[0].text) for item in estimates(document).rows}
    assert re.search(r": New tablet, % ", rows[own.id])
