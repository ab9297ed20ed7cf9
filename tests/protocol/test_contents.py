"""What a protocol says is there to be read: each part of the shipped protocols, as engines see it."""

from __future__ import annotations

import pytest

from equipoise.analysis.plan import plan
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol


@pytest.fixture(scope="module")
def model_trial() -> Protocol:
    return load_protocol("msc-t1d")


@pytest.fixture(scope="module")
def real_trial() -> Protocol:
    return load_protocol("t1dal")


@pytest.mark.requirement("PROTOCOL-STUDY")
def test_identity_registrations_arms_and_periods(model_trial: Protocol) -> None:
    assert {entry.number for entry in model_trial.study.registrations} == {"NCT04078308", "IRCT2016070428786N1"}
    assert [(arm.id, dict(arm.treatments)) for arm in model_trial.arms] == [
        ("group-a", {"period-1": "msc", "period-2": "saline"}),
        ("group-b", {"period-1": "saline", "period-2": "msc"}),
    ]
    assert model_trial.role("group-a", "period-1") == "active"
    assert model_trial.role("group-a", "period-2") == "placebo"


@pytest.mark.requirement("PROTOCOL-PRODUCTS")
def test_products_have_dose_route_days_and_release_tests(model_trial: Protocol) -> None:
    cells = model_trial.product("msc")
    assert (cells.dose.amount, cells.dose.unit, cells.dose.per, cells.route) == (1e6, "cells", "kg", "intravenous")
    assert len(cells.dose_days) == 2
    tests = {test.id: test for test in cells.release_tests}
    assert tests["cd73"].lower == 95 and tests["cd73"].use == "gate"
    assert tests["hla-dr"].upper == 2 and tests["hla-dr"].use == "report"


@pytest.mark.requirement("PROTOCOL-ELIGIBILITY")
def test_criteria_are_text_and_expression(model_trial: Protocol) -> None:
    criterion = next(item for item in model_trial.eligibility.inclusion if item.id == "age")
    assert criterion.text == "8 to 40 years old"
    expression = model_trial.criteria["age"]
    assert [expression.evaluate({"age": age}).answer for age in (7, 8, 40, 41)] == [False, True, True, False]


@pytest.mark.requirement("PROTOCOL-UNDETERMINED")
def test_a_missing_value_cannot_be_determined_and_is_named(model_trial: Protocol) -> None:
    assert str(model_trial.criteria["age"].evaluate({})) == "cannot be determined: age"
    infection = model_trial.criteria["infection"]
    negative = dict.fromkeys(("hiv", "htlv", "hbv", "hcv"), False)
    assert str(infection.evaluate(negative)) == "cannot be determined: cmv"
    assert infection.evaluate({**negative, "hcv": True}).answer is True, "one positive decides, whatever is missing"


@pytest.mark.requirement("PROTOCOL-RANDOMISATION")
def test_consent_method_ratio_blocks_limit_and_strata(model_trial: Protocol, real_trial: Protocol) -> None:
    assert model_trial.randomisation.participants == 21
    assert (model_trial.randomisation.method, model_trial.randomisation.limit) == ("big-stick", 2)
    assert (real_trial.randomisation.method, real_trial.randomisation.block_sizes) == ("permuted-blocks", (3,))
    assert [arm.ratio for arm in real_trial.arms] == [2, 1]
    assert [(stratum.id, stratum.recorded) for stratum in real_trial.randomisation.strata] == [("site", False)]
    assert "aspiration" in model_trial.consent.before
    assert {form.signed_by for form in model_trial.consent.forms} == {"participant", "guardian"}


@pytest.mark.requirement("PROTOCOL-CONVENTIONS")
def test_sets_clocks_baselines_windows_and_unscheduled_values(model_trial: Protocol) -> None:
    conventions = model_trial.conventions
    assert {item.rule for item in conventions.analysis_sets} >= {"randomised", "any-post-baseline", "dosed"}
    assert {clock.zero for clock in conventions.clocks} >= {"diagnosis", "allocation", "first-dose"}
    assert {baseline.id for baseline in conventions.baselines} == {"efficacy", "safety", "period-2"}
    assert (conventions.windows.rule, conventions.windows.unscheduled) == ("nominal", "listings-only")


@pytest.mark.requirement("PROTOCOL-ASSESSMENTS")
def test_an_assessment_has_all_that_reading_and_analysing_it_needs(real_trial: Protocol) -> None:
    test_meal = real_trial.assessment("mmtt")
    assert (test_meal.observation_class, test_meal.domain) == ("findings", "LB")
    cpeptide = test_meal.test("cpeptide")
    assert (cpeptide.code, cpeptide.unit, dict(cpeptide.conversions or {})) == ("CPEPTIDE", "nmol/L", {"ng/mL": 0.331})
    assert cpeptide.plausible == (0, 6)
    assert cpeptide.quantification is not None
    assert (cpeptide.quantification.lower, cpeptide.quantification.below) == (0.05, "half")
    assert test_meal.planned["week-24"][-1] == 120 and test_meal.planned["week-52"][-1] == 240


@pytest.mark.requirement("PROTOCOL-SAFETY")
def test_safety_reporting_and_the_stopping_rule(model_trial: Protocol) -> None:
    assert model_trial.safety.grading == "CTCAE 5.0"
    assert model_trial.safety.serious_report_hours == 24
    (rule,) = model_trial.safety.stopping_rules
    assert rule.minimum <= model_trial.randomisation.participants


@pytest.mark.requirement("PROTOCOL-ESTIMANDS")
def test_every_estimand_has_its_five_attributes(model_trial: Protocol) -> None:
    events = {event.id for event in model_trial.authored.intercurrent_events}
    assert len(events) >= 10
    for estimand in model_trial.estimands:
        assert estimand.population in {item.id for item in model_trial.conventions.analysis_sets}
        assert {estimand.contrast.active, estimand.contrast.reference} == {"group-a", "group-b"}
        assert model_trial.parameter(estimand.variable.parameter) and model_trial.visit(estimand.variable.visit)
        assert set(estimand.intercurrent_events) == events
        assert estimand.summary


@pytest.mark.requirement("PROTOCOL-ANALYSES", "PROTOCOL-T1DAL")
@pytest.mark.parametrize("name", ["t1dal", "msc-t1d"])
def test_each_analysis_resolves_to_a_method_with_its_options(name: str) -> None:
    planned = plan(load_protocol(name))
    assert len(planned.analyses) == len(planned.protocol.analyses)
    for item in planned.analyses:
        assert item.method.name == item.analysis.method
        assert isinstance(item.options, item.method.options)
        assert item.analysis.role


@pytest.mark.requirement("PROTOCOL-FROZEN")
def test_nothing_of_a_protocol_can_be_changed(real_trial: Protocol) -> None:
    with pytest.raises(AttributeError):
        real_trial.digest = "other"  # type: ignore[misc]  that is the point
    with pytest.raises(ValueError, match="frozen"):
        real_trial.study.title = "other"
    with pytest.raises(TypeError):
        real_trial.arms[0].treatments["main"] = "other"  # type: ignore[index]  that is the point
    with pytest.raises(TypeError):
        real_trial.assumed["x"] = "y"  # type: ignore[index]  that is the point
    with pytest.raises(TypeError):
        real_trial.estimands[0].intercurrent_events["x"] = "hypothetical"  # type: ignore[index]  that is the point
    with pytest.raises(TypeError):
        real_trial.analyses[0].options["x"] = 1  # type: ignore[index]  that is the point
    assert isinstance(real_trial.analyses[0].options["parameters"], tuple), "nor anything inside the options"
