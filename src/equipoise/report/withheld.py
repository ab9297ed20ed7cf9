"""What a report for a masked role says first: from whom it is kept, and what."""

from __future__ import annotations

from equipoise.documents.model import Block, Bullets, Callout, Paragraph
from equipoise.report.source import ReportSource


def withheld_blocks(source: ReportSource) -> tuple[Block, ...]:
    """A callout with every item that was withheld; nothing in a report for everybody."""
    withheld = source.results.withheld
    if withheld is None:
        return ()
    role = str(withheld["role"]).replace("-", " ")
    text = (
        f"This report is for the {role} before database lock. Withheld, and neither counted nor shown as missing "
        "anywhere below:"
    )
    return (Callout("info", "Withheld", (Paragraph(text), Bullets(tuple(str(item) for item in withheld["items"])))),)
