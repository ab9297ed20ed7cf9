"""What the trial promised, drawn from its protocol: design, schedule, conventions, estimands, analyses."""

from __future__ import annotations

from equipoise.documents.model import Paragraph, Section
from equipoise.protocol.model import Protocol
from equipoise.report.conventions import conventions_section, estimand_blocks
from equipoise.report.promises import analyses_table, design_facts, schedule_table


def methods_section(protocol: Protocol, *, described: bool = False) -> Section:
    """Everything that was fixed before the data, in the order of ICH E3, section 9.

    described: whether the protocol's own account of its trial stands here and not on the first page, since the report
    is of other people than that trial's.
    """
    told = (Paragraph(f"The trial that the protocol describes: {protocol.study.summary}"),) if described else ()
    parts = (
        Section("plan", "Design and schedule", (*told, design_facts(protocol), schedule_table(protocol))),
        conventions_section(protocol),
        Section("estimands", "Estimands", tuple(estimand_blocks(protocol))),
        Section("analyses", "Analyses", (analyses_table(protocol),)),
    )
    return Section("design", "Methods: what the protocol promised", (), parts)
