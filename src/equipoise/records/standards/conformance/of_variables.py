"""Checks of SDTM datasets one by one: variables, values, terms, dates, numbers, keys."""

from __future__ import annotations

import re

import polars as pl

from equipoise.records.standards.conformance.required import (
    KEYS,
    NOT_IN_KEY,
    NUMERIC,
    SUBJECTLESS,
    kind_of,
    named,
    required_of,
)
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
        for name in required_of(dataset):
            if not dataset.has(name):
                yield from dataset.whole(name, "the required variable is missing")


def values_present(study: Study) -> Findings:
    """By kind of dataset, in the variables that are there."""
    for dataset in (*study.observations, *study.supplemental):
        for name in required_of(dataset):
            if dataset.has(name):
                yield from dataset.where(name, _lacking(dataset, name), "a required value is missing")


def _lacking(dataset: Dataset, name: str) -> pl.Expr:
    """Whether a required value is missing; a row about a device or a pool has no subject."""
    others = [pl.col(other).is_not_null() for other in SUBJECTLESS if dataset.has(other)] if name == "USUBJID" else []
    return pl.col(name).is_null() & ~pl.any_horizontal(*others, pl.lit(value=False))


def names_allowed(study: Study) -> Findings:
    """As SAS transport files of version 5 and SDTM want them."""
    for dataset in (*study.observations, *study.supplemental):
        for name in (dataset.spelt.get(name, name) for name in dataset.variables):
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
    """The name of a dataset begins with its domain; it may be split (LBCH). SUPPQUAL has those of all domains."""
    for dataset in (*study.observations, *study.supplemental):
        supplemental = dataset.name.startswith("SUPP")
        if dataset.name == "SUPPQUAL":
            continue
        name, domain = ("RDOMAIN", dataset.name[4:]) if supplemental else ("DOMAIN", dataset.name)
        domain = domain[: 4 if domain.startswith("AP") and len(domain) >= 4 else 2]
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
        parts = [(d, d.own("SEQ")[0]) for d in study.of_domain(domain) if d.has("USUBJID") and d.own("SEQ")]
        seen = [d.frame.select(d.text("USUBJID"), d.number(name)).drop_nulls() for d, name in parts]
        if not seen:
            continue
        name = parts[0][1]
        doubled = pl.concat(seen).filter(pl.struct("USUBJID", name).is_duplicated()).unique()
        for dataset, _ in parts:
            mine = dataset.frame.with_columns(dataset.text("USUBJID"), dataset.number(name))
            rows = mine.join(doubled, on=["USUBJID", name], how="semi")
            yield from dataset.rows(name, rows, "the subject has this number twice in the domain")
            wrong = dataset.number(name) != dataset.number(name).floor()
            yield from dataset.where(name, wrong, "the sequence number is not whole")


def one_record_per_key(study: Study) -> Findings:
    """By kind of dataset: known keys, or all variables that may identify a row."""
    for dataset in (*study.observations, *study.supplemental):
        kind = kind_of(dataset)
        if kind in NOT_IN_KEY:
            yield from _said_twice(study, dataset, kind)
            continue
        there = [name for name in KEYS.get(kind, ()) if dataset.has(name)]
        if len(there) > 1 or (kind == "DM" and there):
            wrong = pl.struct(there).is_duplicated()
            yield from dataset.where(there[-1], wrong, f"two rows have one key ({', '.join(there)})")


def _said_twice(study: Study, dataset: Dataset, kind: str) -> Findings:
    """Rows that are the same in all that may identify them, their supplemental qualifiers too."""
    without = set(named(dataset, NOT_IN_KEY[kind]))
    keys = [name for name in dataset.variables if name not in without]
    topic = dataset.own("TESTCD", "TERM", "TRT")
    if not topic or not dataset.has("USUBJID"):
        return
    doubled = dataset.frame.filter(pl.struct(keys).is_duplicated())
    if doubled.height and (told := _qualifiers(study, dataset)) is not None:
        (number,) = dataset.own("SEQ")
        rows = doubled.with_columns(dataset.text("USUBJID"), dataset.number(number).alias(_NUMBER))
        rows = rows.join(told, on=["USUBJID", _NUMBER], how="left", maintain_order="left")
        different = pl.col(_TOLD).drop_nulls().n_unique().over(keys, mapping_strategy="group_to_rows")
        doubled = rows.filter(different < pl.len().over(keys))
    what = "all but results" if kind == "findings" else "all but their numbers"
    yield from dataset.rows(topic[0], doubled, f"two rows have one key ({what})")


_NUMBER, _TOLD = "number of the row", "qualifiers of the row"  # columns of ours beside theirs, which are capitals


def _qualifiers(study: Study, dataset: Dataset) -> pl.DataFrame | None:
    """USUBJID and number of a row -> what its supplemental qualifiers say, as one text; None where there are none."""
    number = dataset.own("SEQ")
    parts = [
        supplement.frame.filter(supplement.text("IDVAR") == number[0]).select(
            supplement.text("USUBJID"),
            supplement.number("IDVARVAL").alias(_NUMBER),
            pl.format("{}={}", supplement.text("QNAM").fill_null(""), supplement.text("QVAL").fill_null("")).alias(
                _TOLD
            ),
        )
        for supplement in study.supplemental
        if number and supplement.domain == dataset.domain
        if supplement.has("USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QVAL")
    ]
    if not parts:
        return None
    return pl.concat(parts).group_by("USUBJID", _NUMBER).agg(pl.col(_TOLD).sort().str.join("\n"))


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
