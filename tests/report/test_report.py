"""The report: one file that asks for nothing, in which every number is one of results.json or a dataset."""

from __future__ import annotations

import re
import statistics
from html.parser import HTMLParser
from pathlib import Path

import pytest

from equipoise.analysis.results import read_results
from equipoise.documents.drawings import Forest, Trajectories
from equipoise.documents.html import render
from equipoise.documents.model import Bullets, Callout, Document, Paragraph, Table
from equipoise.documents.numbers import digits
from equipoise.documents.runs import plain
from equipoise.protocol.load import load_protocol
from equipoise.report.build import report_bytes, report_document
from equipoise.report.source import ReportSource, read_source
from equipoise.verbs.analysing import analyse
from equipoise.verbs.importing import import_trial

EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("report") / "out"
    import_trial(EXAMPLE / "protocol.yaml", EXAMPLE / "data", made, import_map=EXAMPLE / "map.yaml")
    analyse(EXAMPLE / "protocol.yaml", made, made)
    return made


@pytest.fixture(scope="module")
def source(folder: Path) -> ReportSource:
    return read_source(folder)


@pytest.fixture(scope="module")
def document(source: ReportSource) -> Document:
    return report_document(source)


@pytest.fixture(scope="module")
def html(document: Document) -> str:
    return render(document)


