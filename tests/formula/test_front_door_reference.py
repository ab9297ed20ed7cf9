"""The fits of R's mmrm on its own data, asked for by formula."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

import equipoise
from equipoise.errors import InputError
from tests.formula.data import FEV, fev_frame
from tests.stats.mmrm.data import stored

NAMES = {"estimate": "Estimate", "standard_error": "Std. Error", "df": "df", "statistic": "t value"}
METHODS = {"satterthwaite": "satterthwaite", "kr": "kenward-roger", "kr_linear": "kenward-roger-linear"}
TIGHT = {
    "Satterthwaite Asymptotic": "satterthwaite",
    "Kenward-Roger Kenward-Roger": "kenward-roger",
    "Kenward-Roger Kenward-Roger-Linear": "kenward-roger-linear",
}
FITS = {
    f"fev_{structure}_{short}": {"structure": structure, "method": METHODS[short]}
    for structure in ("us", "cs", "csh", "ar1", "ar1h", "toep", "toeph")
    for short in ("satterthwaite", "kr")
} | {
    "fev_us_kr_linear": {},
    "fev_us_ml": {"method": "satterthwaite", "reml": False},
    "fev_us_weighted": {"method": "satterthwaite", "weights": "WEIGHT"},
    "fev_us_residual": {"method": "residual"},
    "fev_us_empirical_br": {"method": "satterthwaite", "vcov": "CR2"},
}
MEANS = {f"fev_us_emmeans_{short}": METHODS[short] for short in ("satterthwaite", "kr")}
LATER = {
    "fev_us_bw": {"method": "between-within"},
    "fev_us_empirical": {"method": "satterthwaite", "vcov": "CR0"},
    "fev_us_empirical_jk": {"method": "satterthwaite", "vcov": "CR3"},
    **{f"fev_{name}_{short}": {"structure": name} for name in ("ad", "adh") for short in ("satterthwaite", "kr")},
    **{f"fev_us_group_{short}": {"people": "ARMCD / USUBJID"} for short in ("satterthwaite", "kr")},
}


@pytest.fixture(scope="module")
def frame(shared_reference):
    return fev_frame(shared_reference)


@pytest.fixture(scope="module")
def reference(shared_reference):
    return stored(shared_reference, "fev_mmrm_reference.json")


def fitted(frame, structure="us", people="USUBJID", **options):
    formula = f"FEV1 ~ RACE + SEX + ARMCD * AVISIT + {structure}(AVISIT | {people})"
    return equipoise.mmrm(formula, frame, **options)


def test_every_stored_fit_is_asked_for(reference):
    assert {*FITS, *MEANS, *LATER, "versions"} == reference.keys()


@pytest.mark.requirement("FORMULA-FITS")
@pytest.mark.parametrize("case", FITS)
def test_the_coefficients_are_those_of_the_reference(case, frame, reference):
    expected = reference[case]
    found = fitted(frame, **FITS[case])
    table = found.coefficients
    assert table.columns == ["term", "estimate", "standard_error", "df", "statistic", "p_value"]
    assert table["term"].to_list() == expected["terms"] == list(found.terms)
    numbers = {ours: np.array([row[theirs] for row in expected["coef"]]) for ours, theirs in NAMES.items()}
    # The reference stopped up to 5e-6 of deviance above the optimum; its residual method has another covariance.
    assert_allclose((table["estimate"] - numbers["estimate"]) / numbers["standard_error"], 0, atol=1e-3)
    assert_allclose(table["df"], numbers["df"], rtol=1e-3)
    if case == "fev_us_residual":
        model = [row["Std. Error"] for row in reference["fev_us_satterthwaite"]["coef"]]
        assert_allclose(table["standard_error"], model, rtol=1e-3)
    else:
        assert_allclose(table["standard_error"], numbers["standard_error"], rtol=1e-3)
        assert_allclose(table["statistic"], numbers["statistic"], rtol=2e-3, atol=2e-3)
        assert_allclose(found.covariance, expected["vcov"], rtol=3e-3, atol=2e-3)
    assert_allclose(
        (found.deviance, found.aic, found.bic), [expected[key] for key in ("deviance", "AIC", "BIC")], rtol=2e-9
    )
    assert_allclose(found.sigma.drop("AVISIT").to_numpy(), expected["Sigma"], rtol=2e-3, atol=1e-2)
    assert found.sigma["AVISIT"].to_list() == ["VIS1", "VIS2", "VIS3", "VIS4"] == found.sigma.columns[1:]
    assert (found.observations, found.people) == (expected["n_obs"], expected["n_subjects"])
    assert found.dropped == 800 - 537
    assert found.message == "ok"


@pytest.mark.requirement("STATS-MMRM-TIGHT")
@pytest.mark.parametrize("kind", TIGHT)
def test_the_unstructured_fit_is_that_of_the_strictest_reference(kind, frame, shared_reference):
    expected = stored(shared_reference, "fev_mmrm_reference_tight.json")[kind]
    found = equipoise.mmrm(FEV, frame, method=TIGHT[kind])
    table, error = found.coefficients, np.array(expected["se"])
    assert table["term"].to_list() == expected["terms"]
    assert_allclose((table["estimate"].to_numpy() - expected["est"]) / error, 0, atol=1e-6)
    assert_allclose(table["standard_error"], error, rtol=1e-6)
    assert_allclose(table["df"], expected["df"], rtol=1e-4)
    assert_allclose(table["p_value"], expected["p"], rtol=1e-6)
    assert_allclose(found.deviance, expected["deviance"], rtol=1e-12)
    assert_allclose(np.sqrt(np.diag(found.covariance)), error, rtol=1e-6)


@pytest.mark.requirement("FORMULA-FITS")
@pytest.mark.requirement("STATS-MMRM-MEANS")
@pytest.mark.parametrize("case", MEANS)
def test_means_and_differences_are_those_of_emmeans(case, frame, reference):
    expected, found = reference[case], equipoise.mmrm(FEV, frame, method=MEANS[case])
    means = found.lsmeans(by=("ARMCD", "AVISIT"))
    differences = found.lsmeans(by=("ARMCD", "AVISIT"), compare="ARMCD")
    assert means.columns[:2] == ["ARMCD", "AVISIT"]
    assert differences.columns[:2] == ["contrast", "AVISIT"]
    for table, kind, name in ((means, "lsmeans", "emmean"), (differences, "contrasts", "estimate")):
        rows = pl.DataFrame(expected[kind])
        for label in table.columns[:2]:
            assert table[label].to_list() == rows[label].to_list()
        assert_allclose((table["estimate"] - rows[name]) / rows["SE"], 0, atol=3e-4)
        for ours, theirs in (("standard_error", "SE"), ("df", "df"), ("lower", "lower.CL"), ("upper", "upper.CL")):
            assert_allclose(table[ours], rows[theirs], rtol=1e-4, atol=1e-3)
    assert_allclose(differences["p_value"], [row["p.value"] for row in expected["contrasts"]], rtol=5e-3)


@pytest.mark.requirement("FORMULA-NOT-YET")
@pytest.mark.parametrize("case", LATER)
def test_what_is_not_here_yet_says_so(case, frame):
    with pytest.raises(InputError, match=r"not here yet.*\[not-yet\]"):
        fitted(frame, **LATER[case])
