"""`equipoise report`: results and analysis datasets become a document."""

from __future__ import annotations

from pathlib import Path

from equipoise.protocol.model import Protocol
from equipoise.report.build import Format, report_bytes
from equipoise.source.digest import digest_of_file
from equipoise.verbs.folder import OutputFolder
from equipoise.verbs.provenance import record_step


def report(folder: str | Path, protocol: Protocol | None = None, *, kind: Format = "html") -> Path:
    """Write report.html, report.pdf or report.docx into a folder that holds an analysis; returns the report's path.

    protocol: the folder's own, where it has just been read; reading it again takes half a second.

    Raises DataError where the folder holds no results, SurroundingsError where the extra `documents` is not installed.
    """
    path = Path(folder)
    content = report_bytes(path, kind, protocol)
    target = OutputFolder(path)
    written = target.write_bytes(f"report.{kind}", content)
    format_ = [] if kind == "html" else ["--format", kind]
    inputs = {"results.json": digest_of_file(path / "results.json")}
    record_step(target, "report", ["equipoise", "report", str(folder), *format_], inputs)
    return written
