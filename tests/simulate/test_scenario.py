"""Scenarios: schema, ranges, sources, and effects that vary from trial to trial."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator, ValidationError

from equipoise.errors import InputError
from equipoise.patients.effects import EFFECT_RANGES, Effects
from equipoise.simulate.json_schema import FILE, published
from equipoise.simulate.scenario import Scenario, load_scenario, shipped_scenarios
from equipoise.source.paths import find_steps

ROOT = Path(__file__).parents[2]
NOTHING_TO_SOURCE = ("schema", "id", "title", "summary", "sources", "effects_vary")


def leaves(data: Any, steps: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The steps to every value that stands for itself: an effect with its range is one."""
    if isinstance(data, dict) and data and "range" not in data:
        for key, value in data.items():
            yield from leaves(value, (*steps, key))
    else:
        yield steps


@pytest.mark.requirement("SIMULATE-SCENARIOS")
@pytest.mark.parametrize("name", ["events", "leak", "no-effect", "published", "strong"])
def test_every_number_of_a_shipped_scenario_has_its_source(name: str) -> None:
    scenario = load_scenario(name)
    data = scenario.document.data
    sources = {find_steps(data, path) for path in data["sources"]}
    for steps in leaves(data):
        if steps[0] not in NOTHING_TO_SOURCE:
            assert any(steps[: len(s)] == s for s in sources if s), f"{'.'.join(steps)} has no source"
    for text in data["sources"].values():
        assert len(text) > 12
        if text.startswith("assumed"):
            assert text.startswith("assumed: ")
    assert set(shipped_scenarios()) == {"events", "leak", "no-effect", "published", "strong"}


@pytest.mark.requirement("SIMULATE-SCENARIOS")
def test_no_effect_has_none_and_strong_exceeds_published() -> None:
    assert load_scenario("no-effect").effects(1, 0) == Effects()
    published, strong = load_scenario("published"), load_scenario("strong")
    for name, effect in published.authored.effects.items():
        if name.endswith("_days"):
            continue
        assert abs(strong.authored.effects[name].value) >= abs(effect.value), name


@pytest.mark.requirement("SIMULATE-PRIOR")
def test_published_draws_the_effects_of_each_trial_from_their_ranges() -> None:
    scenario = load_scenario("published")
    drawn = [scenario.effects(3, trial) for trial in range(400)]
    for name, effect in scenario.authored.effects.items():
        values = np.array([getattr(item, name) for item in drawn])
        low, high = effect.range
        assert values.min() >= low and values.max() <= high
        # A normal distribution cut at its central 95 % has 0.87 of its SD.
        sd = 0.8713 * (high - low) / 3.92
        middle = (low + high) / 2
        if abs(effect.value - middle) < 0.01 * (high - low):
            assert abs(values.mean() - middle) < 4 * sd / 20
        assert 0.6 * sd < values.std() < 1.4 * sd
    assert scenario.effects(3, 5) == scenario.effects(3, 5)
    assert load_scenario("strong").effects(1, 0) == load_scenario("strong").effects(2, 9)


@pytest.mark.requirement("SIMULATE-PRIOR")
def test_the_centre_of_published_is_not_the_best_corner() -> None:
    for name, effect in load_scenario("published").authored.effects.items():
        low, high = effect.range
        place = (effect.value - low) / (high - low)
        assert 0.2 < place < 0.8, name


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("scenario.effects.hba1c_shift.value=-2", "effect-range"),
        ("scenario.effects.hba1c_shift.range=[-9, 0]", "effect-possible"),
        ("scenario.effects.hba1c={value: 0, range: [0, 0]}", "known-effect"),
        ("scenario.dropout=1.5", "out-of-range"),
        ("scenario.parameters={hba1c: {levle: 3}}", "known-people-parameter"),
        ("scenario.parameters={hba1c: {level: 30}}", "people-parameter-range"),
        ("scenario.sources.nowhere=assumed", "source-path"),
        ("scenario.effects.hba1c_shift.range=[-0.3, -1.1]", "effect-range"),
        ("scenario.intercurrent_events.martians=0.5", "known-simulated-event"),
        ("scenario.recruitment.assessed_per_place=1000000", "out-of-range"),
    ],
)
@pytest.mark.requirement("SIMULATE-SCENARIOS")
def test_a_scenario_without_meaning_is_refused_with_its_line(change: str, rule: str) -> None:
    with pytest.raises(InputError) as refused:
        load_scenario("published", [change])
    (problem,) = [p for p in refused.value.problems if p.rule == rule]
    assert problem.file.endswith("published.yaml")
    assert problem.line is not None
    assert problem.remedy


def test_a_scenario_of_ones_own_is_found_by_its_path(tmp_path: Path) -> None:
    text = load_scenario("no-effect").path.read_text("utf-8").replace("id: no-effect", "id: mine")
    (tmp_path / "mine.yaml").write_text(text, "utf-8")
    mine = load_scenario(tmp_path / "mine.yaml")
    assert isinstance(mine, Scenario) and mine.id == "mine"
    with pytest.raises(InputError, match="cannot find the scenario"):
        load_scenario("null")


def test_parameters_of_the_people_can_be_changed() -> None:
    scenario = load_scenario("no-effect", ["scenario.parameters={people: {female: 0.9}}"])
    assert scenario.parameters["people.female"] == 0.9


@pytest.mark.requirement("SIMULATE-SCENARIOS")
@pytest.mark.parametrize("name", ["events", "leak", "no-effect", "published", "strong"])
def test_shipped_scenarios_fit_the_published_schema(name: str) -> None:
    stored = (ROOT / "docs" / "schemas" / FILE).read_text("utf-8")
    assert stored == published(), "run `python -m equipoise.simulate.json_schema docs/schemas`"
    Draft202012Validator(json.loads(stored)).validate(load_scenario(name).document.data)
    with pytest.raises(ValidationError):
        Draft202012Validator(json.loads(stored)).validate({**load_scenario(name).document.data, "dropout": 1.5})


def test_the_page_tells_every_effect_with_its_limits() -> None:
    page = (ROOT / "docs" / "simulation.md").read_text("utf-8")
    rows = [
        f"| `{name}` | {row.unit} | {row.low:g} to {row.high:g} | {getattr(Effects(), name):g} | {row.meaning} |"
        for name, row in EFFECT_RANGES.items()
    ]
    assert [line for line in page.splitlines() if line.startswith("| `") and line.count("|") == 6] == rows
