"""Rules of meaning for intercurrent events: how records show them, and what an estimand says of their strategies."""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.errors import Problem
from equipoise.protocol.lookup import Draft, listed
from equipoise.protocol.schema.inference import Estimand, Recorded
from equipoise.source.paths import Step

Problems = Iterator[Problem]

OF_DOSES = frozenset({"lot-failed", "dose-below-range", "dose-not-given"})
"""Rules that may be of one dose alone."""
INSULIN = "insulin-zero"
INSULIN_UNIT = "U/kg/day"


def events_are_bound(draft: Draft) -> Problems:
    """An event is bound in one way, to an assessment of the right class or by a rule that has all that it needs."""
    for index, event in enumerate(draft.authored.intercurrent_events):
        recorded = event.recorded
        if recorded is None:
            continue
        steps = ("intercurrent_events", index, "recorded")
        ways = [name for name in ("events", "interventions", "rule") if getattr(recorded, name) is not None]
        if len(ways) != 1:
            message = f"it is bound in {len(ways)} ways" if ways else "it says nothing of how records show it"
            remedy = "Give one of: events with terms, interventions with treatments, or rule."
            yield draft.problem(steps, "recorded-one-way", message, remedy)
        elif ways == ["rule"]:
            yield from _names(draft, steps, recorded)
            yield from _rule(draft, steps, recorded)
        else:
            yield from _names(draft, steps, recorded)
            yield from _class(draft, steps, ways[0], str(getattr(recorded, ways[0])))
            yield from _only_rules(draft, steps, recorded)


def strategies_are_detailed(draft: Draft) -> Problems:
    """Consequences and strata are of events with such a strategy; a consequence is one thing; an order names events."""
    for index, estimand in enumerate(draft.authored.estimands):
        steps = ("estimands", index)
        for event in estimand.composite:
            yield from _has(draft, (*steps, "composite", event), estimand, event, "composite")
        for event in estimand.principal:
            yield from _has(draft, (*steps, "principal", event), estimand, event, "principal-stratum")
        declared = {event.id for event in draft.authored.intercurrent_events}
        for place, event in enumerate(estimand.order):
            yield from draft.unknown((*steps, "order", place), "known-intercurrent-event", event, declared)
            if event in estimand.order[:place]:
                message = f"{event!r} has two places"
                yield draft.problem((*steps, "order", place), "order-once", message, "Name it once.")
        for event, consequence in estimand.composite.items():
            if (consequence.value is None) != consequence.failure:
                message = "an event makes one thing of the outcome: a declared value, or a failure"
                remedy = "Give either value or failure: true."
                yield draft.problem((*steps, "composite", event), "composite-consequence", message, remedy)


def _has(draft: Draft, steps: tuple[Step, ...], estimand: Estimand, event: str, strategy: str) -> Problems:
    """The event has this strategy in the estimand."""
    if estimand.intercurrent_events.get(event) != strategy:
        fitting = [name for name, chosen in estimand.intercurrent_events.items() if chosen == strategy]
        message = f"{event!r} does not have the strategy {strategy} in this estimand"
        remedy = f"Name one of: {listed(fitting)}." if fitting else "Leave it out, or change the strategy."
        yield draft.problem(steps, "strategy-details", message, remedy, event)


def _names(draft: Draft, steps: tuple[Step, ...], recorded: Recorded) -> Problems:
    """Terms go with events and treatments with interventions."""
    for way, names in (("events", "terms"), ("interventions", "treatments")):
        has, told = getattr(recorded, way) is not None, getattr(recorded, names) is not None
        if has != told:
            message = f"{way} come with {names}, and one is given without the other"
            remedy = f"Give the {names} by which the records name it." if has else f"Remove {names}, or give {way}."
            yield draft.problem(steps, "recorded-names", message, remedy)


