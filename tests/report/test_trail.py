"""From each number to its result, the page of its method, and the rows that were analysed."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from equipoise.analysis.registry import methods
from equipoise.documents.html import render
from equipoise.documents.model import Document, FigureBlock, Listing, Row, Section, Table, walk_blocks, walk_sections
from equipoise.documents.numbers import digits
from equipoise.documents.runs import Code, Link, Number, flattened, plain
from equipoise.report.build import report_document
from equipoise.report.method_pages import LEFT_OUT, pages_used
from equipoise.report.source import ReportSource, read_source
from equipoise.verbs.simulating import trial

ROOT = Path(__file__).parents[2]
RESULTS = ("participants", "outcomes", "recurrent", "safety")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("trail") / "out"
    trial("msc-t1d", made, scenario="published", seed=5, formats=())
    return made


@pytest.fixture(scope="module")
def source(folder: Path) -> ReportSource:
    return read_source(folder)


@pytest.fixture(scope="module")
def document(source: ReportSource) -> Document:
    return report_document(source)


def _links(text: object) -> list[Link]:
    return [run for run in flattened(text) if isinstance(run, Link)]  # pyright: ignore[reportArgumentType]


def _rows(document: Document) -> dict[str, Row]:
    return {row.result_id: row for table in document.tables() for row in table.rows if row.result_id}


def _listing(document: Document, name: str) -> Listing:
    return next(block for block in document.named_blocks() if isinstance(block, Listing) and block.id == name)


@pytest.mark.requirement("REPORT-TRAIL")
def test_every_result_leads_to_its_method_and_to_its_rows(document: Document, source: ReportSource) -> None:
    rows = _rows(document)
    assert set(rows) == {result.id for result in source.results.results}
    for result in source.results.results:
        method, values = _links(rows[result.id].cells[0].text)
        assert method.target == f"#method-{methods()[result.method].page}"
        assert values.target == f"#listing-values-{result.parameter}"


@pytest.mark.requirement("REPORT-TRAIL")
def test_the_rows_behind_a_result_are_every_value_of_the_dataset(document: Document, source: ReportSource) -> None:
    for name in source.listed_parameters:
        (table,) = _listing(document, f"listing-values-{name}").blocks
        assert isinstance(table, Table)
        visits = [plain(column.header) for column in table.columns[1:]]
        shown = {
            (plain(row.cells[0].text), visit): plain(cell.text)
            for row in table.rows
            for visit, cell in zip(visits, row.cells[1:], strict=True)
            if plain(cell.text) != "–"
        }
        mine = source.values.filter(PARAMID=name).select("USUBJID", "AVISIT", "AVAL")
        decimals = source.protocol.parameter(name).decimals
        assert shown == {(who, visit): digits(value, decimals) for who, visit, value in mine.iter_rows()}
        arms = dict(source.subjects.select("USUBJID", "ARM").iter_rows())
        assert all(row.group == (arms[plain(row.cells[0].text)] or "Not randomised") for row in table.rows)


@pytest.mark.requirement("REPORT-TRAIL")
def test_every_number_of_a_sentence_or_a_cell_leads_to_a_row(document: Document) -> None:
    rows = _rows(document)
    numbers = [run.result_id for text in _texts(document) for run in flattened(text) if isinstance(run, Number)]
    numbers += [
        cell.result_id for table in document.tables() for row in table.rows for cell in row.cells if cell.result_id
    ]
    assert len(numbers) > 20 and set(numbers) <= set(rows)
    page = render(document)
    for name in set(numbers):
        assert f'id="result:{name}"' in page
        assert f'href="#result:{name}"' in page


def _texts(document: Document) -> Iterator[object]:
    from equipoise.documents.model import texts

    for block in document.blocks():
        yield from texts(block)


@pytest.mark.requirement("REPORT-TRAIL")
def test_every_table_and_figure_of_results_names_its_table_its_method_and_its_rows(
    document: Document, source: ReportSource
) -> None:
    known = {table.id for table in source.results.tables} | {"flow"}
    seen = 0
    for section in walk_sections(document.sections):
        if section.id.split("-")[0] not in RESULTS:
            continue
        for block in walk_blocks(section.blocks):
            if isinstance(block, Table | FigureBlock):
                seen += 1
                last = block.notes[-1]
                assert plain(last).startswith("Source: ") and "; rows: " in plain(last), block.id
                named = [run.text for run in flattened(last) if isinstance(run, Code)]
                assert named[0] in known, block.id
    assert seen > 50


@pytest.mark.requirement("REPORT-METHOD-PAGES")
def test_every_method_of_ours_has_a_page_and_the_report_quotes_it(document: Document, source: ReportSource) -> None:
    for method in methods().values():
        assert (ROOT / "docs" / "statistics" / f"{method.page}.md").is_file(), method.name
    used = {methods()[analysis.method].page for analysis in source.protocol.analyses}
    assert set(pages_used(source.protocol)) == used
    section = next(item for item in document.sections if item.id == "methods-used")
    assert {block.id for block in section.blocks if isinstance(block, Listing)} == {f"method-{page}" for page in used}
    html = render(Document("t", (Section("s", "s", section.blocks),)))
    assert "Kenward and Roger" in html and "Cox" in html and "&gt;&gt;&gt;" not in html
    assert not any(f"<strong>{heading}</strong>" in html for heading in LEFT_OUT)


@pytest.mark.requirement("REPORT-METHOD-PAGES")
def test_an_installed_package_carries_the_pages(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for method in methods().values():
        assert f"equipoise/report/pages/{method.page}.md" in names
