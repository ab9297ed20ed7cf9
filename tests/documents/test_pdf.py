"""The PDF, read back: it is A4, marked on every page, whole, tagged, and holds every word and number of the page."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass

import pypdfium2 as pdfium
import pytest

from equipoise.documents import paper
from equipoise.documents.html import render as html
from equipoise.documents.model import (
    Column,
    Document,
    KeyValues,
    Listing,
    Paragraph,
    Section,
    Table,
    row,
    walk_sections,
)
from equipoise.documents.pdf import render
from equipoise.documents.pdf.source import source
from equipoise.documents.runs import Code, Emphasis, Link, Strong, plain
from equipoise.documents.typesetting import quoted
from equipoise.errors import SurroundingsError
from tests.documents import sample, strange
from tests.documents.pages import read

A4 = (595.28, 841.89)


@dataclass(frozen=True)
class Page:
    """A page as a reader finds it: its size, its words, and each letter with the box (left, bottom, right, top)."""

    size: tuple[float, float]
    text: str
    letters: tuple[tuple[str, tuple[float, float, float, float]], ...]
    drawn: int


def pages_of(made: bytes) -> list[Page]:
    with pdfium.PdfDocument(made) as file:
        pages: list[Page] = []
        for page in file:
            words = page.get_textpage()
            text = words.get_text_range()
            letters = tuple((words.get_text_range(i, 1), words.get_charbox(i)) for i in range(words.count_chars()))
            paths = sum(1 for item in page.get_objects(max_depth=15) if item.type == pdfium.raw.FPDF_PAGEOBJ_PATH)
            pages.append(Page(page.get_size(), text, letters, paths))
            words.close()
            page.close()
        return pages


def solid(text: str) -> str:
    """A text without its white space and places to break, which change where lines do."""
    return re.sub(r"[\s\u200b\ufffe]", "", text)


def one(*blocks, **rest) -> bytes:
    return render(Document("T", (Section("s", "S", blocks),), **rest))


@pytest.fixture(scope="module")
def made():
    return render(sample.document())


@pytest.fixture(scope="module")
def pages(made):
    return pages_of(made)


@pytest.fixture(scope="module")
def words(pages):
    return solid("".join(page.text for page in pages))


@pytest.mark.requirement("REPORT-PDF")
def test_the_same_document_gives_the_same_bytes_in_another_process(made):
    code = (
        "import hashlib; from tests.documents import sample; from equipoise.documents.pdf import render;"
        "print(hashlib.sha256(render(sample.document())).hexdigest())"
    )
    import hashlib

    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == hashlib.sha256(made).hexdigest()


@pytest.mark.requirement("REPORT-PDF")
def test_every_page_is_a4_and_carries_the_banner_and_its_number(pages):
    for number, page in enumerate(pages, 1):
        assert sorted(page.size) == pytest.approx(A4, abs=0.01)
        assert page.text.lstrip().startswith("SIMULATED DATA")
        assert f"Page {number} of {len(pages)}" in page.text


def test_real_data_carry_no_banner():
    assert "SIMULATED" not in "".join(page.text for page in pages_of(render(sample.document(None))))


@pytest.mark.requirement("REPORT-PDF")
def test_no_letter_leaves_the_margins(pages):
    for page in (*pages, *pages_of(render(strange.shapes()))):
        wide, high = page.size
        for letter, (left, bottom, right, top) in page.letters:
            if letter.strip():
                where = f"{letter!r} at {left:.0f} to {right:.0f} of {wide:.0f} in {page.text[:80]!r}"
                assert paper.SIDE - 1 <= left <= right <= wide - paper.SIDE + 1, where
                assert 0 <= bottom <= top <= high, where


def test_every_word_of_the_document_is_in_the_file(words):
    document = sample.document()
    shown = [document.title, document.subtitle, *(plain(text) for item in document.meta for text in item)]
    shown += [plain(section.title) for section in walk_sections(document.sections)]
    shown += [f"{label}." for label in document.labels().values()]
    shown += [plain(note) for figure in document.figures() for note in (figure.title, *figure.notes)]
    for block in document.blocks():
        if isinstance(block, KeyValues):
            shown += [plain(text) for item in block.items for text in item]
        elif isinstance(block, Listing):
            shown.append(plain(block.title))
    shown += ["randomised, 1 to 1, in permuted blocks", "1.consent", "3.first dose", "Take care", "One lot was infused"]
    shown += ["time in range was – (not measured).", "Values are in Table 2, pictured in Figure 5."]
    assert [text for text in shown if solid(text) not in words] == []


def test_every_cell_and_note_of_the_page_is_in_the_file(words):
    page = read(html(sample.document()))
    cells = [solid(cell.text) for cell in page.all("td", "th")]
    notes = [solid(e.text) for e in page.all("p") if e.attributes.get("class") == "note"]
    assert len(cells) > 800
    assert [text for text in (*cells, *notes) if text not in words] == []


@pytest.mark.requirement("REPORT-SAME-NUMBERS")
def test_the_file_has_the_numbers_of_the_page_and_no_others():
    """Without pictures, whose scales each format writes once for each of its sizes, the counts are equal."""
    document = Document("T", (Section("s", "S", (sample.baseline(), sample.listing())),))
    found = re.compile(r"−?\d+\.\d+")
    text = "".join(page.text for page in pages_of(render(document)))
    shown = [number for cell in read(html(document)).all("td", "th") for number in found.findall(cell.text)]
    repeated = sorted(found.findall(text))
    assert repeated == sorted(shown)


def test_figures_are_lines_and_not_dots(pages, made):
    with pdfium.PdfDocument(made) as file:
        kinds = {item.type for page in file for item in page.get_objects(max_depth=15)}
    assert pdfium.raw.FPDF_PAGEOBJ_IMAGE not in kinds
    assert max(page.drawn for page in pages) > 100


@pytest.mark.requirement("REPORT-PDF")
def test_the_file_is_tagged_named_and_says_its_language(made):
    with pdfium.PdfDocument(made) as file:
        assert pdfium.raw.FPDFCatalog_IsTagged(file)
        facts = file.get_metadata_dict()
        assert facts["Title"] == "Mesenchymal stem cells in newly diagnosed type 1 diabetes (SIMULATED DATA)"
        assert facts["Author"] == "equipoise"
        assert not facts["CreationDate"]
        assert [item.get_title() for item in file.get_toc()][:3] == ["Participants", "Results", "C-peptide"]
    assert b"pdfuaid" in made
    assert b"/Lang(en)" in made


def test_every_picture_has_its_sentence():
    text = source(sample.document())
    assert [figure.id for figure in sample.document().figures() if quoted(figure.alt) not in text] == []


def test_a_long_table_repeats_its_head(pages):
    listing = [page for page in pages if "mmtt.csv:40" in page.text or "mmtt.csv:3\r" in page.text]
    assert len(listing) == 2
    assert all("C-peptide" in page.text and "ng/mL" in page.text for page in listing)


def test_a_wide_table_lies_on_its_side_with_its_heading_and_a_narrow_one_does_not():
    def of(columns):
        table = strange.table(columns, 3, "−0.12 (−0.45, 0.21)")
        return pages_of(one(Paragraph("before"), Listing("l", "The title of the listing", (table,))))

    assert [page.size[0] < page.size[1] for page in of(4)] == [True]
    upright, lying = of(16)
    assert upright.size[0] < upright.size[1]
    assert lying.size[0] > lying.size[1]
    assert "The title of the listing" in lying.text


def test_a_heading_is_never_the_last_thing_on_a_page():
    for lines in range(40, 60):
        filler = tuple(Paragraph("x") for _ in range(lines))
        sections = (Section("a", "First", filler), Section("b", "Second heading", (sample.baseline(),)))
        found = next(page for page in pages_of(render(Document("T", sections)))[1:] if "Second heading" in page.text)
        assert "female" in found.text, lines


@pytest.mark.requirement("REPORT-MODEL")
@pytest.mark.parametrize("hostile", [strange.TYPST, strange.WORD, *strange.SCRIPTS[-1:]])
def test_hostile_words_stay_words_wherever_they_stand(hostile):
    text = solid("".join(page.text for page in pages_of(render(strange.everywhere(hostile)))))
    assert text.count(solid(hostile)) > 50


@pytest.mark.parametrize("script", strange.SCRIPTS)
def test_every_script_is_set(script):
    letters = {letter for letter in script if letter.isalpha()}
    text = "".join(page.text for page in pages_of(one(Paragraph((script, Strong(script))))))
    # What the machine's fonts lack is a box; what DejaVu Sans has is there on every machine.
    assert {letter for letter in letters if ord(letter) in paper.covered()} <= set(text)


def test_every_letter_of_the_font_can_be_set_in_every_cut():
    letters = [chr(code) for code in sorted(paper.covered()) if chr(code) == paper.clean(chr(code))]
    assert {"ق", "ש", "Ж", "≥", "−"} <= set(letters)
    for start in range(0, len(letters), 1000):
        text = "".join(letters[start : start + 1000])
        runs = (text, Code(text), Strong(Code(text)), Emphasis(Strong(text)), Link(text, "https://x.example"))
        assert pages_of(one(Paragraph(runs)))


def test_characters_that_no_page_may_hold_are_replaced():
    text = "".join(page.text for page in pages_of(one(Paragraph("a\x00b\x1bc\ud800d"))))
    assert "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c\N{REPLACEMENT CHARACTER}d" in text


def test_an_empty_document_and_empty_words_are_a_file():
    assert len(pages_of(render(Document("", ())))) == 1
    assert pages_of(render(strange.everywhere("")))


def test_without_typst_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(SurroundingsError, match=r"equipoise\[documents\]") as caught:
        render(sample.document())
    assert caught.value.exit_code == 5


def test_importing_the_writer_loads_no_typst():
    code = "import sys; import equipoise.documents.pdf; print('typst' in sys.modules, 'matplotlib' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False", "False"]


DIGEST = "sha256:66c8313577e54d0bb22652f7aeb767a723cf83294313136a6275c1f33ae11852"


@pytest.mark.requirement("REPORT-COPIED")
def test_a_digest_copied_from_the_page_is_the_digest():
    """No mark that guides line breaks stands inside code, in facts, text, or the narrow column of a table."""
    long_path = "products.msc.release_tests.viable_cells.and.everything.that.follows.from.it"
    facts = KeyValues((("Records", Code(DIGEST)), ("Path", Code(long_path))))
    table = Table(
        "t", "T", (Column("Where"), *(Column(str(k)) for k in range(8))), (row(Code(long_path), *(["x" * 9] * 8)),)
    )
    document = Document("T", (Section("s", "S", (Paragraph(("Digest ", Code(DIGEST), ".")), facts, table)),))
    text = "".join(page.text for page in pages_of(render(document)))
    assert text.count(DIGEST) == 2, "whole, in one line"
    assert not [letter for letter in text if letter in "\N{ZERO WIDTH SPACE}\N{SOFT HYPHEN}\N{WORD JOINER}"]
    assert re.sub(r"\s", "", text.partition("Table 1")[0]).count(long_path) == 1


@pytest.mark.requirement("REPORT-COPIED")
def test_code_too_long_for_its_column_is_cut_behind_its_punctuation():
    path, why = "products.msc.release_tests.viability", "Two periods of 12 months are fact, their days are not; " * 4
    columns = (Column("Where"), Column("Value"), Column("Why"))
    table = Table("t", "T", columns, (row(Code(path), "id: viability; label: Viability; unit: %", why),))
    (page,) = pages_of(render(Document("T", (Section("s", "S", (table,)),))))
    assert path not in page.text, "in one line it would run into the next column"
    assert path in re.sub(r"[\r\n]", "", page.text)
