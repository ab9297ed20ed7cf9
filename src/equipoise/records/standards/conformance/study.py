"""The datasets under test, in one form whatever program wrote them, and what a check finds in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from equipoise.errors import Problem, shown

ROW = "row of the dataset"  # a column of ours beside theirs, whose names are capitals


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found in one variable of one dataset.

    rows:   how many rows have it; 0 where it concerns the dataset as a whole.
    first:  the first of them, from 1.
    value:  what stands there.
    """

    rule: str
    dataset: str
    variable: str
    message: str
    rows: int = 0
    first: int | None = None
    value: str | None = None

    def problem(self) -> Problem:
        """The finding as a problem, as errors tell it."""
        others = f", in {self.rows} rows" if self.rows > 1 else ""
        remedy = f"docs/standards.md describes {self.rule}."
        return Problem(self.dataset, self.first, self.variable, self.rule, self.message + others, remedy, self.value)


Findings = Iterator[Finding]


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset: its name in capitals, its domain (LB of LBCH), and its rows with their numbers in ROW."""

    name: str
    domain: str
    frame: pl.DataFrame

    def has(self, *names: str) -> bool:
        return set(names) <= set(self.frame.columns)

    @property
    def variables(self) -> list[str]:
        return [name for name in self.frame.columns if name != ROW]

    def own(self, *stems: str) -> list[str]:
        """Those of the variables with these stems (SEQ, STDTC) that are here, with the domain before them."""
        return [name for stem in stems if self.has(name := f"{self.domain}{stem}")]

    def number(self, name: str) -> pl.Expr:
        """The variable as a number, missing where it is none."""
        return pl.col(name).cast(pl.Float64, strict=False)

    def text(self, name: str) -> pl.Expr:
        """The variable as text."""
        return pl.col(name).cast(pl.String)

    def where(self, variable: str, wrong: pl.Expr, message: str, rows: pl.DataFrame | None = None) -> Findings:
        """One finding for all rows (of `rows`, else of the dataset) in which the condition holds."""
        bad = (self.frame if rows is None else rows).filter(wrong.fill_null(value=False))
        if bad.height:
            value = bad[variable][0] if variable in bad.columns else None
            told = None if value is None else shown(value)
            yield Finding("", self.name, variable, message, bad.height, bad[ROW].min(), told)  # pyright: ignore[reportArgumentType]  numbers of rows are whole

    def whole(self, variable: str, message: str, value: object = None) -> Findings:
        """A finding about the dataset as a whole."""
        yield Finding("", self.name, variable, message, value=None if value is None else shown(value))


@dataclass(frozen=True, slots=True)
class Study:
    """All datasets of one study, by name."""

    datasets: Mapping[str, Dataset]

    @classmethod
    def of(cls, frames: Mapping[str, pl.DataFrame]) -> Study:
        """Frames by name, as they were read: empty texts become missing, whatever is no number becomes text."""
        return cls({name.upper(): _dataset(name.upper(), frame) for name, frame in sorted(frames.items())})

    def get(self, name: str) -> Dataset | None:
        return self.datasets.get(name)

    @property
    def observations(self) -> list[Dataset]:
        """The datasets whose rows a subject and a domain of its own have: no qualifiers, relations or trial design."""
        return [d for d in self.datasets.values() if d.name[:4] != "SUPP" and d.name not in _NOT_OBSERVED]

    @property
    def supplemental(self) -> list[Dataset]:
        return [d for d in self.datasets.values() if d.name.startswith("SUPP") and d.name != "SUPPLIED"]

    def of_domain(self, domain: str) -> list[Dataset]:
        """The datasets of a domain, which may be split (LBCH, LBHE)."""
        return [dataset for dataset in self.observations if dataset.domain == domain]

    @property
    def domains(self) -> list[str]:
        return list(dict.fromkeys(dataset.domain for dataset in self.observations))


_NOT_OBSERVED = ("RELREC", "RELSUB", "RELSPEC", "TA", "TE", "TV", "TI", "TS", "TD", "TM", "SUPPLIED", "ASKED", "LACKS")


def _dataset(name: str, frame: pl.DataFrame) -> Dataset:
    columns: list[pl.Series] = []
    for values in frame.get_columns():
        if values.dtype.is_numeric():
            columns.append(values.fill_nan(None) if values.dtype.is_float() else values)
        elif values.dtype.is_nested() or values.dtype in (pl.Object, pl.Binary, pl.Duration):
            columns.append(pl.Series(values.name, [str(value) for value in values.to_list()], dtype=pl.String))
        else:
            columns.append(values.cast(pl.String).replace("", None))
    known = pl.DataFrame(columns).with_columns(pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True).alias(ROW))
    domain = name[:2]
    if "DOMAIN" in known.columns:
        given = known["DOMAIN"].cast(pl.String).drop_nulls().unique(maintain_order=True)
        domain = given[0] if len(given) == 1 else domain
    return Dataset(name, domain if not name.startswith("SUPP") else name[4:6], known)
