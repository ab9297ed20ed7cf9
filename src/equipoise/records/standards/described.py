"""Datasets with their metadata: what every exchange format needs to know beside the rows.

SDTM tables come from records (`sdtm_tables`), analysis tables from a name, a title, labels and a frame
(`analysis_table`), so that this room need not know who made them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Literal

import polars as pl

from equipoise.records.classes import SUPPLIED
from equipoise.records.records import Records
from equipoise.records.sdtm import write_sdtm
from equipoise.records.sdtm.design import DESIGN, DESIGN_KEYS, LABELS
from equipoise.records.sdtm.parts import Dataset, Derived, Part
from equipoise.records.sdtm.variables import datasets
from equipoise.records.sdtm.writing import ASKED, ASKED_COLUMN, LACKS, LACKS_COLUMN
from equipoise.records.standards.metadata import (
    ANALYSIS_KEYS,
    METHODS,
    STRUCTURES,
    SUPP_LABELS,
    SUPPLIED_LABELS,
    SUPPLIED_NAMES,
    TITLES,
)

Origin = Literal["Collected", "Derived", "Assigned", "Predecessor"]
Standing = Literal["SDTM", "ADaM", "other"]
FIXED_TIME = datetime(2000, 1, 1)  # noqa: DTZ001  a constant, so that equal data give equal bytes; no zone is meant


@dataclass(frozen=True, slots=True)
class Item:
    """A variable: its name, label, where it comes from, and how it follows from others (only where it is derived).

    data_type: a type of Dataset-JSON that the frame's own type cannot say (``date``), else empty.
    """

    name: str
    label: str
    origin: Origin = "Collected"
    method: str = ""
    data_type: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A dataset: name in capitals, label, a variable for each column of the frame, the key, and the rows.

    Integers are Int64 and reals Float64, so that no format has to remember their width.
    """

    name: str
    label: str
    standing: Standing
    structure: str
    keys: tuple[str, ...]
    items: tuple[Item, ...]
    frame: pl.DataFrame

    def __post_init__(self) -> None:
        if [item.name for item in self.items] != self.frame.columns:
            raise ValueError(f"the variables of {self.name} are not the columns of its frame")
        object.__setattr__(self, "frame", _widened(self.frame))

    @property
    def oid(self) -> str:
        """The identifier of the dataset in Dataset-JSON and Define-XML."""
        return f"IG.{self.name}"

    def item_oid(self, name: str) -> str:
        """The identifier of one of its variables."""
        return f"IT.{self.name}.{name}"


def _widened(frame: pl.DataFrame) -> pl.DataFrame:
    kinds = {
        name: pl.Int64 if kind.is_integer() else pl.Float64
        for name, kind in frame.schema.items()
        if kind.is_integer() or kind.is_float()
    }
    texts = {name: pl.String for name, kind in frame.schema.items() if kind in (pl.Categorical, pl.Enum, pl.Null)}
    return frame.cast(kinds | texts)  # pyright: ignore[reportArgumentType]  names map to types, as it wants


def sdtm_tables(records: Records, *, supplied: bool = True) -> tuple[Table, ...]:
    """The SDTM datasets of the records with their supplemental qualifiers, those without rows too.

    supplied: with the files of supplied analysis values and of what was asked for, which are not SDTM (their
    names are ours, in capitals).
    Raises DataError as `write_sdtm` does.
    """
    frames: dict[str, pl.DataFrame] = {}

    def keep(name: str, writer: Callable[[IO[bytes]], object]) -> None:
        stream = io.BytesIO()
        writer(stream)
        frames[name.removesuffix(".parquet").upper()] = pl.read_parquet(io.BytesIO(stream.getvalue()))

    write_sdtm(records, keep, "parquet")
    labels = {assessment.domain: assessment.label for assessment in reversed(records.protocol.assessments)}
    made: list[Table] = []
    for dataset in datasets(records.protocol):
        name = dataset.name.upper()
        if dataset.key is None and name == "SUPPLIED":
            made += [_supplied(frames[name])] if supplied else []
            continue
        label = TITLES.get(name) or labels.get(name, name)
        made.append(_standard(dataset, label, frames[name]))
        if f"SUPP{name}" in frames:
            made.append(_supplemental(name, frames[f"SUPP{name}"]))
    if supplied and ASKED.upper() in frames:
        label = "Assessments asked for, without rows"
        made.append(_listed(ASKED, label, ASKED_COLUMN, "Assessment", frames))
    if supplied and LACKS.upper() in frames:
        made.append(_listed(LACKS, "What this masked copy lacks", LACKS_COLUMN, "Part of the records", frames))
    return (*made, *(_design(name, frames[name]) for name in DESIGN))


