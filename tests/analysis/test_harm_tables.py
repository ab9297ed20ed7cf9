"""What was given, rates of events and shifts of the laboratory, counted again from the tables of the records."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from equipoise.analysis.analyse import analyse_records
from equipoise.analysis.plan import plan
from equipoise.errors import InputError
from equipoise.protocol.load import load_protocol
from equipoise.records.allocation import Allocation
from equipoise.records.records import Records
from equipoise.simulate.scenario import load_scenario
from equipoise.stats import exact_rate_ratio, rate_difference
from equipoise.verbs.simulating import simulated_records

pytestmark = pytest.mark.requirement("ANALYSIS-HARM")
SOFTWARE = {"name": "equipoise", "version": "0"}


@pytest.fixture(scope="module")
def trial() -> tuple[Records, Allocation]:
    return simulated_records(load_protocol("msc-t1d"), load_scenario("published"), 12)


@pytest.fixture(scope="module")
def tables(trial) -> dict:
    found = analyse_records(*trial, software=SOFTWARE).results.tables
    return {table.id: table for table in found}


def of_arms(trial, frame: pl.DataFrame) -> pl.DataFrame:
    arms = pl.DataFrame({"participant": list(trial[1].arms), "arm": list(trial[1].arms.values())})
    return frame.join(arms, on="participant", how="inner")


def lines(table) -> list[dict]:
    names = [column.id for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in table.rows]


@pytest.mark.parametrize(
    ("kind", "which"),
    [
        ("any", pl.lit(value=True)),
        ("grade 2 or more", pl.col("grade") >= 2),
        ("grade 3 or more", pl.col("grade") >= 3),
        ("related", pl.col("related")),
        ("serious", pl.col("serious")),
        ("Nervous system disorders", pl.col("category") == "Nervous system disorders"),
    ],
)
def test_rates_are_those_of_the_records(trial, tables, kind, which) -> None:
    line = next(row for row in lines(tables["event-rates-12"]) if row["kind"] == kind)
    records = trial[0]
    people = of_arms(trial, records.participants).select("participant", "arm", "last_contact_day")
    events = records.events.filter((pl.col("assessment") == "adverse-events") & which)
    heard = records.events.group_by("participant").agg(pl.col("start_day").max().alias("heard"))
    people = people.join(heard, on="participant", how="left")
    numbers = {}
    for side, arm in (("active", "group-a"), ("reference", "group-b")):
        first = years = 0.0
        participants = total = 0
        for person, _, last, told in people.filter(pl.col("arm") == arm).iter_rows():
            end = min(max(last, told or last), 370)
            days = events.filter((pl.col("participant") == person) & pl.col("start_day").is_between(0, end))[
                "start_day"
            ]
            years += (end + 1) / 365.25
            first += ((days.min() if len(days) else end) + 1) / 365.25
            participants, total = participants + (len(days) > 0), total + len(days)
        assert (line[f"{side}/participants"], line[f"{side}/events"]) == (participants, total)
        assert line[f"{side}/years"] == pytest.approx(years, rel=1e-12)
        assert line[f"{side}/first_years"] == pytest.approx(first, rel=1e-12)
        numbers[side] = (participants, first, total, years)
    (x1, t1, n1, y1), (x0, t0, n0, y0) = numbers["active"], numbers["reference"]
    found = rate_difference(x1, t1, x0, t0)
    assert line["first/estimate"] == pytest.approx(x1 / t1 - x0 / t0)
    assert line["first/lower"] == pytest.approx(found.lower.item())
    if min(n1, n0) == 0 < max(n1, n0):
        exact = exact_rate_ratio(n1, y1, n0, y0)
        assert line["all/method"] == "exact conditional, one-sided"
        assert line["all/upper"] == (pytest.approx(exact.upper.item()) if np.isfinite(exact.upper.item()) else None)
    elif n1:
        assert line["all/method"] == "negative binomial"
        assert line["all/estimate"] == pytest.approx(n1 / y1 / (n0 / y0), rel=0.5)


def test_an_arm_without_events_has_the_exact_limit_and_none_at_all_has_no_ratio(trial) -> None:
    records, allocation = trial
    one_arm = [person for person, arm in allocation.arms.items() if arm == "group-a"]
    kept = records.events.filter((pl.col("assessment") != "adverse-events") | pl.col("participant").is_in(one_arm))
    changed = Records.of(records.protocol, {**records.tables, "events": kept})
    found = analyse_records(changed, allocation, software=SOFTWARE).results.table("event-rates-12")
    line = next(row for row in lines(found) if row["kind"] == "any")
    assert line["all/estimate"] is None and line["all/lower"] > 0 and line["all/method"].endswith("one-sided")


def test_infusions_and_lots_are_those_of_the_records(trial, tables) -> None:
    doses = of_arms(trial, trial[0].interventions.filter(pl.col("treatment") == "study treatment"))
    lots = trial[0].lots.filter(pl.col("test") == "viable-cells").select("lot", "value")
    found = lines(tables["exposure"])

    def cell(period: str, item: str, statistic: str, group: str):
        return next(
            row[group] for row in found if (row["period"], row["item"], row["statistic"]) == (period, item, statistic)
        )

    for period, active in (("period-1", "group-a"), ("period-2", "group-b")):
        for arm in ("group-a", "group-b"):
            given = doses.filter((pl.col("period") == period) & (pl.col("arm") == arm) & (pl.col("status") == "given"))
            assert cell(period, "Infusions given", "count", arm) == given.height
            assert cell(period, "Participants with an infusion", "count", arm) == given["participant"].n_unique()
            assert cell(period, "Duration", "mean", arm) == pytest.approx(given["minutes"].mean())
            cells = given.join(lots, on="lot")["value"] if arm == active else pl.Series("value", [], pl.Float64)
            assert cell(period, "Viable cells", "n", arm) == len(cells)
            if len(cells):
                assert cell(period, "Viable cells", "median", arm) == pytest.approx(cells.median())
                assert 0.75e6 < cells.mean() < 1.15e6
            else:
                # Placebo participants have lots too; saying what they hold would say nothing of their exposure.
                assert cell(period, "Viable cells", "mean", arm) is None


def test_the_test_of_a_lot_that_is_asked_for_is_the_one_described(trial) -> None:
    """Viability stands neither first nor last among the tests of a lot."""
    records, allocation = trial
    amends = f"protocol.amends={load_protocol('msc-t1d').digest}"
    protocol = load_protocol("msc-t1d", ["protocol.analyses.exposure.options.lots=[viability]", amends])
    table = analyse_records(Records.of(protocol, records.tables), allocation, software=SOFTWARE).results.table(
        "exposure"
    )
    doses = of_arms(trial, records.interventions.filter(pl.col("treatment") == "study treatment"))
    given = doses.filter(
        (pl.col("period") == "period-1") & (pl.col("status") == "given") & (pl.col("arm") == "group-a")
    )
    held = given.join(records.lots.filter(pl.col("test") == "viability").select("lot", "value"), on="lot")["value"]
    told = {
        row["statistic"]: row["group-a"] for row in lines(table) if row["period"] == "period-1" and row["unit"] == "%"
    }
    assert told["n"] == len(held) == given.height > 5
    other = {
        row["statistic"]: row["group-b"] for row in lines(table) if row["period"] == "period-1" and row["unit"] == "%"
    }
    assert other["n"] == 0 and other["mean"] is None  # their lots were not given
    for name, value in (("mean", held.mean()), ("minimum", held.min()), ("maximum", held.max()), ("sd", held.std())):
        assert told[name] == pytest.approx(value, rel=1e-12), name


def test_a_dose_below_its_range_is_one_whose_lot_holds_too_little(trial) -> None:
    protocol = load_protocol("msc-t1d")
    records, _ = simulated_records(protocol, load_scenario("no-effect", ["scenario.doses.below_range=0.5"]), 3)
    cells = records.lots.filter(pl.col("test") == "viable-cells")
    short = cells.filter(~pl.col("passed"))
    assert 0.2 < short.height / cells.height < 0.8
    assert (short["value"] < 800_000).all() and (cells.filter(pl.col("passed"))["value"] >= 800_000).all()


def test_shifts_are_counted_from_the_findings(trial, tables) -> None:
    protocol = load_protocol("msc-t1d")
    ranges = {"haemoglobin": (12, 17), "leucocytes": (4, 11), "creatinine": (0.3, 1.2)}
    first_year = [v.id for v in protocol.visits if v.period == "period-1" and v.day > 0]
    findings = of_arms(trial, trial[0].findings.filter(pl.col("assessment") == "safety-laboratory"))
    dosed = set(
        trial[0].interventions.filter((pl.col("treatment") == "study treatment") & (pl.col("status") == "given"))[
            "participant"
        ]
    )
    for name, (low, high) in ranges.items():
        expected: dict[tuple[str, str], int] = {}
        for person in sorted(dosed):
            mine = findings.filter((pl.col("participant") == person) & (pl.col("test") == name))
            before = mine.filter(pl.col("visit") == "dose-1")["value"].drop_nulls().to_list()
            later = mine.filter(pl.col("visit").is_in(first_year))["value"].drop_nulls().to_list()
            start = "missing" if not before else word(before[0], low, high)
            ends = {word(value, low, high) for value in later} or {"missing"}
            ends = ends - {"normal"} or {"normal"}
            for end in ends:
                expected[start, end] = expected.get((start, end), 0) + 1
        counted = {
            (row["baseline"], row["worst"]): row["all"]
            for row in lines(tables["laboratory-shifts"])
            if row["parameter"] == name
        }
        assert counted == expected, name


def word(value: float, low: float, high: float) -> str:
    return "low" if value < low else "high" if value > high else "normal"


def test_a_blinded_run_compares_nothing_and_describes_everybody(trial) -> None:
    results = analyse_records(trial[0], None, software=SOFTWARE).results
    assert results.table("event-rates-12").rows == ()
    assert [column.id for column in results.table("exposure").columns[5:]] == ["all"]
    assert not [row for row in lines(results.table("exposure")) if row["item"] == "Viable cells"]
    assert [column.id for column in results.table("laboratory-shifts").columns[5:]] == ["all"]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("protocol.analyses.event-rates-12.options.events=nothing", "known-events"),
        ("protocol.analyses.event-rates-12.options.period=nothing", "known-period"),
        ("protocol.analyses.event-rates-12.options.contrast.active=nobody", "known-arm"),
        ("protocol.analyses.exposure.options.lots=[weight]", "known-test"),
        ("protocol.analyses.laboratory-shifts.options.baseline=nothing", "known-baseline"),
        ("protocol.analyses.laboratory-shifts.options.ranges={haemoglobin: [17, 12]}", "range-order"),
        ("protocol.analyses.laboratory-shifts.options.ranges={nothing: [1, 2]}", "known-parameter"),
    ],
)
def test_names_and_ranges_that_make_no_sense_are_refused(change: str, rule: str) -> None:
    with pytest.raises(InputError) as caught:
        plan(load_protocol("msc-t1d", [change]))
    assert rule in {problem.rule for problem in caught.value.problems}
