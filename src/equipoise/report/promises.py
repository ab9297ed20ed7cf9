"""What the protocol promised: design, estimands, analyses; and what its authors assumed."""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.documents.model import Column, KeyValues, Paragraph, Row, Section, Table, row
from equipoise.documents.numbers import MINUS, digits
from equipoise.documents.runs import Code, Text
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import Estimand
from equipoise.protocol.schema.treatment import Arm, Product
from equipoise.source.paths import find_steps, value_at

ROLE_NAMES = {
    "primary": "Primary",
    "key-secondary": "Key secondary",
    "secondary": "Secondary",
    "sensitivity": "Sensitivity",
    "supplementary": "Supplementary",
    "exploratory": "Exploratory",
    "descriptive": "Descriptive",
}
MOST_SHOWN = 6
"""Entries of an assumed value that a cell shows; of more it tells the number."""


def design_facts(protocol: Protocol) -> KeyValues:
    """Arms and what they are given, allocation, blinding, who may take part."""
    rows: list[tuple[Text, Text]] = [(f"Arm {arm.label}", given_to(protocol, arm)) for arm in protocol.arms]
    plan = protocol.randomisation
    ratio = ":".join(str(arm.ratio) for arm in protocol.arms)
    sizes = f" of {', '.join(map(str, plan.block_sizes))}" if plan.block_sizes else ""
    limit = f" with limit {plan.limit}" if plan.limit else ""
    strata = f", by {', '.join(stratum.label.lower() for stratum in plan.strata)}" if plan.strata else ""
    rows.append(
        (
            "Randomisation",
            f"{plan.participants} participants, {ratio}, {plan.method.replace('-', ' ')}{sizes}{limit}{strata}",
        )
    )
    rows.append(("Blinded", ", ".join(role.replace("-", " ") for role in protocol.blinding.masked)))
    rows.append(("Include", "; ".join(item.text for item in protocol.eligibility.inclusion)))
    if protocol.eligibility.exclusion:
        rows.append(("Exclude", "; ".join(item.text for item in protocol.eligibility.exclusion)))
    rows.append(("Day 0", protocol.conventions.time_zero))
    return KeyValues(tuple(rows))


def given_to(protocol: Protocol, arm: Arm) -> str:
    """What an arm is given in each period."""
    products = {product.id: product for product in protocol.products}
    return "; ".join(f"{period.label}: {_dose(products[arm.treatments[period.id]])}" for period in protocol.periods)


def _dose(product: Product) -> str:
    dose = product.dose
    per = "/kg" if dose.per == "kg" else ""
    times = f"{len(product.dose_days)} doses" if len(product.dose_days) > 1 else "one dose"
    amount = f"{dose.amount:,.0f}" if dose.amount >= 1000 else f"{dose.amount:g}"
    return f"{product.label}, {product.route}, {times} of {amount} {dose.unit}{per}"


def schedule_table(protocol: Protocol) -> Table:
    """What is measured at which visit."""
    visits = protocol.visits
    columns = (Column("Assessment"), *(Column(visit.label, align="centre") for visit in visits))
    rows: list[Row] = [row("Day", *(str(visit.day).replace("-", "\N{MINUS SIGN}") for visit in visits))]
    for assessment in protocol.assessments:
        if assessment.visits:
            marks = ("×" if visit.id in assessment.visits else "" for visit in visits)
            rows.append(row(assessment.label, *marks))
    return Table("table-schedule", "Schedule of assessments", columns, tuple(rows))


def estimands_table(protocol: Protocol) -> Table:
    """The five attributes of each estimand."""
    columns = (
        Column("Estimand"),
        Column("Population"),
        Column("Contrast"),
        Column("Variable"),
        Column("Intercurrent events"),
        Column("Summary"),
    )
    rows = [_estimand(protocol, item) for item in protocol.estimands]
    return Table("table-estimands", "Estimands (ICH E9(R1))", columns, tuple(rows))


def _estimand(protocol: Protocol, item: Estimand) -> Row:
    sets = {found.id: found.label for found in protocol.conventions.analysis_sets}
    return row(
        item.label,
        sets[item.population],
        f"{protocol.arm(item.contrast.active).label} v {protocol.arm(item.contrast.reference).label}",
        f"{protocol.parameter(item.variable.parameter).label} at {protocol.visit(item.variable.visit).label}",
        _strategies(protocol, item),
        item.summary.replace("-", " "),
    )


def _strategies(protocol: Protocol, item: Estimand) -> str:
    """The strategy for each declared intercurrent event; in a word where it is one for all."""
    events = {event.id: event.label for event in protocol.authored.intercurrent_events}
    words = {name: strategy.replace("-", " ") for name, strategy in item.intercurrent_events.items()}
    if len(words) > 1 and len(set(words.values())) == 1 and set(words) == set(events):
        return f"all {len(words)} declared: {next(iter(words.values()))}"
    return "; ".join(f"{events[name]}: {word}" for name, word in words.items()) or "none declared"


def analyses_table(protocol: Protocol) -> Table:
    """Every analysis with its method, its role and its options, as the protocol gives them."""
    columns = (Column("Analysis"), Column("Method"), Column("Role"), Column("Family"), Column("Options"))
    rows = []
    for item in protocol.analyses:
        options = "; ".join(f"{key}: {_option(value)}" for key, value in item.options.items())
        rows.append(row(item.label, item.method, item.role.replace("-", " "), item.family or "", options))
    return Table("table-analyses", "Analyses as planned", columns, tuple(rows))


def _option(value: object) -> str:
    """An option's value as a reader reads it; entries of several parts are set apart by semicolons."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_option(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ("; " if any(isinstance(item, Mapping) for item in value) else ", ").join(map(_option, value))
    return _plain_value(value)


def _plain_value(value: object) -> str:
    """A scalar: yes and no, a minus that is one, no decimals that say nothing."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        whole = abs(value) >= 10_000 and float(value).is_integer()
        return digits(value, 0) if whole else f"{value:.10g}".replace("-", MINUS)
    return str(value)


def assumed_section(protocol: Protocol) -> Section | None:
    """Everything that the protocol's authors chose without a source, with their reasons; None for nothing."""
    assumed = protocol.assumed
    if not assumed:
        return None
    columns = (Column("Where"), Column("Value"), Column("Why"))
    rows = tuple(row(Code(path), _shown(protocol, path), reason) for path, reason in assumed.items())
    text = "No source gives these values; the protocol's authors chose them for the reasons given."
    return Section(
        "assumed", "What the protocol assumed", (Paragraph(text), Table("table-assumed", "Assumptions", columns, rows))
    )


def _shown(protocol: Protocol, path: str) -> str:
    steps = find_steps(protocol.document.data, path)
    return _value(value_at(protocol.document.data, steps)) if steps is not None else ""


def _value(value: object) -> str:
    """A value of the document in a cell: scalars and short rows of them as they are, else how much there is."""
    if value is None or value == []:
        return "none"
    if isinstance(value, dict) and len(value) <= MOST_SHOWN and not any(_nested(item) for item in value.values()):
        return "; ".join(f"{key}: {_plain_value(item)}" for key, item in value.items())
    if isinstance(value, list) and len(value) <= MOST_SHOWN and not any(_nested(item) for item in value):
        return ", ".join(map(_plain_value, value))
    return f"{len(value)} entries" if isinstance(value, list | dict) else _plain_value(value)


def _nested(value: object) -> bool:
    return isinstance(value, list | dict)
