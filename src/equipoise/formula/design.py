"""The design matrix of a model frame, with R's coding and R's names of its columns.

A factor in a term has treatment contrasts where the other variables of the term stand together in an earlier term
(or there are no others), and a column for each level elsewhere. Chambers & Hastie, Statistical Models in S, 1992,
chapter 2, as R's ``model.matrix`` does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from equipoise.formula.grammar import Parsed
from equipoise.formula.model_frame import ModelFrame, Variable
from equipoise.stats.arrays import Counts, Flags, Floats
from equipoise.stats.least_squares import DEPENDENT

Places = Mapping[int, Floats]
"""Of some variables by their index: weights of the levels (k,) of a factor, or the value (1,) of a covariate."""


@dataclass(frozen=True, slots=True)
class Term:
    """A term: its variables by index, and for each whether it has a column for all its levels."""

    variables: tuple[int, ...]
    every_level: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Design:
    """columns (N, p) with their names (p,), made of the intercept, if there is one, and the terms.

    owners: (p,) the index of the term of each column, -1 for the intercept.
    """

    columns: Floats
    names: tuple[str, ...]
    intercept: bool
    terms: tuple[Term, ...]
    variables: tuple[Variable, ...]
    owners: tuple[int, ...]

    def row(self, places: Places) -> Floats:
        """The weights (p,) of a mean where the variables are as ``places`` says, all of them.

        Averaging over a factor averages its own columns: in a product of factors each has a place of its own.
        """
        parts = [np.ones(1)] if self.intercept else []
        for term in self.terms:
            part = np.ones(1)
            for i, every in zip(term.variables, term.every_level, strict=True):
                own = places[i] if every or not self.variables[i].is_factor else places[i][1:]
                part = np.multiply.outer(own, part).ravel()
            parts.append(part)
        return np.concatenate(parts)

    def dependent(self) -> tuple[str, ...]:
        """The names of the columns that follow from the columns before them."""
        length = np.linalg.norm(self.columns, axis=0)
        basis = np.zeros((len(self.columns), 0))
        found = []
        for name, column, size in zip(self.names, self.columns.T, length, strict=True):
            rest = column / size if size > 0 else column
            for _ in range(2):  # a second time takes away what rounding left
                rest = rest - basis @ (basis.T @ rest)
            left = np.linalg.norm(rest)
            if left < DEPENDENT:
                found.append(name)
            else:
                basis = np.column_stack([basis, rest / left])
        return tuple(found)


def design(parsed: Parsed, frame: ModelFrame) -> Design:
    """The design of a formula in the rows of its frame."""
    terms = _coded(parsed, frame.variables)
    n = len(frame.outcome)
    parts, names = ([np.ones((n, 1))], ["(Intercept)"]) if parsed.intercept else ([], [])
    owners = [-1] if parsed.intercept else []
    for index, term in enumerate(terms):
        part, words = np.ones((n, 1)), [""]
        for i, every in zip(term.variables, term.every_level, strict=True):
            own, labels = _columns(frame.variables[i], every=every)
            part = (own[:, :, None] * part[:, None, :]).reshape(n, -1)
            words = [f"{word}:{label}" if word else label for label in labels for word in words]
        parts.append(part)
        names += words
        owners += [index] * len(words)
    columns = np.concatenate(parts, axis=1)
    return Design(columns, tuple(names), parsed.intercept, terms, frame.variables, tuple(owners))


def _columns(variable: Variable, *, every: bool) -> tuple[Floats, list[str]]:
    """The columns (N, k) of a variable and their names."""
    if not variable.is_factor:
        return variable.values[:, None], [variable.label]
    levels = variable.levels if every else variable.levels[1:]
    codes: Counts = variable.codes
    shown: Flags = codes[:, None] == np.arange(len(variable.levels) - len(levels), len(variable.levels))
    return shown.astype(np.float64), [f"{variable.label}{level}" for level in levels]


def _coded(parsed: Parsed, variables: tuple[Variable, ...]) -> tuple[Term, ...]:
    # Without an intercept, the first factor of all takes its place.
    waits = not parsed.intercept
    found: list[Term] = []
    for term in parsed.terms:
        every = []
        for i in term:
            others = set(term) - {i}
            whole = bool(others) and not any(others <= set(before.variables) for before in found)
            if waits and variables[i].is_factor:
                whole, waits = True, False
            every.append(whole)
        found.append(Term(term, tuple(every)))
    return tuple(found)
