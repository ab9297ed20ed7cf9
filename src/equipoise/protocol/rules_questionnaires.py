"""Rules of meaning for questionnaires: who is asked when, whose answers a file scores, and how it scores them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from equipoise.errors import Problem
from equipoise.protocol.lookup import Draft, QuestionnaireFile, listed
from equipoise.protocol.schema.measurement import Item, QuestionnaireUse
from equipoise.source.paths import Step

Problems = Iterator[Problem]


def questionnaires_are_answered(draft: Draft) -> Problems:
    """A questionnaire is answered at visits, or it scores all its items from the answers of one that is."""
    asked = {use.id: use for use in draft.authored.questionnaires if use.answers is None}
    for index, use in enumerate(draft.authored.questionnaires):
        steps = ("questionnaires", index)
        if use.answers is None:
            if not use.visits:
                message = f"questionnaire {use.id!r} is answered at no visit"
                remedy = "List its visits, or name the questionnaire whose `answers` it scores."
                yield draft.problem(steps, "questionnaire-visits", message, remedy)
        elif use.visits:
            message = f"the visits are those of {use.answers!r}, whose answers are scored"
            yield draft.problem((*steps, "visits"), "questionnaire-visits", message, "Leave the visits out.")
        yield from _answers(draft, (*steps, "answers"), use, asked)


def _answers(
    draft: Draft, steps: tuple[Step, ...], use: QuestionnaireUse, asked: dict[str, QuestionnaireUse]
) -> Problems:
    if use.answers is None:
        return
    yield from draft.unknown(steps, "known-answered-questionnaire", use.answers, asked)
    scored, given = draft.questionnaires.get(use.id), draft.questionnaires.get(use.answers)
    if scored is None or given is None:
        return
    known = {(item.id, item.lowest, item.highest) for item in given.authored.items}
    strange = [item.id for item in scored.authored.items if (item.id, item.lowest, item.highest) not in known]
    if strange:
        message = f"{use.answers!r} has no items with these answers: {listed(strange)}"
        yield draft.problem(steps, "answers-fit", message, "Score a questionnaire that has all items of the file.")


def questionnaires_have_sense(draft: Draft) -> Problems:
    """The ages and the answers of a questionnaire's file are ranges, and its codes are unique."""
    files = {questionnaire.document.file: questionnaire for questionnaire in draft.questionnaires.values()}
    for questionnaire in files.values():
        yield from _questionnaire(questionnaire)


def _questionnaire(file: QuestionnaireFile) -> Problems:
    below = file.authored.below_age_years
    if below is not None and below <= file.authored.from_age_years:
        message = f"no age is from {file.authored.from_age_years} and below {below} years"
        remedy = "Let from_age_years be less than below_age_years."
        yield file.document.problem(("below_age_years",), "questionnaire-ages", message, remedy)
    codes: set[str] = set()
    for index, item in enumerate(file.authored.items):
        if item.highest <= item.lowest:
            message = f"the highest answer is not above the lowest, {item.lowest}"
            steps = ("items", index, "highest")
            yield file.document.problem(steps, "item-range", message, "Let lowest be below highest.")
        if item.code in codes:
            message = "another item of this questionnaire has this code"
            yield file.document.problem(
                ("items", index, "code"), "unique-code", message, "Give each item its own code."
            )
        codes.add(item.code)
    yield from _points(file)
    yield from _scales(file)
    yield from _components(file)


def _points(file: QuestionnaireFile) -> Problems:
    """Points are one for each answer and grow towards the best; those beside another item say which answers of it."""
    items = {item.id: item for item in file.authored.items}
    for index, item in enumerate(file.authored.items):
        if item.points is not None:
            yield from _course(file, ("items", index, "points"), item, item.points)
        taken: set[tuple[str, int]] = set()
        for number, rule in enumerate(item.beside):
            steps = ("items", index, "beside", number)
            yield from _course(file, (*steps, "points"), item, rule.points)
            other = items.get(rule.item)
            if other is None or other is item:
                message = "there is no other item of this name"
                yield file.document.problem((*steps, "item"), "known-item", message, "Name items by their id.")
                continue
            for place, answer in enumerate(rule.answers):
                if not other.lowest <= answer <= other.highest or (rule.item, answer) in taken:
                    message = f"{other.id!r} has no such answer, or it was named before"
                    remedy = "Name each answer of the other item once."
                    yield file.document.problem((*steps, "answers", place), "points-answers", message, remedy)
                taken.add((rule.item, answer))


