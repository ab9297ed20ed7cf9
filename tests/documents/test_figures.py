"""Figures: the same bytes each time, nothing over anything else, nothing outside, and every strange input drawn."""

from __future__ import annotations

import hashlib
import math
import re
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree as ET

import matplotlib as mpl
import pytest

from equipoise.documents import palette
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
    Quantity,
    ReferenceLine,
    SmallMultiples,
    Trajectories,
)
from equipoise.documents.figures import draw
from equipoise.documents.figures.measure import text_width, wrapped
from equipoise.documents.figures.scale import Scale, fitted
from equipoise.documents.figures.svg import prefixed
from tests.documents import pictures, sample

NAN = math.nan
LONG = "A very long name of an arm that goes on and on, with Donaudampfschifffahrtselektrizitätenhauptbetriebswerk"
TICKS = ((0.0, "0"), (1.0, "1"))


def points(*values, n=1):
    return tuple(MeanPoint(float(i), *value, n) for i, value in enumerate(values))


STRANGE = {
    "no arms": Trajectories((), "Months", "Value", TICKS),
    "an arm without anybody": Trajectories(
        (ArmTrajectory(sample.CELLS), sample.arm(sample.SALINE, 3, 0.1, 1)), "Months", "Value", sample.TICKS
    ),
    "one participant, once": Trajectories(
        (ArmTrajectory(sample.CELLS, (Individual((0.0,), (1.0,)),), points((1.0, NAN, NAN))),), "Months", "V", TICKS[:1]
    ),
    "nothing but NaN": Trajectories(
        (ArmTrajectory(sample.CELLS, (Individual((0.0, 1.0), (NAN, NAN)),), points((NAN, NAN, NAN))),), "M", "V", TICKS
    ),
    "intervals of no width": Trajectories(
        (ArmTrajectory(sample.CELLS, (), points((2.0, 2.0, 2.0), (2.0, 2.0, 2.0))),), "Months", "Value", TICKS
    ),
    "a value of 0 on a log axis": Trajectories(
        (ArmTrajectory(sample.CELLS, (Individual((0.0, 1.0), (0.0, 3.0)),), points((1.0, -1.0, 2.0))),),
        "Months",
        "Value",
        TICKS,
        y_scale="log",
    ),
    "long names": Trajectories(
        (sample.arm(ArmStyle(LONG, "active"), 3, 0.1, 1), sample.arm(ArmStyle(LONG, "placebo"), 3, 0.1, 2)),
        LONG,
        LONG,
        tuple((month, f"Visit number {month:g}") for month in sample.MONTHS),
        references=(ReferenceLine(0.2, "limit"),),
        divisions=(ReferenceLine(0.0, LONG), ReferenceLine(0.5, LONG), ReferenceLine(6.0, LONG)),
    ),
    "many visits": Trajectories(
        (sample.arm(sample.CELLS, 12, 0.05, 5, tuple(i / 4 for i in range(49))),),
        "Months",
        "Value",
        tuple((i / 4, f"week {i}") for i in range(49)),
    ),
    "eight arms": Trajectories(
        tuple(sample.arm(ArmStyle(f"Arm {i}", "active" if i % 2 else "neutral"), 2, 0.1, i) for i in range(8)),
        "Months",
        "Value",
        sample.TICKS,
    ),
    "no rows": Forest((), ("Ratio", "p"), "Ratio", 1.0, scale="log"),
    "ratios on a log axis": Forest(
        (
            ForestHeading("Rates"),
            ForestRow("Level 2 or 3", 0.5, 0.16, 1.6, ("0.50 (0.16, 1.60)", "0.22")),
            ForestRow("Nobody", NAN, 0.0, math.inf, ("–", "–")),
            ForestRow("One side only", 1.2, 0.4, math.inf, ("1.20 (0.40, ∞)", "0.7")),
            ForestRow("Off the axis", 90.0, 80.0, 100.0, ("90 (80, 100)", "<0.001")),
        ),
        ("Ratio (95% CI)", "p"),
        "Rate ratio",
        1.0,
        "favours stem cells",
        "favours placebo",
        "log",
        (0.1, 10.0),
    ),
    "no width and one row": Forest((ForestRow("a", 0.0, 0.0, 0.0),), (), "Difference"),
    "long words everywhere": Forest(
        (ForestRow(LONG, 1, 0.5, 2, ("1.00 (0.50, 2.00)", "0.12", "12 345 of 67 890", "not adjusted"), indent=3),),
        ("Difference (95% confidence interval)", "p", "Participants with the value", "Multiplicity"),
        LONG,
        0.0,
        LONG,
        LONG,
    ),
    "an empty flow": Flow((sample.CELLS, sample.SALINE), ()),
    "a flow without arms yet": Flow((), (FlowStage("", (FlowBox("Assessed", 3),)),)),
    "one arm": Flow((sample.CELLS,), (FlowStage("a", (FlowBox("b", 1),)), FlowStage("c", (FlowBox(LONG, 1),)))),
    "arms from the start": Flow(
        (sample.CELLS, sample.SALINE), (FlowStage("a", (FlowBox("b", 1), None)), FlowStage("", (None, FlowBox("c"))))
    ),
    "nobody in a strip": DotStrip(((sample.CELLS, ()), (sample.SALINE, (NAN,))), "Age, years"),
    "seven quantities": SmallMultiples(
        (sample.CELLS, sample.SALINE),
        tuple(
            Quantity(
                f"{LONG[: 8 * k]} number {k}", tuple(tuple((m, m**0.5 + a) for m in sample.MONTHS) for a in (0, 1))
            )
            for k in range(1, 8)
        ),
        "Months since day 0",
        tuple((float(month), str(month)) for month in (0, 6, 12)),
        ((0.0, 0), (1.0, 0), (6.0, 1)),
        "an infusion, in the colour of the group that has it",
    ),
    "no quantities": SmallMultiples((sample.CELLS,), (), "Months", TICKS),
    "quantities without values": SmallMultiples(
        (sample.CELLS, sample.SALINE), (Quantity("Value", ((), ((0.0, NAN), (1.0, NAN)))),), "Months", TICKS[:1]
    ),
    "all alike": DotStrip(((ArmStyle(LONG, "active"), (3.0,) * 30),), LONG, references=(ReferenceLine(3.0, "limit"),)),
}
ALL = {
    "trajectories": sample.trajectories(),
    "two periods": sample.two_periods(),
    "forest": sample.forest(),
    "flow": sample.flow(),
    "strips": sample.strips(),
    **{f"flow of {arms}": sample.flow_of(arms) for arms in (1, 3, 4, 6)},
    **STRANGE,
}
WIDTHS = ("wide", "narrow")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("drawing", ALL.values(), ids=ALL)
def test_nothing_lies_over_anything_else_or_outside(drawing, width):
    picture = draw(drawing, width, mark="SIMULATED DATA, not the results of any real trial")
    words = pictures.words(picture)
    assert pictures.collisions(words) == []
    assert [area.words for area in words if not area.inside(pictures.page(picture), by=1.5)] == []
    assert "nan" not in picture.decode().lower().replace("nanometre", "")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_same_drawing_gives_the_same_bytes(width):
    for drawing in (sample.trajectories(), sample.forest(), sample.flow(), sample.strips()):
        for kind in ("svg", "pdf", "png"):
            assert draw(drawing, width, kind=kind) == draw(drawing, width, kind=kind)


