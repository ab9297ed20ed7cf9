"""Strata by expression put everybody into one level, or no trial is simulated."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.errors import InputError
from equipoise.protocol.load import find_protocol, load_protocol
from equipoise.protocol.model import Protocol
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trial

QUESTIONNAIRES = find_protocol("msc-t1d").parent / "questionnaires"


def stratified(folder: Path, first: str, second: str) -> Protocol:
    text = find_protocol("msc-t1d").read_text(encoding="utf-8")
    levels = f"[{{id: f, label: F, expression: {first}}}, {{id: m, label: M, expression: {second}}}]"
    text = text.replace("  strata: []\n", f"  strata: [{{id: age, label: Age, levels: {levels}}}]\n")
    text = text.replace("  randomisation.strata:", "  randomisation.strata.age:")
    (folder / "questionnaires").mkdir()
    for sheet in QUESTIONNAIRES.iterdir():
        (folder / "questionnaires" / sheet.name).write_bytes(sheet.read_bytes())
    (folder / "own.yaml").write_text(text, encoding="utf-8")
    return load_protocol(folder / "own.yaml")


@pytest.mark.requirement("SIMULATE-STRATA")
@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("age * age < 100.0", "age * age > 100.0", "none of the levels"),
        ("age * age < 400.0", "age * age >= 100.0", "more than one of the levels"),
    ],
)
def test_levels_with_a_gap_or_an_overlap_that_check_cannot_see_are_refused(
    tmp_path: Path, first: str, second: str, words: str
) -> None:
    with pytest.raises(InputError) as caught:
        simulate_trial(stratified(tmp_path, first, second), load_scenario("published"), 1)
    (problem,) = caught.value.problems
    assert (problem.rule, problem.line is not None) == ("strata-one-level", True) and words in problem.message


@pytest.mark.requirement("SIMULATE-STRATA")
def test_levels_that_part_people_are_recorded(tmp_path: Path) -> None:
    panel = simulate_trial(stratified(tmp_path, "age < 12", "age >= 12"), load_scenario("published"), 1)
    place = panel.arm[0] >= 0
    young = panel.covariates["age_years"][0] < 12
    assert (panel.entry["stratum"][0][place] == ["f" if each else "m" for each in young[place]]).all()
