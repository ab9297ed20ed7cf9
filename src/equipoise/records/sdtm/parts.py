"""What the table of variables is made of: variables, parts of datasets, datasets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from equipoise.records.sdtm.forms import TEXT, Context, Form, Kind


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that holds one of our columns.

    when:          (column, its value) of the rows that it holds, where several variables share one column.
    supplemental:  SDTM has no place for it: it stands in the domain's SUPP-- dataset, and `name` is its QNAM.
    assigned:      made by our software rather than collected (SUPP--'s QORIG).
    """

    name: str
    column: str
    label: str
    form: Form = TEXT
    when: tuple[str, str | None] | None = None
    supplemental: bool = False
    assigned: bool = False


@dataclass(frozen=True, slots=True)
class Derived:
    """A variable that follows from others: written for SDTM's readers; on reading it must agree with them.

    identifier:  numbers the rows and is not compared.
    """

    name: str
    label: str
    kind: Kind
    derive: Callable[[Context], pl.Series]
    identifier: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one dataset that come from one of our tables.

    constants:  variables with one value in all these rows; they tell parts of one dataset apart.
    present:    the column without which a row of ours has no row here.
    joined:     these rows add columns to a table that another part makes (the disposition of a participant).
    """

    table: str
    domain: str
    variables: tuple[Variable | Derived, ...]
    constants: Mapping[str, str] = field(default_factory=dict)
    present: str | None = None
    joined: bool = False

    @property
    def columns(self) -> tuple[Variable, ...]:
        """The variables that hold columns of ours."""
        return tuple(v for v in self.variables if isinstance(v, Variable))

    @property
    def supplemental(self) -> tuple[Variable, ...]:
        return tuple(v for v in self.columns if v.supplemental)

    @property
    def standard(self) -> dict[str, Kind]:
        """The variables of the dataset itself, in order, with their types."""
        own = {v.name: v.form.kind if isinstance(v, Variable) else v.kind for v in self.variables if not _extra(v)}
        constants = dict.fromkeys(self.constants, pl.String)
        return {name: constants[name] for name in ("DOMAIN",) if name in constants} | own | constants

    def in_domain(self, domain: str) -> Part:
        """The part with ``--`` replaced by the domain."""
        named = tuple(replace(v, name=v.name.replace("--", domain)) for v in self.variables)
        return replace(self, domain=domain, variables=named, constants={"DOMAIN": domain, **self.constants})


def _extra(variable: Variable | Derived) -> bool:
    return isinstance(variable, Variable) and variable.supplemental


@dataclass(frozen=True, slots=True)
class Dataset:
    """One SDTM dataset, as a file, with its SUPP-- beside it.

    key:  the variable by which SUPP-- names a row of a subject (IDVAR); None where a subject has one row.
    """

    name: str
    parts: tuple[Part, ...]
    key: str | None

    @property
    def standard(self) -> dict[str, Kind]:
        return {name: kind for part in self.parts for name, kind in part.standard.items()}

    @property
    def supplemental(self) -> dict[str, Variable]:
        return {variable.name: variable for part in self.parts for variable in part.supplemental}
