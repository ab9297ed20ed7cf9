"""dispensed.csv beside the allocation: written, read, verified, and left alone where arms are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import equipoise
from equipoise.analysis.results import Results, read_results
from equipoise.errors import DataError, IntegrityError
from equipoise.source.digest import digest_of_file

CHANGES = (
    "scenario.patients.model=empirical",
    "scenario.doses.wrong_product=0.1",
    "scenario.manufacturing.late_failure=0",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dispensed") / "out"
    equipoise.trial("msc-t1d", folder, scenario="no-effect", seed=3, changes=CHANGES)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "out"))


def safety(results: Results) -> str:
    return next(claim.verdict for claim in results.claims if claim.id == "c1")


def forge(folder: Path) -> None:
    """Make the provenance agree with another dispensed.csv."""
    path = folder / "provenance.json"
    data = json.loads(path.read_text("utf-8"))
    for step in data["steps"]:
        if "dispensed.csv" in step["outputs"]:
            step["outputs"]["dispensed.csv"] = digest_of_file(folder / "dispensed.csv")
    path.write_text(json.dumps(data), "utf-8")


@pytest.mark.requirement("DISPENSED-FILES")
def test_a_simulated_trial_says_what_was_dispensed_and_its_verdict_uses_it(made: Path) -> None:
    results = read_results(made / "results.json")
    assert results.allocation is not None and results.allocation["dispensed"].startswith("sha256:")
    assert safety(results) == "signal" and results.table("safety-claim/products").rows
    steps = json.loads((made / "provenance.json").read_text("utf-8"))["steps"]
    inputs = next(step["inputs"] for step in steps if step["verb"] == "analyse")
    assert inputs["dispensed"] == results.allocation["dispensed"]
    assert equipoise.verify(made).tables > 5


@pytest.mark.requirement("DISPENSED-FILES")
def test_another_dispensed_file_is_found_even_where_every_digest_of_bytes_fits(folder: Path) -> None:
    path = folder / "dispensed.csv"
    path.write_text(path.read_text("utf-8").replace(",msc,", ",saline,", 1), "utf-8")
    forge(folder)
    with pytest.raises(IntegrityError) as caught:
        equipoise.verify(folder)
    assert "dispensed" in str(caught.value.problems[0])


@pytest.mark.requirement("DISPENSED-FILES")
def test_another_folder_gets_the_file_and_a_run_without_it_says_so(folder: Path, tmp_path: Path) -> None:
    equipoise.analyse("msc-t1d", folder, tmp_path / "elsewhere")
    copied = (tmp_path / "elsewhere" / "dispensed.csv").read_bytes()
    assert copied == (folder / "dispensed.csv").read_bytes()
    equipoise.report(tmp_path / "elsewhere")
    assert equipoise.verify(tmp_path / "elsewhere").results > 20
    (folder / "dispensed.csv").unlink()
    done = equipoise.analyse("msc-t1d", folder, tmp_path / "without").results
    assert safety(done) == "no signal" and "dispensed" not in dict(done.allocation or {})
    reason = next(claim.reason for claim in done.claims if claim.id == "c1")
    assert "product given: not recorded" in reason


@pytest.mark.requirement("DISPENSED-BLINDED")
@pytest.mark.parametrize("how", [{"blinded": True}, {"scramble": 5}])
def test_a_run_without_the_real_arms_never_reads_what_was_dispensed(folder: Path, tmp_path: Path, how: dict) -> None:
    (folder / "dispensed.csv").write_bytes(b"\xff not a table")
    done = equipoise.analyse("msc-t1d", folder, tmp_path / "masked", **how).results
    assert "dispensed" not in dict(done.allocation or {})
    assert not (tmp_path / "masked" / "dispensed.csv").exists()
    assert "dispensed" not in (tmp_path / "masked" / "provenance.json").read_text("utf-8")
    with pytest.raises(DataError):
        equipoise.analyse("msc-t1d", folder, tmp_path / "open")


@pytest.mark.requirement("SAFETY-FIRST-PAGE")
def test_the_first_page_has_the_verdict_and_a_line_for_each_listing(made: Path) -> None:
    text = (made / "report.html").read_text("utf-8")
    head = text[: text.index('id="synopsis"')]
    assert "The transplantation is safe.\N{RIGHT DOUBLE QUOTATION MARK}: signal" in head
    assert "Products given that were not the allocated ones:" in head
    assert "doses of a product that was not the allocated one" in head
    assert "Infused lots that failed a gate: none found." in text
