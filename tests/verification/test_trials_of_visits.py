"""The invented trials of repeated measures: their truth, their gaps, and the one case whose answer is known exactly."""

from __future__ import annotations

import numpy as np
import pytest

from verification.methods import ladder, mmrm
from verification.methods.trials_of_visits import LAST, SIZES, TRUTHS, VISITS, Setting, invented, missing

SOURCE = 20260508


@pytest.mark.parametrize("truth", TRUTHS)
def test_the_covariances_are_what_they_are_said_to_be(truth: str) -> None:
    sigma = TRUTHS[truth]
    np.testing.assert_allclose(sigma, sigma.T)
    assert sigma[LAST, LAST] == pytest.approx(1.0)
    assert np.linalg.eigvalsh(sigma)[0] > 0.02


def test_gaps_are_as_frequent_as_said() -> None:
    source = np.random.default_rng(SOURCE)
    values = source.standard_normal((40_000, VISITS)) @ np.linalg.cholesky(TRUTHS["drift"]).T
    assert not missing(values, "complete", source).any()
    np.testing.assert_allclose(missing(values, "missing-10", source).mean(axis=0), 0.10, atol=0.006)
    absent = missing(values, "drop-out-25", source)
    assert absent[:, 0].mean() == pytest.approx(0.05, abs=0.005)
    # A quarter has left, and one in twenty of the others has a gap there.
    assert absent[:, LAST].mean() == pytest.approx(1 - 0.75 * 0.95, abs=0.02)
    assert (np.diff(absent.mean(axis=0)) > 0.02).all()


def test_people_leave_by_what_was_seen_and_by_nothing_else() -> None:
    source = np.random.default_rng(SOURCE)
    values = source.standard_normal((60_000, VISITS))
    absent = missing(values, "drop-out-25", np.random.default_rng(1))
    both = ~absent[:, 0] & ~absent[:, 1]
    for t in range(2, VISITS):
        left = absent[both][:, t:].all(axis=1)
        own, before = values[both][:, t], values[both][:, 1]
        assert abs(own[left].mean() - own[~left].mean()) < 0.05
        if t == 2:
            assert before[left].mean() - before[~left].mean() > 0.2
    # What is not seen has no influence: other values in its place change nobody's gaps.
    hidden = np.where(absent, 9.0, values)
    np.testing.assert_array_equal(missing(hidden, "drop-out-25", np.random.default_rng(1)), absent)


@pytest.mark.parametrize("people", SIZES)
def test_with_complete_values_the_model_says_what_the_visit_alone_says(people: str) -> None:
    setting = Setting(people, 24, "drift", "complete")
    for trial in invented(setting, np.random.default_rng(SOURCE), 5):
        here = trial.visit == LAST
        arm = trial.arm[here].astype(float)
        covariates = trial.design.columns[here][:, [2 * VISITS + LAST, 3 * VISITS + LAST]]
        columns = np.column_stack([np.ones(len(arm)), arm, covariates])
        inverse = np.linalg.inv(columns.T @ columns)
        beta = inverse @ columns.T @ trial.y[here]
        residual = trial.y[here] - columns @ beta
        variance = residual @ residual / (len(arm) - 4) * inverse[1, 1]
        found = mmrm.analysed(trial)
        assert found["estimate"] == pytest.approx(beta[1], abs=1e-9)
        assert found["se"] == pytest.approx(np.sqrt(variance), rel=1e-8)
        assert found["kenward-roger-linear"] == pytest.approx(found["satterthwaite"], rel=1e-8)
        # The foils lie where they must: the normal rejects more, R's form of Kenward-Roger too.
        assert found["normal"] < found["residual"] < found["satterthwaite"]
        assert found["kenward-roger"] < found["kenward-roger-linear"]


def test_arms_sizes_and_coefficients() -> None:
    for people, effects in (("21", 24), ("21", 13), ("16", 24), ("16", 13)):
        trial = next(invented(Setting(people, effects, "slopes", "complete"), np.random.default_rng(1), 1))
        assert trial.design.columns.shape == (VISITS * sum(SIZES[people]), effects)
        assert tuple(np.bincount(trial.arm) // VISITS) == SIZES[people]


def test_the_ladder_names_the_rung_that_answered_and_a_lower_one_takes_over() -> None:
    found = ladder.climbed(Setting("16", 24, "drift", "drop-out-25"), np.random.default_rng(2), 12)
    assert ((found["p"] >= 0) & (found["p"] <= 1)).all()
    assert (found["rung"] > 0).any()
    counted = ladder.whole(found)
    assert sum(counted[f"on-{rung}"].hits for rung in ladder.RUNGS) == 12
    assert counted["rejects-on-us"].of + counted["rejects-below"].of == 12


def test_the_ratio_of_error_to_spread_and_its_own_error() -> None:
    source = np.random.default_rng(3)
    estimates, errors = source.normal(0, 2.0, 4000), source.uniform(0.9, 1.1, 4000)
    found = mmrm.spread(np.append(errors, np.nan), np.append(estimates, np.nan))
    assert found.value == pytest.approx(0.5, abs=0.02) and found.refused == 1
    assert found.error == pytest.approx(0.5 / np.sqrt(2 * 4000), rel=0.15)
