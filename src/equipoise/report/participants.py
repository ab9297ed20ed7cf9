"""Who took part: the flow of participants and the table of their characteristics."""

from __future__ import annotations

from equipoise.analysis.recorded import NOT_RECORDED
from equipoise.analysis.results import ResultTable
from equipoise.documents.model import Column, Row, Section, Table, row
from equipoise.documents.numbers import count_percent, mean_sd, median_range
from equipoise.documents.runs import Missing, Text
from equipoise.report.flow import flow_figure
from equipoise.report.shown import PURE
from equipoise.report.source import Described, ReportSource
from equipoise.report.trail import origin


def participants_section(source: ReportSource) -> Section:
    """The flow figure and a table for each description of characteristics."""
    found = [item for item in source.described() if any(visit is None for _, visit in item.heads)]
    tables = (_characteristics(source, item.table, item) for item in found)
    return Section("participants", "Participants", (flow_figure(source), *tables))


def _size(source: ReportSource, group: str) -> int:
    """Participants allocated to an arm; everybody randomised for `all`."""
    if group == "all":
        return next(step.count for step in source.results.flow if step.id == "randomised")
    return _allocated(source, group)


def _allocated(source: ReportSource, arm: str) -> int:
    found = [step.count for step in source.results.flow if step.id == "allocated" and step.arm in (arm, None)]
    return found[0] if found else 0


def _characteristics(source: ReportSource, table: ResultTable, described: Described) -> Table:
    labels = {column.id: column.label for column in table.columns}
    columns = [
        Column("Characteristic"),
        *(Column(f"{labels[group]} (n = {_size(source, group)})", align="right") for group in described.groups),
    ]
    rows: list[Row] = []
    for (name, visit), (kind, label, unit) in described.heads.items():
        if len(described.visits(name)) > 1:  # followed over visits: it has a figure among the outcomes
            continue
        head = f"{label}, {unit}" if unit not in ("", PURE) else label
        rows += _rows(source, described, name, visit, kind, head)
    notes = (
        "Values are mean (SD), median (quartiles), or number (% of those with a value).",
        *(note for number, note in enumerate(table.notes) if number == 0 or NOT_RECORDED in note),
        origin(source, table.id),
    )
    return Table(f"table-{table.id}", table.title, tuple(columns), tuple(rows), notes)


def _rows(source: ReportSource, described: Described, name: str, visit: str | None, kind: str, head: str) -> list[Row]:
    groups = described.groups
    if kind == "number":
        return _number_rows(source, described, name, visit, head)
    statistics = described.statistics(name, visit)
    if kind == "events":
        rows = [row(head)]
        for statistic in statistics:
            counts = [_events(described.get(name, visit, statistic, group)) for group in groups]
            rows.append(row(statistic, *counts, indent=1))
        return rows
    rows = [row(head)]
    words = [statistic for statistic in statistics if statistic != "missing"]
    for word in words:
        cells: list[Text] = []
        for group in groups:
            total = sum(described.count(name, visit, other, group) for other in words)
            cells.append(count_percent(described.count(name, visit, word, group), total))
        rows.append(row(word.capitalize(), *cells, indent=1))
    return rows + _missing(described, name, visit)


def _events(count: float | None) -> Text:
    return Missing(NOT_RECORDED) if count is None else str(int(count))


def _number_rows(source: ReportSource, described: Described, name: str, visit: str | None, head: str) -> list[Row]:
    decimals = next((p.decimals for p in source.protocol.parameters if p.id == name), 1)
    means: list[Text] = []
    medians: list[Text] = []
    for group in described.groups:
        get = lambda statistic, g=group: described.get(name, visit, statistic, g)  # noqa: E731  four short look-ups
        means.append(mean_sd(get("mean"), get("sd"), decimals, "no values"))
        medians.append(median_range(get("median"), get("q1"), get("q3"), decimals, "no values"))
    rows = [row(head), row("mean (SD)", *means, indent=1), row("median (quartiles)", *medians, indent=1)]
    return rows + _missing(described, name, visit)


def _missing(described: Described, name: str, visit: str | None) -> list[Row]:
    counts = [described.count(name, visit, "missing", group) for group in described.groups]
    return [row("missing", *(str(count) for count in counts), indent=1)] if any(counts) else []