def test_the_bytes_are_the_same_in_another_process():
    code = (
        "import hashlib; from tests.documents import sample; from equipoise.documents.figures import draw\n"
        "print(hashlib.sha256(draw(sample.trajectories()) + draw(sample.flow(), 'narrow')).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = hashlib.sha256(draw(sample.trajectories()) + draw(sample.flow(), "narrow")).hexdigest()
    assert done.stdout.strip() == here


def test_drawing_leaves_matplotlib_as_it_was():
    before = dict(mpl.rcParams)
    draw(sample.forest())
    assert dict(mpl.rcParams) == before


def test_drawing_needs_no_pyplot():
    code = (
        "import sys; from tests.documents import sample; from equipoise.documents.figures import draw\n"
        "draw(sample.forest()); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_svg_holds_text_and_no_metadata_script_or_style_sheet():
    picture = draw(sample.trajectories())
    tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(picture).iter()}
    assert tags <= {"svg", "g", "path", "text", "use", "defs"}
    assert "C-peptide, mean over 2 hours of a mixed meal, nmol/L" in pictures.said(picture)
    assert "system-ui" in picture.decode()
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", picture.decode())


def test_other_formats_are_what_they_say():
    assert draw(sample.forest(), kind="pdf").startswith(b"%PDF")
    assert draw(sample.forest(), kind="png").startswith(b"\x89PNG")


def test_letters_that_the_font_lacks_and_signs_of_mathematics_are_kept_as_they_are():
    label = "$x_2$ \\alpha 漢字 \N{DNA DOUBLE HELIX} <b>&amp;</b> \x00\x1b"
    picture = draw(Forest((ForestRow(label, 1, 0, 2),), (), "x"))
    assert "$x_2$ \\alpha 漢字 \N{DNA DOUBLE HELIX} <b>&amp;</b>" in pictures.said(picture)


@pytest.mark.requirement("REPORT-COLOURS")
def test_arms_differ_by_marker_and_line_and_not_by_colour_alone():
    styles = [ArmStyle(f"{role} {i}", role) for role in palette.COLOURS for i in range(4)]
    found = palette.looks(styles)
    assert len({look.marker for look in found}) == len(found)
    assert len({look.dashes for look in found}) == len(found)
    first = {style.role: look.colour for style, look in reversed(list(zip(styles, found, strict=True)))}
    assert first == palette.COLOURS
    assert all(one.colour != two.colour for one, two in pairwise(found[:8]))
    assert palette.looks([sample.CELLS, sample.SALINE]) == (
        palette.Look("#0072B2", "o", ()),
        palette.Look("#E69F00", "s", (4, 2)),
    )


@pytest.mark.requirement("REPORT-FIGURES")
@pytest.mark.parametrize("width", WIDTHS)
def test_trajectories_show_individuals_faint_means_with_intervals_and_counts(width):
    drawing = sample.trajectories()
    picture = draw(drawing, width)
    text = picture.decode()
    people = [person.y for arm in drawing.arms for person in arm.individuals]
    unbroken = sum(
        "".join("-" if math.isnan(y) else "+" for y in values).strip("-").count("-+") + 1 for values in people
    )
    assert sum(map(len, pieces(text, "stroke-opacity: 0.4; stroke-width: 0.9"))) == unbroken >= len(people)
    intervals = sum(len(arm.means) for arm in drawing.arms)
    assert sum(map(len, pieces(text, "stroke-width: 1.8"))) == intervals
    last = max(pictures.words(picture), key=lambda area: (round(area.bottom), area.right))
    assert last.words == str(drawing.arms[-1].means[-1].n)
    assert "Number of participants" in pictures.said(picture)


def pieces(text, style):
    """The lines of each path of this style: one for each move of the pen."""
    paths = re.findall(rf'd="([^"]*)" style="[^"]*{re.escape(style)}"', text)
    return [path.removeprefix("M ").split(" M ") for path in paths]


def test_counts_are_those_of_each_visit():
    empty = ArmTrajectory(sample.SALINE)
    drawing = replace(sample.trajectories(), arms=(sample.arm(sample.CELLS, 11, 0.02, 1), empty))
    areas = pictures.words(draw(drawing))
    bottom = max(area.bottom for area in areas)
    assert [a.words for a in areas if abs(a.bottom - bottom) < 1 and a.words.isdigit()] == ["0"] * len(sample.TICKS)


def test_a_mark_stands_in_the_picture_itself():
    assert "SIMULATED DATA" in pictures.said(draw(sample.strips(), mark="SIMULATED DATA"))
    assert "SIMULATED DATA" not in pictures.said(draw(sample.strips()))


def test_an_interval_beyond_the_axis_ends_in_an_arrow():
    inside = Forest((ForestRow("a", 0.0, -0.5, 0.5),), (), "x", limits=(-1, 1))
    beyond = Forest((ForestRow("a", 0.0, -0.5, 5.0),), (), "x", limits=(-1, 1))
    shapes = [len(re.findall(r'fill: #1f2933"', draw(item).decode())) for item in (inside, beyond)]
    assert shapes[1] == shapes[0] + 1


def test_ids_inside_a_page_carry_the_prefix():
    text = prefixed(draw(sample.trajectories()), "wide:f", "A sentence.", "wide")
    ids = re.findall(r' id="([^"]+)"', text)
    assert ids
    assert all(item.startswith("wide:f-") for item in ids)
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(ids)


def test_lines_are_never_wider_than_their_room():
    for text in (LONG, "one", "C-peptide-controlled-trial/with/slashes", ""):
        for room in (20.0, 60.0, 200.0):
            lines = wrapped(text, room, 12)
            assert all(text_width(line, 12) <= room for line in lines)
            assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert (
        wrapped("x (n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}1)", 48, 12)[-1]
        == "(n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}1)"
    )


@pytest.mark.parametrize(
    "values", [[], [3.0], [0.0], [-1.0, 5.0], [1e-9, 2e-9], [1e6, 1e6 + 1], [NAN, math.inf], [0.2, 900.0]]
)
@pytest.mark.parametrize("log", [False, True])
def test_axes_hold_their_values_and_have_ticks(values, log):
    scale = fitted(values, 0, 300, log)
    assert scale.low < scale.high
    ticks = scale.ticks(6)
    assert 1 <= len(ticks) <= 12
    labels = [label for _, label in ticks]
    assert len(set(labels)) == len(labels)
    for value in values:
        if math.isfinite(value) and (value > 0 or not log):
            assert scale.holds(value)
            assert 0 <= scale.at(value) <= 300


def test_a_log_axis_has_no_place_for_what_is_not_above_zero():
    assert math.isnan(Scale(1, 10, 0, 100, True).at(0.0))
    assert math.isnan(Scale(1, 10, 0, 100, True).at(-1.0))
    assert Scale(1, 100, 0, 100, True).at(10.0) == pytest.approx(50)


def test_a_figure_without_values_says_so():
    assert "no values" in pictures.said(draw(STRANGE["nothing but NaN"]))
    assert "no values" in pictures.said(draw(STRANGE["no arms"]))
    assert "no values" not in pictures.said(draw(sample.trajectories()))


def test_means_of_many_arms_stay_between_the_axis_and_the_edge():
    drawing = STRANGE["eight arms"]
    for width in WIDTHS:
        text = draw(drawing, width).decode()
        axis = min(
            float(x) for x in re.findall(r'd="M ([\d.]+) [\d.]+ L \1 [\d.]+" style="fill: none; stroke: #6b7785', text)
        )
        bars = [float(line.split()[0]) for path in pieces(text, "stroke-width: 1.8") for line in path]
        assert len(bars) > 8
        assert min(bars) > axis


def test_a_high_column_of_dots_is_pressed_together():
    heights = [pictures.page(draw(STRANGE["all alike"], width)).bottom for width in WIDTHS]
    assert max(heights) < 340


CLOSE = (*sample.TICKS, *((sample.TICKS[-1][0] + day / 15, f"{day} h") for day in range(1, 9)))


@pytest.mark.requirement("REPORT-COUNTS-STAY")
@pytest.mark.parametrize("width", WIDTHS)
def test_numbers_under_a_time_axis_never_vanish(width):
    """Of visits a few hours apart labels have no room; the numbers of participants stand one below the other."""
    counts = tuple(range(101, 101 + len(CLOSE)))
    arms = tuple(
        ArmTrajectory(style, counts=tuple(n + 100 * k for n in counts))
        for k, style in enumerate((sample.CELLS, sample.SALINE))
    )
    picture = draw(replace(sample.trajectories(), arms=arms, ticks=CLOSE, references=()), width)
    words = pictures.words(picture)
    shown = [area.words for area in words]
    assert [n for arm in arms for n in arm.counts if shown.count(str(n)) != 1] == []
    assert pictures.collisions(words) == []
    assert [area.words for area in words if not area.inside(pictures.page(picture), by=1.5)] == []


@pytest.mark.requirement("REPORT-COUNTS-STAY")
def test_labels_that_have_no_room_in_a_line_stand_in_two_tiers():
    ticks = tuple((float(place), f"visit after infusion {place}") for place in range(12))
    drawing = replace(sample.trajectories(), arms=(ArmTrajectory(sample.CELLS),), ticks=ticks)
    said = pictures.said(draw(drawing))
    assert said.count("visit") == 12 and [n for n in range(12) if f"{n}" not in said] == []
