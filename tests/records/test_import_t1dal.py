"""The real trial's public files become records, faithfully."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest

from equipoise.protocol.load import load_protocol
from equipoise.records.importing.apply import Imported, import_files
from equipoise.records.importing.map import find_map, load_map


@pytest.fixture(scope="module")
def imported(t1dal: Path) -> Imported:
    return import_files(load_protocol("t1dal"), load_map(find_map("t1dal", None)), t1dal)


@pytest.mark.requirement("IMPORT-T1DAL", "IMPORT-MAP")
def test_every_cell_of_the_tolerance_tests_is_a_finding(imported: Imported, t1dal: Path) -> None:
    with (t1dal / "mmtt.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    findings = imported.records.findings.filter(pl.col("assessment") == "mmtt")
    assert findings.height == 2 * len(rows)
    empty = sum(row[name] == "" for row in rows for name in ("cpeptide_reported_ng_ml", "glucose_mg_dl"))
    assert findings.filter(pl.col("status") == "not-done").height == empty > 0


@pytest.mark.requirement("IMPORT-T1DAL")
def test_results_below_the_limit_are_kept_as_reported(imported: Imported) -> None:
    below = imported.records.findings.filter(pl.col("original") == "<0.05")
    assert below.height == 49
    assert set(below["censored"]) == {"left"}
    assert below["value"].to_list() == pytest.approx([0.05 * 0.331] * 49, rel=1e-15)
    assert set(below["original_unit"]) == {"ng/mL"} and set(below["unit"]) == {"nmol/L"}


def test_conversion_agrees_with_the_trial_in_every_row(imported: Imported, t1dal: Path) -> None:
    findings = imported.records.findings.filter((pl.col("test") == "cpeptide") & pl.col("value").is_not_null())
    ours = {(r["participant"], r["visit"], r["minute"]): r for r in findings.iter_rows(named=True)}
    names = {"Baseline": "baseline"} | {f"Week {w}": f"week-{w}" for w in (24, 52, 78, 104)}
    with (t1dal / "mmtt.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            if row["cpeptide_nmol_l"]:
                found = ours.pop((row["participant"], names[row["visit"]], int(float(row["minute"]))))
                value = found["value"] / 2 if found["censored"] == "left" else found["value"]
                assert value == pytest.approx(float(row["cpeptide_nmol_l"]), abs=1e-12)
    assert not ours


@pytest.mark.requirement("IMPORT-ARMS", "RECORDS-ALLOCATION")
def test_arms_go_to_the_allocation_and_nowhere_else(imported: Imported) -> None:
    assert imported.allocation is not None
    arms = list(imported.allocation.arms.values())
    assert (arms.count("alefacept"), arms.count("placebo")) == (33, 16)
    for name, table in imported.records.tables.items():
        for column in table.columns:
            if table.schema[column] == pl.String:
                words = set(table[column].drop_nulls())
                assert not words & {"alefacept", "placebo", "Alefacept", "Placebo"}, f"{name}.{column} tells the arm"


@pytest.mark.requirement("IMPORT-SUPPLIED")
def test_imputed_values_are_supplied_and_not_findings(imported: Imported) -> None:
    supplied = imported.records.supplied
    assert set(supplied["parameter"]) == {"cpeptide-auc-2h", "cpeptide-auc-4h"}
    at_52 = supplied.filter((pl.col("visit") == "week-52") & (pl.col("parameter") == "cpeptide-auc-2h"))
    assert at_52.height == 49
    measured = imported.records.findings.filter((pl.col("assessment") == "mmtt") & (pl.col("visit") == "week-52"))
    assert measured["participant"].n_unique() == 42


@pytest.mark.requirement("RECORDS-FRAMES")
def test_each_row_names_its_line(imported: Imported, t1dal: Path) -> None:
    lines = (t1dal / "mmtt.csv").read_text().splitlines()
    sample = imported.records.findings.filter(pl.col("assessment") == "mmtt").sample(50, seed=1)
    for row in sample.iter_rows(named=True):
        file, _, number = row["source"].rpartition(":")
        assert file == "mmtt.csv"
        cells = lines[int(number) - 1].split(",")
        assert cells[0] == row["participant"] and float(cells[3]) == row["minute"]


def test_late_visits_are_warned_of_and_kept(imported: Imported) -> None:
    late = [w for w in imported.records.warnings if w.rule == "visit-window" and w.value == "476"]
    assert len(late) == 1 and late[0].file == "visits.csv" and late[0].line == 226
    assert 476 in imported.records.visits["day"].to_list()
