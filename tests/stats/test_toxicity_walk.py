"""The walk of a toxicity rule against a slow twin that asks, look by look, who is in n."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.stats.toxicity import ToxicityRule, probability_too_high
from equipoise.stats.toxicity_walk import order_matters, walk_toxicity

RULE = ToxicityRule((0.2, 1.8), 0.2, 0.8, 3)
Person = tuple[int, int, int | None]
"""First dose, length of the window, day of the event from the first dose."""


def twin(people: list[Person], until: int, rule: ToxicityRule = RULE) -> tuple[int | None, int, int, int]:
    """Met after, counted, events, open: written out from the rule's words."""
    looks = []
    for place, (first, length, event) in enumerate(people):
        if first + length <= until:
            looks.append((first + length, first, place))
        if event is not None:
            looks.append((first + event, first, place))
    met = None
    seen: set[int] = set()
    for day, _, place in sorted(looks):
        seen.add(place)
        harmed = sum(people[p][2] is not None and people[p][0] + people[p][2] <= day for p in seen)
        n = len(seen)
        if met is None and n >= rule.minimum and probability_too_high(rule, harmed, n).item() > rule.certainty:
            met = n
    events = sum(event is not None for _, _, event in people)
    waiting = sum(place not in seen and first <= until for place, (first, _, _) in enumerate(people))
    return met, len(seen), events, waiting


PEOPLE = st.lists(
    st.tuples(st.integers(0, 60), st.integers(10, 40), st.none() | st.integers(0, 10)), min_size=1, max_size=12
)


@pytest.mark.requirement("ORDER-STOPPING")
@given(people=PEOPLE, until=st.integers(70, 100))
@settings(max_examples=200, deadline=None)
def test_the_walk_is_the_twins(people: list[Person], until: int) -> None:
    first, length = (np.array([person[place] for person in people], float) for place in (0, 1))
    event = np.array([np.inf if person[2] is None else person[0] + person[2] for person in people], float)
    walked = walk_toxicity(RULE, first, first + length, event, np.arange(len(people), dtype=float), until)
    assert (walked.met_after, walked.counted, walked.events, walked.open) == twin(people, until)


@pytest.mark.requirement("ORDER-STOPPING")
@given(people=PEOPLE, data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_order_in_which_people_stand_in_the_arrays_changes_nothing(
    people: list[Person], data: st.DataObject
) -> None:
    order = np.array(data.draw(st.permutations(range(len(people)))))
    first, length = (np.array([person[place] for person in people], float) for place in (0, 1))
    event = np.array([np.inf if person[2] is None else person[0] + person[2] for person in people], float)
    ranks = np.arange(len(people), dtype=float)
    one = walk_toxicity(RULE, first, first + length, event, ranks, 90)
    two = walk_toxicity(RULE, first[order], (first + length)[order], event[order], ranks[order], 90)
    assert one == two


@pytest.mark.requirement("ORDER-STOPPING")
def test_by_hand_an_event_in_an_open_window_counts_and_the_unharmed_wait() -> None:
    """Three dosed on days 0, 1, 2 with windows of 30 days; events on days 5 and 6: at once 2 of 2, too few to act on;
    the third window ends on day 32, with 2 of 3."""
    first = np.array([0.0, 1.0, 2.0])
    event = np.array([5.0, 6.0, np.inf])
    walked = walk_toxicity(RULE, first, first + 30, event, first, 20.0)
    assert (walked.met_after, walked.counted, walked.events, walked.open) == (None, 2, 2, 1)
    walked = walk_toxicity(RULE, first, first + 30, event, first, 40.0)
    assert (walked.met_after, walked.met_on, walked.counted, walked.open) == (3, 32.0, 3, 0)


@pytest.mark.requirement("ORDER-STOPPING")
def test_ties_are_broken_by_the_order_and_only_then_is_it_needed() -> None:
    """Six dosed on one day: with 2 of 3 the rule is met, with 2 events as the fifth and sixth it is not."""
    first, ends = np.zeros(6), np.full(6, 30.0)
    event = np.where(np.arange(6) >= 4, 30.0, np.inf)
    assert walk_toxicity(RULE, first, ends, event, np.arange(6.0), 99).met_after is None
    assert walk_toxicity(RULE, first, ends, event, np.arange(6.0)[::-1].copy(), 99).met_after == 3
    assert order_matters(first, ends, event)
    assert not order_matters(first, ends, np.full(6, np.inf))
    assert not order_matters(np.arange(6.0), ends + np.arange(6.0), event)


def test_days_that_are_missing_are_refused() -> None:
    with pytest.raises(ValueError, match="day"):
        walk_toxicity(RULE, np.array([np.nan]), np.zeros(1), np.zeros(1), np.zeros(1), 0)
    with pytest.raises(ValueError, match="same people"):
        walk_toxicity(RULE, np.zeros(2), np.zeros(1), np.zeros(1), np.zeros(1), 0)
