"""The statistical analysis plan as a document: everything that the protocol fixes about analysis, and empty tables.

It is made from the protocol alone; no record and no allocation is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from equipoise.analysis.plan import Plan, PlannedAnalysis
from equipoise.documents.model import (
    Block,
    Bullets,
    Cell,
    Column,
    Document,
    Paragraph,
    Row,
    Section,
    Table,
    row,
)
from equipoise.documents.runs import Code, Text
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Part
from equipoise.report.conventions import conventions_section, estimand_blocks
from equipoise.report.method_pages import method_pages_section
from equipoise.report.promises import assumed_section, design_facts, schedule_table
from equipoise.report.shells import shell_blocks

ROLES = ("primary", "key-secondary", "secondary", "sensitivity", "supplementary", "exploratory", "descriptive")


def plan_document(planned: Plan, software: Mapping[str, str]) -> Document:
    """The plan as a document."""
    protocol = planned.protocol
    sections = (
        _claims(protocol),
        Section("design", "Design", (design_facts(protocol), schedule_table(protocol))),
        conventions_section(protocol),
        Section("estimands", "Estimands", tuple(estimand_blocks(protocol))),
        Section("analyses", "Analyses", tuple(_analyses(planned))),
        _multiplicity(protocol),
        _harm(protocol),
        Section("shells", "Empty tables", tuple(shell_blocks(planned))),
        assumed_section(protocol),
        method_pages_section(protocol),
    )
    study = protocol.study
    return Document(
        title=study.title,
        subtitle=f"{study.short_title}: statistical analysis plan",
        meta=(
            ("Protocol", f"{protocol.id}, version {study.version}"),
            ("Digest of the protocol", Code(protocol.digest)),
            ("Made by", f"{software['name']} {software['version']}"),
        ),
        summary=(
            Paragraph(
                "This plan is written from the protocol file alone: no data and no allocation were read. Whoever signs "
                "the digest of this file before unblinding fixes every analysis below; an analysis of other digests is "
                "a deviation, and reports list it."
            ),
        ),
        sections=tuple(section for section in sections if section is not None),
        footer=(f"equipoise {software['version']}",),
    )


def _claims(protocol: Protocol) -> Section | None:
    """What is to be decided, by which analyses and by which rule."""
    if not protocol.claims:
        return None
    labels = {item.id: item.label for item in protocol.analyses}
    rules = {"every-part": "every part", "one-part": "one part", "safety": "the rule for harm", "descriptive": "none"}
    rows = tuple(
        row(
            f"{item.id.upper()}. {item.text}",
            "; ".join(f"{labels[part.analysis]}: {part.direction}" for part in item.parts) or "nothing yet",
            rules[item.rule],
        )
        for item in protocol.claims
    )
    columns = (Column("Claim"), Column("Decided by"), Column("Needs"))
    verdicts: tuple[Text, ...] = (
        "Supported: in a confirmatory family, adjusted p at most its level, in the right direction.",
        "Contradicted: the interval excludes no effect, in the wrong direction.",
        "Inconclusive: neither, with the smallest effect that is excluded.",
        "Outside the confirmatory families: consistent, or not consistent in direction.",
        "Not assessable: there is no number, with the reason.",
    )
    table = Table("table-claims", "Claims and what decides them", columns, rows)
    return Section("claims", "Claims and verdicts", (table, Bullets(verdicts)))


def _analyses(planned: Plan) -> Iterator[Block]:
    """A table for each role."""
    columns = (Column("Analysis"), Column("Method"), Column("Of"), Column("Options"))
    for role in ROLES:
        items = [item for item in planned.analyses if item.analysis.role == role]
        if items:
            rows = tuple(_analysis(planned.protocol, item) for item in items)
            yield Table(f"table-{role}", f"{role.replace('-', ' ').capitalize()} analyses", columns, rows)


def _analysis(protocol: Protocol, item: PlannedAnalysis) -> Row:
    analysis = item.analysis
    sets = {found.id: found.label for found in protocol.conventions.analysis_sets}
    if analysis.estimand is not None:
        of = protocol.estimand(analysis.estimand).label
    else:
        of = sets[str(analysis.analysis_set)]
    given = {name: getattr(item.options, name) for name in type(item.options).model_fields}
    options = "; ".join(
        f"{key.replace('_', ' ')}: {_words(value)}" for key, value in given.items() if value is not None and value != ()
    )
    return row(Cell((analysis.label, " (", Code(analysis.id), ")")), item.method.title, of, options)


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Part):
        return _words({name: getattr(value, name) for name in type(value).model_fields})
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_words(item)}" for key, item in value.items() if item is not None)
    return ", ".join(map(_words, value)) if isinstance(value, list | tuple) else str(value)


def _multiplicity(protocol: Protocol) -> Section:
    rows = tuple(
        row(
            item.label,
            f"{item.level:g}",
            item.adjustment.replace("-", " "),
            "; ".join(a.label for a in protocol.analyses if a.family == item.id),
        )
        for item in protocol.families
    )
    columns = (Column("Family"), Column("Level, two-sided"), Column("Adjusted by"), Column("Members, in order"))
    table = Table("table-families", "Families of confirmatory results", columns, rows)
    text = "What stands in no family is tested at no level: its p-values and intervals describe."
    return Section("multiplicity", "Multiplicity", (table, Paragraph(text)))


def _harm(protocol: Protocol) -> Section | None:
    if not protocol.safety.stopping_rules:
        return None
    rows = tuple(
        row(
            item.event,
            f"Beta({item.prior[0]:g}, {item.prior[1]:g})",
            f"P(rate > {item.threshold:g}) > {item.certainty:g}",
            str(item.minimum),
        )
        for item in protocol.safety.stopping_rules
    )
    columns = (Column("Event"), Column("Prior of its rate"), Column("Stop where"), Column("Not before"))
    return Section("harm", "Stopping for harm", (Table("table-stopping", "Stopping rules", columns, rows),))
