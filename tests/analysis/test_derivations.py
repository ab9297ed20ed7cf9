"""Derivations against values worked out by hand or by another program."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.integrate import trapezoid

from equipoise.analysis.derivations.auc import mean_level
from equipoise.analysis.derive import analysis_sets, derive
from equipoise.analysis.plan import plan
from equipoise.protocol.load import load_protocol
from equipoise.records.from_panel import to_records
from equipoise.records.from_records import to_panel
from tests.records.panels import make_panel

MINUTES = np.array([0.0, 15.0, 30.0, 60.0, 90.0, 120.0])


@pytest.mark.requirement("ANALYSIS-AUC")
@given(arrays.arrays(np.float64, (3, 6), elements=st.floats(0, 50)))
def test_a_complete_curve_agrees_with_scipy(curve: np.ndarray) -> None:
    assert mean_level(MINUTES, curve, 0) == pytest.approx(
        trapezoid(curve, MINUTES, axis=-1) / 120, rel=1e-12, abs=1e-300
    )


def test_one_missing_interior_point_is_bridged_by_a_straight_line() -> None:
    curve = np.array([1.0, 2.0, np.nan, 4.0, 5.0, 6.0])
    filled = curve.copy()
    filled[2] = 2 + (4 - 2) * (30 - 15) / (60 - 15)
    assert mean_level(MINUTES, curve, 1) == pytest.approx(trapezoid(filled, MINUTES) / 120)
    assert np.isnan(mean_level(MINUTES, curve, 0))


@pytest.mark.parametrize("hole", [0, 5])
def test_an_end_is_never_bridged(hole: int) -> None:
    curve = np.arange(6.0)
    curve[hole] = np.nan
    assert np.isnan(mean_level(MINUTES, curve, 3))


def test_two_missing_points_are_too_many_for_one() -> None:
    curve = np.array([1.0, np.nan, 2.0, np.nan, 3.0, 4.0])
    assert np.isnan(mean_level(MINUTES, curve, 1))
    assert not np.isnan(mean_level(MINUTES, curve, 2))


def test_a_curve_that_ends_early_is_averaged_to_its_last_point_only_where_asked() -> None:
    curve = np.array([1.0, 2.0, 3.0, np.nan, np.nan, np.nan])
    assert np.isnan(mean_level(MINUTES, curve, 1))
    assert mean_level(MINUTES, curve, 1, to_last=True) == pytest.approx(2.0)
    assert np.isnan(mean_level(MINUTES, np.array([1.0, *[np.nan] * 5]), 1, to_last=True))


@pytest.mark.requirement("ANALYSIS-AUC", "ANALYSIS-TRANSFORMS")
def test_derived_parameters_follow_their_definitions() -> None:
    protocol = load_protocol("t1dal")
    panel = make_panel(protocol, 5, seed=11, missing=0.0, awkward=False)
    values = derive(plan(protocol), panel)
    block = panel.blocks["mmtt"]
    minutes = list(block.minutes)
    raw = np.where(block.censored[..., 0] == -1, block.value[..., 0] / 2, block.value[..., 0])[0]
    start = (raw[..., minutes.index(-10)] + raw[..., minutes.index(0)]) / 2
    curve = np.concatenate([start[..., None], raw[..., minutes.index(15) : minutes.index(120) + 1]], axis=-1)
    expected = trapezoid(curve, MINUTES, axis=-1) / 120
    assert values["cpeptide-auc-2h"][0] == pytest.approx(expected, rel=1e-12)
    auc, log = values["cpeptide-auc-2h"][0], values["ln-auc-2h"][0]
    positive = auc > -0.99
    assert 5 < positive.sum() < positive.size, "the values lie on both sides of -1"
    assert log[positive] == pytest.approx(np.log(auc[positive] + 1), rel=1e-12)
    assert np.isnan(log[auc < -1]).all()
    assert np.isnan(values["cpeptide-auc-4h"][0, :, [1, 3]]).all(), "weeks 24 and 78 are two-hour tests"
    change = values["change-auc-2h"][0]
    assert np.isnan(change[:, 0]).all(), "there is no change at baseline"
    completed = values["cpeptide-auc-2h-completed"][0]
    assert change[:, 2] == pytest.approx(completed[:, 2] - completed[:, 0], rel=1e-12)


def test_derivations_work_on_many_trials_as_on_one() -> None:
    protocol = load_protocol("t1dal")
    panels = [make_panel(protocol, 4, seed=seed, missing=0.2, awkward=False) for seed in (1, 2, 3)]
    stacked = _stacked(panels)
    together = derive(plan(protocol), stacked)
    sets = analysis_sets(stacked, together)
    for trial, panel in enumerate(panels):
        alone = derive(plan(protocol), panel)
        for name, values in alone.items():
            np.testing.assert_array_equal(values[0], together[name][trial])
        for name, members in analysis_sets(panel, alone).items():
            np.testing.assert_array_equal(members[0], sets[name][trial])


def _stacked(panels: list) -> object:
    """Panels of one trial each as one Panel of several (findings and covariates; the rest of the first)."""
    import dataclasses

    first = panels[0]
    blocks = {
        name: dataclasses.replace(
            block,
            **{
                part: np.concatenate([getattr(p.blocks[name], part) for p in panels])
                for part in ("value", "censored", "day", "asked")
            },
        )
        for name, block in first.blocks.items()
    }
    return dataclasses.replace(
        first,
        present=np.concatenate([p.present for p in panels]),
        arm=np.concatenate([p.arm for p in panels]),
        covariates={name: np.concatenate([p.covariates[name] for p in panels]) for name in first.covariates},
        visit_day=np.concatenate([p.visit_day for p in panels]),
        visit_status=np.concatenate([p.visit_status for p in panels]),
        supplied={name: np.concatenate([p.supplied[name] for p in panels]) for name in first.supplied},
        blocks=blocks,
    )


@pytest.mark.requirement("ANALYSIS-SETS")
def test_sets_do_not_depend_on_arms() -> None:
    protocol = load_protocol("t1dal")
    panel = make_panel(protocol, 5, seed=4, missing=0.2, awkward=False)
    records, _ = to_records(panel)
    blinded = to_panel(records)
    for name, members in analysis_sets(panel, derive(plan(protocol), panel)).items():
        np.testing.assert_array_equal(members, analysis_sets(blinded, derive(plan(protocol), blinded))[name])
