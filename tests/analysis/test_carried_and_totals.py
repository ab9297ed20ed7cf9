"""Carried values, prorated totals, rounding, body-mass index, sets by data, and sites and doses in models."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from equipoise.analysis.data import AnalysisData, DerivationData
from equipoise.analysis.derivations.body_mass import DERIVATION as BODY_MASS
from equipoise.analysis.derivations.carried import DERIVATION as CARRIED
from equipoise.analysis.derivations.questionnaire_scale import total_score
from equipoise.analysis.derivations.transformed import ROUNDED
from equipoise.analysis.derive import analysis_sets
from equipoise.analysis.methods.ancova import METHOD as ANCOVA
from equipoise.analysis.methods.repeated_measures import METHOD as MMRM
from equipoise.analysis.methods.sites import POOLED, Sites, site_columns
from equipoise.analysis.plan import plan
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.panel import HELD, MISSED, Panel
from tests.records.panels import make_panel

MISSING = np.nan


@pytest.fixture(scope="module")
def pilot() -> Protocol:
    return load_protocol("cdisc-pilot")


@pytest.fixture(scope="module")
def panel(pilot: Protocol) -> Panel:
    return make_panel(pilot, 6, 1, 0.0, awkward=False)


def values(panel: Panel, **at: list[float]) -> np.ndarray:
    """A parameter of the panel's people, (1, n, visits): by visit, with _ for -, the values of the first people."""
    found = np.full((1, panel.participants, len(panel.protocol.visits)), np.nan)
    for visit, given in at.items():
        found[0, : len(given), panel.visit_index(visit.replace("_", "-"))] = given
    return found


def derived(derivation, panel: Panel, parameters: dict[str, np.ndarray], **options: object) -> np.ndarray:
    data = DerivationData(panel, MappingProxyType(parameters))
    return derivation.derive(data, panel.protocol.parameters[0], derivation.options(**options))


@pytest.mark.requirement("ANALYSIS-CARRIED")
def test_the_last_analysed_value_stands_in_baseline_included_and_nowhere_else(panel: Panel) -> None:
    given = values(
        panel,
        screening=[9.0, 9.0, 9.0],
        baseline=[1.0, 2.0, MISSING],
        week_8=[3.0, MISSING, MISSING],
        week_16=[MISSING, MISSING, 5.0],
        week_24=[4.0, MISSING, MISSING],
    )
    found = derived(CARRIED, panel, {"x": given}, parameter="x", baseline="efficacy")
    expected = values(panel, baseline=[1, 2], week_8=[3, 2], week_16=[3, 2, 5], week_24=[4, 2, 5])
    np.testing.assert_array_equal(found, expected)


@pytest.mark.requirement("ANALYSIS-CARRIED")
def test_it_comes_with_a_caution() -> None:
    assert "as if it had been measured" in CARRIED.caution


@pytest.mark.requirement("ANALYSIS-TOTALS")
def test_unanswered_items_are_prorated_by_their_own_ranges(pilot: Protocol, panel: Panel) -> None:
    assessment = next(item for item in pilot.assessments if item.id == "adas-cog")
    questionnaire = assessment.questionnaire
    assert questionnaire is not None
    total = questionnaire.totals[0]
    block = panel.blocks["adas-cog"]
    answers = np.zeros(block.value.shape)
    answers[0, 0, :, 0, :] = [item.highest for item in questionnaire.items]
    answers[0, 1, :, 0, 0] = 5.0
    answers[0, 2, :, 0, 0] = 5.0
    answers[0, 2, :, 0, 1:] = np.nan
    answers[0, 3] = np.nan
    found = total_score(questionnaire, total, replace(block, value=answers))[0, :, 0]
    np.testing.assert_allclose(found[:3], [70.0, 5.0, 70 * 5 / 10])
    assert np.isnan(found[3])
    strict = total.model_copy(update={"answered": len(total.items)})
    assert np.isnan(total_score(questionnaire, strict, replace(block, value=answers))[0, 2, 0])


@pytest.mark.parametrize(
    ("value", "decimals", "rounded"), [(0.25, 1, 0.3), (-0.25, 1, -0.3), (2.675, 2, 2.68), (7.4, 0, 7)]
)
def test_rounding_is_that_of_people(panel: Panel, value: float, decimals: int, rounded: float) -> None:
    found = derived(ROUNDED, panel, {"x": values(panel, week_8=[value])}, parameter="x", decimals=decimals)
    assert found[0, 0, panel.visit_index("week-8")] == pytest.approx(rounded, abs=1e-12)


