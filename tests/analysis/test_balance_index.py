"""The balance of two panels: brute force, limits, and what must not matter."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, rankdata

from equipoise.analysis.analyse import prepare
from equipoise.analysis.derivations.balance_index import mid_ranks, normal_scores
from equipoise.analysis.plan import plan
from equipoise.protocol.load import load_protocol
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials

PRO = ("ifn-gamma", "tnf-alpha", "il-6", "il-17", "il-1-beta")
ANTI = ("il-4", "il-10", "tgf-beta-1")


def test_ranks_are_those_of_scipy() -> None:
    source = np.random.default_rng(3)
    values = np.round(source.normal(size=(40, 30)), 1)
    values[source.random(values.shape) < 0.2] = np.nan
    values[3] = np.nan
    values[4] = 1.0
    values[5, :10] = -np.inf
    found = mid_ranks(values)
    for row, ranks in zip(values, found, strict=True):
        there = ~np.isnan(row)
        np.testing.assert_array_equal(ranks[there], rankdata(row[there]))
        assert np.isnan(ranks[~there]).all()


@pytest.mark.requirement("ANALYSIS-FIRST-ANSWERS")
def test_the_index_is_that_of_the_definition() -> None:
    protocol = load_protocol("msc-t1d")
    panel = simulate_trials(protocol, load_scenario("published", ["scenario.effects_vary=false"]), 6, 3)[0]
    data = prepare(plan(protocol), panel)
    block = panel.blocks["cytokines"]
    for trial in range(3):
        scores = {}
        for name in (*PRO, *ANTI):
            value, censored = (part[trial, :, :, 0] for part in block.test(name))
            level = np.where(censored < 0, -1.0, np.where(censored > 0, 1e9, value))
            there = ~np.isnan(value)
            ranks = rankdata(level[there])
            score = np.full(value.shape, np.nan)
            score[there] = norm.ppf(ranks / (there.sum() + 1))
            scores[name] = score
        expected = np.mean([scores[n] for n in PRO], axis=0) - np.mean([scores[n] for n in ANTI], axis=0)
        for place, visit in enumerate(block.visits):
            np.testing.assert_allclose(data.at("cytokine-balance", visit)[trial], expected[:, place], atol=1e-12)


def test_only_the_order_of_results_matters() -> None:
    source = np.random.default_rng(4)
    values = source.lognormal(size=(5, 7, 4))
    censored = np.where(values < 0.5, -1, 0).astype(np.int8)
    values = np.where(censored < 0, 0.5, values)
    base = normal_scores(values, censored)
    np.testing.assert_allclose(normal_scores(np.log(values), censored), base)
    np.testing.assert_allclose(normal_scores(values**3, censored), base)
    assert (base[censored < 0].min(), base[censored == 0].min()) == (base.min(), base[censored == 0].min())
    for trial in range(5):
        assert len(np.unique(base[trial][censored[trial] < 0])) <= 1, "all below the limit are tied"
        assert base[trial][censored[trial] < 0].max(initial=-9) < base[trial][censored[trial] == 0].min()
    np.testing.assert_allclose(base.reshape(5, -1).mean(axis=1), 0, atol=0.15)


def test_one_missing_cytokine_leaves_the_visit_without_index() -> None:
    protocol = load_protocol("msc-t1d")
    panel = simulate_trials(protocol, load_scenario("no-effect"), 6, 1)[0]
    block = panel.blocks["cytokines"]
    person = int(np.flatnonzero(~np.isnan(block.value[0, :, 0, 0]).any(axis=1))[0])
    block.value[0, person, 0, 0, 2] = np.nan
    data = prepare(plan(protocol), panel)
    assert np.isnan(data.at("cytokine-balance", "baseline")[0, person])
