"""What moved the simulated participants: shown of a simulated trial alone, and marked as what no trial would know."""

from __future__ import annotations

import polars as pl

from equipoise.documents.drawings import Quantity, SmallMultiples
from equipoise.documents.model import FigureBlock, Paragraph, Section
from equipoise.report.source import ReportSource

TITLES = (
    ("balance", "Effector to regulatory T cells, ratio", 2),
    ("regulatory", "Regulatory T cells, ratio to own level", 2),
    ("pro", "Pro-inflammatory activity", 2),
    ("blood_and_lung", "Cells in blood and lung, % of a treatment", 1),
    ("pancreas", "Cells in the pancreas, % of a treatment", 2),
    ("mass", "Beta-cell mass, share of health", 3),
    ("cpeptide", "C-peptide without noise, nmol/L", 2),
    ("insulin", "Insulin, U/kg/day", 2),
    ("hba1c", "HbA1c without noise, %", 1),
)
DAYS_A_MONTH = 365.25 / 12
STEP = 6
"""Months between ticks."""
TEXT = (
    "No trial knows these courses: they are means of the equations behind the simulated participants, of everybody who "
    "was randomised, without noise and whether or not they stayed. What cells do in them is assumed by the scenario."
)


def mechanism_section(source: ReportSource) -> Section | None:
    """The mean course of the mechanism by arm; None where there is none, or arms are not to be seen."""
    table = source.mechanism
    if table is None or table.is_empty() or source.blinded or source.scrambled:
        return None
    months = range(0, int(table["day"].max()) // 30 + 1, STEP)  # pyright: ignore[reportArgumentType]  days are whole numbers
    drawing = SmallMultiples(
        arms=tuple(style for _, style in source.groups),
        panels=tuple(_panel(source, table, *title) for title in TITLES),
        x_label="Months since day 0",
        ticks=tuple((float(month), str(month)) for month in months),
        marks=tuple(_marks(source)),
        mark_label="planned infusion of cells, in the colour of the group that has them",
    )
    alt = "Nine small panels, a line for each arm over the months of the trial, with the infusions of cells marked."
    figure = FigureBlock("figure-mechanism", "The simulated mechanism, means by arm", drawing, alt)
    return Section("mechanism", "What moved the simulated participants", (Paragraph(TEXT), figure))


def _panel(source: ReportSource, table: pl.DataFrame, state: str, title: str, decimals: int) -> Quantity:
    mine = table.filter(pl.col("state") == state).sort("day")
    curves: list[tuple[tuple[float, float], ...]] = []
    for group, _ in source.groups:
        rows = mine.filter(pl.col("arm") == group)
        curves.append(tuple(zip((rows["day"] / DAYS_A_MONTH).to_list(), rows["mean"].to_list(), strict=True)))
    return Quantity(title, tuple(curves), decimals)


def _marks(source: ReportSource) -> list[tuple[float, int]]:
    """When each arm has active doses, in months."""
    protocol, found = source.protocol, list[tuple[float, int]]()
    for place, (group, _) in enumerate(source.groups):
        arm = protocol.arm(group)
        for period in protocol.periods:
            if protocol.role(group, period.id) == "active":
                offsets = protocol.product(arm.treatments[period.id]).dose_days
                found += [((period.first_day + offset) / DAYS_A_MONTH, place) for offset in offsets]
    return found
