"""Why an estimate is missing, in words that name arm, parameter and visit; and who was given every dose of a period."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from equipoise.analysis.analyse import run
from equipoise.analysis.data import AnalysisData
from equipoise.analysis.derive import analysis_sets
from equipoise.analysis.plan import plan
from equipoise.analysis.results import Result
from equipoise.records.panel import Rows
from equipoise.stats.status import Status
from tests.analysis.one_trial import alone, model, trials

EARLY, LATE = "MSC first (early)", "Placebo first (late)"


def status(data: AnalysisData, name: str) -> str:
    """The status of the first comparison of an analysis."""
    planned = plan(model())
    mine = dataclasses.replace(planned, analyses=tuple(item for item in planned.analyses if item.analysis.id == name))
    results, _ = run(mine, data)
    found = next(item for item in results if item.active is not None)
    assert isinstance(found, Result) and found.estimate is None
    return found.status


def changed(parameter: str, arm: int | None, visit: str, value: float = np.nan) -> AnalysisData:
    """One trial in which everyone of an arm (or of both) has this value of a parameter at a visit."""
    data = alone(trials(), 0)
    values = data.parameters[parameter].copy()
    mine = np.ones_like(data.panel.arm, np.bool_) if arm is None else data.panel.arm == arm
    values[:, :, data.panel.visit_index(visit)] = np.where(mine, value, values[:, :, data.panel.visit_index(visit)])
    return dataclasses.replace(data, parameters=MappingProxyType({**data.parameters, parameter: values}))


def without_arm(arm: int) -> AnalysisData:
    data = alone(trials(), 0)
    panel = dataclasses.replace(
        data.panel, arm=np.where(data.panel.arm == arm, 1 - arm, data.panel.arm).astype(np.int8)
    )
    return dataclasses.replace(data, panel=panel)


@pytest.mark.parametrize(
    "name", ["hba1c-12", "hba1c-12-ancova", "hypoglycaemia-12", "remission-12", "hba1c-12-permuted"]
)
@pytest.mark.requirement("RESULTS-REASONS")
def test_an_arm_without_participants_is_named(name: str) -> None:
    assert status(without_arm(1), name) == f"{LATE} has no participants; nothing can be compared with it"
    assert status(without_arm(0), name).startswith(f"{EARLY} has no participants")


@pytest.mark.requirement("RESULTS-REASONS")
def test_an_arm_without_values_is_named_with_parameter_and_visit() -> None:
    told = f"no one in {LATE} has a value of HbA1c at Month 12"
    assert status(changed("hba1c", 1, "month-12"), "hba1c-12").startswith(told)
    assert status(changed("hba1c", 1, "month-12"), "hba1c-12-ancova").startswith(told)
    both = f"no one in {EARLY} or in {LATE} has a value of HbA1c at Month 12"
    assert status(changed("hba1c", None, "month-12"), "hba1c-12-ancova").startswith(both)
    assert "Month 6; leave that visit out" in status(changed("hba1c", 1, "month-6"), "hba1c-12-jump")
    needed = status(changed("hba1c", 1, "baseline"), "hba1c-12-ancova")
    assert (
        needed
        == f"no one in {LATE} has all the values that this analysis needs beside HbA1c at Month 12, as a baseline"
    )


@pytest.mark.requirement("RESULTS-REASONS")
def test_a_characteristic_that_no_one_or_everyone_has_is_named() -> None:
    active = "has Moderate to vigorous activity of at least 150 min/week at baseline"
    none, every = changed("exercise", 0, "baseline", 0.0), changed("exercise", 1, "baseline", 200.0)
    assert status(none, "hba1c-12-by-exercise").startswith(f"no one in {EARLY} {active}")
    assert status(every, "hba1c-12-by-exercise").startswith(f"everyone in {LATE} {active}")


@pytest.mark.requirement("RESULTS-REASONS")
def test_what_is_the_same_for_everyone_is_named() -> None:
    same = changed("hba1c", None, "baseline", 7.0)
    assert status(same, "hba1c-12-ancova").startswith("HbA1c at baseline is the same for everyone (constant)")


@pytest.mark.requirement("RESULTS-REASONS")
def test_no_status_speaks_of_columns() -> None:
    assert not [item for item in Status if "column" in item.text]


def dosed(*rows: tuple[int, str, float, str]) -> list[bool]:
    """Who belongs to the set `treated`: rows are (participant, period, dose number, status)."""
    data = alone(trials(), 0)
    old = data.panel.interventions.columns
    blank = {name: np.zeros(len(rows), column.dtype) for name, column in old.items()}
    columns: dict[str, Any] = {
        **blank,
        "treatment": np.array(["study treatment"] * len(rows)),
        "period": np.array([row[1] for row in rows]),
        "dose_number": np.array([row[2] for row in rows]),
        "status": np.array([row[3] for row in rows]),
    }
    who = np.array([row[0] for row in rows], np.int64)
    panel = dataclasses.replace(
        data.panel, interventions=Rows(np.zeros(len(rows), np.int64), who, MappingProxyType(columns))
    )
    return analysis_sets(panel, data.parameters)["treated"][0].tolist()


@pytest.mark.requirement("ANALYSIS-ALL-DOSES")
def test_doses_of_two_periods_do_not_add_up() -> None:
    first = int(
        np.flatnonzero(analysis_sets(alone(trials(), 0).panel, alone(trials(), 0).parameters)["randomised"][0])[0]
    )

    def whole(*rows: tuple[str, float, str]) -> bool:
        return dosed(*((first, *row) for row in rows))[first]

    assert whole(("period-1", 1, "given"), ("period-1", 2, "given"))
    assert whole(("period-1", 1, "given"), ("period-2", 1, "given"), ("period-2", 2, "given"))
    assert not whole(("period-1", 1, "given"), ("period-2", 1, "given")), "one of two in each of two periods"
    assert not whole(("period-1", 1, "given"), ("period-2", 2, "given")), "the first of one, the second of the other"
    assert not whole(("period-1", 1, "given"), ("period-1", 2, "not-given"))
    assert not whole(("period-1", 1, "given"), ("period-1", 1, "given")), "one dose that was recorded twice"
    assert whole(("period-1", np.nan, "given"), ("period-1", np.nan, "given"))


@pytest.mark.requirement("ANALYSIS-ALL-DOSES")
def test_the_set_of_the_treated_looks_at_no_arm() -> None:
    data = alone(trials(), 1)
    other = dataclasses.replace(data.panel, arm=(1 - data.panel.arm).astype(np.int8))
    assert (analysis_sets(other, data.parameters)["treated"] == data.sets["treated"]).all()
