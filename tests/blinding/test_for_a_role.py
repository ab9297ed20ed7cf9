"""Analyses, exports and proofs for a role: what is withheld is said, counted nowhere, and not beside the results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from equipoise.cli.main import commands
from equipoise.errors import DataError, InputError, IntegrityError
from equipoise.source.digest import digest_of_file
from equipoise.verbs.analysing import analyse
from equipoise.verbs.exporting import export
from equipoise.verbs.reporting import report
from equipoise.verbs.simulating import simulate
from equipoise.verbs.verifying import verify, verify_part
from equipoise.verbs.viewing import export_view

STATISTICIAN = "blinded-statistician"
REASON = "withheld from the blinded statistician until database lock"


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("role") / "trial"
    simulate("msc-t1d", folder, scenario="published", seed=2)
    return folder


@pytest.fixture(scope="module")
def blinded(trial: Path) -> Path:
    folder = trial.parent / "blinded"
    (folder.parent / "told").mkdir()
    done = analyse("msc-t1d", trial, folder, blinded=True)
    assert len(done.withheld) == 1
    assert done.withheld[0].startswith(
        "withheld from the blinded statistician: Allocated group (until database lock); "
    )
    report(folder)
    return folder


def results(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "results.json").read_text())


@pytest.mark.requirement("BLINDING-ROLE")
def test_withheld_values_have_a_reason_and_no_counts(blinded: Path) -> None:
    found = results(blinded)
    assert found["withheld"]["role"] == STATISTICIAN
    assert found["withheld"]["allocation"] is True
    assert "lots" in found["withheld"]["lacks"]
    about = [
        item for item in found["results"] if item["parameter"].removeprefix("change-").startswith(("treg", "cytokine"))
    ]
    assert len(about) >= 8
    for item in about:
        assert (item["status"], item["n"], item["n_missing"], item["estimate"]) == (REASON, {}, {}, None), item["id"]
    seen = next(item for item in found["results"] if item["id"].startswith("hba1c-12-change/"))
    assert seen["estimate"] is not None
    assert sum(seen["n"].values()) > 0


@pytest.mark.requirement("BLINDING-ROLE")
def test_tables_hold_no_row_of_what_is_withheld_and_say_so(blinded: Path) -> None:
    tables = {table["id"]: table for table in results(blinded)["tables"]}
    cells = tables["regulatory-t-cells"]
    visit = [column["id"] for column in cells["columns"]].index("visit")
    assert {row[visit] for row in cells["rows"]} == {"baseline", "dose-1"}
    assert cells["notes"][-1] == f"Rows that are not here are {REASON}."
    assert tables["cytokines-12-panel"]["rows"] == []
    assert tables["cytokines-12-panel"]["notes"][-1] == f"Everything in this table is {REASON}."
    items = {row[2] for row in tables["exposure"]["rows"]}
    assert "Infusions given" in items
    assert {item for item in items if item.startswith("Not given")} == {"Not given: reason withheld"}
    assert not {item for item in items if item in ("Duration", "Volume", "Viability") or "lot" in item}
    assert REASON in tables["exposure"]["notes"][-1]
    # Of what is whole nothing is said.
    assert tables["activity"]["rows"] and not any(REASON in note for note in tables["activity"]["notes"])


@pytest.mark.requirement("BLINDING-ROLE")
def test_intercurrent_events_of_withheld_records_are_not_counted_as_none(blinded: Path) -> None:
    """Ketoacidosis is found by its term, lots that failed by the lots, and the blinded statistician has neither."""
    table = next(item for item in results(blinded)["tables"] if item["id"] == "intercurrent-events")
    rows = {row[0]: row[2:] for row in table["rows"]}
    for name in ("ketoacidosis", "pregnancy", "lot-failed", "dose-below-range"):
        assert rows[name] == [None, REASON], name
    assert rows["systemic-steroids"][-1] == "yes"
    assert rows["systemic-steroids"][0] is not None


@pytest.mark.requirement("BLINDING-ROLE")
def test_datasets_and_records_hold_the_baseline_and_nothing_after(blinded: Path) -> None:
    values = pl.read_parquet(blinded / "adam" / "adeff.parquet")
    cells = values.filter(pl.col("PARAMID") == "treg-percent")
    assert set(cells["AVISIT"]) == {"Baseline", "First infusion"}
    assert set(values.filter(pl.col("PARAMID") == "cytokine-balance")["AVISIT"]) == {"Baseline"}
    events = pl.read_parquet(blinded / "adam" / "adae.parquet")
    assert set(events["AEDECOD"]) == {"withheld"}
    assert events["AEBODSYS"].null_count() == 0
    assert events.filter(pl.col("AECAT") == "adverse-events")["AETOXGR"].null_count() == 0
    assert pl.read_parquet(blinded / "records" / "lots.parquet").height == 0
    given = pl.read_parquet(blinded / "records" / "interventions.parquet")
    assert all(given[name].null_count() == given.height for name in ("lot", "volume_ml", "minutes", "reason"))
    assert given["day"].null_count() == 0


@pytest.mark.requirement("BLINDING-ROLE")
def test_the_report_says_first_what_was_withheld(blinded: Path) -> None:
    page = (blinded / "report.html").read_text()
    said = page.index("This report is for the blinded statistician before database lock.")
    assert said < page.index("The allocation was left out of this run.")
    assert "Cytokines after the first infusion (until database lock)" in page


@pytest.mark.requirement("BLINDING-ROLE", "BLINDING-BLINDED")
def test_the_terminal_says_so_and_refuses_two_roles(trial: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke
    done = run(commands, ["analyse", "msc-t1d", str(trial), "--role", "cell-laboratory", "-o", str(tmp_path / "out")])
    assert "\nwithheld from the cell laboratory: Allocated group (until database lock); Free text" in done.output
    both = run(
        commands, ["analyse", "msc-t1d", str(trial), "--blinded", "--role", "monitor", "-o", str(tmp_path / "b")]
    )
    assert both.exit_code == 2
    assert "--blinded is --role blinded-statistician" in both.output


@pytest.mark.requirement("BLINDING-FOLDER")
def test_verify_recomputes_a_folder_of_a_role_and_finds_what_was_put_into_it(
    trial: Path, blinded: Path, tmp_path: Path
) -> None:
    assert verify(blinded).results > 50
    for name in ("allocation.csv", "dispensed.csv"):
        (blinded / name).write_bytes((trial / "allocation.csv").read_bytes())
        with pytest.raises(IntegrityError, match="file-recorded"):
            verify(blinded)
        steps = json.loads((blinded / "provenance.json").read_text("utf-8"))
        before = json.dumps(steps)
        steps["steps"][0]["outputs"][name] = digest_of_file(blinded / name)
        (blinded / "provenance.json").write_text(json.dumps(steps), "utf-8")
        with pytest.raises(IntegrityError, match="folder-masked"):
            verify(blinded)
        (blinded / "provenance.json").write_text(before, "utf-8")
        (blinded / name).unlink()


@pytest.mark.requirement("BLINDING-FOLDER")
def test_nothing_is_written_beside_what_is_withheld(trial: Path, blinded: Path, tmp_path: Path) -> None:
    before = sorted(path.name for path in trial.rglob("*"))
    with pytest.raises(InputError, match="folder-masked"):
        analyse("msc-t1d", trial, trial, blinded=True)
    with pytest.raises(InputError, match="folder-masked"):
        export_view(trial, trial, "monitor")
    with pytest.raises(InputError, match="folder-masked"):
        analyse("msc-t1d", trial, blinded, role="cell-laboratory")
    with pytest.raises(InputError, match="folder-masked"):
        export("msc-t1d", trial, tmp_path / "out", adam=True, role="monitor")
    assert sorted(path.name for path in trial.rglob("*")) == before
    assert not (tmp_path / "out").exists()


@pytest.mark.requirement("BLINDING-BLINDED")
def test_a_masked_role_is_not_given_the_arms_by_naming_the_file(trial: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="allocation-withheld"):
        analyse("msc-t1d", trial, tmp_path / "out", role="investigator", allocation=trial / "allocation.csv")
    assert not (tmp_path / "out").exists()


@pytest.mark.requirement("BLINDING-BLINDED")
def test_a_missing_allocation_withholds_nothing_else(trial: Path, tmp_path: Path) -> None:
    (tmp_path / "trial").mkdir()
    for path in sorted((trial / "records").iterdir()):
        (tmp_path / "trial" / path.name).write_bytes(path.read_bytes())
    done = analyse("msc-t1d", tmp_path / "trial", tmp_path / "out")
    assert done.results.withheld is None
    assert done.withheld == ()
    assert "withheld" not in results(tmp_path / "out")
    assert done.results.allocation is None
    cells = pl.read_parquet(tmp_path / "out" / "adam" / "adeff.parquet").filter(pl.col("PARAMID") == "treg-percent")
    assert "48 h after the second infusion" in set(cells["AVISIT"])
    assert not [item.status for item in done.results.results if item.status.startswith("withheld")]


@pytest.mark.requirement("BLINDING-COPY")
def test_a_masked_copy_is_proved_a_part_of_the_whole_and_a_changed_one_is_not(trial: Path, tmp_path: Path) -> None:
    done = export_view(trial, tmp_path / "copy", "investigator")
    manifest = json.loads((tmp_path / "copy" / "records" / "records.json").read_text())
    whole = json.loads((trial / "records" / "records.json").read_text())
    assert manifest["lacks"] == list(done.lacks)
    assert whole["digest"] not in json.dumps(manifest)
    hidden = {whole["parts"][name] for name in done.lacks if name in whole["parts"]}
    assert len(hidden) > 10
    assert not {digest for digest in hidden if digest in json.dumps(manifest)}
    assert not (tmp_path / "copy" / "allocation.csv").exists()
    assert verify_part(tmp_path / "copy", trial).lacks == done.lacks
    other = tmp_path / "other"
    simulate("msc-t1d", other, scenario="published", seed=3)
    with pytest.raises(IntegrityError, match="part-of-the-whole"):
        verify_part(tmp_path / "copy", other)
    run = CliRunner().invoke(commands, ["verify", str(tmp_path / "copy"), "--whole", str(trial)])
    assert (run.exit_code, f"a part of {trial}" in run.output) == (0, True)
    with pytest.raises(DataError, match="protocol-exists"):
        export_view(trial / "records", tmp_path / "none", "investigator")


@pytest.mark.requirement("BLINDING-COPY")
@pytest.mark.parametrize("kind", ["csv", "xpt"])
def test_datasets_for_a_role_name_what_they_lack_and_are_analysed_alike(
    kind: str, trial: Path, blinded: Path, tmp_path: Path
) -> None:
    export("msc-t1d", trial, tmp_path / "sdtm", kind=kind, role=STATISTICIAN)
    assert (tmp_path / "sdtm" / f"lacks.{kind}").is_file()
    done = analyse("msc-t1d", tmp_path / "sdtm", tmp_path / "out", blinded=True)
    assert done.results.withheld is not None
    assert results(tmp_path / "out") == results(blinded)


@pytest.mark.requirement("BLINDING-ROLE")
def test_a_dry_run_for_a_role_says_what_its_verdicts_lack(trial: Path, tmp_path: Path) -> None:
    """Arms are drawn, lots are withheld: nothing may be said of lots that failed."""
    done = analyse("msc-t1d", trial, tmp_path / "dry", role=STATISTICIAN, scramble=5)
    claims = {claim.id: claim for claim in done.results.claims}
    assert claims["c1"].verdict == "not assessable"
    assert claims["c1"].reason == f"lots, infusions or events are {REASON}"
    assert REASON in claims["c5"].reason
    found = {item.id.split("/")[0]: item for item in done.results.results}
    assert found["hba1c-12"].estimate is not None
    assert found["treg-48h"].status == REASON
    report(tmp_path / "dry")
    assert not (tmp_path / "dry" / "allocation.csv").exists()
    assert verify(tmp_path / "dry").results > 50


@pytest.mark.requirement("BLINDING-FOLDER")
def test_an_event_that_is_known_by_a_withheld_reason_is_withheld_and_not_zero(blinded: Path) -> None:
    tables = json.loads((blinded / "results.json").read_text("utf-8"))["tables"]
    (table,) = [table for table in tables if table["id"] == "intercurrent-events"]
    declined = [row for row in table["rows"] if "declined" in row[1]]
    assert declined
    for row in declined:
        assert row[-1].startswith("withheld") and set(row[2:-1]) == {None}
