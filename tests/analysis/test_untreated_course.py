"""Each group's year beside untreated people: the definition written out, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from equipoise.analysis.analyse import prepare
from equipoise.analysis.data import AnalysisData
from equipoise.analysis.plan import Plan, plan
from equipoise.errors import InputError
from equipoise.protocol.load import load_protocol
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials

pytestmark = pytest.mark.requirement("ANALYSIS-OWN-YEAR")


@pytest.fixture(scope="module")
def planned() -> Plan:
    return plan(load_protocol("msc-t1d"))


@pytest.fixture(scope="module")
def data(planned: Plan) -> AnalysisData:
    protocol = load_protocol("msc-t1d", ["protocol.randomisation.participants=200"])
    return prepare(plan(protocol), next(iter(simulate_trials(protocol, load_scenario("no-effect"), 3, 1))))


def rows(planned: Plan, data: AnalysisData):
    item = next(item for item in planned.analyses if item.analysis.id == "own-year")
    (table,) = item.method.run(data, item.analysis, item.options).tables
    names = [column.id for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in table.rows], table


def test_each_row_is_the_definition(planned, data) -> None:
    found, table = rows(planned, data)
    assert not any("p" in column.id.split("_") for column in table.columns)
    age = data.panel.covariates["age_years"][0]
    laws = {
        "bundy-krischer": lambda start: -0.191 + 0.812 * start + 0.00638 * age - start,
        "working-slope": lambda start: (
            np.log1p(np.expm1(start) * np.exp((-0.827 + 0.744 * np.log(age / 15)) * 371 / 365.25)) - start
        ),
    }
    for row in found:
        members = data.sets["randomised"][0] & (data.panel.arm[0] == (0 if row["arm"] == "group-a" else 1))
        start, end = (data.at(row["parameter"], row[name])[0] for name in ("start", "end"))
        law = laws.get(row["law"], lambda start, r=row: np.full_like(start, -0.02 if r["end"] == "month-12" else 0.41))
        change, expected = end - start, law(start)
        difference = (change - expected)[members & ~np.isnan(change)]
        assert row["n"] == len(difference) > 50
        assert row["observed"] == pytest.approx(change[members & ~np.isnan(change)].mean())
        assert row["difference"] == pytest.approx(difference.mean())
        reach = stats.t.ppf(0.975, len(difference) - 1) * stats.sem(difference)
        assert (row["lower"], row["upper"]) == pytest.approx((difference.mean() - reach, difference.mean() + reach))


def test_untreated_people_lie_about_the_equation_of_the_first_year(planned, data) -> None:
    first = next(row for row in rows(planned, data)[0] if row["law"] == "bundy-krischer")
    assert abs(first["difference"]) < 0.06


def test_a_blinded_run_describes_no_group(planned, data) -> None:
    import dataclasses

    assert rows(planned, dataclasses.replace(data, hidden=True))[0] == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("arm: x, parameter: hba1c, start: baseline, end: month-12, law: change, change: 0", "known-arm"),
        ("arm: group-a, parameter: x, start: baseline, end: month-12, law: change, change: 0", "known-parameter"),
        ("arm: group-a, parameter: hba1c, start: x, end: month-12, law: change, change: 0", "known-visit"),
        ("arm: group-a, parameter: hba1c, start: baseline, end: month-12, law: change", "change-given"),
        ("arm: group-a, parameter: hba1c, start: baseline, end: month-12, law: bundy-krischer", "scale-of-expectation"),
    ],
    ids=lambda value: value if len(value) < 30 else "spans",
)
def test_what_makes_no_sense_is_refused(change: str, rule: str) -> None:
    with pytest.raises(InputError) as caught:
        plan(load_protocol("msc-t1d", [f"protocol.analyses.own-year.options.spans=[{{{change}}}]"]))
    assert rule in {problem.rule for problem in caught.value.problems}
