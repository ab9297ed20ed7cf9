"""Checks of analysis datasets in ADaM's names."""

from __future__ import annotations

import re

import polars as pl

from equipoise.records.standards.conformance.required import (
    ANALYSIS_KEYS,
    ANALYSIS_NOT_IN_KEY,
    ANALYSIS_REQUIRED,
    ANALYSIS_VALUES,
    analysis_kind_of,
)
from equipoise.records.standards.conformance.study import Dataset, Findings, Study
from equipoise.records.standards.terms import terms_of

_NAME = re.compile(r"[A-Z][A-Z0-9]{0,7}", re.ASCII)


def subject_level_there(study: Study) -> Findings:
    """ADSL is among the datasets."""
    if study.get("ADSL") is None:
        yield from Dataset("ADSL", "AD", pl.DataFrame()).whole("", "there is no dataset ADSL")


def variables_present(study: Study) -> Findings:
    """Variables that the structure requires, and names that may be."""
    for dataset in study.datasets.values():
        for name in ANALYSIS_REQUIRED[analysis_kind_of(dataset)]:
            if not dataset.has(name):
                yield from dataset.whole(name, "the required variable is missing")
        for name in (dataset.spelt.get(name, name) for name in dataset.variables):
            if not _NAME.fullmatch(name):
                yield from dataset.whole(name, "the name is not one to eight capitals and digits")


def values_present(study: Study) -> Findings:
    """Identifiers and parameters stand in every row."""
    for dataset in study.datasets.values():
        for name in ANALYSIS_VALUES:
            if dataset.has(name):
                yield from dataset.where(name, pl.col(name).is_null(), "a required value is missing")


def subjects_known(study: Study) -> Findings:
    """Subjects of all datasets are in ADSL."""
    subjects = study.get("ADSL")
    if subjects is None or not subjects.has("USUBJID"):
        return
    known = subjects.frame["USUBJID"].cast(pl.String).unique().implode()
    for dataset in study.datasets.values():
        if dataset.has("USUBJID"):
            yield from dataset.where("USUBJID", ~dataset.text("USUBJID").is_in(known), "the subject is not in ADSL")


def one_record_per_key(study: Study) -> Findings:
    """ADSL by subject; elsewhere by all variables that may identify a row."""
    for dataset in study.datasets.values():
        known = ANALYSIS_KEYS.get(analysis_kind_of(dataset))
        keys = known or tuple(name for name in dataset.variables if name not in ANALYSIS_NOT_IN_KEY)
        if "USUBJID" in keys and dataset.has(*keys):
            message = f"two rows have one key ({', '.join(keys) if known else 'all but values'})"
            yield from dataset.where("USUBJID", pl.struct(keys).is_duplicated(), message)


def parameters_one_to_one(study: Study) -> Findings:
    """A code has one parameter, a parameter one code."""
    for dataset in study.datasets.values():
        if dataset.has("PARAMCD", "PARAM"):
            for code, name in (("PARAMCD", "PARAM"), ("PARAM", "PARAMCD")):
                wrong = pl.col(name).drop_nulls().n_unique().over(code) > 1
                yield from dataset.where(name, pl.col(code).is_not_null() & wrong, f"one {code} has two of them")
            wrong = ~dataset.text("PARAMCD").str.contains(r"^[A-Z_][A-Z0-9_]{0,7}$")
            yield from dataset.where("PARAMCD", wrong, "the code is not up to eight capitals and digits")


def changes_right(study: Study) -> Findings:
    """Within 1e-9 of the larger of the two values, and no change without a base."""
    for dataset in study.datasets.values():
        if dataset.has("AVAL", "BASE", "CHG"):
            value, base, change = (dataset.number(name) for name in ("AVAL", "BASE", "CHG"))
            size = pl.max_horizontal(value.abs(), base.abs(), pl.lit(1.0))
            wrong = ((value - base - change).abs() > 1e-9 * size) | (
                pl.col("CHG").is_not_null() & pl.col("BASE").is_null()
            )
            yield from dataset.where("CHG", wrong, "the change is not AVAL minus BASE")


def flags_right(study: Study) -> Findings:
    """Names that end in FL are flags."""
    for dataset in study.datasets.values():
        for name in dataset.variables:
            if name.endswith("FL"):
                yield from dataset.where(name, ~dataset.text(name).is_in(["Y", "N"]), "a flag is Y, N or empty")


def one_baseline(study: Study) -> Findings:
    """By subject, parameter, period and time point."""
    for dataset in study.datasets.values():
        keys = [name for name in ("USUBJID", "PARAMCD", "APERIOD", "ATPTN", "ATPT", "BASETYPE") if dataset.has(name)]
        if dataset.has("ABLFL", "USUBJID", "PARAMCD"):
            flagged = dataset.frame.filter(dataset.text("ABLFL") == "Y")
            wrong = pl.struct(keys).is_duplicated()
            yield from dataset.where("ABLFL", wrong, f"two rows are the baseline ({', '.join(keys)})", flagged)


def censoring_right(study: Study) -> Findings:
    """0 is the event; other whole numbers are reasons of censoring."""
    for dataset in study.datasets.values():
        if dataset.has("CNSR"):
            value = dataset.number("CNSR")
            wrong = pl.col("CNSR").is_null() | value.is_null() | (value < 0) | (value != value.floor())
            yield from dataset.where("CNSR", wrong, "the censoring is not 0 or a positive whole number")


def terms_known(study: Study) -> Findings:
    """Closed code lists only."""
    for dataset in study.datasets.values():
        for name in dataset.variables:
            terms = terms_of(name, dataset.domain, analysis=True)
            if terms is not None and terms.closed:
                message = f"the word is not in the code list {terms.name}"
                yield from dataset.where(name, ~dataset.text(name).is_in(list(terms.words)), message)


def subject_variables_agree(study: Study) -> Findings:
    """What other datasets repeat of ADSL says the same there."""
    subjects = study.get("ADSL")
    if subjects is None or not subjects.has("USUBJID"):
        return
    one = subjects.frame.unique("USUBJID", keep="first", maintain_order=True)
    repeated = ("SITEID", "AGE", "SEX", "ARM", "TRT01P", "TRT02P", "TRTSEQP", "SAFFL", "FASFL")
    for dataset in study.datasets.values():
        for name in repeated:
            if dataset.name != "ADSL" and dataset.has("USUBJID", name) and subjects.has(name):
                own = one.select(pl.col("USUBJID").cast(pl.String), pl.col(name).cast(pl.String).alias("ADSL's"))
                rows = dataset.frame.with_columns(dataset.text("USUBJID"))
                rows = rows.join(own, on="USUBJID", how="inner", maintain_order="left")
                wrong = dataset.text(name).ne_missing(pl.col("ADSL's"))
                yield from dataset.where(name, wrong, "the value is not the one in ADSL", rows)


def events_end_after_start(study: Study) -> Findings:
    """By analysis day and, where it is a number, analysis date."""
    for dataset in study.datasets.values():
        for start, end in (("ASTDY", "AENDY"), ("ASTDT", "AENDT")):
            if dataset.has(start, end):
                wrong = dataset.number(end) < dataset.number(start)
                yield from dataset.where(end, wrong, "it ends before it starts")
