"""One family of hypotheses: adjusted p-values within it, and the level at which each was tested in the end."""

from __future__ import annotations

from typing import Literal

import numpy as np

from equipoise.stats.arrays import Floats
from equipoise.stats.multiplicity import fixed_sequence, holm

Rule = Literal["none", "holm", "fixed-sequence"]


def adjusted_within(p_values: Floats, rule: Rule) -> Floats:
    """p-values (R, k) adjusted within their family; NaN counts as 1. ``none``: as they are."""
    known = np.where(np.isnan(p_values), 1.0, p_values)
    return {"none": np.asarray, "holm": holm, "fixed-sequence": fixed_sequence}[rule](known)


def local_levels(p_values: Floats, rule: Rule, level: Floats) -> Floats:
    """The level at which each hypothesis (R, k) was tested when the procedure stopped, with the family's (R,).

    Holm: the family's level is shared by the hypotheses that were not rejected; a rejected one keeps the level of its
    own step. Fixed sequence: all of it for each hypothesis up to the first that is not rejected, 0 for those after.
    """
    known = np.where(np.isnan(p_values), 1.0, p_values)
    whole = np.broadcast_to(level[:, None], known.shape)
    if rule == "none":
        return whole.copy()
    rejected = (adjusted_within(known, rule) <= whole) & (whole > 0)
    if rule == "fixed-sequence":
        before = np.cumsum(~rejected, axis=1) - ~rejected
        return np.where(before == 0, whole, 0.0)
    rank = np.argsort(np.argsort(known, axis=1, kind="stable"), axis=1)
    left = known.shape[1] - np.where(rejected, rank, rejected.sum(axis=1, keepdims=True))
    return whole / np.maximum(left, 1)
