"""The datasets under test, in one form whatever program wrote them, and what a check finds in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

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
    """One dataset: its name in capitals, its domain (LB of LBCH), and its rows with their numbers in ROW.

    frame: its variables in capitals; spelt: name in capitals -> as it was, where that was another spelling.
    """

    name: str
    domain: str
    frame: pl.DataFrame
    spelt: Mapping[str, str] = field(default_factory=dict)

    def has(self, *names: str) -> bool:
        return set(names) <= set(self.frame.columns)

    def has_any(self, *names: str) -> bool:
        return not set(names).isdisjoint(self.frame.columns)

    @property
    def variables(self) -> list[str]:
        return [name for name in self.frame.columns if name != ROW]

    @property
    def prefix(self) -> str:
        """What the dataset's own variables begin with: LB, and MH in APMH, of associated persons."""
        return self.domain[2:] if self.domain.startswith("AP") and len(self.domain) == 4 else self.domain

    def own(self, *stems: str) -> list[str]:
        """Those of the variables with these stems (SEQ, STDTC) that are here, with their prefix."""
        return [name for stem in stems if self.has(name := f"{self.prefix}{stem}")]

    def number(self, name: str) -> pl.Expr:
        """The variable as a number, missing where it is none."""
        return pl.col(name).cast(pl.Float64, strict=False)

    def text(self, name: str) -> pl.Expr:
        """The variable as text."""
        return pl.col(name).cast(pl.String)

    def where(self, variable: str, wrong: pl.Expr, message: str, rows: pl.DataFrame | None = None) -> Findings:
        """One finding for all rows (of `rows`, else of the dataset) in which the condition holds."""
        yield from self.rows(
            variable, (self.frame if rows is None else rows).filter(wrong.fill_null(value=False)), message
        )

    def rows(self, variable: str, bad: pl.DataFrame, message: str) -> Findings:
        """One finding for all of these rows of the dataset, none where there are none."""
        if bad.height:
            first = bad.row(bad[ROW].arg_min() or 0, named=True)
            told = None if first.get(variable) is None else shown(first[variable])
            yield Finding("", self.name, variable, message, bad.height, first[ROW], told)

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
        made = (part for name, frame in sorted(frames.items()) for part in _datasets(name.upper(), frame))
        return cls(dict(made))

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


_NOT_OBSERVED = (
    *("RELREC", "RELSUB", "RELSPEC", "RELREF", "POOLDEF", "TA", "TE", "TV", "TI", "TS", "TD", "TM"),
    *("SUPPLIED", "ASKED", "LACKS"),
)


def _datasets(name: str, frame: pl.DataFrame) -> Iterator[tuple[str, Dataset]]:
    """The dataset by its name; SUPPQUAL, which holds the qualifiers of all domains, as one for each domain."""
    whole = _dataset(name, frame)
    if name != "SUPPQUAL" or not whole.has("RDOMAIN"):
        yield name, whole
        return
    for domain in whole.frame["RDOMAIN"].cast(pl.String).drop_nulls().unique(maintain_order=True).to_list():
        part = whole.frame.filter(pl.col("RDOMAIN").cast(pl.String) == domain)
        yield f"{name} of {domain}", Dataset(name, domain, part, whole.spelt)


def _dataset(name: str, frame: pl.DataFrame) -> Dataset:
    frame, spelt = _in_capitals(frame)
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
    return Dataset(name, domain if not name.startswith("SUPP") else name[4:6], known, spelt)


def _in_capitals(frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, str]]:
    """Variables in capitals, where no two become one: SAS reads names in any spelling, and so do others."""
    capitals = [name.upper() for name in frame.columns]
    renamed = {
        name: upper
        for name, upper in zip(frame.columns, capitals, strict=True)
        if name != upper and capitals.count(upper) == 1
    }
    return frame.rename(renamed), {upper: name for name, upper in renamed.items()}
