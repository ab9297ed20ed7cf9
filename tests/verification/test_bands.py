"""The bands and the rule by which a run of simulated trials fails."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.protocol.load import load_protocol
from equipoise.simulate.scenario import load_scenario
from verification.trials.bands import Band, Rate, read_bands
from verification.trials.campaign import Campaign, rates, simulated
from verification.trials.truth import ANALYSES, CENTRE, made_from, read_truths, truths


def p_values(scenario: str, seed: int, trials: int, analyses: list[str]) -> dict[str, np.ndarray]:
    found = simulated(Campaign(scenario, (), seed, trials), analyses, words=False)
    return {name: numbers[0] for name, numbers in found.numbers.items()}


def rate(rejected: int, trials: int = 4000, band: tuple[float, float] = (0.045, 0.055)) -> Rate:
    return Rate(Band("x", "no-effect", 1, trials, band, "because", analysis="x"), trials, rejected, 0)


@pytest.mark.requirement("VERIFY-BANDS")
@pytest.mark.parametrize(
    ("rejected", "ok"),
    [(200, True), (180, True), (260, True), (279, False), (130, False), (0, False), (4000, False)],
)
def test_a_run_fails_only_where_the_whole_interval_lies_outside(rejected: int, ok: bool) -> None:
    assert rate(rejected).ok == ok


@pytest.mark.requirement("VERIFY-BANDS")
def test_the_interval_is_exact() -> None:
    low, high = rate(200).interval
    assert low < 0.05 < high
    assert (low, high) == pytest.approx((0.03938, 0.06243), abs=2e-4)
    assert rate(0).interval[0] == 0 and rate(4000).interval[1] == 1


@pytest.mark.requirement("VERIFY-BANDS")
def test_every_band_names_an_analysis_and_a_reason_and_is_of_full_size() -> None:
    bands = read_bands()
    planned = {analysis.id for analysis in load_protocol("msc-t1d").analyses}
    assert {"cpeptide-12", "hypoglycaemia-12"} <= {band.analysis for band in bands}
    for band in bands:
        assert (band.analysis in planned or band.claim is not None) and len(band.reason) > 20
        assert band.trials >= 4000
        low, high = band.band if band.measure != "covers" else (1 - band.band[1], 1 - band.band[0])
        assert 0 <= low < high < 0.1


@pytest.mark.requirement("VERIFY-BANDS")
def test_a_small_campaign_keeps_its_bands_and_a_real_effect_leaves_them() -> None:
    """300 trials find gross errors only; `make verify` runs 4,000."""
    names = ("cpeptide-12", "hypoglycaemia-12", "hba1c-24")
    chosen = [band for band in read_bands() if band.analysis in names and band.measure == "rejects"]
    found = [rate for _, _, items in rates(chosen, trials=300) for rate in items]
    assert len(found) == 3
    for item in found:
        assert item.ok, f"{item.band.id}: {item.rate:.3f}"
        assert item.refused <= 6
    strong = p_values("strong", 1, 40, ["hba1c-12", "treg-48h"])
    assert np.mean(strong["treg-48h"] < 0.05) > 0.5


def test_trials_are_the_same_however_they_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = p_values("no-effect", 3, 7, ["cpeptide-12"])["cpeptide-12"]
    monkeypatch.setattr("verification.trials.campaign.CHUNK", 3)
    np.testing.assert_array_equal(whole, p_values("no-effect", 3, 7, ["cpeptide-12"])["cpeptide-12"])


@pytest.mark.requirement("VERIFY-BANDS")
def test_every_primary_and_key_secondary_estimate_has_a_band_without_effect_and_covers_the_truth() -> None:
    bands = read_bands()
    confirmatory = {item.id for item in load_protocol("msc-t1d").analyses if item.family is not None}
    assert confirmatory <= {band.analysis for band in bands if band.scenario == "no-effect"}
    covered = {band.analysis for band in bands if band.measure == "covers"}
    assert covered == set(ANALYSES) == confirmatory - {"cytokine-balance-24"}


@pytest.mark.requirement("VERIFY-TRUTH")
def test_stored_truths_are_those_of_this_scenario_and_these_people() -> None:
    stored, digest = read_truths()
    assert digest == made_from(load_scenario("published", CENTRE)), "run `python -m verification.trials.truth`"
    assert set(stored) == set(ANALYSES) and all(truth.people >= 200_000 for truth in stored.values())
    for again in truths(2000):
        truth = stored[again.analysis]
        assert abs(again.value - truth.value) < 4 * np.hypot(again.error, truth.error), again


@pytest.mark.requirement("VERIFY-TRUTH")
def test_intervals_that_hold_the_truth_are_counted() -> None:
    bands = [band for band in read_bands() if band.measure == "covers"]
    found = {rate.band.id: rate for _, _, items in rates(bands, 60) for rate in items}
    for item in found.values():
        assert 0.8 < item.rate <= 1 and item.refused == 0
