"""The ladder: which rung answers, what each one says, and that no arm has a voice in it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from equipoise.stats import Status, ancova_design, difference_weights, fit_least_squares
from equipoise.stats import contrast as least_squares_contrast
from equipoise.stats.mmrm import RUNGS, climb_down, contrast, fit_mmrm, visit_design
from tests.stats.mmrm.data import random_trial

LAST = np.eye(13)[11]


def unbounded(seeds=range(60)):
    """A trial whose unstructured likelihood has no maximum."""
    for seed in seeds:
        data = random_trial(seed, missing=0.25)
        if fit_mmrm(*data.args).status == Status.UNBOUNDED_LIKELIHOOD:
            return data
    raise AssertionError("no such trial")


def test_the_first_rung_answers_by_kenward_and_roger():
    data = random_trial(1)
    found = climb_down(*data.args, LAST, 5)
    assert (found.rung, found.tried, found.status) == ("us", (("us", Status.OK),), Status.OK)
    expected = contrast(fit_mmrm(*data.args), LAST, method="kenward-roger-linear")
    assert_allclose(found.contrast.p_value, expected.p_value)
    other = climb_down(*data.args, LAST, 5, method="satterthwaite")
    assert_allclose(other.contrast.p_value, contrast(fit_mmrm(*data.args), LAST, method="satterthwaite").p_value)


@pytest.mark.requirement("STATS-MMRM-UNBOUNDED", "STATS-MMRM-LADDER")
def test_without_a_maximum_the_random_slope_answers_robustly():
    data = unbounded()
    found = climb_down(*data.args, LAST, 5)
    assert found.rung == "ris"
    assert found.tried == (("us", Status.UNBOUNDED_LIKELIHOOD), ("ris", Status.OK))
    assert found.fit.structure == "ris"
    expected = contrast(fit_mmrm(*data.args, structure="ris"), LAST, method="cr2")
    assert_allclose([found.contrast.estimate, found.contrast.df], [expected.estimate, expected.df])


@pytest.mark.requirement("STATS-MMRM-LADDER")
def test_every_rung_is_tried_in_turn(monkeypatch):
    data = unbounded()
    monkeypatch.setattr("equipoise.stats.mmrm.optimise.STEPS", 0)
    found = climb_down(*data.args, LAST, 5)
    assert tuple(rung for rung, _ in found.tried) == RUNGS
    assert all(status != Status.OK for _, status in found.tried[:-1])
    assert (found.rung, found.fit, found.status) == ("ancova", None, Status.OK)


def test_the_last_rung_is_the_analysis_of_covariance_at_the_visit():
    data = random_trial(3, missing=0.1)
    found = climb_down(*data.args, LAST, 5, rungs=("ancova",)).contrast
    here = (data.visit == 5) & data.seen
    design = ancova_design(data.arm[here][None], data.baseline[here][None, :, None], 2)
    fit = fit_least_squares(data.y[here][None], design, np.ones((1, here.sum()), dtype=bool))
    expected = least_squares_contrast(fit, difference_weights(1, 0, 3))
    for name in ("estimate", "standard_error", "df", "lower", "upper", "p_value", "status"):
        assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-9, err_msg=name)


@pytest.mark.requirement("STATS-MMRM-LADDER")
def test_the_rungs_do_not_see_an_effect():
    for seed in range(6):
        data = random_trial(seed, missing=0.22)
        moved = data.with_(y=data.y + 3.0 * data.arm * (1 + data.visit))
        before, after = (climb_down(*each.args, LAST, 5) for each in (data, moved))
        assert after.tried == before.tried
        assert_allclose(after.contrast.estimate - before.contrast.estimate, 18.0, rtol=1e-6)
        assert_allclose(after.contrast.standard_error, before.contrast.standard_error, rtol=1e-6)


@pytest.mark.requirement("STATS-MMRM-STATUS")
def test_a_visit_with_one_arm_is_named_and_the_others_still_answer():
    data = random_trial(2)
    y = np.where((data.visit == 2) & (data.arm == 1), np.nan, data.y)
    design = visit_design(y, data.arm, data.subject, data.visit, arms=2, visits=6, plain=data.baseline[:, None])
    rest = (y, design.columns, data.subject, data.visit)
    found = climb_down(*rest, design.differences(1)[5], 5, filled=design.filled)
    assert found.rung == "ancova"
    assert {status for _, status in found.tried[:-1]} == {Status.ONE_ARM_VISIT}
    lost = climb_down(*rest, design.differences(1)[2], 2, filled=design.filled)
    assert lost.status == Status.ONE_ARM_VISIT
    assert np.isnan(lost.contrast.p_value[0])


def test_the_last_rung_says_why_it_fails():
    data = random_trial(2, missing=0.0)
    nobody = np.where(data.visit == 5, np.nan, data.y)
    few = np.where((data.visit == 5) & (data.subject > 2), np.nan, data.y)
    flat = np.where((data.visit == 5) & data.seen, 3.0, data.y)
    X = data.X.copy()
    X[(data.visit == 5) & data.seen, 12] = np.inf
    for changed, status in (
        (data.with_(y=nobody), Status.NO_OBSERVATIONS),
        (data.with_(y=few), Status.TOO_FEW_OBSERVATIONS),
        (data.with_(y=flat), Status.CONSTANT_OUTCOME),
        (data.with_(X=X), Status.NOT_FINITE),
    ):
        found = climb_down(*changed.args, LAST, 5, rungs=("ancova",))
        assert found.status == status
        assert np.isnan(found.contrast.p_value[0])
    with pytest.raises(ValueError, match="rung"):
        climb_down(*data.args, LAST, 5, rungs=())
