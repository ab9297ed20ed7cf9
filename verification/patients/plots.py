"""Pictures of the targets and the models: courses over time, and every target in units of its tolerance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from equipoise.documents.palette import ACTIVE, INK, MUTED, PLACEBO, RULE
from verification.patients.targets import Compared

Found = Mapping[str, Sequence[Compared]]
LOOKS = {"mechanistic": (ACTIVE, "o", "-"), "empirical": (PLACEBO, "s", "--")}
COURSES = (
    ("auc.mean.", "2 h mean C-peptide, nmol/L"),
    ("log-auc.change.", "ln ratio of C-peptide to baseline"),
    ("fasting.mean.", "fasting C-peptide, ng/mL"),
    ("hba1c.mean.", "HbA1c, %"),
    ("insulin.mean.", "insulin, U/kg/day, ages 12-35"),
    ("treg.placebo.mean.", "regulatory T cells, % of CD4"),
)
SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "equipoise",
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 8,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
ROLES = {"fit": "fitted", "predict": "predicted, not used in fitting", "conflict": "in conflict with a higher target"}


def write_plots(found: Found, folder: Path) -> None:
    """Write calibration-courses.svg and calibration-targets.svg."""
    with mpl.rc_context(SETTINGS):
        for name, figure in (("calibration-courses", courses(found)), ("calibration-targets", targets(found))):
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None, "Format": None})


def courses(found: Found) -> Figure:
    """Means over the months since study day 0: published with what is allowed, and each model."""
    figure = Figure(figsize=(8.6, 5.4), layout="constrained")
    for place, (start, title) in enumerate(COURSES):
        axes = figure.add_subplot(2, 3, place + 1)
        axes.set_title(title, fontsize=8.5, loc="left", fontweight="bold")
        for name, rows in found.items():
            _course(axes, name, [row for row in rows if _over_time(row, start)])
        axes.set_xticks((0, 6, 12, 18, 24))
        if place >= 3:
            axes.set_xlabel("months since study day 0")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _over_time(row: Compared, start: str) -> bool:
    return row.target.id.startswith(start) and row.target.id.count(".") == start.count(".")


def _course(axes: Axes, name: str, rows: Sequence[Compared]) -> None:
    months = [row.target.month or 0.0 for row in rows]
    colour, marker, line = LOOKS[name]
    if name == "mechanistic":
        values = [row.target.value for row in rows]
        reach = [[row.target.value - row.target.allowed[0] for row in rows]]
        reach += [[row.target.allowed[1] - row.target.value for row in rows]]
        axes.errorbar(months, values, reach, fmt="_", color=MUTED, capsize=3, label="published, with what is allowed")
    axes.plot(months, [row.model for row in rows], line, marker=marker, ms=4, lw=1.4, color=colour, label=name)


def targets(found: Found) -> Figure:
    """Each target's difference in units of its tolerance, by role."""
    ids = [row.target.id for row in found["mechanistic"]]
    roles = {row.target.id: row.target.role for row in found["mechanistic"]}
    order = [target for role in ROLES for target in ids if roles[target] == role]
    place = {target: -index for index, target in enumerate(order)}
    figure = Figure(figsize=(8.6, 17), layout="constrained")
    axes = figure.add_subplot()
    axes.axvspan(-1, 1, color=RULE, alpha=0.5, lw=0)
    axes.axvline(0, color=MUTED, lw=0.8)
    for name, rows in found.items():
        colour, marker, _ = LOOKS[name]
        beyond = [max(min(row.distance, 3.0), -3.0) for row in rows]
        axes.plot(beyond, [place[row.target.id] for row in rows], marker, ms=4, color=colour, label=name)
    axes.set_yticks([*place.values()], [*place], fontsize=6.5)
    axes.set_ylim(-len(order), 1)
    axes.set_xlim(-3.2, 3.2)
    axes.set_xlabel("difference from the published value in units of the tolerance; beyond 3 at the edge")
    for first, title in _blocks(order, roles):
        axes.axhline(first + 0.5, color=MUTED, lw=0.6)
        axes.text(-3.15, first + 0.1, title, fontsize=7.5, fontweight="bold", va="center")
    axes.legend(loc="upper right", frameon=True)
    return figure


def _blocks(order: Sequence[str], roles: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Where the targets of each role begin."""
    for role, title in ROLES.items():
        there = [index for index, target in enumerate(order) if roles[target] == role]
        if there:
            yield -there[0], title
