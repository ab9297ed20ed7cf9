"""Run the planned derivations on a Panel, and decide the analysis sets without looking at arms."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.data import DerivationData, Flags, Floats
from equipoise.analysis.named import answerable
from equipoise.analysis.plan import Plan
from equipoise.analysis.registry import derivations
from equipoise.protocol.schema.inference import AnalysisSet
from equipoise.records.classes import SEXES, STATUSES, STUDY_TREATMENT
from equipoise.records.panel import HELD, Panel

_ALLOCATED = STATUSES.index("randomised")


def derive(plan: Plan, panel: Panel) -> Mapping[str, Floats]:
    """Every parameter of the plan, (R, n, visits of the protocol), in an order in which each finds what it needs."""
    derived: dict[str, Floats] = {}
    for item in plan.parameters:
        data = DerivationData(panel, MappingProxyType(derived))
        place = ("parameters", plan.protocol.parameters.index(item.parameter), "derivation")
        with answerable(derivations(), item.parameter.derivation, plan.protocol, place):
            derived[item.parameter.id] = item.derivation.derive(data, item.parameter, item.options)
    return MappingProxyType(derived)


def analysis_sets(panel: Panel, parameters: Mapping[str, Floats]) -> Mapping[str, Flags]:
    """Every analysis set of the protocol, (R, n). Arms are not looked at."""
    sets: dict[str, Flags] = {}
    for item in panel.protocol.conventions.analysis_sets:
        members = _members(item, panel, parameters)
        if item.sex is not None:
            members &= panel.covariates["sex"] == SEXES.index(item.sex)
        sets[item.id] = members if item.within is None else members & sets[item.within]
    return MappingProxyType(sets)


def _members(item: AnalysisSet, panel: Panel, parameters: Mapping[str, Floats]) -> Flags:
    allocated = panel.present & (np.nan_to_num(panel.covariates["status"], nan=-1) >= _ALLOCATED)
    match item.rule:
        case "randomised":
            return allocated
        case "any-post-baseline":
            return allocated & np.any(_valued_after_baseline(item, panel, parameters), axis=0)
        case "every-post-baseline":
            return allocated & np.all(_valued_after_baseline(item, panel, parameters), axis=0)
        case "visit-held":
            held = panel.visit_status[:, :, [panel.visit_index(name) for name in item.visits]] == HELD
            return allocated & held.all(axis=2)
        case "dosed":
            return allocated & (_doses_given(panel) > 0)
        case "all-doses":
            return allocated & _whole_period(panel)


def _valued_after_baseline(item: AnalysisSet, panel: Panel, parameters: Mapping[str, Floats]) -> list[Flags]:
    """For each of the set's parameters who has a value of it after baseline, (R, n)."""
    after = np.array([visit.period is not None and visit.day > 0 for visit in panel.protocol.visits])
    return [np.asarray(~np.isnan(parameters[name][:, :, after]).all(axis=2)) for name in item.parameters]


def _whole_period(panel: Panel) -> Flags:
    """Whether each participant was given every dose that some period plans, (R, n); doses of two periods do not add up.

    Arms are not looked at: a period plans the most doses that any of its products has. A dose recorded twice counts
    once; one without a number counts by itself.
    """
    protocol, rows = panel.protocol, panel.interventions
    given = (rows.columns["treatment"] == STUDY_TREATMENT) & (rows.columns["status"] == "given")
    number = np.asarray(rows.columns["dose_number"], np.float64)
    whole = np.zeros(panel.present.shape, np.bool_)
    for period in protocol.periods:
        planned = max(len(protocol.product(arm.treatments[period.id]).dose_days) for arm in protocol.arms)
        mine = given & (_period_of(panel) == period.id)
        found = np.zeros(panel.present.shape, np.int64)
        known = mine & ~np.isnan(number)
        where = np.stack([rows.trial[known], rows.participant[known], number[known].astype(np.int64)])
        trial, person, _ = np.unique(where, axis=1)
        np.add.at(found, (trial, person), 1)
        plain = mine & np.isnan(number)
        np.add.at(found, (rows.trial[plain], rows.participant[plain]), 1)
        whole |= found >= planned
    return whole


def _period_of(panel: Panel) -> NDArray[np.str_]:
    """The period of every row of interventions: as recorded, else the one in which its day lies."""
    rows, periods = panel.interventions, panel.protocol.periods
    day = np.asarray(rows.columns["day"], np.float64)
    place = np.searchsorted([period.first_day for period in periods], np.nan_to_num(day, nan=-np.inf), side="right") - 1
    by_day = np.array(["", *(period.id for period in periods)])[place + 1]
    recorded = np.asarray(rows.columns["period"], dtype=np.str_)
    return np.where(recorded == "", by_day, recorded)


def _doses_given(panel: Panel) -> NDArray[np.int64]:
    """Number of study doses that each participant was given, (R, n)."""
    rows = panel.interventions
    given = (rows.columns["treatment"] == STUDY_TREATMENT) & (rows.columns["status"] == "given")
    count = np.zeros(panel.present.shape, np.int64)
    np.add.at(count, (rows.trial[given], rows.participant[given]), 1)
    return count
