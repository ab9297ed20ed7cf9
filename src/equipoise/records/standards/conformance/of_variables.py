"""Checks of SDTM datasets one by one: variables, values, terms, dates, numbers, keys."""

from __future__ import annotations

import re

import polars as pl

from equipoise.records.standards.conformance.required import KEYS, NUMERIC, REQUIRED, kind_of, named
from equipoise.records.standards.conformance.study import Dataset, Findings, Study
from equipoise.records.standards.terms import terms_of

_NAME = re.compile(r"[A-Z][A-Z0-9]{0,7}", re.ASCII)
_DATE = (
    r"^(\d{4}|-)(-(0[1-9]|1[0-2]|-)(-(0[1-9]|[12]\d|3[01]|-)"
    r"(T([01]\d|2[0-3]|-)(:([0-5]\d|-)(:([0-5]\d|-)(\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?)?)?)?$"
)
_CODE = r"^[A-Z_][A-Z0-9_]{0,7}$"


def variables_present(study: Study) -> Findings:
    """By kind of dataset."""
    for dataset in (*study.observations, *study.supplemental):
        for name in named(dataset, REQUIRED[kind_of(dataset)]):
            if not dataset.has(name):
                yield from dataset.whole(name, "the required variable is missing")


def values_present(study: Study) -> Findings:
    """By kind of dataset, in the variables that are there."""
    for dataset in (*study.observations, *study.supplemental):
        for name in named(dataset, REQUIRED[kind_of(dataset)]):
            if dataset.has(name):
                yield from dataset.where(name, pl.col(name).is_null(), "a required value is missing")


def names_allowed(study: Study) -> Findings:
    """As SAS transport files of version 5 and SDTM want them."""
    for dataset in (*study.observations, *study.supplemental):
        for name in dataset.variables:
            if not _NAME.fullmatch(name):
                yield from dataset.whole(name, "the name is not one to eight capitals and digits")


def numbers_numeric(study: Study) -> Findings:
    """Texts are accepted where they are numbers (CSV)."""
    for dataset in study.observations:
        for name in named(dataset, NUMERIC):
            if dataset.has(name) and not dataset.frame.schema[name].is_numeric():
                wrong = pl.col(name).is_not_null() & dataset.number(name).is_null()
                yield from dataset.where(name, wrong, "the value is not a number")


def domain_right(study: Study) -> Findings:
    """The name of a dataset begins with its domain; it may be split (LBCH)."""
    for dataset in (*study.observations, *study.supplemental):
        name, domain = (
            ("RDOMAIN", dataset.name[4:6]) if dataset.name.startswith("SUPP") else ("DOMAIN", dataset.name[:2])
        )
        if dataset.has(name):
            yield from dataset.where(name, dataset.text(name) != domain, f"the domain is not {domain}, the file's")


def one_study(study: Study) -> Findings:
    """The first study that is met is the one."""
    first = next(
        (d.frame["STUDYID"].cast(pl.String).drop_nulls() for d in study.datasets.values() if d.has("STUDYID")), None
    )
    if first is None or not len(first):
        return
    for dataset in study.datasets.values():
        if dataset.has("STUDYID"):
            wrong = dataset.text("STUDYID") != first[0]
            yield from dataset.where("STUDYID", wrong, f"the study is not {first[0]}, the other datasets'")


def terms_known(study: Study) -> Findings:
    """Closed code lists only."""
    for dataset in (*study.observations, *study.supplemental):
        for name in dataset.variables:
            terms = terms_of(name, dataset.domain)
            if terms is not None and terms.closed:
                message = f"the word is not in the code list {terms.name}"
                yield from dataset.where(name, ~dataset.text(name).is_in(list(terms.words)), message)


def dates_iso(study: Study) -> Findings:
    """Parts may be missing from the right, or be a hyphen; the day must exist."""
    for dataset in study.datasets.values():
        for name in dataset.variables:
            if name.endswith("DTC"):
                text = dataset.text(name)
                day = text.str.slice(0, 10)
                impossible = (
                    day.str.contains(r"^\d{4}-\d\d-\d\d$") & day.str.to_date("%Y-%m-%d", strict=False).is_null()
                )
                yield from dataset.where(name, ~text.str.contains(_DATE) | impossible, "the date is not ISO 8601")


def ends_after_starts(study: Study) -> Findings:
    """Dates are compared as far as both are known."""
    for dataset in study.observations:
        if len(pair := dataset.own("STDTC", "ENDTC")) == 2:
            start, end = (dataset.text(name) for name in pair)
            size = pl.min_horizontal(start.str.len_chars(), end.str.len_chars())
            yield from dataset.where(
                pair[1], end.str.slice(0, size) < start.str.slice(0, size), "it ends before it starts"
            )
        if len(pair := dataset.own("STDY", "ENDY")) == 2:
            wrong = dataset.number(pair[1]) < dataset.number(pair[0])
            yield from dataset.where(pair[1], wrong, "it ends before it starts")


