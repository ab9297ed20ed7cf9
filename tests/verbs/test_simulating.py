"""`equipoise simulate` and `trial`: folders, seeds, odd trials, and the way through SDTM and back."""

from __future__ import annotations

import json
import time
from pathlib import Path

import polars as pl
import pytest

import equipoise
from equipoise.analysis.results import read_results, to_data
from equipoise.errors import InputError, IntegrityError
from equipoise.source.digest import digest_of_file
from tests.pace import slower

SEED = 1


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "out"
    equipoise.trial("msc-t1d", folder, seed=SEED)
    return folder


def files(folder: Path) -> dict[str, str]:
    names = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "provenance.json")
    return {str(path.relative_to(folder)): digest_of_file(path) for path in names}


@pytest.mark.requirement("SIMULATE-SEED")
def test_the_same_seed_gives_the_same_bytes_and_another_does_not(made: Path, tmp_path: Path) -> None:
    equipoise.trial("msc-t1d", tmp_path / "again", seed=SEED)
    assert files(tmp_path / "again") == files(made)
    equipoise.simulate("msc-t1d", tmp_path / "other", seed=SEED + 1)
    assert files(tmp_path / "other")["allocation.csv"] != files(made)["allocation.csv"]


@pytest.mark.requirement("SIMULATE-TRIAL", "SIMULATE-MARKED")
def test_a_trial_ends_in_a_folder_that_verifies_and_a_report_that_says_what_it_is(made: Path) -> None:
    for name in ("protocol.yaml", "scenario.yaml", "allocation.csv", "results.json", "report.html", "adam/adsl.csv"):
        assert (made / name).is_file(), name
    done = equipoise.verify(made)
    assert done.results > 20 and done.tables > 5
    text = (made / "report.html").read_text("utf-8")
    assert text.count("Simulated data") >= 2
    results = read_results(made / "results.json")
    assert results.seed == SEED
    assert [claim.id for claim in results.claims] == [f"c{number}" for number in range(1, 9)]


@pytest.mark.requirement("SIMULATE-MARKED")
def test_records_analysed_elsewhere_are_still_known_as_simulated(tmp_path: Path) -> None:
    equipoise.simulate("t1dal", tmp_path / "made", seed=SEED)
    done = equipoise.analyse("t1dal", tmp_path / "made", tmp_path / "elsewhere")
    assert done.results.seed == SEED
    equipoise.report(tmp_path / "elsewhere")
    assert "Simulated data" in (tmp_path / "elsewhere" / "report.html").read_text("utf-8")


@pytest.mark.requirement("SIMULATE-SDTM")
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_records_through_sdtm_and_back_give_the_same_results(made: Path, tmp_path: Path, kind: str) -> None:
    equipoise.export("msc-t1d", made, tmp_path / "sdtm", kind=kind)  # pyright: ignore[reportArgumentType]  of the list above
    back = equipoise.analyse("msc-t1d", tmp_path / "sdtm", tmp_path / "back", allocation=made / "allocation.csv")
    assert to_data(back.results) == json.loads((made / "results.json").read_text("utf-8"))


def test_a_fresh_seed_is_stored_and_gives_the_same_trial_again(tmp_path: Path) -> None:
    first = equipoise.simulate("t1dal", tmp_path / "a")
    again = equipoise.simulate("t1dal", tmp_path / "b", seed=first.seed)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    step = json.loads((tmp_path / "a" / "provenance.json").read_text("utf-8"))["steps"][0]
    assert step["seed"] == first.seed and str(first.seed) in step["command"]
    assert again.records.digest == first.records.digest


@pytest.mark.requirement("SIMULATE-ODD")
@pytest.mark.parametrize(
    "changes",
    [
        ["scenario.dropout=1"],
        ["protocol.randomisation.participants=4"],
        ["scenario.recruitment.assessed_per_place=1"],
        ["scenario.recruitment.assessed_per_place=0.01"],
        ["scenario.doses.refused=1"],
        ["scenario.manufacturing.lot_failure=1"],
        ["scenario.missing.visits=1"],
        ["scenario.missing.results=1", "scenario.missing.diary=1"],
        ["protocol.randomisation={participants: 4, method: simple, strata: []}"],
    ],
    ids=lambda changes: changes[0].split(".", 1)[1][:40],
)
def test_odd_trials_end_in_a_complete_report(tmp_path: Path, changes: list[str]) -> None:
    done = equipoise.trial("msc-t1d", tmp_path, seed=2, changes=changes)
    text = done.report.read_text("utf-8")
    assert len(done.results.claims) == 8
    for result in done.results.results:
        assert (result.estimate is None) == (result.status != "ok") or result.estimate is not None
        assert result.status
    assert "Simulated data" in text
    for word in (">nan<", ">inf<", "Traceback"):
        assert word not in text


