"""A panel of parameters by step-down minP, on the trial's own allocations."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from equipoise.analysis.data import AnalysisData
from equipoise.analysis.derivations.balance_index import normal_scores
from equipoise.analysis.estimates import BLINDED, Estimate, result_of
from equipoise.analysis.methods import panel_min_p, rerandomisation
from equipoise.analysis.methods.quantified import quantified
from equipoise.analysis.multiplicity import with_adjusted
from equipoise.analysis.reference_set import reference, sequences
from equipoise.analysis.registry import Outcome
from equipoise.stats.step_down import step_down_differences
from tests.analysis.one_trial import alone, analysis, blinded, emptied, model, numbers, trials, with_levels

PANEL = ("ifn-gamma", "il-6", "il-10", "tgf-beta-1")
ITEM = analysis("panel-min-p", "cytokine-balance-12")


def levels(effect: float = 0.0, seed: int = 2) -> AnalysisData:
    """Four cytokines, all above their limits, that go together; `effect` (log2) on the first in group a at month 12."""
    data = trials()
    source = np.random.default_rng(seed)
    block = data.panel.blocks["cytokines"]
    shape = (*data.panel.present.shape, len(block.visits))
    shared = source.normal(0, 1, shape)
    place = block.visits.index("month-12")
    for name in PANEL:
        log_level = 4 + shared + source.normal(0, 0.6, shape)
        if name == PANEL[0]:
            log_level[:, :, place] += effect * (data.panel.arm == 0)
        level = 2**log_level
        level[source.random(shape) < 0.05] = np.nan
        data = with_levels(data, name, level, np.zeros(shape, np.int8))
    return data


def compared(data: AnalysisData, **options: object) -> Outcome:
    given = panel_min_p.Options(**{"parameters": PANEL, "baseline": "efficacy", "draws": 999, **options})
    return panel_min_p.METHOD.run(data, ITEM, given)


def columns(estimates: tuple[Estimate, ...], name: str) -> np.ndarray:
    return np.stack([numbers(estimate)[name] for estimate in estimates])


@pytest.mark.requirement("ANALYSIS-RERANDOMISED")
@pytest.mark.parametrize("scale", ["value", "log2", "normal-score"])
def test_the_adjusted_p_values_are_those_of_the_library_on_the_same_arrays(scale: str) -> None:
    data = levels(1.5)
    found = compared(data, scale=scale).estimates
    first, last = (data.panel.visit_index(visit) for visit in ("baseline", "month-12"))
    value = {
        "value": data.parameters.__getitem__,
        "log2": lambda name: np.log2(data.parameters[name]),
        "normal-score": lambda name: normal_scores(quantified(data, name).value, quantified(data, name).censored),
    }[scale]
    outcome, before = (np.stack([value(name)[:, :, place] for name in PANEL]) for place in (last, first))
    for group in sequences(data.panel):
        drawn = reference(model(), group, 999).arms == 0
        for r, trial in enumerate(group.trials):
            own, covariate = (np.stack([group.of(each)[r] for each in part]) for part in (outcome, before))
            included = ~np.isnan(own) & ~np.isnan(covariate) & group.of(data.sets["randomised"])[r]
            expected = step_down_differences(own, covariate[..., None], included, group.arms[r] == 0, drawn)
            assert_allclose(columns(found, "p_adjusted")[:, trial], expected.p_adjusted, rtol=1e-12)
            assert_allclose(columns(found, "p_value")[:, trial], expected.p_value, rtol=1e-12)
            assert_allclose(columns(found, "smallest_p_value")[:, trial], expected.smallest, rtol=1e-12)
    assert (columns(found, "p_adjusted") >= columns(found, "p_value")).all()
    assert (columns(found, "p_adjusted") > columns(found, "p_value")).any()


def test_each_alone_is_the_re_randomisation_test() -> None:
    data = levels(1.0)
    found = compared(data, covariates=("age_years",)).estimates
    options = rerandomisation.Options(baseline="efficacy", covariates=("age_years",), draws=999, parameter="il-6")
    (beside,) = rerandomisation.METHOD.run(data, ITEM, options).estimates
    place = PANEL.index("il-6")
    for name in ("estimate", "lower", "upper", "p_value", "mc_error", "draws"):
        assert_allclose(numbers(found[place])[name], numbers(beside)[name], rtol=1e-10)
    assert found[place].p_kind == "re-randomisation"


def test_a_trial_alone_gives_what_it_gives_among_others() -> None:
    data = levels(1.0)
    together = compared(data).estimates
    for trial in (0, 2):
        for estimate, expected in zip(compared(alone(data, trial)).estimates, together, strict=True):
            for name, values in numbers(estimate).items():
                assert_allclose(values[0], numbers(expected)[name][trial], rtol=1e-9)


def test_raw_and_adjusted_stand_side_by_side_in_results_and_in_the_table() -> None:
    data = dataclasses.replace(levels(1.5), trial=1)
    outcome = compared(data, scale="log2")
    results = tuple(result_of(estimate, data, ITEM, 1) for estimate in outcome.estimates)
    assert len({result.id for result in results}) == len(PANEL)
    kept = with_adjusted(model(), results)
    (table,) = outcome.tables
    for result, estimate, row in zip(kept, outcome.estimates, table.rows, strict=True):
        assert result.p_adjusted == numbers(estimate)["p_adjusted"][1] and result.p_value is not None
        assert result.p_adjusted >= result.p_value and result.draws == 999
        cells = dict(zip((column.id for column in table.columns), row, strict=True))
        assert (cells["parameter"], cells["p_adjusted"]) == (result.parameter, result.p_adjusted)
        assert (cells["draws"], cells["mc_error"]) == (999, result.mc_error)
        assert cells["smallest_p_value"] == pytest.approx(1 / 1000)
        assert isinstance(cells["draws"], int)


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_a_cytokine_all_below_its_limit_leaves_the_others_alone() -> None:
    data = levels(1.5)
    block = data.panel.blocks["cytokines"]
    shape = (*data.panel.present.shape, len(block.visits))
    low = with_levels(data, "il-6", np.full(shape, 2.0), np.full(shape, -1))
    for scale in ("log2", "normal-score"):
        found = compared(low, scale=scale).estimates
        place = PANEL.index("il-6")
        assert not (found[place].status == "ok").any()
        assert np.isnan(columns(found, "p_adjusted")[place]).all()
        others = tuple(estimate for estimate in found if estimate.parameter != "il-6")
        without = compared(data, scale=scale, parameters=tuple(name for name in PANEL if name != "il-6")).estimates
        assert_allclose(columns(others, "p_adjusted"), columns(without, "p_adjusted"))


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_a_baseline_all_below_its_limit_is_no_covariate() -> None:
    data = levels(1.5)
    block = data.panel.blocks["cytokines"]
    value, code = (part[..., 0].copy() for part in block.test("il-6"))
    value[:, :, 0], code[:, :, 0] = 2.0, -1
    low = with_levels(data, "il-6", value, code)
    (found,) = compared(low, scale="log2", parameters=("il-6",)).estimates
    (without,) = compared(low, scale="log2", parameters=("il-6",), baseline=None).estimates
    assert_array_equal(found.status, "ok")
    for name in ("estimate", "p_value", "lower"):
        assert_allclose(numbers(found)[name], numbers(without)[name])


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_an_empty_arm_a_level_of_zero_and_a_panel_that_nobody_has() -> None:
    data = levels()
    found = compared(emptied(data, 1)).estimates
    assert np.isnan(columns(found, "p_adjusted")).all() and np.isnan(columns(found, "estimate")).all()
    assert not any((estimate.status == "ok").any() for estimate in found)
    block = data.panel.blocks["cytokines"]
    shape = (*data.panel.present.shape, len(block.visits))
    nobody = data
    for name in PANEL:
        nobody = with_levels(nobody, name, np.full(shape, np.nan), np.zeros(shape, np.int8))
    for estimate in compared(nobody).estimates:
        assert all(text.startswith("nobody has a value") for text in estimate.status)
    value, code = (part[..., 0].copy() for part in block.test("il-10"))
    value[0, 0, block.visits.index("month-12")] = 0.0
    person = compared(with_levels(data, "il-10", value, code), scale="log2").estimates[PANEL.index("il-10")]
    assert "missing or infinite" in person.status[0] and (person.status[1:] == "ok").all()


def test_where_the_whole_set_is_known_each_p_value_alone_is_exact() -> None:
    """Eight people: every sequence is written out; adjusted p-values come from draws among them."""
    data = alone(levels(2.0), 0)
    protocol = dataclasses.replace(
        model(),
        authored=model().authored.model_copy(
            update={"randomisation": model().randomisation.model_copy(update={"participants": 8})}
        ),
    )
    panel = data.panel
    present = panel.present.copy()
    present[:, 8:] = False
    arm = np.where(present, np.tile([0, 1, 1, 0], 6)[: panel.participants], -1).astype(np.int8)
    status = np.where(present, panel.covariates["status"], 0.0)
    small = dataclasses.replace(
        panel,
        protocol=protocol,
        present=present,
        arm=arm,
        covariates=MappingProxyType({**panel.covariates, "status": status}),
    )
    sets = {name: flags & present for name, flags in data.sets.items()}
    found = compared(dataclasses.replace(data, panel=small, sets=MappingProxyType(sets)), draws=5000).estimates
    assert np.isnan(columns(found, "draws")).all() and (columns(found, "mc_error")[:, 0] == 0).all()
    alone_p, adjusted = columns(found, "p_value")[:, 0], columns(found, "p_adjusted")[:, 0]
    assert (adjusted >= alone_p).all() and (columns(found, "smallest_p_value") > 0.01).all()
    # One of the panel alone needs no adjustment: only the draws stand between the two.
    own = dataclasses.replace(data, panel=small, sets=MappingProxyType(sets))
    (single,) = compared(own, parameters=("il-6",), draws=5000).estimates
    assert single.extra["p_adjusted"][0] == pytest.approx(single.values["p_value"][0], abs=0.03)


@pytest.mark.requirement("RESULTS-BLINDED")
def test_a_blinded_run_has_no_test() -> None:
    outcome = compared(blinded(levels()))
    for estimate in outcome.estimates:
        assert_array_equal(estimate.status, BLINDED)
        assert not any(np.isfinite(values).any() for values in numbers(estimate).values())
        assert list(estimate.n) == ["pooled"]


@pytest.mark.requirement("ANALYSIS-PLAN")
@pytest.mark.parametrize(
    ("options", "more", "rules"),
    [
        ({}, {}, []),
        ({"parameters": ("nothing",)}, {}, ["known-parameter"]),
        ({"baseline": "nowhere"}, {}, ["known-baseline"]),
        ({"parameters": ("hba1c", "idaa1c")}, {}, []),
        ({"parameters": ("hba1c", "idaa1c"), "scale": "normal-score"}, {}, ["parameter-is-measured"]),
        ({}, {"family": "month-12"}, ["panel-in-family"]),
        ({}, {"estimand": "remission-12"}, ["summary-of-method"]),
    ],
)
def test_options_that_do_not_fit_are_refused(
    options: dict[str, object], more: dict[str, object], rules: list[str]
) -> None:
    given = panel_min_p.Options(**{"parameters": PANEL, "baseline": "efficacy", **options})
    found = panel_min_p.METHOD.objections(model(), ITEM.model_copy(update=more), given)
    assert [item.rule for item in found] == rules
