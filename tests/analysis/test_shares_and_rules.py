"""Shares of participants, interactions, the state of a stopping rule, and the verdict on safety."""

from __future__ import annotations

import dataclasses
from functools import cache
from types import MappingProxyType

import numpy as np
import pytest
from scipy.stats import beta

from equipoise.analysis.analyse import prepare
from equipoise.analysis.claims import claim_results
from equipoise.analysis.data import AnalysisData
from equipoise.analysis.methods import interaction, proportion, stopping
from equipoise.analysis.plan import plan
from equipoise.analysis.registry import Outcome
from equipoise.analysis.results import ResultTable
from equipoise.analysis.safety_findings import safety_tables
from equipoise.errors import InputError
from equipoise.protocol.load import load_protocol
from equipoise.protocol.schema.inference import Analysis, StoppingRule
from equipoise.records.panel import Panel, Rows
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials
from equipoise.stats.ancova import contrast, fit_least_squares
from equipoise.stats.toxicity import ToxicityRule
from equipoise.stats.toxicity_walk import walk_toxicity

TREATMENT_POLICY = "treatment-policy"


@cache
def trials(count: int = 5, scenario: str = "no-effect", *changes: str) -> AnalysisData:
    protocol = load_protocol("msc-t1d")
    panel = simulate_trials(protocol, load_scenario(scenario, changes), 4, count)[0]
    return prepare(plan(protocol), panel)


def analysis(name: str, **keys: object) -> Analysis:
    planned = {item.id: item for item in load_protocol("msc-t1d").analyses}
    return planned[name].model_copy(update=keys)


def blinded(data: AnalysisData) -> AnalysisData:
    arm = np.full_like(data.panel.arm, -1)
    return dataclasses.replace(data, panel=dataclasses.replace(data.panel, arm=arm))


@pytest.mark.requirement("ANALYSIS-FIRST-ANSWERS")
def test_a_share_is_that_of_those_with_a_value_in_each_trial() -> None:
    data = trials()
    options = proportion.Options(at_most=9.0)
    difference, early, late = proportion.METHOD.run(data, analysis("remission-12"), options).estimates
    value = data.at("idaa1c", "month-12")
    for trial in range(5):
        for estimate, code in ((early, 0), (late, 1)):
            mine = value[trial][(data.panel.arm[trial] == code) & ~np.isnan(value[trial])]
            assert estimate.values["estimate"][trial] == pytest.approx((mine <= 9).mean())
            limit = beta.ppf(0.975, (mine <= 9).sum() + 1, (mine > 9).sum())
            assert estimate.values["upper"][trial] == pytest.approx(limit if (mine > 9).any() else 1.0)
        expected = early.values["estimate"][trial] - late.values["estimate"][trial]
        assert difference.values["estimate"][trial] == pytest.approx(expected)
        assert difference.values["lower"][trial] <= expected <= difference.values["upper"][trial]
    assert difference.p_kind == "mid-p" and list(difference.status) == ["ok"] * 5


@pytest.mark.requirement("ANALYSIS-FIRST-ANSWERS")
def test_without_arms_nothing_is_compared() -> None:
    data = blinded(trials())
    (share,) = proportion.METHOD.run(data, analysis("remission-12"), proportion.Options(at_most=9.0)).estimates
    assert not share.values and all("blinded" in text for text in share.status)
    modifier = interaction.Modifier(parameter="exercise", baseline="efficacy", at_least=150.0)
    done = interaction.METHOD.run(data, analysis("hba1c-12-by-exercise"), interaction.Options(modifier=modifier))
    for estimate in done.estimates:
        assert np.isnan(estimate.values["estimate"]).all() and all("blinded" in text for text in estimate.status)


@pytest.mark.requirement("ANALYSIS-FIRST-ANSWERS")
def test_an_interaction_is_the_difference_of_the_effects_in_two_groups() -> None:
    """With no covariate the model is saturated: each effect is a difference of two means."""
    data = trials(30)
    modifier = interaction.Modifier(parameter="exercise", baseline="efficacy", at_least=150.0)
    done = interaction.METHOD.run(data, analysis("hba1c-12-by-exercise"), interaction.Options(modifier=modifier))
    product, inside, outside = done.estimates
    assert [item.variant for item in done.estimates] == ["interaction", "with", "without"]
    value, habit = data.at("hba1c", "month-12"), data.baseline("exercise", "efficacy")
    compared = 0
    for trial in range(30):
        there = ~np.isnan(value[trial]) & ~np.isnan(habit[trial]) & data.sets["randomised"][trial]
        cells = {
            (code, active): value[trial][there & (data.panel.arm[trial] == code) & ((habit[trial] >= 150) == active)]
            for code in (0, 1)
            for active in (True, False)
        }
        if min(len(cell) for cell in cells.values()) == 0:
            assert product.status[trial] != "ok" and np.isnan(product.values["estimate"][trial])
            continue
        compared += 1
        effects = {active: cells[0, active].mean() - cells[1, active].mean() for active in (True, False)}
        assert inside.values["estimate"][trial] == pytest.approx(effects[True])
        assert outside.values["estimate"][trial] == pytest.approx(effects[False])
        assert product.values["estimate"][trial] == pytest.approx(effects[True] - effects[False])
    assert compared > 15


