"""The summary of a fitted model, as plain text of at most about 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from equipoise.formula.columns import ALPHABET
from equipoise.formula.schedule import BY_DISTANCE, shortened
from equipoise.stats.arrays import Floats
from equipoise.stats.status import Status

if TYPE_CHECKING:
    from equipoise.formula.fitted import FittedMMRM

STRUCTURES = {
    "us": "unstructured",
    "cs": "compound symmetry",
    "csh": "compound symmetry, a variance for each visit",
    "ar1": "first-order autoregressive",
    "ar1h": "first-order autoregressive, a variance for each visit",
    "toep": "Toeplitz",
    "toeph": "Toeplitz, a variance for each visit",
    "ris": "marginal: random intercept, slope and residual",
}
FIRST = {True: "first in alphabetical order", False: "first level"}
MOST_VISITS = 10
"""A covariance of more visits than this is not printed."""
NOTHING = "·"


def summary(result: FittedMMRM) -> str:
    """What was fitted and what came out. A failed fit says why, and what to do."""
    parts = [_head(result)]
    if result.status == Status.OK:
        parts.append(_coefficients(result))
        if len(result.visits) <= MOST_VISITS:
            parts.append(_sigma(result))
        if fit_effects := _random_effects(result):
            parts.append(fit_effects)
    return "\n\n".join(parts)


def _head(result: FittedMMRM) -> str:
    fit = result.fit
    likelihood = "restricted" if fit.reml else "full"
    visits = _count(len(result.visits), "visit")
    data = f"{_count(fit.observations, 'value')} of {_count(fit.people, 'person')} at {visits}"
    covariance = f"{STRUCTURES[fit.structure]}; {_count(fit.parameters, 'parameter')} by {likelihood} likelihood"
    lines = ["Mixed model for repeated measures", f"Formula      {result.formula}"]
    lines += [f"Data         {data}; {fit.complete_cases} with all visits", *_dropped(result), *_visits(result)]
    lines += _references(result)
    lines += [f"Covariance   {covariance}", f"Inference    {result.inference.words}"]
    if result.status == Status.OK:
        lines += [f"Fit          -2 log L {result.deviance:.2f}   AIC {result.aic:.2f}   BIC {result.bic:.2f}"]
        counted = f"AIC and BIC count {_count(fit.parameters, 'covariance parameter')}, no coefficient"
        lines += [f"             {counted}; BIC's n is {_count(fit.people, 'person')}"]
        return "\n".join([*lines, *(line for note in result.notes for line in _wrapped("Note", _sentence(note)))])
    what, _, advice = result.message.partition("; ")
    return "\n".join([*lines, "", f"NOT FITTED   {what}", f"Advice       {advice}"])


def _dropped(result: FittedMMRM) -> list[str]:
    if not result.dropped:
        return []
    why = ", ".join(f"{name} in {count}" for name, count in result.frame.missing.items())
    return [f"             {_count(result.dropped, 'row')} left out for missing values: {why}"]


def _visits(result: FittedMMRM) -> list[str]:
    """The visits in their order, where that came from, and how far apart they are where that matters."""
    schedule = result.frame.schedule
    if len(schedule.labels) < 2:
        return []
    text = f"{schedule.line} ({schedule.order}"
    if result.fit.structure in BY_DISTANCE:
        scale = schedule.places - schedule.places[0] if schedule.times is None else schedule.times
        even = schedule.times is None and (np.diff(scale) == 1.0).all()
        apart = "neighbours one apart" if even else "at " + ", ".join(shortened(tuple(f"{x:g}" for x in scale)))
        text += f"; {apart}"
    return _wrapped("Visits", f"{text})")


def _references(result: FittedMMRM) -> list[str]:
    """The level of each factor that the others are compared with: a column of text has it by the alphabet alone."""
    factors = [variable for variable in result.design.variables if variable.is_factor]
    if not factors:
        return []
    told = [f"{factor.name} {factor.levels[0]} ({FIRST[factor.order == ALPHABET]})" for factor in factors]
    return _wrapped("Reference", "; ".join(told))


def _random_effects(result: FittedMMRM) -> str:
    """What ``ris`` implies, and whether it can be believed of people."""
    found = result.random_effects
    if found is None:
        return ""
    values = found.matrix
    digits = _digits(np.array([found.residual, *np.abs(np.diagonal(values))]))
    table = _table(
        ["Implied random effects", "intercept", "slope"],
        [
            ["intercept", _fixed(float(values[0, 0]), digits), ""],
            ["slope", *(_fixed(float(x), digits) for x in values[1])],
        ],
    )
    verdict = "This is a covariance: a random intercept and slope may have it."
    if not found.covariance:
        verdict = (
            "This is no covariance: no random intercept and slope has it. The model is marginal: only the\n"
            "covariance above must be one. lme4 and SAS RANDOM would stop at the border."
        )
    return f"{table}\nresidual variance {_fixed(found.residual, digits)}\n{verdict}"


def _wrapped(head: str, text: str) -> list[str]:
    """A line with its head, and more under it where it is too long."""
    return textwrap.wrap(text, 100, initial_indent=head.ljust(13), subsequent_indent=" " * 13, break_on_hyphens=False)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _coefficients(result: FittedMMRM) -> str:
    table = result.coefficients
    digits = _digits(table["standard_error"].drop_nulls().to_numpy())
    formats = (("estimate", digits), ("standard_error", digits), ("df", 1), ("statistic", 2))
    rows = [
        [row["term"], *(_fixed(row[column], places) for column, places in formats), _p_value(row["p_value"])]
        for row in table.to_dicts()
    ]
    return _table(["Coefficient", "estimate", "std. error", "df", "t", "p"], rows)


def _sigma(result: FittedMMRM) -> str:
    values, T = result.fit.sigma, len(result.visits)
    digits = _digits(np.diagonal(values))
    rows = [
        [visit, *(_fixed(float(values[t, s]), digits) if s <= t else "" for s in range(T))]
        for t, visit in enumerate(result.visits)
    ]
    return _table(["Covariance", *result.visits], rows)


def _digits(values: Floats) -> int:
    """Decimal places that leave the smallest of positive values at least four digits."""
    return int(np.clip(3 - np.floor(np.log10(values.min(initial=np.inf))), 0, 12)) if len(values) else 4


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column to the left, the others to the right, under a rule."""
    widths = [max(len(row[j]) for row in (head, *rows)) for j in range(len(head))]

    def line(row: Sequence[str]) -> str:
        others = (word.rjust(width) for word, width in zip(row[1:], widths[1:], strict=True))
        return "   ".join([row[0].ljust(widths[0]), *others]).rstrip()

    return "\n".join([line(head), "-" * len("   ".join("-" * width for width in widths)), *map(line, rows)])


def _count(number: int, word: str) -> str:
    several = "people" if word == "person" else f"{word}s"
    return f"{number} {word if number == 1 else several}"


def _fixed(value: float | None, digits: int) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"


def _p_value(value: float | None) -> str:
    if value is None:
        return NOTHING
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"
