"""Checks of the trial's design (TA, TE, TV, TI, TS), in itself and against what subjects had."""

from __future__ import annotations

import polars as pl

from equipoise.records.sdtm.design import DESIGN, DESIGN_KEYS
from equipoise.records.standards.conformance.study import Dataset, Findings, Study

_REQUIRED = {
    "TA": ("DOMAIN", "ARM", "ETCD", "EPOCH"),
    "TE": ("DOMAIN", "ELEMENT", "TESTRL"),
    "TV": ("DOMAIN", "TVSTRL"),
    "TI": ("DOMAIN", "IETEST", "IECAT"),
    "TS": ("DOMAIN", "TSPARM", "TSVAL"),
}
_ALSO_KEYS = {"TV": ("ARMCD",), "TI": ("TIVERS",)}
"""Variables that others have in their keys: the criteria of two versions of a protocol have one code."""
_NO_ARM = ("SCRNFAIL", "NOTASSGN", "NOTTRT", "UNPLAN")
"""What ARMCD says of subjects without an arm, in versions of SDTM that put it there."""


def whole_designs(study: Study) -> Findings:
    """By dataset; TSVAL may be empty, the others not."""
    for dataset in (found for name in DESIGN if (found := study.get(name)) is not None):
        for name in (*DESIGN_KEYS[dataset.name], *_REQUIRED[dataset.name]):
            if not dataset.has(name):
                yield from dataset.whole(name, "the required variable is missing")
            elif name != "TSVAL":
                yield from dataset.where(name, pl.col(name).is_null(), "a required value is missing")
        keys = [name for name in DESIGN_KEYS[dataset.name] if dataset.has(name)]
        keys += [name for name in _ALSO_KEYS.get(dataset.name, ()) if dataset.has(name)]
        if len(keys) > 1:
            wrong = pl.struct(keys).is_duplicated()
            yield from dataset.where(keys[-1], wrong, f"two rows have one key ({', '.join(keys)})")


def elements_known(study: Study) -> Findings:
    """Of those of the arms."""
    yield from _known(study.get("TA"), study.get("TE"), "ETCD", "the element is not in TE")


def epochs_known(study: Study) -> Findings:
    """Of the datasets of subjects that say in which epoch something was."""
    for dataset in study.observations:
        yield from _known(dataset, study.get("TA"), "EPOCH", "the epoch is not in TA")


def arms_known(study: Study) -> Findings:
    """Of the subjects who were assigned to one."""
    subjects, arms = study.get("DM"), study.get("TA")
    if subjects is not None and subjects.has("ARMCD"):
        assigned = Dataset("DM", "DM", subjects.frame.filter(~subjects.text("ARMCD").str.to_uppercase().is_in(_NO_ARM)))
        yield from _known(assigned, arms, "ARMCD", "the arm is not in TA")


def _known(dataset: Dataset | None, other: Dataset | None, variable: str, message: str) -> Findings:
    if dataset is None or other is None or not dataset.has(variable) or not other.has(variable):
        return
    known = other.frame[variable].cast(pl.String).unique().implode()
    yield from dataset.where(variable, ~dataset.text(variable).is_in(known), message)


def summaries_told(study: Study) -> Findings:
    """TSVALNF says why there is no value."""
    summary = study.get("TS")
    if summary is None or not summary.has("TSVAL"):
        return
    told = pl.col("TSVALNF").is_not_null() if summary.has("TSVALNF") else pl.lit(value=False)
    given = pl.col("TSVAL").is_not_null()
    yield from summary.where("TSVAL", ~given & ~told, "there is neither a value nor a reason (TSVALNF)")
    yield from summary.where("TSVALNF", given & told, "there is a value, and a reason why there is none")