def study_days(study: Study) -> Findings:
    """SDTM has no day 0."""
    for dataset in study.observations:
        for name in dataset.own("DY", "STDY", "ENDY"):
            day = dataset.number(name)
            message = "there is no such study day: a whole number, never 0"
            yield from dataset.where(name, (day == 0) | (day != day.floor()), message)


def sequence_unique(study: Study) -> Findings:
    """Within a subject and domain, over all datasets into which a domain is split."""
    for domain in study.domains:
        name = f"{domain}SEQ"
        parts = [d for d in study.of_domain(domain) if d.has("USUBJID", name)]
        seen = [d.frame.select(pl.col("USUBJID").cast(pl.String), d.number(name)) for d in parts]
        if not seen:
            continue
        doubled = (
            pl.concat(seen).filter(pl.struct("USUBJID", name).is_duplicated() & pl.col(name).is_not_null()).unique()
        )
        for dataset in parts:
            mine = dataset.frame.with_columns(pl.col("USUBJID").cast(pl.String), dataset.number(name))
            rows = mine.join(doubled, on=["USUBJID", name], how="semi")
            yield from dataset.where(name, pl.lit(value=True), "the subject has this number twice in the domain", rows)
            wrong = dataset.number(name) != dataset.number(name).floor()
            yield from dataset.where(name, wrong, "the sequence number is not whole")


def one_record_per_key(study: Study) -> Findings:
    """Natural keys by kind of dataset, of those of their variables that are there."""
    for dataset in (*study.observations, *study.supplemental):
        keys = KEYS.get(kind_of(dataset), ())
        there = [name for name in named(dataset, keys) if dataset.has(name)]
        if len(there) > 1 or (kind_of(dataset) == "DM" == dataset.domain and there):
            wrong = pl.struct(there).is_duplicated()
            yield from dataset.where(there[-1], wrong, f"two rows have one key ({', '.join(there)})")


def codes_allowed(study: Study) -> Findings:
    """Codes become names of variables when a dataset is turned."""
    for dataset in study.observations:
        for name in dataset.own("TESTCD"):
            wrong = ~dataset.text(name).str.contains(_CODE)
            yield from dataset.where(name, wrong, "the code is not up to eight capitals and digits, a capital first")
    for dataset in study.supplemental:
        if dataset.has("QNAM"):
            wrong = ~dataset.text("QNAM").str.contains(_CODE)
            yield from dataset.where("QNAM", wrong, "the name is not up to eight capitals and digits, a capital first")


def one_name_per_code(study: Study) -> Findings:
    """Within a dataset, over its categories."""
    for dataset in study.observations:
        if len(pair := dataset.own("TESTCD", "TEST")) == 2:
            yield from _one_each(dataset, pair[0], pair[1], "the test has two names")


def _one_each(dataset: Dataset, code: str, name: str, message: str) -> Findings:
    count = pl.col(name).drop_nulls().n_unique().over(code)
    yield from dataset.where(name, pl.col(code).is_not_null() & (count > 1), message)


def results_fit_status(study: Study) -> Findings:
    """NOT DONE excludes a result; without it there is an original result, a standard one, or a derivation."""
    for dataset in study.observations:
        results = dataset.own("ORRES", "STRESC", "STRESN")
        for status in dataset.own("STAT"):
            done = pl.any_horizontal(pl.col(name).is_not_null() for name in results) if results else pl.lit(value=False)
            wrong = (dataset.text(status) == "NOT DONE") & done
            yield from dataset.where(status, wrong, "a test that was not done has a result")
        for original in dataset.own("ORRES"):
            excused = [pl.col(name).is_not_null() for name in dataset.own("STAT", "STRESC", "DRVFL")]
            wrong = pl.col(original).is_null() & ~pl.any_horizontal(*excused, pl.lit(value=False))
            yield from dataset.where(original, wrong, "a test has neither a result nor a status")


def numbers_agree(study: Study) -> Findings:
    """Where --STRESC is a number, to 1e-9 of it."""
    for dataset in study.observations:
        if len(pair := dataset.own("STRESC", "STRESN")) == 2:
            said, number = dataset.text(pair[0]).cast(pl.Float64, strict=False), dataset.number(pair[1])
            wrong = (said - number).abs() > 1e-9 * pl.max_horizontal(said.abs(), pl.lit(1.0))
            yield from dataset.where(pair[1], wrong, f"the number is not what {pair[0]} says")
