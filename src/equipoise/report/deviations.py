"""What was analysed otherwise than the signed plan says."""

from __future__ import annotations

from equipoise.analysis.deviations import TABLE
from equipoise.documents.model import Column, Paragraph, Section, Table, row
from equipoise.documents.runs import Code
from equipoise.report.source import ReportSource


def deviations_section(source: ReportSource) -> Section | None:
    """Every deviation, or that there is none; None where no signed plan was given."""
    found = next((table for table in source.results.tables if table.id == TABLE), None)
    if found is None:
        return None
    if not found.rows:
        text = "None: the protocol that was analysed is that of the signed plan."
        return Section("deviations", found.title, (Paragraph(text), Paragraph(found.notes[0])))
    columns = (Column("Where"), Column("Kind"), Column("As planned"), Column("As analysed"))
    rows = tuple(
        row(Code(str(path)), str(kind), str(before or ""), str(after or "")) for path, kind, before, after in found.rows
    )
    return Section("deviations", found.title, (Table("table-deviations", found.title, columns, rows, found.notes),))
