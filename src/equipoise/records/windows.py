"""Values assigned to visits by their day: each occasion belongs to the visit planned nearest to it."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from equipoise.protocol.model import Assessment, Protocol
from equipoise.protocol.schema.measurement import Visit
from equipoise.records.classes import UNSCHEDULED

_OCCASION = ["participant", "visit", "day"]


def by_nearest_day(protocol: Protocol, assessment: Assessment, findings: pl.DataFrame) -> pl.DataFrame:
    """The findings of an assessment that count, each under the visit that it is analysed at.

    What one visit of the records holds on one day is an occasion, and stays together. Of a participant's occasions with
    a result that belong to one visit the nearest to its planned day counts, the protocol's earlier or later one of two
    that are equally near. Findings without a day count at the visit that they name, where no occasion does.
    """
    windows = protocol.conventions.windows
    if windows.unscheduled == "listings-only":
        findings = findings.filter(pl.col("visit") != UNSCHEDULED)
    visits = [protocol.visit(name) for name in assessment.visits]
    late = windows.tie == "later"
    occasions = findings.group_by(_OCCASION, maintain_order=True).agg((pl.col("status") == "done").any().alias("done"))
    days = occasions["day"].to_list()
    placed = [
        (name, None) if day is None else nearest(visits, day, late=late)
        for name, day in zip(occasions["visit"], days, strict=True)
    ]
    occasions = occasions.with_columns(
        analysed=pl.Series([name for name, _ in placed], dtype=pl.String),
        far=pl.Series([far for _, far in placed], dtype=pl.Int64),
        order=pl.col("day") * (-1 if late else 1),
    ).filter(pl.col("analysed").is_not_null())
    best = ["done", "far", "order"]
    counted = occasions.sort(best, descending=[True, False, False], nulls_last=True, maintain_order=True).unique(
        ["participant", "analysed"], keep="first", maintain_order=True
    )
    joined = findings.join(counted, on=_OCCASION, nulls_equal=True, maintain_order="left")
    return joined.with_columns(visit=pl.col("analysed")).select(findings.columns)


def nearest(visits: Sequence[Visit], day: int, *, late: bool) -> tuple[str | None, int | None]:
    """The visit planned nearest to a day, and how many days away; none where none is planned on that side of day 0.

    Day 0 and before belong to visits planned until then, later days to later visits. late: which of two equally near.
    """
    side = [visit for visit in visits if (visit.day <= 0) == (day <= 0)]
    if not side:
        return None, None
    found = min(side, key=lambda visit: (abs(visit.day - day), -visit.day if late else visit.day))
    return found.id, abs(found.day - day)
