"""Simulated trials with derived parameters, one of them taken out, and some of their values replaced."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import numpy as np

from equipoise.analysis.analyse import prepare
from equipoise.analysis.data import AnalysisData
from equipoise.analysis.estimates import Estimate
from equipoise.analysis.plan import plan
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import Analysis
from equipoise.records.panel import Rows
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials


@cache
def model() -> Protocol:
    return load_protocol("msc-t1d")


@cache
def trials(count: int = 4, seed: int = 4, *changes: str) -> AnalysisData:
    """Trials of the model protocol without an effect."""
    (panel,) = simulate_trials(model(), load_scenario("no-effect", changes), seed, count)
    return prepare(plan(model()), panel)


def analysis(method: str, estimand: str, **more: object) -> Analysis:
    return Analysis(id="own", label="Own", method=method, estimand=estimand, role="exploratory", **more)


def alone(data: AnalysisData, trial: int) -> AnalysisData:
    """The data of one trial, as if it were the only one."""
    panel, own = data.panel, slice(trial, trial + 1)

    def rows(given: Rows) -> Rows:
        mine = given.trial == trial
        columns = {name: column[mine] for name, column in given.columns.items()}
        return Rows(np.zeros(mine.sum(), np.int64), given.participant[mine], columns)

    def each(given: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        return MappingProxyType({name: values[own] for name, values in given.items()})

    blocks = {
        name: dataclasses.replace(
            block, value=block.value[own], censored=block.censored[own], day=block.day[own], asked=block.asked[own]
        )
        for name, block in panel.blocks.items()
    }
    one = dataclasses.replace(
        panel,
        present=panel.present[own],
        arm=panel.arm[own],
        covariates=each(panel.covariates),
        labels=each(panel.labels),
        entry=each(panel.entry),
        visit_day=panel.visit_day[own],
        visit_status=panel.visit_status[own],
        blocks=MappingProxyType(blocks),
        supplied=each(panel.supplied),
        events=rows(panel.events),
        interventions=rows(panel.interventions),
        lots=rows(panel.lots),
    )
    return AnalysisData(one, each(data.parameters), each(data.sets), 0, data.hidden)


def with_panel(data: AnalysisData, **changes: object) -> AnalysisData:
    return dataclasses.replace(data, panel=dataclasses.replace(data.panel, **changes))


def with_parameter(data: AnalysisData, name: str, values: np.ndarray) -> AnalysisData:
    return dataclasses.replace(data, parameters=MappingProxyType({**data.parameters, name: values}))


def with_levels(data: AnalysisData, test: str, value: np.ndarray, censored: np.ndarray) -> AnalysisData:
    """One cytokine's levels and codes (R, n, visits of its block), with the parameter of the same name."""
    block = data.panel.blocks["cytokines"]
    place = block.tests.index(test)
    values, codes = block.value.copy(), block.censored.copy()
    values[:, :, :, 0, place], codes[:, :, :, 0, place] = value, censored
    blocks = {**data.panel.blocks, "cytokines": dataclasses.replace(block, value=values, censored=codes)}
    spread_out = np.full_like(data.parameters[test], np.nan)
    places = [data.panel.visit_index(visit) for visit in block.visits]
    spread_out[:, :, places] = np.where(censored < 0, value / 2, value)
    changed = with_parameter(data, test, spread_out)
    return with_panel(changed, blocks=MappingProxyType(blocks))


def blinded(data: AnalysisData) -> AnalysisData:
    return with_panel(data, arm=np.full_like(data.panel.arm, -1))


def emptied(data: AnalysisData, arm: int) -> AnalysisData:
    """Nobody of an arm is in any analysis set."""
    kept = {name: flags & (data.panel.arm != arm) for name, flags in data.sets.items()}
    return dataclasses.replace(data, sets=MappingProxyType(kept))


def numbers(estimate: Estimate) -> dict[str, np.ndarray]:
    return {**estimate.values, **estimate.extra}