def test_body_mass_is_by_the_last_height_until_then(panel: Panel) -> None:
    height = values(panel, screening=[200.0, MISSING], week_16=[MISSING, 150.0])
    weight = values(panel, baseline=[80.0, 45.0], week_24=[100.0, 45.0])
    found = derived(BODY_MASS, panel, {"w": weight, "h": height}, weight="w", height="h")
    expected = values(panel, baseline=[20.0, MISSING], week_24=[25.0, 20.0])
    np.testing.assert_allclose(found, expected)


@pytest.mark.requirement("ANALYSIS-SETS-BY-DATA")
def test_sets_follow_from_values_visits_sex_and_one_another(pilot: Protocol, panel: Panel) -> None:
    status = np.full((1, 6), 2.0)
    covariates = {**panel.covariates, "status": status, "sex": np.array([[0.0, 1, 0, 1, 0, np.nan]])}
    held = np.full(panel.visit_status.shape, MISSED, np.int8)
    held[0, :2, panel.visit_index("week-24")] = HELD
    panel = replace(panel, covariates=MappingProxyType(covariates), visit_status=held)
    both = {
        "adas-cog": values(panel, baseline=[1.0] * 6, week_8=[1.0, MISSING, 1.0, 1.0], week_24=[1.0, 1.0]),
        "cibic": values(panel, baseline=[1.0] * 6, week_16=[1.0, 1.0, MISSING, 1.0]),
    }
    sets = {name: found[0].nonzero()[0].tolist() for name, found in analysis_sets(panel, both).items()}
    assert sets == {
        "randomised": [0, 1, 2, 3, 4, 5],
        "efficacy": [0, 1, 3],
        "completers": [0, 1],
        "men": [1, 3],
        "women": [0],
    }


def sited(panel: Panel, sites: list[str], arms: list[int]) -> AnalysisData:
    labels = {**panel.labels, "site": np.array([sites])}
    panel = replace(panel, labels=MappingProxyType(labels), arm=np.array([arms], np.int8))
    return AnalysisData(panel, MappingProxyType({}), MappingProxyType({}), hidden=False)


@pytest.mark.requirement("ANALYSIS-SITES")
def test_sites_with_too_few_in_any_arm_are_one_group(panel: Panel) -> None:
    data = sited(panel, ["a", "a", "a", "b", "b", "c"], [0, 1, 2, 0, 1, 2])
    np.testing.assert_array_equal(site_columns(data, Sites(fewest=1))[0, :, 0], [0, 0, 0, 1, 1, 1])
    assert POOLED > "c"
    apart = site_columns(sited(panel, ["a", "a", "a", "b", "b", "b"], [0, 1, 2, 0, 1, 2]), Sites(fewest=1))
    np.testing.assert_array_equal(apart[0, :, 0], [0, 0, 0, 1, 1, 1])
    unknown = site_columns(sited(panel, ["a", "a", "a", "b", "b", ""], [0, 1, 2, 0, 1, 2]), Sites())
    assert np.isnan(unknown[0, 5]).all() and not np.isnan(unknown[0, :5]).any()


@pytest.mark.requirement("ANALYSIS-SITES")
def test_one_group_alone_adds_no_column(panel: Panel) -> None:
    data = sited(panel, ["a", "b", "a", "b", "c", "d"], [0, 1, 2, 0, 1, 2])
    assert site_columns(data, Sites(fewest=2)).shape == (1, 6, 0)


def told(protocol: Protocol, name: str, method, **options: object) -> list[str]:
    analysis = next(item for item in protocol.analyses if item.id == name)
    return [item.rule for item in method.objections(protocol, analysis, method.options(**options))]


@pytest.mark.requirement("ANALYSIS-DOSES")
def test_doses_are_those_of_all_arms(pilot: Protocol) -> None:
    assert told(pilot, "dose", ANCOVA, doses={"placebo": 0, "low-dose": 54}) == ["doses-of-arms"]
    every = {"placebo": 0, "low-dose": 54, "high-dose": 81}
    assert told(pilot, "dose", ANCOVA, doses=every) == []
    assert told(pilot, "dose", ANCOVA, doses=every, two_arms=True) == ["doses-of-arms"]


@pytest.mark.requirement("ANALYSIS-DOSES")
def test_one_visit_cannot_answer_for_an_average(pilot: Protocol) -> None:
    given = {"visits": ("week-8", "week-24"), "baseline": "efficacy", "average": True}
    assert told(pilot, "repeated-low", MMRM, **given, rungs=("ancova",)) == ["rungs-of-average"]
    assert MMRM.options(**given).usable[-1] != "ancova"
    assert "ancova" in MMRM.options(**{**given, "average": False}).usable


def test_the_pilot_can_be_planned(pilot: Protocol) -> None:
    assert len(plan(pilot).analyses) == 36
