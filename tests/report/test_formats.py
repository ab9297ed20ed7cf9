"""HTML, PDF and Word of one real report: the same numbers in each, and verify compares every one that is there."""

from __future__ import annotations

import io
import re
from collections import Counter
from pathlib import Path

import docx
import pypdfium2 as pdfium
import pytest
from click.testing import CliRunner

import equipoise
from equipoise.cli.main import commands
from equipoise.documents.figure_tables import behind
from equipoise.documents.model import Document
from equipoise.documents.runs import plain
from equipoise.errors import IntegrityError
from equipoise.report.build import FORMATS, SIMULATED, report_document
from equipoise.report.source import read_source
from equipoise.source.digest import digest_of_file

NUMBER = re.compile(r"\d+\.\d+")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("formats")
    done = equipoise.trial("t1dal", path, scenario="no-effect", seed=4, formats=FORMATS)
    assert [report.name for report in done.reports] == ["report.html", "report.pdf", "report.docx"]
    return path


@pytest.fixture(scope="module")
def document(folder: Path) -> Document:
    return report_document(read_source(folder))


def numbers_of_tables(document: Document) -> Counter[str]:
    """Every decimal number in a cell of a table, those behind the figures too."""
    tables = [*document.tables(), *(behind(figure) for figure in document.figures())]
    cells = (
        plain(cell.text) for table in {t.id: t for t in tables}.values() for row in table.rows for cell in row.cells
    )
    return Counter(number for cell in cells for number in NUMBER.findall(cell))


@pytest.mark.requirement("REPORT-SAME-NUMBERS")
def test_every_number_of_every_table_is_in_every_format(folder: Path, document: Document) -> None:
    wanted = numbers_of_tables(document)
    assert len(wanted) > 100
    page = Counter(NUMBER.findall(re.sub(r"<[^>]+>", " ", (folder / "report.html").read_text("utf-8"))))
    word = docx.Document(io.BytesIO((folder / "report.docx").read_bytes()))
    cells = (cell.text for table in word.tables for row in table.rows for cell in row.cells)
    written = Counter(number for cell in cells for number in NUMBER.findall(cell))
    with pdfium.PdfDocument(folder / "report.pdf") as file:
        text = "\n".join(sheet.get_textpage().get_text_range() for sheet in file)
    printed = Counter(NUMBER.findall(text.replace("\u200b", "").replace("\ufffe", "")))
    for name, found in (("html", page), ("docx", written), ("pdf", printed)):
        missing = {number for number in wanted if number not in found}
        assert missing == set(), name


@pytest.mark.requirement("REPORT-SIMULATED")
def test_every_page_on_paper_says_that_the_data_are_simulated(folder: Path) -> None:
    with pdfium.PdfDocument(folder / "report.pdf") as file:
        for sheet in file:
            assert SIMULATED in sheet.get_textpage().get_text_range().replace("\r\n", " ")
    word = docx.Document(io.BytesIO((folder / "report.docx").read_bytes()))
    assert all(SIMULATED in section.header.paragraphs[0].text for section in word.sections)


@pytest.mark.requirement("REPORT-SAME-NUMBERS")
def test_the_command_writes_each_format_and_verify_finds_one_that_was_exchanged(folder: Path) -> None:
    before = {kind: (folder / f"report.{kind}").read_bytes() for kind in FORMATS}
    for kind in FORMATS:
        done = CliRunner().invoke(commands, ["report", str(folder), "--format", kind])
        assert done.exit_code == 0 and f"report.{kind}" in done.output
        assert (folder / f"report.{kind}").read_bytes() == before[kind]
    equipoise.verify(folder)
    provenance = folder / "provenance.json"
    kept = provenance.read_text("utf-8")
    path = folder / "report.docx"
    old = digest_of_file(path)
    path.write_bytes(before["docx"] + b"\0")
    provenance.write_text(kept.replace(old, digest_of_file(path)), "utf-8")
    with pytest.raises(IntegrityError, match=r"report\.docx"):
        equipoise.verify(folder)
    path.write_bytes(before["docx"])
    provenance.write_text(kept, "utf-8")
