"""`equipoise sap`: the statistical analysis plan as a document, from the protocol alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from equipoise.analysis.plan import plan
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.report.build import Format, rendered
from equipoise.report.plan_document import plan_document
from equipoise.source.changes import check_scopes
from equipoise.verbs.folder import OutputFolder
from equipoise.verbs.importing import write_protocol
from equipoise.verbs.provenance import record_step, software

PLAN = "sap"
"""The name of a plan's files, before their ending."""


@dataclass(frozen=True, slots=True)
class WrittenPlan:
    """Where a plan went: each document, in the order of its formats, with the digest that is signed."""

    digests: dict[Path, str]

    @property
    def document(self) -> Path:
        """The first document."""
        return next(iter(self.digests))

    @property
    def digest(self) -> str:
        """The digest of the first document."""
        return self.digests[self.document]


def sap(
    protocol: str | Path, output: str | Path, changes: Sequence[str] = (), *, formats: Sequence[Format] = ("html",)
) -> WrittenPlan:
    """Write the statistical analysis plan of a protocol as sap.html, sap.pdf or sap.docx, the protocol beside it.

    A digest is that of a document's bytes, which hold the digest of the protocol.

    Raises InputError where the protocol is wrong or its analyses cannot be planned, SurroundingsError where a format
    needs what is not installed.
    """
    check_scopes(changes, ("protocol",))
    loaded = load_protocol(protocol, changes)
    contents = plan_files(loaded, tuple(dict.fromkeys(formats)))
    target = OutputFolder(Path(output))
    write_protocol(target, loaded)
    written = {target.write_bytes(name, content): target.written[name] for name, content in contents.items()}
    command = ["equipoise", "sap", str(protocol), "-o", str(output)]
    command += [word for change in changes for word in ("--set", change)]
    command += [] if tuple(formats) == ("html",) else [word for kind in formats for word in ("--format", kind)]
    record_step(target, "sap", command, {"protocol": loaded.digest})
    return WrittenPlan(written)


def plan_files(protocol: Protocol, formats: Sequence[Format]) -> dict[str, bytes]:
    """The plan of a protocol as a file of each format, by its name."""
    document = plan_document(plan(protocol), software())
    return {f"{PLAN}.{kind}": rendered(document, kind) for kind in formats}
