"""Controlled terms of the variables that have them, as data: Define-XML lists them and the checks hold data to them.

A key is a variable, ``--`` standing for the domain. Source: CDISC SDTM and ADaM controlled terminology, and where
CDISC's list is open or there is none, the words that docs/sdtm.md gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Terms:
    """A list of terms with what each means.

    closed: no other word may stand there, in anybody's data; else the list is what we write, and others may add to it.
    """

    name: str
    words: Mapping[str, str]
    closed: bool = True


YES_NO = Terms("No Yes Response", {"N": "No", "Y": "Yes"})
YES_NO_UNKNOWN = Terms("No Yes Response", {"N": "No", "Y": "Yes", "U": "Unknown", "NA": "Not Applicable"})
YES = Terms("No Yes Response (subset)", {"Y": "Yes"})
TERMS: Mapping[str, Terms] = {
    "SEX": Terms("Sex", {"F": "Female", "M": "Male", "U": "Unknown", "UNDIFFERENTIATED": "Undifferentiated"}),
    "AGEU": Terms(
        "Age Unit", {"YEARS": "Years", "MONTHS": "Months", "WEEKS": "Weeks", "DAYS": "Days", "HOURS": "Hours"}
    ),
    "DTHFL": YES,
    "--STAT": Terms("Not Done", {"NOT DONE": "Not Done"}),
    "--OCCUR": YES_NO_UNKNOWN,
    "--PRESP": YES,
    "--SER": YES_NO_UNKNOWN,
    "--BLFL": YES,
    "--LOBXFL": YES,
    "--DRVFL": YES,
    "--REL": Terms("Causality", YES_NO.words, closed=False),
    "--TOXGR": Terms(
        "Common Terminology Criteria for Adverse Events Grade",
        {"1": "Mild", "2": "Moderate", "3": "Severe", "4": "Life-threatening", "5": "Death"},
        closed=False,
    ),
    "--RESCAT": Terms("Result of a Release Test", {"PASSED": "Within its limits", "FAILED": "Not"}, closed=False),
    "DSCAT": Terms(
        "Category for Disposition Event",
        {
            "DISPOSITION EVENT": "Disposition event",
            "PROTOCOL MILESTONE": "Protocol milestone",
            "OTHER EVENT": "Other event",
        },
    ),
    "QORIG": Terms(
        "Origin of a Supplemental Qualifier", {"Collected": "Collected", "Assigned": "Assigned"}, closed=False
    ),
    "ADaM.SEX": Terms("Sex", {"F": "Female", "M": "Male", "U": "Unknown", "UNDIFFERENTIATED": "Undifferentiated"}),
    "ADaM.AGEU": Terms("Age Unit", {"YEARS": "Years"}, closed=False),
    "ADaM.ABLFL": YES,
    "ADaM.TRTEMFL": YES_NO,
    "ADaM.CNSR": Terms("Censor", {"0": "Event", "1": "Censored"}, closed=False),
    "ADaM.DTYPE": Terms("Derivation Type", {"SUPPLIED": "Came with the data"}, closed=False),
}


def terms_of(variable: str, domain: str, *, analysis: bool = False) -> Terms | None:
    """The terms of a variable of a dataset, or None where it is free."""
    if analysis:
        return TERMS.get(f"ADaM.{variable}")
    general = f"--{variable[2:]}" if variable.startswith(domain[:2]) and len(variable) > 2 else variable
    return TERMS.get(variable) or TERMS.get(general)
