"""Rules of meaning for strata by expression: whoever may take part belongs to one level, as far as that can be seen.

An expression changes its answer only at the constants that it compares with. So the values beside each constant, and
between them, stand for all others; sums and products of variables may have borders elsewhere, which `simulate` finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, product
from math import floor, prod

from equipoise.errors import Problem
from equipoise.protocol.lookup import Draft
from equipoise.protocol.schema.people import Variable
from equipoise.source.expressions import Expression

NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")
MOST = 4096
"""Combinations of values that are looked at; where there are more, none is."""


def strata_are_exclusive(draft: Draft) -> Iterator[Problem]:
    """No eligible participant belongs to several levels of a stratum, or to none."""
    for index, stratum in enumerate(draft.authored.randomisation.strata):
        levels = [draft.sound(level.expression) for level in stratum.levels]
        if not levels or None in levels:
            continue
        found = _misfit(draft, [level for level in levels if level is not None])
        if found is None:
            continue
        values, numbers = found
        who = " and ".join(f"{name} {_shown(value)}" for name, value in values.items())
        which = " and ".join(stratum.levels[number].id for number in numbers)
        where = f"more than one of the levels, {which}" if numbers else "none of the levels"
        message = f"an eligible participant with {who} belongs to {where}"
        remedy = "Let exactly one level's expression be true of every eligible participant."
        steps = ("randomisation", "strata", index, "levels")
        yield draft.problem(steps, "strata-one-level", message, remedy, stratum.id)


def _misfit(draft: Draft, levels: Sequence[Expression]) -> tuple[Mapping[str, object], list[int]] | None:
    """Values for which not one level is true, and those that are; None where there are none, or nothing can be said."""
    names = sorted({name for level in levels for name in level.names})
    variables = {item.name: item for item in draft.authored.eligibility.variables}
    eligibility = draft.authored.eligibility
    inclusion, exclusion = (
        [rule for item in items if (rule := draft.sound(item.expression)) is not None]
        for items in (eligibility.inclusion, eligibility.exclusion)
    )
    texts = [rule.text for rule in (*levels, *inclusion, *exclusion) if set(rule.names) & set(names)]
    choices = [_values(variables[name], texts) for name in names]
    if prod(len(values) for values in choices) > MOST:
        return None
    for combination in product(*choices):
        values = dict(zip(names, combination, strict=True))
        if any(rule.evaluate(values).answer is False for rule in inclusion):
            continue
        if any(rule.evaluate(values).answer is True for rule in exclusion):
            continue
        answers = [level.evaluate(values).answer for level in levels]
        if None not in answers and answers.count(True) != 1:
            return values, [number for number, answer in enumerate(answers) if answer]
    return None


def _values(variable: Variable, texts: Sequence[str]) -> list[object]:
    """Values of a variable that stand for all others: at, beside and between the constants of the expressions."""
    if variable.type == "boolean":
        return [False, True]
    if variable.type == "text":
        return sorted({a or b for text in texts for a, b in QUOTED.findall(text)})
    signed = any(re.search(r"-\s*\d", text) for text in texts)
    constants = {float(number) for text in texts for number in NUMBER.findall(QUOTED.sub("", text))}
    constants |= {-number for number in constants} if signed else set[float]()
    ordered = sorted(constants) or [0.0]
    between = [(low + high) / 2 for low, high in pairwise(ordered)]
    found: set[float] = {*ordered, *between, ordered[0] - 1, ordered[-1] + 1}
    if variable.from_ is not None and variable.from_.participants == "age_years":  # in completed years
        found = {float(floor(value)) for value in found}
    return [*sorted(value for value in found if signed or value >= 0)]


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else f'"{value}"'


RULES = (strata_are_exclusive,)
