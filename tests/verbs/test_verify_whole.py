"""`verify` makes every output anew: what is recorded is whole, and what is there is what its records give."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import equipoise
from equipoise.cli.main import main
from equipoise.errors import DataError, InputError, IntegrityError
from equipoise.protocol.load import load_protocol
from equipoise.records.folder import read_records
from equipoise.records.records import Records
from equipoise.source.digest import digest_of_file
from equipoise.verbs.exporting import export, export_usdm
from equipoise.verbs.importing import import_trial
from equipoise.verbs.planning import sap
from equipoise.verbs.provenance import NAME, read_steps
from equipoise.verbs.reporting import report, reports
from equipoise.verbs.verifying import compare, verify

EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial"
PROTOCOL = EXAMPLE / "protocol.yaml"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "out"
    import_trial(PROTOCOL, EXAMPLE / "data", folder, import_map=EXAMPLE / "map.yaml")
    equipoise.analyse(PROTOCOL, folder, folder)
    report(folder)
    return folder


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated") / "out"
    equipoise.simulate(PROTOCOL, folder, seed=3)
    equipoise.analyse(PROTOCOL, folder, folder)
    return folder


def copied(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to / "out"))


def steps_changed(folder: Path, change: Callable[[list[dict[str, Any]]], object]) -> None:
    """Change what provenance says."""
    data = json.loads((folder / NAME).read_text("utf-8"))
    change(data["steps"])
    (folder / NAME).write_text(json.dumps(data), "utf-8")


def forged(folder: Path, *names: str) -> None:
    """Make the provenance agree with changed files, as a person would who knows how this works."""

    def agree(steps: list[dict[str, Any]]) -> None:
        for step in steps:
            for name in set(names) & set(step["outputs"]):
                step["outputs"][name] = digest_of_file(folder / name)

    steps_changed(folder, agree)


# ---- Every output is made again ----


@pytest.mark.requirement("VERIFY-EVERY-OUTPUT")
def test_a_dataset_as_csv_is_compared_cell_by_cell(made: Path, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    table = pl.read_csv(folder / "adam" / "adeff.csv", infer_schema_length=None)
    table.with_columns(pl.col("AVAL") + 5).write_csv(folder / "adam" / "adeff.csv")
    forged(folder, "adam/adeff.csv")
    with pytest.raises(IntegrityError, match=r"adeff\.csv: AVAL in line 2 is stored as"):
        verify(folder)


@pytest.mark.requirement("VERIFY-EVERY-OUTPUT")
def test_last_digits_of_another_processor_are_allowed_in_a_csv_and_lines_are_not(made: Path, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    path = folder / "adam" / "adeff.csv"
    text = path.read_text("utf-8")
    value = pl.read_csv(path, infer_schema_length=None)["AVAL"].drop_nulls()[0]
    path.write_text(text.replace(f",{value},", f",{value * (1 + 1e-12)!r},", 1), "utf-8")
    assert path.read_text("utf-8") != text
    forged(folder, "adam/adeff.csv")
    verify(folder)
    path.write_text(text.rpartition("\n")[0].rpartition("\n")[0] + "\n", "utf-8")
    forged(folder, "adam/adeff.csv")
    with pytest.raises(IntegrityError, match="lines"):
        verify(folder)


@pytest.mark.requirement("VERIFY-EVERY-OUTPUT")
def test_the_description_of_variables_is_compared(made: Path, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    path = folder / "adam" / "variables.json"
    path.write_text(path.read_text("utf-8").replace("Age", "Weight", 1), "utf-8")
    forged(folder, "adam/variables.json")
    with pytest.raises(IntegrityError, match=r"variables\.json"):
        verify(folder)


@pytest.mark.requirement("VERIFY-EVERY-OUTPUT")
@pytest.mark.parametrize("name", ["sap.html", "dm.csv", "usdm.json"])
def test_plans_and_exports_in_the_folder_are_made_again(made: Path, tmp_path: Path, name: str) -> None:
    folder = copied(made, tmp_path)
    sap(PROTOCOL, folder)
    export(PROTOCOL, folder, folder)
    export_usdm(PROTOCOL, folder)
    verify(folder)
    raw = (folder / name).read_bytes()
    (folder / name).write_bytes(raw[:-2] + b" " + raw[-2:])
    forged(folder, name)
    with pytest.raises(IntegrityError, match=name):
        verify(folder)


@pytest.mark.requirement("VERIFY-EVERY-OUTPUT")
def test_an_analysis_is_not_exported_over_itself(made: Path, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    with pytest.raises(InputError, match="export-elsewhere"):
        export(PROTOCOL, folder, folder, adam=True)
    verify(folder)


@pytest.mark.requirement("VERIFY-EVERY-OUTPUT")
def test_simulated_arms_are_those_that_the_seed_gives(simulated: Path, tmp_path: Path) -> None:
    folder = copied(simulated, tmp_path)
    lines = (folder / "allocation.csv").read_text("utf-8").splitlines()
    first, other = lines[1], next(line for line in lines[2:] if line.split(",")[1] != lines[1].split(",")[1])
    one, two = first.split(","), other.split(",")
    one[1], two[1] = two[1], one[1]
    swapped = {first: ",".join(one), other: ",".join(two)}
    (folder / "allocation.csv").write_text("\n".join(swapped.get(line, line) for line in lines) + "\n", "utf-8")
    forged(folder, "allocation.csv")
    with pytest.raises(IntegrityError, match=r"other arms|allocation"):
        verify(folder)


@pytest.mark.requirement("VERIFY-SCENARIO")
def test_simulated_records_without_their_scenario_are_refused(simulated: Path, tmp_path: Path) -> None:
    folder = copied(simulated, tmp_path)
    verify(folder)
    (folder / "scenario.yaml").unlink()
    steps_changed(folder, lambda steps: [step["outputs"].pop("scenario.yaml", None) for step in steps])
    with pytest.raises(IntegrityError, match="scenario-present"):
        verify(folder)


# ---- What is recorded, and what is there ----


@pytest.mark.requirement("VERIFY-RECORDED")
@pytest.mark.parametrize("name", ["results-final.json", "adam/adxx.csv", "records/notes.txt"])
def test_a_file_that_no_step_has_written_is_named(made: Path, tmp_path: Path, name: str) -> None:
    folder = copied(made, tmp_path)
    (folder / name).write_text("{}", "utf-8")
    with pytest.raises(IntegrityError, match="file-recorded"):
        verify(folder)


@pytest.mark.requirement("VERIFY-RECORDED")
def test_what_a_desktop_leaves_is_no_file_of_the_trial(made: Path, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "adam" / "Thumbs.db").write_bytes(b"x")
    verify(folder)


@pytest.mark.requirement("VERIFY-RECORDED")
@pytest.mark.parametrize("key", ["verb", "command", "finished", "inputs", "outputs", "versions", "machine"])
def test_a_step_that_lacks_a_part_is_named(made: Path, tmp_path: Path, key: str) -> None:
    for number, nothing in enumerate((None, "", [], {})):
        folder = copied(made, tmp_path / str(number))
        steps_changed(folder, lambda steps, nothing=nothing: steps[1].update({key: nothing}))
        with pytest.raises(IntegrityError, match=r"step-whole|provenance-readable"):
            verify(folder)


@pytest.mark.requirement("VERIFY-RECORDED")
@pytest.mark.parametrize(("key", "value"), [("command", ["nobody"]), ("finished", "1999"), ("finished", "yesterday")])
def test_a_step_in_another_form_is_named(made: Path, tmp_path: Path, key: str, value: Any) -> None:
    folder = copied(made, tmp_path)
    steps_changed(folder, lambda steps: steps[0].update({key: value}))
    with pytest.raises(IntegrityError, match="step-whole"):
        verify(folder)


@pytest.mark.requirement("VERIFY-RECORDED")
def test_a_step_that_is_gone_leaves_its_files_unrecorded(made: Path, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    steps_changed(folder, lambda steps: steps.pop(0))
    with pytest.raises(IntegrityError, match="file-recorded"):
        verify(folder)


@pytest.mark.requirement("VERIFY-STEPS")
@pytest.mark.parametrize(
    ("verb", "name"),
    [("report", "results.json"), ("analyse", "records"), ("import", "protocol"), ("analyse", "allocation")],
)
def test_every_step_was_made_from_what_is_there(made: Path, tmp_path: Path, verb: str, name: str) -> None:
    folder = copied(made, tmp_path)
    other = "sha256:" + "0" * 64
    steps_changed(folder, lambda steps: [s["inputs"].update({name: other}) for s in steps if s["verb"] == verb])
    with pytest.raises(IntegrityError, match="step-inputs"):
        verify(folder)


@pytest.mark.requirement("VERIFY-STEPS")
def test_a_report_of_earlier_results_is_named(made: Path, tmp_path: Path) -> None:
    """Analysed again without arms, and the report is still that of before."""
    folder = copied(made, tmp_path)
    (folder / "allocation.csv").rename(tmp_path / "allocation.csv")
    equipoise.analyse(PROTOCOL, folder, folder, allocation=tmp_path / "allocation.csv", chances=None)
    verify(folder)
    equipoise.analyse(PROTOCOL, folder, folder, scramble=4)
    with pytest.raises(IntegrityError):
        verify(folder)
    report(folder)
    verify(folder)


@pytest.mark.requirement("RESULTS-PROVENANCE")
def test_every_format_of_a_report_is_recorded_in_one_step_or_in_several(made: Path, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    reports(folder, ("html", "docx", "html"))
    (step,) = [step for step in read_steps(folder) if step["verb"] == "report"]
    assert set(step["outputs"]) == {"report.html", "report.docx"}
    assert step["command"][-4:] == ["--format", "html", "--format", "docx"]
    report(folder)
    recorded = [sorted(step["outputs"]) for step in read_steps(folder) if step["verb"] == "report"]
    assert recorded == [["report.docx"], ["report.html"]]
    verify(folder)
    assert reports(folder, ()) == () and len(read_steps(folder)) == 4


# ---- Beside the folder: the files that were imported, and a seal ----


@pytest.mark.requirement("VERIFY-INPUTS")
def test_imported_files_give_the_records_again(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verify(made, inputs=EXAMPLE / "data")
    data = Path(shutil.copytree(EXAMPLE / "data", tmp_path / "data"))
    (data / "visits.csv").write_text((data / "visits.csv").read_text("utf-8") + "\n", "utf-8")
    with pytest.raises(IntegrityError, match=r"visits\.csv is not what was imported"):
        verify(made, inputs=data)
    monkeypatch.chdir(tmp_path)
    folder = copied(made, tmp_path)
    steps_changed(folder, lambda steps: steps[0].update(command=["equipoise", "import", "--map", "gone.yaml"]))
    with pytest.raises(DataError, match="map-exists"):
        verify(folder, inputs=EXAMPLE / "data")


@pytest.mark.requirement("VERIFY-INPUTS")
def test_records_that_the_imported_files_do_not_give_are_found(made: Path, tmp_path: Path) -> None:
    """Files, records, results and provenance are exchanged for others, and only the digests of the files are kept."""
    data = Path(shutil.copytree(EXAMPLE / "data", tmp_path / "data"))
    lines = (data / "visits.csv").read_text("utf-8")
    (data / "visits.csv").write_text(lines.replace("7.9", "9.9", 1), "utf-8")
    folder = tmp_path / "out"
    import_trial(PROTOCOL, data, folder, import_map=EXAMPLE / "map.yaml")
    equipoise.analyse(PROTOCOL, folder, folder)
    true = read_steps(made)[0]["inputs"]
    steps_changed(folder, lambda steps: steps[0].update(inputs=true))
    verify(folder)
    with pytest.raises(IntegrityError, match="give records with the digest"):
        verify(folder, inputs=EXAMPLE / "data")


@pytest.mark.requirement("VERIFY-INPUTS")
def test_simulated_records_have_no_files_to_import(simulated: Path) -> None:
    with pytest.raises(DataError, match="was not imported"):
        verify(simulated, inputs=EXAMPLE / "data")


@pytest.mark.requirement("VERIFY-SEAL")
def test_a_seal_finds_every_change_of_names_and_bytes(made: Path, tmp_path: Path, capsys) -> None:
    digest = equipoise.seal(made)
    main(["seal", str(made)])
    assert capsys.readouterr().out.strip() == digest
    folder = copied(made, tmp_path)
    assert equipoise.seal(folder) == digest, "where the folder is does not matter"
    verify(folder, expect=digest.removeprefix("sha256:").upper())
    (folder / "report.html").rename(folder / "report.htm")
    assert equipoise.seal(folder) != digest
    (folder / "report.htm").rename(folder / "report.html")
    steps_changed(folder, lambda steps: steps[0].update(finished="2020-01-01T00:00:00+00:00"))
    verify(folder)
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(folder), "--expect", digest])
    assert ended.value.code == 4 and "sealed" in capsys.readouterr().err
    with pytest.raises(DataError, match="nothing to seal"):
        equipoise.seal(tmp_path / "none")


# ---- Protocols and their amendments ----


def amended(folder: Path, old: Path, change: tuple[str, str], name: str = "protocol.yaml") -> Path:
    """A copy of a protocol with a change, as an amendment of it."""
    text = old.read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("amends:")]
    place = next(number for number, line in enumerate(lines) if line.startswith("id: "))
    lines.insert(place + 1, f"amends: {digest_of(old)}")
    assert change[0] in text
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join(lines).replace(*change) + "\n", "utf-8")
    return folder / name


def digest_of(path: Path) -> str:
    return load_protocol(path).digest


SECOND = ("short_title: Small trial", "short_title: Small trial, second version")
THIRD = ("short_title: Small trial", "short_title: Small trial, third version")


@pytest.mark.requirement("RECORDS-AMENDED")
def test_records_of_another_protocol_are_refused(made: Path, tmp_path: Path, capsys) -> None:
    text = PROTOCOL.read_text("utf-8").replace(*SECOND)
    (tmp_path / "other.yaml").write_text(text, "utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["analyse", str(tmp_path / "other.yaml"), str(made), "-o", str(tmp_path / "x")])
    said = capsys.readouterr().err
    assert ended.value.code == 3 and "records-amended" in said and digest_of(PROTOCOL) in said
    assert not (tmp_path / "x").exists()


@pytest.mark.requirement("RECORDS-AMENDED")
def test_an_amendment_names_both_versions_in_results_and_report(made: Path, tmp_path: Path) -> None:
    second = amended(tmp_path, PROTOCOL, SECOND)
    out = tmp_path / "out"
    done = equipoise.analyse(second, made, out)
    digests = [digest_of(PROTOCOL), digest_of(second)]
    assert done.results.protocol["digests"] == digests
    table = done.results.table("amendments")
    assert table.rows == ((2, "study.short_title", "changed", "Small trial", "Small trial, second version"),)
    assert json.loads((out / "records" / "records.json").read_text("utf-8"))["protocol"]["digest"] == digests[0]
    assert (out / "earlier" / "1" / "protocol.yaml").read_bytes() == PROTOCOL.read_bytes()
    text = report(out).read_text("utf-8")
    assert all(digest in text for digest in digests) and "Protocol, version 2 of 2" in text
    verify(out)
    (out / "earlier" / "1" / "protocol.yaml").write_bytes(PROTOCOL.read_bytes() + b"# \n")
    forged(out, "earlier/1/protocol.yaml")
    verify(out)  # a comment changes no digest
    assert compare(out, made).inputs["protocol"] is False


@pytest.mark.requirement("RECORDS-AMENDED")
def test_a_chain_of_amendments_leads_to_the_protocol_of_the_records(made: Path, tmp_path: Path) -> None:
    second = amended(tmp_path / "2", PROTOCOL, SECOND)
    third = amended(tmp_path / "3", second, (SECOND[1], THIRD[1]))
    with pytest.raises(DataError, match="records-amended"):
        equipoise.analyse(third, made, tmp_path / "x")  # nothing beside the records says what the second amends
    equipoise.analyse(second, made, tmp_path / "out")
    done = equipoise.analyse(third, tmp_path / "out", tmp_path / "out")
    assert len(done.results.protocol["digests"]) == 3
    assert [row[0] for row in done.results.table("amendments").rows] == [2, 3]
    assert sorted(path.name for path in (tmp_path / "out" / "earlier").iterdir()) == ["1", "2"]
    report(tmp_path / "out")
    verify(tmp_path / "out")


@pytest.mark.requirement("RECORDS-AMENDED")
def test_the_imported_files_of_an_amended_trial_give_its_records(made: Path, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    equipoise.analyse(amended(tmp_path, PROTOCOL, SECOND), folder, folder)
    report(folder)
    verify(folder, inputs=EXAMPLE / "data")
    assert (folder / "earlier" / "1" / "protocol.yaml").read_bytes() == PROTOCOL.read_bytes()


@pytest.mark.requirement("RECORDS-AMENDED")
def test_an_amendment_whose_earlier_document_is_gone_is_said_to_be_so(made: Path, tmp_path: Path) -> None:
    second = amended(tmp_path, PROTOCOL, SECOND)
    folder = copied(made, tmp_path)
    (folder / "protocol.yaml").unlink()
    done = equipoise.analyse(second, folder, folder)
    table = done.results.table("amendments")
    assert table.rows == () and "not beside the records" in table.notes[-1]
    assert "not beside the records" in report(folder).read_text("utf-8")


@pytest.mark.requirement("RECORDS-AMENDED")
def test_simulated_records_are_simulated_again_under_the_version_that_made_them(
    simulated: Path, tmp_path: Path
) -> None:
    second = amended(tmp_path, PROTOCOL, SECOND)
    folder = copied(simulated, tmp_path)
    done = equipoise.analyse(second, folder, folder)
    assert done.results.table("amendments").rows
    verify(folder)
    shutil.rmtree(folder / "earlier")
    steps_changed(folder, lambda steps: [s["outputs"].pop("earlier/1/protocol.yaml", None) for s in steps])
    with pytest.raises(IntegrityError):
        verify(folder)


@pytest.mark.requirement("RECORDS-AMENDED")
def test_a_visit_under_a_strange_protocol_is_refused(simulated: Path, tmp_path: Path) -> None:
    protocol = load_protocol(PROTOCOL)
    tables = dict(read_records(simulated / "records", protocol).tables)
    strange = "sha256:" + "1" * 64
    first = pl.int_range(pl.len()) == 0
    tables["visits"] = tables["visits"].with_columns(
        pl.when(first).then(pl.lit(strange)).otherwise(pl.col("protocol")).alias("protocol")
    )
    with pytest.raises(DataError, match="visit-protocol") as refused:
        Records.of(protocol, tables)
    assert strange in str(refused.value) and tables["visits"]["visit"][0] in str(refused.value)
