"""Rules of meaning for people: eligibility, consent, allocation, blinding, stopping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from equipoise.errors import Problem
from equipoise.protocol.lookup import Draft, listed
from equipoise.protocol.schema.people import BlindedItem, ConsentForm
from equipoise.source.expressions import Expression, ExpressionError
from equipoise.source.paths import Step

Problems = Iterator[Problem]

HIDEABLE = frozenset({"allocation", "lots", "dose-volume", "event-text"})
OLDEST = 120  # years

NEEDS = {
    "permuted-blocks": "block_sizes",
    "big-stick": "limit",
    "maximal-procedure": "limit",
    "minimisation": "probability",
}


def criteria_can_be_decided(draft: Draft) -> Problems:
    """Every expression is CEL, asks for declared variables only, and gives true or false."""
    for kind in ("inclusion", "exclusion"):
        for index, criterion in enumerate(getattr(draft.authored.eligibility, kind)):
            yield from _expression(draft, ("eligibility", kind, index, "expression"), criterion.expression)
    for number, stratum in enumerate(draft.authored.randomisation.strata):
        for index, level in enumerate(stratum.levels):
            if level.expression is not None:
                steps = ("randomisation", "strata", number, "levels", index, "expression")
                yield from _expression(draft, steps, level.expression)


def variables_have_sources(draft: Draft) -> Problems:
    """Where a variable is said to be recorded there is one place that holds values of its type."""
    for index, variable in enumerate(draft.authored.eligibility.variables):
        source, steps = variable.from_, ("eligibility", "variables", index, "from")
        if source is None:
            continue
        measured = source.test is not None and source.visit is not None
        half = (source.test is None) != (source.visit is None)
        if half or (source.participants is not None) == measured:
            message = "a variable comes from one place: a column of the participants, or a test at a visit"
            given = ", ".join(sorted(source.model_fields_set)) or "nothing"
            remedy = "Give either participants, or both test and visit."
            yield draft.problem(steps, "variable-from", message, remedy, given)
            continue
        kinds = ("number", "boolean") if measured else ("number",) if source.participants == "age_years" else ("text",)
        if variable.type not in kinds:
            message = f"what is recorded there is a {' or '.join(kinds)}, and the variable a {variable.type}"
            steps_to_type = (*steps[:-1], "type")
            remedy = "Change the type, or where it comes from."
            yield draft.problem(steps_to_type, "variable-from-type", message, remedy)
        if measured:
            yield from _measured(draft, steps, str(source.test), str(source.visit), variable.unit)


def _measured(draft: Draft, steps: tuple[Step, ...], test: str, visit: str, unit: str | None) -> Problems:
    """The test exists, its assessment is planned at the visit, once, and it knows the variable's unit."""
    name, _, own = test.partition(".")
    assessment = draft.assessments.get(name)
    tests = {f"{item.id}.{one.id}" for item in draft.assessments.values() for one in item.tests}
    yield from draft.unknown((*steps, "test"), "known-test", test, tests)
    if assessment is None or own not in {item.id for item in assessment.tests}:
        return
    yield from draft.unknown((*steps, "visit"), "known-visit", visit, assessment.visits)
    known = next({item.unit, *(item.conversions or ())} for item in assessment.tests if item.id == own)
    if unit is not None and unit not in known:
        message = f"the test has no such unit as the variable's, {unit}"
        yield draft.problem((*steps, "test"), "variable-from-unit", message, f"Use one of: {listed(known)}.")
    if assessment.minutes:
        message = "the test is taken several times at a visit, so that it has no one value there"
        yield draft.problem((*steps, "test"), "variable-from-once", message, "Name a test without time points.")


