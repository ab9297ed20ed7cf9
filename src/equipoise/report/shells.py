"""Empty tables: what will stand where, before there is a number."""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.analysis.plan import Plan, PlannedAnalysis
from equipoise.documents.model import Block, Column, Row, Table, row
from equipoise.protocol.model import Protocol

COUNT, SHARE, P = "xx", "xx (xx%)", "x.xxx"


def shell_blocks(planned: Plan) -> Iterator[Block]:
    """One table of all comparisons, then one for each analysis that describes."""
    comparing = [item for item in planned.analyses if item.analysis.estimand is not None]
    if comparing:
        yield _comparisons(planned.protocol, comparing)
    for item in planned.analyses:
        if item.analysis.estimand is None:
            yield _described(planned, item)


def _comparisons(protocol: Protocol, items: list[PlannedAnalysis]) -> Table:
    arms = [Column(f"n, {arm.label}", align="right") for arm in protocol.arms]
    adjusted = [Column("Adjusted p", align="right")] if protocol.families else []
    columns = (
        Column("Comparison"),
        *arms,
        Column("Estimate (95% interval)", align="right"),
        Column("df", align="right"),
        Column("p", align="right"),
        *adjusted,
    )
    rows: list[Row] = []
    for item in items:
        analysis = item.analysis
        number = _number(protocol, item)
        tested = getattr(item.options, "test", True)
        cells = [*(COUNT for _ in arms), f"{number} ({number}, {number})", "xx.x", P if tested else ""]
        cells += [P if analysis.family is not None else ""] if adjusted else []
        rows.append(row(analysis.label, *cells))
    return Table("shell-comparisons", "Comparisons of the arms", columns, tuple(rows))


def _number(protocol: Protocol, item: PlannedAnalysis) -> str:
    """The form of an estimate, by the decimals of its parameter."""
    estimand = protocol.estimand(str(item.analysis.estimand))
    if estimand.summary in ("rate-ratio", "ratio-of-means", "odds-ratio"):
        return "x.xx"
    if estimand.summary == "difference-in-proportions":
        return "xx"
    decimals = protocol.parameter(getattr(item.options, "parameter", None) or estimand.variable.parameter).decimals
    return f"x.{'x' * (decimals + 1 if decimals < 2 else decimals)}"


def _described(planned: Plan, item: PlannedAnalysis) -> Table:
    protocol, analysis = planned.protocol, item.analysis
    arms = [Column(arm.label, align="right") for arm in protocol.arms]
    columns = (Column(""), *arms, Column("All", align="right"))
    many = len(arms) + 1
    rows = list(_parameters(planned, item, many)) or [row(item.method.title, *(COUNT for _ in range(many)))]
    return Table(f"shell-{analysis.id}", analysis.label, columns, tuple(rows))


def _parameters(planned: Plan, item: PlannedAnalysis, many: int) -> Iterator[Row]:
    """Rows of what a descriptive analysis describes, or of the events that a table of harm counts."""
    protocol = planned.protocol
    for name in getattr(item.options, "characteristics", ()):
        yield row(name.replace("_", " ").capitalize(), *("xx.x (xx.x)" for _ in range(many)))
    visits = list(getattr(item.options, "visits", ()))
    for name in getattr(item.options, "parameters", ()):
        parameter = protocol.parameter(name)
        form = f"xx.{'x' * parameter.decimals}" if parameter.decimals else "xx"
        label = f"{parameter.label}, {parameter.unit}" if parameter.unit != "1" else parameter.label
        for visit in visits:
            if visit in planned.measured[name]:
                cells = (f"{form} ({form}), n = {COUNT}" for _ in range(many))
                yield row(protocol.visit(visit).label, *cells, group=label)
    for name in getattr(item.options, "events", ()) if isinstance(getattr(item.options, "events", None), tuple) else ():
        label = protocol.assessment(name).label
        for words in ("Participants at risk", "Person-years"):
            yield row(words, *("xx.x" if words == "Person-years" else COUNT for _ in range(many)), group=label)
        for period in protocol.periods:
            cells = (f"{SHARE}; {COUNT}" for _ in range(many))
            yield row(f"{period.label}: participants (share); events", *cells, group=label)
