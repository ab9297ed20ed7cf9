"""The model refuses what no reader could follow, and knows no format."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import equipoise.documents.model as model_module
from equipoise.documents.drawings import ArmStyle, Flow, FlowBox, FlowStage, Forest, ForestRow, Individual, Trajectories
from equipoise.documents.model import (
    Callout,
    Column,
    Document,
    FigureBlock,
    Listing,
    Paragraph,
    Section,
    Table,
    row,
)
from equipoise.documents.runs import Emphasis, Link, Missing, Number, Reference, Strong, plain
from tests.documents import sample

HERE = Path(model_module.__file__).parent


def table(name="t", *rows):
    return Table(name, "Title", (Column("a"), Column("b")), rows)


def document(*blocks, sections=()):
    return Document("Title", (Section("one", "One", blocks), *sections))


@pytest.mark.requirement("REPORT-MODEL")
def test_the_model_holds_no_markup_and_imports_no_writer():
    for name in ("model", "drawings", "runs", "numbers", "figure_tables"):
        source = (HERE / f"{name}.py").read_text(encoding="utf-8")
        imported = {
            item
            for node in ast.walk(ast.parse(source))
            for item in (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else []
            )
        }
        assert not [item for item in imported if "html" in item or "matplotlib" in item or "jinja2" in item]
        assert "</" not in source


def test_importing_the_model_loads_nothing_heavy():
    code = (
        "import sys, equipoise.documents.model, equipoise.documents.numbers, equipoise.documents.figures\n"
        "print([n for n in ('matplotlib', 'numpy', 'jinja2') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("target", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "page.html", ""])
def test_a_link_leads_nowhere_dangerous(target):
    with pytest.raises(ValueError, match="a link leads"):
        Link("x", target)


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ((table("t"), table("t")), "stand twice"),
        ((table("one"),), "stand twice"),
        ((table("t t"),), "cannot be ids"),
        ((table("t", row("a", "b", result_id="r"), row("a", "b", result_id="r")),), "stand twice"),
        ((table("t", row("a", "b", result_id="r r")),), "cannot be ids"),
        ((Paragraph(Reference("nowhere")),), "no table or figure"),
        ((Paragraph(Reference("one")),), "no table or figure"),
        ((Paragraph(Strong(Emphasis(Link("x", "#nowhere")))),), "not in the document"),
        ((Callout("info", "x", (Listing("l", "y", (Paragraph(Link("x", "#nowhere")),)),)),), "not in the document"),
        ((table("t", row("a", Reference("u"))),), "no table or figure"),
    ],
)
def test_ids_and_links_are_checked_wherever_they_stand(blocks, words):
    with pytest.raises(ValueError, match=words):
        document(*blocks)


def test_rows_fit_their_columns():
    with pytest.raises(ValueError, match="3 cells for 2 columns"):
        table("t", row("a", "b", "c"))
    assert table("t", row("spans both")).rows[0].cells[0].text == "spans both"


@pytest.mark.parametrize("alt", ["", "forest", "Forest plot of the results", "  . "])
def test_an_alternative_text_is_a_sentence(alt):
    with pytest.raises(ValueError, match="is a sentence"):
        FigureBlock("f", "t", sample.forest(), alt)


def test_drawings_that_do_not_fit_together_are_refused():
    with pytest.raises(ValueError, match="2 times but 1 values"):
        Individual((0.0, 1.0), (2.0,))
    with pytest.raises(ValueError, match="at least one tick"):
        Trajectories((), "x", "y", ())
    with pytest.raises(ValueError, match="1 texts for 2 columns"):
        Forest((ForestRow("a", 1, 0, 2, ("x",)),), ("p", "q"), "x")
    with pytest.raises(ValueError, match="above 0"):
        Forest((), (), "x", reference=0.0, scale="log")
    arms = (ArmStyle("a", "active"), ArmStyle("b", "placebo"), ArmStyle("c", "neutral"))
    with pytest.raises(ValueError, match="2 boxes for 3 arms"):
        Flow(arms, (FlowStage("x", (FlowBox("a"), FlowBox("b"))),))
    with pytest.raises(ValueError, match="before the arms part"):
        Flow(arms, (FlowStage("x", (FlowBox("a"),) * 3, side=FlowBox("b")),))


def test_labels_number_tables_and_figures_in_reading_order():
    listing = Listing("l", "Listing", (table("inner"),))
    made = document(
        table("first"), Callout("info", "c", (listing,)), sections=(Section("two", "Two", (table("last"),)),)
    )
    assert made.labels() == {"first": "Table 1", "inner": "Table 2", "last": "Table 3"}
    assert list(sample.document().labels())[:4] == ["baseline", "effects", "tests", "flow"]


def test_reasons_of_a_table_stand_once_and_in_order():
    rows = (
        row("a", Missing("second")),
        row(Strong(Missing("first")), ("x ", Missing("second"))),
        row("b", Missing("")),
    )
    assert table("t", *rows).reasons() == ("second", "first")


def test_plain_words_of_a_text():
    text = ("a ", Strong(("b ", Emphasis("c"))), Number(" 1", "r"), " ", Missing("why"), " ", Reference("t"))
    assert plain(text) == "a b c 1 – t"


def test_equal_documents_are_equal():
    assert document(table("t", row("a", "b"))) == document(table("t", row("a", "b")))