def _expression(draft: Draft, steps: tuple[Step, ...], text: str) -> Problems:
    try:
        expression = Expression(text)
    except ExpressionError as error:
        yield draft.problem(
            steps,
            "expression-syntax",
            f"this is no expression: {error}",
            'Compare variables with values: `age >= 18 && sex == "F"`.',
        )
        return
    unknown = expression.unknown_names(draft.variables)
    for name in unknown:
        others = f"Use one of {listed(draft.variables)}, or declare" if draft.variables else "Declare"
        remedy = f"{others} it under eligibility.variables."
        yield draft.problem(steps, "expression-name", f"the variable {name!r} is not declared", remedy)
    misfit = None if unknown else expression.misfit(draft.variables)
    if misfit is not None:
        yield draft.problem(steps, "expression-type", str(misfit), misfit.remedy)


def consent_comes_first(draft: Draft) -> Problems:
    """What consent must precede exists; each form has an age range; no eligible age is without a form."""
    for index, assessment in enumerate(draft.authored.consent.before):
        yield from draft.unknown(("consent", "before", index), "known-assessment", assessment, draft.assessment_ids)
    ages = [_ages(form) for form in draft.authored.consent.forms]
    for index, form in enumerate(draft.authored.consent.forms):
        if not ages[index]:
            message = f"no age is from {form.from_age_years} and below {form.below_age_years} years"
            remedy = "Let from_age_years be less than below_age_years."
            yield draft.problem(("consent", "forms", index), "age-range", message, remedy)
    if all(ages):
        yield from _ages_without_form(draft, {age for form in ages for age in form})


def _ages(form: ConsentForm) -> range:
    return range(form.from_age_years, OLDEST + 1 if form.below_age_years is None else form.below_age_years)


def _ages_without_form(draft: Draft, covered: set[int]) -> Problems:
    declared = draft.variables.get("age") == "number"
    ages = range(OLDEST + 1) if declared else range(min(covered), max(covered) + 1)
    missing = sorted(_possible(draft, ages) - covered)
    if missing:
        message = f"no form is for participants of {missing[0]} years"
        remedy = "Let the forms cover every eligible age (from_age_years, below_age_years)."
        yield draft.problem(("consent", "forms"), "consent-every-age", message, remedy)


def _possible(draft: Draft, ages: Iterable[int]) -> set[int]:
    """The ages, in years, that no criterion over `age` rules out; none while a criterion is broken."""
    inclusion = [draft.sound(criterion.expression) for criterion in draft.authored.eligibility.inclusion]
    exclusion = [draft.sound(criterion.expression) for criterion in draft.authored.eligibility.exclusion]
    if None in inclusion or None in exclusion:
        return set()
    return {
        age
        for age in ages
        if not any(rule.evaluate({"age": age}).answer is False for rule in inclusion if rule)
        and not any(rule.evaluate({"age": age}).answer is True for rule in exclusion if rule)
    }


def allocation_can_be_made(draft: Draft) -> Problems:
    """The method has what it needs and nothing else; blocks hold whole ratios; strata have levels."""
    plan = draft.authored.randomisation
    for option in ("block_sizes", "limit", "probability"):
        given = bool(getattr(plan, option))
        wanted = NEEDS.get(plan.method) == option
        if wanted and not given:
            message = f"the method needs {option}"
            yield draft.problem(("randomisation", "method"), "method-needs", message, f"Add {option}.")
        if given and not wanted:
            message = f"the method {plan.method!r} does not use {option}"
            yield draft.problem(("randomisation", option), "method-ignores", message, "Remove it.")
    total = sum(arm.ratio for arm in draft.authored.arms)
    for index, size in enumerate(plan.block_sizes):
        if size % total:
            ratio = ":".join(str(arm.ratio) for arm in draft.authored.arms)
            message = f"a block of this size cannot hold the ratio {ratio}"
            steps = ("randomisation", "block_sizes", index)
            yield draft.problem(steps, "block-fits-ratio", message, f"Use multiples of {total}.")
    if plan.method in ("big-stick", "maximal-procedure") and (len(draft.authored.arms) != 2 or total != 2):
        message = "the method is defined for two arms at 1:1"
        yield draft.problem(("randomisation", "method"), "method-ratio", message, "Use permuted-blocks.")
    if plan.method == "minimisation" and len({arm.ratio for arm in draft.authored.arms}) > 1:
        message = "the method is defined for arms of equal shares"
        yield draft.problem(("randomisation", "method"), "method-ratio", message, "Use permuted-blocks.")
    yield from _strata(draft)


