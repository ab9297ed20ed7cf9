"""What the front door does not guess: the order of visits, their distances, empty visits and empty cells."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose

import equipoise
from equipoise.errors import InputError
from equipoise.stats.mmrm import implied
from equipoise.stats.status import Status
from tests.formula.data import invented

WEEKS = ["Week 4", "Week 8", "Week 12", "Week 24"]
MODEL = "y ~ arm * AVISIT + {}(AVISIT | id)"
ORDERED = ("ar1", "ar1h", "toep", "toeph")
FREE = ("us", "cs", "csh")
NUMBERS = ("estimate", "standard_error", "df", "statistic", "p_value")


def trial(seed=1, people=60, weeks=WEEKS):
    """Visits of text; the arms alternate, and the correlation of neighbours is 0.7."""
    source, T = np.random.default_rng(seed), len(weeks)
    e = np.zeros((people, T))
    e[:, 0] = source.normal(size=people)
    for t in range(1, T):
        e[:, t] = 0.7 * e[:, t - 1] + np.sqrt(1 - 0.49) * source.normal(size=people)
    arm = np.arange(people) % 2
    y = e + arm[:, None] * np.linspace(0.1, 0.6, T)
    y[source.random(y.shape) < 0.15] = np.nan
    return pl.DataFrame(
        {
            "id": np.repeat(np.arange(people), T),
            "arm": np.repeat(np.where(arm == 1, "active", "placebo"), T),
            "AVISIT": np.tile(weeks, people),
            "week": np.tile([float(week.split()[1]) for week in weeks], people),
            "y": y.ravel(),
        }
    )


def in_order(frame, weeks=WEEKS):
    return frame.with_columns(pl.col("AVISIT").cast(pl.Enum(weeks)))


def the_same(found, expected, rtol=1e-9):
    assert found.terms == expected.terms
    assert found.visits == expected.visits
    assert_allclose(found.deviance, expected.deviance, rtol=1e-11)
    for name in NUMBERS:
        assert_allclose(found.coefficients[name], expected.coefficients[name], rtol=rtol, err_msg=name)


# ---- the order of visits


@pytest.mark.requirement("FORMULA-ORDER")
@pytest.mark.parametrize("name", ORDERED)
@pytest.mark.parametrize("pandas", [False, True])
def test_visits_of_text_are_refused_where_their_order_decides(name, pandas):
    frame = pd.DataFrame(trial().to_dict(as_series=False)) if pandas else trial()
    with pytest.raises(InputError, match=r"depends on the order of the visits, and text has none") as refused:
        equipoise.mmrm(MODEL.format(name), frame)
    (problem,) = refused.value.problems
    assert problem.rule == "formula-order"
    assert "Week 12, Week 24, Week 4, Week 8" in problem.message
    assert "visits=[…]" in problem.remedy and "Enum" in problem.remedy
    given = equipoise.mmrm(MODEL.format(name), frame, visits=WEEKS)
    the_same(given, equipoise.mmrm(MODEL.format(name), in_order(trial())))


@pytest.mark.requirement("FORMULA-ORDER")
def test_the_full_adjustment_of_kenward_and_roger_needs_the_order_too():
    formula = MODEL.format("us")
    with pytest.raises(InputError, match="full adjustment depends on the order") as refused:
        equipoise.mmrm(formula, trial(), method="kenward-roger")
    assert "kenward-roger-linear" in refused.value.problems[0].remedy
    ordered = equipoise.mmrm(formula, in_order(trial()), method="kenward-roger")
    the_same(equipoise.mmrm(formula, trial(), method="kenward-roger", visits=WEEKS), ordered)
    # The order is no matter of taste: in that of the alphabet the standard errors are others.
    alphabet = equipoise.mmrm(formula, in_order(trial(), sorted(WEEKS)), method="kenward-roger")
    rows = [
        fit.lsmeans(("arm", "AVISIT"), compare="arm").filter(pl.col("AVISIT") == "Week 24")["standard_error"][0]
        for fit in (ordered, alphabet)
    ]
    assert abs(rows[0] / rows[1] - 1) > 0.001


@pytest.mark.requirement("FORMULA-ORDER")
@pytest.mark.parametrize("name", FREE)
def test_where_no_number_depends_on_it_the_order_used_is_told(name):
    text = equipoise.mmrm(MODEL.format(name), trial())
    ordered = equipoise.mmrm(MODEL.format(name), in_order(trial()))
    means = [fit.lsmeans(("arm", "AVISIT"), compare="arm").sort("AVISIT", "contrast") for fit in (text, ordered)]
    factor = [
        frame.with_columns(pl.col("estimate") * pl.when(pl.col("contrast") == "placebo - active").then(1).otherwise(-1))
        for frame in means
    ]
    assert_allclose(factor[0]["estimate"], factor[1]["estimate"], rtol=1e-7)
    assert_allclose(means[0]["p_value"], means[1]["p_value"], rtol=1e-5)
    assert "Visits       Week 12 < Week 24 < Week 4 < Week 8 (in alphabetical order)" in str(text)
    assert "Week 12 < Week 24 < Week 4 < Week 8" in repr(text)
    assert "arm active (first in alphabetical order); AVISIT Week 12 (first in alphabetical order)" in str(text)
    assert "AVISIT Week 4 (first level)" in str(ordered)


def test_text_at_one_or_two_visits_has_no_order_to_be_wrong():
    two = trial().filter(pl.col("AVISIT").is_in(WEEKS[1:3]))
    assert equipoise.mmrm("y ~ arm + ar1(AVISIT | id)", two).status == Status.OK
    with pytest.raises(InputError, match="depends on the order"):
        equipoise.mmrm("y ~ arm + us(AVISIT | id)", two, method="kenward-roger")


@pytest.mark.requirement("FORMULA-ORDER")
def test_numbers_and_dates_have_an_order():
    by_week = equipoise.mmrm("y ~ arm * AVISIT + ar1(week | id)", in_order(trial()))
    the_same(by_week_named(by_week), by_week)
    assert "Visits       4 < 8 < 12 < 24 (ascending; neighbours one apart)" in str(by_week)
    dated = in_order(trial()).with_columns(day=pl.date(2020, 1, 1) + pl.duration(days=7 * pl.col("week")))
    found = equipoise.mmrm("y ~ arm * AVISIT + ar1(day | id)", dated)
    assert_allclose(found.deviance, by_week.deviance, rtol=1e-11)


def by_week_named(expected):
    """The same model with the numbers listed as visits."""
    found = equipoise.mmrm("y ~ arm * AVISIT + ar1(week | id)", in_order(trial()), visits=[4, 8, 12.0, 24])
    assert found.visits == expected.visits
    return found


@pytest.mark.requirement("FORMULA-FRAMES")
def test_a_polars_categorical_keeps_the_order_of_its_categories():
    table = pd.DataFrame(trial().to_dict(as_series=False))
    # Words that no other test has met: polars keeps one list of categories for a session.
    table["AVISIT"] = pd.Categorical(table["AVISIT"] + " kept", [f"{week} kept" for week in WEEKS], ordered=True)
    table["arm"] = pd.Categorical(table["arm"] + " kept", ["placebo kept", "active kept"])
    frame = pl.from_pandas(table)
    assert frame["AVISIT"].dtype == pl.Categorical
    first, second = (equipoise.mmrm(MODEL.format("ar1"), data) for data in (table, frame))
    assert first.visits == tuple(f"{week} kept" for week in WEEKS)
    the_same(second, first)
    assert "armactive kept" in second.terms
    assert "(in the order in which this session met its categories; neighbours one apart)" in " ".join(
        str(second).split()
    )
    # Rows in another order, or fewer of them, change nothing.
    turned = equipoise.mmrm(MODEL.format("ar1"), frame.reverse())
    assert turned.visits == first.visits
    fewer = equipoise.mmrm("y ~ arm + us(AVISIT | id)", frame.filter(pl.col("AVISIT") != "Week 8 kept"))
    assert fewer.visits == ("Week 4 kept", "Week 12 kept", "Week 24 kept")


@pytest.mark.requirement("FORMULA-ORDER")
def test_categories_that_pandas_made_of_text_have_only_the_alphabet_s_order():
    table = pd.DataFrame(trial().to_dict(as_series=False))
    table["AVISIT"] = table["AVISIT"].astype("category")
    with pytest.raises(InputError, match="text has none"):
        equipoise.mmrm(MODEL.format("ar1"), table)
    table["AVISIT"] = table["AVISIT"].cat.set_categories(WEEKS)
    assert equipoise.mmrm(MODEL.format("ar1"), table).visits == tuple(WEEKS)


WRONG = {
    "unlisted": ({"visits": WEEKS[:3]}, "not listed: Week 24"),
    "twice": ({"visits": [*WEEKS, "Week 4"]}, "twice"),
    "text": ({"visits": "Week 4"}, "Visits are a list"),
    "number": ({"visits": 4}, "Visits are a list"),
    "empty": ({"visits": []}, "list of visits is empty"),
    "others": ({"visits": ["a", "b"]}, "not listed"),
    "times alone": ({"times": [4, 8, 12, 24]}, "Times belong to visits"),
    "times short": ({"visits": WEEKS, "times": [4, 8]}, "2 times do not fit 4 visits"),
    "times fall": ({"visits": WEEKS, "times": [4, 8, 24, 12]}, "Times rise"),
    "times text": ({"visits": WEEKS, "times": ["4", 8, 12, 24]}, "finite numbers"),
    "times endless": ({"visits": WEEKS, "times": [4, 8, 12, np.inf]}, "finite numbers"),
    "drop": ({"drop_empty_visits": "yes"}, "True or False"),
}


@pytest.mark.parametrize("case", WRONG)
def test_visits_and_times_that_make_no_sense_are_refused(case):
    options, words = WRONG[case]
    with pytest.raises(InputError, match=words) as refused:
        equipoise.mmrm(MODEL.format("ar1"), trial(), **options)
    assert refused.value.problems[0].remedy.endswith(".")


@pytest.mark.parametrize("name", FREE)
def test_times_are_refused_where_nothing_depends_on_them(name):
    with pytest.raises(InputError, match="no place for times"):
        equipoise.mmrm(MODEL.format(name), trial(), visits=WEEKS, times=[4, 8, 12, 24])


# ---- distances


@pytest.mark.requirement("FORMULA-DISTANCE")
def test_a_visit_that_nobody_reached_keeps_its_place_and_is_told():
    gone = trial().with_columns(y=pl.when(pl.col("AVISIT") != "Week 12").then("y"))
    kept = equipoise.mmrm("y ~ arm + ar1(AVISIT | id)", in_order(gone))
    # The distance from Week 8 to Week 24 is two: rho², as at places 0, 1, 3.
    sigma = kept.fit.sigma
    assert_allclose(sigma[1, 2] / sigma[0, 0], (sigma[0, 1] / sigma[0, 0]) ** 2, rtol=1e-9)
    assert kept.visits == ("Week 4", "Week 8", "Week 24")
    assert "there is no complete row at Week 12: it keeps its place" in kept.message
    assert kept.message.startswith("ok; ")
    assert "Note         There is no complete row at Week 12: it keeps its place" in str(kept)
    assert "at 0, 1, 3" in str(kept)
    dropped = equipoise.mmrm("y ~ arm + ar1(AVISIT | id)", in_order(gone), drop_empty_visits=True)
    sigma = dropped.fit.sigma
    assert_allclose(sigma[1, 2], sigma[0, 1], rtol=1e-9)
    assert "there is no complete row at Week 12: left out before distances were counted" in dropped.message
    assert abs(dropped.deviance - kept.deviance) > 0.1
    # A level without a row is a visit too.
    without = in_order(gone.filter(pl.col("AVISIT") != "Week 12"))
    the_same(equipoise.mmrm("y ~ arm + ar1(AVISIT | id)", without), kept)
    the_same(equipoise.mmrm("y ~ arm + ar1(AVISIT | id)", gone, visits=WEEKS), kept)


@pytest.mark.requirement("FORMULA-DISTANCE")
def test_toeplitz_correlations_belong_to_distances():
    gone = in_order(trial().with_columns(y=pl.when(pl.col("AVISIT") != "Week 8").then("y")))
    kept = equipoise.mmrm("y ~ arm + toep(AVISIT | id)", gone)
    assert kept.fit.parameters == 4  # a variance, and distances 1, 2 and 3
    assert equipoise.mmrm("y ~ arm + toep(AVISIT | id)", gone, drop_empty_visits=True).fit.parameters == 3


@pytest.mark.requirement("FORMULA-DISTANCE")
@pytest.mark.parametrize("name", FREE)
def test_an_empty_visit_is_told_where_it_changes_nothing(name):
    gone = in_order(trial().with_columns(y=pl.when(pl.col("AVISIT") != "Week 8").then("y")))
    found, dropped = (
        equipoise.mmrm(f"y ~ arm + {name}(AVISIT | id)", gone, drop_empty_visits=drop) for drop in (False, True)
    )
    assert "there is no complete row at Week 8" in found.message and "no part in the covariance" in found.message
    the_same(found, dropped)


@pytest.mark.requirement("FORMULA-DISTANCE")
def test_times_are_distances():
    formula = "y ~ arm + {}(AVISIT | id)"
    even = equipoise.mmrm(formula.format("ar1"), trial(), visits=WEEKS, times=[2, 5, 8, 11])
    the_same(even, equipoise.mmrm(formula.format("ar1"), in_order(trial())))
    # Weeks 4, 8, 12, 24 are at 0, 1, 2, 5 in units of four weeks: as with two more visits without any value.
    weeks = equipoise.mmrm(formula.format("ar1"), trial(), visits=WEEKS, times=[4, 8, 12, 24])
    more = [*WEEKS[:3], "Week 16", "Week 20", "Week 24"]
    the_same(equipoise.mmrm(formula.format("ar1"), in_order(trial(), more)), weeks)
    assert "at 4, 8, 12, 24" in str(weeks)
    toep = equipoise.mmrm(formula.format("toep"), trial(), visits=WEEKS, times=[4, 8, 12, 24])
    assert toep.fit.parameters == 1 + 5  # distances 4, 8, 12, 16 and 20
    days = equipoise.mmrm(formula.format("ar1"), trial(), visits=WEEKS, times=[28.0, 57.5, 84.0, 168.0])
    sigma = days.fit.sigma / days.fit.sigma[0, 0]
    assert_allclose(np.log(sigma[0, 1]) / 29.5, np.log(sigma[2, 3]) / 84.0, rtol=1e-9)


def test_times_give_a_random_slope_to_visits_of_text():
    found = equipoise.mmrm("y ~ arm * week + ris(AVISIT | id)", trial(), visits=WEEKS, times=[4, 8, 12, 24])
    expected = equipoise.mmrm("y ~ arm * week + ris(week | id)", trial())
    assert_allclose(found.deviance, expected.deviance, rtol=1e-11)
    assert_allclose(found.coefficients["p_value"], expected.coefficients["p_value"], rtol=1e-8)


# ---- the random slope


@pytest.mark.requirement("FORMULA-MARGINAL")
def test_a_random_slope_shows_what_it_implies_and_whether_people_can_have_it():
    source, n, t = np.random.default_rng(3), 80, np.arange(5.0)
    true = np.array([[1.0, 0.2], [0.2, 0.3]])
    effects = source.multivariate_normal([0, 0], true, n)
    y = effects @ np.stack([np.ones(5), t]) + source.normal(size=(n, 5)) * 0.7
    frame = pl.DataFrame({"id": np.repeat(np.arange(n), 5), "t": np.tile(t, n), "y": y.ravel()})
    found = equipoise.mmrm("y ~ t + ris(t | id)", frame)
    effects = found.random_effects
    G = effects.matrix
    assert effects.covariance
    assert_allclose(G, true, atol=0.3)
    expected = G[0, 0] + G[0, 1] * np.add.outer(t, t) + G[1, 1] * np.outer(t, t) + effects.residual * np.eye(5)
    assert_allclose(found.fit.sigma, expected, rtol=1e-9, atol=1e-12)
    assert "marginal: random intercept, slope and residual" in str(found)
    assert "Implied random effects" in str(found) and "This is a covariance" in str(found)
    # Slopes that are too much alike: their variance is estimated below 0.
    alike = frame.with_columns(y=pl.Series((source.normal(size=(n, 5)) * (1.6 - 0.2 * t)).ravel()))
    lost = equipoise.mmrm("y ~ t + ris(t | id)", alike)
    assert lost.status == Status.OK
    assert not lost.random_effects.covariance
    assert np.linalg.eigvalsh(lost.random_effects.matrix)[0] < 0
    assert "This is no covariance: no random intercept and slope has it." in str(lost)
    assert max(map(len, str(lost).splitlines())) <= 100


def test_two_visits_and_other_structures_imply_no_random_effects():
    frame = trial().filter(pl.col("AVISIT").is_in(WEEKS[:2]))
    assert equipoise.mmrm("y ~ arm + ris(week | id)", frame).random_effects is None
    assert equipoise.mmrm("y ~ arm + cs(week | id)", trial()).random_effects is None
    assert implied(np.eye(2), np.arange(2.0)) is None


# ---- empty cells and tests of several combinations


@pytest.mark.requirement("FORMULA-EMPTY-CELL")
def test_a_cell_without_values_costs_its_column_and_nothing_else():
    frame = invented().filter(~((pl.col("b") == "high") & (pl.col("visit") == "V3")))
    found = equipoise.mmrm("y ~ b * visit + us(visit | person)", frame)
    assert found.status == Status.OK
    assert "there is no value in b high, visit V3: bhigh:visitV3 cannot be estimated" in found.message
    row = found.coefficients.filter(pl.col("term") == "bhigh:visitV3").row(0)[1:]
    assert row == (None,) * 5
    assert found.coefficients["estimate"].null_count() == 1
    assert (
        np.isnan(found.covariance[-2]).all() and np.isfinite(np.delete(np.delete(found.covariance, -2, 0), -2, 1)).all()
    )
    effect = found.lsmeans(("b", "visit"), compare="b")
    assert effect["status"].to_list() == ["OK", "OK", "NOT_ESTIMABLE", "OK"]
    assert effect["p_value"].is_null().to_list() == [False, False, True, False]
    # The rest is that of a model with one mean for each cell that there is.
    cells = frame.with_columns(cell=pl.concat_str("b", "visit", separator=" "))
    expected = equipoise.mmrm("y ~ 0 + cell + us(visit | person)", cells)
    for visit, row in zip(("V1", "V2", "V4"), effect.filter(pl.col("status") == "OK").to_dicts(), strict=True):
        same = expected.contrast({f"cellhigh {visit}": 1, f"celllow {visit}": -1}).row(0, named=True)
        for name in NUMBERS:
            assert_allclose(row[name], same[name], rtol=1e-7, err_msg=name)
    means = found.lsmeans(("b", "visit"))
    assert means.filter(pl.col("status") != "OK").select("b", "visit").rows() == [("high", "V3")]
    assert found.lsmeans("b")["status"].to_list() == ["OK", "NOT_ESTIMABLE"]


@pytest.mark.requirement("FORMULA-EMPTY-CELL")
def test_a_coefficient_that_only_an_empty_cell_would_tell_from_others_is_not_estimated():
    frame = invented().filter(~((pl.col("b") == "low") & (pl.col("visit") == "V3")))
    found = equipoise.mmrm("y ~ b * visit + us(visit | person)", frame)
    lost = found.coefficients.filter(pl.col("estimate").is_null())["term"].to_list()
    assert lost == ["visitV3", "bhigh:visitV3"]
    # Their sum is the difference of two means of the other arm, which are there.
    there = found.contrast({"visitV3": 1, "bhigh:visitV3": 1})
    means = dict(
        zip(*found.lsmeans(("b", "visit")).filter(pl.col("b") == "high").select("visit", "estimate"), strict=True)
    )
    assert_allclose(there["estimate"][0], means["V3"] - means["V1"], rtol=1e-9)
    assert found.contrast(np.eye(8)[[2, 3]])["status"].to_list() == ["OK", "NOT_ESTIMABLE"]
    both = found.contrast(np.eye(8)[[2, 3]], joint=True)
    assert both["status"].to_list() == ["NOT_ESTIMABLE"] and both["p_value"].to_list() == [None]


def test_covariates_that_follow_from_others_are_refused_beside_an_empty_cell_too():
    frame = invented().filter(~((pl.col("b") == "high") & (pl.col("visit") == "V3"))).with_columns(half=pl.col("x") / 2)
    found = equipoise.mmrm("y ~ x + half + b * visit + us(visit | person)", frame)
    assert found.status == Status.SINGULAR_DESIGN
    assert found.dependent == ("half", "bhigh:visitV3")


@pytest.mark.requirement("FORMULA-STATUS")
def test_combinations_say_why_they_have_no_numbers():
    found = equipoise.mmrm(MODEL.format("us"), trial())
    rows = np.eye(8)[[1, 2, 1]] + np.eye(8)[[2, 3, 2]] - np.eye(8)[[3, 3, 3]]
    rows[2] = rows[0] + rows[1]
    joint = found.contrast(rows, joint=True)
    assert joint["status"].to_list() == ["DEPENDENT_CONTRASTS"]
    assert joint.drop("status").row(0) == (None,) * 4
    assert found.contrast(rows[:2], joint=True)["status"].to_list() == ["OK"]
    failed = equipoise.mmrm("y ~ week + arm + AVISIT + us(AVISIT | id)", trial())
    assert failed.status == Status.SINGULAR_DESIGN
    assert failed.lsmeans("arm")["status"].to_list() == ["SINGULAR_DESIGN"] * 2


# ---- R's spellings

SPELT = {
    ("Satterthwaite", None): ("satterthwaite", None),
    ("Satterthwaite", "Asymptotic"): ("satterthwaite", "asymptotic"),
    ("Satterthwaite", "Empirical-Bias-Reduced"): ("satterthwaite", "CR2"),
    ("Kenward-Roger", None): ("kenward-roger", None),
    ("Kenward-Roger", "Kenward-Roger"): ("kenward-roger", None),
    ("Kenward-Roger", "Kenward-Roger-Linear"): ("kenward-roger-linear", None),
    ("Kenward-Roger-Linear", None): ("kenward-roger-linear", None),
    ("Residual", "Asymptotic"): ("residual", None),
}


@pytest.mark.requirement("FORMULA-SPELLINGS")
@pytest.mark.parametrize("words", SPELT)
def test_the_spellings_of_r_are_understood(words):
    frame, formula = in_order(trial()), MODEL.format("us")
    (method, vcov), (own, other) = words, SPELT[words]
    found = equipoise.mmrm(formula, frame, method=method, vcov=vcov)
    expected = equipoise.mmrm(formula, frame, method=own, vcov=other)
    assert found.coefficients.equals(expected.coefficients)
    assert (found.method, found.vcov) == (expected.method, expected.vcov)


@pytest.mark.requirement("FORMULA-NOT-YET")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "Between-Within"}, "not here yet"),
        ({"method": "Satterthwaite", "vcov": "Empirical"}, "not here yet"),
        ({"method": "Satterthwaite", "vcov": "Empirical-Jackknife"}, "not here yet"),
        ({"method": "Satterthwaite", "vcov": "Kenward-Roger"}, "of the same name"),
        ({"vcov": "Kenward-Roger"}, "of the same name"),
        ({"method": "Kenward-Roger", "vcov": "adjusted"}, "no such vcov"),
        ({"method": "Kenward Roger"}, "no such method"),
    ],
)
def test_words_of_r_that_ask_for_something_else_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        equipoise.mmrm(MODEL.format("us"), in_order(trial()), **options)


@pytest.mark.requirement("FORMULA-ORDER")
def test_every_order_of_an_enum_gives_its_own_distances():
    deviances = set()
    for order in itertools.islice(itertools.permutations(WEEKS), 0, 24, 5):
        found = equipoise.mmrm("y ~ arm + ar1(AVISIT | id)", trial(), visits=order)
        the_same(found, equipoise.mmrm("y ~ arm + ar1(AVISIT | id)", in_order(trial(), list(order))))
        deviances.add(round(found.deviance, 6))
    assert len(deviances) > 3
