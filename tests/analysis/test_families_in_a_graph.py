"""Families that share one level: the second is tested at what the first passes on, and not before."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest

from equipoise.analysis.analyse import prepare, run
from equipoise.analysis.claims import claim_results
from equipoise.analysis.multiplicity import with_adjusted
from equipoise.analysis.plan import plan
from equipoise.analysis.results import Result
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import Claim, ClaimPart, Family, FamilyGraph
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials
from equipoise.stats.graphs import Graph, graphical_test

SERIAL = FamilyGraph(weights={"first": 1.0, "second": 0.0}, transitions={"first": {"second": 1.0}})


def family(name: str, adjustment: str = "holm") -> Family:
    return Family(id=name, label=name, level=0.05, adjustment=adjustment)


def protocol(graph: FamilyGraph | None, *families: Family) -> Protocol:
    plain = model()
    return dataclasses.replace(plain, authored=plain.authored.model_copy(update={"families": families, "graph": graph}))


@cache
def model() -> Protocol:
    return load_protocol("msc-t1d")


@cache
def example() -> Result:
    (panel,) = simulate_trials(model(), load_scenario("no-effect"), 1, 1)
    planned = plan(model())
    results, _ = run(planned, prepare(planned, panel))
    return next(result for result in results if result.analysis == "hba1c-12")


def results(**p_values: tuple[float | None, ...]) -> tuple[Result, ...]:
    return tuple(
        dataclasses.replace(
            example(),
            id=f"{name}-{place}",
            analysis=f"{name}-{place}",
            family=name,
            p_value=p,
            p_lower=None if p is None else p / 2,
            p_upper=None if p is None else 1 - p / 2,
            p_adjusted=None,
        )
        for name, values in p_values.items()
        for place, p in enumerate(values)
    )


def adjusted(trial: Protocol, given: tuple[Result, ...]) -> list[float | None]:
    return [item.p_adjusted for item in with_adjusted(trial, given)]


@pytest.mark.requirement("STATS-MULTIPLICITY")
def test_the_second_family_waits_for_all_of_the_first() -> None:
    two = protocol(SERIAL, family("first"), family("second"))
    found = adjusted(two, results(first=(0.01, 0.02), second=(0.001, 0.03)))
    assert found == [pytest.approx(p) for p in (0.02, 0.02, 0.02, 0.03)]
    # One of the first is not rejected: nothing is passed on, however small the p-values of the second.
    found = adjusted(two, results(first=(0.01, 0.2), second=(0.001, 0.03)))
    assert found == [pytest.approx(p) for p in (0.02, 0.2, 0.2, 0.2)]


def test_without_a_graph_each_family_has_its_own_level() -> None:
    two = protocol(None, family("first"), family("second"))
    found = adjusted(two, results(first=(0.01, 0.2), second=(0.001, 0.03)))
    assert found == [pytest.approx(p) for p in (0.02, 0.2, 0.002, 0.03)]


def test_a_missing_p_value_or_a_family_without_results_passes_nothing_on() -> None:
    two = protocol(SERIAL, family("first"), family("second"))
    assert adjusted(two, results(first=(0.01, None), second=(0.001,))) == [pytest.approx(0.02), None, 1.0]
    assert adjusted(two, results(second=(0.001,))) == [1.0]
    assert adjusted(two, results(first=(0.03,))) == [pytest.approx(0.03)]
    assert adjusted(two, ()) == []


def test_a_family_outside_the_graph_keeps_its_own() -> None:
    three = protocol(SERIAL, family("first"), family("second"), family("other", "fixed-sequence"))
    found = adjusted(three, results(first=(0.5,), second=(0.01,), other=(0.02, 0.01)))
    assert found == [pytest.approx(p) for p in (0.5, 0.5, 0.02, 0.02)]


def test_shares_go_both_ways() -> None:
    """0.6 and 0.4 of the level, each passing all on: by hand, for one hypothesis a family."""
    shares = FamilyGraph(
        weights={"first": 0.6, "second": 0.4}, transitions={"first": {"second": 1.0}, "second": {"first": 1.0}}
    )
    two = protocol(shares, family("first"), family("second"))
    assert adjusted(two, results(first=(0.024,), second=(0.045,))) == [pytest.approx(0.04), pytest.approx(0.045)]
    assert adjusted(two, results(first=(0.04,), second=(0.016,))) == [pytest.approx(0.04), pytest.approx(0.04)]


@pytest.mark.requirement("STATS-MULTIPLICITY")
def test_it_is_the_graph_of_the_hypotheses_that_keep_their_share_while_any_remains() -> None:
    """The same in single hypotheses: edges within a family take all but a vanishing part of what is passed."""
    source = np.random.default_rng(1)
    little, sizes = 1e-7, (3, 2, 2)
    names = ("first", "second", "third")
    weights, passed = np.array([0.5, 0.5, 0.0]), np.array([[0, 0.25, 0.75], [0.5, 0, 0.5], [1, 0, 0]])
    graph = FamilyGraph(
        weights=dict(zip(names, weights.tolist(), strict=True)),
        transitions={
            one: {other: float(part) for other, part in zip(names, row, strict=True) if part}
            for one, row in zip(names, passed, strict=True)
        },
    )
    trial = protocol(graph, *(family(name) for name in names))
    home = np.repeat(np.arange(3), sizes)
    share = np.array([weights[own] / sizes[own] for own in home])
    edges = np.array(
        [
            [
                0.0
                if i == j
                else (1 - little) / (sizes[home[i]] - 1)
                if home[i] == home[j]
                else little * passed[home[i], home[j]] / sizes[home[j]]
                for j in range(len(home))
            ]
            for i in range(len(home))
        ]
    )
    p = source.uniform(0, 0.08, (60, len(home)))
    expected = graphical_test(p, Graph(share, edges)).adjusted
    starts = np.cumsum((0, *sizes))
    for row, wanted in zip(p, expected, strict=True):
        given = results(**{name: tuple(row[starts[k] : starts[k + 1]].tolist()) for k, name in enumerate(names)})
        assert adjusted(trial, given) == pytest.approx(wanted.tolist(), rel=1e-4)


def test_the_chance_of_any_false_claim_keeps_the_level() -> None:
    """One family's hypotheses are false, the other's true: claims of the true ones at 5 %, whatever passed on."""
    source = np.random.default_rng(2)
    two = protocol(SERIAL, family("first"), family("second"))
    false = 0
    for _ in range(1500):
        found = adjusted(two, results(first=(1e-6, 1e-5), second=tuple(source.random(3).tolist())))
        false += min(p for p in found[2:] if p is not None) <= 0.05
    assert 0.030 < false / 1500 < 0.067


@pytest.mark.requirement("RESULTS-CLAIMS")
@pytest.mark.parametrize(("first", "verdict"), [(0.01, "supported"), (0.2, "not tested")])
def test_a_claim_of_the_second_family_needs_the_first(first: float, verdict: str) -> None:
    two = protocol(SERIAL, family("first"), family("second"))
    claim = Claim(
        id="c7", text="Early helps.", rule="every-part", parts=(ClaimPart(analysis="late", direction="lower"),)
    )
    two = dataclasses.replace(two, authored=two.authored.model_copy(update={"claims": (claim,)}))
    early, late = results(first=(first,), second=(0.001,))
    late = dataclasses.replace(late, analysis="late", role="key-secondary", estimate=-1.0, lower=-1.5, upper=-0.5)
    (decided,) = claim_results(two, with_adjusted(two, (early, late)), ())
    assert decided.verdict == verdict
