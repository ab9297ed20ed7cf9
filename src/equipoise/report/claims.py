"""What the results say of each claim."""

from __future__ import annotations

from equipoise.documents.model import Cell, Column, Paragraph, Section, Table, row
from equipoise.report.influence import influence_table
from equipoise.report.own_year import own_year_tables
from equipoise.report.source import ReportSource


def claims_section(source: ReportSource) -> Section | None:
    """The table of claims and verdicts; None where the protocol makes no claims."""
    claims = source.results.claims
    if not claims:
        return None
    columns = (Column("Claim"), Column("Verdict"), Column("Why"))
    rows = tuple(
        row(
            f"{item.id.upper()}. {item.text}",
            Cell(item.verdict, next(iter(item.results), None), strong=True),
            item.reason,
        )
        for item in claims
    )
    text = "Each claim is decided by the rule that the protocol fixed beforehand; exploratory results decide nothing."
    table = Table("table-claims", "Claims and verdicts", columns, rows)
    hanging = influence_table(source)
    own = tuple(own_year_tables(source))
    blocks = (Paragraph(text), table, *own) if hanging is None else (Paragraph(text), table, hanging, *own)
    return Section("claims", "Claims", blocks)
