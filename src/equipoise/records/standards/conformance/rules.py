"""The rules: an id, what it demands in one sentence, and the check. docs/standards.md shows this table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from equipoise.records.standards.conformance import of_analysis as a
from equipoise.records.standards.conformance import of_design as t
from equipoise.records.standards.conformance import of_relations as r
from equipoise.records.standards.conformance import of_variables as v
from equipoise.records.standards.conformance.study import Findings, Study


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; its id is stable and is never given to another."""

    id: str
    demands: str
    check: Callable[[Study], Findings]


SDTM_RULES = (
    Rule("SDTM-01", "The study has a dataset DM.", r.demographics_there),
    Rule("SDTM-02", "Every dataset has the variables that its kind requires.", v.variables_present),
    Rule("SDTM-03", "Required variables have a value in every row.", v.values_present),
    Rule("SDTM-04", "Names of variables are one to eight capitals and digits.", v.names_allowed),
    Rule("SDTM-05", "Numeric variables hold numbers.", v.numbers_numeric),
    Rule("SDTM-06", "DOMAIN, or RDOMAIN, is the domain of the file.", v.domain_right),
    Rule("SDTM-07", "All rows belong to one study.", v.one_study),
    Rule("SDTM-08", "Variables with a closed code list hold its terms.", v.terms_known),
    Rule("SDTM-09", "Dates are ISO 8601 and exist.", v.dates_iso),
    Rule("SDTM-10", "Nothing ends before it starts.", v.ends_after_starts),
    Rule("SDTM-11", "Study days are whole numbers and never 0.", v.study_days),
    Rule("SDTM-12", "Study days agree with dates and RFSTDTC.", r.days_agree),
    Rule("SDTM-13", "--SEQ is whole and unique within a subject and domain.", v.sequence_unique),
    Rule("SDTM-14", "One record has one key.", v.one_record_per_key),
    Rule("SDTM-15", "Every subject is in DM.", r.subjects_known),
    Rule("SDTM-16", "Every visit number is in TV or SV.", r.visits_known),
    Rule("SDTM-17", "Findings belong to visits that SV has for the subject.", r.visits_made),
    Rule("SDTM-18", "A visit number has one name.", r.one_name_per_visit),
    Rule("SDTM-19", "Supplemental qualifiers add to a row that is there.", r.qualifiers_have_rows),
    Rule("SDTM-20", "Supplemental qualifiers are no variable of their dataset.", r.qualifiers_new),
    Rule("SDTM-21", "Codes of tests and names of qualifiers are up to eight capitals and digits.", v.codes_allowed),
    Rule("SDTM-22", "A test code has one name in its dataset.", v.one_name_per_code),
    Rule("SDTM-23", "A test has a result or a status, and not both.", v.results_fit_status),
    Rule("SDTM-24", "--STRESN is the number that --STRESC says.", v.numbers_agree),
    Rule("SDTM-25", "Datasets of the design have their variables, and one record has one key.", t.whole_designs),
    Rule("SDTM-26", "Every element of TA is in TE.", t.elements_known),
    Rule("SDTM-27", "A row of TS has a value or says why not, and not both.", t.summaries_told),
    Rule("SDTM-28", "Every epoch is one of TA.", t.epochs_known),
    Rule("SDTM-29", "Planned arms of DM are arms of TA.", t.arms_known),
)
ADAM_RULES = (
    Rule("ADAM-01", "There is a dataset ADSL.", a.subject_level_there),
    Rule("ADAM-02", "Every dataset has the variables of its structure, with allowed names.", a.variables_present),
    Rule("ADAM-03", "STUDYID, USUBJID, PARAMCD and PARAM have a value in every row.", a.values_present),
    Rule("ADAM-04", "Every subject is in ADSL.", a.subjects_known),
    Rule("ADAM-05", "One record has one key; ADSL has one row a subject.", a.one_record_per_key),
    Rule("ADAM-06", "PARAMCD and PARAM go together one to one; codes are allowed.", a.parameters_one_to_one),
    Rule("ADAM-07", "CHG is AVAL minus BASE.", a.changes_right),
    Rule("ADAM-08", "Flags (names that end in FL) are Y, N or empty.", a.flags_right),
    Rule("ADAM-09", "A subject, parameter and period has one baseline.", a.one_baseline),
    Rule("ADAM-10", "CNSR is 0 or a positive whole number.", a.censoring_right),
    Rule("ADAM-11", "Variables with a closed code list hold its terms.", a.terms_known),
    Rule("ADAM-12", "Variables of ADSL say the same elsewhere.", a.subject_variables_agree),
    Rule("ADAM-13", "Nothing ends before it starts.", a.events_end_after_start),
)
