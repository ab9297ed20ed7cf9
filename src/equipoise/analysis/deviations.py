"""What an analysis did otherwise than the plan that was signed before it."""

from __future__ import annotations

import json
from typing import Any

from equipoise.analysis.results import ResultTable, TableColumn
from equipoise.protocol.amendment import difference
from equipoise.protocol.model import Protocol

TABLE = "deviations"
LONGEST = 200
"""Characters of a value that a cell holds; the protocols themselves have the rest."""


def deviations_table(signed: Protocol, analysed: Protocol) -> ResultTable:
    """Every difference between the protocol of the signed plan and the one that was analysed; no row where none is."""
    rows = tuple(
        (change.path, change.kind, shown(change.before), shown(change.after)) for change in difference(signed, analysed)
    )
    columns = (
        TableColumn("path", "Where"),
        TableColumn("kind", "Kind"),
        TableColumn("planned", "As planned"),
        TableColumn("analysed", "As analysed"),
    )
    notes = (f"The signed plan's protocol has the digest {signed.digest}.",)
    return ResultTable(TABLE, "Deviations from the plan", columns, rows, notes)


def shown(value: Any) -> str | None:
    """A value of a protocol as a cell of a table holds it."""
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