@pytest.mark.requirement("SIMULATE-ODD")
def test_one_arm_empty_by_chance(tmp_path: Path) -> None:
    """Four participants by simple randomisation: one seed in eight puts all into one arm."""
    change = "protocol.randomisation={participants: 4, method: simple, strata: []}"
    for seed in range(60):
        done = equipoise.simulate("msc-t1d", tmp_path / str(seed), seed=seed, changes=[change])
        if len(set(done.allocation.arms.values())) == 1:
            break
    else:
        pytest.fail("no seed gave an empty arm")
    reported = equipoise.trial("msc-t1d", tmp_path / "empty", seed=seed, changes=[change])
    verdicts = {claim.id: claim.verdict for claim in reported.results.claims}
    assert verdicts["c3"] == "not assessable"


@pytest.mark.requirement("SIMULATE-ODD")
@pytest.mark.parametrize(
    ("changes", "scenario", "rule"),
    [
        ([], "nope", "scenario-exists"),
        (["scenario.dropout=2"], None, "out-of-range"),
        (["nature.dropout=0.2"], None, "set-scope"),
        (["scenario.nothing.here=1"], None, "set-path"),
    ],
)
def test_a_wrong_request_is_refused_with_its_rule(
    tmp_path: Path, changes: list[str], scenario: str | None, rule: str
) -> None:
    with pytest.raises(InputError) as refused:
        equipoise.trial("msc-t1d", tmp_path / "out", scenario=scenario, seed=1, changes=changes)
    assert [problem.rule for problem in refused.value.problems] == [rule]
    assert not (tmp_path / "out").exists(), "nothing was written"


@pytest.mark.requirement("SIMULATE-TRIAL")
def test_400_participants_are_simulated_analysed_and_reported_in_time(tmp_path: Path) -> None:
    """20 seconds on an idle machine; the tests run two at a time, so twice that here."""
    start = time.monotonic()
    change = "protocol.randomisation.participants=400"
    done = equipoise.trial("msc-t1d", tmp_path, seed=1, changes=[change])
    assert time.monotonic() - start < 40 * slower()
    assert len(done.simulated.allocation.arms) == 400
    assert pl.read_csv(tmp_path / "adam" / "adsl.csv").height >= 400


@pytest.mark.requirement("SIMULATE-SEED")
def test_verify_simulates_again_and_finds_records_that_the_seed_does_not_give(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    equipoise.trial("t1dal", folder, seed=SEED, changes=["scenario.dropout=0.2"])
    assert equipoise.verify(folder).results > 20
    other = tmp_path / "other"
    equipoise.simulate("t1dal", other, seed=SEED)
    data = json.loads((folder / "provenance.json").read_text("utf-8"))
    (folder / "scenario.yaml").write_bytes((other / "scenario.yaml").read_bytes())
    for step in data["steps"]:
        if "scenario.yaml" in step["outputs"]:
            step["outputs"]["scenario.yaml"] = digest_of_file(folder / "scenario.yaml")
    (folder / "provenance.json").write_text(json.dumps(data))
    with pytest.raises(IntegrityError, match="give records with the digest"):
        equipoise.verify(folder)


@pytest.mark.requirement("SIMULATE-ODD")
def test_2000_participants_are_no_trouble(tmp_path: Path) -> None:
    done = equipoise.trial("msc-t1d", tmp_path, seed=1, changes=["protocol.randomisation.participants=2000"])
    assert len(done.simulated.allocation.arms) == 2000
    assert all(result.status for result in done.results.results)
    assert (tmp_path / "report.html").stat().st_size < 20_000_000
