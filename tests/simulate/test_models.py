"""The model of people that a scenario names: the mechanism by default, the empirical twin by one word."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import equipoise
from equipoise.errors import InputError, IntegrityError
from equipoise.patients.effects import Effects
from equipoise.patients.empirical.model import Course
from equipoise.patients.mechanistic.links import LINK_RANGES, Links
from equipoise.protocol.load import load_protocol
from equipoise.simulate.followed import follow
from equipoise.simulate.mechanism import FILE, STATES, mechanism_of
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_nature
from equipoise.source.digest import digest_of_file

EMPIRICAL = "scenario.patients.model=empirical"
SEED = 4


@pytest.mark.requirement("SIMULATE-MODELS")
@pytest.mark.parametrize("name", ["no-effect", "published", "strong"])
def test_shipped_scenarios_use_the_mechanism_and_serve_both_models(name: str) -> None:
    protocol, scenario = load_protocol("msc-t1d"), load_scenario(name)
    assert scenario.authored.patients.model == "mechanistic"
    assert simulate_nature(protocol, scenario, SEED, 1).followed.mechanism is not None
    twin = load_scenario(name, [EMPIRICAL])
    assert simulate_nature(protocol, twin, SEED, 1).followed.mechanism is None
    assert (scenario.links(SEED, 0) == Links()) == (twin.effects(SEED, 0) == Effects()) == (name == "no-effect")


@pytest.mark.requirement("SIMULATE-MODELS")
def test_strong_links_exceed_published_ones_and_vary_only_where_told() -> None:
    published, strong = load_scenario("published"), load_scenario("strong")
    assert set(published.authored.links) == set(strong.authored.links) == set(LINK_RANGES)
    for name, link in published.authored.links.items():
        low, high = link.range
        assert low < link.value < high
        assert strong.authored.links[name].value > link.value
    drawn = {published.links(SEED, trial) for trial in range(5)}
    assert len(drawn) == 5 and len({strong.links(seed, 0) for seed in range(5)}) == 1


@pytest.mark.requirement("SIMULATE-MODELS")
@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        (["scenario.links={}"], "effects-of-model"),
        (["scenario.effects={}", EMPIRICAL], "effects-of-model"),
        (["scenario.links.immunomodulation={value: 9, range: [9, 9]}"], "effect-possible"),
        (["scenario.links.wonder={value: 1, range: [1, 1]}"], "known-effect"),
        (["scenario.patients.model=magic"], "not-one-of"),
        (["scenario.parameters={killing: {at-15: 0.7}}", EMPIRICAL], "known-people-parameter"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_would_be_lost_or_makes_no_sense_is_refused(changes: list[str], rule: str) -> None:
    with pytest.raises(InputError) as caught:
        load_scenario("published", changes)
    assert rule in {problem.rule for problem in caught.value.problems}


@pytest.mark.requirement("SIMULATE-MODELS")
def test_a_scenario_may_change_a_parameter_of_the_mechanism() -> None:
    quicker = load_scenario("no-effect", ["scenario.parameters={killing: {at-15: 1.2}}"])
    protocol = load_protocol("msc-t1d")
    plain, fast = (simulate_nature(protocol, s, SEED, 1).course for s in (load_scenario("no-effect"), quicker))
    assert (fast.latent_auc[..., -1] < plain.latent_auc[..., -1]).all()


@pytest.mark.requirement("PATIENTS-MECHANISM-ARMS")
def test_without_effect_a_person_is_the_same_bit_for_bit_in_either_arm() -> None:
    protocol, scenario = load_protocol("msc-t1d"), load_scenario("no-effect")
    nature = simulate_nature(protocol, scenario, SEED, 3)
    days = nature.calendar.day - nature.screening_day[..., np.newaxis]
    stay = (-nature.screening_day, nature.stay.last - nature.screening_day)
    weight = nature.exposure.weight
    assert (weight > 0).any() and (weight == 0).any()
    for other in (np.zeros_like(weight), np.where(np.isnan(nature.exposure.day), 0.0, 0.5)):
        exposure = replace(nature.exposure, weight=other)
        again = follow(scenario, (SEED, 0), nature.people, days, stay, exposure, nature.draw)
        for field in Course.__slots__:
            np.testing.assert_array_equal(getattr(again.course, field), getattr(nature.course, field), err_msg=field)
        np.testing.assert_array_equal(again.episodes.day, nature.episodes.day)


@pytest.mark.requirement("PATIENTS-MECHANISM-ARMS")
def test_infusions_of_placebo_are_infusions_that_weigh_nothing() -> None:
    nature = simulate_nature(load_protocol("msc-t1d"), load_scenario("no-effect"), SEED, 2)
    given, active = nature.treatment.given, nature.treatment.active
    assert (given & ~active).any()
    np.testing.assert_array_equal(np.isfinite(nature.exposure.day), given)
    assert (nature.exposure.weight[given & ~active] == 0).all() and (nature.exposure.weight[given & active] > 0).all()


@pytest.mark.requirement("REPORT-MECHANISM")
def test_the_table_of_the_mechanism_is_the_mean_of_the_states() -> None:
    protocol, scenario = load_protocol("msc-t1d"), load_scenario("strong")
    table = mechanism_of(protocol, scenario, SEED)
    assert table is not None and set(table["state"]) == set(STATES)
    nature = simulate_nature(protocol, scenario, SEED, 1)
    assert nature.followed.mechanism is not None
    for arm, place in (("group-a", 0), ("group-b", 1)):
        members = nature.enrolment.arm == place
        day = 91
        states = nature.followed.mechanism((day - nature.screening_day)[..., np.newaxis])
        row = table.filter((pl.col("arm") == arm) & (pl.col("day") == day) & (pl.col("state") == "pancreas"))
        assert row["mean"].item() == pytest.approx(states.pancreas[members].mean(), rel=1e-12)
        assert row["participants"].item() == members.sum()
    early = table.filter((pl.col("day") == 2) & (pl.col("state") == "blood_and_lung")).sort("arm")
    assert early["mean"][0] > 5 and early["mean"][1] == 0, "those who have cells late have none in the first days"
    assert mechanism_of(protocol, load_scenario("strong", [EMPIRICAL]), SEED) is None


@pytest.mark.requirement("REPORT-MECHANISM")
def test_a_changed_mechanism_is_found_though_its_digest_fits(tmp_path: Path) -> None:
    done = equipoise.trial("msc-t1d", tmp_path, scenario="published", seed=3)
    path = done.simulated.folder / FILE
    assert "What moved the simulated participants" in done.report.read_text("utf-8")
    table = pl.read_parquet(path)
    table.with_columns(pl.col("mean") * 1.001).write_parquet(path)
    provenance = tmp_path / "provenance.json"
    steps = json.loads(provenance.read_text("utf-8"))
    text = json.dumps(steps)
    old = next(step["outputs"][FILE] for step in steps["steps"] if FILE in step["outputs"])
    provenance.write_text(text.replace(old, digest_of_file(path)), "utf-8")
    with pytest.raises(IntegrityError, match=r"mechanism\.parquet"):
        equipoise.verify(tmp_path)
