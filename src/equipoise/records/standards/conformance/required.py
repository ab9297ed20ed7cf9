"""What each kind of dataset must have, as data: variables, values, and what makes a row the only one of its kind."""

from __future__ import annotations

from equipoise.records.standards.conformance.study import Dataset

_ALWAYS = ("STUDYID", "DOMAIN", "USUBJID")
REQUIRED = {
    "DM": (*_ALWAYS, "SUBJID", "SITEID", "SEX"),
    "SV": (*_ALWAYS, "VISITNUM"),
    "SE": (*_ALWAYS, "SESEQ", "ETCD"),
    "findings": (*_ALWAYS, "--SEQ", "--TESTCD", "--TEST"),
    "events": (*_ALWAYS, "--SEQ", "--TERM"),
    "interventions": (*_ALWAYS, "--SEQ", "--TRT"),
    "supplemental": ("STUDYID", "RDOMAIN", "USUBJID", "QNAM", "QLABEL", "QVAL", "QORIG"),
    "other": _ALWAYS,
}
KEYS = {
    "DM": ("USUBJID",),
    "SV": ("USUBJID", "VISITNUM"),
    "SE": ("USUBJID", "SESTDTC", "ETCD"),
    "supplemental": ("RDOMAIN", "USUBJID", "POOLID", "APID", "IDVAR", "IDVARVAL", "QNAM"),
}
"""What identifies a row, where it is the same in every study."""
NOT_IN_KEY = {
    "findings": (
        *("--SEQ", "--ORRES", "--ORRESU", "--STRESC", "--STRESN", "--STRESU", "--STAT", "--REASND", "--NRIND"),
        *("--ORNRLO", "--ORNRHI", "--STNRLO", "--STNRHI", "--STNRC", "--LLOQ", "--ULOQ", "--RESCAT", "--TOX"),
        *("--TOXGR", "--CLSIG", "--BLFL", "--LOBXFL", "--DRVFL"),
    ),
    "events": ("--SEQ",),
    "interventions": ("--SEQ",),
}
"""What does not identify a row of an observation class: its number and, of a finding, its result. Everything else may:
which variables do (an object, a device, an evaluator, a link) is the study's own choice."""
SUBJECTLESS = ("SPDEVID", "POOLID", "APID")
"""Variables that name what a row is about where it is no subject: a device, a pool, an associated person."""
REFERENCE = ("DI", "DO", "OI", "AC", "TX", "TT", "TP", "TD", "TM", "TJ")
"""Datasets about the study, its devices or its design, whose rows have no subject."""
NUMERIC = (
    "--SEQ",
    "VISITNUM",
    "VISITDY",
    "AGE",
    "--STRESN",
    "--DY",
    "--STDY",
    "--ENDY",
    "--TPTNUM",
    "--DOSE",
    "--REPNUM",
)
ANALYSIS_REQUIRED = {
    "ADSL": ("STUDYID", "USUBJID", "SITEID", "AGE", "SEX", "ARM", "TRT01P"),
    "basic": ("STUDYID", "USUBJID", "PARAMCD", "PARAM", "AVAL"),
    "occurrence": ("STUDYID", "USUBJID"),
}
ANALYSIS_VALUES = ("STUDYID", "USUBJID", "PARAMCD", "PARAM")
ANALYSIS_KEYS = {
    "ADSL": ("USUBJID",),
}
ANALYSIS_NOT_IN_KEY = ("ASEQ", "AVAL", "AVALC", "BASE", "BASEC", "CHG", "PCHG")
"""In datasets of parameters and of occurrences every other variable may identify a row: a visit of the source, a
sequence number, a flag of the analysis."""


def required_of(dataset: Dataset) -> list[str]:
    """The variables that a dataset must have."""
    names = named(dataset, REQUIRED[kind_of(dataset)])
    if dataset.name in REFERENCE or dataset.has_any(*SUBJECTLESS):
        names.remove("USUBJID")
    if dataset.domain == "DM" and dataset.has_any("SPECIES", "SETCD"):
        names.remove("SITEID")  # animals (SEND) have no site
    return names


def kind_of(dataset: Dataset) -> str:
    """DM, SV, SE, supplemental, or the observation class that its topic variable tells."""
    if dataset.name.startswith("SUPP"):
        return "supplemental"
    if dataset.domain in {"DM", "SV", "SE"}:
        return dataset.domain
    for stem, kind in (("TESTCD", "findings"), ("TRT", "interventions"), ("TERM", "events")):
        if dataset.own(stem):
            return kind
    classes = {"LB": "findings", "VS": "findings", "QS": "findings", "EX": "interventions", "CM": "interventions"}
    return {**classes, "AE": "events", "DS": "events", "MH": "events", "CE": "events"}.get(dataset.domain, "other")


def analysis_kind_of(dataset: Dataset) -> str:
    """ADSL, basic (a row a parameter) or occurrence."""
    return (
        "ADSL" if dataset.name == "ADSL" else "basic" if dataset.has("PARAMCD") or dataset.has("AVAL") else "occurrence"
    )


def named(dataset: Dataset, names: tuple[str, ...]) -> list[str]:
    """The variables with ``--`` replaced by their prefix in the dataset."""
    return [name.replace("--", dataset.prefix) for name in names]
