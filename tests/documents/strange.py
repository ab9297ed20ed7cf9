"""Documents that a writer must survive: one text in every place that holds text, and tables of every awkward shape."""

from __future__ import annotations

from equipoise.documents.drawings import ArmStyle, DotStrip, Flow, FlowBox, FlowStage, Forest, ForestHeading, ForestRow
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
from equipoise.documents.runs import Code, Emphasis, Link, Missing, Number, Reference, Strong

TYPST = '#panic("x") ]}) $ x^2 $ @nowhere <mark> \\u{41} \\" `raw` // gone /* gone */ = h *b* _e_ #import "f" ~ --- \\'
WORD = "<w:br/> ]]> &amp; &#0; </w:t></w:r></w:p> \"'><!-- {{ 7 * 7 }} <?xml?>"
SCRIPTS = (
    "قياس السكر HbA1c في الدم ١٢",
    "胰岛素依赖型糖尿病",
    "\N{SYRINGE}\N{ADULT}\N{ZERO WIDTH JOINER}\N{MICROSCOPE} ok",
    "\N{RIGHT-TO-LEFT OVERRIDE}abc\N{POP DIRECTIONAL FORMATTING} שלום",
    "Ångström µ ≥ − × ½ Ωμέγα Дж",
)


def everywhere(words: str) -> Document:
    """A document that has these words in every place."""
    style = ArmStyle(words, "active")
    drawings = (
        Forest((ForestHeading(words), ForestRow(words, 1, 0, 2, (words,))), (words,), words, 0, words, words),
        Flow((style, style), (FlowStage(words, (FlowBox(words, 1, ((words, 1),)),) * 2, period=words),)),
        DotStrip(((style, (1.0,)),), words),
    )
    figures = tuple(FigureBlock(f"f{i}", words, d, words + " x y.", notes=(words,)) for i, d in enumerate(drawings))
    result = "r/" + "".join(words.split())
    table = Table(
        "t",
        words,
        (Column(words, words, group=words), Column("b"), Column(words, align="right")),
        (
            row(words, Number(words, result), words, group=words, result_id=result),
            row(Missing(words), Cell("x", result), words),
            row(words),
        ),
        (words,),
    )
    blocks = (
        Paragraph(
            (
                words,
                Strong(words),
                Emphasis(words),
                Code(words),
                Link(words, "https://x.example/" + words),
                Missing(words),
                Number(words, result),
                Reference("t"),
            )
        ),
        Bullets((words, words), ordered=True),
        Bullets((words,)),
        KeyValues(((words, words),)),
        Callout("alert", words, (Listing("l", words, (Paragraph(words), Bullets((words,)))),)),
        table,
        *figures,
    )
    fields = Words.__dataclass_fields__
    inner = Section("i", words, (Paragraph(words),), (Section("j", words, (Paragraph(words),)),))
    return Document(
        words,
        (Section("s", words, blocks, (inner,)),),
        words,
        words,
        ((words, words),),
        (Paragraph(words),),
        words,
        (words,),
        Words(*(words,) * len(fields)),
    )


def table(columns: int, rows: int, cell: str, name: str = "wide") -> Table:
    """A table of one text."""
    heads = tuple(Column(f"Head {i}", "unit", "right" if i % 2 else "left") for i in range(columns))
    return Table(name, "A table", heads, tuple(row(*(cell,) * columns) for _ in range(rows)))


def shapes() -> Document:
    """Tables: far too wide, far too long, empty, one cell, an endless word, a row higher than a page, in a callout."""
    long = "reasoning about a thing that needs many words, and then some more; " * 90
    blocks = (
        table(26, 4, "−0.123 (−4.567, 8.901)", "many"),
        table(60, 2, "0.5", "sixty"),
        table(3, 130, "a cell", "long"),
        table(2, 2, "w" * 400, "endless"),
        table(3, 2, long, "high"),
        Table("none", "No rows", (Column("a"), Column("b")), ()),
        Table("one", "One cell", (Column(""),), (row("x"),)),
        Callout("warning", "Inside", (table(14, 2, "12.5 (11.2 to 14.9)", "inside"),)),
        Listing("listing", "Turned", (table(22, 3, "17.25 (0.75)", "turned"),)),
    )
    return Document("Shapes", (Section("s", "All of them", blocks), Section("e", "Empty")), banner="SIMULATED DATA")
