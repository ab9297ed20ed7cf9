"""The participants' flow: no box over another, every word inside its box, whatever the counts of arms and lines."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.documents.drawings import ArmStyle, Flow, FlowBox, FlowStage
from equipoise.documents.figures import draw
from tests.documents import pictures, sample

word = st.text("abcdefghij-", min_size=1, max_size=25)
words = st.lists(word, min_size=1, max_size=8).map(" ".join)
count = st.none() | st.integers(0, 99999)
box = st.builds(
    FlowBox,
    words,
    count,
    st.lists(st.tuples(words, count), max_size=5).map(tuple),
    st.sampled_from(["active", "placebo", "neutral"]),
)


@st.composite
def flows(draw_from):
    arms = draw_from(st.integers(1, 6))
    styles = tuple(ArmStyle(f"Arm {i}", "active") for i in range(arms))
    stages = []
    forked = False
    for index in range(draw_from(st.integers(1, 5))):
        shared = draw_from(st.booleans())
        if shared and arms > 1:
            side = draw_from(st.none() | box) if index and not forked else None
            stages.append(
                FlowStage(draw_from(words), (draw_from(box),), side, draw_from(st.sampled_from(["", "One", "Two"])))
            )
        else:
            forked = forked or arms > 1
            boxes = tuple(draw_from(box | st.none()) for _ in range(arms))
            stages.append(
                FlowStage(draw_from(words), boxes, period=draw_from(st.sampled_from(["", "First", "Second"])))
            )
    return Flow(styles, tuple(stages))


def check(drawing, width):
    picture = draw(drawing, width)
    found = pictures.boxes(picture)
    expected = [item for stage in drawing.stages for item in (*stage.boxes, stage.side) if item is not None]
    assert len(found) == len(expected)
    assert pictures.collisions(found) == []
    lines = pictures.words(picture)
    assert pictures.collisions(lines) == []
    whole = pictures.page(picture)
    for area in (*found, *lines):
        assert area.inside(whole)
    for line in lines:
        touched = [area for area in found if line.overlaps(area)]
        assert all(line.inside(area) for area in touched), line.words
    said = pictures.said(picture).replace(" ", "").replace("\N{NO-BREAK SPACE}", "")
    for item in expected:
        assert item.title.replace(" ", "") in said


@settings(max_examples=60)
@given(flows(), st.sampled_from(["wide", "narrow"]))
def test_no_overlap_whatever_the_flow(drawing, width):
    check(drawing, width)


@pytest.mark.requirement("REPORT-FLOW")
@pytest.mark.parametrize("width", ["wide", "narrow"])
@pytest.mark.parametrize("drawing", [sample.flow(), *(sample.flow_of(n) for n in range(1, 8))])
def test_the_samples_are_in_order(drawing, width):
    check(drawing, width)


def test_counts_stand_with_their_titles():
    said = pictures.said(draw(sample.flow()))
    assert "Randomised (n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}21)" in said
    assert "Period 2, months" in said


def test_an_arms_name_stands_once_where_its_box_does_not_say_it():
    said = pictures.said(draw(sample.flow()))
    assert said.count("Early cells") == said.count("Late cells") == 1
    named = Flow((sample.CELLS, sample.SALINE), (FlowStage("", (FlowBox("Stem cells", 1), FlowBox("Allocated", 2))),))
    said = pictures.said(draw(named))
    assert said.lower().count("stem cells") == 1
    assert said.count("Placebo") == 1


def test_no_arrow_comes_from_nowhere():
    drawing = Flow(
        (sample.CELLS, sample.SALINE), (FlowStage("", (FlowBox("a"), None)), FlowStage("", (None, FlowBox("b"))))
    )
    picture = draw(drawing)
    assert not re.search(r"<path[^>]*fill: #6b7785", picture.decode())
    assert "Placebo" in pictures.said(picture)
