"""How a table lies on A4, where words may break, and how pieces share pages."""

from __future__ import annotations

import pytest

from equipoise.documents import paper
from equipoise.documents.model import Column, Table, row
from equipoise.documents.paper import BREAK, Piece
from tests.documents import sample, strange


def test_a_table_that_fits_is_upright_in_the_largest_type():
    plan = paper.layout(sample.baseline())
    assert (plan.lying, plan.size) == (False, 8.5)
    assert sum(plan.widths) <= paper.UPRIGHT


@pytest.mark.parametrize("columns", [1, 2, 5, 9, 13, 17, 26, 60, 200])
@pytest.mark.parametrize("turn", [True, False])
def test_no_table_is_wider_than_its_page(columns, turn):
    plan = paper.layout(strange.table(columns, 2, "−0.12 (−0.45, 0.21)"), room=400.0, turn=turn)
    # With more columns than a page has room for their padding, each still keeps a point of its own.
    most = max(paper.LYING if plan.lying else 400.0, columns * (1 + 2 * paper.PADDING))
    assert sum(plan.widths) <= most + 1e-6
    assert turn or not plan.lying
    assert len(plan.widths) == columns
    assert min(plan.widths) > 2 * paper.PADDING


def test_a_column_has_room_for_its_longest_word_and_its_numbers():
    table = Table(
        "t",
        "T",
        (Column("Term"), Column("p", align="right")),
        (row("pseudohypoparathyroidism " * 9, "−0.1 (−2.3, 4.5)"),),
    )
    plan = paper.layout(table)
    assert plan.widths[0] >= paper.width("pseudohypoparathyroidism") * plan.size + 2 * paper.PADDING
    assert plan.widths[1] >= paper.width("−0.1 (−2.3, 4.5)") * plan.size + 2 * paper.PADDING


def test_more_rows_make_a_table_higher():
    few, many = (paper.layout(strange.table(3, rows, "a cell")).height for rows in (2, 40))
    assert 20 < few < paper.KEPT < many


def test_only_words_wider_than_the_line_get_places_to_break():
    assert paper.breakable("a short line", 200.0, 9.0) == "a short line"
    assert paper.breakable("many short words " * 20, 200.0, 9.0) == "many short words " * 20
    assert paper.breakable("protocol.analyses.primary", 90.0, 9.0) == f"protocol.{BREAK}analyses.{BREAK}primary"
    assert paper.breakable("wwww", 20.0, 9.0) == BREAK.join("wwww")


def test_widths_are_those_of_the_font():
    assert paper.width("0") == pytest.approx(0.636, abs=1e-3)
    assert paper.width("0", bold=True) == pytest.approx(0.696, abs=1e-3)
    assert paper.width(BREAK) == 0.0
    assert paper.width("胰") == 1.0


def test_a_heading_lies_with_what_follows_it():
    pieces = [
        Piece("a"),
        Piece("heading", None),
        Piece("title", None),
        Piece("wide", True),
        Piece("b"),
        Piece("end", None),
    ]
    assert paper.stretches(pieces) == [(False, ["a"]), (True, ["heading", "title", "wide"]), (False, ["b", "end"])]
    assert paper.stretches([]) == []


def test_white_space_is_one_space_and_unprintable_characters_are_replaced():
    assert paper.clean("a\t\n b\x00\ud800") == "a b\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"