def _course(file: QuestionnaireFile, steps: tuple[Step, ...], item: Item, points: tuple[float, ...]) -> Problems:
    answers = item.highest - item.lowest + 1
    if len(points) != answers:
        message = f"there are {len(points)} points for {max(answers, 0)} answers"
        remedy = "Give one for each answer, from the lowest to the highest."
        yield file.document.problem(steps, "points-complete", message, remedy)
        return
    towards_best = points if item.best == "highest" else points[::-1]
    if item.best is None or any(later <= earlier for earlier, later in pairwise(towards_best)):
        message = "the points do not grow from the worst answer to the best"
        yield file.document.problem(steps, "points-order", message, "Correct the points, or which answer is `best`.")


def _components(file: QuestionnaireFile) -> Problems:
    """Components and totals have names of their own; components weigh scales that there are and that have a norm."""
    scales = {scale.id: scale for scale in file.authored.scales}
    totals = {total.id for total in file.authored.totals}
    for index, component in enumerate(file.authored.components):
        steps = ("components", index)
        if component.id in scales or component.id in totals:
            message = "a scale or total already has this id"
            yield file.document.problem((*steps, "id"), "unique-id", message, "Give each its own id.")
        for name in component.weights:
            scale = scales.get(name)
            if scale is None:
                message = "there is no such scale"
                remedy = f"Name one of: {listed(scales)}." if scales else "Declare it first."
                yield file.document.problem((*steps, "weights", name), "known-scale", message, remedy, name)
            elif scale.norm is None:
                message = "the scale has no mean and SD of a reference population"
                yield file.document.problem(
                    (*steps, "weights", name), "scale-norm", message, "Give the scale its `norm`.", name
                )


def _scales(file: QuestionnaireFile) -> Problems:
    """Scales count items that there are, whose best answer is known, and ask for no more answers than they have."""
    best = {item.id: item.best for item in file.authored.items}
    yield from _totals(file, set(best))
    for index, scale in enumerate(file.authored.scales):
        for number, name in enumerate(scale.items):
            steps = ("scales", index, "items", number)
            if name not in best:
                yield file.document.problem(steps, "known-item", "there is no such item", "Name items by their id.")
            elif best[name] is None:
                message = "the item does not say which answer is best"
                yield file.document.problem(steps, "item-best", message, "Give it `best: lowest` or `best: highest`.")
        if scale.answered > len(scale.items):
            message = f"the scale has only {len(scale.items)} items"
            steps = ("scales", index, "answered")
            yield file.document.problem(steps, "scale-answered", message, "Ask for fewer answers.")


def _totals(file: QuestionnaireFile, items: set[str]) -> Problems:
    """Totals have names that no scale has, sum items that there are, each once, and ask for no more than they have."""
    scales = {scale.id for scale in file.authored.scales}
    for index, total in enumerate(file.authored.totals):
        if total.id in scales:
            message = "a scale already has this id"
            yield file.document.problem(("totals", index, "id"), "unique-id", message, "Give each its own id.")
        for number, name in enumerate(total.items):
            steps = ("totals", index, "items", number)
            if name not in items:
                yield file.document.problem(steps, "known-item", "there is no such item", "Name items by their id.")
            elif name in total.items[:number]:
                yield file.document.problem(steps, "item-once", "the item is summed twice", "Name it once.")
        if total.answered > len(total.items):
            message = f"the total has only {len(total.items)} items"
            yield file.document.problem(
                ("totals", index, "answered"), "scale-answered", message, "Ask for fewer answers."
            )


RULES = (
    questionnaires_are_answered,
    questionnaires_have_sense,
)
