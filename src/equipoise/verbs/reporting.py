"""`equipoise report`: results and analysis datasets become a document."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from equipoise.protocol.model import Protocol
from equipoise.report.build import Format, rendered, report_document
from equipoise.report.source import read_source
from equipoise.source.digest import digest_of_file
from equipoise.truth.table import FILE as TRUTH
from equipoise.verbs.folder import OutputFolder
from equipoise.verbs.provenance import record_step


def report(folder: str | Path, *, kind: Format = "html") -> Path:
    """Write report.html, report.pdf or report.docx into a folder that holds an analysis; returns the report's path.

    Raises DataError where the folder holds no results, SurroundingsError where the extra `documents` is not installed.
    """
    return reports(folder, (kind,))[0]


def reports(folder: str | Path, kinds: Sequence[Format], protocol: Protocol | None = None) -> tuple[Path, ...]:
    """The same for several formats: the document is made once, and its figures and tables are shared.

    protocol: the folder's own, where it has just been read; reading it again takes half a second.
    """
    if not kinds:
        return ()
    path = Path(folder)
    document = report_document(read_source(path, protocol))
    contents = {kind: rendered(document, kind) for kind in dict.fromkeys(kinds)}
    target = OutputFolder(path)
    written = {kind: target.write_bytes(f"report.{kind}", content) for kind, content in contents.items()}
    formats = [] if list(contents) == ["html"] else [word for kind in contents for word in ("--format", kind)]
    inputs = {name: digest_of_file(path / name) for name in ("results.json", TRUTH) if (path / name).is_file()}
    record_step(target, "report", ["equipoise", "report", str(folder), *formats], inputs)
    return tuple(written[kind] for kind in kinds)
