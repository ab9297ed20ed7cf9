"""Values assigned to visits by their day: to the nearest planned, on either side of day 0 apart, whole occasions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.classes import BY_NAME
from equipoise.records.from_records import to_panel
from equipoise.records.records import Records
from equipoise.records.windows import nearest

pytestmark = pytest.mark.requirement("RECORDS-WINDOWS")
EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial" / "protocol.yaml"
NOMINAL = "rule: nominal, unscheduled: listings-only, repeated: first"


def loaded(tmp_path: Path, tie: str = "earlier", unscheduled: str = "in-windows", own: str = "") -> Protocol:
    text = EXAMPLE.read_text("utf-8")
    assert NOMINAL in text and "    class: findings\n" in text
    text = text.replace(NOMINAL, f"rule: nearest, tie: {tie}, unscheduled: {unscheduled}, repeated: first")
    path = tmp_path / "protocol.yaml"
    path.write_text(text.replace("    class: findings\n", f"    class: findings\n{own}"), "utf-8")
    return load_protocol(path)


def records(protocol: Protocol, *rows: tuple[str, int | None, float | None]) -> Records:
    """One participant with HbA1c values: the visit named, its day, the value (missing: not done)."""
    people = pl.DataFrame(
        [{"participant": "A", "status": "randomised", "source": "made:1"}], schema=BY_NAME["participants"].schema
    )
    made = [
        {
            "participant": "A",
            "visit": visit,
            "assessment": "blood",
            "test": "hba1c",
            "sequence": number,
            "domain": "LB",
            "day": day,
            "value": value,
            "unit": "%",
            "status": "done" if value is not None else "not-done",
            "source": f"made:{number}",
        }
        for number, (visit, day, value) in enumerate(rows, 1)
    ]
    findings = pl.DataFrame(made, schema=BY_NAME["findings"].schema)
    return Records.of(protocol, {"participants": people, "findings": findings})


def values(protocol: Protocol, *rows: tuple[str, int | None, float | None]) -> list[float | None]:
    block = to_panel(records(protocol, *rows)).blocks["blood"]
    found = block.test("hba1c")[0][0, 0, :, 0]
    return [None if np.isnan(value) else float(value) for value in found]


def days(protocol: Protocol) -> tuple[int, int, int]:
    first, second, third = (visit.day for visit in protocol.visits)
    return first, second, third


def test_a_value_belongs_to_the_visit_planned_nearest_to_its_day(tmp_path: Path) -> None:
    protocol = loaded(tmp_path)
    first, second, third = days(protocol)
    assert first <= 0 < second < third
    found = values(protocol, ("month-6", second + 5, 7.0), ("unscheduled", third - 9, 8.0), ("baseline", 0, 6.0))
    assert found == [6.0, 7.0, 8.0]


def test_of_several_the_nearest_counts_whatever_it_is_called(tmp_path: Path) -> None:
    protocol = loaded(tmp_path)
    _, second, _ = days(protocol)
    found = values(protocol, ("month-3", second + 20, 7.0), ("unscheduled", second + 1, 8.0))
    assert found == [None, 8.0, None]


@pytest.mark.parametrize(("tie", "value"), [("earlier", 7.0), ("later", 8.0)])
def test_of_two_equally_near_the_protocols_counts(tmp_path: Path, tie: str, value: float) -> None:
    protocol = loaded(tmp_path, tie)
    _, second, _ = days(protocol)
    found = values(protocol, ("unscheduled", second - 3, 7.0), ("unscheduled", second + 3, 8.0))
    assert found == [None, value, None]


def test_a_day_midway_between_two_visits_is_the_earliers_or_the_laters(tmp_path: Path) -> None:
    protocol = loaded(tmp_path)
    visits = [visit for visit in protocol.visits if visit.day > 0]
    middle = (visits[0].day + visits[1].day) // 2
    middle += (visits[0].day + visits[1].day) % 2
    assert nearest(visits[:2], middle - 1, late=True)[0] == visits[0].id
    first = visits[0].model_copy(update={"day": visits[1].day - 10})
    assert nearest((first, visits[1]), visits[1].day - 5, late=False) == (first.id, 5)
    assert nearest((first, visits[1]), visits[1].day - 5, late=True) == (visits[1].id, 5)


def test_a_value_after_day_0_is_never_a_baseline_and_one_until_then_never_later(tmp_path: Path) -> None:
    protocol = loaded(tmp_path)
    first, second, _ = days(protocol)
    assert values(protocol, ("baseline", first + 1 if first == 0 else 1, 7.0))[0] is None
    assert values(protocol, ("unscheduled", 0, 7.0)) == [7.0, None, None]
    assert second > 1


def test_what_was_not_done_does_not_push_a_result_out(tmp_path: Path) -> None:
    protocol = loaded(tmp_path)
    _, second, _ = days(protocol)
    assert values(protocol, ("month-3", second, None), ("unscheduled", second + 8, 7.0)) == [None, 7.0, None]


def test_without_a_day_a_value_counts_at_the_visit_that_it_names_where_no_other_does(tmp_path: Path) -> None:
    protocol = loaded(tmp_path)
    _, second, _ = days(protocol)
    assert values(protocol, ("month-3", None, 7.0)) == [None, 7.0, None]
    assert values(protocol, ("month-3", None, 7.0), ("unscheduled", second + 30, 8.0)) == [None, 8.0, None]


def test_unscheduled_values_count_only_where_the_protocol_says_so(tmp_path: Path) -> None:
    protocol = loaded(tmp_path, unscheduled="listings-only")
    _, second, _ = days(protocol)
    assert values(protocol, ("unscheduled", second, 7.0), ("month-6", second + 9, 8.0)) == [None, 8.0, None]


def test_an_assessment_may_keep_to_the_names_of_visits(tmp_path: Path) -> None:
    protocol = loaded(tmp_path, own="    windows: nominal\n")
    _, second, third = days(protocol)
    assert values(protocol, ("month-3", third, 7.0), ("unscheduled", second, 8.0)) == [None, 7.0, None]
