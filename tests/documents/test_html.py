"""The page: parsed back, it is well formed, self-contained, accessible, escaped, and holds every number."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest

from equipoise.documents import html as html_writer
from equipoise.documents import palette
from equipoise.documents.drawings import ArmStyle, DotStrip, Flow, FlowBox, FlowStage, Forest, ForestHeading, ForestRow
from equipoise.documents.figure_tables import behind
from equipoise.documents.html import render
from equipoise.documents.html.view import letter
from equipoise.documents.model import (
    Bullets,
    Callout,
    Cell,
    Column,
    Document,
    FigureBlock,
    KeyValues,
    Listing,
    Paragraph,
    Section,
    Table,
    Words,
    row,
)
from equipoise.documents.runs import Code, Emphasis, Link, Missing, Number, Strong, plain
from tests.documents import sample
from tests.documents.pages import Element, read

HOSTILE = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>&lt;{{ 7 * 7 }}{% raw %}</style><!-- ]]>"


@pytest.fixture(scope="module")
def text():
    return render(sample.document())


@pytest.fixture(scope="module")
def page(text):
    return read(text)


def squeezed(value):
    return " ".join(value.split())


def one(*blocks, **rest):
    return render(Document("T", (Section("s", "S", blocks),), **rest))


def test_the_same_document_gives_the_same_page(text):
    assert render(sample.document()) == text


def test_ids_are_unique_and_every_inner_link_leads_somewhere(page):
    ids = [element.attributes["id"] for element in page.all() if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    assert not [item for item in ids if re.search(r"\s", item)]
    targets = [unquote(e.attributes["href"][1:]) for e in page.all("a") if e.attributes["href"].startswith("#")]
    targets += [e.attributes["xlink:href"][1:] for e in page.all("use")]
    targets += re.findall(r"url\(#([^)]+)\)", " ".join(v for e in page.all() for v in e.attributes.values()))
    targets += [e.attributes["aria-labelledby"] for e in page.all() if "aria-labelledby" in e.attributes]
    assert targets
    assert set(targets) <= set(ids)


@pytest.mark.requirement("REPORT-OFFLINE")
def test_nothing_is_fetched(page, text):
    assert not page.all("link", "img", "iframe", "object", "embed", "audio", "video", "source", "base", "form")
    for element in page.all():
        for name in ("src", "srcset", "data", "action", "background", "poster"):
            assert name not in element.attributes
        for name in ("href", "xlink:href"):
            value = element.attributes.get(name, "#")
            assert value.startswith("#") or (element.tag == "a" and value.startswith(("https://", "mailto:")))
        assert not [name for name in element.attributes if name.startswith("on")]
    styles = "".join(element.text for element in page.all("style"))
    assert "@import" not in styles
    assert "url(" not in styles
    assert "fetch" not in "".join(element.text for element in page.all("script"))
    assert re.findall(r"url\((?!#)", text) == []


def test_without_its_script_the_page_lacks_no_words(text):
    without = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    assert "document." not in without
    for section in ("Participants", "Results", "Methods", "Appendix"):
        assert section in without


def test_headings_step_down_one_at_a_time(page):
    levels = [int(element.tag[1]) for element in page.all("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_deep_sections_have_deep_headings_that_end_at_six():
    section = Section("s9", "Deep")
    for depth in range(8, 0, -1):
        section = Section(f"s{depth}", "Deep", (), (section,))
    found = [e.tag for e in read(render(Document("T", (section,)))).all("h2", "h3", "h4", "h5", "h6")]
    assert found == ["h2", "h2", "h3", "h4", "h5", "h6", "h6", "h6", "h6", "h6"]


def test_landmarks_and_language(page):
    assert page.all("html")[0].attributes["lang"] == "en"
    for tag in ("header", "nav", "main", "footer", "title"):
        assert len(page.all(tag)) == 1
    skip = next(element for element in page.all("body")[0].children if element.tag == "a")
    assert skip.attributes["href"] == "#page:main"
    assert page.all("main")[0].attributes["id"] == "page:main"
    assert [e.attributes["href"] for e in page.all("nav")[0].all("a")][:2] == ["#participants", "#results"]


def test_every_picture_has_a_sentence_and_two_widths(page):
    alts = {figure.alt for figure in sample.document().figures()}
    pictures = page.all("svg")
    assert len(pictures) == 2 * len(alts)
    assert {element.attributes["aria-label"] for element in pictures} == alts
    assert all(element.attributes["role"] == "img" for element in pictures)
    assert {element.attributes["class"] for element in pictures} == {"wide", "narrow"}


def test_every_figure_is_captioned_and_has_its_numbers(page):
    for element, figure in zip(page.all("figure"), sample.document().figures(), strict=True):
        caption = element.children[0]
        assert caption.tag == "figcaption"
        assert plain(figure.title) in caption.text
        numbers = element.all("details")[0]
        for item in behind(figure).rows:
            for cell in item.cells:
                assert squeezed(plain(cell.text)) in squeezed(numbers.text)


def test_every_table_has_a_caption_scopes_and_a_region_to_scroll(page):
    for table in page.all("table"):
        assert table.children[0].tag == "caption"
        assert squeezed(table.children[0].text)
        assert all(cell.attributes.get("scope") in {"col", "colgroup", "row", "rowgroup"} for cell in table.all("th"))
        assert all(squeezed(cell.text) for cell in table.all("th"))
        assert table.parent is not None
        assert table.parent.attributes["role"] == "region"
        assert table.parent.attributes["tabindex"] == "0"


def test_every_row_of_a_table_covers_every_column(page):
    for table in page.all("table"):
        widths = {
            sum(int(c.attributes.get("colspan", 1)) for c in r.all("th", "td")) for r in table.all("tbody")[0].all("tr")
        }
        assert len(widths) == 1
        head = table.all("thead")[0].all("tr")
        cells = [
            (int(c.attributes.get("colspan", 1)), int(c.attributes.get("rowspan", 1))) for c in head[0].all("th", "td")
        ]
        assert sum(columns for columns, _ in cells) == widths.pop()
        if len(head) == 2:
            assert len(head[1].all("th", "td")) == sum(columns for columns, rows in cells if rows == 1)


def test_every_cell_of_every_table_is_in_the_page(page):
    bodies = {e.attributes["id"]: e for e in page.all("div") if e.attributes.get("class") == "table"}
    for table in sample.document().tables():
        shown = [[squeezed(c.text) for c in r.all("th", "td")] for r in bodies[table.id].all("tr")]
        for item in table.rows:
            expected = [squeezed(plain(cell.text)) for cell in item.cells]
            assert any(
                len(line) == len(expected) and all(a.startswith(b) for a, b in zip(line, expected, strict=True))
                for line in shown
            ), expected


def test_numbers_lead_to_the_row_of_their_result(page):
    target = f"result:{sample.RESULT}"
    links = [e for e in page.all("a") if e.attributes.get("class") == "number"]
    assert len(links) == 2
    for link in links:
        assert unquote(link.attributes["href"]) == f"#{target}"
        assert link.attributes["data-result"] == sample.RESULT
    assert [e.tag for e in page.all() if e.attributes.get("id") == target] == ["tr"]


def test_a_number_without_a_row_is_no_link_and_a_row_does_not_lead_to_itself():
    table = Table(
        "t", "T", (Column("a"), Column("b")), (row("x", Cell("1", "r/1"), result_id="r/1"), row("y", Cell("2", "r/2")))
    )
    made = read(one(Paragraph(Number("3", "r/2")), table, Paragraph(Number("4", "r/1"))))
    assert [e.text for e in made.all("a") if "number" in e.attributes.get("class", "")] == ["4"]
    assert [e.attributes["data-result"] for e in made.all("span", "td") if "data-result" in e.attributes] == [
        "r/2",
        "r/1",
        "r/2",
    ]


def test_a_missing_number_says_why():
    table = Table(
        "t",
        "T",
        (Column("a"), Column("b")),
        (row("x", Missing("not measured")), row("y", Missing("withdrew")), row("z", Missing("not measured"))),
    )
    made = read(one(Paragraph(("It was ", Missing("never asked"))), table))
    assert "It was – (never asked)" in made.text
    notes = [squeezed(e.text) for e in made.all("p") if e.attributes.get("class") == "note"]
    assert notes == ["a not measured", "b withdrew"]
    assert [squeezed(e.text) for e in made.all("tbody")[0].all("td")] == ["–a", "–b", "–a"]
    assert [letter(i) for i in (0, 25, 26, 51, 52)] == ["a", "z", "aa", "az", "ba"]


@pytest.mark.requirement("REPORT-MODEL")
def test_hostile_words_stay_words_wherever_they_stand():
    style = ArmStyle(HOSTILE, "active")
    drawings = (
        Forest(
            (ForestHeading(HOSTILE), ForestRow(HOSTILE, 1, 0, 2, (HOSTILE,))), (HOSTILE,), HOSTILE, 0, HOSTILE, HOSTILE
        ),
        Flow((style, style), (FlowStage(HOSTILE, (FlowBox(HOSTILE, 1, ((HOSTILE, 1),)),) * 2, period=HOSTILE),)),
        DotStrip(((style, (1.0,)),), HOSTILE),
    )
    figures = tuple(FigureBlock(f"f{i}", HOSTILE, d, HOSTILE + " x.", notes=(HOSTILE,)) for i, d in enumerate(drawings))
    table = Table(
        "t",
        HOSTILE,
        (Column(HOSTILE, HOSTILE, group=HOSTILE), Column("b")),
        (row(HOSTILE, Number(HOSTILE, "a"), group=HOSTILE), row(Missing(HOSTILE), Cell("x", HOSTILE.replace(" ", "")))),
        (HOSTILE,),
    )
    blocks = (
        Paragraph(
            (
                HOSTILE,
                Strong(HOSTILE),
                Emphasis(HOSTILE),
                Code(HOSTILE),
                Link(HOSTILE, "https://x/" + HOSTILE),
                Missing(HOSTILE),
            )
        ),
        Bullets((HOSTILE,)),
        KeyValues(((HOSTILE, HOSTILE),)),
        Callout("alert", HOSTILE, (Listing("l", HOSTILE, (Paragraph(HOSTILE),)),)),
        table,
        *figures,
    )
    words = Words(*(HOSTILE,) * len(Words.__dataclass_fields__))
    made = Document(
        HOSTILE,
        (Section("s", HOSTILE, blocks),),
        HOSTILE,
        HOSTILE,
        ((HOSTILE, HOSTILE),),
        (),
        HOSTILE,
        (HOSTILE,),
        words,
    )
    text = render(made)
    page = read(text)
    assert len(page.all("script")) == 1
    assert len(page.all("style")) == 1
    assert not page.all("img")
    assert "{{ 7 * 7 }}" in page.text
    assert "49" not in re.sub(r"[\d.]*49[\d.]+|\d+49", "", page.all("h1")[0].text)
    assert page.all("h1")[0].text == HOSTILE
    assert not [e for e in page.all() if "onerror" in e.attributes]
    assert "alert(1)" not in "".join(e.text for e in page.all("style"))
    assert page.all("html")[0].attributes["lang"] == HOSTILE


def test_characters_that_no_page_may_hold_are_replaced():
    text = one(Paragraph("a\x00b\x1bc\ud800d"))
    assert "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c\N{REPLACEMENT CHARACTER}d" in text
    text.encode("utf-8")


def test_simulated_data_say_so_at_the_top_in_the_title_on_paper_and_in_every_figure(page, text):
    banner = next(e for e in page.all("aside") if e.attributes.get("class") == "banner")
    assert banner.text == "SIMULATED DATA"
    assert "SIMULATED DATA" in page.all("title")[0].text
    assert '@top-center{content:"SIMULATED\\000020DATA"}' in text
    assert all("SIMULATED DATA" in element.text for element in page.all("svg"))
    assert any(e.attributes.get("class") == "watermark" for e in page.all("p"))


def test_real_data_carry_no_banner():
    real = render(sample.document(None))
    assert "SIMULATED" not in real
    assert "@top-center{content" not in real
    assert not [e for e in read(real).all("p") if e.attributes.get("class") in ("banner", "watermark")]


@pytest.mark.requirement("REPORT-PHONE")
def test_the_style_sheet_speaks_of_telephones_and_paper(text, page):
    assert 'content="width=device-width, initial-scale=1"' in text
    style = page.all("style")[0].text
    for rule in (
        "@media screen and (max-width: 43.74rem)",
        "@media print",
        "size: A4",
        "thead { display: table-header-group; }",
        "tr { break-inside: avoid; }",
        "overflow-x: auto",
        "font-variant-numeric: tabular-nums",
        ":focus-visible",
        "color-scheme: light only",
        "details::details-content",
    ):
        assert rule in style, rule
    assert style.count("{") == style.count("}")


@pytest.mark.requirement("REPORT-COLOURS")
def test_every_colour_of_the_page_is_of_the_palette(page):
    allowed = {getattr(palette, name) for name in dir(palette) if re.fullmatch(r"[A-Z]+", name) and name != "COLOURS"}
    style = page.all("style")[0].text
    assert {colour.upper() for colour in re.findall(r"#[0-9a-fA-F]{6}\b", style)} <= allowed
    assert not re.findall(r"#[0-9a-fA-F]{3}\b(?![0-9a-fA-F])|rgba?\(|hsla?\(", style)
    names = set(re.findall(r"var\(--(\w+)\)", style)) - {"letters"}
    assert names <= {name.lower() for name in ("ACTIVE", "PLACEBO", "INK", "MUTED", "RULE", "PAPER", "ALERT", "GOOD")}
    pictures = {
        c.upper()
        for e in page.all("svg")
        for i in e.all()
        for c in re.findall(r"#[0-9a-f]{6}\b", i.attributes.get("style", ""))
    }
    assert pictures <= allowed


def test_callouts_name_their_kind_in_words(page):
    kinds = [e.text for e in page.all("span") if e.attributes.get("class") == "kind"]
    assert kinds == ["Note", "Note", "Take care", "Good", "Alert"]


def test_a_writers_own_words_can_be_in_another_language():
    made = one(
        sample.baseline(),
        language="de",
        words=Words(contents="Inhalt", skip="Zum Text", table="Tabelle", page="Seite", of="von"),
    )
    assert "Tabelle 1." in made
    assert "Contents" not in made
    assert 'content:"Seite " counter(page) " von " counter(pages)' in made


def test_an_empty_document_is_a_page():
    page = read(render(Document("Nothing yet", ())))
    assert page.all("h1")[0].text == "Nothing yet"
    assert not page.all("nav")


def test_the_page_is_made_of_files_beside_the_module():
    folder = Path(html_writer.__file__).parent
    assert {item.suffix for item in folder.iterdir() if item.is_file()} == {".py", ".j2", ".css", ".js"}


def test_elements_read_back_as_a_tree():
    made: Element = read("<p>a<b>c</b></p>")
    assert made.all("b")[0].text == "c"
    with pytest.raises(AssertionError, match="closes"):
        read("<p><b></p>")


def test_a_language_that_is_written_from_right_to_left_says_so() -> None:
    there = Document("t", (Section("s", "s"),), language="fa-IR")
    assert '<html lang="fa-IR" dir="rtl">' in render(there)
    assert '<html lang="en">' in render(Document("t", (Section("s", "s"),)))
