"""Whether a campaign says of each trial what the analysis of that trial alone says: is any claim supported?"""

from __future__ import annotations

import pytest

from equipoise.analysis.analyse import analyse_records, prepare
from equipoise.analysis.plan import plan
from equipoise.protocol.load import load_protocol
from equipoise.records.from_panel import to_records
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trial, simulate_trials
from verification.trials.campaign import supported

SEEDS = range(6)


@pytest.mark.requirement("VERIFY-BANDS")
def test_a_trial_supports_in_a_campaign_what_it_supports_alone() -> None:
    protocol = load_protocol("msc-t1d")
    nature = load_scenario("strong")
    planned = plan(protocol)
    confirmatory = [item for item in planned.analyses if item.analysis.family is not None]
    answers = set()
    for seed in SEEDS:
        data = prepare(planned, next(iter(simulate_trials(protocol, nature, seed, 1))))
        records, allocation = to_records(simulate_trial(protocol, nature, seed), source="simulated")
        claims = analyse_records(records, allocation, software={"name": "x", "version": "0"}).results.claims
        answers.add(any(claim.verdict == "supported" for claim in claims))
        assert bool(supported(data, confirmatory)[0]) == any(claim.verdict == "supported" for claim in claims)
    assert answers == {True, False}, "seeds of both kinds, so that the comparison says something"
