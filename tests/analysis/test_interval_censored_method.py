"""Loss that is found at visits, in a trial: who is at risk, which interval is whose, the table, odd trials; peaks."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from equipoise.analysis.data import AnalysisData, DerivationData
from equipoise.analysis.derivations import peak
from equipoise.analysis.estimates import BLINDED, Estimate, result_of
from equipoise.analysis.methods import interval_censored
from equipoise.analysis.methods.interval_censored import NO_RATIO
from equipoise.analysis.registry import Outcome
from equipoise.stats.interval_censored import fit_interval_censored, hazard_contrast, likelihood_ratio_p
from tests.analysis.one_trial import (
    alone,
    analysis,
    blinded,
    emptied,
    model,
    trials,
    with_panel,
    with_parameter,
)

NAN = float("nan")
ITEM = analysis("interval-censored", "hypoglycaemia-12")
VISITS = ("month-3", "month-6", "month-12")
PARAMETER, LIMIT = "cpeptide-auc", 0.2


def values_of(data: AnalysisData, course: np.ndarray) -> AnalysisData:
    """Values (R, n, 4) at baseline and the three visits; everybody is in the set and has an arm."""
    values = np.full_like(data.parameters[PARAMETER], np.nan)
    places = [data.panel.visit_index(visit) for visit in ("baseline", *VISITS)]
    values[:, :, places] = course
    return with_parameter(data, PARAMETER, values)


def lost(seed: int = 1, ratio: float = 0.4) -> AnalysisData:
    """Values fall below the threshold at hazards that are `ratio` times as high in group a; visits are missed."""
    data = trials(6)
    source = np.random.default_rng(seed)
    shape = data.panel.present.shape
    time = source.exponential(1.5, shape) / np.where(data.panel.arm == 0, ratio, 1.0)
    course = np.stack([np.where(time < visit, 0.1, 0.5) for visit in (0, 1, 2, 3)], axis=2)
    gone = source.random(course.shape) < 0.15
    gone[:, :, 0] = False
    return values_of(data, np.where(gone, np.nan, course))


def compared(data: AnalysisData, **options: object) -> Outcome:
    given = {"parameter": PARAMETER, "below": LIMIT, "baseline": "efficacy", "visits": VISITS, **options}
    return interval_censored.METHOD.run(data, ITEM, interval_censored.Options(**given))


def estimated(data: AnalysisData, **options: object) -> Estimate:
    (estimate,) = compared(data, **options).estimates
    return estimate


def intervals(course: np.ndarray) -> tuple[int, int] | None:
    """By hand: the last visit without and the first with a loss of one person; None for one who tells nothing."""
    if np.isnan(course[0]) or course[0] < LIMIT or np.isnan(course[1:]).all():
        return None
    last = 0
    for visit, value in enumerate(course[1:], 1):
        if value < LIMIT:
            return last, visit
        if not np.isnan(value):
            last = visit
    return last, -1


@pytest.mark.requirement("ANALYSIS-PLAN")
def test_the_hazard_ratio_is_that_of_the_library_on_intervals_made_by_hand() -> None:
    data = lost()
    found = estimated(data, covariates=("age_years",))
    places = [data.panel.visit_index(visit) for visit in ("baseline", *VISITS)]
    course = data.parameters[PARAMETER][:, :, places]
    known = [[intervals(person) for person in trial] for trial in course]
    last, first = (
        np.array([[0 if each is None else each[part] for each in trial] for trial in known]) for part in (0, 1)
    )
    included = data.sets["randomised"] & np.array([[each is not None for each in trial] for trial in known])
    first[~included] = -1
    arm, age = (data.panel.arm == 0).astype(float), data.panel.covariates["age_years"]
    both = np.stack([arm, age], axis=2)
    fit, without = (fit_interval_censored(last, first, x, included, intervals=3) for x in (both, age[..., None]))
    expected = hazard_contrast(fit, np.array([1.0, 0.0]))
    assert (found.status == "ok").sum() >= 4
    for name in ("estimate", "standard_error", "lower", "upper"):
        assert_allclose(found.values[name], getattr(expected, name), rtol=1e-9)
    assert_allclose(found.values["p_value"], likelihood_ratio_p(fit, without), rtol=1e-9)
    assert found.events is not None
    for arm_id, code in (("group-a", 0), ("group-b", 1)):
        mine = included & (data.panel.arm == code)
        assert_array_equal(found.n[arm_id], mine.sum(axis=1))
        assert_array_equal(found.events[arm_id], (mine & (first > 0)).sum(axis=1))
    result = result_of(found, data, ITEM, 0)
    assert (result.scale, result.unit, result.p_kind) == ("log", "ln hazard ratio", "model")


def test_an_effect_on_the_hazard_is_found() -> None:
    ratios = np.concatenate([estimated(lost(seed, ratio=0.3)).values["estimate"] for seed in range(10)])
    assert np.nanmedian(ratios) == pytest.approx(np.log(0.3), abs=0.5)


def test_the_table_counts_people_by_visit_and_arm() -> None:
    """Group a: lost at month 3; lost between 3 and 12, month 6 missed; never lost; lost before any treatment."""
    data = alone(trials(6), 0)
    course = np.full((1, data.panel.participants, 4), NAN)
    early, late = (np.flatnonzero(data.sets["randomised"][0] & (data.panel.arm[0] == code)) for code in (0, 1))
    course[0, early[:4]] = [[0.5, 0.1, 0.1, 0.1], [0.5, 0.5, NAN, 0.1], [0.5, 0.5, 0.5, 0.5], [0.1, 0.1, 0.1, 0.1]]
    course[0, late[:3]] = [[0.5, 0.5, 0.5, NAN], [0.5, 0.3, 0.1, 0.5], [NAN, 0.5, 0.5, 0.5]]
    outcome = compared(values_of(data, course))
    (table,) = outcome.tables
    assert [column.id for column in table.columns[:2]] == ["visit", "arm"]
    rows = {tuple(row[:2]): row[2:] for row in table.rows}
    # Not lost before: seen, without a value; found lost here, so far; share without loss.
    assert rows["month-3", "group-a"] == (3, 0, 1, 1, pytest.approx(2 / 3))
    assert rows["month-6", "group-a"] == (1, 1, 0, 1, pytest.approx(2 / 3))
    assert rows["month-12", "group-a"] == (2, 0, 1, 2, pytest.approx(1 / 3))
    assert rows["month-3", "group-b"] == (2, 0, 0, 0, 1.0)
    # Lost at month 6 and above the threshold again: the loss is for good.
    assert rows["month-6", "group-b"] == (2, 0, 1, 1, pytest.approx(1 / 2))
    assert rows["month-12", "group-b"] == (0, 1, 0, 1, pytest.approx(1 / 2))
    (estimate,) = outcome.estimates
    assert estimate.events == {"group-a": [2], "group-b": [1]}
    assert estimate.n == {"group-a": [3], "group-b": [2]}


def test_a_trial_alone_gives_what_it_gives_among_others() -> None:
    data = lost()
    together = estimated(data)
    for trial in (0, 4):
        one = alone(data, trial)
        found = estimated(one)
        for name, values in found.values.items():
            assert_allclose(values[0], together.values[name][trial], rtol=1e-8)
        assert compared(one).tables == compared(dataclasses.replace(data, trial=trial)).tables


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_nobody_lost_everybody_lost_an_empty_arm_and_no_values() -> None:
    data = trials(6)
    shape = (*data.panel.present.shape, 4)
    never = estimated(values_of(data, np.full(shape, 0.5)))
    assert all(text.startswith("neither arm has an event") for text in never.status)
    assert np.isnan(never.values["estimate"]).all() and never.events is not None and not never.events["group-a"].any()
    at_once = np.full(shape, 0.1)
    at_once[:, :, 0] = 0.5
    at_once[:, :, 1] = np.where(data.panel.arm == 0, 0.1, 0.5)
    assert np.isfinite(estimated(values_of(data, at_once)).values["lower"]).sum() == 0
    one_arm = np.full(shape, 0.5)
    one_arm[:, :, 2:] = np.where(data.panel.arm == 0, 0.5, 0.1)[..., None]
    assert_array_equal(estimated(values_of(data, one_arm)).status, NO_RATIO)
    assert all(
        text.startswith("something that the model adjusts for is the same for everyone")
        for text in estimated(emptied(lost(), 1)).status
    )
    nobody = compared(values_of(data, np.full(shape, NAN)))
    assert all(text.startswith("nobody has a value") for text in nobody.estimates[0].status)
    assert all(row[2:] == (0, 0, 0, 0, None) for row in nobody.tables[0].rows)


@pytest.mark.requirement("RESULTS-BLINDED")
def test_a_blinded_run_has_a_pooled_table_only() -> None:
    outcome = compared(blinded(lost()))
    (estimate,) = outcome.estimates
    assert_array_equal(estimate.status, BLINDED)
    assert not any(np.isfinite(values).any() for values in estimate.values.values()) and estimate.events is None
    assert {row[1] for row in outcome.tables[0].rows} == {"pooled"}
    assert sum(int(row[4]) for row in outcome.tables[0].rows) > 3


@pytest.mark.requirement("ANALYSIS-PLAN")
@pytest.mark.parametrize(
    ("options", "rules"),
    [
        ({}, []),
        ({"baseline": "nowhere"}, ["known-baseline"]),
        ({"visits": ("month-3", "never", "month-12")}, ["known-visit"]),
        ({"visits": ("month-3", "month-6")}, ["visits-in-order"]),
        ({"visits": ("month-6", "month-3", "month-12")}, ["visits-in-order"]),
        ({"visits": ("baseline", "month-12")}, ["visits-in-order"]),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, object], rules: list[str]) -> None:
    given = {"parameter": PARAMETER, "below": LIMIT, "baseline": "efficacy", "visits": VISITS, **options}
    found = interval_censored.METHOD.objections(model(), ITEM, interval_censored.Options(**given))
    assert [item.rule for item in found] == rules


@pytest.mark.requirement("ANALYSIS-PLAN")
def test_another_summary_is_refused() -> None:
    given = interval_censored.Options(parameter=PARAMETER, below=LIMIT, baseline="efficacy", visits=VISITS)
    other = ITEM.model_copy(update={"estimand": "remission-12"})
    assert [item.rule for item in interval_censored.METHOD.objections(model(), other, given)] == ["summary-of-method"]


# The peak of a test


def peaks(data: AnalysisData, **options: object) -> np.ndarray:
    given = peak.Options(**{"source": "mmtt.cpeptide", "from": 0, "to": 120, **options})
    parameter = model().parameter("cpeptide-auc")
    return peak.DERIVATION.derive(DerivationData(data.panel, MappingProxyType({})), parameter, given)


def with_curve(curve: list[float], below: bool = False) -> AnalysisData:
    """One curve of C-peptide for everybody, at every meal test."""
    data = trials()
    block = data.panel.blocks["mmtt"]
    place = block.tests.index("cpeptide")
    value, censored = block.value.copy(), np.zeros_like(block.censored)
    value[..., place] = curve
    censored[..., place] = -1 if below else 0
    blocks = {**data.panel.blocks, "mmtt": dataclasses.replace(block, value=value, censored=censored)}
    return with_panel(data, blocks=MappingProxyType(blocks))


@pytest.mark.requirement("ANALYSIS-TRANSFORMS")
def test_a_peak_is_the_largest_value_of_the_stretch() -> None:
    minutes = model().assessment("mmtt").minutes
    rising = [float(minute + 20) for minute in minutes]
    at = trials().panel.visit_index("month-6")
    assert minutes[-1] == 120 and minutes[0] < 0
    assert_array_equal(peaks(with_curve(rising))[:, :, at], 140.0)
    assert_array_equal(peaks(with_curve(rising[::-1]))[:, :, at], rising[::-1][minutes.index(0)])
    assert_array_equal(peaks(with_curve(rising), to=90)[:, :, at], 110.0)
    assert np.isnan(peaks(with_curve(rising))[:, :, trials().panel.visit_index("month-9")]).all()
    gaps = [NAN if minute in (60, 120) else value for minute, value in zip(minutes, rising, strict=True)]
    assert np.isnan(peaks(with_curve(gaps))).all()
    assert_array_equal(peaks(with_curve(gaps), missing=2)[:, :, at], 110.0)
    assert_array_equal(peaks(with_curve([0.02] * len(minutes), below=True))[:, :, at], 0.01)


@pytest.mark.requirement("ANALYSIS-PLAN")
def test_a_peak_is_measured_where_the_whole_stretch_is_planned_and_refuses_others() -> None:
    protocol, parameter = model(), model().parameter("cpeptide-auc")
    good = peak.Options(**{"source": "mmtt.cpeptide", "from": 0, "to": 120})
    assert "month-12" in peak.DERIVATION.measured(protocol, good, {})
    assert not list(peak.DERIVATION.objections(protocol, parameter, good))
    for options, rule in (
        ({"source": "mmtt.nothing"}, "known-test"),
        ({"to": 121}, "minute-measured"),
        ({"from": 120, "to": 0}, "peak-length"),
        ({"source": "mmtt.glucose"}, "parameter-unit"),
    ):
        wrong = peak.Options(**{"source": "mmtt.cpeptide", "from": 0, "to": 120, **options})
        assert rule in [item.rule for item in peak.DERIVATION.objections(protocol, parameter, wrong)]