def _class(draft: Draft, steps: tuple[Step, ...], way: str, name: str) -> Problems:
    known = [item.id for item in draft.authored.assessments if item.observation_class == way]
    if name not in known:
        message = f"there is no assessment of class {way} of this name"
        remedy = f"Name one of: {listed(known)}." if known else f"Declare an assessment of class {way} first."
        yield draft.problem((*steps, way), "recorded-class", message, remedy)


def _only_rules(draft: Draft, steps: tuple[Step, ...], recorded: Recorded) -> Problems:
    for key in ("period", "dose_number", "parameter"):
        if getattr(recorded, key) is not None:
            yield from _takes_no(draft, (*steps, key), key, "an event that is recorded by its name")


def _takes_no(draft: Draft, steps: tuple[Step, ...], key: str, what: str) -> Problems:
    yield draft.problem(steps, "recorded-of-rule", f"{what} takes no {key}", "Leave it out.")


def _rule(draft: Draft, steps: tuple[Step, ...], recorded: Recorded) -> Problems:
    rule = str(recorded.rule)
    if recorded.parameter is not None and rule != INSULIN:
        yield from _takes_no(draft, (*steps, "parameter"), "parameter", f"the rule {rule!r}")
    if recorded.dose_number is not None and rule not in OF_DOSES:
        yield from _takes_no(draft, (*steps, "dose_number"), "dose_number", f"the rule {rule!r}")
    if recorded.period is not None and rule == INSULIN:
        yield from _takes_no(draft, (*steps, "period"), "period", f"the rule {rule!r}")
    elif recorded.period is not None:
        yield from draft.unknown((*steps, "period"), "known-period", recorded.period, draft.periods)
    elif rule == "period-declined":
        remedy = f"Name one of: {listed(draft.periods)}."
        yield draft.problem(steps, "recorded-period", "a period is declined, and none is named", remedy)
    if rule in OF_DOSES:
        yield from _of_doses(draft, steps, recorded)
    if rule == INSULIN:
        yield from _insulin(draft, steps, recorded)


def _of_doses(draft: Draft, steps: tuple[Step, ...], recorded: Recorded) -> Problems:
    products = {product.id: product for product in draft.authored.products}
    used = [
        products[product]
        for arm in draft.authored.arms
        for period, product in arm.treatments.items()
        if product in products and recorded.period in (None, period)
    ]
    most = max((len(product.dose_days) for product in used), default=0)
    if recorded.dose_number is not None and used and recorded.dose_number > most:
        message = f"no more than {most} dose{'s are' if most > 1 else ' is'} planned in a period"
        yield draft.problem((*steps, "dose_number"), "recorded-dose", message, f"Name a dose up to {most}.")
    if recorded.rule == "lot-failed" and not any(product.release_tests for product in products.values()):
        message = "no product has release tests, so that no lot can fail"
        yield draft.problem((*steps, "rule"), "recorded-lots", message, "Declare release_tests, or bind it otherwise.")
    if recorded.rule == "dose-below-range" and not any(product.dose.lowest for product in products.values()):
        message = "no product's dose has a lowest amount, so that none can lie below its range"
        yield draft.problem((*steps, "rule"), "recorded-range", message, "Declare dose.lowest, or bind it otherwise.")


def _insulin(draft: Draft, steps: tuple[Step, ...], recorded: Recorded) -> Problems:
    in_unit = [item.id for item in draft.authored.parameters if item.unit == INSULIN_UNIT]
    if recorded.parameter is not None:
        yield from draft.unknown((*steps, "parameter"), "known-parameter", recorded.parameter, draft.parameters)
    elif len(in_unit) != 1:
        message = f"{len(in_unit) or 'no'} parameter{'s are' if len(in_unit) > 1 else ' is'} in {INSULIN_UNIT}"
        remedy = f"Name the parameter of the dose{': ' + listed(in_unit) if in_unit else ''}."
        yield draft.problem(steps, "recorded-insulin", message, remedy)


RULES = (events_are_bound, strategies_are_detailed)
