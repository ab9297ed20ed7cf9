"""chances.json in a folder: written, recorded, taken from a file that is given, gone where nothing was simulated."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import equipoise
from equipoise.analysis.chances import Chances, made_from, read_chances, to_text
from equipoise.analysis.plan import plan
from equipoise.cli.main import commands
from equipoise.errors import InputError
from equipoise.protocol.load import load_protocol
from equipoise.simulate.scenario import load_scenario
from equipoise.verbs.chances import said

pytestmark = pytest.mark.requirement("CLAIM-CHANCES")


def table(scenario: str, digest: str | None = None) -> Chances:
    source = made_from(plan(load_protocol("msc-t1d")), scenario, digest or load_scenario(scenario).digest, {})
    return Chances(source, 200, 1, {"c2": {"inconclusive": (0.9, 0.02)}})


@pytest.fixture(autouse=True)
def shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = (table("no-effect"), table("published"))
    monkeypatch.setattr("equipoise.analysis.chances.shipped", lambda: tables)


def test_trial_and_analyse_write_and_record_them(tmp_path: Path) -> None:
    done = equipoise.trial("msc-t1d", tmp_path, seed=1)
    path = tmp_path / "chances.json"
    assert [item.scenario for item in read_chances(path)] == ["published", "no-effect"]
    assert (
        "C2 It significantly reduces the number of hypoglycaemic episodes. inconclusive (how often: 90.0 % under"
        in (" ".join(done.said))
    )
    steps = {step["verb"]: step for step in json.loads((tmp_path / "provenance.json").read_text())["steps"]}
    assert "chances.json" in steps["analyse"]["outputs"]
    assert "How often, with no effect" in done.report.read_text("utf-8")
    assert equipoise.verify(tmp_path).files > 5
    given = tmp_path / "mine.json"
    given.write_text(to_text(table("no-effect")))
    equipoise.analyse("msc-t1d", tmp_path, tmp_path, chances=given)
    assert [item.scenario for item in read_chances(path)] == ["no-effect"]
    steps = {step["verb"]: step for step in json.loads((tmp_path / "provenance.json").read_text())["steps"]}
    assert "chances" in steps["analyse"]["inputs"] and "--chances" in steps["analyse"]["command"]
    # The protocol was edited since: nothing was simulated of it, and what an earlier run wrote does not stay.
    change = ["protocol.study.short_title=Edited", f"protocol.amends={load_protocol('msc-t1d').digest}"]
    again = equipoise.analyse("msc-t1d", tmp_path, tmp_path, changes=change)
    assert not path.exists() and not any("(how often" in line for line in again.said)
    assert again.said[-1].startswith("how often each word is said by chance: not known")


def test_the_terminal_says_of_how_many_trials_and_what_a_signal_counts(tmp_path: Path) -> None:
    harm = Chances(table("no-effect").made_from, 200, 1, {"c1": {"signal": (0.1, 0.02)}})
    done = equipoise.trial("msc-t1d", tmp_path, seed=1)
    assert (
        done.said[-1]
        == "how often: counted in simulated trials of this protocol, 200 under published, 200 with no effect"
    )
    claims = tuple(replace(claim, verdict="signal") for claim in done.results.claims if claim.id == "c1")
    first, _ = said(replace(done.results, claims=claims), (harm,))
    assert first.endswith("signal (how often: 10.0 % with no effect, real harm in them included)")


@pytest.mark.parametrize("how", [{"blinded": True}, {"scramble": 5}])
def test_a_run_without_the_real_arms_shows_no_chances(tmp_path: Path, how: dict[str, int]) -> None:
    equipoise.simulate("msc-t1d", tmp_path / "real", seed=1)
    done = equipoise.analyse("msc-t1d", tmp_path / "real", tmp_path / "out", **how)
    assert not (tmp_path / "out" / "chances.json").exists()
    assert not any("how often" in line for line in done.said)
    text = equipoise.report(tmp_path / "out").read_text("utf-8")
    assert "How often" not in text and "not simulated" not in text
    if "scramble" in how:
        (safety,) = (claim for claim in done.results.claims if claim.id == "c1")
        assert "product given: not read in a dry run" in safety.reason and "not recorded" not in safety.reason
    given = tmp_path / "mine.json"
    given.write_text(to_text(table("no-effect")))
    with pytest.raises(InputError, match="no chance of one") as caught:
        equipoise.analyse("msc-t1d", tmp_path / "real", tmp_path / "other", chances=given, **how)
    assert caught.value.problems[0].rule == "chances-apply"


def test_chances_of_another_trial_end_with_2(tmp_path: Path) -> None:
    given = tmp_path / "mine.json"
    given.write_text(to_text(table("no-effect")))
    change = ["protocol.study.short_title=Edited"]
    with pytest.raises(InputError, match="chances-fit"):
        equipoise.trial("msc-t1d", tmp_path / "out", seed=1, chances=given, changes=change)
    assert not (tmp_path / "out").exists(), "it is refused before anything is written"
    arguments = ["analyse", "msc-t1d", str(tmp_path), "--chances", str(tmp_path / "none.json"), "-o", str(tmp_path)]
    result = CliRunner().invoke(commands, arguments)
    assert isinstance(result.exception, InputError) and result.exception.exit_code == 2
