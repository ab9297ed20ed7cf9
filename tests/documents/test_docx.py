"""The Word file, read back: by python-docx, and as the parts and the XML that the standard describes."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from xml.etree import ElementTree as ET

import docx
import pytest

from equipoise.documents import paper
from equipoise.documents.docx import render
from equipoise.documents.html import render as html
from equipoise.documents.model import Document, Listing, Paragraph, Section, walk_sections
from equipoise.documents.runs import Link, Number, Strong, plain
from equipoise.errors import SurroundingsError
from tests.documents import sample, strange
from tests.documents.pages import read

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
SVG = "{http://schemas.microsoft.com/office/drawing/2016/SVG/main}svgBlip"
DOTTED = re.compile(r"−?\d+\.\d+")


def parts_of(made: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(made)) as file:
        return {name: file.read(name) for name in file.namelist()}


def body_of(made: bytes) -> ET.Element:
    body = ET.fromstring(parts_of(made)["word/document.xml"]).find(f"{W}body")
    assert body is not None
    return body


def words_of(element: ET.Element) -> str:
    return "".join(item.text or "" for item in element.iter(f"{W}t"))


def one(*blocks, **rest) -> bytes:
    return render(Document("T", (Section("s", "S", blocks),), **rest))


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def made():
    return render(sample.document())


@pytest.fixture(scope="module")
def body(made):
    return body_of(made)


@pytest.fixture(scope="module")
def lines(body):
    return [squeezed(words_of(paragraph)) for paragraph in body.iter(f"{W}p")]


@pytest.mark.requirement("REPORT-WORD")
def test_the_same_document_gives_the_same_bytes_in_another_process(made):
    code = (
        "import hashlib; from tests.documents import sample; from equipoise.documents.docx import render;"
        "print(hashlib.sha256(render(sample.document())).hexdigest())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == hashlib.sha256(made).hexdigest()


def test_the_file_is_whole_and_carries_no_time(made):
    with zipfile.ZipFile(io.BytesIO(made)) as file:
        assert file.testzip() is None
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert file.namelist()[0] == "[Content_Types].xml"
        assert len(set(file.namelist())) == len(file.namelist())


def test_every_part_is_declared_and_every_relation_leads_to_a_part(made):
    parts = parts_of(made)
    kinds = ET.fromstring(parts["[Content_Types].xml"])
    named = {item.get("PartName") for item in kinds if item.tag.endswith("Override")}
    endings = {item.get("Extension") for item in kinds if item.tag.endswith("Default")}
    assert {f"/{name}" for name in parts if name.endswith(".xml") and not name.startswith("[")} == named
    assert {name.rpartition(".")[2] for name in parts} <= endings | {"xml"}
    relations = ET.fromstring(parts["word/_rels/document.xml.rels"])
    inner = {item.get("Target") for item in relations if item.get("TargetMode") != "External"}
    assert {f"word/{target}" for target in inner} <= set(parts)
    used = set(re.findall(rb'r:(?:id|embed)="([^"]+)"', parts["word/document.xml"]))
    assert {item.get("Id", "").encode() for item in relations} >= used


def test_word_processors_find_title_author_and_language(made):
    facts = docx.Document(io.BytesIO(made)).core_properties
    assert facts.title == "Mesenchymal stem cells in newly diagnosed type 1 diabetes (SIMULATED DATA)"
    assert (facts.author, facts.language, facts.keywords) == ("equipoise", "en", "SIMULATED DATA")
    assert facts.created is None


def test_every_page_is_a4_with_the_banner_at_its_head_and_its_number_at_its_foot(made):
    document = docx.Document(io.BytesIO(made))
    for section in document.sections:
        sides = sorted((section.page_width.pt, section.page_height.pt))
        assert sides == pytest.approx([595.28, 841.89], abs=0.1)
        assert [item.text for item in section.header.paragraphs] == ["SIMULATED DATA"]
        assert [item.text for item in section.footer.paragraphs][1] == "Page 1 of 1"
    foot = parts_of(made)["word/footer.xml"].decode()
    assert " PAGE " in foot
    assert " NUMPAGES " in foot


def test_real_data_carry_no_banner():
    parts = parts_of(render(sample.document(None)))
    assert "word/header.xml" not in parts
    assert not [name for name, part in parts.items() if b"SIMULATED" in part]


def test_headings_are_headings_and_stay_with_what_follows(made):
    document = docx.Document(io.BytesIO(made))
    found = [(p.style.name, p.text) for p in document.paragraphs if p.style.name.startswith("Heading")]
    assert found == [
        ("Heading 1", "Participants"),
        ("Heading 1", "Results"),
        ("Heading 2", "C-peptide"),
        ("Heading 2", "All outcomes"),
        ("Heading 1", "Methods"),
        ("Heading 1", "Appendix"),
        ("Heading 1", "The numbers behind Figure 1 – Figure 5"),
    ]
    for name in ("Heading 1", "Heading 2", "Caption", "Listing Title"):
        assert document.styles[name].paragraph_format.keep_with_next


def test_the_contents_lead_to_every_heading(body, lines):
    wanted = [section.title for section in walk_sections(sample.document().sections)]
    start = lines.index("Contents") + 1
    assert lines[start : start + len(wanted)] == wanted
    assert 'TOC \\o "1-2"' in "".join(item.text or "" for item in body.iter(f"{W}instrText"))


def test_every_link_inside_leads_to_one_place(body):
    places = [item.get(f"{W}name") for item in body.iter(f"{W}bookmarkStart")]
    targets = {item.get(f"{W}anchor") for item in body.iter(f"{W}hyperlink")} - {None}
    assert len(places) == len(set(places))
    assert targets
    assert targets <= set(places)
    assert all(re.fullmatch(r"[A-Za-z]\w{0,39}", name or "") for name in places)


def test_links_are_not_inside_links():
    number = Number("0.1", sample.RESULT)
    shown = (Link(("see ", number), "https://x.example/ä b"), number)
    made = one(Paragraph(shown), replace(sample.effects(), notes=()))
    for link in body_of(made).iter(f"{W}hyperlink"):
        assert len(list(link.iter(f"{W}hyperlink"))) == 1
    assert b'Target="https://x.example/%C3%A4%20b"' in parts_of(made)["word/_rels/document.xml.rels"]


@pytest.mark.requirement("REPORT-WORD")
def test_every_word_of_the_document_is_in_the_file(lines):
    document = sample.document()
    shown = [document.title, document.subtitle, *(plain(text) for item in document.meta for text in item)]
    for figure in document.figures():
        shown.append(f"{document.labels()[figure.id]}. {plain(figure.title)}")
        shown += [plain(note) for note in figure.notes]
    shown += [f"{document.labels()[table.id]}. {plain(table.title)}" for table in document.tables()]
    shown += ["randomised, 1 to 1, in permuted blocks", "consent", "first dose", "Take care", "Alert", "Good", "Note"]
    shown += ["Values are in Table 2, pictured in Figure 5. The whole method is described in the methods."]
    shown += ["One lot was infused out of specification", "Viability was 68%, the limit is 70%."]
    shown += ["a nobody in the placebo arm wore the monitor at month 12", "See also Figure 3."]
    shown += ["Listing 1: every mixed-meal test", "Made from records and protocol by equipoise; invented numbers."]
    assert [text for text in shown if text not in lines] == []
    assert any(line.endswith("time in range was – (not measured).") for line in lines)


@pytest.mark.requirement("REPORT-WORD")
def test_every_cell_of_the_page_is_a_cell_of_the_file_and_no_number_is_added(made, body):
    page = read(html(sample.document()))
    cells = ["".join(cell.text.split()) for cell in page.all("td", "th")]
    here = ["".join(words_of(cell).split()) for cell in body.iter(f"{W}tc")]
    assert len(cells) > 800
    assert [text for text in cells if text not in here] == []
    numbers = sorted(number for cell in page.all("td", "th") for number in DOTTED.findall(cell.text))
    grids = [table for table in body.iter(f"{W}tbl") if table.find(f".//{W}tblHeader") is not None]
    assert (
        sorted(n for grid in grids for cell in grid.iter(f"{W}tc") for n in DOTTED.findall(words_of(cell))) == numbers
    )


def test_tables_repeat_their_heads_cover_their_grid_and_fit_the_page(body):
    for table in body.iter(f"{W}tbl"):
        widths = [int(item.get(f"{W}w", "0")) for item in table.iter(f"{W}gridCol")]
        assert sum(widths) <= 20 * paper.LYING + 20
        for row in table.findall(f"{W}tr"):
            spans = [cell.find(f"{W}tcPr/{W}gridSpan") for cell in row.findall(f"{W}tc")]
            assert sum(1 if span is None else int(span.get(f"{W}val", "0")) for span in spans) == len(widths)
            assert all(cell.findall("*")[-1].tag == f"{W}p" for cell in row.findall(f"{W}tc"))
    captioned = [table for table in body.iter(f"{W}tbl") if table.find(f"{W}tblPr/{W}tblCaption") is not None]
    assert len(captioned) == 8
    assert all(table.find(f"{W}tr/{W}trPr/{W}tblHeader") is not None for table in captioned)


def test_a_wide_table_lies_on_its_side_with_its_heading():
    table = strange.table(16, 3, "−0.12 (−0.45, 0.21)")
    file = docx.Document(io.BytesIO(one(Paragraph("before"), Listing("l", "The title", (table,)), Paragraph("after"))))
    assert [section.page_width > section.page_height for section in file.sections] == [False, True, False]
    first, second, third = (
        [item.text for item in section.iter_inner_content() if hasattr(item, "text")] for section in file.sections
    )
    assert "before" in first
    assert "The title" not in first
    assert "The title" in second
    assert "after" in third


def test_every_picture_is_there_twice_with_its_sentence(made, body):
    parts = parts_of(made)
    alts = [item.get("descr") for item in body.iter(f"{DRAWING}docPr")]
    assert alts == [figure.alt for figure in sample.document().figures()]
    relations = {item.get("Id"): item.get("Target") for item in ET.fromstring(parts["word/_rels/document.xml.rels"])}
    blips = list(body.iter(f"{A}blip"))
    assert len(blips) == 5
    for blip in blips:
        dots = parts[f"word/{relations[blip.get(f'{R}embed')]}"]
        lines = parts[f"word/{relations[next(blip.iter(SVG)).get(f'{R}embed')]}"]
        assert dots.startswith(b"\x89PNG")
        assert int.from_bytes(dots[16:20]) > 650
        assert ET.fromstring(lines).tag == "{http://www.w3.org/2000/svg}svg"
        assert b"SIMULATED DATA" in lines


def test_each_numbered_list_begins_at_one():
    made = render(strange.everywhere("x"))
    numbering = ET.fromstring(parts_of(made)["word/numbering.xml"])
    lists = {item.get(f"{W}numId") for item in numbering.iter(f"{W}num")}
    used = {item.get(f"{W}val") for item in body_of(made).iter(f"{W}numId")}
    assert used == lists == {"1", "2"}


@pytest.mark.requirement("REPORT-MODEL")
@pytest.mark.parametrize("hostile", [strange.WORD, strange.TYPST, *strange.SCRIPTS])
def test_hostile_words_stay_words_wherever_they_stand(hostile):
    made = render(strange.everywhere(hostile))
    parts = parts_of(made)
    for name, part in parts.items():
        if name.endswith((".xml", ".rels", ".svg")):
            ET.fromstring(part)
    text = squeezed(words_of(body_of(made)))
    assert text.count(squeezed(hostile)) > 50
    file = docx.Document(io.BytesIO(made))
    assert file.paragraphs[0].text == squeezed(hostile)
    assert file.core_properties.title == f"{squeezed(hostile)} ({squeezed(hostile)})"


def test_letters_from_right_to_left_are_marked_and_only_they():
    body = body_of(one(Paragraph(("HbA1c قياس السكر 7", Strong("שלום")))))
    marked = [words_of(run) for run in body.iter(f"{W}r") if run.find(f"{W}rPr/{W}rtl") is not None]
    assert marked == ["قياس السكر", "שלום"]


def test_characters_that_no_page_may_hold_are_replaced():
    body = body_of(one(Paragraph("a\x00b\x1bc\ud800d\ufffe")))
    assert "a\ufffdb\ufffdc\ufffdd\ufffd" in words_of(body)


def test_awkward_tables_and_empty_documents_are_files():
    for document in (strange.shapes(), strange.everywhere(""), Document("", ())):
        made = render(document)
        assert docx.Document(io.BytesIO(made)).sections
    callout = next(iter(body_of(one(*strange.shapes().sections[0].blocks[7:8])).iter(f"{W}tbl")))
    inner = callout.find(f".//{W}tc/{W}tbl")
    assert inner is not None
    assert sum(int(item.get(f"{W}w", "0")) for item in inner.iter(f"{W}gridCol")) <= 20 * paper.UPRIGHT


def test_without_typst_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(SurroundingsError, match=r"equipoise\[documents\]") as caught:
        render(sample.document())
    assert caught.value.exit_code == 5


def test_importing_the_writer_loads_no_typst():
    code = "import sys; import equipoise.documents.docx; print('typst' in sys.modules, 'matplotlib' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False", "False"]
