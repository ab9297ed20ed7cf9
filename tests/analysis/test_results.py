"""results.json, the datasets, the flow, adjusted p-values and claims."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from equipoise.analysis.analyse import Analysed, analyse_records
from equipoise.analysis.claims import claim_results
from equipoise.analysis.datasets import analysis_datasets, parameter_codes
from equipoise.analysis.multiplicity import with_adjusted
from equipoise.analysis.plan import plan
from equipoise.analysis.results import Result, finite, read_results, to_data, to_json
from equipoise.errors import DataError
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import Claim, Family
from equipoise.records.allocation import Allocation
from equipoise.records.importing.apply import import_files
from equipoise.records.importing.map import load_map
from equipoise.stats.multiplicity import fixed_sequence, holm

EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial"


@pytest.fixture(scope="module")
def analysed() -> Analysed:
    imported = import_files(load_protocol(EXAMPLE / "protocol.yaml"), load_map(EXAMPLE / "map.yaml"), EXAMPLE / "data")
    return analyse_records(imported.records, imported.allocation, software={"name": "equipoise", "version": "0"})


@pytest.mark.requirement("RESULTS-SCHEMA")
def test_written_and_read_back_they_are_the_same(analysed: Analysed, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(to_json(analysed.results), encoding="utf-8")
    assert to_data(read_results(path)) == to_data(analysed.results)
    assert json.loads(path.read_text())["schema"] == "equipoise/results/1"


def test_numbers_have_full_precision(analysed: Analysed) -> None:
    text = to_json(analysed.results)
    assert repr(analysed.results.results[0].estimate) in text


@pytest.mark.parametrize(
    "spoilt", ["", "{", "[]", '{"schema": "equipoise/results/9"}', '{"schema": "equipoise/results/1"}']
)
def test_another_file_is_refused(tmp_path: Path, spoilt: str) -> None:
    (tmp_path / "results.json").write_text(spoilt)
    with pytest.raises(DataError, match="results-readable"):
        read_results(tmp_path / "results.json")


@pytest.mark.requirement("RESULTS-SCHEMA")
def test_ids_are_unique_and_made_of_what_they_name(analysed: Analysed) -> None:
    ids = [item.id for item in analysed.results.results]
    assert len(set(ids)) == len(ids)
    assert "hba1c/hba1c/main/month-6/tablet-v-placebo" in ids


@pytest.mark.requirement("RESULTS-STATUS")
def test_what_is_not_a_number_is_null_with_a_reason(tmp_path: Path) -> None:
    imported = import_files(load_protocol(EXAMPLE / "protocol.yaml"), load_map(EXAMPLE / "map.yaml"), EXAMPLE / "data")
    assert imported.allocation is not None
    everybody_on_one_arm = Allocation.of(dict.fromkeys(imported.allocation.arms, "tablet"))
    results = analyse_records(imported.records, everybody_on_one_arm, software={}).results
    for item in results.results:
        assert item.estimate is None and item.p_value is None
        assert item.status != "ok" and len(item.status) > 10
    assert "NaN" not in to_json(results)
    assert finite(float("nan")) is None and finite(float("inf")) is None and finite(1.0) == 1.0


@pytest.mark.requirement("RESULTS-TABLES", "ANALYSIS-DESCRIPTIVE")
def test_the_baseline_table_agrees_with_the_file(analysed: Analysed) -> None:
    people = pl.read_csv(EXAMPLE / "data" / "people.csv")
    table = analysed.results.table("baseline")
    columns = [column.id for column in table.columns]
    rows = {(row[1], row[5]): dict(zip(columns, row, strict=True)) for row in table.rows}
    for arm, code in (("tablet", "T"), ("placebo", "P")):
        ages = people.filter(pl.col("arm") == code)["age"]
        assert rows["age_years", "mean"][arm] == pytest.approx(ages.mean())
        assert rows["age_years", "sd"][arm] == pytest.approx(ages.std())
        assert rows["sex", "female"][arm] == people.filter(pl.col("arm") == code)["sex"].to_list().count("f")
    assert rows["age_years", "n"]["all"] == 12
    assert not any("p_value" in str(cell) for row in table.rows for cell in row)


@pytest.mark.requirement("RESULTS-TABLES")
def test_events_are_counted_by_arm(analysed: Analysed) -> None:
    table = analysed.results.table("adverse-events")
    columns = [column.id for column in table.columns]
    rows = {row[5]: dict(zip(columns, row, strict=True)) for row in table.rows}
    people = pl.read_csv(EXAMPLE / "data" / "people.csv").join(
        pl.read_csv(EXAMPLE / "data" / "events.csv"), on="person"
    )
    for arm, code in (("tablet", "T"), ("placebo", "P")):
        mine = people.filter(pl.col("arm") == code)
        assert rows["events"][arm] == mine.height
        assert rows["participants with any"][arm] == mine["person"].n_unique()


@pytest.mark.requirement("RESULTS-FLOW")
def test_the_flow_counts_everybody_once(analysed: Analysed) -> None:
    steps = {(step.id, step.arm): step.count for step in analysed.results.flow}
    assert steps["recorded", None] == steps["randomised", None] == 12
    assert steps["allocated", "tablet"] + steps["allocated", "placebo"] == 12
    assert steps["left", "placebo"] == 1, "INV-07 was last seen on day 94"
    assert steps["visit-month-6", "placebo"] == steps["allocated", "placebo"] - 1
    assert steps["analysed-hba1c", "placebo"] == 5


@pytest.mark.requirement("RESULTS-DATASETS")
def test_datasets_hold_each_participant_and_each_value(analysed: Analysed) -> None:
    adsl, adeff, adae, adtte = analysis_datasets(plan(analysed.data.protocol), analysed.data)
    assert adsl.table["USUBJID"].n_unique() == adsl.table.height == 12
    assert set(adsl.table["RANDFL"]) == {"Y"}
    assert adsl.table.columns == list(adsl.labels)
    assert adeff.table.columns == list(adeff.labels)
    labels = [pair for dataset in (adsl, adeff, adae, adtte) for pair in dataset.labels.items()]
    assert all(len(name) <= 8 and len(label) <= 40 for name, label in labels)
    assert adeff.table.select("USUBJID", "PARAMCD", "AVISITN").is_unique().all()
    change = adeff.table.filter(pl.col("CHG").is_not_null())
    assert (change["AVAL"] - change["BASE"] - change["CHG"]).abs().max() < 1e-12
    result = analysed.results.results[0]
    at_end = adeff.table.filter((pl.col("PARAMID") == "hba1c") & (pl.col("AVISIT") == "Month 6"))
    assert at_end.height == sum(result.n.values())


@pytest.mark.requirement("RESULTS-DATASETS")
def test_a_supplied_value_is_marked_in_the_dataset(t1dal: Path) -> None:
    from equipoise.records.importing.map import find_map

    imported = import_files(load_protocol("t1dal"), load_map(find_map("t1dal", None)), t1dal)
    done = analyse_records(imported.records, imported.allocation, software={})
    adeff = analysis_datasets(plan(done.data.protocol), done.data)[1].table
    at_52 = adeff.filter((pl.col("PARAMID") == "cpeptide-auc-2h-completed") & (pl.col("AVISIT") == "Week 52"))
    assert at_52["DTYPE"].to_list().count("SUPPLIED") == 7


def test_parameter_codes_are_short_and_unique() -> None:
    codes = parameter_codes(load_protocol("t1dal").parameters)
    assert len(set(codes.values())) == len(codes)
    assert all((len(code) <= 8 and code.isalnum() and code.isupper()) or code.isdigit() for code in codes.values())


def test_holm_by_hand() -> None:
    # Four p-values worked out by hand: 0.01 x 4, 0.02 x 3, max(0.03 x 2, 0.06), 0.04 x 1 raised to 0.06.
    assert holm(np.array([[0.02, 0.04, 0.01, 0.03]]))[0] == pytest.approx([0.06, 0.06, 0.04, 0.06])
    assert holm(np.array([[0.6, 0.7]]))[0] == pytest.approx([1.0, 1.0])


def test_fixed_sequence_by_hand() -> None:
    assert fixed_sequence(np.array([[0.01, 0.2, 0.001]]))[0] == pytest.approx([0.01, 0.2, 0.2])


def shown(result: Result, p_value: float) -> Result:
    """The result with another p-value, its estimate below no effect."""
    return dataclasses.replace(result, p_value=p_value, p_lower=p_value / 2, p_upper=1 - p_value / 2)


def _with(protocol: Protocol, **changes: object) -> Protocol:
    return dataclasses.replace(protocol, authored=protocol.authored.model_copy(update=changes))


@pytest.fixture(scope="module")
def primary(analysed: Analysed) -> Result:
    return analysed.results.results[0]


def test_families_adjust_only_their_members(analysed: Analysed, primary: Result) -> None:
    protocol = _with(analysed.data.protocol, families=(Family(id="main", label="x", level=0.05, adjustment="holm"),))
    two = (shown(primary, 0.03), dataclasses.replace(shown(primary, 0.02), id="b"))
    other = dataclasses.replace(shown(primary, 0.01), id="c", family=None)
    adjusted = [item.p_adjusted for item in with_adjusted(protocol, (*two, other))]
    assert adjusted == [pytest.approx(0.04), pytest.approx(0.04), None]
    missing = dataclasses.replace(primary, id="d", analysis="another", p_value=None)
    assert [i.p_adjusted for i in with_adjusted(protocol, (two[0], missing))] == [pytest.approx(0.06), None]


@pytest.mark.requirement("RESULTS-CLAIMS")
def test_a_claim_without_analysis_is_not_assessed(analysed: Analysed) -> None:
    protocol = _with(analysed.data.protocol, claims=(Claim(id="c1", text="Untested.", rule="descriptive"),))
    assert claim_results(protocol, (), ())[0].verdict == "not assessed"


@pytest.mark.requirement("ANALYSIS-ANCOVA")
def test_the_sign_is_active_minus_reference(primary: Result) -> None:
    values = pl.read_csv(EXAMPLE / "data" / "visits.csv").join(
        pl.read_csv(EXAMPLE / "data" / "people.csv"), on="person"
    )
    end = values.filter(pl.col("visit") == "V3")
    means = {arm: end.filter(pl.col("arm") == arm)["hba1c"].mean() for arm in ("T", "P")}
    assert primary.contrast == "tablet-v-placebo"
    assert primary.estimate is not None
    assert (primary.estimate < 0) == (means["T"] < means["P"])  # type: ignore[operator]  both arms have values
