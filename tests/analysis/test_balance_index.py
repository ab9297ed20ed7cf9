"""The balance of two panels: brute force, limits, and what must not matter."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest
from scipy.stats import norm, rankdata

from equipoise.analysis.analyse import prepare
from equipoise.analysis.data import DerivationData
from equipoise.analysis.derivations import balance_index
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


def test_scores_by_hand() -> None:
    """Two below the limit share rank 1.5 of 5, two above share 4.5: scores at 1/4, 1/2 and 3/4, symmetric about 0."""
    values = np.array([[[2.0, 2.0], [3.0, np.nan], [9.0, 9.0]]])
    censored = np.array([[[-1, -1], [0, 0], [1, 1]]], np.int8)
    upper = 0.6744897501960817  # the normal quantile of 3/4
    expected = [[[-upper, -upper], [0.0, np.nan], [upper, upper]]]
    np.testing.assert_allclose(normal_scores(values, censored), expected, atol=1e-15)


def test_a_result_at_the_limit_ranks_between_those_beyond_it() -> None:
    """A value measured at a limit is not tied with those below the lower or above the upper one."""
    values = np.array([[[2.0, 2.0, 5.0, 9.0, 9.0]]])
    censored = np.array([[[-1, 0, 0, 0, 1]]], np.int8)
    np.testing.assert_allclose(normal_scores(values, censored)[0, 0], norm.ppf(np.arange(1, 6) / 6), atol=1e-15)


def test_exchanged_panels_give_the_opposite_index_and_trials_do_not_touch() -> None:
    names = [f"cytokines.{name}" for name in PRO], [f"cytokines.{name}" for name in ANTI]
    scenario = load_scenario("published", ["scenario.effects_vary=false"])
    panel = simulate_trials(load_protocol("msc-t1d"), scenario, 6, 3)[0]
    found = []
    for pro, anti in (names, names[::-1]):
        options = balance_index.Options(pro=tuple(pro), anti=tuple(anti))
        data = DerivationData(panel, MappingProxyType({}))
        found.append(balance_index.DERIVATION.derive(data, panel.protocol.parameters[0], options))
    np.testing.assert_allclose(found[0], -found[1])
    values, censored = panel.blocks["cytokines"].test("il-6")
    alone = normal_scores(values[1:2, ..., 0], censored[1:2, ..., 0])
    np.testing.assert_array_equal(normal_scores(values[..., 0], censored[..., 0])[1:2], alone)


def test_one_missing_cytokine_leaves_the_visit_without_index() -> None:
    protocol = load_protocol("msc-t1d")
    panel = simulate_trials(protocol, load_scenario("no-effect"), 6, 1)[0]
    block = panel.blocks["cytokines"]
    person = int(np.flatnonzero(~np.isnan(block.value[0, :, 0, 0]).any(axis=1))[0])
    block.value[0, person, 0, 0, 2] = np.nan
    data = prepare(plan(protocol), panel)
    assert np.isnan(data.at("cytokine-balance", "baseline")[0, person])
