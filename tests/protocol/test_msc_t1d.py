"""The model trial: every public fact stands in its protocol, and everything else is marked as our choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from equipoise.analysis.plan import plan
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.source.paths import Step, find_steps, format_path, value_at

# Keys whose values word or name a thing, and promise nothing about the trial.
WORDING = frozenset({"label", "short_title", "version", "text", "note", "citation", "name"})
NAMING = WORDING | {"id", "code", "unit", "type", "class", "domain", "role"}
ROLES_MATTER = "analyses."  # there `role` is a promise; a product's says which of two it is

FACTS: Mapping[str, Any] = {
    "schema": "equipoise/protocol/2",
    "study.title": "Mesenchymal stem cell transplantation in newly diagnosed type-1 diabetes patients: a phase I/II "
    "randomized placebo-controlled clinical trial",
    "study.phase": "I/II",
    "study.sponsor": "Royan Institute, Tehran",
    "study.registrations.0.registry": "ClinicalTrials.gov",
    "study.registrations.0.number": "NCT04078308",
    "study.registrations.1.registry": "Iranian Registry of Clinical Trials",
    "study.registrations.1.number": "IRCT2016070428786N1",
    "study.publications.izadi-2022.doi": "10.1186/s13287-022-02941-w",
    "arms.group-a.treatments.period-1": "msc",
    "arms.group-a.treatments.period-2": "saline",
    "arms.group-b.treatments.period-1": "saline",
    "arms.group-b.treatments.period-2": "msc",
    "products.msc.kind": "autologous-cells",
    "products.msc.route": "intravenous",
    "products.msc.dose.amount": 1_000_000,
    "products.msc.dose.per": "kg",
    "products.saline.kind": "saline",
    "eligibility.inclusion.age.expression": "age >= 8 && age <= 40",
    "eligibility.inclusion.type-1-diabetes.expression": "ada_criteria",
    "eligibility.inclusion.newly-diagnosed.expression": "days_since_diagnosis <= 42",
    "eligibility.inclusion.autoimmune.expression": "autoantibody_positive",
    "eligibility.inclusion.beta-cells-left.expression": "fasting_cpeptide >= 0.3",
    "eligibility.exclusion.pregnancy.expression": "pregnant_or_breastfeeding",
    "eligibility.exclusion.cancer.expression": "cancer",
    "eligibility.exclusion.disease.expression": "acute_or_severe_disease",
    "eligibility.exclusion.infection.expression": "hiv || htlv || hbv || hcv || cmv",
    "eligibility.exclusion.immunity.expression": "immune_deficiency || hypersensitivity",
    "eligibility.exclusion.ketoacidosis.expression": "severe_ketoacidosis_history",
    "randomisation.participants": 21,
    "safety.grading": "CTCAE 5.0",
}
"""Path -> value, for everything in the file that is published of the trial and is more than a name."""

SAID_IN_SUMMARY = (
    "Phase I/II, randomised, placebo-controlled, triple-blind trial with a delayed crossover",
    "Tehran, 2015 to 2020, registered retrospectively",
    "Of 212 people assessed for eligibility 43 were selected for further verification and 21 were randomised",
    "20 had been planned",
    "Informed consent and full eligibility come first, then allocation, then the aspiration of bone marrow",
    "followed for at least a year after the cells",
    "Group A has two intravenous doses of its own cells in period 1 and placebo (normal saline) in period 2",
    "group B has placebo in period 1 and its cells in period 2",
    "Each period lasts 12 months",
    "the trial is analysed at 12 and 24 months",
    "20 people were treated with cells in all, 11 within a year of diagnosis and 9 later",
    "0.92 (SD 0.57) ng/mL in 11",
    "The primary outcome is safety; efficacy is the change from baseline",
    "before and 48 hours after",
    "SF-36 and a diabetes-specific questionnaire (DSQOL)",
    "SPSS 13",
)


@pytest.fixture(scope="module")
def trial() -> Protocol:
    return load_protocol("msc-t1d")


def leaves(data: Any, steps: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """The steps to every value of a document that holds no other: numbers, words, and lists left empty."""
    if isinstance(data, dict) and data:
        for key, value in data.items():
            yield from leaves(value, (*steps, key))
    elif isinstance(data, list) and data:
        for index, value in enumerate(data):
            yield from leaves(value, (*steps, index))
    else:
        yield steps


def begins(path: str, start: str) -> bool:
    return path == start or path.startswith(f"{start}.")


def choices(data: Any) -> list[str]:
    """The paths of all values that are neither names nor facts, so that somebody chose them."""
    found = [(steps, format_path(data, steps)) for steps in leaves(data) if steps[0] != "assumed"]
    return [
        path
        for steps, path in found
        if path not in FACTS
        and path != "study.summary"
        and not (steps[-1] in NAMING and not (steps[-1] == "role" and path.startswith(ROLES_MATTER)))
    ]


@pytest.mark.requirement("PROTOCOL-MSC-T1D")
def test_facts_stand_as_published(trial: Protocol) -> None:
    data = trial.document.data
    found = {path: find_steps(data, path) for path in FACTS}
    assert {path: steps and value_at(data, steps) for path, steps in found.items()} == dict(FACTS)
    assert [said for said in SAID_IN_SUMMARY if said not in trial.study.summary] == []
    assert all(len(product.dose_days) == 2 for product in trial.products)
    assert len(trial.periods) == 2


@pytest.mark.requirement("PROTOCOL-MSC-T1D")
@pytest.mark.requirement("PROTOCOL-ASSUMED")
def test_what_is_no_fact_is_marked_as_our_choice(trial: Protocol) -> None:
    unexplained = [p for p in choices(trial.document.data) if not any(begins(p, a) for a in trial.assumed)]
    assert unexplained == []


def test_a_value_without_reason_is_noticed(trial: Protocol) -> None:
    """The check above sees values of every kind: a number, a word, a number in a list, an empty list."""
    chosen = set(choices(trial.document.data))
    assert chosen >= {
        "randomisation.limit",
        "randomisation.method",
        "randomisation.strata",
        "products.msc.dose_days.1",
        "products.msc.release_tests.endotoxin.upper",
        "assessments.cytokines.tests.il-4.quantification.lower",
        "schedule.visits.month-12.day",
        "analyses.hba1c-12.role",
        "estimands.hba1c-12.smallest_important",
        "safety.stopping_rules.toxicity.prior.0",
    }


@pytest.mark.requirement("PROTOCOL-MSC-T1D")
def test_no_fact_is_marked_as_our_choice(trial: Protocol) -> None:
    assert [(fact, path) for fact in FACTS for path in trial.assumed if begins(fact, path)] == []


def test_every_reason_is_needed_and_says_something(trial: Protocol) -> None:
    """A reason is about something in the file: a chosen value, how a variable is read, or the list of events."""
    chosen = choices(trial.document.data)
    readings = ("eligibility.variables.", "intercurrent_events")
    idle = [p for p in trial.assumed if not any(begins(c, p) for c in chosen) and not p.startswith(readings)]
    assert idle == []
    assert [path for path, reason in trial.assumed.items() if not reason.endswith(".")] == []


ELIGIBLE = {
    "age": 8,
    "ada_criteria": True,
    "days_since_diagnosis": 42,
    "autoantibody_positive": True,
    "fasting_cpeptide": 0.3,
}


def is_eligible(trial: Protocol, person: dict[str, Any]) -> bool | None:
    """True, False, or None where a missing value leaves it open."""
    include = [trial.criteria[item.id].evaluate(person).answer for item in trial.eligibility.inclusion]
    exclude = [trial.criteria[item.id].evaluate(person).answer for item in trial.eligibility.exclusion]
    wrong = [not answer for answer in include if answer is not None] + [a for a in exclude if a is not None]
    return False if any(wrong) else None if None in (*include, *exclude) else True


def test_who_is_eligible_at_the_limits(trial: Protocol) -> None:
    names = [variable.name for variable in trial.eligibility.variables]
    exclusions = [name for name in names if name not in ELIGIBLE]
    person = ELIGIBLE | dict.fromkeys(exclusions, False)
    assert len(exclusions) == 11
    assert is_eligible(trial, person) and is_eligible(trial, person | {"age": 40})
    beyond = {"age": 41, "days_since_diagnosis": 43, "fasting_cpeptide": 0.29}
    beyond |= {"ada_criteria": False, "autoantibody_positive": False}
    assert [name for name, value in beyond.items() if is_eligible(trial, person | {name: value}) is not False] == []
    assert is_eligible(trial, person | {"age": 7}) is False
    assert [name for name in exclusions if is_eligible(trial, person | {name: True}) is not False] == []
    assert is_eligible(trial, {name: value for name, value in person.items() if name != "cmv"}) is None


def test_period_2_repeats_period_1_day_by_day(trial: Protocol) -> None:
    first, second = trial.periods
    shift = second.first_day - first.first_day
    assert second.last_day - second.first_day == first.last_day - first.first_day
    days = {p.id: [visit.day for visit in trial.visits if visit.period == p.id] for p in trial.periods}
    assert [day + shift for day in days[first.id]] == days[second.id]


def test_infusions_and_their_48_hours(trial: Protocol) -> None:
    infusions = [trial.visit(visit) for visit in trial.assessment("study-infusion").visits]
    planned = [period.first_day + day for period in trial.periods for day in trial.product("msc").dose_days]
    assert [visit.day for visit in infusions] == planned
    assert trial.product("saline").dose_days == trial.product("msc").dose_days
    for infusion in infusions:
        later = trial.visit(f"{infusion.id}-48h")
        assert later.day - infusion.day == 2
        assert {infusion.id, later.id} <= set(trial.assessment("treg").visits)
        assert {infusion.id} <= set(trial.assessment("body").visits), "the dose is by weight"


@pytest.mark.requirement("PROTOCOL-MSC-T1D")
def test_measurements_stand_where_analyses_need_them(trial: Protocol) -> None:
    assert trial.baseline("efficacy").visit == "baseline"
    assert trial.visit("baseline").day < trial.visit("aspiration").day < trial.visit("dose-1").day == 0
    assert trial.visit(trial.baseline("period-2").visit).day < trial.periods[1].first_day
    assert trial.assessment("mmtt").minutes == (-10, 0, 15, 30, 60, 90, 120)
    assert {a.id for a in trial.assessments} >= {"hypoglycaemia", "hba1c", "fasting", "insulin", "cytokines", "treg"}
    planned = plan(trial)
    assert [item.analysis.id for item in planned.analyses] == [item.id for item in trial.analyses]


def test_cells_are_released_by_limits(trial: Protocol) -> None:
    tests = {test.id: test for test in trial.product("msc").release_tests}
    assert {name for name, test in tests.items() if test.lower == 95} == {"cd73", "cd90", "cd105"}
    assert {n for n, t in tests.items() if t.upper == 2} == {"cd45", "cd34", "cd14-cd11b", "cd19-cd79a", "hla-dr"}
    assert [name for name, test in tests.items() if test.use == "report"] == ["viable-cells", "hla-dr"]
    assert [name for name, test in tests.items() if test.timing == "after-release"] == ["sterility"]
    assert {"viability", "mycoplasma", "endotoxin", "karyotype"} <= set(tests)


@pytest.mark.requirement("PROTOCOL-BLINDING")
def test_leaks_of_the_group_are_closed(trial: Protocol) -> None:
    items = trial.blinding.items
    assert {item.hides for item in items} == {"allocation", "lots", "dose-volume", "event-text", "treg", "cytokines"}
    assert {who for item in items for who in item.hidden_from} <= set(trial.blinding.masked)
    assert {item.until for item in items} == {"database-lock"}


def test_events_estimands_and_roles(trial: Protocol) -> None:
    events = {event.id for event in trial.authored.intercurrent_events}
    assert len(events) == 11
    assert [e.id for e in trial.estimands if set(e.intercurrent_events) != events] == []
    primary = [analysis for analysis in trial.analyses if analysis.role == "primary"]
    assert [(a.method, a.analysis_set, a.family) for a in primary] == [
        ("adverse-events", "randomised", None),
        ("negative-binomial", None, "month-12"),
    ]
    # Month 12 carries the confirmatory family; of month 24 early against late alone follows it, at the level passed on.
    tested = {
        (a.family, trial.estimand(str(a.estimand)).variable.visit) for a in trial.analyses if a.family is not None
    }
    assert tested == {("month-12", "month-12"), ("month-24", "month-24")}
    graph = trial.authored.graph
    assert graph is not None
    assert dict(graph.weights) == {"month-12": 1, "month-24": 0}
    assert {name: dict(to) for name, to in graph.transitions.items()} == {"month-12": {"month-24": 1}}
    assert trial.authored.default_scenario == "published"


@pytest.mark.requirement("PROTOCOL-CLAIMS", "CLAIM-EIGHT")
def test_every_claim_is_bound_or_says_what_it_waits_for(trial: Protocol) -> None:
    assert [claim.id for claim in trial.claims] == [f"c{number}" for number in range(1, 9)]
    assert [claim.id for claim in trial.claims if not claim.parts and not claim.note] == []
    assert {c.id: [(p.analysis, p.direction) for p in c.parts] for c in trial.claims} == {
        "c1": [("toxicity", "lower")],
        "c2": [("hypoglycaemia-12", "lower")],
        "c3": [("hba1c-12", "lower")],
        "c4": [("cytokine-balance-12", "lower")],
        "c5": [("treg-48h", "higher")],
        "c6": [("quality-of-life-12", "higher")],
        "c7": [("hba1c-24", "lower"), ("cpeptide-24", "higher"), ("cytokine-balance-24", "lower")],
        "c8": [("hba1c-12-by-exercise", "lower"), ("treg-48h-by-exercise", "higher")],
    }


def answers(trial: Protocol, questionnaire: str) -> list[tuple[int, int]]:
    tests = trial.assessment(questionnaire).tests
    return [(int(test.plausible[0]), int(test.plausible[1])) for test in tests if test.plausible is not None]


@pytest.mark.requirement("PROTOCOL-QUESTIONNAIRES")
def test_rand_36_has_the_ranges_of_its_scoring_table(trial: Protocol) -> None:
    """RAND's own numbers of the items, 1 to 36, by the highest answer of its scoring instructions."""
    highest = {3: range(3, 13), 2: range(13, 20), 6: (21, *range(23, 32))}
    found = answers(trial, "rand-36")
    expected = {number: top for top, numbers in highest.items() for number in numbers}
    assert found == [(1, expected.get(number, 5)) for number in range(1, 37)]


def test_diabetes_questionnaires_have_their_published_scales(trial: Protocol) -> None:
    assert answers(trial, "dqol") == [(1, 5)] * 46
    assert answers(trial, "pedsql-diabetes") == [(0, 4)] * 33
    sizes: dict[str, int] = {}
    for name in ("dqol", "pedsql-diabetes"):
        for test in trial.assessment(name).tests:
            scale = test.id.rpartition("-")[0]
            sizes[scale] = sizes.get(scale, 0) + 1
    expected = {"satisfaction": 15, "impact": 20, "social-worry": 7, "diabetes-worry": 4}
    assert sizes == expected | {"symptoms": 15, "management": 18}


def test_every_age_has_one_diabetes_questionnaire(trial: Protocol) -> None:
    def answered(age: int, name: str) -> bool:
        questionnaire = trial.assessment(name).questionnaire
        assert questionnaire is not None
        return questionnaire.from_age_years <= age < (questionnaire.below_age_years or 121)

    for age in range(8, 41):
        assert answered(age, "dqol") != answered(age, "pedsql-diabetes")
        assert answered(age, "dqol") == answered(age, "rand-36")
