"""The conventions and estimands of a protocol, as its plan and every report tell them."""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.documents.model import Block, Bullets, Column, KeyValues, Paragraph, Row, Section, Table, row
from equipoise.documents.runs import Text
from equipoise.protocol.model import Protocol
from equipoise.report.promises import estimands_table

ZEROES = {
    "diagnosis": "the day of diagnosis",
    "consent": "the day of consent",
    "allocation": "the day of allocation",
    "first-dose": "the day of the first dose",
    "time-zero": "study day 0",
}
SET_RULES = {
    "randomised": "everybody who was randomised, as allocated",
    "any-post-baseline": "randomised, with a value of one of these after baseline",
    "every-post-baseline": "randomised, with a value of each of these after baseline",
    "visit-held": "randomised, with these visits held",
    "dosed": "given at least one dose",
    "all-doses": "given every planned dose of a period, of any one where there are several",
}


def conventions_section(protocol: Protocol) -> Section:
    """Sets, clocks, baselines, windows."""
    rules = protocol.conventions
    facts: list[tuple[Text, Text]] = [("Study day 0", rules.time_zero)]
    for item in rules.analysis_sets:
        named = [*item.parameters, *item.visits]
        told = f"{SET_RULES[item.rule]}{': ' if named else ''}{', '.join(named)}"
        told += f"; {item.sex} participants only" if item.sex is not None else ""
        told += f"; of the set {item.within}" if item.within is not None else ""
        facts.append((f"Analysis set: {item.label}", told))
    facts += [(f"Clock: {item.label}", f"counted from {ZEROES[item.zero]}") for item in rules.clocks]
    facts += [
        (f"Baseline: {item.label}", f"the value at the visit {protocol.visit(item.visit).label}")
        for item in rules.baselines
    ]
    windows = rules.windows
    facts.append(("Values belong to visits", _windows(protocol)))
    facts.append(("Unscheduled values", windows.unscheduled.replace("-", " ")))
    facts.append(("Repeated values", f"the {windows.repeated} counts"))
    facts.append(("Seed of analyses that draw", str(rules.seed)))
    text = "Sets are decided without arms. Withdrawal from the study is missing data, not an intercurrent event."
    return Section("conventions", "Conventions", (Paragraph(text), KeyValues(tuple(facts))))


def _windows(protocol: Protocol) -> str:
    windows = protocol.conventions.windows
    if windows.rule == "nominal":
        return "by the visit's name"
    named = [item.label for item in protocol.findings if not item.nearest]
    told = (
        f"by the planned day nearest to their own, of two equally near the {windows.tie}; on either side of day 0 apart"
    )
    return told + (f"; by the visit's name: {', '.join(named)}" if named else "")


def estimand_blocks(protocol: Protocol) -> Iterator[Block]:
    """The five attributes of each estimand, its main analysis, and the analyses that vary its assumptions."""
    yield estimands_table(protocol)
    if protocol.authored.intercurrent_events:
        yield Paragraph("Declared intercurrent events:")
        yield Bullets(tuple(event.label for event in protocol.authored.intercurrent_events))
    varied = {item.id: [other for other in protocol.analyses if other.of == item.id] for item in protocol.analyses}
    rows: list[Row] = []
    for item in protocol.estimands:
        main = [a for a in protocol.analyses if a.estimand == item.id and a.of is None]
        others = [other.label for a in main for other in varied[a.id]]
        rows.append(row(item.label, "; ".join(a.label for a in main), "; ".join(others) or "none"))
    columns = (Column("Estimand"), Column("Main analysis"), Column("Under other assumptions"))
    yield Table("table-estimators", "Estimators, and the analyses that vary their assumptions", columns, tuple(rows))
