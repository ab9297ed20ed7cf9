"""Where a number comes from: the result or table in results.json, the method's page, the rows that were analysed."""

from __future__ import annotations

from equipoise.analysis.registry import methods
from equipoise.analysis.results import Result
from equipoise.documents.runs import Code, Link, Run, Text
from equipoise.protocol.schema.inference import Analysis
from equipoise.report.method_pages import anchor
from equipoise.report.source import ReportSource


def behind_result(source: ReportSource, result: Result) -> tuple[Run, ...]:
    """The links of a result: its method's page and the rows behind it."""
    between = "\N{NO-BREAK SPACE}·\N{NO-BREAK SPACE}"
    return (" · ", _method(result.method, "method"), between, _values(source, result.parameter, "rows"))


def origin(
    source: ReportSource, table: str, *, parameter: str | None = None, events: tuple[str, ...] | None = None
) -> Text:
    """The line under a table or figure: the table of results.json, the method, and the rows.

    table: the id of a table in results.json, which begins with its analysis's; parameter, events: the only ones shown.
    """
    analysis = next((item for item in source.protocol.analyses if item.id == table.partition("/")[0]), None)
    runs: list[Run] = ["Source: table ", Code(table), " in results.json"]
    if analysis is None:
        return (*runs, ".")
    method = methods().usable(analysis.method)
    if method is None:  # made with a package that is not installed here
        return (*runs, "; method: ", Code(analysis.method), ".")
    runs += ["; method: ", Link(method.title, f"#{anchor(method.page)}") if method.page else method.title]
    rows = method.rows
    if parameter is not None:
        return (*runs, "; rows: ", _values(source, parameter, "every value"), ".")
    if rows == "adae":
        labels = {item.id: item.label for item in source.protocol.assessments}
        runs.append("; rows: ")
        for number, kind in enumerate(events if events is not None else _events(source, analysis)):
            runs += [", "] if number else []
            link = Link(labels.get(kind, kind), f"#listing-events-{kind}")
            runs.append(link if kind in source.listed_kinds else Code(f"adam/adae, AECAT {kind}"))
        return (*runs, ".")
    return (*runs, "; rows: ", Code("records/interventions" if rows == "interventions" else f"adam/{rows}"), ".")


def origin_in_records(table: str, *rows: str) -> Text:
    """The line under a table that no single analysis made: the table of results.json, and the records behind it."""
    runs: list[Run] = ["Source: table ", Code(table), " in results.json; rows: "]
    for number, name in enumerate(rows):
        runs += [", "] if number else []
        runs.append(Code(name))
    return (*runs, ".")


def _events(source: ReportSource, analysis: Analysis) -> tuple[str, ...]:
    """The assessments whose events an analysis counts: those that it names, else those of its estimand's parameter."""
    named = analysis.options.get("events")
    if named is None and analysis.estimand is not None:
        parameter = source.protocol.parameter(source.protocol.estimand(analysis.estimand).variable.parameter)
        named = parameter.options.get("events")
    if named is None:
        return tuple(source.listed_kinds)
    return (named,) if isinstance(named, str) else tuple(map(str, named))


def _method(name: str, words: str) -> Run:
    method = methods().usable(name)
    page = "" if method is None else method.page
    return Link(words, f"#{anchor(page)}") if page else words


def _values(source: ReportSource, parameter: str, words: str) -> Run:
    """The listing of a parameter's values, or how they are found in the dataset."""
    if parameter in source.listed_parameters:
        return Link(words, f"#listing-values-{parameter}")
    return Code(f"adam/adeff, PARAMID {parameter}")
