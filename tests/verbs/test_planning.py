"""The plan before the data: its document, a dry run with arms that mean nothing, and what was done otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import docx
import polars as pl
import pypdfium2
import pytest

from equipoise.cli.main import main
from equipoise.errors import DataError, IntegrityError
from equipoise.protocol.load import load_protocol
from equipoise.source.digest import digest_of_file
from equipoise.verbs.analysing import analyse
from equipoise.verbs.importing import import_trial
from equipoise.verbs.planning import sap
from equipoise.verbs.reporting import report
from equipoise.verbs.verifying import compare, verify

EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial"
PROTOCOL = EXAMPLE / "protocol.yaml"


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("records") / "out"
    import_trial(PROTOCOL, EXAMPLE / "data", folder, import_map=EXAMPLE / "map.yaml")
    return folder


@pytest.mark.requirement("PLAN-DOCUMENT")
@pytest.mark.parametrize("name", ["msc-t1d", "t1dal"])
def test_the_plan_names_everything_that_will_be_analysed(tmp_path: Path, name: str) -> None:
    done = sap(name, tmp_path / "plan")
    text, protocol = done.document.read_text(encoding="utf-8"), load_protocol(name)
    for item in protocol.analyses:
        assert f"<code>{item.id}</code>" in text, item.id
    for words in (protocol.digest, *(family.label for family in protocol.families), "Empty tables", "x.xx"):
        assert words in text, words
    again = sap(name, tmp_path / "again")
    assert again.digest == done.digest
    assert again.document.read_bytes() == done.document.read_bytes()
    other = sap(name, tmp_path / "other", [f"protocol.analyses.{protocol.analyses[0].id}.label=Something else"])
    assert other.digest != done.digest


@pytest.mark.requirement("PLAN-DOCUMENT")
def test_the_plan_is_one_document_in_every_format(tmp_path: Path, capsys) -> None:
    main(["sap", "t1dal", "--format", "pdf", "--format", "docx", "--format", "html", "-o", str(tmp_path / "plan")])
    names = ("sap.pdf", "sap.docx", "sap.html")
    told = capsys.readouterr().out.splitlines()
    assert told[::2] == [str(tmp_path / "plan" / name) for name in names]
    digests = [line.removeprefix("sign before unblinding: ") for line in told[1::2]]
    assert digests == [digest_of_file(tmp_path / "plan" / name) for name in names]
    pages = pypdfium2.PdfDocument(tmp_path / "plan" / "sap.pdf")
    pdf = _letters("".join(page.get_textpage().get_text_bounded() for page in pages))
    cells = [cell.text for table in docx.Document(str(tmp_path / "plan" / "sap.docx")).tables for cell in _cells(table)]
    protocol = load_protocol("t1dal")
    for item in protocol.analyses:
        assert _letters(item.id) in pdf, item.id
        assert any(item.id in text for text in cells), item.id
    assert "HC3" in pdf and _letters(protocol.digest) in pdf
    only = sap("t1dal", tmp_path / "only", formats=("pdf",))
    assert only.digest == digests[0] and only.document.name == "sap.pdf"


def _letters(text: str) -> str:
    """Letters and digits alone: lines of a page end anywhere."""
    return "".join(letter for letter in text if letter.isalnum())


def _cells(table):
    return (cell for row in table.rows for cell in row.cells)


@pytest.mark.requirement("PLAN-DRY-RUN")
def test_a_dry_run_says_so_and_at_lock_the_allocation_alone_has_changed(records: Path, tmp_path: Path) -> None:
    analyse(PROTOCOL, records, tmp_path / "dry", scramble=7)
    report(tmp_path / "dry")
    analyse(PROTOCOL, records, tmp_path / "real")
    dry, real = (json.loads((tmp_path / name / "results.json").read_text()) for name in ("dry", "real"))
    assert dry["allocation"]["scrambled"] == "7" and "scrambled" not in real["allocation"]
    assert "dry run whose arms mean nothing" in (tmp_path / "dry" / "report.html").read_text(encoding="utf-8")
    # Nobody may find the real arms beside a dry run, or take the invented ones for them.
    assert not (tmp_path / "dry" / "allocation.csv").exists()
    assert [item["id"] for item in dry["results"]] == [item["id"] for item in real["results"]]
    assert dry["results"][0]["estimate"] != real["results"][0]["estimate"]
    assert compare(tmp_path / "real", tmp_path / "dry").changed == ("allocation",)
    verify(tmp_path / "dry")
    verify(tmp_path / "real")


@pytest.mark.requirement("PLAN-DRY-RUN")
def test_a_dry_run_with_other_arms_than_its_seed_gives_is_found(records: Path, tmp_path: Path) -> None:
    analyse(PROTOCOL, records, tmp_path / "dry", scramble=7)
    analyse(PROTOCOL, records, tmp_path / "other", scramble=8)
    path = tmp_path / "other" / "results.json"
    data = json.loads(path.read_text())
    data["allocation"]["scrambled"] = "7"
    path.write_text(json.dumps(data))
    steps = json.loads((tmp_path / "other" / "provenance.json").read_text())
    steps["steps"][0]["outputs"]["results.json"] = digest_of_file(path)
    (tmp_path / "other" / "provenance.json").write_text(json.dumps(steps))
    with pytest.raises(IntegrityError):
        verify(tmp_path / "other")


@pytest.mark.requirement("PLAN-DRY-RUN")
def test_the_command_compares_with_an_earlier_folder(records: Path, tmp_path: Path, capsys) -> None:
    for arguments in (
        ["analyse", str(PROTOCOL), str(records), "--scramble", "1", "-o", str(tmp_path / "dry")],
        ["analyse", str(PROTOCOL), str(records), "-o", str(tmp_path / "real")],
        ["verify", str(tmp_path / "real"), "--against", str(tmp_path / "dry")],
    ):
        main(arguments)
    told = capsys.readouterr().out.splitlines()[-5:]
    assert [line.split(" since")[0] for line in told] == [
        "protocol: the same",
        "records: the same",
        "allocation: changed",
        "software: the same",
        "methods: the same",
    ]


def test_one_run_has_one_kind_of_arms(records: Path, tmp_path: Path, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["analyse", str(PROTOCOL), str(records), "--blinded", "--scramble", "1", "-o", str(tmp_path / "x")])
    assert ended.value.code == 2
    assert "--scramble" in capsys.readouterr().err


@pytest.mark.requirement("PLAN-DEVIATIONS")
def test_deviations_from_the_signed_plan_are_listed_and_recomputed(records: Path, tmp_path: Path) -> None:
    sap(PROTOCOL, tmp_path / "plan")
    first = load_protocol(PROTOCOL).analyses[0].id
    analyse(PROTOCOL, records, tmp_path / "as-planned", signed=tmp_path / "plan")
    change = [f"protocol.analyses.{first}.label=Thought of later", f"protocol.amends={load_protocol(PROTOCOL).digest}"]
    done = analyse(PROTOCOL, records, tmp_path / "changed", signed=tmp_path / "plan", changes=change)
    assert (
        analyse(PROTOCOL, records, tmp_path / "as-planned", signed=tmp_path / "plan").results.table("deviations").rows
        == ()
    )
    (row,) = done.results.table("deviations").rows
    assert row[0] == f"analyses.{first}.label" and row[1] == "changed" and row[3] == "Thought of later"
    for name, words in (("as-planned", "None: the protocol that was analysed"), ("changed", "Thought of later")):
        report(tmp_path / name)
        assert words in (tmp_path / name / "report.html").read_text(encoding="utf-8")
        verify(tmp_path / name)
    (tmp_path / "changed" / "plan" / "protocol.yaml").unlink()
    with pytest.raises(IntegrityError):
        verify(tmp_path / "changed")


@pytest.mark.requirement("PLAN-DEVIATIONS")
def test_a_folder_without_a_plan_is_named(records: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="plan"):
        analyse(PROTOCOL, records, tmp_path / "x", signed=tmp_path)


@pytest.mark.requirement("PLAN-DRY-RUN")
def test_a_scrambled_trial_allocates_who_was_randomised_and_nobody_else(records: Path, tmp_path: Path) -> None:
    analyse(PROTOCOL, records, tmp_path / "dry", scramble=2)
    subjects = pl.read_parquet(tmp_path / "dry" / "adam" / "adsl.parquet")
    people = pl.read_parquet(records / "records" / "participants.parquet")
    assert subjects.height == people.height
