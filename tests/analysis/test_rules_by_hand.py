"""Small rules of the analysis, each counted again from the arrays: times to events, sets, complete cases."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

import numpy as np
import polars as pl
import pytest

from equipoise.analysis.derive import analysis_sets
from equipoise.analysis.event_datasets import times_table
from equipoise.analysis.methods import descriptive, event_rates, interaction, shift_table
from equipoise.analysis.plan import plan
from equipoise.protocol.schema.inference import Analysis
from equipoise.records.panel import Rows
from equipoise.stats import exact_rate_ratio
from tests.analysis.one_trial import alone, model, trials, with_panel, with_parameter

TRIAL = 2


def planned(name: str):
    """The options of an analysis of the model protocol, as the plan has resolved them."""
    return next(item.options for item in plan(model()).analyses if item.analysis.id == name)


def of_trial(data):
    return dataclasses.replace(data, trial=TRIAL)


@pytest.mark.requirement("RESULTS-DATASETS")
def test_times_are_days_to_the_first_event_of_each_kind_or_to_the_last_contact_in_the_trial_itself() -> None:
    data = of_trial(trials())
    panel, table = data.panel, times_table(data)
    rows = panel.events
    kinds = [item for item in panel.protocol.assessments if item.observation_class == "events"]
    assert table.height == len(kinds) * panel.participants
    for place, item in enumerate(kinds):
        part = table.filter(pl.col("PARAMCD") == f"TTE{place + 1}")
        first: dict[str, float] = {}
        for trial, person, kind, day in zip(
            rows.trial, rows.participant, rows.columns["assessment"], rows.columns["start_day"], strict=True
        ):
            if trial == TRIAL and kind == item.id and day >= 0:
                first[panel.ids[person]] = min(first.get(panel.ids[person], np.inf), float(day))
        last = dict(zip(panel.ids, panel.covariates["last_contact_day"][TRIAL].tolist(), strict=True))
        for who, value, censored, words in part.select("USUBJID", "AVAL", "CNSR", "EVNTDESC").iter_rows():
            assert value == first.get(who, last[who])
            assert (censored, words) == ((0, "event") if who in first else (1, "last contact"))
    assert 0 < table["CNSR"].sum() < table.height


@pytest.mark.requirement("ANALYSIS-SETS")
@pytest.mark.parametrize(("day", "counts"), [(0, False), (1, True)])
def test_a_value_counts_as_after_baseline_from_the_first_day_of_treatment_on(day: int, counts: bool) -> None:
    data = alone(trials(), 0)
    plain = data.protocol
    visits = tuple(v if v.id != "dose-1-48h" else v.model_copy(update={"day": day}) for v in plain.visits)
    seen = plain.conventions.analysis_sets[0].model_copy(
        update={"id": "seen", "rule": "any-post-baseline", "parameters": ("x",)}
    )
    conventions = plain.conventions.model_copy(update={"analysis_sets": (seen,)})
    authored = plain.authored.model_copy(update={"conventions": conventions})
    changed = dataclasses.replace(plain, visits=visits, authored=authored)
    values = np.full((1, data.panel.participants, len(visits)), np.nan)
    values[0, :3, data.panel.visit_index("dose-1-48h")] = 5.0
    found = analysis_sets(dataclasses.replace(data.panel, protocol=changed), {"x": values})["seen"]
    assert found[0].nonzero()[0].tolist() == ([0, 1, 2] if counts else [])


@pytest.mark.requirement("ANALYSIS-DESCRIPTIVE")
def test_complete_cases_are_those_with_a_value_at_every_visit_that_was_measured() -> None:
    data = of_trial(trials())
    visits = ("baseline", "month-3", "month-12")
    places = [data.panel.visit_index(visit) for visit in visits]
    values = data.parameters["hba1c"].copy()
    values[TRIAL, 0, places[1]] = np.nan  # one of many has a gap in the middle
    data = with_parameter(data, "hba1c", values)
    options = descriptive.Options(parameters=("hba1c",), visits=visits, complete=True)
    own = Analysis(id="own", label="Own", method="descriptive", analysis_set="randomised", role="descriptive")
    (table,) = descriptive.METHOD.run(data, own, options).tables
    names = [column.id for column in table.columns]
    there = ~np.isnan(values[TRIAL][:, places]).any(axis=1) & data.sets["randomised"][TRIAL]
    assert not there[0] and there.sum() > 10
    for row in (dict(zip(names, cells, strict=True)) for cells in table.rows):
        if row["statistic"] in ("n", "mean"):
            place = data.panel.visit_index(row["visit"])
            for arm, code in (("group-a", 0), ("group-b", 1)):
                mine = values[TRIAL, there & (data.panel.arm[TRIAL] == code), place]
                assert row[arm] == pytest.approx(mine.size if row["statistic"] == "n" else mine.mean(), rel=1e-12)


@pytest.mark.requirement("ANALYSIS-FIRST-ANSWERS")
def test_an_interaction_is_the_product_s_coefficient_of_the_model_written_out() -> None:
    """The effect with the modifier less that without it; no other coefficient is it."""
    data = trials()
    own = next(item for item in data.protocol.analyses if item.id == "hba1c-12-by-exercise")
    outcome = interaction.METHOD.run(data, own, planned(own.id))
    found = {item.variant: item for item in outcome.estimates}["interaction"]
    with_it = {item.variant: item for item in outcome.estimates}
    trial = 1
    total = with_it["with"].values["estimate"][trial] - with_it["without"].values["estimate"][trial]
    assert found.values["estimate"][trial] == pytest.approx(total, rel=1e-9)
    assert abs(total) > 1e-6


@pytest.mark.requirement("ANALYSIS-HARM")
@pytest.mark.parametrize("only", [0, 1])
def test_where_one_arm_has_no_event_the_exact_limits_are_those_of_that_arm(only: int) -> None:
    data = alone(trials(), 0)
    rows = data.panel.events
    keep = (rows.columns["assessment"] != "adverse-events") | (data.panel.arm[0][rows.participant] == only)
    columns = {name: values[keep] for name, values in rows.columns.items()}
    data = with_panel(data, events=Rows(rows.trial[keep], rows.participant[keep], MappingProxyType(columns)))
    own = next(item for item in data.protocol.analyses if item.id == "event-rates-12")
    (table,) = event_rates.METHOD.run(data, own, planned(own.id)).tables
    names = [column.id for column in table.columns]
    line = next(row for row in (dict(zip(names, cells, strict=True)) for cells in table.rows) if row["kind"] == "any")
    counts = (line["active/events"], line["reference/events"])
    assert counts[1 - only] == 0 < counts[only]
    exact = exact_rate_ratio(counts[0], line["active/years"], counts[1], line["reference/years"])
    assert line["all/method"] == "exact conditional, one-sided"
    for name in ("estimate", "lower", "upper"):
        value = getattr(exact, name).item()
        assert line[f"all/{name}"] == (pytest.approx(value, rel=1e-9) if np.isfinite(value) else None), name


@pytest.mark.requirement("ANALYSIS-HARM")
def test_the_worst_of_several_visits_is_one_value_beyond_a_limit_and_a_value_at_the_limit_is_normal() -> None:
    """Haemoglobin between 12 and 17: four people of group a, whose visits are written out; all others stay at 14."""
    data = alone(trials(), 0)
    own = next(item for item in data.protocol.analyses if item.id == "laboratory-shifts")
    inside = [p for p, v in enumerate(data.protocol.visits) if v.period == "period-1"]
    inside = [p for p in inside if not np.isnan(data.parameters["haemoglobin"][0, :, p]).all()]
    assert len(inside) > 2
    before = data.panel.visit_index(data.protocol.baseline(planned(own.id).baseline).visit)
    later = [place for place in inside if place > before]
    members = np.flatnonzero((data.panel.arm[0] == 0) & data.sets["safety"][0])[:4]
    values = np.full_like(data.parameters["haemoglobin"], np.nan)
    values[0, :, [before, *later]] = 14.0
    values[0, members[0], later[0]] = 17.1  # above once
    values[0, members[1], later[-1]] = 11.9  # below once
    values[0, members[2], later[0]], values[0, members[2], later[-1]] = 17.1, 11.9  # both
    values[0, members[3], later[0]], values[0, members[3], later[-1]] = 17.0, 12.0  # at both limits
    (table,) = shift_table.METHOD.run(with_parameter(data, "haemoglobin", values), own, planned(own.id)).tables
    names = [column.id for column in table.columns]
    found = [dict(zip(names, cells, strict=True)) for cells in table.rows]
    counted = {(row["baseline"], row["worst"]): row["group-a"] for row in found if row["parameter"] == "haemoglobin"}
    size = int(((data.panel.arm[0] == 0) & data.sets["safety"][0]).sum())
    assert counted.pop(("normal", "high")) == 2 and counted.pop(("normal", "low")) == 2
    assert counted.pop(("normal", "normal")) == size - 3
    assert not any(counted.values())
