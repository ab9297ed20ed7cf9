"""What a figure shows, as data: each drawing is frozen, holds plain numbers, and knows nothing of how it is drawn.

NaN stands for a value that is not there; a drawing leaves it out and never joins a line across it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Role = Literal["active", "placebo", "neutral"]
ScaleKind = Literal["linear", "log"]


@dataclass(frozen=True, slots=True)
class ArmStyle:
    """An arm as every figure draws it: the role fixes colour, marker and line.

    label: the arm's name as the reader knows it.
    role:  active, placebo, or neutral (everybody together, or a blinded run).
    """

    label: str
    role: Role


@dataclass(frozen=True, slots=True)
class ReferenceLine:
    """A value worth comparing with, drawn as a thin line across the figure, in the figure's unit."""

    value: float
    label: str


@dataclass(frozen=True, slots=True)
class Individual:
    """One participant's values over time; `x` and `y` are equally long and `x` rises. NaN in `y` breaks the line."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    label: str = ""

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y):
            raise ValueError(f"{len(self.x)} times but {len(self.y)} values")


@dataclass(frozen=True, slots=True)
class MeanPoint:
    """A mean at one time with its interval and the number of participants that it rests on."""

    x: float
    mean: float
    lower: float
    upper: float
    n: int


@dataclass(frozen=True, slots=True)
class ArmTrajectory:
    """All that one arm contributes to a figure of trajectories; each may be empty.

    curve:  one strong line without markers, as a mean function that steps up; (time, value) from left to right.
    counts: participants at each tick of the figure, where it is not the means that tell.
    """

    style: ArmStyle
    individuals: tuple[Individual, ...] = ()
    means: tuple[MeanPoint, ...] = ()
    curve: tuple[tuple[float, float], ...] = ()
    counts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Trajectories:
    """Individuals faint behind, means with intervals in front, and the number of participants under the time axis.

    x_label, y_label: with units, as '2 h mean C-peptide, nmol/L'.
    ticks:            the visits, (time, label), at least one, rising; counts stand under these.
    interval_label:   what the bars around the means are.
    divisions:        vertical divisions of time, as the start of a second period; the label stands to its right.
    empty_label:      what stands in the figure where nobody has a value.
    decimals:         for the table of the numbers behind the figure.
    """

    arms: tuple[ArmTrajectory, ...]
    x_label: str
    y_label: str
    ticks: tuple[tuple[float, str], ...]
    references: tuple[ReferenceLine, ...] = ()
    divisions: tuple[ReferenceLine, ...] = ()
    y_scale: ScaleKind = "linear"
    interval_label: str = "mean with 95% confidence interval"
    individuals_label: str = "individual participants"
    count_label: str = "Number of participants"
    empty_label: str = "no values"
    decimals: int = 2

    def __post_init__(self) -> None:
        if not self.ticks:
            raise ValueError("a time axis needs at least one tick")


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One estimate with its interval, and the texts that stand beside it, one for each column of the figure.

    estimate, lower, upper: NaN where there is none; infinite bounds are drawn as arrows.
    strong:                 the primary estimate: filled and bold.
    """

    label: str
    estimate: float
    lower: float
    upper: float
    texts: tuple[str, ...] = ()
    strong: bool = False
    indent: int = 0


@dataclass(frozen=True, slots=True)
class ForestHeading:
    """A heading over the rows that follow it."""

    label: str


@dataclass(frozen=True, slots=True)
class Forest:
    """Estimates with intervals on one axis, beside their numbers.

    columns:   headers of the texts, as ('Difference (95% CI)', 'p').
    reference: the value of no effect; the line stands there.
    below, above: what values left and right of the reference mean, as 'favours placebo'.
    limits:    the axis's ends; None takes them from the data. An interval that goes beyond ends in an arrow.
    """

    rows: tuple[ForestRow | ForestHeading, ...]
    columns: tuple[str, ...]
    axis_label: str
    reference: float = 0.0
    below: str = ""
    above: str = ""
    scale: ScaleKind = "linear"
    limits: tuple[float, float] | None = None
    label_header: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if isinstance(row, ForestRow) and len(row.texts) != len(self.columns):
                raise ValueError(f"{row.label!r} has {len(row.texts)} texts for {len(self.columns)} columns")
        if self.scale == "log" and self.reference <= 0:
            raise ValueError("no effect on a log axis is above 0")


@dataclass(frozen=True, slots=True)
class FlowBox:
    """A box of the participants' flow: its title, how many, and why or what, each with its own number.

    role: the treatment that the box is about; it colours the box's edge.
    """

    title: str
    count: int | None = None
    details: tuple[tuple[str, int | None], ...] = ()
    role: Role = "neutral"


@dataclass(frozen=True, slots=True)
class FlowStage:
    """A level of the flow: one box for everybody, or one for each arm (None where an arm has no box there).

    side:   who leaves before this box; stands beside the line that leads to it; only where the box is everybody's.
    period: the name of the period that this stage belongs to; where it changes, a divider is drawn.
    """

    label: str
    boxes: tuple[FlowBox | None, ...]
    side: FlowBox | None = None
    period: str = ""


@dataclass(frozen=True, slots=True)
class Flow:
    """The participants' flow through a trial (CONSORT): shared stages, then a column for each arm."""

    arms: tuple[ArmStyle, ...]
    stages: tuple[FlowStage, ...]

    def __post_init__(self) -> None:
        forked = False
        for stage in self.stages:
            if len(stage.boxes) not in (1, len(self.arms)):
                raise ValueError(f"{stage.label!r} has {len(stage.boxes)} boxes for {len(self.arms)} arms")
            if stage.side is not None and (len(stage.boxes) != 1 or forked):
                raise ValueError(f"{stage.label!r}: a box at the side belongs to a stage before the arms part")
            forked = forked or len(stage.boxes) > 1


@dataclass(frozen=True, slots=True)
class DotStrip:
    """One variable of each participant as a dot, a strip for each arm, the median as a tick.

    arms:  (arm, values); NaN is left out.
    label: the variable with its unit.
    """

    arms: tuple[tuple[ArmStyle, tuple[float, ...]], ...]
    label: str
    decimals: int = 1
    references: tuple[ReferenceLine, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Quantity:
    """One panel of small multiples: a curve for each arm, (time, value) from left to right.

    decimals: for the table of the numbers behind the figure.
    """

    title: str
    curves: tuple[tuple[tuple[float, float], ...], ...]
    decimals: int = 2


@dataclass(frozen=True, slots=True)
class SmallMultiples:
    """Several quantities over the same time, a small panel for each.

    ticks: (time, label), rising. marks: when something happened to an arm, (time, place among the arms); a small
    triangle of the arm's look on top of every panel. mark_label: what it was.
    """

    arms: tuple[ArmStyle, ...]
    panels: tuple[Quantity, ...]
    x_label: str
    ticks: tuple[tuple[float, str], ...]
    marks: tuple[tuple[float, int], ...] = ()
    mark_label: str = ""

    def __post_init__(self) -> None:
        if not self.ticks:
            raise ValueError("a time axis needs at least one tick")
        for panel in self.panels:
            if len(panel.curves) != len(self.arms):
                raise ValueError(f"{panel.title!r} has {len(panel.curves)} curves for {len(self.arms)} arms")


Drawing = Trajectories | Forest | Flow | DotStrip | SmallMultiples
