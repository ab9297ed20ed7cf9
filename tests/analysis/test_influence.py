"""What hangs on single participants: the analysis without each of them, done the long way."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from equipoise.analysis.analyse import prepare, run
from equipoise.analysis.claims import claim_results
from equipoise.analysis.data import AnalysisData
from equipoise.analysis.influence import COLUMNS, MOST, influence_table
from equipoise.analysis.plan import Plan, plan
from equipoise.analysis.results import Result
from equipoise.protocol.load import load_protocol
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials

pytestmark = pytest.mark.requirement("ANALYSIS-INFLUENCE")


@pytest.fixture(scope="module")
def planned() -> Plan:
    return plan(load_protocol("msc-t1d"))


@pytest.fixture(scope="module")
def data(planned: Plan) -> AnalysisData:
    panels = simulate_trials(planned.protocol, load_scenario("strong"), 5, 3)
    return prepare(planned, next(iter(panels)), 1)


@pytest.fixture(scope="module")
def results(planned: Plan, data: AnalysisData) -> tuple[Result, ...]:
    return run(planned, data)[0]


def rows(table) -> dict[str, dict[str, object]]:
    names = [column.id for column in COLUMNS]
    found = [dict(zip(names, cells, strict=True)) for cells in table.rows]
    return {str(row["result"]).split("/", 1)[0]: row for row in found}


def test_the_table_has_every_part_of_a_claim_and_the_confirmatory_family(planned, data, results) -> None:
    found = rows(influence_table(planned, data, results))
    claimed = {part.analysis for claim in planned.protocol.claims for part in claim.parts}
    with_estimand = {item.id for item in planned.protocol.analyses if item.estimand is not None}
    confirmatory = {item.id for item in planned.protocol.analyses if item.family is not None}
    assert set(found) == (claimed & with_estimand) | confirmatory


@pytest.mark.parametrize("analysis", ["hypoglycaemia-12", "cpeptide-12", "hba1c-12", "treg-48h-by-exercise"])
def test_each_range_and_change_is_that_of_the_analysis_without_the_person(planned, data, results, analysis) -> None:
    row = rows(influence_table(planned, data, results))[analysis]
    part = next((part for claim in planned.protocol.claims for part in claim.parts if part.analysis == analysis), None)
    alone = dataclasses.replace(planned, analyses=tuple(i for i in planned.analyses if i.analysis.id == analysis))
    place = next(i for i, item in enumerate(results) if item.analysis == analysis)
    estimates, changed = [], []
    for person in np.flatnonzero(data.sets["randomised"][1]):
        sets = {name: flags.copy() for name, flags in data.sets.items()}
        for flags in sets.values():
            flags[:, person] = False
        found = run(alone, dataclasses.replace(data, sets=sets))[0][0]
        estimates.append(found.estimate)
        if part is not None:
            # The rest of the family keeps its own p-values, as it does in the table.
            others = [other if i != place else found for i, other in enumerate(results)]
            parts = [part for claim in claim_results(planned.protocol, tuple(others), ()) for part in claim.parts]
            if next(part.verdict for part in parts if part.analysis == analysis) != row["verdict"]:
                changed.append(data.panel.ids[person])
    known = [value for value in estimates if value is not None]
    assert row["lowest"] == pytest.approx(min(known), rel=1e-9)
    assert row["highest"] == pytest.approx(max(known), rel=1e-9)
    if part is not None:
        assert row["changed_by"] == (", ".join(changed) or "nobody")


def test_the_smallest_effect_excluded_is_the_limit_on_the_side_of_improvement(planned, data, results) -> None:
    found = rows(influence_table(planned, data, results))
    by_id = {item.id: item for item in results}
    for name, side in (("hba1c-12", "lower"), ("cpeptide-12", "upper"), ("hypoglycaemia-12", "lower")):
        assert found[name]["excluded"] == getattr(by_id[found[name]["result"]], side)


def test_somebody_changes_a_verdict_that_hangs_on_them(planned, data, results) -> None:
    """A trial whose verdict on C-peptide flips without one person is made by moving that person far away."""
    visit, parameters = data.panel.visit_index("month-12"), dict(data.parameters)
    values = parameters["ln-cpeptide-auc"].copy()
    members = np.flatnonzero(data.sets["randomised"][1] & ~np.isnan(values[1, :, visit]) & (data.panel.arm[1] == 0))
    values[1, members[0], visit] -= 40
    changed = dataclasses.replace(data, parameters={**parameters, "ln-cpeptide-auc": values})
    family = tuple(item for item in planned.analyses if item.analysis.family)
    again = run(dataclasses.replace(planned, analyses=family), changed)[0]
    row = rows(influence_table(dataclasses.replace(planned, analyses=family), changed, again))["cpeptide-12"]
    assert data.panel.ids[members[0]] in re.split(", ", str(row["changed_by"]))
    assert row["highest"] - row["estimate"] > 2


def test_a_blinded_run_has_no_table_and_a_large_trial_leaves_nobody_out(planned, data, results) -> None:
    assert influence_table(planned, dataclasses.replace(data, hidden=True), results) is None
    protocol = load_protocol("msc-t1d", [f"protocol.randomisation.participants={MOST + 2}"])
    many = plan(protocol)
    big = prepare(many, next(iter(simulate_trials(protocol, load_scenario("no-effect"), 5, 1))))
    few = dataclasses.replace(many, analyses=tuple(item for item in many.analyses if item.analysis.family))
    table = influence_table(few, big, run(few, big)[0])
    assert {row["changed_by"] for row in rows(table).values()} == {None}
    assert all(row["estimate"] is not None for row in rows(table).values())
