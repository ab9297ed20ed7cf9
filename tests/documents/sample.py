"""A document that uses everything the model has, with plainly invented numbers.

`python -m tests.documents.sample FILE` writes it as a page, to be looked at.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np

from equipoise.documents import numbers
from equipoise.documents.drawings import (
    ArmStyle,
    ArmTrajectory,
    DotStrip,
    Flow,
    FlowBox,
    FlowStage,
    Forest,
    ForestHeading,
    ForestRow,
    Individual,
    MeanPoint,
    ReferenceLine,
    Trajectories,
)
from equipoise.documents.model import (
    Bullets,
    Callout,
    Cell,
    Column,
    Document,
    FigureBlock,
    KeyValues,
    Listing,
    Paragraph,
    Section,
    Table,
    row,
)
from equipoise.documents.runs import Code, Emphasis, Link, Missing, Number, Reference, Strong

CELLS = ArmStyle("Stem cells", "active")
SALINE = ArmStyle("Placebo", "placebo")
MONTHS = (0.0, 1.0, 3.0, 6.0, 9.0, 12.0)
TICKS = tuple((month, f"{month:g}") for month in MONTHS)
RESULT = "auc-ancova/c-peptide-auc/period-1/m12/cells-placebo"


def arm(style: ArmStyle, n: int, fall: float, seed: int, months: tuple[float, ...] = MONTHS) -> ArmTrajectory:
    """An arm of n invented people whose values fall exponentially, with some values missing."""
    draw = np.random.Generator(np.random.PCG64(seed))
    people: list[Individual] = []
    table = np.full((n, len(months)), np.nan)
    for i in range(n):
        start, rate = draw.normal(0.75, 0.25), draw.normal(fall, 0.02)
        values = np.maximum(start, 0.15) * np.exp(-rate * np.array(months)) + draw.normal(0, 0.03, len(months))
        values = np.where(draw.random(len(months)) < 0.06, np.nan, np.maximum(values, 0.01))
        table[i] = values
        people.append(Individual(months, tuple(float(v) for v in values), f"{style.label} {i + 1}"))
    points: list[MeanPoint] = []
    for j, month in enumerate(months):
        there = table[:, j][~np.isnan(table[:, j])]
        half = 2.2 * float(there.std(ddof=1)) / math.sqrt(len(there)) if len(there) > 1 else math.nan
        mean = float(there.mean()) if len(there) else math.nan
        points.append(MeanPoint(month, mean, mean - half, mean + half, len(there)))
    return ArmTrajectory(style, tuple(people), tuple(points))


def trajectories() -> Trajectories:
    """C-peptide by arm over one period."""
    return Trajectories(
        arms=(arm(CELLS, 11, 0.02, 1), arm(SALINE, 10, 0.06, 2)),
        x_label="Months since allocation",
        y_label="C-peptide, mean over 2 hours of a mixed meal, nmol/L",
        ticks=TICKS,
        references=(ReferenceLine(0.2, "0.2: clinically meaningful"),),
    )


def two_periods() -> Trajectories:
    """The same over two periods, with nine visits."""
    months = (0.0, 1.0, 3.0, 6.0, 9.0, 12.0, 13.0, 18.0, 24.0)
    return Trajectories(
        arms=(
            arm(ArmStyle("Early cells", "active"), 11, 0.03, 3, months),
            arm(ArmStyle("Late cells", "placebo"), 9, 0.045, 4, months),
        ),
        x_label="Months since allocation",
        y_label="HbA1c, %",
        ticks=tuple((m, f"{m:g}") for m in months),
        divisions=(ReferenceLine(0.0, "Period 1"), ReferenceLine(12.0, "Period 2: the arms change over")),
        y_scale="log",
    )


def forest() -> Forest:
    """Differences at month 12."""
    rows = (
        ForestHeading("C-peptide"),
        ForestRow("AUC, ln(x + 1)", 0.11, -0.01, 0.23, (numbers_of(0.11, -0.01, 0.23), "0.065"), strong=True, indent=1),
        ForestRow("AUC, observed values only", 0.09, -0.05, 0.24, (numbers_of(0.09, -0.05, 0.24), "0.183"), indent=1),
        ForestRow(
            "Fasting, the smallest of two samples ten minutes apart",
            0.21,
            0.03,
            0.39,
            (numbers_of(0.21, 0.03, 0.39), "0.019"),
            indent=1,
        ),
        ForestHeading("Glycaemia"),
        ForestRow(
            "HbA1c, standard deviations", -0.42, -0.81, -0.03, (numbers_of(-0.42, -0.81, -0.03), "0.036"), indent=1
        ),
        ForestRow("Insulin dose", -0.05, -2.4, 1.9, (numbers_of(-0.05, -2.4, 1.9), "0.94"), indent=1),
        ForestRow("Time in range", math.nan, math.nan, math.nan, ("–", "–"), indent=1),
    )
    return Forest(
        rows,
        ("Difference (95% CI)", "p"),
        "Difference of adjusted means, stem cells minus placebo",
        0.0,
        "favours placebo",
        "favours stem cells",
        limits=(-1.0, 1.0),
        label_header="Outcome at month 12",
    )


def numbers_of(value: float, lower: float, upper: float) -> str:
    """An estimate as text."""
    text = numbers.estimate(value, lower, upper, 2)
    assert isinstance(text, str)
    return text


def flow() -> Flow:
    """Two arms, two periods."""
    stages = (
        FlowStage("Enrolment", (FlowBox("Assessed for eligibility", 60),), period="Screening"),
        FlowStage(
            "",
            (FlowBox("Consented and verified", 30),),
            side=FlowBox(
                "Excluded",
                30,
                (
                    ("Fasting C-peptide below 0.3 ng/mL", 17),
                    ("Diagnosed more than 6 weeks ago", 9),
                    ("Declined to take part", 4),
                ),
            ),
        ),
        FlowStage(
            "Allocation",
            (FlowBox("Randomised", 21),),
            side=FlowBox(
                "Not randomised", 9, (("Viral infection found", 2), ("Withdrew consent before allocation", 7))
            ),
        ),
        FlowStage(
            "Allocated",
            (
                FlowBox(
                    "Allocated to stem cells",
                    11,
                    (("Received both doses", 10), ("Received one dose, the second lot out of specification", 1)),
                    "active",
                ),
                FlowBox("Allocated to placebo", 10, (("Received both doses", 10),), "placebo"),
            ),
            period="Period 1, months 0 to 12",
        ),
        FlowStage(
            "Follow-up",
            (
                FlowBox("Left before month 12", 1, (("Moved abroad", 1),)),
                FlowBox("Left before month 12", 2, (("Lost to follow-up", 1), ("Withdrew consent", 1))),
            ),
        ),
        FlowStage("Analysis", (FlowBox("Analysed at month 12", 10), FlowBox("Analysed at month 12", 8))),
        FlowStage(
            "Change over",
            (
                FlowBox("Received placebo", 10, (), "placebo"),
                FlowBox("Received stem cells", 7, (("Declined", 1),), "active"),
            ),
            period="Period 2, months 12 to 24",
        ),
        FlowStage("Analysis", (FlowBox("Analysed at month 24", 9), FlowBox("Analysed at month 24", 7))),
    )
    return Flow((ArmStyle("Early cells", "active"), ArmStyle("Late cells", "placebo")), stages)


def flow_of(arms: int) -> Flow:
    """Many arms, with long words, an arm without a box, and everybody together again at the end."""
    styles = tuple(ArmStyle(f"Dose level {i + 1}", "active") if i else SALINE for i in range(arms))
    first = tuple(
        FlowBox(
            f"Allocated to {style.label.lower()}",
            10 + i,
            (("Received the study infusion as planned", 9 + i),),
            style.role,
        )
        for i, style in enumerate(styles)
    )
    left = tuple(
        FlowBox("Left early", i, (("Pseudohypoparathyroidism-associated withdrawal", i),)) if i else None
        for i in range(arms)
    )
    last = tuple(FlowBox("Analysed", 10) for _ in styles)
    stages = (
        FlowStage("Enrolment", (FlowBox("Assessed", 12345),)),
        FlowStage("Allocation", (FlowBox("Randomised", 60),), side=FlowBox("Excluded", 12285)),
        FlowStage("Allocated", first),
        FlowStage("Follow-up", left),
        FlowStage("Analysis", last),
        FlowStage("Together", (FlowBox("Analysed for safety", 60),)),
    )
    return Flow(styles, stages)


def strips() -> DotStrip:
    """Age by arm."""
    draw = np.random.Generator(np.random.PCG64(9))
    early, late = (tuple(float(v) for v in np.round(draw.uniform(8, 40, n))) for n in (11, 10))
    return DotStrip(((CELLS, early), (SALINE, (*late, math.nan))), "Age at allocation, years", 0)


def effects() -> Table:
    """Estimates, one of them without a value."""
    missing = Missing("nobody in the placebo arm wore the monitor at month 12")
    return Table(
        "effects",
        "Differences at month 12, by analysis",
        (
            Column("Outcome"),
            Column("Stem cells", "n", "right", "Participants"),
            Column("Placebo", "n", "right", "Participants"),
            Column("Difference (95% CI)", "outcome's unit", "right", "Stem cells minus placebo"),
            Column("p", align="right", group="Stem cells minus placebo"),
        ),
        (
            row(
                Cell("C-peptide AUC, ln(x + 1)", strong=True),
                "11",
                "10",
                Cell("0.11 (−0.01, 0.23)", strong=True),
                Cell("0.065", strong=True),
                group="C-peptide",
                result_id=RESULT,
            ),
            row("C-peptide AUC, observed only", "11", "8", "0.09 (−0.05, 0.24)", "0.183", group="C-peptide", indent=1),
            row("HbA1c", "11", "10", "−0.42 (−0.81, −0.03)", "0.036", group="Glycaemia"),
            row("Time between 70 and 180 mg/dL", "11", "0", missing, missing, group="Glycaemia"),
            row(
                "Insulin dose",
                "11",
                "10",
                "−0.05 (−2.40, 1.90)",
                Missing("the model did not converge"),
                group="Glycaemia",
            ),
        ),
        (
            "Analysis of covariance with the baseline value; HC3 standard errors.",
            ("See also ", Reference("trajectories"), "."),
        ),
    )


def baseline() -> Table:
    """A baseline table with categories."""
    return Table(
        "baseline",
        "Participants at baseline, by arm",
        (
            Column(""),
            *(
                Column(numbers.counted(name, n), align="right")
                for name, n in (("Stem cells", 11), ("Placebo", 10), ("All", 21))
            ),
        ),
        (
            row("Age, years, mean (SD)", "17.3 (5.2)", "18.0 (6.1)", "17.6 (5.5)"),
            row("Sex"),
            row("female", "5 (45%)", "4 (40%)", "9 (43%)", indent=1),
            row("male", "6 (55%)", "6 (60%)", "12 (57%)", indent=1),
            row(
                "C-peptide, 2 h mean AUC, nmol/L, median (range)",
                "0.74 (0.31 to 1.42)",
                "0.69 (0.28 to 1.21)",
                "0.71 (0.28 to 1.42)",
            ),
            row("Autoantibodies, number found"),
            row("one", "2 (18%)", "1 (10%)", "3 (14%)", indent=1),
            row("two or more", "9 (82%)", "9 (90%)", "18 (86%)", indent=1),
        ),
    )


def listing(rows: int = 60) -> Table:
    """Many rows and many columns."""
    names = ("Participant", "Arm", "Day", "Visit", "Minute", "Glucose", "C-peptide", "Insulin", "HbA1c", "Source")
    units = ("", "", "", "", "min", "mg/dL", "ng/mL", "U/kg/day", "%", "")
    columns = tuple(
        Column(name, unit, "right" if unit or name == "Day" else "left")
        for name, unit in zip(names, units, strict=True)
    )
    lines = tuple(
        row(
            f"P{i // 6 + 1:03d}",
            "Stem cells" if i % 2 else "Placebo",
            str(1 + 30 * (i % 6)),
            f"Month {i % 6}",
            "90",
            numbers.digits(95 + i * 1.7, 0),
            numbers.digits(1.4 - i * 0.017, 3),
            numbers.digits(0.3 + i * 0.004, 2),
            numbers.digits(7.1 + i * 0.02, 1),
            f"mmtt.csv:{i + 2}",
        )
        for i in range(rows)
    )
    return Table("tests", "Every mixed-meal test, as recorded", columns, lines)


def document(banner: str | None = "SIMULATED DATA") -> Document:
    """All of it."""
    shown = Number("0.11 (−0.01, 0.23)", RESULT)
    results = Section(
        "results",
        "Results",
        (
            Paragraph(
                (
                    "Values are in ",
                    Reference("effects"),
                    ", pictured in ",
                    Reference("forest"),
                    ". The whole method is described ",
                    Link("in the methods", "#methods"),
                    ".",
                )
            ),
        ),
        (
            Section(
                "primary",
                "C-peptide",
                (
                    FigureBlock(
                        "trajectories",
                        "C-peptide fell in both arms, more slowly with stem cells",
                        trajectories(),
                        "Two lines of mean C-peptide over twelve months; both fall, that of stem cells less.",
                        notes=("Each faint line is one participant. Invented numbers.",),
                    ),
                    Paragraph(
                        (
                            "The adjusted difference at month 12 was ",
                            shown,
                            " (",
                            numbers.p_sentence(0.065),
                            "), so the trial ",
                            Strong("does not show"),
                            " a difference; time in range was ",
                            Missing("not measured"),
                            ".",
                        )
                    ),
                    FigureBlock(
                        "periods",
                        "The fall went on after the arms changed over",
                        two_periods(),
                        "Two lines over twenty-four months on a logarithmic axis; both fall throughout.",
                    ),
                ),
            ),
            Section(
                "all-effects",
                "All outcomes",
                (
                    FigureBlock(
                        "forest",
                        "Differences at month 12 lie on both sides of no effect",
                        forest(),
                        "Differences with intervals; HbA1c favours placebo, fasting C-peptide favours stem cells.",
                    ),
                    effects(),
                ),
            ),
        ),
    )
    people = Section(
        "participants",
        "Participants",
        (
            FigureBlock(
                "flow",
                "Of 60 people assessed, 21 were randomised and 18 analysed at month 12",
                flow(),
                "Sixty people were assessed, twenty-one randomised, eighteen analysed at month 12.",
            ),
            baseline(),
            FigureBlock(
                "ages",
                "Ages overlap between the arms",
                strips(),
                "A strip of dots for each arm; ages run from 8 to 40 years in both.",
            ),
        ),
    )
    methods = Section(
        "methods",
        "Methods",
        (
            Paragraph(
                (
                    "An ",
                    Emphasis("estimand"),
                    " says what is estimated. The protocol stands in ",
                    Code("protocol.yaml"),
                    "; ",
                    Link("the registration", "https://clinicaltrials.gov/"),
                    " was made first.",
                )
            ),
            Bullets(
                (
                    "randomised, 1 to 1, in permuted blocks",
                    "placebo: normal saline, masked",
                    ("analysis of covariance, as in ", Reference("effects")),
                )
            ),
            Bullets(("consent", "allocation", "first dose"), ordered=True),
            KeyValues(
                (
                    ("Primary outcome", "2 h mean C-peptide AUC at month 12, ln(x + 1)"),
                    ("Level", "0.05, two-sided"),
                    ("Digest", Code("3f9a" * 16)),
                )
            ),
            Callout(
                "info",
                "Three things were assumed",
                (Bullets(("the visit windows", "the block size", "the interval between doses")),),
            ),
            Callout(
                "warning",
                "The random list cannot be reconstructed",
                (Paragraph("The site is not in the data, so a test by the design cannot be done."),),
            ),
            Callout(
                "good", "Every number was recomputed", (Paragraph("2 011 of 2 011 areas agree to nine decimals."),)
            ),
            Callout(
                "alert",
                "One lot was infused out of specification",
                (Paragraph("Viability was 68%, the limit is 70%."),),
            ),
        ),
    )
    appendix = Section("appendix", "Appendix", (Listing("listing", "Listing 1: every mixed-meal test", (listing(),)),))
    return Document(
        title="Mesenchymal stem cells in newly diagnosed type 1 diabetes",
        subtitle="A randomised, placebo-controlled trial of 21 people, with a delayed crossover",
        banner=banner,
        meta=(
            ("Protocol", Code("msc-t1d")),
            ("Digest of the records", Code("9c1e" * 16)),
            ("Seed", "1"),
            ("Software", "equipoise 0.1.0"),
        ),
        summary=(
            Callout(
                "info",
                "What 21 people can show",
                (
                    Paragraph(
                        ("The half-width of the interval is about 0.15; the difference was ", shown, "."),
                    ),
                ),
            ),
        ),
        sections=(people, results, methods, appendix),
        footer=("Made from records and protocol by equipoise; invented numbers.",),
    )


if __name__ == "__main__":
    from equipoise.documents.html import render

    Path(sys.argv[1]).write_text(render(document()), encoding="utf-8")
