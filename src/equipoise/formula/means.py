"""Least-squares means: where they are taken, and their weights of the coefficients."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, product
from numbers import Real

import numpy as np
import polars as pl

from equipoise.errors import InputError, Problem, shown
from equipoise.formula.design import Design
from equipoise.formula.model_frame import Variable
from equipoise.stats.arrays import Floats


def mean_rows(design: Design, by: tuple[str, ...], at: Mapping[str, float]) -> tuple[pl.DataFrame, Floats]:
    """The cells of the factors ``by``, the first varying fastest, and the weights (cells, p) of their means.

    InputError: a name that is no factor of the terms, twice the same, or an ``at`` that names no covariate.
    """
    index = {variable.name: i for i, variable in enumerate(design.variables)}
    factors = {name: design.variables[i].levels for name, i in index.items() if design.variables[i].is_factor}
    for name in by:
        if name not in factors:
            remedy = f"Factors of the terms are {', '.join(factors) or 'none'}."
            raise _wrong("by", "Means are taken by factors of the terms", remedy, name)
    if len(set(by)) < len(by):
        raise _wrong("by", "A factor stands here twice", "Name it once.", by)
    _check(design, at)
    middle = {i: _middle(variable, at) for i, variable in enumerate(design.variables)}
    cells = [cell[::-1] for cell in product(*(range(len(factors[name])) for name in reversed(by)))]
    rows = [
        design.row(middle | {index[name]: np.eye(len(factors[name]))[k] for name, k in zip(by, cell, strict=True)})
        for cell in cells
    ]
    words = {name: [factors[name][cell[j]] for cell in cells] for j, name in enumerate(by)}
    return pl.DataFrame(words, schema=dict.fromkeys(by, pl.String)), np.array(rows)


def compared(cells: pl.DataFrame, rows: Floats, factor: str) -> tuple[pl.DataFrame, Floats]:
    """Every level of a factor less every earlier one, in the cells of the others; with a column ``contrast``.

    InputError: the factor is not among those of the cells.
    """
    if factor not in cells.columns:
        remedy = f"Compare one of {', '.join(cells.columns) or 'the factors that by names'}."
        raise _wrong("compare", "The factor is not among those of by", remedy, factor)
    others = [name for name in cells.columns if name != factor]
    table = cells.to_dicts()
    groups: dict[tuple[str, ...], list[int]] = {}
    for i, cell in enumerate(table):
        groups.setdefault(tuple(cell[name] for name in others), []).append(i)
    # In the order of R: 2 - 1, 3 - 1, 3 - 2.
    pairs = [(later, earlier) for group in groups.values() for earlier, later in combinations(group, 2)]
    words = {"contrast": [f"{table[later][factor]} - {table[earlier][factor]}" for later, earlier in pairs]}
    words |= {name: [table[later][name] for later, _ in pairs] for name in others}
    first, second = (list(part) for part in zip(*pairs, strict=True))
    return pl.DataFrame(words), rows[first] - rows[second]


def _middle(variable: Variable, at: Mapping[str, float]) -> Floats:
    """Equal weights (k,) of a factor's levels, or the value (1,) of a covariate at the means of its columns."""
    if variable.is_factor:
        return np.full(len(variable.levels), 1.0 / len(variable.levels))
    value = variable.expression.value(lambda name: np.array(at.get(name, variable.means[name])))
    if not np.isfinite(value):
        raise _wrong("at", f"{variable.label} is not finite there", "Choose another value.")
    return value.reshape(1)


def _check(design: Design, at: Mapping[str, float]) -> None:
    covariates = {name for variable in design.variables for name in variable.means}
    for name, value in at.items():
        if name not in covariates:
            remedy = f"Covariates are {', '.join(sorted(covariates)) or 'none'}."
            raise _wrong("at", "The terms have no such covariate", remedy, name)
        if not (isinstance(value, Real) and np.isfinite(float(value))):
            raise _wrong("at", f"{name} takes a number", "Give one.", value)


def _wrong(path: str, message: str, remedy: str, value: object = None) -> InputError:
    told = None if value is None else shown(value)
    return InputError("no means", [Problem("lsmeans", None, path, "means", message, remedy, told)])
