"""The published 12-month results of T1DAL, from the minutes of its tolerance tests onwards, to the printed digit."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from equipoise.analysis.analyse import Analysed, analyse_records
from equipoise.analysis.results import Result
from equipoise.protocol.load import load_protocol
from equipoise.records.importing.apply import import_files
from equipoise.records.importing.map import find_map, load_map


@pytest.fixture(scope="module")
def analysed(t1dal: Path) -> Analysed:
    imported = import_files(load_protocol("t1dal"), load_map(find_map("t1dal", None)), t1dal)
    return analyse_records(imported.records, imported.allocation, software={"name": "equipoise", "version": "test"})


def printed(result: Result) -> tuple[str, str, str]:
    """Estimate and interval with the three decimals of the paper."""
    assert result.estimate is not None and result.lower is not None and result.upper is not None
    return f"{result.estimate:+.3f}", f"{result.lower:.3f}", f"{result.upper:.3f}"


# Rigby et al. 2013, Lancet Diabetes Endocrinol 1:284-294, abstract and results.
PUBLISHED_CHANGES = {
    ("auc-2h-change", "alefacept"): ("+0.015", "-0.080", "0.110"),
    ("auc-2h-change", "placebo"): ("-0.115", "-0.278", "0.047"),
    ("auc-4h-change", "alefacept"): ("+0.015", "-0.076", "0.106"),
    ("auc-4h-change", "placebo"): ("-0.156", "-0.305", "-0.006"),
}


@pytest.mark.requirement("ANALYSIS-T1DAL-CHANGE")
@pytest.mark.parametrize(("analysis", "arm"), PUBLISHED_CHANGES)
def test_mean_change_and_interval_are_the_published_ones(analysed: Analysed, analysis: str, arm: str) -> None:
    result = next(r for r in analysed.results.of_analysis(analysis) if r.contrast == arm)
    assert printed(result) == PUBLISHED_CHANGES[analysis, arm]
    assert result.n == {arm: {"alefacept": 33, "placebo": 16}[arm]}


@pytest.mark.requirement("ANALYSIS-T1DAL-P")
@pytest.mark.parametrize(("analysis", "p", "n"), [("auc-2h", "0.065", 49), ("auc-4h", "0.019", 49)])
def test_p_is_the_published_one(analysed: Analysed, analysis: str, p: str, n: int) -> None:
    (result,) = analysed.results.of_analysis(analysis)
    assert f"{result.p_value:.3f}" == p
    assert sum(result.n.values()) == n


@pytest.mark.requirement("ANALYSIS-T1DAL-OBSERVED")
@pytest.mark.parametrize(("analysis", "p"), [("auc-2h-observed", "0.183"), ("auc-4h-observed", "0.060")])
def test_observed_only_stands_beside_it_as_sensitivity(analysed: Analysed, analysis: str, p: str) -> None:
    (result,) = analysed.results.of_analysis(analysis)
    assert f"{result.p_value:.3f}" == p
    assert sum(result.n.values()) == 42 and sum(result.n_missing.values()) == 7
    assert result.role == "sensitivity"


@pytest.mark.requirement("ANALYSIS-T1DAL-AUC")
@pytest.mark.parametrize(
    ("parameter", "column", "visits"),
    [
        (
            "cpeptide-auc-2h",
            "cpeptide_auc_2h_nmol_l",
            ("Baseline", "Week 24", "Week 52", "Week 78", "Week 104"),
        ),
        ("cpeptide-auc-4h", "cpeptide_auc_4h_nmol_l", ("Baseline", "Week 52", "Week 104")),
    ],
)
def test_every_area_is_the_trials_own(
    analysed: Analysed, t1dal: Path, parameter: str, column: str, visits: tuple[str, ...]
) -> None:
    data = analysed.data
    place = {name: index for index, name in enumerate(data.panel.ids)}
    labels = [visit.label for visit in data.protocol.visits]
    compared = 0
    with (t1dal / "visits.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            if row[column] and row["visit"] in visits:
                ours = data.parameters[parameter][0, place[row["participant"]], labels.index(row["visit"])]
                assert ours == pytest.approx(float(row[column]), abs=1e-9), row["participant"]
                compared += 1
    assert compared == (data.parameters[parameter] == data.parameters[parameter]).sum() > 100


@pytest.mark.requirement("ANALYSIS-SETS")
def test_the_late_week_52_visit_counts_by_its_name(analysed: Analysed) -> None:
    days = analysed.data.panel.visit_day[0, :, analysed.data.panel.visit_index("week-52")]
    late = int((days == 476).nonzero()[0][0])
    assert analysed.data.at("cpeptide-auc-2h", "week-52")[0, late] > 0


@pytest.mark.requirement("RESULTS-BLINDED", "RESULTS-STATUS")
def test_a_blinded_run_compares_nothing_and_says_so(t1dal: Path) -> None:
    imported = import_files(load_protocol("t1dal"), load_map(find_map("t1dal", None)), t1dal)
    blinded = analyse_records(imported.records, None, software={}).results
    for result in blinded.results:
        if "-v-" in result.contrast:
            assert result.estimate is None and result.p_value is None and result.status.startswith("blinded")
            assert set(result.n) == {"pooled"}
        else:
            assert result.contrast == "pooled"
    assert {step.arm for step in blinded.flow} == {None}
    described = [table for table in blinded.tables if table.id != "intercurrent-events"]
    assert all({column.id for column in table.columns[6:]} == {"all"} for table in described)
    (events,) = (table for table in blinded.tables if table not in described)
    assert [column.id for column in events.columns] == ["event", "label", "pooled", "recorded"]
    assert {row[2:] for row in events.rows} == {(None, "occurrence not recorded")}  # version 1 binds no event
