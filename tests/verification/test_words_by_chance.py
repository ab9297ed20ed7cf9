"""Whether a campaign says of each trial what the analysis of that trial alone says, and what its bands look for."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.analysis.analyse import analyse_records, prepare
from equipoise.analysis.chances import shipped
from equipoise.analysis.claim_words import claim_words, needed
from equipoise.analysis.plan import plan
from equipoise.analysis.words import PHRASES, TEXTS, Word, plain_word
from equipoise.protocol.load import load_protocol
from equipoise.records.from_panel import to_records
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trial, simulate_trials
from verification.limits import found_above, found_below, found_beyond, limits
from verification.trials.bands import ANY, Band, read_bands
from verification.trials.campaign import PROTOCOL, Campaign, Found, rates, simulated
from verification.trials.chances import CAMPAIGNS, chances_of, compared, current

CHANGES = ("scenario.manufacturing.lot_failure=0.6",)


@pytest.mark.requirement("VERIFY-BANDS", "CLAIM-CHANCES")
def test_a_campaign_says_of_a_trial_what_its_own_analysis_says() -> None:
    protocol, nature = load_protocol(PROTOCOL), load_scenario("strong", CHANGES)
    planned = plan(protocol)
    said: set[str] = set()
    for seed in range(4):
        data = prepare(planned, next(iter(simulate_trials(protocol, nature, seed, 1))))
        outcomes = {i.analysis.id: i.method.run(data, i.analysis, i.options) for i in needed(planned)}
        found = claim_words(planned, data, outcomes)
        records, allocation = to_records(simulate_trial(protocol, nature, seed), source="simulated")
        claims = analyse_records(records, allocation, software={"name": "x", "version": "0"}).results.claims
        assert {name: words.tolist() for name, words in found.items()} == {
            claim.id: [plain_word(claim.verdict)] for claim in claims
        }
        said |= {plain_word(claim.verdict) for claim in claims}
    assert len(said) >= 5, "words of several kinds, so that the comparison says something"


@pytest.mark.requirement("VERIFY-BANDS", "CLAIM-BOTH-DIRECTIONS")
def test_every_word_that_decides_has_a_band_without_effect() -> None:
    rows = [band for band in read_bands() if band.measure == "says"]
    supports, against = {"supported", "partly supported"}, {"contradicted", "contradicted in part"}
    confirmatory = {"c2", "c3", "c7"}
    for claim in (ANY, *confirmatory):
        ends = {frozenset(band.words): band.band for band in rows if band.claim == claim}
        assert ends == {
            frozenset(supports): (0.0, 0.03),
            frozenset(against): (0.0, 0.03),
            frozenset(supports | against): (0.0, 0.05),
        }
    assert all(band.scenario == "no-effect" and band.trials == 4000 for band in rows)
    assert {word for band in rows for word in band.words} <= set(TEXTS.values())


@pytest.mark.requirement("VERIFY-BANDS")
def test_a_small_campaign_keeps_the_bands_of_words_and_counts_any_of_the_claims() -> None:
    """150 trials find gross errors only; the raw interval contradicts some claim in 11 % of trials."""
    chosen = [band for band in read_bands() if band.measure == "says"]
    ((campaign, found, items),) = rates(chosen, 150)
    assert campaign == Campaign("no-effect", (), 20_260_101, 150) and len(items) == len(chosen)
    assert all(item.ok for item in items), [(item.band.id, item.rate) for item in items if not item.ok]
    by_id = {item.band.id: item.rejected for item in items}
    supported = np.any([np.isin(words, ("supported", "partly supported")) for words in found.words.values()], axis=0)
    assert by_id["any-claim-supported"] == supported.sum()
    assert by_id["any-claim-either"] == by_id["any-claim-supported"] + by_id["any-claim-contradicted"] - both(found)


def both(found: Found) -> int:
    """Trials that support one claim and contradict another."""
    said = [
        np.any([np.char.startswith(words.astype(str), start) for words in found.words.values()], axis=0)
        for start in (("supported", "partly supported"), ("contradicted",))
        for start in start
    ]
    return int(((said[0] | said[1]) & said[2]).sum())


@pytest.mark.requirement("VERIFY-BANDS")
def test_a_row_says_which_rate_it_would_find() -> None:
    assert found_above(0.065, 20_000) == pytest.approx(0.073, abs=5e-4), "STATISTICS: 20,000 trials find 7.3 %"
    assert found_above(0.065, 4000) == pytest.approx(0.084, abs=5e-4), "and 4,000 find 8.4 %"
    source = np.random.default_rng(1)
    rate = found_above(0.03, 1000)
    drawn = [limits(int(hits), 1000)[0] > 0.03 for hits in source.binomial(1000, rate, 400)]
    assert 0.84 < np.mean(drawn) < 0.96
    assert found_below(0.94, 4000) == pytest.approx(1 - found_above(0.06, 4000)) and found_below(0.0, 4000) == 0
    assert found_above(0.999, 100) == 1.0 and found_beyond(1.0) == pytest.approx(3.2905 + 1.2816, abs=1e-3)


@pytest.mark.requirement("VERIFY-BANDS")
@pytest.mark.parametrize(
    "wrong", [{"claim": "c2"}, {"analysis": "x", "measure": "says"}, {"words": ("supported",)}, {}]
)
def test_a_band_has_an_analysis_or_words_of_a_claim(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="band 'x'"):
        Band("x", "no-effect", 1, 4000, (0.0, 0.05), "because", **wrong)  # type: ignore[arg-type]


@pytest.mark.requirement("CLAIM-CHANCES")
def test_chances_are_counted_and_a_stored_rate_that_moved_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = Campaign("no-effect", (), 5, 40)
    found = simulated(campaign, (), words=True)
    table = chances_of(campaign, found)
    for claim, rates_ in table.claims.items():
        assert sum(rate for rate, _ in rates_.values()) == pytest.approx(1), claim
        for word, (rate, error) in rates_.items():
            assert rate == (found.words[claim] == word).mean() and error == pytest.approx(
                (rate * (1 - rate) / 40) ** 0.5
            )
    assert set(table.claims["c7"]) == {text for text in TEXTS.values() if text not in PHRASES} - {
        Word.NOT_ASSESSED.text
    }
    assert set(PHRASES) <= set(table.claims["c5"])
    monkeypatch.setattr("verification.trials.chances.shipped", lambda: (table,))
    assert current(table) and all(item.ok for item in compared(campaign, found))
    moved = found.words | {"c7": np.full(40, "supported", dtype=object)}
    wrong = [item for item in compared(campaign, Found({}, moved)) if not item.ok]
    assert {(item.claim, item.word) for item in wrong} == {("c7", "supported"), ("c7", "not tested")}


@pytest.mark.requirement("CLAIM-CHANCES")
def test_the_chances_that_are_shipped_are_of_the_protocol_the_plan_and_the_scenarios_as_they_are() -> None:
    assert {table.scenario for table in shipped()} == {campaign.scenario for campaign in CAMPAIGNS}
    for table in shipped():
        assert current(table), f"{table.scenario}: run `python -m verification.trials.chances`"
