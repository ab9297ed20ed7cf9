"""`equipoise report`: results and analysis datasets become a document."""

from __future__ import annotations

from pathlib import Path

from equipoise.report.build import report_html
from equipoise.source.digest import digest_of_file
from equipoise.verbs.folder import OutputFolder
from equipoise.verbs.provenance import record_step


def report(folder: str | Path) -> Path:
    """Write report.html into a folder that holds an analysis; returns the report's path.

    Raises DataError where the folder holds no results.
    """
    path = Path(folder)
    text = report_html(path)
    target = OutputFolder(path)
    written = target.write_text("report.html", text)
    record_step(
        target,
        "report",
        ["equipoise", "report", str(folder)],
        {"results.json": digest_of_file(path / "results.json")},
    )
    return written
