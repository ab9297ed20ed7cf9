"""What became of intercurrent events: who had each, and what the strategies made of the values behind estimates."""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.analysis.occurrence import NOT_RECORDED, TABLE
from equipoise.documents.model import Block, Bullets, Column, Paragraph, Table, row
from equipoise.documents.runs import Missing, Text
from equipoise.report.source import ReportSource
from equipoise.report.trail import origin_in_records

BEHIND = ("records/events", "records/interventions", "records/lots")


def intercurrent_blocks(source: ReportSource) -> Iterator[Block]:
    """The table of declared events, then a list for each analysis whose strategies acted."""
    found = next((table for table in source.results.tables if table.id == TABLE), None)
    if found is None:
        return
    arms = found.columns[2:-1]
    columns = (Column(found.columns[0].label), *(Column(arm.label, align="right") for arm in arms))
    rows = []
    for cells in found.rows:
        counts: list[Text] = [Missing(NOT_RECORDED) if cell is None else str(cell) for cell in cells[2:-1]]
        rows.append(row(str(cells[1]), *counts))
    yield Table(
        "table-intercurrent", found.title, columns, tuple(rows), notes=(*found.notes, origin_in_records(TABLE, *BEHIND))
    )
    told: dict[tuple[str, ...], list[str]] = {}
    for result in source.results.results:
        if result.strategy_notes:
            names = told.setdefault(result.strategy_notes, [])
            names += [] if result.label in names else [result.label]
    for notes, names in told.items():
        yield Paragraph(f"Intercurrent events in {'; '.join(names)}:")
        yield Bullets(notes)
