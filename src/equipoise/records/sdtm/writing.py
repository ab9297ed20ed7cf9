"""Records -> SDTM datasets."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

import polars as pl

from equipoise.errors import DataError, Problem, shown
from equipoise.protocol.model import Protocol
from equipoise.records.records import Records
from equipoise.records.sdtm.design import design_frames
from equipoise.records.sdtm.files import KINDS, writer_of
from equipoise.records.sdtm.forms import Context, Kind, as_text
from equipoise.records.sdtm.parts import Dataset, Part, Variable
from equipoise.records.sdtm.variables import datasets

Writer = Callable[[str, Callable[[IO[bytes]], object]], object]
"""Writes a file: its name, and a function that is handed a binary stream."""

SUPP_COLUMNS: dict[str, Kind] = dict.fromkeys(
    ("STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QLABEL", "QVAL", "QORIG", "QEVAL"), pl.String
)

ASKED, ASKED_COLUMN = "asked", "ASSESS"
"""The dataset of assessments that were asked for and have no rows, which is not SDTM; absent where there are none."""
LACKS, LACKS_COLUMN = "lacks", "PART"
"""The dataset that names what a masked copy lacks (`records.masked`), which is not SDTM; absent for whole records."""


def write_sdtm(records: Records, write: Writer, kind: str = "parquet") -> None:
    """Write one file a dataset (``dm``, ``suppdm``, ``lb``, …; those without rows too), and the trial's design.

    kind: ``parquet`` or ``csv``. Raises DataError where a row's domain is not its assessment's.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}, not one of {', '.join(KINDS)}")
    made = datasets(records.protocol)
    _require_domains(records)
    for dataset in made:
        rows = rows_of(dataset, records)
        name = dataset.name.lower()
        write(f"{name}.{kind}", writer_of(rows.select(list(columns_of(dataset))), kind))
        if dataset.supplemental:
            write(f"supp{name}.{kind}", writer_of(_supplement(dataset, rows), kind))
    if records.silent:
        write(f"{ASKED}.{kind}", writer_of(pl.DataFrame({ASKED_COLUMN: records.silent}), kind))
    if records.lacks:
        write(f"{LACKS}.{kind}", writer_of(pl.DataFrame({LACKS_COLUMN: records.lacks}), kind))
    for name, frame in design_frames(records.protocol).items():
        write(f"{name.lower()}.{kind}", writer_of(frame, kind))


def columns_of(dataset: Dataset) -> dict[str, Kind]:
    """The columns of the dataset's file, in order, with their types."""
    study = {"STUDYID": pl.String} if dataset.parts[0].domain else {}
    return study | dataset.standard


def rows_of(dataset: Dataset, records: Records) -> pl.DataFrame:
    """All rows of a dataset, its supplemental variables as columns beside the others."""
    frames = [encode(part, records.protocol, _own(part, records.tables[part.table])) for part in dataset.parts]
    rows = pl.concat(frames, how="diagonal")
    counted = f"{dataset.name}SEQ"
    if dataset.key == counted:
        rows = rows.with_columns(pl.int_range(1, pl.len() + 1).over("USUBJID").alias(counted))
    return rows


def _own(part: Part, table: pl.DataFrame) -> pl.DataFrame:
    """The rows of a table that belong into a part."""
    if part.present is not None:
        return table.filter(pl.col(part.present).is_not_null())
    return table.filter(pl.col("domain") == part.domain) if "domain" in table.columns else table


def encode(part: Part, protocol: Protocol, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of ours as SDTM's variables, one row for each, supplemental variables included."""
    context = Context(protocol, rows)
    constants = {"STUDYID": protocol.id, **part.constants} if part.domain else {}
    made = [pl.Series(name, [value] * rows.height, dtype=pl.String) for name, value in constants.items()]
    for variable in part.variables:
        if isinstance(variable, Variable):
            made.append(_encoded(variable, context).alias(variable.name))
        else:
            made.append(variable.derive(context).alias(variable.name))
    return pl.DataFrame({series.name: series for series in made})


def _encoded(variable: Variable, context: Context) -> pl.Series:
    values = variable.form.encode(context.rows[variable.column], context)
    if variable.when is None:
        return values
    column, word = variable.when
    return pl.select(pl.when(context.rows[column].eq_missing(pl.lit(word, pl.String))).then(values)).to_series()


def _supplement(dataset: Dataset, rows: pl.DataFrame) -> pl.DataFrame:
    """SUPP--: a row for each supplemental value."""
    value = as_text(rows[dataset.key]) if dataset.key else pl.lit(None, pl.String)
    identified = rows.with_columns(IDVARVAL=value)
    parts = [pl.DataFrame(schema=SUPP_COLUMNS)]
    for name, variable in dataset.supplemental.items():
        given = identified.with_columns(QVAL=as_text(rows[name])).filter(pl.col("QVAL").is_not_null())
        constants = {
            "RDOMAIN": dataset.name,
            "IDVAR": dataset.key,
            "QNAM": name,
            "QLABEL": variable.label,
            "QORIG": "Assigned" if variable.assigned else "Collected",
            "QEVAL": None,
        }
        literals = [pl.lit(text, pl.String).alias(column) for column, text in constants.items()]
        parts.append(given.with_columns(literals).select(list(SUPP_COLUMNS)))
    return pl.concat(parts)


def _require_domains(records: Records) -> None:
    """A row in another domain than its assessment's would be lost, or be read as something else."""
    domains = {assessment.id: assessment.domain for assessment in records.protocol.assessments}
    problems: list[Problem] = []
    for name in ("findings", "events", "interventions"):
        table = records.tables[name]
        right = pl.col("assessment").replace_strict(domains, return_dtype=pl.String)
        wrong = table.filter(pl.col("domain") != right) if table.height else table
        for row in wrong.iter_rows(named=True):
            message = f"the row's domain is not that of {row['assessment']!r}, {domains[row['assessment']]}"
            remedy = "Write the assessment's domain when the data are read."
            where, value = f"{name}.domain", shown(row["domain"])
            problems.append(Problem(row["source"], None, where, "domain-right", message, remedy, value))
    if problems:
        raise DataError("these records cannot be written as SDTM", problems)
