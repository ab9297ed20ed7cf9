"""`equipoise sap`: the statistical analysis plan as a document, from the protocol alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from equipoise.analysis.plan import plan
from equipoise.protocol.load import load_protocol
from equipoise.report.plan_document import plan_html
from equipoise.source.changes import check_scopes
from equipoise.verbs.folder import OutputFolder
from equipoise.verbs.importing import write_protocol
from equipoise.verbs.provenance import record_step, software

NAME = "sap.html"


@dataclass(frozen=True, slots=True)
class WrittenPlan:
    """Where a plan went, and the digest that is signed."""

    document: Path
    digest: str


def sap(protocol: str | Path, output: str | Path, changes: Sequence[str] = ()) -> WrittenPlan:
    """Write the statistical analysis plan of a protocol, with the protocol beside it.

    The digest is that of the document's bytes, which hold the digest of the protocol.

    Raises InputError where the protocol is wrong or its analyses cannot be planned.
    """
    check_scopes(changes, ("protocol",))
    loaded = load_protocol(protocol, changes)
    text = plan_html(plan(loaded), software())
    target = OutputFolder(Path(output))
    write_protocol(target, loaded)
    written = target.write_text(NAME, text)
    command = ["equipoise", "sap", str(protocol), "-o", str(output)]
    command += [word for change in changes for word in ("--set", change)]
    record_step(target, "sap", command, {"protocol": loaded.digest})
    return WrittenPlan(written, target.written[NAME])