class _Page(HTMLParser):
    """The text that a reader sees, and every address that a browser would fetch by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.fetched: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in ("style", "script")
        for name, value in attrs:
            if (name in ("src", "srcset", "data", "poster") or (tag == "link" and name == "href")) and value:
                self.fetched.append(value)

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words.append(data)


def read(html: str) -> _Page:
    page = _Page()
    page.feed(html)
    return page


def table(document: Document, name: str) -> Table:
    return next(item for item in document.tables() if item.id == name)


@pytest.mark.requirement("REPORT-OFFLINE")
def test_nothing_is_fetched(html: str) -> None:
    assert not [address for address in read(html).fetched if not address.startswith("data:")]
    assert not re.findall(r"url\((?!['\"]?(?:data:|#))", html)
    assert "@import" not in html


@pytest.mark.requirement("REPORT-PROVENANCE")
def test_it_begins_with_title_and_provenance(document: Document, folder: Path) -> None:
    results = read_results(folder / "results.json")
    assert document.title == load_protocol(folder / "protocol.yaml").study.title
    meta = " ".join(plain(text) for pair in document.meta for text in pair)
    assert results.records["digest"].removeprefix("sha256:")[:12] in meta
    assert results.allocation is not None
    assert results.allocation["digest"].removeprefix("sha256:")[:12] in meta
    assert results.software["version"] in meta


def test_whole_digests_stand_under_provenance(html: str, folder: Path) -> None:
    results = read_results(folder / "results.json")
    assert results.allocation is not None
    text = " ".join(read(html).words)
    for digest in (*results.protocol["digests"], results.records["digest"], results.allocation["digest"]):
        assert digest in text


@pytest.mark.requirement("REPORT-FLOW")
def test_the_flow_of_participants_is_drawn_with_its_counts(html: str, source: ReportSource) -> None:
    text = " ".join(read(html).words)
    for step in source.results.flow:
        if not step.id.startswith("visit-"):
            assert step.label in re.sub(r"\s+", " ", text), step.label


@pytest.mark.requirement("REPORT-BASELINE")
def test_the_baseline_table_has_arms_and_no_p_values(document: Document) -> None:
    baseline = table(document, "table-baseline")
    headers = [plain(column.header) for column in baseline.columns]
    assert headers == ["Characteristic", "New tablet (n = 6)", "Placebo (n = 6)", "All participants (n = 12)"]
    words = " ".join([*headers, *(plain(cell.text) for row in baseline.rows for cell in row.cells)])
    assert not re.search(r"\bp\b|p-value|signific", words)


@pytest.mark.requirement("REPORT-BASELINE")
def test_the_baseline_table_has_the_numbers_of_each_arm_worked_out_by_hand(document: Document) -> None:
    """Ages on the tablet: 20 24 26 27 33 38, whose squares about 28 sum to 210.

    On placebo: 19 21 22 29 31 35, to 204.83 about 26.17. Quartiles of six are the second and the fifth value.
    """
    rows = [[plain(cell.text) for cell in line.cells] for line in table(document, "table-baseline").rows]
    age = rows.index(["Age, years"])
    assert rows[age + 1][1:3] == ["28.0 (6.5)", "26.2 (6.4)"]
    assert rows[age + 2][1:3] == ["26.5 (24.0 to 33.0)", "25.5 (21.0 to 31.0)"]
    sex = rows.index(["Sex"])
    assert rows[sex + 1 : sex + 3] == [
        ["Female", "3 (50%)", "3 (50%)", "6 (50%)"],
        ["Male", "3 (50%)", "3 (50%)", "6 (50%)"],
    ]
    cpeptide = rows.index(["Fasting C-peptide, nmol/L"])
    values = {"T": [], "P": []}
    arms = dict(line.split(",")[:2] for line in (EXAMPLE / "data" / "people.csv").read_text("utf-8").splitlines()[1:])
    for line in (EXAMPLE / "data" / "visits.csv").read_text("utf-8").splitlines()[1:]:
        person, visit, _, _, value = line.split(",")
        if visit == "V1" and value:
            values[arms[person]].append(float(value) * 0.331)
    shown = [f"{statistics.mean(values[arm]):.3f} ({statistics.stdev(values[arm]):.3f})" for arm in ("T", "P")]
    assert rows[cpeptide + 1][1:3] == shown


@pytest.mark.requirement("REPORT-FIGURES")
def test_each_outcome_has_a_figure_of_individuals_means_and_numbers(document: Document, source: ReportSource) -> None:
    figures = {item.id: item.drawing for item in document.figures()}
    for name in ("hba1c", "cpeptide"):
        drawing = figures[f"figure-{name}"]
        assert isinstance(drawing, Trajectories)
        assert [arm.style.role for arm in drawing.arms] == ["active", "placebo"]
        assert sum(len(arm.individuals) for arm in drawing.arms) == 12
        unit = source.protocol.parameter(name).unit
        assert drawing.y_label.endswith(unit)
        for arm, (group, _) in zip(drawing.arms, source.groups, strict=True):
            rows = {(r[1], r[4], r[5]): r for r in source.results.table("course").rows}
            column = [c.id for c in source.results.table("course").columns].index(group)
            for point, visit in zip(arm.means, ("baseline", "month-3", "month-6"), strict=True):
                assert point.mean == rows[name, visit, "mean"][column]
                assert point.n == rows[name, visit, "n"][column]
                assert (point.lower, point.upper) == (
                    rows[name, visit, "lower"][column],
                    rows[name, visit, "upper"][column],
                )


@pytest.mark.requirement("REPORT-ESTIMATES")
def test_forest_and_table_hold_every_estimate(document: Document, source: ReportSource) -> None:
    forests = [item.drawing for item in document.figures() if isinstance(item.drawing, Forest)]
    drawn = {row.estimate for forest in forests for row in forest.rows if hasattr(row, "estimate")}
    assert drawn == {item.estimate for item in source.results.results}
    rows = {row.result_id: row for row in table(document, "table-estimates").rows}
    assert set(rows) == {item.id for item in source.results.results}
    for item in source.results.results:
        assert item.estimate is not None and item.lower is not None and item.upper is not None
        cell = plain(rows[item.id].cells[1].text)
        assert cell == f"{digits(item.estimate, 2)} ({digits(item.lower, 2)}, {digits(item.upper, 2)})"


@pytest.mark.requirement("REPORT-ASSUMED")
@pytest.mark.parametrize("name", ["t1dal", "msc-t1d"])
def test_everything_assumed_is_listed_with_its_reason(source: ReportSource, name: str) -> None:

    from equipoise.report.promises import assumed_section

    protocol = load_protocol(name)
    section = assumed_section(protocol)
    assert section is not None
    listed = next(block for block in section.blocks if isinstance(block, Table))
    told = {plain(row.cells[0].text): plain(row.cells[2].text) for row in listed.rows}
    assert told == dict(protocol.assumed)


@pytest.mark.requirement("REPORT-PHONE")
def test_it_is_laid_out_for_phone_and_paper(html: str) -> None:
    assert re.search(r'<meta name="viewport" content="width=device-width', html)
    assert "@media print" in html and "@page" in html
    assert re.search(r"@media[^{]*(max|min)-width|@media[^{]*width\s*[<>]", html)


@pytest.mark.requirement("REPORT-COLOURS")
def test_arms_have_the_colours_that_they_have_everywhere(html: str) -> None:
    assert "#0072b2" in html.lower() and "#e69f00" in html.lower()


@pytest.mark.requirement("REPORT-MODEL")
def test_hostile_words_of_a_protocol_stay_words(folder: Path, tmp_path: Path) -> None:
    import shutil

    made = Path(shutil.copytree(folder, tmp_path / "out"))
    hostile = "<script>alert(1)</script>"
    path = made / "protocol.yaml"
    path.write_text(path.read_text().replace("label: New tablet, treatments", f'label: "{hostile}", treatments'))
    html = report_bytes(made).decode("utf-8")
    assert hostile not in html
    assert "&lt;script&gt;" in html


def test_simulated_results_say_so_at_the_top_of_the_document(source: ReportSource) -> None:
    import dataclasses

    simulated = dataclasses.replace(source, results=dataclasses.replace(source.results, seed=1))
    banner = report_document(simulated).banner
    assert banner is not None and "imulated" in banner
    assert report_document(source).banner is None


@pytest.mark.requirement("RESULTS-BLINDED")
def test_a_blinded_report_shows_no_arm(tmp_path: Path, folder: Path) -> None:
    analyse(EXAMPLE / "protocol.yaml", folder, tmp_path / "blind", blinded=True)
    document = report_document(read_source(tmp_path / "blind"))
    for item in document.figures():
        if isinstance(item.drawing, Trajectories):
            assert [arm.style.role for arm in item.drawing.arms] == ["neutral"]
    html = render(document)
    assert "Blinded run" in html and "favours" not in html


@pytest.mark.requirement("ANALYSIS-T1DAL-OBSERVED")
def test_sensitivity_stands_beneath_the_main_result(document: Document, source: ReportSource) -> None:
    (main,) = [block for block in document.summary if isinstance(block, Callout)]
    sentence, variants = main.blocks
    assert isinstance(sentence, Paragraph) and isinstance(variants, Bullets)
    robust = source.results.of_analysis("hba1c-robust")[0]
    assert robust.estimate is not None
    assert [plain(item).startswith(f"{robust.label}: {digits(robust.estimate, 2)} (") for item in variants.items] == [
        True
    ]
