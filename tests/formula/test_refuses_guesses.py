"""What a hostile user gives to `equipoise.mmrm`: refused with the remedy, or told; never a number by chance."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import equipoise
from equipoise.errors import DataError, InputError

WEEKS = ("Week 4", "Week 8", "Week 16", "Week 24")
MODEL = "y ~ arm * v + {}(v | id)"


def made(people: int = 20, one: bool = False) -> pl.DataFrame:
    """Two arms at four visits, or one person alone in the second."""
    draw = np.random.default_rng(7)
    rows = []
    for person in range(people + 1 if one else people):
        arm = "b" if (person == people if one else person % 2) else "a"
        own = draw.normal(0, 1)
        rows += [
            {"id": f"p{person:02}", "arm": arm, "v": week, "t": place, "y": own + draw.normal(0, 1) + 0.3 * place}
            for place, week in enumerate(WEEKS)
        ]
    return pl.DataFrame(rows)


def fit(data: Any, structure: str = "ar1", **more: Any) -> Any:
    return equipoise.mmrm(MODEL.format(structure), data, **{"visits": WEEKS} | more)


@pytest.mark.requirement("FORMULA-NEVER-GUESSES")
@pytest.mark.parametrize("structure", ["us", "cs", "ar1"])
def test_one_person_alone_in_an_arm_has_no_robust_variance_at_any_visit(structure: str) -> None:
    for seed in range(4):
        data = made(one=True).with_columns(pl.col("y") + pl.Series(np.random.default_rng(seed).normal(0, 1, 84)))
        found = fit(data, structure, method="satterthwaite", vcov="CR2").lsmeans(("arm", "v"), compare="arm")
        assert set(found["status"]) == {"UNDEFINED_LEVERAGE"} and found["p_value"].null_count() == len(WEEKS)


@pytest.mark.requirement("FORMULA-NEVER-GUESSES")
@pytest.mark.parametrize("visits", [set(WEEKS), frozenset(WEEKS), "Week 4", b"x", [*WEEKS, None], [*WEEKS, pd.NA]])
def test_visits_without_an_order_or_a_label_are_refused(visits: Any) -> None:
    with pytest.raises(InputError):
        fit(made(), visits=visits)


@pytest.mark.requirement("FORMULA-NEVER-GUESSES")
def test_bytes_are_no_visits() -> None:
    data = made().with_columns(pl.col("v").cast(pl.Binary))
    with pytest.raises(DataError, match="Binary"):
        fit(data, visits=None)
    frame = pd.DataFrame(made().to_dict(as_series=False))
    frame["v"] = pd.Categorical([week.encode() for week in frame["v"]])
    with pytest.raises(DataError, match="bytes"):
        fit(frame, visits=None)


@pytest.mark.requirement("FORMULA-NEVER-GUESSES")
def test_an_order_that_nothing_calls_one_in_time_is_told_where_numbers_depend_on_it() -> None:
    rows = made().to_dicts()
    random.Random(3).shuffle(rows)
    met = pl.DataFrame(rows).with_columns(pl.col("v").cast(pl.Categorical))
    frame = pd.DataFrame(rows)
    frame["v"] = pd.Categorical(frame["v"], categories=frame["v"].unique())
    for data in (met, frame):
        told = fit(data, visits=None)
        assert "numbers depend on the order of the visits" in told.message and "visits=[…]" in told.message
        assert "depend on the order" not in fit(data, "cs", visits=None).message
        assert "depend on the order" not in fit(data).message
    ordered = frame.assign(v=pd.Categorical(frame["v"], categories=WEEKS, ordered=True))
    assert fit(ordered, visits=None).message == "ok"
    alphabet = frame.assign(v=pd.Categorical(frame["v"].astype(str)).add_categories(["V0"]))
    with pytest.raises(InputError, match="formula-order"):
        fit(alphabet, visits=None)


@pytest.mark.requirement("FORMULA-NEVER-GUESSES")
def test_a_name_that_two_coefficients_have_is_refused() -> None:
    data = made().with_columns(
        ARM=pl.when(pl.col("arm") == "a").then(pl.lit("A1")).otherwise(pl.lit("A2")),
        ARMA=pl.when(pl.col("id").is_in(["p00", "p01", "p05"])).then(pl.lit("1")).otherwise(pl.lit("2")),
    )
    found = equipoise.mmrm("y ~ ARM + ARMA + cs(v | id)", data)
    assert found.terms.count("ARMA2") == 2
    with pytest.raises(InputError, match="Two coefficients have this name"):
        found.contrast({"ARMA2": 1})
    assert found.contrast([0, 1, 0]).height == 1


@pytest.mark.requirement("FORMULA-NEVER-GUESSES")
@pytest.mark.parametrize("reml", ["ML", "False", "no", None, 0, 1])
def test_reml_is_true_or_false(reml: Any) -> None:
    with pytest.raises(InputError, match="True or False"):
        fit(made(), reml=reml)


@pytest.mark.requirement("FORMULA-NEVER-GUESSES")
def test_weights_belong_to_the_rows_of_the_data() -> None:
    rows = pd.DataFrame(made().to_dict(as_series=False))
    weights = pd.Series(np.linspace(1, 2, len(rows)))
    shuffled = rows.sample(frac=1, random_state=1)
    whole = fit(rows, weights=weights).deviance
    with pytest.raises(InputError, match="another index"):
        fit(shuffled, weights=weights)
    assert fit(shuffled, weights=weights.loc[shuffled.index]).deviance == pytest.approx(whole)
    for wrong in (
        ["2"] * len(rows),
        pd.Series(["2"] * len(rows), dtype=object),
        np.full(len(rows), 1 + 2j),
        [True] * len(rows),
    ):
        with pytest.raises(InputError, match="Weights are numbers"):
            fit(rows, weights=wrong)


@pytest.mark.requirement("FORMULA-NEVER-GUESSES")
@pytest.mark.parametrize("name", ["status", "df", "estimate", "contrast"])
def test_a_factor_named_as_a_column_of_the_table_is_refused(name: str) -> None:
    found = equipoise.mmrm(f"y ~ {name} * v + cs(v | id)", made().rename({"arm": name}))
    with pytest.raises(InputError, match="Rename the factor"):
        found.lsmeans((name, "v"), compare="v")


@pytest.mark.requirement("FORMULA-NEVER-GUESSES")
def test_odd_arguments_are_no_tracebacks() -> None:
    found = fit(made(), "cs")
    for call in (
        lambda: found.lsmeans(None),
        lambda: found.lsmeans([1]),
        lambda: found.lsmeans("arm", at=[1]),
        lambda: found.contrast(np.full(len(found.terms), 1j)),
        lambda: found.contrast(["x"] * len(found.terms)),
    ):
        with pytest.raises(InputError):
            call()
    usual = np.eye(len(found.terms))[1:3]
    small = found.contrast(usual * 1e-300, joint=True)
    assert small["p_value"][0] == pytest.approx(found.contrast(usual, joint=True)["p_value"][0])
