"""The coded terms that our documents use: NCI concepts of CDISC's controlled terminology, and none of our making.

Source: CDISC controlled terminology of 2025-09-26 (DDF, SDTM and Protocol packages), by the value sets that USDM 4.0
names for each attribute. Where a value set asks for what a protocol file does not say, `NOT_STATED` stands there, in a
code system of our own.
"""

from __future__ import annotations

from typing import NamedTuple

SYSTEM = "http://www.cdisc.org"
VERSION = "2025-09-26"


class Term(NamedTuple):
    """A concept's code and preferred name; of types of timing CDISC's submission value, which rules of USDM read."""

    code: str
    name: str


NOT_STATED = Term("NOT-STATED", "Not stated in the protocol file")
INTERVENTIONAL = Term("C98388", "Interventional Study")
RANDOMISED = Term("C46079", "Randomized Controlled Clinical Trial")
STRATIFIED = Term("C147145", "Stratified Randomization")
TREATMENT_STUDY = Term("C49656", "Treatment Study")
CROSSOVER, PARALLEL = Term("C82637", "Crossover Study"), Term("C82639", "Parallel Study")
BLINDING = {
    "DOUBLE BLIND": Term("C15228", "Double Blind Study"),
    "SINGLE BLIND": Term("C28233", "Single Blind Study"),
    "OPEN LABEL": Term("C49659", "Open Label Study"),
}
OFFICIAL_TITLE, BRIEF_TITLE = Term("C207616", "Official Study Title"), Term("C207615", "Brief Study Title")
REGISTRY = Term("C93453", "Study Registry")
INVESTIGATIONAL_ARM = Term("C174266", "Investigational Arm")
PLACEBO_ARM = Term("C174268", "Placebo Control Arm")
WITHIN_STUDY = Term("C188866", "Data Generated Within Study")
SCREENING_EPOCH, TREATMENT_EPOCH = Term("C202487", "Screening Epoch"), Term("C101526", "Treatment Epoch")
VISIT = Term("C25716", "Visit")
AFTER, BEFORE = Term("C201356", "After"), Term("C201357", "Before")
FIXED = Term("C201358", "Fixed Reference")
START_TO_START = Term("C201355", "Start to Start")
INCLUSION, EXCLUSION = Term("C25532", "Inclusion Criteria"), Term("C25370", "Exclusion Criteria")
AGENT, PLACEBO = Term("C41161", "Protocol Agent"), Term("C753", "Placebo")
YEAR, DAY = Term("C29848", "Year"), Term("C25301", "Day")
OBJECTIVES = {
    "primary": Term("C85826", "Trial Primary Objective"),
    "secondary": Term("C85827", "Trial Secondary Objective"),
    "exploratory": Term("C163559", "Trial Exploratory Objective"),
}
ENDPOINTS = {
    "primary": Term("C94496", "Primary Endpoint"),
    "secondary": Term("C139173", "Secondary Endpoint"),
    "exploratory": Term("C170559", "Exploratory Endpoint"),
}
KINDS = {
    "drug": Term("C1909", "Pharmacologic Substance"),
    "saline": Term("C1909", "Pharmacologic Substance"),
    "autologous-cells": Term("C307", "Biological Agent"),
}
ROUTES = {
    "intravenous": Term("C38276", "Intravenous Route of Administration"),
    "intramuscular": Term("C28161", "Intramuscular Route of Administration"),
    "subcutaneous": Term("C38299", "Subcutaneous Route of Administration"),
    "oral": Term("C38288", "Oral Route of Administration"),
    "transdermal": Term("C38305", "Transdermal Route of Administration"),
}
UNITS = {"mg": Term("C28253", "Milligram"), "mL": Term("C28254", "Milliliter")}
PHASES = {
    "I": Term("C15600", "Phase I Trial"),
    "I/II": Term("C15693", "Phase I/II Trial"),
    "II": Term("C15601", "Phase II Trial"),
    "II/III": Term("C15694", "Phase II/III Trial"),
    "III": Term("C15602", "Phase III Trial"),
    "IV": Term("C15603", "Phase IV Trial"),
}
MASKED = {
    "participant": Term("C41189", "Study Subject"),
    "investigator": Term("C25936", "Investigator"),
    "blinded-statistician": Term("C51877", "Statistician"),
}
