"""A draft of a protocol, as the rules of meaning read it: authored model, document, quick look-ups."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from equipoise.errors import Problem
from equipoise.protocol.schema.measurement import Assessment, Questionnaire, QuestionnaireUse
from equipoise.protocol.schema.study import ProtocolDocument
from equipoise.source.document import Document
from equipoise.source.expression_types import Kind
from equipoise.source.expressions import Expression, ExpressionError
from equipoise.source.paths import Step


@dataclass(frozen=True)
class QuestionnaireFile:
    """A questionnaire that fits its schema, and the document that it was read from."""

    document: Document
    authored: Questionnaire


@dataclass(frozen=True)
class Draft:
    """A document that fits the schema, whose meaning is yet to be checked."""

    document: Document
    authored: ProtocolDocument
    questionnaires: Mapping[str, QuestionnaireFile] = field(default_factory=dict)

    def problem(self, steps: Sequence[Step], rule: str, message: str, remedy: str, value: object = None) -> Problem:
        """A problem at `steps` of the document; it quotes `value`, else the value that stands there."""
        return self.document.problem(steps, rule, message, remedy, value)

    def unknown(self, steps: Sequence[Step], rule: str, name: str, known: Collection[str]) -> Iterator[Problem]:
        """A problem where `name`, which stands at `steps`, is not one of the `known` names.

        The rule says what it should name: ``known-analysis-set``.
        """
        if name not in known:
            what = rule.removeprefix("known-").replace("-", " ")
            message = f"there is no {what} of this name"
            remedy = (
                f"Name one of: {listed(known)}.{_hint(name, known)}" if known else "Declare it first, or leave it out."
            )
            yield self.problem(steps, rule, message, remedy, name)

    @cached_property
    def variables(self) -> Mapping[str, Kind]:
        """The variables of eligibility and strata, with their types."""
        return {variable.name: variable.type for variable in self.authored.eligibility.variables}

    def sound(self, text: str | None) -> Expression | None:
        """The expression, or None where there is none, or `criteria_can_be_decided` has something to say about it."""
        try:
            expression = None if text is None else Expression(text)
        except ExpressionError:
            return None
        if expression is None or expression.unknown_names(self.variables):
            return None
        return None if expression.misfit(self.variables) else expression

    @cached_property
    def arms(self) -> frozenset[str]:
        return frozenset(arm.id for arm in self.authored.arms)

    @cached_property
    def periods(self) -> frozenset[str]:
        return frozenset(period.id for period in self.authored.periods)

    @cached_property
    def products(self) -> frozenset[str]:
        return frozenset(product.id for product in self.authored.products)

    @cached_property
    def visits(self) -> frozenset[str]:
        return frozenset(visit.id for visit in self.authored.schedule.visits)

    @cached_property
    def assessments(self) -> Mapping[str, Assessment]:
        return {assessment.id: assessment for assessment in self.authored.assessments}

    @cached_property
    def assessment_ids(self) -> frozenset[str]:
        """Assessments and questionnaires that are answered share one set of names."""
        return frozenset(self.assessments) | {use.id for use in self.authored.questionnaires if use.answers is None}

    def scorings(self, answered: str) -> tuple[QuestionnaireUse, ...]:
        """The questionnaire called `answered` and all that score its answers, in the order of the document."""
        return tuple(use for use in self.authored.questionnaires if answered in (use.id, use.answers))

    @cached_property
    def parameters(self) -> frozenset[str]:
        return frozenset(parameter.id for parameter in self.authored.parameters)

    @cached_property
    def estimands(self) -> frozenset[str]:
        return frozenset(estimand.id for estimand in self.authored.estimands)

    @cached_property
    def analyses(self) -> frozenset[str]:
        return frozenset(analysis.id for analysis in self.authored.analyses)


def _hint(name: str, known: Collection[str]) -> str:
    """The known name that looks like a misspelt one; month-9 for month-6 is no misspelling."""
    close = difflib.get_close_matches(name, sorted(known), n=1)
    misspelt = close and re.sub(r"\d", "", name) != re.sub(r"\d", "", close[0])
    return f" Did you mean {close[0]!r}?" if misspelt else ""


def listed(names: Iterable[str]) -> str:
    """Names as a message lists them, the first dozen of many."""
    ordered = sorted(names)
    return ", ".join([*ordered[:12], "…"] if len(ordered) > 12 else ordered)
