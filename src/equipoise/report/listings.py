"""The appendix: participants, their values of the main outcomes, and every event, from the analysis datasets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from equipoise.documents.model import Block, Column, Listing, Paragraph, Row, Section, Table, row
from equipoise.documents.numbers import digits
from equipoise.documents.runs import Missing, Text
from equipoise.report.outcomes import with_unit_of
from equipoise.report.source import ReportSource

SUBJECT = ("USUBJID", "ARM", "AGE", "SEX", "DIAGDY", "ALLOCDY", "LSTCNDY")
EVENT = ("USUBJID", "ASTDY", "AENDY", "AECAT", "AEBODSYS", "AEDECOD", "AETOXGR", "AELEVEL", "AESER", "AREL", "AEOUT")
EVENT += ("TRTP",)
NUMBERS = {"AGE": 1, "DIAGDY": 0, "ALLOCDY": 0, "LSTCNDY": 0, "ASTDY": 0, "AENDY": 0, "AETOXGR": 0, "AELEVEL": 0}
HEADERS = {
    "USUBJID": "Participant",
    "ARM": "Arm",
    "AGE": "Age, years",
    "SEX": "Sex",
    "DIAGDY": "Diagnosis, day",
    "ALLOCDY": "Allocation, day",
    "LSTCNDY": "Last contact, day",
    "ASTDY": "From day",
    "AENDY": "To day",
    "AECAT": "Kind",
    "AEBODSYS": "Organ class or kind",
    "AEDECOD": "Term",
    "AETOXGR": "Grade",
    "AELEVEL": "Level",
    "AESER": "Serious",
    "AREL": "Related",
    "AEOUT": "Outcome",
    "TRTP": "Planned treatment",
}
FEW = 8
"""Rows that need no filter."""
NOT_RECORDED = "not recorded"
NOT_RANDOMISED = "Not randomised"


def listings_section(source: ReportSource) -> Section:
    """A listing of each kind, closed on a screen and open on paper."""
    return Section("listings", "Listings", tuple(_blocks(source)))


def _blocks(source: ReportSource) -> Iterator[Block]:
    yield Paragraph("Study days count from day 0; every number stands in the analysis datasets beside this report.")
    people = source.subjects.filter(pl.col("RANDFL") == "Y") if "RANDFL" in source.subjects.columns else source.subjects
    names = [name for name in SUBJECT if name in people.columns]
    yield _listing("listing-participants", "Randomised participants", _table("participants", people, names))
    yield from _outcomes(source)
    if source.events is not None:
        labels = {item.id: item.label for item in source.protocol.assessments}
        for kind in source.events["AECAT"].unique(maintain_order=True).to_list():
            mine = source.events.filter(pl.col("AECAT") == kind)
            columns = [name for name in EVENT if name != "AECAT" and not mine[name].is_null().all()]
            title = labels.get(kind) or str(kind)
            if kind not in source.listed_kinds:
                yield Paragraph(f"{title}: {mine.height} rows, which stand in the dataset ADAE alone.")
            else:
                yield _listing(
                    f"listing-events-{kind}", title, _table(f"events-{kind}", mine, columns), filtered=mine.height > FEW
                )


def _outcomes(source: ReportSource) -> Iterator[Listing]:
    """Every value of the parameters of the results, a row a participant, a column a visit."""
    arms = {} if source.blinded else dict(source.subjects.select("USUBJID", "ARM").iter_rows())
    places = {arm.label: place for place, arm in enumerate(source.protocol.arms)}
    for name in source.listed_parameters:
        parameter = source.protocol.parameter(name)
        mine = source.values.filter(pl.col("PARAMID") == name)
        visits = mine.sort("AVISITN")["AVISIT"].unique(maintain_order=True).to_list()
        values = {(who, visit): value for who, visit, value in mine.select("USUBJID", "AVISIT", "AVAL").iter_rows()}
        columns = (Column("Participant"), *(Column(visit, align="right") for visit in visits))
        rows: list[Row] = []
        people = mine["USUBJID"].unique().sort().to_list()
        for who in sorted(people, key=lambda who: (places.get(arms.get(who) or "", len(places)), who)):
            found = (values.get((who, visit)) for visit in visits)
            group = (arms.get(who) or NOT_RANDOMISED) if arms else ""
            rows.append(row(who, *(_shown(value, parameter.decimals) for value in found), group=group))
        title = with_unit_of(parameter)
        yield _listing(
            f"listing-values-{name}", title, Table(f"table-listing-values-{name}", title, columns, tuple(rows))
        )


def _listing(name: str, title: str, table: Table, *, filtered: bool = False) -> Listing:
    return Listing(name, f"{title} ({len(table.rows)} rows)", (table,), filtered)


def _table(name: str, frame: pl.DataFrame, names: Sequence[str]) -> Table:
    columns = tuple(Column(HEADERS[item], align="right" if item in NUMBERS else "left") for item in names)
    rows = tuple(
        row(*(_cell(value, item) for item, value in zip(names, line, strict=True)))
        for line in frame.select(names).iter_rows()
    )
    return Table(f"table-listing-{name}", "Every row", columns, rows)


def _cell(value: object, name: str) -> Text:
    if value is None:
        return Missing(NOT_RECORDED)
    return digits(value, NUMBERS[name]) if isinstance(value, int | float) else str(value)


def _shown(value: float | None, decimals: int) -> Text:
    return Missing("no value at this visit") if value is None else digits(value, decimals)
