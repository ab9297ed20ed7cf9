"""The verdict on safety on the first page, and the listings behind it: lots, products, serious events, deviations."""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.analysis.results import Cell, ClaimResult, ResultTable
from equipoise.analysis.safety_findings import DEVIATIONS, FACTS, LOTS, PRODUCTS, SERIOUS
from equipoise.documents.model import Block, Callout, Column, Paragraph, Section, Table, row
from equipoise.documents.numbers import digits
from equipoise.documents.runs import Missing, Reference, Text
from equipoise.report.source import ReportSource
from equipoise.report.trail import origin_in_records

LISTINGS = (SERIOUS, LOTS, PRODUCTS, DEVIATIONS)
NOT_RECORDED = "not recorded"
BEHIND = ("records/events", "records/interventions", "records/lots", "dispensed.csv")
SHARE = "upper"
"""The fact that is a share."""


def safety_callout(source: ReportSource) -> Callout | None:
    """What the first page says of harm: the verdict and why, and a line for each listing that has rows."""
    claim, tables = _claim(source), _tables(source)
    if claim is None or FACTS not in tables:
        return None
    lines: list[Block] = [Paragraph(f"{_sentence(claim.reason)}.")]
    lines += [Paragraph(_line(tables[name])) for name in LISTINGS if name in tables and tables[name].rows]
    return Callout(
        "info",
        f"Verdict on \N{LEFT DOUBLE QUOTATION MARK}{claim.text}\N{RIGHT DOUBLE QUOTATION MARK}: {claim.verdict}",
        tuple(lines),
    )


def safety_listings(source: ReportSource) -> Iterator[Section]:
    """The facts behind the verdict and a table of each listing; of an empty one a sentence."""
    tables = _tables(source)
    if FACTS not in tables or not tables[FACTS].rows:  # without rows what the verdict rests on is withheld
        return
    blocks: list[Block] = [_facts(tables[FACTS])]
    for name in LISTINGS:
        table = tables[name]
        if table.rows:
            blocks.append(_listing(table))
        else:
            blocks.append(Paragraph(f"{table.title}: none {_known(tables[FACTS], name)}."))
    yield Section("safety-claim", "The verdict on safety", tuple(blocks))


def _claim(source: ReportSource) -> ClaimResult | None:
    named = {claim.id for claim in source.protocol.claims if claim.rule == "safety" and claim.parts}
    return next((claim for claim in source.results.claims if claim.id in named), None)


def _tables(source: ReportSource) -> dict[str, ResultTable]:
    return {table.id: table for table in source.results.tables if table.id in (FACTS, *LISTINGS)}


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _line(table: ResultTable) -> Text:
    """How many rows a listing has, and where it is."""
    return (f"{table.title}: {len(table.rows)} (", Reference(_id(table)), ").")


def _id(table: ResultTable) -> str:
    return f"table-{table.id.replace('/', '-')}"


def _known(facts: ResultTable, listing: str) -> str:
    """Found none, or could not have found any."""
    values = {str(line[0]): line[2] for line in facts.rows}
    unknown = {
        SERIOUS: values["not-recorded"] is not None,
        PRODUCTS: values["doses-dispensed"] is None,
        LOTS: bool(values["lots-infused"]) and values["lots-untested"] == values["lots-infused"],
        DEVIATIONS: False,
    }
    return f"known, since they were {NOT_RECORDED}" if unknown[listing] else "found"


def _facts(table: ResultTable) -> Table:
    rows = tuple(
        row(str(label), _fact(str(name), value)) for name, label, value in table.rows if name != "not-recorded"
    )
    silent = next((value for name, _, value in table.rows if name == "not-recorded"), None)
    notes = (*((f"Not recorded: {silent}.",) if silent else ()), *table.notes, origin_in_records(table.id, *BEHIND))
    return Table(_id(table), table.title, (Column(""), Column("", align="right")), rows, notes)


def _fact(name: str, value: Cell) -> Text:
    if value is None:
        return Missing(NOT_RECORDED if name != SHARE else "no one was given the active product")
    return f"{100 * float(value):.1f} %" if name == SHARE else digits(float(value), 0)


def _listing(table: ResultTable) -> Table:
    numbers = ("dose_number", "day", "since_dose")
    columns = tuple(
        Column(column.label, column.unit, align="right" if column.id in numbers else "left") for column in table.columns
    )
    rows = tuple(row(*(_cell(value) for value in line)) for line in table.rows)
    return Table(_id(table), table.title, columns, rows, (*table.notes, origin_in_records(table.id, *BEHIND)))


def _cell(value: Cell) -> Text:
    if value is None or value == "":
        return Missing(NOT_RECORDED)
    return digits(value, 0) if isinstance(value, int | float) else str(value)
