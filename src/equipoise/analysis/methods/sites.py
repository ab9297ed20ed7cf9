"""Sites as a factor of a model: those with too few people in any arm form one group."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from equipoise.analysis.data import AnalysisData, Floats
from equipoise.protocol.schema.base import Part

POOLED = "pooled"


class Sites(Part):
    """Sites as a factor, and which of them are pooled."""

    fewest: Annotated[int, Field(ge=1, le=1000)] = 1
    """Sites with fewer than this number of randomised people in any arm form one group."""


def site_columns(data: AnalysisData, sites: Sites) -> Floats:
    """One column for each site group but the first, (R, n, k), 0 or 1; NaN for people whose site is not known.

    Groups are those of all trials of the Panel. Where arms are not known nothing is pooled.
    """
    names, arms = data.panel.labels["site"], data.panel.arm
    groups = names.astype(object).copy()
    for trial in range(data.panel.trials):
        for site in np.unique(names[trial][names[trial] != ""]):
            here = names[trial] == site
            counts = [int((here & (arms[trial] == place)).sum()) for place in range(len(data.protocol.arms))]
            if not data.blinded and min(counts) < sites.fewest:
                groups[trial, here] = POOLED
    known = np.array(sorted({str(name) for name in groups.ravel()} - {""}), dtype=object)
    columns = (groups[..., np.newaxis] == known[1:]).astype(np.float64)
    columns[groups == ""] = np.nan
    return columns
