"""One grammar of paths: what an error message prints, `assumed` and `--set` can be given."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.source.paths import Step, find_steps, format_path, split_path, value_at, with_value
from tests.source.json_data import KEYS, SCALARS

DOCUMENT: dict[str, Any] = {
    "analyses": [
        {"id": "c2-rate", "options": {"level": 0.05}},
        {"id": "c3", "parts": [{"analysis": "c2-rate"}, {"analysis": "c3"}]},
    ],
    "variables": [{"name": "age"}],
    "scales": {"1.5": "x", "": "empty", "a[b]": "brackets", "ng/mL": 0.331},
    "twins": [{"id": "same"}, {"id": "same"}, {"id": "7"}, {"id": "with.dot"}],
    "plain": [10, 20],
}


@pytest.mark.parametrize(
    ("steps", "path"),
    [
        (("analyses", 0, "options", "level"), "analyses.c2-rate.options.level"),
        (("analyses", 1, "parts", 1, "analysis"), "analyses.c3.parts.1.analysis"),
        (("variables", 0), "variables.age"),
        (("scales", "1.5"), "scales.[1.5]"),
        (("scales", ""), "scales.[]"),
        (("scales", "a[b]"), "scales.[a[b]]]"),
        (("scales", "ng/mL"), "scales.ng/mL"),
        (("twins", 0), "twins.same"),
        (("twins", 1), "twins.1"),
        (("twins", 2), "twins.2"),  # an id of digits would be taken for a number
        (("twins", 3), "twins.[with.dot]"),
        (("plain", 1), "plain.1"),
    ],
)
def test_a_path_leads_back_to_its_steps(steps: tuple[Step, ...], path: str) -> None:
    assert format_path(DOCUMENT, steps) == path
    assert find_steps(DOCUMENT, path) == steps


def test_steps_out_of_the_data_are_written_all_the_same() -> None:
    assert format_path(DOCUMENT, ("analyses", 9, "absent", "deeper")) == "analyses.9.absent.deeper"
    assert format_path(None, ("a", 0, "b.c")) == "a.0.[b.c]"
    assert format_path(DOCUMENT, ()) == ""


# fmt: off
NO_PATHS = [
    "", ".", "analyses.", ".analyses", "analyses..c3", "analyses.c4", "analyses.2", "analyses.-1", "analyses.00",
    "plain.٠", "plain.1.5", "scales.1.5", "scales.[1.5", "scales.[1.5]x", "scales.]", "scales.a[b]", "[", "]",
    "absent", "[[]]", "plain.99999999999999999999", "analyses.[c2-rate].options.level.x",
]
# fmt: on


@pytest.mark.parametrize("path", NO_PATHS)
def test_what_is_no_path_or_leads_nowhere_finds_nothing(path: str) -> None:
    assert find_steps(DOCUMENT, path) is None


def test_a_value_is_replaced_in_a_copy() -> None:
    changed = with_value(DOCUMENT, "analyses.c2-rate.options.level", 0.01)
    assert changed["analyses"][0]["options"] == {"level": 0.01}
    assert DOCUMENT["analyses"][0]["options"] == {"level": 0.05}
    assert with_value(DOCUMENT, "plain.1", "new")["plain"] == [10, "new"]
    assert with_value(DOCUMENT, "twins.same", 1)["twins"][:2] == [1, {"id": "same"}]


def test_only_a_last_key_may_be_new() -> None:
    assert with_value(DOCUMENT, "analyses.c3.role", "primary")["analyses"][1]["role"] == "primary"
    assert with_value({}, "[a.b]", 1) == {"a.b": 1}
    for path in ("absent.deeper", "plain.2", "plain.1.x", "analyses.c4", "", ".", "a..b"):
        with pytest.raises(KeyError):
            with_value(DOCUMENT, path, 1)
    with pytest.raises(KeyError, match=r"analyses\.c4"):
        with_value(DOCUMENT, "analyses.c4.options.level", 1)


def test_parts_lose_their_brackets() -> None:
    assert split_path("a.[b.c].[].[d]]].e/f") == ["a", "b.c", "", "d]", "e/f"]
    assert split_path("a.[b.c]d") == []


NAMED = st.fixed_dictionaries({"id": KEYS, "v": SCALARS}) | st.fixed_dictionaries({"name": KEYS})
TREES = st.recursive(
    SCALARS | NAMED,
    lambda inner: st.lists(inner | NAMED, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def every_step(data: Any, steps: tuple[Step, ...] = ()) -> list[tuple[Step, ...]]:
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [found for key, value in inner for found in [(*steps, key), *every_step(value, (*steps, key))]]


@given(TREES)
@settings(deadline=None)
def test_every_value_of_any_document_has_a_path_of_its_own(data: Any) -> None:
    everywhere = every_step(data)
    paths = [format_path(data, steps) for steps in everywhere]
    assert len(set(paths)) == len(paths)
    for steps, path in zip(everywhere, paths, strict=True):
        assert find_steps(data, path) == steps
        assert value_at(with_value(data, path, "new"), steps) == "new"


@given(st.text(max_size=30))
@settings(deadline=None)
def test_any_text_is_looked_up_without_a_fault(path: str) -> None:
    steps = find_steps(DOCUMENT, path)
    assert steps is None or format_path(DOCUMENT, steps)