@pytest.mark.requirement("ANALYSIS-FIRST-ANSWERS")
def test_an_interaction_adjusts_as_the_same_model_written_out() -> None:
    data = trials(3)
    modifier = interaction.Modifier(parameter="exercise", baseline="efficacy", at_least=150.0)
    options = interaction.Options(modifier=modifier, baseline="efficacy", covariates=("age_years",))
    found = interaction.METHOD.run(data, analysis("hba1c-12-by-exercise"), options).estimates[0]
    value, habit = data.at("hba1c", "month-12"), data.baseline("exercise", "efficacy") >= 150
    base, age, first = data.baseline("hba1c", "efficacy"), data.panel.covariates["age_years"], data.panel.arm == 0
    columns = [np.ones_like(value), base, age, habit, first, habit & first]
    design = np.stack([np.asarray(column, np.float64) for column in columns], axis=2)
    there = ~np.isnan(value) & ~np.isnan(base) & ~np.isnan(data.baseline("exercise", "efficacy"))
    again = contrast(fit_least_squares(value, design, there), np.array([0.0, 0, 0, 0, 0, 1]))
    for name in ("estimate", "standard_error", "p_value", "df"):
        np.testing.assert_allclose(found.values[name], getattr(again, name), rtol=1e-9)


RULE = StoppingRule(id="x", event="E", prior=(0.2, 1.8), threshold=0.2, certainty=0.8, minimum=3)


@pytest.mark.requirement("ANALYSIS-FIRST-ANSWERS")
@pytest.mark.parametrize(
    ("events", "after"),
    [
        ([0] * 21, None),
        ([1, 1], None),  # fewer than the minimum
        ([1, 1, 0], 3),
        ([0, 1, 0, 0, 1, 0, 1], 7),  # the page's boundary: 3 of 4 to 7
        ([0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1], None),
        ([1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], 3),  # met once, though not at the end
    ],
)
def test_the_rule_is_met_where_the_boundary_is_reached(events: list[int], after: int | None) -> None:
    """One after the other: everybody's window ends, with or without the event, before the next is dosed."""
    first = 100.0 * np.arange(len(events))
    harm = np.where(np.array(events) == 1, first + 30, np.inf)
    rule = ToxicityRule(RULE.prior, RULE.threshold, RULE.certainty, RULE.minimum)
    walked = walk_toxicity(rule, first, first + 30, harm, np.zeros(len(events)), 1e6)
    assert walked.met_after == after
    assert (walked.counted, walked.events, walked.open) == (len(events), sum(events), 0)


def with_events(panel: Panel, rows: list[tuple[int, float, int, float, float]]) -> Panel:
    """A Panel with these adverse events only: participant, day, grade, serious, related."""
    kinds = {name: column.dtype.kind for name, column in panel.events.columns.items()}
    columns = {name: np.full(len(rows), "" if kind == "U" else np.nan) for name, kind in kinds.items()}
    columns["assessment"] = np.full(len(rows), "adverse-events")
    for place, name in enumerate(("start_day", "grade", "serious", "related"), start=1):
        columns[name] = np.array([float(row[place]) for row in rows])
    who = np.array([row[0] for row in rows], np.int64)
    return dataclasses.replace(panel, events=Rows(np.zeros(len(rows), np.int64), who, MappingProxyType(columns)))


def state(rows: list[tuple[int, float, int, float, float]]) -> tuple[AnalysisData, Outcome]:
    plain = trials(1, "no-effect", "scenario.dropout=0", "scenario.doses.refused=0", "scenario.missing.visits=0")
    data = dataclasses.replace(plain, panel=with_events(plain.panel, rows))
    options = stopping.Options(rule="toxicity", events="adverse-events", grade=3, within_days=30)
    return data, stopping.METHOD.run(data, analysis("toxicity"), options)


def first(data: AnalysisData, arm: int) -> int:
    return int(np.flatnonzero(data.panel.arm[0] == arm)[0])


