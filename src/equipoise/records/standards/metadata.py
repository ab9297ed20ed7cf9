"""Words about our datasets that stand in no table of variables: titles, structures, keys, how variables are derived."""

from __future__ import annotations

TITLES = {
    "DM": "Demographics",
    "DS": "Disposition",
    "SV": "Subject Visits",
    "AE": "Adverse Events",
    "CE": "Clinical Events",
    "MH": "Medical History",
    "LB": "Laboratory Test Results",
    "VS": "Vital Signs",
    "QS": "Questionnaires",
    "EX": "Exposure",
    "EC": "Exposure as Collected",
    "CM": "Concomitant Medications",
    "PR": "Procedures",
    "XL": "Release Tests of Lots",
}
CLASSES = {
    "DM": "SPECIAL PURPOSE",
    "SV": "SPECIAL PURPOSE",
    "DS": "EVENTS",
    "AE": "EVENTS",
    "CE": "EVENTS",
    "MH": "EVENTS",
    "EX": "INTERVENTIONS",
    "EC": "INTERVENTIONS",
    "CM": "INTERVENTIONS",
    "PR": "INTERVENTIONS",
    "ADSL": "SUBJECT LEVEL ANALYSIS DATASET",
    "ADEFF": "BASIC DATA STRUCTURE",
    "ADAE": "OCCURRENCE DATA STRUCTURE",
    "ADTTE": "BASIC DATA STRUCTURE",
}
STRUCTURES = {
    "DM": "One record per subject",
    "DS": "One record per disposition status or protocol milestone per subject",
    "SV": "One record per subject per actual visit",
    "ADSL": "One record per subject",
    "ADEFF": "One record per subject per parameter per visit",
    "ADAE": "One record per subject per event",
    "ADTTE": "One record per subject per parameter",
}
ANALYSIS_KEYS = {
    "ADSL": ("STUDYID", "USUBJID"),
    "ADEFF": ("STUDYID", "USUBJID", "PARAMCD", "AVISITN"),
    "ADAE": ("STUDYID", "USUBJID", "AESEQ"),
    "ADTTE": ("STUDYID", "USUBJID", "PARAMCD"),
}
SUPP_LABELS = {
    "STUDYID": "Study Identifier",
    "RDOMAIN": "Related Domain Abbreviation",
    "USUBJID": "Unique Subject Identifier",
    "IDVAR": "Identifying Variable",
    "IDVARVAL": "Identifying Variable Value",
    "QNAM": "Qualifier Variable Name",
    "QLABEL": "Qualifier Variable Label",
    "QVAL": "Data Value",
    "QORIG": "Origin",
    "QEVAL": "Evaluator",
}
SUPPLIED_NAMES = {
    "participant": "PARTICIP",
    "visit": "VISIT",
    "parameter": "PARAM",
    "value": "VALUE",
    "unit": "UNIT",
    "source": "SOURCE",
}
"""Our names -> names that every format can hold."""
SUPPLIED_LABELS = {
    "participant": "Identifier of the participant",
    "visit": "The protocol's visit",
    "parameter": "The parameter it is a value of",
    "value": "The value that came with the data",
    "unit": "Its unit",
    "source": "Where our record comes from",
}
_STUDY_DAY = "Elapsed day from time zero, plus 1 from time zero on: SDTM has no day 0."
METHODS = {
    "SUBJID": "USUBJID without the study identifier and the hyphen.",
    "AGEU": "YEARS where AGE is given.",
    "DSTERM": "The reason where one was given, else DSDECOD.",
    "VISITNUM": "Place of the visit in the protocol's schedule; others of a subject from 1001 on.",
    "VISITDY": "Planned day of the visit in the protocol, as a study day.",
    "--SEQ": "Numbers the records of a subject within the dataset, from 1.",
    "--TEST": "The protocol's label of the test.",
    "--TESTCD": "The protocol's code of the test; release tests are numbered by name.",
    "--STRESC": "--STRESN as text; with < or > before the limit where the result lies beyond one.",
    "--TPT": "Minutes of --TPTNUM in words.",
    "--VAMTU": "mL where --VAMT is given.",
    "--DY": _STUDY_DAY,
    "--STDY": _STUDY_DAY,
    "--ENDY": _STUDY_DAY,
    "ADaM.AVAL": "The parameter's value at the visit, derived as the protocol's parameter says.",
    "ADaM.BASE": "AVAL at the protocol's first baseline visit.",
    "ADaM.CHG": "AVAL minus BASE, after baseline.",
    "ADaM.ABLFL": "Y at the visits that are a baseline of a period.",
    "ADaM.CNSR": "0 where the event was seen, 1 where the time is censored.",
    "ADaM.TRTSEQP": "The planned treatments of the periods in order, joined by hyphens.",
    "ADaM.TRTEMFL": "Y where the event began on or after the first dose.",
}
