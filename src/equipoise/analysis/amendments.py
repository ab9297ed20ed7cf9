"""What a protocol says differently from the earlier versions under which its records were made."""

from __future__ import annotations

from itertools import pairwise

from equipoise.analysis.deviations import shown
from equipoise.analysis.results import ResultTable, TableColumn
from equipoise.protocol.amendment import difference
from equipoise.records.records import Records

TABLE = "amendments"


def amendments_table(records: Records) -> ResultTable | None:
    """Every difference between the versions from the one under which records were made; None where there is one.

    Of a version whose document is not beside the records only the digest is known, and a note says so.
    """
    if not records.amended:
        return None
    documents = (*records.earlier, records.protocol)
    second = len(records.protocols) - len(records.earlier) + 1
    rows = tuple(
        (number, change.path, change.kind, shown(change.before), shown(change.after))
        for number, (old, new) in enumerate(pairwise(documents), second)
        for change in difference(old, new)
    )
    columns = (
        TableColumn("version", "Version"),
        TableColumn("path", "Where"),
        TableColumn("kind", "Kind"),
        TableColumn("before", "Before"),
        TableColumn("after", "From then on"),
    )
    last = len(records.protocols)
    notes = [f"Version {number} has the digest {digest}." for number, digest in enumerate(records.protocols, 1)]
    notes.append(f"The records were begun under version {records.protocols.index(records.under) + 1} of {last}.")
    if len(documents) < last:
        notes.append("The document of version 1 is not beside the records: what version 2 changed is not listed.")
    return ResultTable(TABLE, "Amendments of the protocol", columns, rows, tuple(notes))