def _strata(draft: Draft) -> Problems:
    for index, stratum in enumerate(draft.authored.randomisation.strata):
        steps = ("randomisation", "strata", index)
        if stratum.recorded and len(stratum.levels) < 2:
            message = f"stratum {stratum.id!r} has fewer than two levels"
            remedy = "List its levels, or set recorded: false where the data do not hold it."
            yield draft.problem(steps, "stratum-levels", message, remedy)
        for number, level in enumerate(stratum.levels):
            if level.expression is None and any(other.expression is not None for other in stratum.levels):
                message = f"level {level.id!r} has no expression, and others of the stratum have one"
                remedy = "Give every level an expression, or none where the level is recorded."
                yield draft.problem((*steps, "levels", number), "stratum-expressions", message, remedy)


def blinding_hides_something(draft: Draft) -> Problems:
    """What a blinded item hides is an assessment or one of the named kinds of record; `from` is a visit of findings."""
    for index, item in enumerate(draft.authored.blinding.items):
        if item.from_ is not None:
            yield from _hidden_from_visit(draft, index, item)
        if item.hides not in draft.assessment_ids | HIDEABLE:
            message, remedy = (
                "there is nothing of this name to hide",
                f"Name an assessment, or one of {listed(HIDEABLE)}.",
            )
            yield draft.problem(("blinding", "items", index, "hides"), "blinded-item", message, remedy)


def _hidden_from_visit(draft: Draft, index: int, item: BlindedItem) -> Problems:
    """Findings alone are hidden from a visit on, and from one after which there are any."""
    steps = ("blinding", "items", index, "from")
    yield from draft.unknown(steps, "known-visit", str(item.from_), draft.visits)
    if item.hides not in draft.assessment_ids:
        if item.hides in HIDEABLE:
            message = f"{item.hides!r} belongs to no visit, so nothing of it can be hidden from one on"
            yield draft.problem(steps, "blinded-from", message, "Remove `from`: the item is hidden from the beginning.")
        return
    assessment = draft.assessments.get(item.hides)
    if assessment is not None and assessment.observation_class != "findings":
        message = f"{item.hides!r} is no assessment of findings, whose rows have a visit"
        yield draft.problem(steps, "blinded-from", message, "Remove `from`: the item is hidden from the beginning.")
        return
    questionnaires = {use.id: use.visits for use in draft.authored.questionnaires}
    visits = set(assessment.visits if assessment is not None else questionnaires[item.hides])
    days = {visit.id: visit.day for visit in draft.authored.schedule.visits}
    measured = sorted(days[visit] for visit in visits if visit in days)
    if item.from_ in days and measured and measured[-1] < days[item.from_]:
        message = f"{item.hides!r} is not measured at this visit or after it, so nothing would be hidden"
        yield draft.problem(steps, "blinded-from", message, "Name the first visit whose results are to be hidden.")


def stopping_can_act(draft: Draft) -> Problems:
    """A stopping rule may act before everyone is treated."""
    planned = draft.authored.randomisation.participants
    for index, rule in enumerate(draft.authored.safety.stopping_rules):
        if rule.minimum > planned:
            message = f"the rule waits for more participants than are planned, {planned}"
            steps = ("safety", "stopping_rules", index, "minimum")
            yield draft.problem(steps, "stopping-minimum", message, "Choose a smaller minimum.")


RULES = (
    criteria_can_be_decided,
    variables_have_sources,
    consent_comes_first,
    allocation_can_be_made,
    blinding_hides_something,
    stopping_can_act,
)
