"""What a fitted model tells: of any frame with the same data the same, and nothing where nothing could be fitted."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose

import equipoise
from equipoise.errors import InputError
from equipoise.stats.mmrm import fit_mmrm
from equipoise.stats.status import Status
from tests.formula.data import invented

FORMULA = "y ~ a + b * visit + x + us(visit | person)"


@pytest.fixture(scope="module")
def fitted():
    return equipoise.mmrm(FORMULA, invented())


def as_pandas(frame, **kinds):
    """The same frame in pandas, where a polars Enum is an ordered category."""
    columns = {}
    for column in frame.iter_columns():
        values = column.to_list()
        if isinstance(column.dtype, pl.Enum):
            values = pd.Categorical(values, categories=column.dtype.categories.to_list(), ordered=True)
        columns[column.name] = pd.Series(values, dtype=kinds.get(column.name))
    return pd.DataFrame(columns)


def test_the_numbers_are_those_of_the_fit_below(fitted):
    frame = invented().filter(pl.col("y").is_not_null() & pl.col("x").is_not_null())
    visit, subject = (frame[name].rank("dense").to_numpy() - 1 for name in ("visit", "person"))
    arm = (frame["b"] == "high").to_numpy()
    here = visit[:, None] == np.arange(1, 4)
    levels = [(frame["a"] == level).to_numpy() for level in ("u", "w")]
    X = np.column_stack([np.ones(len(frame)), *levels, arm, here, frame["x"], here * arm[:, None]])
    direct = fit_mmrm(frame["y"].to_numpy(), X, subject, visit)
    assert_allclose(fitted.coefficients["estimate"], direct.coefficients, rtol=1e-9)
    assert_allclose(fitted.log_likelihood, direct.log_likelihood, rtol=1e-12)
    assert fitted.deviance == -2 * fitted.log_likelihood
    assert (fitted.observations, fitted.people, fitted.dropped) == (92, 24, 4)
    assert dict(fitted.frame.missing) == {"y": 3, "x": 1}


@pytest.mark.requirement("FORMULA-FRAMES")
@pytest.mark.parametrize(
    "kinds",
    [
        {},
        {"visit": "category", "flag": "boolean", "person": "string"},
        {"visit": "object", "person": "object", "x": "Float64", "y": "Float32", "z": "object", "flag": "object"},
    ],
    ids=["plain", "categories", "objects"],
)
def test_pandas_and_polars_give_the_same(kinds):
    formula = "y ~ a + b * visit + x + z + flag + us(visit | person)"
    frame = invented().with_columns(pl.col("y").cast(pl.Float32)) if "y" in kinds else invented()
    polars, pandas = equipoise.mmrm(formula, frame), equipoise.mmrm(formula, as_pandas(frame, **kinds))
    assert polars.coefficients.equals(pandas.coefficients)
    assert polars.sigma.equals(pandas.sigma)
    assert polars.dropped == pandas.dropped == 4
    assert "flagTRUE" in polars.terms


def test_rows_may_stand_in_any_order_and_have_any_index():
    frame = invented().sample(fraction=1.0, shuffle=True, seed=3)
    shuffled = as_pandas(frame).set_index(pd.Index(np.arange(96)[::-1] // 2))
    first, second = (equipoise.mmrm(FORMULA, data).coefficients for data in (invented(), shuffled))
    assert first["term"].equals(second["term"])
    assert_allclose(first.drop("term").to_numpy(), second.drop("term").to_numpy(), rtol=1e-8)


@pytest.mark.requirement("FORMULA-FRAMES")
def test_levels_stand_in_the_order_of_an_enum_else_sorted_and_absent_ones_are_dropped(fitted):
    assert fitted.terms[1:4] == ("au", "aw", "bhigh")
    words = equipoise.mmrm(FORMULA, invented().with_columns(pl.col("a", "b").cast(pl.String)))
    assert words.terms[1:4] == ("av", "aw", "blow")
    only = equipoise.mmrm(FORMULA, invented().filter(pl.col("a") != "v"))
    assert only.terms[1:3] == ("aw", "bhigh")
    fewer = equipoise.mmrm(FORMULA, invented().with_columns(y=pl.when(pl.col("visit") != "V2").then("y")))
    assert fewer.visits == ("V1", "V3", "V4")
    assert fewer.dropped == 24 + 3


def test_the_order_of_visits_is_that_of_their_levels():
    turned = ["V4", "V1", "V3", "V2"]
    frame = invented().with_columns(pl.col("visit").cast(pl.Enum(turned)))
    found = equipoise.mmrm(FORMULA, frame)
    assert found.sigma.columns == ["visit", *turned]
    assert found.terms[4] == "visitV1"
    numbers = equipoise.mmrm("y ~ a + b * week + x + us(week | person)", invented())
    assert numbers.visits == ("0", "4", "12", "26")
    assert "week" in numbers.terms


def test_one_visit_is_an_ordinary_regression():
    frame = invented().filter((pl.col("visit") == "V4") & pl.col("y").is_not_null())
    found = equipoise.mmrm("y ~ b + z + us(visit | person)", frame)
    assert found.visits == ("V4",)
    X = np.column_stack([np.ones(len(frame)), frame["b"] == "high", frame["z"]])
    assert_allclose(found.coefficients["estimate"], np.linalg.lstsq(X, frame["y"], rcond=None)[0], rtol=1e-9)
    assert_allclose(found.coefficients["df"], len(frame) - 3, rtol=1e-9)


def test_people_may_be_numbers_words_or_dates():
    number = pl.col("person").rank("dense")
    first = equipoise.mmrm(FORMULA, invented()).coefficients
    for person in (number.cast(pl.UInt64) + 2**60, number * 0.5, pl.date(2020, 1, 1) + pl.duration(days=number)):
        assert equipoise.mmrm(FORMULA, invented().with_columns(person=person)).coefficients.equals(first)


def test_weights_are_a_column_or_an_array_and_count_as_variances_do(fitted):
    by_name = equipoise.mmrm(FORMULA, invented(), weights="z")
    for weights in (invented()["z"], invented()["z"].to_numpy(), invented()["z"].to_list(), as_pandas(invented())["z"]):
        assert equipoise.mmrm(FORMULA, invented(), weights=weights).coefficients.equals(by_name.coefficients)
    assert not by_name.coefficients.equals(fitted.coefficients)
    twice = equipoise.mmrm(FORMULA, invented(), weights=np.full(96, 2.0))
    assert_allclose(twice.fit.sigma, 2 * fitted.fit.sigma, rtol=1e-6)
    gap = equipoise.mmrm(FORMULA, invented(), weights=np.where(np.arange(96) == 50, np.nan, 1.0))
    assert gap.dropped == 5
    assert dict(gap.frame.missing)["weights"] == 1


def test_a_random_slope_takes_its_times_from_the_visits_numbers():
    formula = "y ~ b * week + ris(week | person)"
    weeks, years = (equipoise.mmrm(formula, invented().with_columns(week=pl.col("week") / unit)) for unit in (1, 52))
    assert list(weeks.frame.times) == [0, 4, 12, 26]
    assert_allclose(weeks.deviance - years.deviance, 2 * 2 * np.log(52), rtol=1e-6)
    sigma = weeks.fit.sigma
    t = weeks.frame.times
    # Intercept, slope and residual: the covariance of two times is linear in each of them.
    assert_allclose((sigma[0, 3] - sigma[0, 1]) / (t[3] - t[1]), (sigma[0, 2] - sigma[0, 1]) / (t[2] - t[1]), rtol=1e-8)
    even = equipoise.mmrm(formula, invented().with_columns(week=pl.col("visit").rank("dense")))
    assert abs(even.deviance - weeks.deviance) > 0.1


def test_contrasts_are_weighed_by_name_or_by_position(fitted):
    named = fitted.contrast({"bhigh": 1, "bhigh:visitV4": 1})
    L = [float(term in ("bhigh", "bhigh:visitV4")) for term in fitted.terms]
    assert named.equals(fitted.contrast(L))
    assert named.columns == ["estimate", "standard_error", "df", "lower", "upper", "statistic", "p_value", "status"]
    last = fitted.lsmeans(("b", "visit"), compare="b").row(3, named=True)
    assert (last.pop("contrast"), last.pop("visit")) == ("high - low", "V4")
    assert last.pop("status") == named["status"][0] == "OK"
    assert_allclose(list(last.values()), named.drop("status").row(0), rtol=1e-9)
    every = fitted.contrast(np.eye(len(fitted.terms)))
    assert_allclose(every["statistic"], fitted.coefficients["statistic"], rtol=1e-12)
    wide = fitted.contrast(L, level=0.99)
    assert wide["lower"][0] < named["lower"][0] < named["upper"][0] < wide["upper"][0]


def test_a_joint_test_of_one_combination_is_its_t_test_squared(fitted):
    one = {"bhigh:visitV4": 1}
    joint, single = fitted.contrast(one, joint=True), fitted.contrast(one)
    assert joint.columns == ["statistic", "df_numerator", "df_denominator", "p_value", "status"]
    assert joint["status"].to_list() == ["OK"]
    assert_allclose(
        joint.drop("status").row(0), [single["statistic"][0] ** 2, 1, single["df"][0], single["p_value"][0]], rtol=1e-8
    )
    three = fitted.contrast([[term == f"bhigh:visitV{t}" for term in fitted.terms] for t in (2, 3, 4)], joint=True)
    assert three["df_numerator"][0] == 3
    assert 0 < three["p_value"][0] < 1


def test_means_average_other_factors_equally_and_covariates_over_the_rows(fitted):
    rows = invented().filter(pl.col("y").is_not_null() & pl.col("x").is_not_null())
    b = dict(zip(fitted.terms, fitted.coefficients["estimate"], strict=True))
    expected = b["(Intercept)"] + (b["au"] + b["aw"]) / 3 + sum(b[f"visitV{t}"] for t in (2, 3, 4)) / 4
    low = fitted.lsmeans("b").row(0, named=True)
    assert low["b"] == "low"
    assert_allclose(low["estimate"], expected + b["x"] * rows["x"].mean(), rtol=1e-9)
    placed = fitted.lsmeans("b", at={"x": 0})
    assert_allclose(placed["estimate"][0], expected, rtol=1e-9)
    assert fitted.lsmeans("b", at={"x": np.int64(0)}, level=np.float64(0.95)).equals(placed)
    overall = fitted.lsmeans(())
    assert_allclose(overall["estimate"][0], fitted.lsmeans("b")["estimate"].mean(), rtol=1e-9)
    pairs = fitted.lsmeans(("a", "b"), compare="a")
    assert pairs["contrast"].to_list() == ["u - v", "w - v", "w - u"] * 2
    assert pairs["b"].to_list() == ["low"] * 3 + ["high"] * 3


def test_a_covariate_in_arithmetic_is_held_at_its_own_mean():
    found = equipoise.mmrm("y ~ b * log(z) + us(visit | person)", invented())
    kept = invented().filter(pl.col("y").is_not_null())
    mean = np.log(kept["z"].mean())
    weights = {"(Intercept)": 1, "bhigh": 1, "log(z)": mean, "bhigh:log(z)": mean}
    assert_allclose(found.lsmeans("b")["estimate"][1], found.contrast(weights)["estimate"][0], rtol=1e-12)


QUESTIONS = {
    "no factor": (lambda fit: fit.lsmeans("x"), "Factors of the terms are a, b, visit"),
    "no name": (lambda fit: fit.lsmeans(("b", "arm")), "'arm'"),
    "twice": (lambda fit: fit.lsmeans(("b", "b")), "twice"),
    "not by": (lambda fit: fit.lsmeans("b", compare="visit"), "Compare one of b"),
    "no covariate": (lambda fit: fit.lsmeans("b", at={"b": 1}), "Covariates are x"),
    "no number": (lambda fit: fit.lsmeans("b", at={"x": "mean"}), "x takes a number"),
    "level": (lambda fit: fit.lsmeans("b", level=95), "between 0 and 1"),
    "no term": (lambda fit: fit.contrast({"bHIGH": 1}), "no such coefficient"),
    "shape": (lambda fit: fit.contrast([1, 2]), "do not fit 11 coefficients"),
    "words": (lambda fit: fit.contrast(["bhigh"]), "Weights are numbers"),
    "nothing": (lambda fit: fit.contrast(np.zeros(11)), "all 0"),
    "infinite": (lambda fit: fit.contrast(np.full(11, np.inf)), "not finite"),
}


@pytest.mark.parametrize("case", QUESTIONS)
def test_a_question_that_makes_no_sense_is_told(case, fitted):
    ask, words = QUESTIONS[case]
    with pytest.raises(InputError, match=words):
        ask(fitted)


def test_robust_inference_has_no_joint_test():
    found = equipoise.mmrm(FORMULA, invented(), method="satterthwaite", vcov="CR2")
    assert found.vcov == "CR2"
    with pytest.raises(InputError, match="one by one"):
        found.contrast({"bhigh": 1}, joint=True)


def test_columns_that_follow_from_others_are_named_and_nothing_is_estimated():
    frame = invented().with_columns(half=pl.col("x") / 2, one=pl.lit(1.0))
    found = equipoise.mmrm("y ~ x + b + half + one + us(visit | person)", frame)
    assert found.status == Status.SINGULAR_DESIGN
    assert found.dependent == ("half", "one")
    assert "half, one follow from the columns before" in found.message
    assert found.coefficients.drop("term").null_count().row(0) == (5,) * 5
    assert found.coefficients["term"].to_list() == list(found.terms)
    assert np.isnan(found.covariance).all()
    assert (found.deviance, found.log_likelihood, found.aic, found.bic) == (None,) * 4
    assert found.lsmeans("b")["estimate"].to_list() == [None, None]
    assert found.contrast({"x": 1, "half": 1}, joint=True)["p_value"].to_list() == [None]
    assert found.sigma.drop("visit").null_count().row(0) == (4,) * 4
    text = str(found)
    assert "NOT FITTED   half, one follow" in text
    assert "Advice       leave them out" in text
    assert "Coefficient" not in text


def test_a_likelihood_without_a_maximum_says_so():
    few = invented().filter(pl.col("person") < "P08").with_columns(y=pl.when(pl.col("visit") != "V4").then("y"))
    found = equipoise.mmrm("y ~ b * visit + z + us(visit | person)", few.filter(pl.col("person") != "P01"))
    assert found.status != Status.OK
    assert found.coefficients["estimate"].null_count() == len(found.terms)
    assert found.status.text.split("; ")[1] in str(found)


@pytest.mark.requirement("FORMULA-FRAMES")
def test_the_summary_says_what_was_fitted(fitted):
    text = str(fitted)
    assert text == fitted.summary()
    for line in (
        f"Formula      {FORMULA}",
        "Data         92 values of 24 people at 4 visits; 20 with all visits",
        "4 rows left out for missing values: y in 3, x in 1",
        "Visits       V1 < V2 < V3 < V4 (in alphabetical order)",
        "Reference    a v (first level); b low (first level); visit V1 (first in alphabetical order)",
        "Covariance   unstructured; 10 parameters by restricted likelihood",
        "AIC and BIC count 10 covariance parameters, no coefficient; BIC's n is 24 people",
        "Inference    Kenward and Roger's standard errors and degrees of freedom, linear form",
    ):
        assert line in text
    assert max(map(len, text.splitlines())) <= 100
    rows = {line.split("  ")[0]: line.split() for line in text.splitlines()}
    table = {row["term"]: row for row in fitted.coefficients.to_dicts()}
    assert rows["bhigh:visitV4"][1:4] == [
        f"{table['bhigh:visitV4']['estimate']:.5f}",
        f"{table['bhigh:visitV4']['standard_error']:.5f}",
        f"{table['bhigh:visitV4']['df']:.1f}",
    ]
    assert repr(fitted) == f"<mmrm {FORMULA}: 92 values of 24 people at V1 < V2 < V3 < V4, OK>"


def test_a_summary_has_digits_whatever_the_unit():
    small = equipoise.mmrm(FORMULA, invented().with_columns(y=pl.col("y") * 1e-6))
    row = next(line for line in str(small).splitlines() if line.startswith("bhigh:visitV4"))
    assert len(row.split()[2].lstrip("0.")) >= 4


def test_a_result_is_frozen(fitted):
    with pytest.raises(FrozenInstanceError):
        fitted.covariance = None
    with pytest.raises(ValueError, match="read-only"):
        fitted.covariance[0, 0] = 1.0


def test_importing_the_package_loads_nothing_heavy():
    heavy = "numpy", "polars", "pandas", "formulaic", "scipy"
    program = f"import sys, equipoise; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert "mmrm" in dir(equipoise)
