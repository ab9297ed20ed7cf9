"""What engines read: a frozen protocol with every default written out, the visits in order of day."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from pydantic import ValidationError

from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.source.expressions import Verdict
from tests.protocol.places import BASE, PROTOCOLS


@pytest.fixture(scope="module")
def base() -> Protocol:
    return load_protocol(BASE)


@pytest.fixture(scope="module")
def three() -> Protocol:
    return load_protocol(PROTOCOLS / "valid" / "three-arms.yaml")


@pytest.fixture(scope="module")
def crossover() -> Protocol:
    return load_protocol(PROTOCOLS / "valid" / "crossover.yaml")


@pytest.mark.requirement("PROTOCOL-STUDY")
def test_identity_registrations_arms_and_periods(base: Protocol, crossover: Protocol) -> None:
    assert (base.id, base.study.short_title, base.study.version) == ("base", "BASE", "1.0")
    assert [(entry.registry, entry.number) for entry in base.study.registrations] == [("Invented register", "INV-0001")]
    assert [(arm.id, arm.ratio) for arm in base.arms] == [("tablet", 1), ("placebo", 1)]
    assert [(period.id, period.first_day, period.last_day) for period in crossover.periods] == [
        ("first-year", 0, 364),
        ("second-year", 371, 735),
    ]


def test_arms_have_a_role_in_each_period(crossover: Protocol) -> None:
    roles = {arm.id: [crossover.role(arm.id, period.id) for period in crossover.periods] for arm in crossover.arms}
    assert roles == {"early": ["active", "placebo"], "late": ["placebo", "active"]}


@pytest.mark.requirement("PROTOCOL-PRODUCTS")
def test_products_have_doses_days_and_release_tests(crossover: Protocol) -> None:
    cells = crossover.product("cells")
    assert (cells.dose.amount, cells.dose.unit, cells.dose.per) == (1_000_000, "cells", "kg")
    assert (cells.route, cells.dose_days, cells.dose_window_days) == ("intravenous", (0, 28), 3)
    tests = {test.id: (test.lower, test.upper, test.expected, test.use) for test in cells.release_tests}
    assert tests == {
        "viability": (70, None, None, "gate"),
        "endotoxin": (None, 5, None, "gate"),
        "sterility": (None, None, "no growth", "gate"),
        "passage": (None, None, None, "report"),
    }


@pytest.mark.requirement("PROTOCOL-ELIGIBILITY", "PROTOCOL-UNDETERMINED")
def test_criteria_are_ready_to_be_decided(base: Protocol) -> None:
    assert list(base.criteria) == ["age", "pregnancy"]
    assert base.criteria["age"].evaluate({"age": 12}) == Verdict(True)
    assert base.criteria["pregnancy"].evaluate({"sex": "M"}) == Verdict(False)
    assert str(base.criteria["pregnancy"].evaluate({"sex": "F"})) == "cannot be determined: pregnant"


@pytest.mark.requirement("PROTOCOL-RANDOMISATION")
def test_consent_and_randomisation(base: Protocol, three: Protocol, crossover: Protocol) -> None:
    assert base.consent.before == ("mmtt", "hba1c", "wellbeing")
    assert [(form.id, form.from_age_years, form.below_age_years) for form in base.consent.forms] == [
        ("adult", 18, None),
        ("minor", 0, 18),
    ]
    assert (base.randomisation.method, base.randomisation.block_sizes) == ("permuted-blocks", (2, 4))
    assert [level.id for level in base.randomisation.strata[0].levels] == ["minor", "adult"]
    assert (three.randomisation.method, three.randomisation.probability) == ("minimisation", 0.8)
    assert [arm.ratio for arm in three.arms] == [1, 1, 1]
    assert [stratum.recorded for stratum in three.randomisation.strata] == [True, False]
    assert (crossover.randomisation.method, crossover.randomisation.limit) == ("big-stick", 3)


@pytest.mark.requirement("PROTOCOL-BLINDING")
def test_blinding_is_stated_item_by_item(crossover: Protocol) -> None:
    assert crossover.blinding.masked == ("participant", "investigator", "monitor")
    assert [(item.hides, item.hidden_from, item.until) for item in crossover.blinding.items] == [
        ("allocation", ("participant",), "database-lock"),
        ("dose-volume", ("monitor",), "end-of-period"),
        ("event-text", ("monitor",), "never"),
    ]


@pytest.mark.requirement("PROTOCOL-CONVENTIONS")
def test_conventions(three: Protocol, crossover: Protocol) -> None:
    assert [(item.id, item.rule, item.parameters) for item in three.conventions.analysis_sets] == [
        ("all", "randomised", ()),
        ("treated", "dosed", ()),
        ("seen", "any-post-baseline", ("auc",)),
    ]
    windows = three.conventions.windows
    assert (windows.rule, windows.tie, windows.unscheduled, windows.repeated) == (
        "nearest",
        "later",
        "in-windows",
        "last",
    )
    assert [clock.zero for clock in crossover.conventions.clocks] == ["first-dose", "allocation", "consent"]
    assert crossover.baseline("crossing").visit == "month-12"


def test_visits_stand_by_day_whatever_the_authored_order(three: Protocol) -> None:
    assert [visit.id for visit in three.authored.schedule.visits] == ["week-26", "baseline", "week-13"]
    assert [visit.id for visit in three.visits] == ["baseline", "week-13", "week-26"]
    assert three.assessment("meal").visits == ("baseline", "week-13", "week-26")


@pytest.mark.requirement("PROTOCOL-ASSESSMENTS")
def test_assessments_have_their_defaults_written_out(base: Protocol, three: Protocol) -> None:
    mmtt = base.assessment("mmtt")
    assert (mmtt.observation_class, mmtt.domain, mmtt.visits) == ("findings", "LB", ("baseline", "month-6", "month-12"))
    assert mmtt.minutes == (0, 30, 60, 90, 120)
    assert dict(mmtt.planned) == {
        "baseline": (0, 30, 60, 90, 120),
        "month-6": (0, 60, 120),
        "month-12": (0, 30, 60, 90, 120),
    }
    cpeptide = mmtt.test("cpeptide")
    assert (cpeptide.code, cpeptide.unit, cpeptide.plausible) == ("CPEPTIDE", "nmol/L", (0, 6))
    assert dict(cpeptide.conversions or {}) == {"ng/mL": 0.331}
    limits = cpeptide.quantification
    assert limits is not None
    assert (limits.lower, limits.upper, limits.unit, limits.below) == (0.05, 20, "ng/mL", "half")
    assert dict(base.assessment("hba1c").planned) == {"baseline": (), "month-12": ()}
    assert base.assessment("adverse").visits == ()
    assert three.assessment("meal").minutes == (-10, 0, 60, 90, 120)


@pytest.mark.requirement("PROTOCOL-QUESTIONNAIRES")
def test_a_questionnaire_is_an_assessment_whose_items_are_its_tests(base: Protocol) -> None:
    wellbeing = base.assessment("wellbeing")
    assert (wellbeing.observation_class, wellbeing.domain, wellbeing.visits) == (
        "findings",
        "QS",
        ("baseline", "month-12"),
    )
    assert [(test.id, test.code, test.plausible) for test in wellbeing.tests] == [
        ("sleep", "WBSLEEP", (0, 4)),
        ("energy", "WBENERGY", (0, 4)),
        ("mood", "WBMOOD", (0, 10)),
    ]
    assert wellbeing.questionnaire is not None
    assert wellbeing.questionnaire.from_age_years == 8
    assert [assessment.id for assessment in base.findings] == ["mmtt", "hba1c", "wellbeing"]
    assert list(base.files) == ["questionnaires/wellbeing.yaml"]


@pytest.mark.requirement("PROTOCOL-SAFETY")
def test_safety_says_what_is_reported_and_when_to_stop(base: Protocol) -> None:
    assert (base.safety.grading, base.safety.serious_report_hours, base.safety.follow_up_days) == ("CTCAE 5.0", 24, 30)
    (rule,) = base.safety.stopping_rules
    assert (rule.prior, rule.threshold, rule.certainty, rule.minimum) == ((1, 9), 0.1, 0.95, 6)


@pytest.mark.requirement("PROTOCOL-ESTIMANDS")
def test_an_estimand_has_its_five_attributes(base: Protocol) -> None:
    estimand = base.estimand("auc")
    assert estimand.population == "full"
    assert (estimand.contrast.active, estimand.contrast.reference) == ("tablet", "placebo")
    assert (estimand.variable.parameter, estimand.variable.visit) == ("auc", "month-12")
    assert dict(estimand.intercurrent_events) == {"stopped": "treatment-policy"}
    assert estimand.summary == "difference-in-means"
    assert base.parameter("auc").options["source"] == "mmtt.cpeptide"


@pytest.mark.requirement("PROTOCOL-ANALYSES", "PROTOCOL-CLAIMS")
def test_analyses_and_claims(base: Protocol) -> None:
    assert [(item.id, item.method, item.role, item.family, item.of) for item in base.analyses] == [
        ("auc", "ancova", "primary", "confirmatory", None),
        ("auc-hc3", "ancova", "sensitivity", None, "auc"),
        ("course", "descriptive", "descriptive", None, None),
    ]
    assert [(claim.id, claim.rule, [(p.analysis, p.direction) for p in claim.parts]) for claim in base.claims] == [
        ("works", "every-part", [("auc", "higher")]),
        ("described", "descriptive", []),
    ]


@pytest.mark.requirement("PROTOCOL-ASSUMED")
def test_what_was_assumed_stands_with_its_reason(base: Protocol) -> None:
    assert dict(base.assumed) == {
        "products.tablet.dose.amount": "Chosen so that the example has a dose.",
        "assessments.mmtt.tests.cpeptide.conversions.ng/mL": "As in T1DAL.",
    }


def test_what_does_not_exist_is_a_key_error(base: Protocol) -> None:
    for look_up in (base.arm, base.product, base.visit, base.assessment, base.parameter, base.estimand, base.baseline):
        with pytest.raises(KeyError, match="nothing-of-this-name"):
            look_up("nothing-of-this-name")
    with pytest.raises(KeyError):
        base.assessment("mmtt").test("insulin")


def changes(protocol: Protocol) -> dict[str, Any]:
    return {
        "attribute": lambda: setattr(protocol, "digest", "other"),
        "part": lambda: setattr(protocol.study, "title", "other"),
        "deep part": lambda: setattr(protocol.products[0].dose, "amount", 11),
        "mapping": lambda: protocol.arms[0].treatments.__setitem__("main", "placebo"),
        "default mapping": lambda: protocol.analyses[2].options.__setitem__("level", 1),
        "conversions": lambda: protocol.assessment("mmtt").tests[0].conversions.__setitem__("mg/L", 1),
        "assumed": lambda: protocol.assumed.__setitem__("id", "other"),
        "planned": lambda: protocol.assessment("mmtt").planned.__setitem__("month-6", ()),
        "criteria": lambda: protocol.criteria.__delitem__("age"),
        "files": lambda: protocol.files.__setitem__("x", "y"),
        "lines": lambda: protocol.document.lines.__setitem__((), 0),
    }


@pytest.mark.requirement("PROTOCOL-FROZEN")
def test_nothing_in_a_loaded_protocol_can_be_changed(base: Protocol) -> None:
    for change in changes(base).values():
        with pytest.raises((FrozenInstanceError, ValidationError, TypeError, AttributeError)):
            change()
    assert base == load_protocol(BASE)
