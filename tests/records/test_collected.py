"""An assessment without rows: import warns, and the map may say that it was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.protocol.load import load_protocol
from equipoise.records.importing.apply import import_files
from equipoise.records.importing.map import load_map
from equipoise.verbs.analysing import analyse
from equipoise.verbs.importing import import_trial
from equipoise.verbs.reporting import report


def without(small: Path, *files: str, collected: str = "") -> Path:
    """The small trial's map without the entries of these files, which are gone."""
    text = (small / "map.yaml").read_text("utf-8")
    text, _, arms = text.partition("\nallocation:")
    head, *entries = text.split("\n  - file: ")
    kept = [entry for entry in entries if not entry.startswith(files)]
    path = small / "other.yaml"
    path.write_text("\n  - file: ".join([head, *kept]) + collected + "\nallocation:" + arms, "utf-8")
    return path


def told(small: Path, mapping: Path) -> list[str]:
    done = import_files(load_protocol(small / "protocol.yaml"), load_map(mapping), small / "data")
    return [str(item) for item in done.warnings if item.rule == "assessment-recorded"]


@pytest.mark.requirement("IMPORT-COLLECTED")
def test_import_warns_of_a_planned_assessment_without_rows(small: Path) -> None:
    assert told(small, small / "map.yaml") == []
    (found,) = told(small, without(small, "events.csv"))
    assert "'adverse-events'" in found and "not recorded" in found and "`collected`" in found
    assert told(small, without(small, "events.csv", collected="\ncollected: [adverse-events]\n")) == []


@pytest.mark.requirement("IMPORT-COLLECTED", "EVENTS-NOT-RECORDED")
@pytest.mark.parametrize(("collected", "cells"), [("", None), ("\ncollected: [adverse-events]\n", 0)])
def test_the_report_tells_none_from_not_recorded(
    small: Path, tmp_path: Path, collected: str, cells: int | None
) -> None:
    mapping = without(small, "events.csv", collected=collected)
    out = tmp_path / "out"
    import_trial(small / "protocol.yaml", small / "data", out, import_map=mapping)
    table = analyse(small / "protocol.yaml", out, out).results.table("adverse-events")
    counts = {row[5]: set(row[6:]) for row in table.rows}
    assert counts["participants"] == {6, 12}
    assert counts["participants with any"] == counts["events"] == {cells}
    report(out)
    text = (out / "report.html").read_text("utf-8")
    assert ("Adverse events: not recorded, which is not the same as none." in text) == (cells is None)
