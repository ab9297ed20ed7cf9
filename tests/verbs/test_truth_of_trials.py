"""truth.json of a simulated trial: written, verified, shown beside the estimates, and silent on arms."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import equipoise
from equipoise.analysis.results import read_results
from equipoise.documents.model import Table, walk_sections
from equipoise.documents.runs import plain
from equipoise.errors import InputError, IntegrityError
from equipoise.report.build import report_document
from equipoise.report.source import TRUE_VALUE, read_source
from equipoise.source.digest import digest_of_file
from equipoise.truth.table import read_truth

TWELVE = ("protocol.randomisation.participants=12",)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("truth") / "out"
    equipoise.trial("msc-t1d", made, seed=2, changes=TWELVE, formats=())
    return made


def columns(made: Path) -> list[str]:
    document = report_document(read_source(made))
    tables = [block for s in walk_sections(document.sections) for block in s.blocks if isinstance(block, Table)]
    (table,) = [table for table in tables if table.id == "table-estimates"]
    return [plain(column.header) for column in table.columns]


@pytest.mark.requirement("TRUTH-TRIAL")
def test_a_trial_writes_its_truth_and_verify_makes_it_anew(folder: Path, tmp_path: Path) -> None:
    steps = json.loads((folder / "provenance.json").read_text("utf-8"))["steps"]
    (outputs,) = [step["outputs"] for step in steps if step["verb"] == "simulate"]
    assert outputs["truth.json"] == digest_of_file(folder / "truth.json")
    forged = tmp_path / "forged"
    shutil.copytree(folder, forged)
    data = json.loads((forged / "truth.json").read_text("utf-8"))
    data["estimands"][0]["value"] += 0.01
    (forged / "truth.json").write_text(json.dumps(data), "utf-8")
    (outputs,) = [step["outputs"] for step in steps if step["verb"] == "simulate"]
    outputs["truth.json"] = digest_of_file(forged / "truth.json")
    text = json.dumps({"schema": "equipoise/provenance/1", "steps": steps})
    (forged / "provenance.json").write_text(text, "utf-8")
    with pytest.raises(IntegrityError) as refused:
        equipoise.verify(forged)
    assert "truth.estimands" in str(refused.value)


@pytest.mark.requirement("TRUTH-TRIAL")
def test_the_report_shows_true_values_of_this_run_alone(folder: Path, tmp_path: Path) -> None:
    assert TRUE_VALUE in columns(folder)
    (beside,) = read_source(folder).beside
    results = {item.id: item for item in read_results(folder / "results.json").results}
    table = read_truth(folder / "truth.json")
    for item in table.estimands:
        own = [name for name, r in results.items() if r.estimand == item.estimand and name in beside.values]
        assert own or item.value is None
        same = [name for name in own if results[name].analysis in item.analyses and results[name].active is not None]
        assert all(beside.values[name] == item.value for name in same if len(name.split("/")) == 5)
    assert not [name for name in beside.values if "cytokines-12" in name or "course" in name or "loss" in name]
    for blinded, scramble in ((True, None), (False, 3)):
        made = tmp_path / f"other-{blinded}"
        equipoise.analyse(folder / "protocol.yaml", folder, made, blinded=blinded, scramble=scramble)
        assert not (made / "truth.json").exists()
        shutil.copy(folder / "truth.json", made / "truth.json")
        assert TRUE_VALUE not in columns(made)


@pytest.mark.requirement("TRUTH-TRIAL")
def test_truth_tells_no_arm(folder: Path, tmp_path: Path) -> None:
    """Another procedure allocates the same people otherwise: what is true of them stays, to the bit."""
    other = tmp_path / "other"
    change = "protocol.randomisation.limit=1"
    done = equipoise.simulate("msc-t1d", other, seed=2, changes=(*TWELVE, change))
    assert (other / "allocation.csv").read_text("utf-8") != (folder / "allocation.csv").read_text("utf-8")
    assert done.records.participants.height > 12
    one, two = (read_truth(path / "truth.json") for path in (folder, other))
    assert one.estimands == two.estimands and one.analyses == two.analyses
    assert "P00" not in (folder / "truth.json").read_text("utf-8")


@pytest.mark.requirement("TRUTH-TRIAL")
def test_a_population_of_another_trial_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="do not belong"):
        equipoise.simulate("msc-t1d", tmp_path / "x", seed=2, truth=folder / "truth.json")
