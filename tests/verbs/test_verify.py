"""`verify` recomputes: a changed byte anywhere is named, and a forged number is found even where every digest fits."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from equipoise.errors import DataError, IntegrityError
from equipoise.source.digest import digest_of_file
from equipoise.verbs.analysing import analyse
from equipoise.verbs.importing import import_trial
from equipoise.verbs.reporting import report
from equipoise.verbs.verifying import verify

EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "out"
    import_trial(EXAMPLE / "protocol.yaml", EXAMPLE / "data", folder, import_map=EXAMPLE / "map.yaml")
    analyse(EXAMPLE / "protocol.yaml", folder, folder)
    report(folder)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "out"))


def forge(folder: Path, name: str) -> None:
    """Make the provenance agree with a changed file, as someone would who knows how this works."""
    path = folder / "provenance.json"
    data = json.loads(path.read_text())
    for step in data["steps"]:
        if name in step["outputs"]:
            step["outputs"][name] = digest_of_file(folder / name)
    path.write_text(json.dumps(data))


@pytest.mark.requirement("VERIFY-RECOMPUTES")
def test_an_untouched_folder_is_verified(folder: Path) -> None:
    done = verify(folder)
    assert done.results == 2 and done.tables == 6
    assert done.files >= 14


@pytest.mark.requirement("RESULTS-PROVENANCE")
def test_every_written_file_is_recorded(made: Path) -> None:
    steps = json.loads((made / "provenance.json").read_text())["steps"]
    recorded = {name for step in steps for name in step["outputs"]}
    present = {str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()}
    assert recorded == present - {"provenance.json"}
    assert [step["verb"] for step in steps] == ["import", "analyse", "report"]
    for step in steps:
        assert step["command"][0] == "equipoise" and step["verb"] in step["command"]
        assert step["inputs"] and all(
            re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in step["inputs"].values()
        )
        for name, digest in step["outputs"].items():
            assert digest == digest_of_file(made / name), name
        assert {"equipoise", "python", "numpy"} <= set(step["versions"])
    sources = sorted((EXAMPLE / "data").glob("*.csv"))
    assert {digest_of_file(path) for path in sources} <= set(steps[0]["inputs"].values())


@pytest.mark.requirement("VERIFY-TAMPERED")
def test_a_changed_byte_in_any_file_is_named(made: Path, tmp_path: Path) -> None:
    names = sorted(
        str(path.relative_to(made)) for path in made.rglob("*") if path.is_file() and path.name != "provenance.json"
    )
    for number, name in enumerate(names):
        folder = Path(shutil.copytree(made, tmp_path / str(number)))
        raw = bytearray((folder / name).read_bytes())
        raw[len(raw) // 2] ^= 1
        (folder / name).write_bytes(bytes(raw))
        with pytest.raises(IntegrityError) as found:
            verify(folder)
        assert Path(name).name in str(found.value)
        assert found.value.exit_code == 4


@pytest.mark.requirement("VERIFY-RECOMPUTES")
def test_a_forged_estimate_is_found_though_every_digest_fits(folder: Path) -> None:
    path = folder / "results.json"
    data = json.loads(path.read_text())
    data["results"][0]["estimate"] *= 1.0001
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    forge(folder, "results.json")
    with pytest.raises(IntegrityError, match=r"results\.results\[hba1c/.*\]\.estimate is stored as"):
        verify(folder)


def test_a_forged_dataset_is_found_though_every_digest_fits(folder: Path) -> None:
    path = folder / "adam" / "adeff.parquet"
    table = pl.read_parquet(path).with_columns(pl.col("AVAL") + 0.001)
    table.write_parquet(path, statistics=False)
    forge(folder, "adam/adeff.parquet")
    with pytest.raises(IntegrityError, match="AVAL in row 1"):
        verify(folder)


def test_a_forged_report_is_found_though_every_digest_fits(folder: Path) -> None:
    path = folder / "report.html"
    path.write_text(path.read_text(encoding="utf-8").replace("New tablet", "Old tablet"), encoding="utf-8")
    forge(folder, "report.html")
    with pytest.raises(IntegrityError, match="report"):
        verify(folder)


def test_a_swapped_allocation_is_found_though_every_digest_fits(folder: Path) -> None:
    path = folder / "allocation.csv"
    swapped = path.read_text().replace("tablet", "X").replace("placebo", "tablet").replace("X", "placebo")
    path.write_text(swapped)
    forge(folder, "allocation.csv")
    with pytest.raises(IntegrityError):
        verify(folder)


def test_changed_records_are_found_though_every_digest_of_files_fits(folder: Path) -> None:
    path = folder / "records" / "findings.parquet"
    table = pl.read_parquet(path).with_columns(pl.col("value") + 0.1)
    table.write_parquet(path, statistics=False)
    forge(folder, "records/findings.parquet")
    with pytest.raises(IntegrityError, match="records-digest"):
        verify(folder)


def test_a_folder_without_provenance_or_results_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "provenance.json").unlink()
    with pytest.raises(IntegrityError, match="provenance-exists"):
        verify(folder)
    with pytest.raises(DataError, match="results-exist"):
        verify(tmp_path)


@pytest.mark.requirement("RESULTS-REPRODUCIBLE")
def test_the_same_input_gives_the_same_bytes(made: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    import_trial(EXAMPLE / "protocol.yaml", EXAMPLE / "data", again, import_map=EXAMPLE / "map.yaml")
    analyse(EXAMPLE / "protocol.yaml", again, again)
    report(again)
    for path in sorted(made.rglob("*")):
        if path.is_file() and path.name != "provenance.json":
            assert path.read_bytes() == (again / path.relative_to(made)).read_bytes(), path.name


@pytest.mark.requirement("RESULTS-BLINDED", "RECORDS-ALLOCATION")
def test_a_blinded_analysis_elsewhere_leaves_no_arms_behind(made: Path, tmp_path: Path) -> None:
    done = analyse(EXAMPLE / "protocol.yaml", made, tmp_path / "blind", blinded=True)
    assert done.results.allocation is None
    assert not (tmp_path / "blind" / "allocation.csv").exists()
    report(tmp_path / "blind")
    assert verify(tmp_path / "blind").results == len(done.results.results)