@pytest.mark.requirement("ANALYSIS-FIRST-ANSWERS")
def test_only_related_grave_events_soon_after_cells_count() -> None:
    data, _ = state([])
    early, late = first(data, 0), first(data, 1)
    events = [
        (early, 5.0, 3, 0.0, 1.0),  # counts
        (early, 5.0, 2, 0.0, 1.0),
        (early, 100.0, 3, 0.0, 1.0),  # too late after the second infusion
        (late, 5.0, 4, 1.0, 1.0),  # after saline
        (late, 380.0, 3, 0.0, 0.0),  # after cells, not related
    ]
    _, outcome = state(events)
    (table,) = outcome.tables
    cells = dict(zip([column.id for column in table.columns], table.rows[0], strict=True))
    assert cells["treated"] >= 18 and cells["events"] == 1
    assert cells["serious_related"] == 0, "the serious event of the late group came before its cells"
    assert cells["posterior"] == pytest.approx(beta.sf(0.2, 0.2 + 1, 1.8 + cells["treated"] - 1))
    assert cells["upper"] == pytest.approx(beta.ppf(0.95, 2, cells["treated"] - 1))


@pytest.mark.requirement("CLAIM-SAFETY")
@pytest.mark.parametrize(
    ("events", "verdict"),
    [([], "no signal"), ([(0, 5.0, 2, 1.0, 1.0)], "signal"), ([(0, 5.0, 3, 0.0, 1.0)], "no signal")],
)
def test_safety_has_a_verdict_without_p_and_says_what_cannot_be_excluded(
    events: list[tuple[int, float, int, float, float]], verdict: str
) -> None:
    data, _ = state([])
    told, outcome = state([(first(data, 0), *event[1:]) for event in events])
    found = claim_results(data.protocol, (), (*outcome.tables, *safety_tables(told)))[0]
    assert (found.id, found.verdict) == ("c1", verdict)
    assert ("cannot be excluded" in found.reason) == (verdict == "no signal") and "never met" in found.reason


@pytest.mark.requirement("CLAIM-SAFETY")
def test_safety_cannot_be_judged_without_arms_or_treatment() -> None:
    data, _ = state([])
    options = stopping.Options(rule="toxicity", events="adverse-events", grade=3, within_days=30)
    hidden = stopping.METHOD.run(blinded(data), analysis("toxicity"), options).tables
    assert not safety_tables(blinded(data))
    assert claim_results(data.protocol, (), hidden)[0].verdict == "not assessable"
    nobody = trials(1, "no-effect", "scenario.doses.refused=1", "scenario.doses.later_period_declined=1")
    (table,) = stopping.METHOD.run(nobody, analysis("toxicity"), options).tables
    assert isinstance(table, ResultTable)
    found = claim_results(data.protocol, (), (table, *safety_tables(nobody)))[0]
    assert found.verdict == "not assessable" and "no one was given the active product" in found.reason


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("protocol.analyses.remission-12.options={}", "one-limit"),
        ("protocol.analyses.remission-12.options={at_least: 1, at_most: 9}", "one-limit"),
        ("protocol.analyses.remission-12.estimand=hba1c-12", "summary-of-method"),
        ("protocol.analyses.toxicity.options.rule=other", "known-rule"),
        ("protocol.analyses.toxicity.options.events=fasting", "known-events"),
        ("protocol.analyses.hba1c-12-by-exercise.options.modifier.parameter=habit", "known-parameter"),
        ("protocol.analyses.hba1c-12-by-exercise.options.modifier.baseline=none", "known-baseline"),
        ("protocol.analyses.hba1c-12-by-exercise.estimand=remission-12", "summary-of-method"),
    ],
)
def test_options_without_meaning_are_refused(change: str, rule: str) -> None:
    with pytest.raises(InputError) as refused:
        plan(load_protocol("msc-t1d", [change]))
    assert rule in {problem.rule for problem in refused.value.problems}


def test_events_known_until_the_last_contact_count_without_a_diary() -> None:
    data = trials(3)
    rows = data.panel.events
    counts = data.at("grade-3-events", "month-12")
    grade, start = np.asarray(rows.columns["grade"]), np.asarray(rows.columns["start_day"])
    for trial in range(3):
        for person in range(21):
            mine = (
                (rows.trial == trial) & (rows.participant == person) & (rows.columns["assessment"] == "adverse-events")
            )
            until = min(370, data.panel.covariates["last_contact_day"][trial, person])
            assert counts[trial, person] == (mine & (grade >= 3) & (start >= -63) & (start <= until)).sum()
