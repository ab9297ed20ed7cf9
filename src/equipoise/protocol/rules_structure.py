"""Rules of meaning for the structure of a trial: names, periods, arms, products, assumptions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, Protocol

from equipoise.errors import Problem
from equipoise.protocol.lookup import Draft
from equipoise.source.document import Document
from equipoise.source.paths import Step, find_steps

Problems = Iterator[Problem]


class HasId(Protocol):
    """An item of a list that other parts of the document name by its id."""

    @property
    def id(self) -> str: ...


def unique_ids(draft: Draft) -> Problems:
    """No two items of a list share an id or name; nor do assessments and questionnaires, nor any criteria."""
    yield from _repeated(draft.document, draft.document.data, ())
    authored, criteria = draft.authored, draft.authored.eligibility
    yield from _shared(draft, "an assessment", authored.assessments, ("questionnaires",), authored.questionnaires)
    at = ("eligibility", "exclusion")
    yield from _shared(draft, "an inclusion criterion", criteria.inclusion, at, criteria.exclusion)
    for file in {
        questionnaire.document.file: questionnaire for questionnaire in draft.questionnaires.values()
    }.values():
        yield from _repeated(file.document, file.document.data, ())


def _shared(
    draft: Draft, owner: str, taken: Iterable[HasId], steps: tuple[Step, ...], items: Iterable[HasId]
) -> Problems:
    """The items, listed at `steps`, whose id an `owner` in another list has already `taken`."""
    ids = {item.id for item in taken}
    for index, item in enumerate(items):
        if item.id in ids:
            yield draft.problem(
                (*steps, index, "id"), "unique-id", f"{owner} already has this id", "Give each its own id."
            )


def _repeated(document: Document, data: Any, steps: tuple[Step, ...]) -> Problems:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _repeated(document, value, (*steps, key))
    elif isinstance(data, list):
        seen: set[tuple[str, str]] = set()
        for index, item in enumerate(data):
            yield from _repeated(document, item, (*steps, index))
            key = next((k for k in ("id", "name") if isinstance(item, dict) and isinstance(item.get(k), str)), None)
            if key is None:
                continue
            if (key, item[key]) in seen:
                message = f"another item of this list has the same {key}"
                yield document.problem((*steps, index, key), "unique-id", message, f"Give each its own {key}.")
            seen.add((key, item[key]))


def periods_in_order(draft: Draft) -> Problems:
    """Each period ends after it begins, and begins after the one before it has ended."""
    for index, period in enumerate(draft.authored.periods):
        if period.last_day <= period.first_day:
            message = f"the period ends no later than it begins, on day {period.first_day}"
            yield draft.problem(("periods", index, "last_day"), "period-order", message, "Let it end after it begins.")
    for index, (earlier, later) in enumerate(pairwise(draft.authored.periods)):
        if later.first_day <= earlier.last_day:
            message = f"the period begins before {earlier.id!r} has ended"
            remedy = f"Begin after day {earlier.last_day}, and list periods in time order."
            yield draft.problem(("periods", index + 1, "first_day"), "period-overlap", message, remedy)


def arms_are_treated(draft: Draft) -> Problems:
    """Each arm has one known product in each period, and nothing in a period that does not exist."""
    for index, arm in enumerate(draft.authored.arms):
        steps = ("arms", index, "treatments")
        for period, product in arm.treatments.items():
            yield from draft.unknown((*steps, period), "known-period", period, draft.periods)
            yield from draft.unknown((*steps, period), "known-product", product, draft.products)
        missing = draft.periods - set(arm.treatments)
        for period in sorted(missing) if set(arm.treatments) <= draft.periods else ():  # else it is misspelt
            message = f"arm {arm.id!r} has no treatment in period {period!r}"
            yield draft.problem(steps, "treatment-complete", message, "Name the product that is given in it.")


def placebo_in_first_period(draft: Draft) -> Problems:
    """In the first period one arm has an active product and another a placebo."""
    roles = {product.id: product.role for product in draft.authored.products}
    first = draft.authored.periods[0].id
    given = {roles.get(arm.treatments.get(first, "")) for arm in draft.authored.arms}
    for role in ("active", "placebo"):
        if role not in given and None not in given:
            message = f"in the first period, {first!r}, no arm has a product with role {role!r}"
            yield draft.problem(
                ("arms",), "placebo-controlled", message, "Give one arm the active product, one placebo."
            )


def products_can_be_given(draft: Draft) -> Problems:
    """Some arm has each product; dose days ascend within each period of use; limits enclose the dose."""
    used = {(period, product) for arm in draft.authored.arms for period, product in arm.treatments.items()}
    for index, product in enumerate(draft.authored.products):
        steps = ("products", index)
        names = {name for _, name in used}
        if product.id not in names and names <= draft.products:
            message = f"no arm has the product {product.id!r}"
            yield draft.problem(steps, "product-used", message, "Remove it, or name it in an arm's treatments.")
        if any(later <= earlier for earlier, later in pairwise(product.dose_days)):
            message = "the dose days do not ascend"
            yield draft.problem((*steps, "dose_days"), "dose-days-order", message, "List each day once, in order.")
        for period in draft.authored.periods:
            length = period.last_day - period.first_day
            given = length > 0 and (period.id, product.id) in used
            if given and not all(0 <= day <= length for day in product.dose_days):
                message = f"a dose day lies outside period {period.id!r}"
                remedy = f"Count dose days from the first day of the period, which is 0; its last is {length}."
                yield draft.problem((*steps, "dose_days"), "dose-day-in-period", message, remedy)
        dose = product.dose
        if (dose.lowest or dose.amount) > dose.amount or (dose.highest or dose.amount) < dose.amount:
            message = "the dose lies outside its own limits"
            yield draft.problem((*steps, "dose", "amount"), "dose-range", message, "Let lowest <= amount <= highest.")
        yield from _release_tests(draft, index)


def _release_tests(draft: Draft, index: int) -> Problems:
    product = draft.authored.products[index]
    for number, test in enumerate(product.release_tests):
        steps = ("products", index, "release_tests", number)
        if test.lower is not None and test.upper is not None and test.lower > test.upper:
            message = f"the lower limit is above the upper limit, {test.upper:g}"
            yield draft.problem((*steps, "lower"), "release-limits", message, "Exchange or correct the limits.")
        if test.expected is not None and (test.lower is not None or test.upper is not None):
            message = "a result in words cannot also have limits in numbers"
            yield draft.problem((*steps, "expected"), "release-kind", message, "Keep the words or the limits.")
        if test.use == "gate" and test.lower is None and test.upper is None and test.expected is None:
            message = f"release test {test.id!r} is a gate that nothing can fail"
            remedy = "Give lower, upper or expected, or set use to report."
            yield draft.problem(steps, "gate-has-limit", message, remedy)
    if product.kind == "autologous-cells" and not any(test.use == "gate" for test in product.release_tests):
        message = f"the cells of {product.id!r} would be given without passing any test"
        yield draft.problem(
            ("products", index, "kind"), "cells-have-gate", message, "Add a release test with use: gate."
        )


def assumptions_point_somewhere(draft: Draft) -> Problems:
    """Every path under `assumed` leads to a value of the document."""
    for path in draft.authored.assumed:
        if find_steps(draft.document.data, path) is None:
            message, remedy = (
                "the path leads nowhere",
                "Correct the path; items of lists are named by their id.",
            )
            yield draft.problem(("assumed", path), "assumed-path", message, remedy, path)


RULES = (
    unique_ids,
    periods_in_order,
    arms_are_treated,
    placebo_in_first_period,
    products_can_be_given,
    assumptions_point_somewhere,
)
