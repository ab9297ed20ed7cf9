"""Adjusted p-values of the results in each family, by the family's rule."""

from __future__ import annotations

import dataclasses

import numpy as np

from equipoise.analysis.results import Result
from equipoise.protocol.model import Protocol
from equipoise.stats.multiplicity import fixed_sequence, holm

ADJUSTMENTS = {"holm": holm, "fixed-sequence": fixed_sequence}


def with_adjusted(protocol: Protocol, results: tuple[Result, ...]) -> tuple[Result, ...]:
    """The results, with `p_adjusted` filled in where their family adjusts; a missing p counts as 1."""
    adjusted: dict[str, float] = {}
    for family in protocol.families:
        members = [item for item in results if item.family == family.id]
        rule = ADJUSTMENTS.get(family.adjustment)
        if rule is None or not members:
            continue
        values = np.array([1.0 if item.p_value is None else item.p_value for item in members])
        found = rule(values[np.newaxis])[0]
        adjusted |= {item.id: float(p) for item, p in zip(members, found, strict=True) if item.p_value is not None}
    return tuple(dataclasses.replace(item, p_adjusted=adjusted.get(item.id)) for item in results)
