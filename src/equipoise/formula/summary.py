"""The summary of a fitted model, as plain text of at most about 100 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

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
    "ris": "random intercept and slope, with residual",
}
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
    return "\n\n".join(parts)


def _head(result: FittedMMRM) -> str:
    fit = result.fit
    likelihood = "restricted" if fit.reml else "full"
    visits = _count(len(result.visits), "visit")
    data = f"{_count(fit.observations, 'value')} of {_count(fit.people, 'person')} at {visits}"
    covariance = f"{STRUCTURES[fit.structure]}; {_count(fit.parameters, 'parameter')} by {likelihood} likelihood"
    lines = ["Mixed model for repeated measures", f"Formula      {result.formula}"]
    lines += [f"Data         {data}; {fit.complete_cases} with all visits", *_dropped(result)]
    lines += [f"Covariance   {covariance}", f"Inference    {result.inference.words}"]
    if result.status == Status.OK:
        return "\n".join(
            [*lines, f"Fit          -2 log L {result.deviance:.2f}   AIC {result.aic:.2f}   BIC {result.bic:.2f}"]
        )
    what, _, advice = result.message.partition("; ")
    return "\n".join([*lines, "", f"NOT FITTED   {what}", f"Advice       {advice}"])


def _dropped(result: FittedMMRM) -> list[str]:
    if not result.dropped:
        return []
    why = ", ".join(f"{name} in {count}" for name, count in result.frame.missing.items())
    return [f"             {_count(result.dropped, 'row')} left out for missing values: {why}"]


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
