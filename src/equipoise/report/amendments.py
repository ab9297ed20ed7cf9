"""Which versions of the protocol the records were made under, and what each changed."""

from __future__ import annotations

from equipoise.analysis.amendments import TABLE
from equipoise.documents.model import Column, Paragraph, Section, Table, row
from equipoise.documents.runs import Code
from equipoise.report.source import ReportSource


def amendments_section(source: ReportSource) -> Section | None:
    """Every change, or what is known of the versions; None where all records were made under the one analysed."""
    found = next((table for table in source.results.tables if table.id == TABLE), None)
    if found is None:
        return None
    if not found.rows:
        return Section("amendments", found.title, tuple(Paragraph(note) for note in found.notes))
    columns = tuple(Column(column.label) for column in found.columns)
    rows = tuple(
        row(str(version), Code(str(path)), str(kind), str(before or ""), str(after or ""))
        for version, path, kind, before, after in found.rows
    )
    return Section("amendments", found.title, (Table("table-amendments", found.title, columns, rows, found.notes),))