def _listed(name: str, label: str, column: str, meaning: str, frames: dict[str, pl.DataFrame]) -> Table:
    """A dataset of ours with one column."""
    items = (Item(column, meaning, "Assigned"),)
    structure = f"One record per {meaning.lower()}"
    return Table(name.upper(), label, "other", structure, (column,), items, frames[name.upper()])


def _design(name: str, frame: pl.DataFrame) -> Table:
    """A dataset of the trial's design, which the protocol file gives."""
    items = tuple(Item(column, LABELS[column], "Assigned") for column in frame.columns)
    return Table(name, TITLES[name], "SDTM", STRUCTURES[name], DESIGN_KEYS[name], items, frame)


def _standard(dataset: Dataset, label: str, frame: pl.DataFrame) -> Table:
    keys = ("STUDYID", "USUBJID", *([dataset.key] if dataset.key else []))
    items = {"STUDYID": Item("STUDYID", "Study Identifier", "Assigned")}
    for part in dataset.parts:
        items |= _items(part)
    structure = STRUCTURES.get(dataset.name, "One record per subject and sequence number")
    ordered = tuple(items[name] for name in frame.columns)
    return Table(dataset.name, label, "SDTM", structure, keys, ordered, frame)


def _items(part: Part) -> dict[str, Item]:
    """The variables of a part, by name; constants are assigned."""
    labels = {"DOMAIN": "Domain Abbreviation", "DSTERM": "Reported Term for the Disposition Event"}
    labels |= {"DSDECOD": "Standardized Disposition Term", "DSCAT": "Category for Disposition Event"}
    found = {name: Item(name, labels[name], "Assigned") for name in part.constants}
    for variable in part.variables:
        kind = "date" if variable.name.endswith("DTC") else ""
        general = variable.name.replace(part.domain, "--", 1) if part.domain else variable.name
        method = METHODS.get(variable.name) or METHODS.get(general, "")
        if isinstance(variable, Derived):
            found[variable.name] = Item(variable.name, variable.label, "Derived", method, kind)
        else:
            origin: Origin = "Assigned" if variable.assigned else "Derived" if method else "Collected"
            found[variable.name] = Item(variable.name, variable.label, origin, method, kind)
    return found


def _supplemental(domain: str, frame: pl.DataFrame) -> Table:
    name = f"SUPP{domain}"
    keys = ("STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM")
    items = tuple(Item(column, SUPP_LABELS[column], "Assigned") for column in frame.columns)
    label = f"Supplemental Qualifiers for {domain}"
    return Table(name, label, "SDTM", "One record per supplemental qualifier per record", keys, items, frame)


def _supplied(frame: pl.DataFrame) -> Table:
    items = tuple(Item(SUPPLIED_NAMES[name], SUPPLIED_LABELS[name]) for name in frame.columns)
    keys = tuple(SUPPLIED_NAMES[name] for name in SUPPLIED.key)
    label, structure = "Analysis values that came with the data", "One record per value"
    return Table("SUPPLIED", label, "other", structure, keys, items, frame.rename(SUPPLIED_NAMES))


def analysis_table(
    name: str, title: str, labels: Mapping[str, str], frame: pl.DataFrame, study: str | None = None
) -> Table:
    """An analysis dataset in ADaM's names, as `analyse` makes it: its name, title, labels by variable, and rows.

    study: the protocol's id; subjects are then named as SDTM names them, so that both join, and ADSL has SUBJID too.
    """
    upper = name.upper()
    if study is not None:
        ours = pl.col("USUBJID")
        labels = {**labels, "SUBJID": "Subject Identifier for the Study"}
        added = [ours.alias("SUBJID")] if upper == "ADSL" else []
        frame = frame.with_columns(pl.format("{}-{}", pl.lit(study), ours).alias("USUBJID"), *added)
    items = tuple(_analysis_item(column, labels[column], joined=study is not None) for column in frame.columns)
    structure = STRUCTURES.get(upper, "One record per subject, parameter and visit")
    keys = tuple(key for key in ANALYSIS_KEYS.get(upper, ("USUBJID",)) if key in frame.columns)
    return Table(upper, title, "ADaM", structure, keys, items, frame)


def _analysis_item(name: str, label: str, *, joined: bool) -> Item:
    if name in {"STUDYID", "SITEID", "AGE", "AGEU", "SEX", "SUBJID"} or (joined and name == "USUBJID"):
        return Item(name, label, "Predecessor", f"DM.{name}")
    if name == "USUBJID":  # analysis names participants as the protocol does, without the study before them
        return Item(name, label, "Predecessor", "DM.SUBJID")
    method = METHODS.get(f"ADaM.{name}") or f"Made by the analysis of the protocol: {label}."
    return Item(name, label, "Derived", method)
