"""What stands for a result beyond a limit, on either side; who counts in a censored fit; where carried values begin."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from equipoise.analysis.derivations.carried import DERIVATION as CARRIED
from equipoise.analysis.derivations.measured import nanmean
from equipoise.analysis.derivations.measured import numbers as standing_for
from equipoise.analysis.methods import censored_longitudinal, detectable
from equipoise.analysis.methods.quantified import MOSTLY_CENSORED
from equipoise.protocol.load import load_protocol
from equipoise.protocol.schema.measurement import Quantification
from equipoise.records.panel import EXACT, LEFT, RIGHT
from tests.analysis.one_trial import alone, analysis, trials, with_levels, with_panel

TEST = "il-6"
MODEL = analysis("censored-longitudinal", "cytokine-balance-12")
OR_NOT = analysis("detectable", "cytokine-balance-12")


@pytest.mark.requirement("ANALYSIS-LIMITS")
@pytest.mark.parametrize(
    ("below", "option", "left"),
    [
        ("half", None, 1.0),
        ("limit", None, 2.0),
        ("zero", None, 0.0),
        ("censored", None, 2.0),
        ("half", "zero", 0.0),
        ("zero", "half", 1.0),
        ("censored", "limit", 2.0),
    ],
)
def test_a_result_below_the_limit_has_the_number_of_the_rule_and_one_above_it_the_limit(
    below: str, option: str | None, left: float
) -> None:
    protocol = load_protocol("msc-t1d")
    test = next(t for t in protocol.assessment("cytokines").tests if t.id == TEST)
    test = test.model_copy(update={"quantification": Quantification(lower=2.0, upper=8.0, unit=test.unit, below=below)})
    values, sides = np.array([2.0, 8.0, 5.0, np.nan]), np.array([LEFT, RIGHT, EXACT, EXACT])
    assert_array_equal(standing_for(values, sides, test, option), [left, 8.0, 5.0, np.nan])
    without = test.model_copy(update={"quantification": None})
    assert_array_equal(standing_for(values, sides, without, None), [2.0, 8.0, 5.0, np.nan])


def test_the_mean_of_what_is_there() -> None:
    found = nanmean(np.array([[1.0, 2.0, 6.0], [np.nan, 4.0, 5.0], [np.nan, 7.0, np.nan], [np.nan] * 3]))
    assert_array_equal(found, [3.0, 4.5, 7.0, np.nan])


def example(sides: tuple[int, ...]):
    """One trial in which, of the first people of each arm, the levels at month 12 are as the sides say."""
    data = alone(trials(), 0)
    block = data.panel.blocks["cytokines"]
    source = np.random.default_rng(8)
    level = np.exp2(source.normal(3, 0.5, (1, data.panel.participants, len(block.visits))))
    code = np.zeros(level.shape, np.int8)
    place = block.visits.index("month-12")
    for arm in (0, 1):
        people = np.flatnonzero(data.panel.arm[0] == arm)[: len(sides)]
        for person, side in zip(people, sides, strict=True):
            code[0, person, place] = side
            level[0, person, place] = {LEFT: 2.0, RIGHT: 40.0, EXACT: level[0, person, place]}[side]
    return with_levels(data, TEST, level, code)


def modelled(data, **options: object):
    given = censored_longitudinal.Options(**{"baseline": "efficacy", "parameters": (TEST,), **options})
    (estimate,) = censored_longitudinal.METHOD.run(data, MODEL, given).estimates
    return estimate


@pytest.mark.requirement("ANALYSIS-LIMITS")
def test_levels_above_the_limit_are_known_to_be_above_and_not_to_be_the_limit() -> None:
    """With 4 of each arm above 40, the fitted means do not depend on where above it they are taken to be censored.

    Moving all levels and limits by a factor moves no contrast of logarithms; taking the limit for the level does.
    """
    sides = (RIGHT,) * 4
    censored = modelled(example(sides))
    assert censored.status[0] == "ok"
    block = example(sides).panel.blocks["cytokines"]
    value, code = block.test(TEST)
    twice = modelled(with_levels(example(sides), TEST, 2 * value[..., 0], code[..., 0]))
    np.testing.assert_allclose(twice.values["estimate"], censored.values["estimate"], atol=1e-6)
    np.testing.assert_allclose(twice.values["standard_error"], censored.values["standard_error"], rtol=1e-5)
    exact = modelled(with_levels(example(sides), TEST, value[..., 0], np.zeros_like(code[..., 0])))
    assert exact.status[0] == "ok"
    # Mirrored, what lies above lies below: the same numbers with the other sign.
    mirrored = modelled(with_levels(example(sides), TEST, 64 / value[..., 0], -code[..., 0]))
    np.testing.assert_allclose(mirrored.values["estimate"], -censored.values["estimate"], atol=1e-6)
    np.testing.assert_allclose(mirrored.values["standard_error"], censored.values["standard_error"], rtol=1e-5)
    # Read as 40 where only "above 40" is known, four people of each arm would agree to the last digit.
    assert exact.values["standard_error"][0] != pytest.approx(censored.values["standard_error"][0], rel=0.01)


@pytest.mark.requirement("ANALYSIS-LIMITS")
def test_values_beyond_either_limit_count_towards_the_half_that_is_too_many() -> None:
    data = alone(trials(), 0)
    fewest = min(int((data.panel.arm[0] == arm).sum()) for arm in (0, 1))
    some = fewest // 2 + 2
    sides = tuple(LEFT if place % 2 else RIGHT for place in range(some))
    assert modelled(example(sides)).status[0] == MOSTLY_CENSORED
    assert modelled(example(sides[: fewest // 4])).status[0] == "ok"


@pytest.mark.requirement("ANALYSIS-LIMITS")
def test_the_n_of_a_censored_fit_are_those_with_a_level_and_every_covariate() -> None:
    data = example((LEFT, RIGHT, EXACT))
    block = data.panel.blocks["cytokines"]
    value, code = (part[..., 0].copy() for part in block.test(TEST))
    place = block.visits.index("month-12")
    arms = [np.flatnonzero(data.panel.arm[0] == arm) for arm in (0, 1)]
    value[0, arms[0][3:5], place] = np.nan  # two of group a have no level
    age = data.panel.covariates["age_years"].copy()
    age[0, arms[0][4:6]] = np.nan  # of one of them and of another the age is not known
    age[0, arms[1][5]] = np.nan
    data = with_panel(with_levels(data, TEST, value, code), covariates={**data.panel.covariates, "age_years": age})
    members = data.sets["randomised"][0]
    size = [int(members[people].sum()) for people in arms]
    for covariates, missing in (((), (2, 0)), (("age_years",), (3, 1))):
        found = modelled(data, covariates=covariates)
        assert [int(found.n[arm][0]) for arm in ("group-a", "group-b")] == [size[0] - missing[0], size[1] - missing[1]]
        assert [int(found.missing[arm][0]) for arm in ("group-a", "group-b")] == list(missing)


@pytest.mark.requirement("ANALYSIS-LIMITS")
def test_a_level_above_the_limit_is_detectable() -> None:
    data = example((LEFT, LEFT, LEFT, RIGHT, RIGHT))
    found, *_ = detectable.METHOD.run(data, OR_NOT, detectable.Options(parameters=(TEST,))).estimates
    members = data.sets["randomised"][0]
    people = [int(members[data.panel.arm[0] == arm].sum()) for arm in (0, 1)]
    shares = [(size - 3) / size for size in people]
    assert found.values["estimate"][0] == pytest.approx(shares[0] - shares[1], abs=1e-12)


@pytest.mark.requirement("ANALYSIS-CARRIED")
def test_values_are_measured_from_the_baseline_on_and_not_before() -> None:
    protocol = load_protocol("cdisc-pilot")
    options = CARRIED.options(parameter="x", baseline="efficacy")
    at = frozenset({"screening", "baseline", "week-8", "week-24"})
    assert CARRIED.measured(protocol, options, {"x": at}) == at - {"screening"}
    assert CARRIED.measured(protocol, options, {"x": frozenset({"screening"})}) == frozenset()
    assert CARRIED.measured(protocol, options, {}) == frozenset()
