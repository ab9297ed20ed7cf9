"""Results beyond a limit of quantification, below it and above it, from the cell of a file to the arrays."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from equipoise.protocol.load import load_protocol
from equipoise.protocol.schema.measurement import Test as MeasuredTest
from equipoise.records.from_records import to_panel
from equipoise.records.importing.convert import CellError, result
from equipoise.records.panel import LEFT, RIGHT
from equipoise.verbs.importing import import_trial

pytestmark = pytest.mark.requirement("RECORDS-LIMITS")
EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial"


def cpeptide() -> MeasuredTest:
    return next(t for t in load_protocol(EXAMPLE / "protocol.yaml").assessment("blood").tests if t.id == "cpeptide")


@pytest.mark.parametrize(
    ("cell", "value", "side"),
    [
        ("2.0", 0.662, None),
        ("<0.05", 0.01655, "left"),
        ("< 0.05", 0.01655, "left"),
        (">12", 3.972, "right"),
        ("> 12.0", 3.972, "right"),
    ],
)
def test_a_sign_says_the_side_and_the_number_is_the_limit_in_the_unit_of_the_protocol(
    cell: str, value: float, side: str | None
) -> None:
    """1 ng/mL of C-peptide is 0.331 nmol/L."""
    found = result(cell, "ng/mL", cpeptide())
    assert found.value == pytest.approx(value, rel=1e-14) and found.censored == side


@pytest.mark.parametrize("cell", ["<", ">", "<>3", "3>", "about 3", ">>3"])
def test_any_other_sign_is_no_result(cell: str) -> None:
    with pytest.raises(CellError):
        result(cell, "ng/mL", cpeptide())


def test_a_file_with_results_on_both_sides(tmp_path: Path) -> None:
    data = Path(shutil.copytree(EXAMPLE / "data", tmp_path / "data"))
    lines = (data / "visits.csv").read_text("utf-8").splitlines()
    assert lines[1] == "INV-01,V1,1,7.9,1.10" and lines[2] == "INV-01,V2,92,7.1,1.02"
    lines[1], lines[2] = "INV-01,V1,1,7.9,>12", "INV-01,V2,92,7.1,<0.05"
    (data / "visits.csv").write_text("\n".join(lines) + "\n", "utf-8")
    done = import_trial(EXAMPLE / "protocol.yaml", data, tmp_path / "out", import_map=EXAMPLE / "map.yaml")
    findings = done.imported.records.findings.filter(
        (pl.col("participant") == "INV-01") & (pl.col("test") == "cpeptide")
    )
    rows = {row["visit"]: row for row in findings.iter_rows(named=True)}
    assert (rows["baseline"]["censored"], rows["baseline"]["original"]) == ("right", ">12")
    assert (rows["month-3"]["censored"], rows["month-3"]["original"]) == ("left", "<0.05")
    assert rows["month-6"]["censored"] is None
    panel = to_panel(done.imported.records)
    value, side = panel.blocks["blood"].test("cpeptide")
    person = panel.ids.index("INV-01")
    assert side[0, person, :, 0].tolist() == [RIGHT, LEFT, 0]
    np.testing.assert_allclose(value[0, person, :2, 0], [12 * 0.331, 0.05 * 0.331], rtol=1e-14)
    was = to_panel(
        import_trial(
            EXAMPLE / "protocol.yaml", EXAMPLE / "data", tmp_path / "was", import_map=EXAMPLE / "map.yaml"
        ).imported.records
    )
    others = np.arange(len(panel.ids)) != person
    np.testing.assert_array_equal(side[0, others], was.blocks["blood"].test("cpeptide")[1][0, others])
