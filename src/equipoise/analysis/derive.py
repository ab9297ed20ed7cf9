"""Run the planned derivations on a Panel, and decide the analysis sets without looking at arms."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.data import DerivationData, Flags, Floats
from equipoise.analysis.plan import Plan
from equipoise.protocol.schema.inference import AnalysisSet
from equipoise.records.classes import STATUSES, STUDY_TREATMENT
from equipoise.records.panel import Panel

_ALLOCATED = STATUSES.index("randomised")


def derive(plan: Plan, panel: Panel) -> Mapping[str, Floats]:
    """Every parameter of the plan, (R, n, visits of the protocol), in an order in which each finds what it needs."""
    derived: dict[str, Floats] = {}
    for item in plan.parameters:
        data = DerivationData(panel, MappingProxyType(derived))
        derived[item.parameter.id] = item.derivation.derive(data, item.parameter, item.options)
    return MappingProxyType(derived)


def analysis_sets(panel: Panel, parameters: Mapping[str, Floats]) -> Mapping[str, Flags]:
    """Every analysis set of the protocol, (R, n). Arms are not looked at."""
    sets = {item.id: _members(item, panel, parameters) for item in panel.protocol.conventions.analysis_sets}
    return MappingProxyType(sets)


def _members(item: AnalysisSet, panel: Panel, parameters: Mapping[str, Floats]) -> Flags:
    allocated = panel.present & (np.nan_to_num(panel.covariates["status"], nan=-1) >= _ALLOCATED)
    if item.rule == "randomised":
        return allocated
    if item.rule == "any-post-baseline":
        after = np.array([visit.period is not None and visit.day > 0 for visit in panel.protocol.visits])
        values = [~np.isnan(parameters[name][:, :, after]).all(axis=2) for name in item.parameters]
        return allocated & np.any(values, axis=0)
    doses = _doses_given(panel)
    if item.rule == "dosed":
        return allocated & (doses > 0)
    planned = max(len(product.dose_days) for product in panel.protocol.products)
    return allocated & (doses >= planned)


def _doses_given(panel: Panel) -> NDArray[np.int64]:
    """Number of study doses that each participant was given, (R, n)."""
    rows = panel.interventions
    given = (rows.columns["treatment"] == STUDY_TREATMENT) & (rows.columns["status"] == "given")
    count = np.zeros(panel.present.shape, np.int64)
    np.add.at(count, (rows.trial[given], rows.participant[given]), 1)
    return count
