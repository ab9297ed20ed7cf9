"""What is written of claims: the adjusted p in each reason, who had the product, why an interval decides nothing."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest

from equipoise.analysis.analyse import analyse_records, prepare, run
from equipoise.analysis.claims import claim_results, intervals_looked_at
from equipoise.analysis.data import AnalysisData
from equipoise.analysis.given import given_active, nobody_treated
from equipoise.analysis.multiplicity import with_adjusted
from equipoise.analysis.plan import Plan, plan
from equipoise.analysis.results import ClaimResult, Result, Results
from equipoise.analysis.words import PHRASES, plain_word, printed
from equipoise.protocol.load import load_protocol
from equipoise.records.from_panel import to_records
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trial, simulate_trials
from tests.analysis.verdict_trials import claim, protocol

SOFTWARE = {"name": "equipoise", "version": "0"}
NO_CELLS = "scenario.manufacturing.lot_failure=1"


@cache
def planned() -> Plan:
    return plan(load_protocol("msc-t1d"))


@cache
def whole(seed: int, *changes: str) -> Results:
    nature = load_scenario("published", changes)
    records, arms = to_records(simulate_trial(planned().protocol, nature, seed), source="x")
    return analyse_records(records, arms, software=SOFTWARE).results


def by_id(results: Results) -> dict[str, ClaimResult]:
    return {item.id: item for item in results.claims}


@pytest.mark.requirement("CLAIM-BOTH-DIRECTIONS")
def test_an_unadjusted_interval_contradicts_nothing() -> None:
    """Seed 1 of `published`: one of three parts has an interval on the wrong side, and its family was never opened."""
    c7 = by_id(whole(1))["c7"]
    part = next(part for part in c7.parts if part.analysis == "cytokine-balance-24")
    assert part.lower is not None and part.lower > 0 and part.direction == "lower", "the seed that this test is about"
    assert c7.verdict == "not tested" and part.local_level == 0
    assert part.p_adjusted is not None and f"{part.p_adjusted:.4g}" in part.reason
    assert "excludes no effect, but the family was not opened" in part.reason


@pytest.mark.requirement("CLAIM-GIVEN")
def test_without_cells_no_claim_about_cells_is_assessable() -> None:
    claims = by_id(whole(1, NO_CELLS))
    assert {name: item.verdict for name, item in claims.items() if name != "c1"} == {
        f"c{number}": "not assessable" for number in range(2, 9)
    }
    assert "nobody in MSC first (early) had been given the active product" in claims["c7"].reason
    assert ": 0 of " in claims["c7"].given and claims["c7"].given in claims["c7"].reason


@pytest.mark.requirement("CLAIM-GIVEN")
def test_each_claim_says_how_many_had_the_product_up_to_its_visit() -> None:
    claims = by_id(whole(1))
    doses = whole(1).table("exposure").rows
    given = {(row[0], row[2]): row[5:7] for row in doses if row[2] == "Participants with an infusion"}
    early, late = given["period-1", "Participants with an infusion"]
    assert f"{early} of 10 in MSC first (early), 0 of {late} in Placebo first (late)" in claims["c3"].given
    assert ", 9 of 11 in Placebo first (late)" in claims["c7"].given


@pytest.mark.requirement("CLAIM-GIVEN")
def test_who_had_the_product_is_counted_in_every_trial_and_unknown_where_nothing_was_recorded() -> None:
    (panel,) = simulate_trials(planned().protocol, load_scenario("no-effect"), 1, 3)
    data = prepare(planned(), panel)
    found = given_active(data)
    rows = panel.interventions
    for trial in range(panel.trials):
        for arm in range(2):
            mine = (
                (rows.trial == trial)
                & (rows.columns["status"] == "given")
                & (panel.arm[trial, rows.participant] == arm)
            )
            first = set(rows.participant[mine & (rows.columns["period"] == "period-1")]) if arm == 0 else set()
            later = set(rows.participant[mine & (rows.columns["period"] == "period-2")]) if arm == 1 else set()
            assert found.people[trial, arm].tolist() == [len(first), len(first | later)]
    assert found.known.all() and found.trial(1).people.tolist() == found.people[1:2].tolist()
    empty = dataclasses.replace(rows, trial=rows.trial[:0], participant=rows.participant[:0], columns={})
    nothing = given_active(dataclasses.replace(data, panel=dataclasses.replace(panel, interventions=empty)))
    assert not nothing.known.any()
    assert not np.any(nobody_treated(planned().protocol, nothing, "hba1c-12"))
    assert nobody_treated(planned().protocol, None, "hba1c-12") is None
    assert not given_active(AnalysisData(panel, data.parameters, data.sets, 0, True)).known.any()


@pytest.mark.requirement("CLAIM-EXPLORATORY")
def test_an_exploratory_claim_has_no_verdict_but_a_phrase_with_its_interval() -> None:
    results = whole(1)
    for name in ("c4", "c5", "c6", "c8"):
        found = by_id(results)[name]
        assert found.kind == "exploratory" and found.verdict in PHRASES
        for part in found.parts:
            assert f"{part.verdict}: " in part.reason and "unadjusted 95 % interval (" in part.reason
            assert part.p_adjusted is None
    assert intervals_looked_at(results.claims) == 5


@pytest.mark.requirement("RESULTS-CLAIMS")
def test_every_reason_of_a_hypothesis_names_its_adjusted_p() -> None:
    for seed in (1, 7):
        for found in whole(seed).claims:
            if found.kind != "confirmatory":
                continue
            assert found.results == tuple(part.result for part in found.parts)
            for part in found.parts:
                assert part.p_adjusted is not None and part.p_value is not None and part.p_value <= part.p_adjusted
                assert (
                    f"adjusted p = {part.p_adjusted:.4g} at level 0.05" in part.reason and part.reason in found.reason
                )


def _decided(first: Result, direction: str, p_lower: float, **changes: object) -> ClaimResult:
    item = dataclasses.replace(
        first,
        analysis="a",
        family="first",
        role="key-secondary",
        p_lower=p_lower,
        p_upper=1 - p_lower,
        p_value=2 * min(p_lower, 1 - p_lower),
        **changes,
    )
    trial = protocol({"first": ("a",)}, [claim("x", f"{direction}a")])
    (found,) = claim_results(trial, with_adjusted(trial, (item,)), ())
    return found


@pytest.fixture(scope="module")
def first() -> Result:
    (panel,) = simulate_trials(planned().protocol, load_scenario("no-effect"), 1, 1)
    alone = dataclasses.replace(planned(), analyses=tuple(i for i in planned().analyses if i.analysis.id == "hba1c-24"))
    return run(alone, prepare(alone, panel))[0][0]


@pytest.mark.requirement("RESULTS-CLAIMS")
def test_a_claim_gets_the_word_of_its_adjusted_p_and_side(first: Result) -> None:
    assert _decided(first, "-", 0.01).verdict == "supported"
    assert _decided(first, "+", 0.01).verdict == "contradicted"
    assert _decided(first, "-", 0.2).verdict == _decided(first, "+", 0.03).verdict == "inconclusive"
    # The p-value's side counts where the estimate lies on the other, as in skewed exact tests.
    assert _decided(first, "-", 0.01, estimate=0.5, lower=-0.1, upper=1.0).verdict == "supported"
    missing = _decided(first, "-", 0.5)
    assert "are excluded at 95 %" in missing.reason and "(local level 0.05)" in missing.reason
    assert "(local level 0.05)" in _decided(first, "-", 0.5, standard_error=None).reason


@pytest.mark.requirement("RESULTS-CLAIMS")
def test_the_smallest_effect_is_excluded_at_the_local_level(first: Result) -> None:
    part = _decided(first, "-", 0.2).parts[0]
    assert first.lower is not None and f"effects beyond {first.lower:.3g}" in part.reason
    two = protocol({"first": ("a", "b")}, [claim("x", "-a")])
    item = dataclasses.replace(first, analysis="a", family="first", role="key-secondary", p_lower=0.2, p_upper=0.8)
    found = claim_results(two, (item,), ())[0].parts[0]
    assert found.local_level == 0.025 and "excluded at 97.5 % (local level 0.025)" in found.reason
    assert f"effects beyond {first.lower:.3g} " not in found.reason, "the interval at 95 % is not the one"


@pytest.mark.requirement("RESULTS-CLAIMS")
def test_words_are_printed_and_counted_without_names() -> None:
    assert printed("contradicted") == "contradicted: the opposite was shown"
    assert printed("contradicted in part: a") == "contradicted in part: a" and printed("supported") == "supported"
    assert plain_word("contradicted in part: a, b") == "contradicted in part"
    assert plain_word("partly supported: a") == "partly supported" and plain_word("no signal") == "no signal"
