"""Combinations of factors without any value: which columns of a design they cost, and what is left.

A column of a product of factors that no row can tell from the others is left out, and a combination of coefficients
is estimated if, and only if, it is one of what the rows do tell (Searle, Linear Models, 1971, section 5.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from equipoise.formula.design import Design
from equipoise.stats.arrays import Counts, Flags, Floats

NOTHING = 1e-8
"""A combination that leaves what is estimable by less than this share of its length does not leave it."""


@dataclass(frozen=True, slots=True)
class Estimable:
    """What the rows of a design with p columns tell.

    kept: (r,) the columns that are fitted. unseen: (p - r, p) combinations of columns that are 0 in every row, of
    unit length. cells: the combinations of factors without rows that cost the other columns, in words.
    """

    kept: Counts
    unseen: Floats
    cells: tuple[str, ...]

    def holds(self, weights: Floats) -> Flags:
        """Whether each combination (q, p) of the coefficients can be estimated."""
        length = np.linalg.norm(weights, axis=1)
        return (np.abs(weights @ self.unseen.T) <= NOTHING * length[:, None]).all(axis=1)


def everything(design: Design) -> Estimable:
    """A design of full rank."""
    p = len(design.names)
    return Estimable(np.arange(p), np.zeros((0, p)), ())


def without_empty_cells(design: Design) -> Estimable | None:
    """What is left where empty cells of products of factors cost columns; nothing where anything else does too."""
    lost = np.array([design.names.index(name) for name in design.dependent()], dtype=np.int64)
    terms = {design.owners[j] for j in lost}
    cells = {term: _empty(design, term) for term in terms}
    if not len(lost) or not all(cells.values()):
        return None
    kept = np.setdiff1d(np.arange(len(design.names)), lost)
    length = np.linalg.norm(design.columns, axis=0)
    length[length == 0.0] = 1.0
    columns = design.columns / length
    follows = np.linalg.lstsq(columns[:, kept], columns[:, lost], rcond=None)[0]
    unseen = np.zeros((len(lost), len(design.names)))
    unseen[:, kept] = follows.T
    unseen[np.arange(len(lost)), lost] = -1.0
    # What rounding leaves of a coefficient that is 0 would make combinations seem to need one that they do not.
    unseen[np.abs(unseen) < NOTHING] = 0.0
    unseen = unseen / length
    words = tuple(dict.fromkeys(cell for term in sorted(terms) for cell in cells[term]))
    return Estimable(kept, unseen / np.linalg.norm(unseen, axis=1, keepdims=True), words)


def _empty(design: Design, term: int) -> list[str]:
    """The combinations of levels of a term's factors, two or more, in which there is no row."""
    if term < 0:
        return []
    factors = [design.variables[i] for i in design.terms[term].variables if design.variables[i].is_factor]
    if len(factors) < 2:
        return []
    seen = set(zip(*(factor.codes.tolist() for factor in factors), strict=True))
    return [
        ", ".join(f"{factor.name} {factor.levels[code]}" for factor, code in zip(factors, cell, strict=True))
        for cell in product(*(range(len(factor.levels)) for factor in factors))
        if cell not in seen
    ]
