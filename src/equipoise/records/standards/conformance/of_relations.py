"""Checks of SDTM datasets against one another: subjects, visits, qualifiers, days and dates."""

from __future__ import annotations

import polars as pl

from equipoise.records.standards.conformance.study import ROW, Dataset, Findings, Study

# Columns of ours beside theirs, whose names are capitals
_SUBJECT_KEY, _START, _NAME = "key of the row", "first day of the subject", "name elsewhere"


def demographics_there(study: Study) -> Findings:
    """DM is among the datasets."""
    if study.get("DM") is None:
        yield from Dataset("DM", "DM", pl.DataFrame()).whole("", "the study has no dataset DM")


def subjects_known(study: Study) -> Findings:
    """Subjects of all datasets are in DM."""
    subjects = study.get("DM")
    if subjects is None or not subjects.has("USUBJID"):
        return
    known = subjects.frame["USUBJID"].cast(pl.String).unique().implode()
    for dataset in study.datasets.values():
        if dataset.name != "DM" and dataset.has("USUBJID"):
            yield from dataset.where("USUBJID", ~dataset.text("USUBJID").is_in(known), "the subject is not in DM")


def visits_known(study: Study) -> Findings:
    """A visit is planned, or somebody had it; without TV and SV nothing can be said."""
    named = [d for d in (study.get("TV"), study.get("SV")) if d is not None and d.has("VISITNUM")]
    if not named:
        return
    known = pl.concat([d.frame.select(d.number("VISITNUM").round(6)).to_series() for d in named]).unique().implode()
    for dataset in study.observations:
        if dataset.name != "SV" and dataset.has("VISITNUM"):
            wrong = ~dataset.number("VISITNUM").round(6).is_in(known)
            yield from dataset.where("VISITNUM", wrong, "the visit is neither planned (TV) nor made by anyone (SV)")


def visits_made(study: Study) -> Findings:
    """A finding of a visit belongs to a subject who had that visit; numbers may differ in the last bits (XPT)."""
    visits = study.get("SV")
    if visits is None or not visits.has("USUBJID", "VISITNUM"):
        return
    made = visits.frame.select(visits.text("USUBJID"), visits.number("VISITNUM").round(6)).unique()
    for dataset in study.observations:
        if dataset.name != "SV" and dataset.has("USUBJID", "VISITNUM") and dataset.own("TESTCD"):
            rows = dataset.frame.with_columns(dataset.text("USUBJID"), dataset.number("VISITNUM").round(6))
            lost = rows.filter(pl.col("VISITNUM").is_not_null()).join(made, on=["USUBJID", "VISITNUM"], how="anti")
            yield from dataset.rows("VISITNUM", lost, "the subject has no such visit in SV")


def one_name_per_visit(study: Study) -> Findings:
    """Over the study: a visit number has one name, that of TV, else of SV, else the first that is met."""
    both = [d for d in study.datasets.values() if d.has("VISITNUM", "VISIT")]
    order = sorted(both, key=lambda d: {"TV": 0, "SV": 1}.get(d.name, 2))
    pairs = [
        d.frame.select(d.number("VISITNUM").round(6), d.text("VISIT").alias(_NAME))
        .drop_nulls()
        .unique(maintain_order=True)
        for d in order
    ]
    if not pairs:
        return
    names = pl.concat(pairs).unique("VISITNUM", keep="first", maintain_order=True)
    for dataset in both:
        rows = dataset.frame.with_columns(dataset.number("VISITNUM").round(6)).join(
            names, on="VISITNUM", how="left", maintain_order="left"
        )
        wrong = dataset.text("VISIT") != pl.col(_NAME)
        yield from dataset.where("VISIT", wrong, "the visit has another name elsewhere", rows)


def days_agree(study: Study) -> Findings:
    """Study day = date - RFSTDTC, plus 1 from that day on (SDTMIG 3.4, section 4.4.4)."""
    subjects = study.get("DM")
    if subjects is None or not subjects.has("USUBJID", "RFSTDTC"):
        return
    started = subjects.frame.select(subjects.text("USUBJID"), _day("RFSTDTC").alias(_START)).unique("USUBJID")
    for dataset in study.observations:
        for date, day in (("DTC", "DY"), ("STDTC", "STDY"), ("ENDTC", "ENDY")):
            if len(pair := dataset.own(date, day)) == 2 and dataset.has("USUBJID"):
                rows = dataset.frame.with_columns(dataset.text("USUBJID"))
                rows = rows.join(started, on="USUBJID", how="left", maintain_order="left")
                elapsed = (_day(pair[0]) - pl.col(_START)).dt.total_days()
                expected = elapsed + (elapsed >= 0).cast(pl.Int64)
                wrong = dataset.number(pair[1]) != expected
                yield from dataset.where(pair[1], wrong, f"the day does not agree with {pair[0]} and RFSTDTC", rows)


def _day(name: str) -> pl.Expr:
    """The calendar day of a date that has one."""
    return pl.col(name).cast(pl.String).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)


def qualifiers_have_rows(study: Study) -> Findings:
    """By subject alone where IDVAR is empty, else by the variable that it names."""
    for dataset in study.supplemental:
        parents = [d for d in study.of_domain(dataset.domain) if d.has("USUBJID")]
        if not parents:
            yield from dataset.whole("RDOMAIN", "the dataset that it adds to is not there", dataset.domain)
        elif dataset.has("USUBJID", "IDVAR", "IDVARVAL"):
            yield from _orphans(dataset, parents)


def _orphans(dataset: Dataset, parents: list[Dataset]) -> Findings:
    message = f"{dataset.domain} has no such row"
    subjects = pl.concat([d.frame.select(d.text("USUBJID")) for d in parents]).unique()
    plain = (
        dataset.frame.with_columns(dataset.text("USUBJID"))
        .filter(pl.col("IDVAR").is_null())
        .join(subjects, on="USUBJID", how="anti")
    )
    yield from dataset.rows("USUBJID", plain, message)
    for variable in dataset.frame["IDVAR"].cast(pl.String).drop_nulls().unique(maintain_order=True).to_list():
        mine = dataset.frame.filter(dataset.text("IDVAR") == variable)
        named = [d for d in parents if d.has(variable)]
        if not named:
            yield from dataset.rows("IDVAR", mine, f"{dataset.domain} has no such variable")
            continue
        rows = pl.concat([d.frame.select(d.text("USUBJID"), _key(d.frame, variable)) for d in named]).unique()
        keyed = mine.with_columns(dataset.text("USUBJID"), _key(mine, "IDVARVAL"))
        lost = keyed.join(rows, on=["USUBJID", _SUBJECT_KEY], how="anti").sort(ROW)
        yield from dataset.rows("IDVARVAL", lost, message)


def _key(frame: pl.DataFrame, name: str) -> pl.Expr:
    """A key that is compared as a number where it is one, so that 3 and 3.0 are the same row."""
    text = pl.col(name).cast(pl.String)
    return pl.coalesce(text.cast(pl.Float64, strict=False).cast(pl.String), text.str.strip_chars()).alias(_SUBJECT_KEY)


def qualifiers_new(study: Study) -> Findings:
    """A qualifier that is a variable already would be told twice."""
    for dataset in study.supplemental:
        taken = [name for parent in study.of_domain(dataset.domain) for name in parent.variables]
        if dataset.has("QNAM"):
            wrong = dataset.text("QNAM").is_in(taken)
            yield from dataset.where("QNAM", wrong, f"{dataset.domain} has a variable of this name itself")
