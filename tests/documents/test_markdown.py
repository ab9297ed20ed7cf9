"""Pages in Markdown become blocks, and nothing of them is read as markup of a page."""

from __future__ import annotations

import pytest

from equipoise.documents import docx, markdown, pdf
from equipoise.documents.html import render
from equipoise.documents.model import Bullets, Document, Paragraph, Section, Table, Verbatim
from equipoise.documents.runs import Code, Emphasis, Link, Strong, plain

PAGE = """# A title

## Model

Some *stressed* and **strong** words with `code`,
on [another page](other.md#place) and at [an address](https://example.org/a).

    y = X b + e        e ~ N(0, 1)
      and  indented

- one
- two `x`

| what | n |
|---|--:|
| a < b | 1 |

## Sources

1. First
2. Second
"""


def test_a_page_falls_into_its_parts() -> None:
    title, parts = markdown.sections(PAGE)
    assert title == "A title"
    assert [name for name, _ in parts] == ["Model", "Sources"]


@pytest.mark.requirement("REPORT-METHOD-PAGES")
def test_paragraphs_formulas_lists_and_tables_are_blocks() -> None:
    _, parts = markdown.sections(PAGE)
    words, formula, items, table = markdown.blocks(parts[0][1], "page", "A title: model")
    assert words == Paragraph(
        (
            "Some ",
            Emphasis(("stressed",)),
            " and ",
            Strong(("strong",)),
            " words with ",
            Code("code"),
            ",",
            " ",
            "on ",
            "another page",
            " and at ",
            Link(("an address",), "https://example.org/a"),
            ".",
        )
    )
    assert formula == Verbatim("y = X b + e        e ~ N(0, 1)\n  and  indented")
    assert isinstance(items, Bullets) and [plain(item) for item in items.items] == ["one", "two x"]
    assert isinstance(table, Table) and table.id == "page-table1" and table.columns[1].align == "right"
    assert [plain(cell.text) for cell in table.rows[0].cells] == ["a < b", "1"]
    (numbered,) = markdown.blocks(parts[1][1], "page", "")
    assert isinstance(numbered, Bullets) and numbered.ordered


def test_markup_inside_a_page_stays_words() -> None:
    blocks = markdown.blocks("Words <script>x</script> and\n\n    <b>lines</b>\n", "p", "t")
    html = render(Document("t", (Section("s", "s", blocks),)))
    assert "&lt;script&gt;x&lt;/script&gt;" in html and "&lt;b&gt;lines&lt;/b&gt;" in html


def test_what_no_page_has_is_refused() -> None:
    with pytest.raises(ValueError, match="blockquote"):
        markdown.blocks("> a quotation", "p", "t")
    with pytest.raises(ValueError, match="image"):
        markdown.blocks("![a picture](x.png)", "p", "t")


def test_lines_keep_their_spaces_in_every_format() -> None:
    import io

    import docx as reader
    import pypdfium2

    document = Document("t", (Section("s", "s", (Verbatim("a  = b\n  c # [d] \\ e"),)),))
    assert "<pre>a  = b\n  c # [d] \\ e</pre>" in render(document)
    words = "\n".join(item.text for item in reader.Document(io.BytesIO(docx.render(document))).paragraphs)
    assert "a \N{NO-BREAK SPACE}= b\n\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}c # [d] \\ e" in words
    page = pypdfium2.PdfDocument(pdf.render(document))[0].get_textpage().get_text_bounded()
    assert "c # [d] \\ e" in page
