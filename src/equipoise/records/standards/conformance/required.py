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
    "findings": (
        *("USUBJID", "--CAT", "--SCAT", "--TESTCD", "--SPEC", "--LOC", "--LAT", "--POS", "--METHOD", "--REFID"),
        *("VISITNUM", "VISIT", "--DTC", "--DY", "--TPTNUM", "--TPT", "--REPNUM"),
    ),
    "events": ("USUBJID", "--CAT", "--SCAT", "--TERM", "--DECOD", "--STDTC", "--STDY", "--DTC", "VISITNUM", "--SPID"),
    "interventions": (
        *("USUBJID", "--CAT", "--TRT", "--DOSE", "--DOSFRQ", "--INDC", "--STDTC", "--STDY", "--ENDTC", "--DTC"),
        *("VISITNUM", "--SPID"),
    ),
    "supplemental": ("USUBJID", "IDVAR", "IDVARVAL", "QNAM"),
}
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
    "basic": ("USUBJID", "PARAMCD", "AVISITN", "AVISIT", "ADT", "ADY", "ATPTN", "DTYPE", "APERIOD"),
    "occurrence": ("USUBJID", "AESEQ", "CMSEQ", "MHSEQ"),
}


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
    """The variables with ``--`` replaced by the domain."""
    return [name.replace("--", dataset.domain) for name in names]
