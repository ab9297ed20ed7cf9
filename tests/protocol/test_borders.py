"""Each rule at its border: what is just allowed, what is just refused, and what the message says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.errors import InputError
from equipoise.protocol.load import load_protocol
from equipoise.protocol.lookup import listed

pytestmark = pytest.mark.requirement("PROTOCOL-BORDERS")
SMALL = Path(__file__).parents[2] / "examples" / "small-trial" / "protocol.yaml"
QUANTIFICATION = "protocol.assessments.blood.tests.cpeptide.quantification"
FORMS = "protocol.consent.forms"
CELLS = "{id: t, label: T, unit: '%', use: gate, timing: before-release, "
REPORTED = "{id: u, label: U, unit: '%', use: report, timing: before-release}"
TWO_PERIODS = (
    (
        "protocol.periods=[{id: main, label: A, first_day: 0, last_day: 190},"
        " {id: next, label: B, first_day: FIRST, last_day: 300}]"
    ),
    (
        "protocol.arms=[{id: tablet, label: T, treatments: {main: tablet, next: tablet}},"
        " {id: placebo, label: P, treatments: {main: placebo, next: placebo}}]"
    ),
)


def strata(*expressions: str) -> list[str]:
    levels = (f"{{id: l{number}, label: L, expression: {text}}}" for number, text in enumerate(expressions))
    return [f"protocol.randomisation.strata=[{{id: s, label: S, levels: [{', '.join(levels)}]}}]"]


def told(*changes: str) -> list[str]:
    """The rule of each problem; none where the protocol is valid."""
    try:
        load_protocol(SMALL, list(changes))
    except InputError as error:
        return [problem.rule for problem in error.problems]
    return []


def form(name: str, since: int | None = None, below: int | None = None) -> str:
    ages = "" if since is None else f", from_age_years: {since}"
    ages += "" if below is None else f", below_age_years: {below}"
    return f"{{id: {name}, label: L, version: '1.0', signed_by: participant{ages}}}"


BORDERS = {
    "a period may last a day, and no less": (
        [change.replace("FIRST", "299") for change in TWO_PERIODS],
        [change.replace("FIRST", "300") for change in TWO_PERIODS],
        "period-order",
    ),
    "a period begins the day after the one before it": (
        [change.replace("FIRST", "191") for change in TWO_PERIODS],
        [change.replace("FIRST", "190") for change in TWO_PERIODS],
        "period-overlap",
    ),
    "a visit may be on the last day of its period": (
        ["protocol.periods.main.last_day=182"],
        ["protocol.periods.main.last_day=181"],
        "visit-in-period",
    ),
    "a visit may be on the first day of its period": (
        ["protocol.periods.main.first_day=0", "protocol.schedule.visits.month-3.day=11"],
        ["protocol.periods.main.first_day=92", "protocol.schedule.visits.month-3.day=91"],
        "visit-in-period",
    ),
    "a visit without a period may be on the first day": (
        ["protocol.schedule.visits.baseline.day=0"],
        ["protocol.schedule.visits.baseline.day=1"],
        "visit-in-period",
    ),
    "two visits' days may touch and not meet": (
        ["protocol.schedule.visits.month-3.before=90"],
        ["protocol.schedule.visits.month-3.before=91"],
        "visit-windows",
    ),
    "a late day counts too": (
        ["protocol.schedule.visits.month-3.after=80"],
        ["protocol.schedule.visits.month-3.after=81"],
        "visit-windows",
    ),
    "a dose may be on the last day of the period, counted from its first": (
        ["protocol.products.tablet.dose_days=[0, 190]"],
        ["protocol.products.tablet.dose_days=[0, 191]"],
        "dose-day-in-period",
    ),
    "doses a day apart": (
        ["protocol.products.tablet.dose_days=[3, 4]"],
        ["protocol.products.tablet.dose_days=[4, 4]"],
        "dose-days-order",
    ),
    "a dose at its lowest": (
        ["protocol.products.tablet.dose={amount: 10, unit: mg, lowest: 10, highest: 12}"],
        ["protocol.products.tablet.dose={amount: 10, unit: mg, lowest: 10.5, highest: 12}"],
        "dose-range",
    ),
    "a dose at its highest": (
        ["protocol.products.tablet.dose={amount: 10, unit: mg, lowest: 8, highest: 10}"],
        ["protocol.products.tablet.dose={amount: 10, unit: mg, lowest: 8, highest: 9.5}"],
        "dose-range",
    ),
    "limits of a release test may be one number": (
        [f"protocol.products.tablet.release_tests=[{CELLS} lower: 5, upper: 5}}]"],
        [f"protocol.products.tablet.release_tests=[{CELLS} lower: 5.1, upper: 5}}]"],
        "release-limits",
    ),
    "one limit makes a gate": (
        [f"protocol.products.tablet.release_tests=[{CELLS} upper: 5}}]"],
        [f"protocol.products.tablet.release_tests=[{CELLS.rstrip(', ')}}}]"],
        "gate-has-limit",
    ),
    "words make a gate, and not with a limit beside them": (
        [f"protocol.products.tablet.release_tests=[{CELLS} expected: clear}}]"],
        [f"protocol.products.tablet.release_tests=[{CELLS} expected: clear, lower: 1}}]"],
        "release-kind",
    ),
    "a test that is reported only needs no limit, and is no gate for cells": (
        [
            "protocol.products.tablet.kind=autologous-cells",
            (f"protocol.products.tablet.release_tests=[{CELLS} lower: 5}}, {REPORTED}]"),
        ],
        [
            "protocol.products.tablet.kind=autologous-cells",
            f"protocol.products.tablet.release_tests=[{REPORTED}]",
        ],
        "cells-have-gate",
    ),
    "plausible values are a range": (
        ["protocol.assessments.blood.tests.hba1c.plausible=[4, 4.1]"],
        ["protocol.assessments.blood.tests.hba1c.plausible=[4, 4]"],
        "plausible-range",
    ),
    "limits of quantification ascend": (
        [f"{QUANTIFICATION}={{lower: 0.05, upper: 0.06, unit: ng/mL}}"],
        [f"{QUANTIFICATION}={{lower: 0.05, upper: 0.05, unit: ng/mL}}"],
        "quantification-order",
    ),
    "an upper limit alone is a limit": (
        [f"{QUANTIFICATION}={{upper: 12, unit: ng/mL}}"],
        [f"{QUANTIFICATION}={{unit: ng/mL}}"],
        "quantification-limit",
    ),
    "limits are in the unit of the test or one that can be converted": (
        [f"{QUANTIFICATION}={{lower: 0.05, unit: nmol/L}}"],
        [f"{QUANTIFICATION}={{lower: 0.05, unit: pmol/L}}"],
        "quantification-unit",
    ),
    "the first age and the last have a form": (
        [f"{FORMS}=[{form('young', 18, 40)}, {form('old', 40)}]"],
        [f"{FORMS}=[{form('young', 18, 39)}, {form('old', 40)}]"],
        "consent-every-age",
    ),
    "whoever is excluded needs no form": (
        [f"{FORMS}=[{form('adult', 18)}]"],
        [f"{FORMS}=[{form('adult', 19)}]"],
        "consent-every-age",
    ),
    "the oldest have a form": (
        [
            "protocol.eligibility.inclusion.adult.expression=age >= 18.0 && age < 65.0",
            f"{FORMS}=[{form('adult', None, 65)}]",
        ],
        [
            "protocol.eligibility.inclusion.adult.expression=age >= 18.0 && age <= 65.0",
            f"{FORMS}=[{form('adult', None, 65)}]",
        ],
        "consent-every-age",
    ),
    "a form is for one year of age at least": (
        [f"{FORMS}=[{form('adult', 0, 19)}, {form('b', 19)}]"],
        [f"{FORMS}=[{form('adult')}, {form('b', 19, 19)}]"],
        "age-range",
    ),
    "blocks hold whole ratios": (
        ["protocol.randomisation.block_sizes=[2, 6]"],
        ["protocol.randomisation.block_sizes=[2, 5]"],
        "block-fits-ratio",
    ),
    "blocks of 2 to 1": (
        ["protocol.arms.tablet.ratio=2", "protocol.randomisation.block_sizes=[3]"],
        ["protocol.arms.tablet.ratio=2", "protocol.randomisation.block_sizes=[4]"],
        "block-fits-ratio",
    ),
    "big stick is for equal arms": (
        ["protocol.randomisation={participants: 12, method: big-stick, limit: 2}", "protocol.assumed={}"],
        [
            "protocol.randomisation={participants: 12, method: big-stick, limit: 2}",
            "protocol.assumed={}",
            "protocol.arms.tablet.ratio=2",
        ],
        "method-ratio",
    ),
    "minimisation is for equal shares": (
        ["protocol.randomisation={participants: 12, method: minimisation, probability: 0.8}", "protocol.assumed={}"],
        [
            "protocol.randomisation={participants: 12, method: minimisation, probability: 0.8}",
            "protocol.assumed={}",
            "protocol.arms.tablet.ratio=2",
        ],
        "method-ratio",
    ),
    "a stratum has two levels": (
        [
            "protocol.randomisation.strata=[{id: s, label: S, levels: [{id: a, label: A}, {id: b, label: B}]}]",
        ],
        ["protocol.randomisation.strata=[{id: s, label: S, levels: [{id: a, label: A}]}]"],
        "stratum-levels",
    ),
    "all levels have an expression or none": (
        [
            (
                "protocol.randomisation.strata=[{id: s, label: S, levels: [{id: a, label: A, expression: age < 30.0},"
                " {id: b, label: B, expression: age >= 30.0}]}]"
            )
        ],
        [
            (
                "protocol.randomisation.strata=[{id: s, label: S, levels: [{id: a, label: A, expression: age < 30.0},"
                " {id: b, label: B}]}]"
            )
        ],
        "stratum-expressions",
    ),
    "every eligible age has a level": (
        strata("age < 30.0", "age >= 30.0"),
        strata("age < 30.0", "age > 30.0"),
        "strata-one-level",
    ),
    "no age has two levels": (
        strata("age < 30.0", "age >= 30.0 && age < 50.0", "age >= 50.0"),
        strata("age < 30.0", "age >= 30.0 && age <= 50.0", "age >= 50.0"),
        "strata-one-level",
    ),
    "a gap of ages that are not eligible is none": (
        strata("age < 18.0 && age > 17.0", "age >= 18.0"),
        strata("age < 19.0 && age > 18.0", "age >= 19.0"),
        "strata-one-level",
    ),
    "an arm is compared with another": (
        ["protocol.estimands.hba1c.contrast={active: placebo, reference: tablet}"],
        ["protocol.estimands.hba1c.contrast={active: tablet, reference: tablet}"],
        "contrast-differs",
    ),
    "a set by values names its parameters": (
        [
            (
                "protocol.conventions.analysis_sets=[{id: randomised, label: R, rule: randomised},"
                " {id: seen, label: S, rule: any-post-baseline, parameters: [hba1c], within: randomised}]"
            )
        ],
        [
            (
                "protocol.conventions.analysis_sets=[{id: randomised, label: R, rule: randomised},"
                " {id: seen, label: S, rule: any-post-baseline, within: randomised}]"
            )
        ],
        "set-parameters",
    ),
    "a set by visits names its visits": (
        [
            (
                "protocol.conventions.analysis_sets=[{id: randomised, label: R, rule: randomised},"
                " {id: seen, label: S, rule: visit-held, visits: [month-6]}]"
            )
        ],
        [
            "protocol.conventions.analysis_sets=[{id: randomised, label: R, rule: randomised, visits: [month-6]}]",
        ],
        "set-visits",
    ),
    "a set lies within one before it": (
        [
            (
                "protocol.conventions.analysis_sets=[{id: randomised, label: R, rule: randomised},"
                " {id: all, label: S, rule: dosed, within: randomised}]"
            )
        ],
        [
            (
                "protocol.conventions.analysis_sets=[{id: all, label: S, rule: dosed, within: randomised},"
                " {id: randomised, label: R, rule: randomised}]"
            )
        ],
        "set-within",
    ),
}


@pytest.mark.parametrize(("allowed", "refused", "rule"), BORDERS.values(), ids=BORDERS)
def test_a_rule_at_its_border(allowed: list[str], refused: list[str], rule: str) -> None:
    assert told(*allowed) == []
    assert rule in told(*refused)


def test_both_overlapping_visits_are_told_with_the_days_on_which_they_meet() -> None:
    with pytest.raises(InputError) as refused:
        load_protocol(SMALL, ["protocol.schedule.visits.month-6.before=90"])
    (problem,) = refused.value.problems
    assert "as early as day 92" in str(problem) and "as late as day 101" in str(problem)


def test_the_first_age_without_a_form_is_named() -> None:
    changes = [
        "protocol.eligibility.inclusion.adult.expression=age >= 8.0",
        f"{FORMS}=[{form('child', None, 14)}, {form('adult', 18)}]",
    ]
    with pytest.raises(InputError, match="no form is for participants of 14 years"):
        load_protocol(SMALL, changes)


@pytest.mark.parametrize(("count", "shown"), [(1, "a01"), (12, "a12"), (13, "a12, …")])
def test_a_dozen_names_are_listed_and_the_rest_hinted_at(count: int, shown: str) -> None:
    names = [f"a{number:02d}" for number in range(count, 0, -1)]
    assert listed(names).endswith(shown) and listed(names).startswith("a01")
    assert listed(names).count("a") == min(count, 12)


def problems(*changes: str) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as refused:
        load_protocol(SMALL, list(changes))
    return [(problem.rule, str(problem)) for problem in refused.value.problems]


def test_the_oldest_age_needs_a_form_too() -> None:
    ((rule, text),) = problems(f"{FORMS}=[{form('adult', 18, 120)}]", "protocol.eligibility.exclusion=[]")
    assert rule == "consent-every-age" and "participants of 120 years" in text
    assert told(f"{FORMS}=[{form('adult', 18, 121)}]", "protocol.eligibility.exclusion=[]") == []


def test_without_a_variable_of_age_forms_may_leave_no_gap_between_them() -> None:
    plain = (
        "protocol.eligibility={variables: [{name: fit, label: Fit, type: boolean}],"
        " inclusion: [{id: fit, text: Fit, expression: fit}]}"
    )
    ((rule, text),) = problems(plain, f"{FORMS}=[{form('child', 8, 12)}, {form('adult', 13, 14)}]")
    assert rule == "consent-every-age" and "participants of 12 years" in text
    assert told(plain, f"{FORMS}=[{form('child', 8, 13)}, {form('adult', 13, 14)}]") == []


def test_a_form_without_an_age_is_told_alone() -> None:
    found = problems(f"{FORMS}=[{form('child', 12, 12)}, {form('adult', 30)}]")
    assert [rule for rule, _ in found] == ["age-range"]


def test_of_three_periods_the_one_that_begins_too_early_is_named() -> None:
    three = (
        "protocol.periods=[{id: main, label: A, first_day: 0, last_day: 190},"
        " {id: next, label: B, first_day: 190, last_day: 200}, {id: last, label: C, first_day: 201, last_day: 300}]"
    )
    treated = "{main: tablet, next: tablet, last: tablet}"
    arms = (
        f"protocol.arms=[{{id: tablet, label: T, treatments: {treated}}},"
        " {id: placebo, label: P, treatments: {main: placebo, next: placebo, last: placebo}}]"
    )
    assert [(rule, "periods.next.first_day" in text) for rule, text in problems(three, arms)] == [
        ("period-overlap", True)
    ]


def test_a_gap_below_zero_is_seen_where_any_level_has_a_negative_limit() -> None:
    more = (
        "protocol.eligibility.variables=[{name: age, label: Age, type: number, unit: years},"
        " {name: change, label: Change, type: number}]"
    )
    assert told(more, *strata("change < -5.0", "change >= 0.0")) == ["strata-one-level"]
    assert told(more, *strata("change < -5.0", "change >= -5.0")) == []
    assert told(more, *strata("change < 5.0 && change >= 0.0", "change >= 5.0")) == [], "no limit is negative"
