"""The published 12-month results of T1DAL straight from its table of visits: Rigby 2013, Lancet Diabetes Endocrinol."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from equipoise.stats import ancova_design, contrast, difference_weights, fit_least_squares, one_sample_t

pytestmark = pytest.mark.requirement("ANALYSIS-T1DAL-CHANGE", "ANALYSIS-T1DAL-P", "ANALYSIS-T1DAL-OBSERVED")


class Endpoint:
    """Baseline and week 52 of one area under the curve, (1, 49), in nmol/L; observed, and imputed by the trial."""

    def __init__(self, folder, hours):
        with (folder / "participants.csv").open(newline="") as stream:
            arms = {row["participant"]: int(row["arm"] == "alefacept") for row in csv.DictReader(stream)}
        with (folder / "visits.csv").open(newline="") as stream:
            visits = {(row["participant"], row["visit"]): row for row in csv.DictReader(stream)}

        def column(visit, name):
            words = [visits.get((person, visit), {}).get(name) for person in arms]
            return np.array([[float(word) if word else np.nan for word in words]])

        measured, imputed = f"cpeptide_auc_{hours}h_nmol_l", f"cpeptide_auc_{hours}h_trial_imputed_nmol_l"
        self.arm = np.array([list(arms.values())])
        self.baseline = column("Baseline", measured)
        self.observed = column("Week 52", measured)
        self.completed = np.where(np.isnan(self.observed), column("Week 52", imputed), self.observed)

    def change(self, arm):
        change = self.completed - self.baseline
        return one_sample_t(change, (self.arm == arm) & ~np.isnan(change))

    def effect(self, week_52):
        outcome, included = np.log1p(week_52), ~np.isnan(week_52)
        design = ancova_design(self.arm, np.log1p(self.baseline)[..., None], 2)
        fit = fit_least_squares(outcome, design, included)
        return fit.n[0], contrast(fit, difference_weights(1, 0, 3))


@pytest.mark.parametrize(
    ("hours", "arm", "n", "printed"),
    [
        (2, 1, 33, ("0.015", "-0.080", "0.110")),
        (2, 0, 16, ("-0.115", "-0.278", "0.047")),
        (4, 1, 33, ("0.015", "-0.076", "0.106")),
        (4, 0, 16, ("-0.156", "-0.305", "-0.006")),
    ],
)
def test_mean_changes_and_their_intervals_are_found_to_the_printed_digit(t1dal, hours, arm, n, printed):
    found = Endpoint(t1dal, hours).change(arm)
    assert found.n[0] == n
    assert tuple(f"{value[0]:.3f}" for value in (found.estimate, found.lower, found.upper)) == printed


@pytest.mark.parametrize(("hours", "imputed", "observed"), [(2, "0.0646", "0.183"), (4, "0.0190", "0.060")])
def test_p_values_with_imputed_values_and_with_observed_ones_alone(t1dal, hours, imputed, observed):
    endpoint = Endpoint(t1dal, hours)
    n, found = endpoint.effect(endpoint.completed)
    assert (n, f"{found.p_value[0]:.4f}") == (49, imputed)
    n, found = endpoint.effect(endpoint.observed)
    assert (n, f"{found.p_value[0]:.3f}") == (42, observed)
