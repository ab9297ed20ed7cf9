"""One error control for both directions: the words of claims, beside the same worked out one by one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from equipoise.analysis.multiplicity import procedure
from equipoise.analysis.verdicts import decide
from equipoise.analysis.words import Word
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import FamilyGraph
from tests.analysis.verdict_trials import LEVEL, claim, family, measured, protocol, words

SERIAL = FamilyGraph(weights={"first": 1.0, "second": 0.0}, transitions={"first": {"second": 1.0}})
BOTH_WAYS = FamilyGraph(
    weights={"first": 0.6, "second": 0.4}, transitions={"first": {"second": 1.0}, "second": {"first": 1.0}}
)
LIKE_THE_MODEL = protocol(
    {"first": ("a", "b", "c"), "second": ("d", "e", "f")},
    [claim("one", "-a"), claim("two", "+c"), claim("three", "-d", "+e", "-f")],
    graph=SERIAL,
)
TRIALS = {
    "the model's": LIKE_THE_MODEL,
    "and in one family": protocol({"first": ("a", "b", "c")}, [claim("one", "+a", "-b"), claim("two", "+c")]),
    "or": protocol({"first": ("a", "b", "c")}, [claim("one", "+a", "-b", rule="one-part"), claim("two", "+c")]),
    "nodes both ways": protocol(
        {"first": ("a", "b"), "second": ("c", "d")},
        [claim("one", "+a", "+b"), claim("two", "-c", "+d"), claim("three", "+b")],
        graph=BOTH_WAYS,
    ),
    "a sequence": protocol(
        {"first": ("a", "b", "c")},
        [claim("one", "+a"), claim("two", "+b", "+c"), claim("three", "+c", "-b", rule="one-part")],
        families=[family("first", "fixed-sequence")],
    ),
    "across families": protocol(
        {"first": ("a", "b"), "second": ("c",)}, [claim("one", "+a", "+c"), claim("two", "-b")], graph=BOTH_WAYS
    ),
}


def told(trial: Protocol, upper: dict[str, np.ndarray]) -> dict[str, list[str]]:
    """Claim -> its word in each trial."""
    return {
        item.claim.id: [Word(int(word)).text for word in item.words] for item in decide(trial, measured(trial, upper))
    }


def draws(trial: Protocol, seed: int, count: int = 60) -> dict[str, np.ndarray]:
    """One-sided p-values, many of them small on either side, some tied at the levels that count, some missing."""
    source = np.random.default_rng(seed)
    found = {}
    for item in trial.analyses:
        p = source.uniform(size=count) ** 4 / 2
        p = np.where(source.uniform(size=count) < 0.5, p, 1 - p)
        found[item.id] = np.where(source.uniform(size=count) < 0.06, np.nan, p)
    return found


@pytest.mark.requirement("CLAIM-BOTH-DIRECTIONS")
@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(TRIALS)), st.integers(0, 2**32))
def test_the_words_are_those_of_rejecting_one_hypothesis_after_another(name: str, seed: int) -> None:
    trial = TRIALS[name]
    upper = draws(trial, seed)
    found = told(trial, upper)
    for place in range(60):
        expected = words(trial, {key: float(values[place]) for key, values in upper.items()})
        assert {key: texts[place] for key, texts in found.items()} == expected, (place, name)


@pytest.mark.requirement("CLAIM-BOTH-DIRECTIONS")
@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_mirrored_data_give_mirrored_words(seed: int) -> None:
    """A claim by itself turns over with the data; one with "and" is the same where data and directions turn."""
    swapped = {"supported": "contradicted", "contradicted": "supported"}
    single = protocol({"first": ("a", "b", "c")}, [claim("one", "+a"), claim("two", "-b"), claim("three", "+c")])
    upper = draws(single, seed)
    here, there = told(single, upper), told(single, {name: 1 - p for name, p in upper.items()})
    assert there == {name: [swapped.get(word, word) for word in found] for name, found in here.items()}
    turned = protocol(
        {"first": ("a", "b", "c"), "second": ("d", "e", "f")},
        [claim("one", "+a"), claim("two", "-c"), claim("three", "+d", "-e", "+f")],
        graph=SERIAL,
    )
    upper = draws(turned, seed)
    assert told(turned, {name: 1 - p for name, p in upper.items()}) == told(LIKE_THE_MODEL, upper)


@pytest.mark.requirement("CLAIM-BOTH-DIRECTIONS")
@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_nothing_is_both_supported_and_contradicted(seed: int) -> None:
    """Two claims that say the opposite of one another: where one is supported the other is contradicted."""
    opposite = protocol(
        {"first": ("a", "b", "c")}, [claim("up", "+a"), claim("down", "-a"), claim("both", "+a", "-b", "+c")]
    )
    upper = draws(opposite, seed)
    found = told(opposite, upper)
    assert not set(zip(found["up"], found["down"], strict=True)) & {
        ("supported", "supported"),
        ("contradicted", "contradicted"),
    }
    assert [word == "supported" for word in found["up"]] == [word == "contradicted" for word in found["down"]]
    for decided in decide(opposite, measured(opposite, upper)):
        contradicted = np.any([part.words == Word.CONTRADICTED for part in decided.parts], axis=0)
        assert not (contradicted & (decided.words == Word.SUPPORTED)).any()


@pytest.mark.requirement("CLAIM-BOTH-DIRECTIONS")
@pytest.mark.parametrize("name", sorted(TRIALS))
def test_without_any_effect_either_word_is_rare(name: str) -> None:
    """20,000 trials whose statistics are independent: half of the level either way, and the level together."""
    trial, count = TRIALS[name], 20_000
    source = np.random.default_rng(20261201)
    found = told(trial, {item.id: source.uniform(size=count) for item in trial.analyses})
    supported = np.any([[w in ("supported", "partly supported") for w in texts] for texts in found.values()], axis=0)
    against = np.any([[w.startswith("contradicted") for w in texts] for texts in found.values()], axis=0)
    error = 3.3 * np.sqrt(0.03 * 0.97 / count)
    assert supported.mean() <= 0.025 + error and against.mean() <= 0.025 + error
    assert (supported | against).mean() <= LEVEL + error


@pytest.mark.requirement("CLAIM-AND-OR")
def test_a_claim_with_and_is_supported_by_intersection_and_union_and_contradicted_by_holm() -> None:
    """Three parts at .03, .04 and .045: none by Holm, all by their own; with one of them on the other side: neither."""
    trial = protocol({"first": ("a", "b", "c")}, [claim("one", "+a", "+b", "+c"), claim("quoted", "+a")])
    upper = {"a": [0.015, 0.985, 0.992, 0.015], "b": [0.02, 0.02, 0.02, 0.02], "c": [0.0225, 0.0225, 0.0225, np.nan]}
    found = told(trial, {name: np.array(p) for name, p in upper.items()})
    assert found["one"] == ["supported", "inconclusive", "contradicted in part", "inconclusive"]
    assert found["quoted"] == ["inconclusive", "inconclusive", "contradicted", "inconclusive"]


@pytest.mark.requirement("CLAIM-AND-OR")
def test_only_the_claim_as_a_whole_passes_its_level_on() -> None:
    """All parts are rejected by Holm, one of them against the claim: nothing goes to the second family."""
    trial = protocol(
        {"first": ("a", "b"), "second": ("c",)}, [claim("one", "+a", "+b"), claim("two", "+c")], graph=SERIAL
    )
    upper = {"a": np.array([1e-4, 1e-4]), "b": np.array([1e-4, 1 - 1e-4]), "c": np.array([1e-4, 1e-4])}
    assert told(trial, upper)["two"] == ["supported", "not tested"]
    plain = protocol({"first": ("a", "b"), "second": ("c",)}, [claim("two", "+c")], graph=SERIAL)
    assert told(plain, upper)["two"] == ["supported", "supported"], "a family of its own passes on whichever side"


@pytest.mark.requirement("CLAIM-BOTH-DIRECTIONS")
def test_a_missing_p_counts_as_one_and_what_waits_for_it_is_not_tested() -> None:
    trial = protocol({"first": ("a", "b"), "second": ("c",)}, [claim(n, f"+{n}") for n in "abc"], graph=SERIAL)
    found = told(trial, {"a": np.array([1e-4]), "b": np.array([np.nan]), "c": np.array([1e-4])})
    assert found == {"a": ["supported"], "b": ["not assessable"], "c": ["not tested"]}
    # An analysis that gave nothing at all is in its family all the same.
    assert told(trial, {"a": np.array([0.02]), "c": np.array([1e-4])})["a"] == ["inconclusive"]


@pytest.mark.requirement("CLAIM-BOTH-DIRECTIONS")
def test_local_levels_are_what_is_left_when_the_procedure_stops() -> None:
    upper = {name: np.array([p]) for name, p in zip("abcdef", (1e-4, 0.4, 0.3, 1e-5, 0.2, 0.1), strict=True)}
    tested = procedure(LIKE_THE_MODEL, measured(LIKE_THE_MODEL, upper)).tested
    local = {name: float(tested[f"{name}/x"].local[0]) for name in "abcdef"}
    assert [local[name] for name in "abc"] == pytest.approx([LEVEL / 3, LEVEL / 2, LEVEL / 2])
    assert [local[name] for name in "def"] == [0, 0, 0]
    sequence = TRIALS["a sequence"]
    tested = procedure(sequence, measured(sequence, {name: upper[name] for name in "abc"})).tested
    assert [float(tested[f"{name}/x"].local[0]) for name in "abc"] == pytest.approx([LEVEL, LEVEL, 0])


ONE_SIDED = {"sides": "one", "level": 0.025}


@pytest.mark.requirement("CLAIM-ONE-SIDED")
def test_a_one_sided_family_supports_and_contradicts_only_at_a_level_that_it_declares() -> None:
    upper = {"a": np.array([0.02, 0.98, 0.999]), "b": np.array([0.5, 0.5, 0.5])}
    claims = [claim("one", "+a")]
    for more, expected in (
        ({}, ["inconclusive"] * 3),
        ({"opposite": 0.01}, ["inconclusive", "inconclusive", "contradicted"]),
        ({"opposite": 0.05}, ["inconclusive", "contradicted", "contradicted"]),
    ):
        families = [family("first", **ONE_SIDED, **more)]
        trial = protocol({"first": ("a", "b")}, [*claims, claim("two", "+b")], families=families)
        assert told(trial, upper)["one"] == expected
    alone = protocol({"first": ("a",)}, claims, families=[family("first", **ONE_SIDED)])
    assert told(alone, upper)["one"] == ["supported", "inconclusive", "inconclusive"]


@pytest.mark.requirement("CLAIM-ONE-SIDED")
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_the_mirrored_hypotheses_run_through_the_same_graph(seed: int) -> None:
    """With the opposite at the same level, a one-sided family of level a says what a two-sided one of 2a says."""
    names = {"first": ("a", "b", "c"), "second": ("d", "e")}
    claims = [claim(n, f"+{n}") for n in "abcde"]
    one = [family(name, opposite=0.025, **ONE_SIDED) for name in names]
    two = [family(name, level=0.05) for name in names]
    upper = draws(protocol(names, claims), seed)
    # Rejections of one side open nothing for the other, so that the two differ only where both sides are rejected.
    found = [told(protocol(names, claims, families=f, graph=SERIAL), upper) for f in (one, two)]
    for name in "abc":
        for ours, theirs in zip(found[0][name], found[1][name], strict=True):
            assert ours == theirs or (ours == "inconclusive" and theirs in ("supported", "contradicted"))


@pytest.mark.requirement("CLAIM-EXPLORATORY")
@pytest.mark.parametrize(
    ("upper", "phrase"),
    [
        ((0.01, 0.01), "interval excludes no effect, as claimed"),
        ((0.01, 0.2), "interval includes no effect"),
        ((0.4, 0.2), "interval includes no effect"),
        ((0.01, 0.99), "interval excludes no effect, against the claim"),
        ((0.3, 0.99), "interval excludes no effect, against the claim"),
        ((np.nan, 0.99), "interval excludes no effect, against the claim"),
        ((np.nan, 0.3), "interval includes no effect"),
        ((np.nan, 0.01), "not assessable"),
        ((np.nan, np.nan), "not assessable"),
    ],
)
def test_an_exploratory_claim_has_a_phrase_about_its_interval(upper: tuple[float, float], phrase: str) -> None:
    claims = [claim("x", "+a", "+b")]
    numbers = {name: np.array([p]) for name, p in zip("ab", upper, strict=True)}
    assert told(protocol({}, claims, exploratory="ab"), numbers)["x"] == [phrase]
    mixed = protocol({"first": ("a",)}, claims, exploratory="b")
    assert told(mixed, numbers)["x"] == [phrase], "one confirmatory part does not make it confirmatory"


@pytest.mark.requirement("CLAIM-MARGIN")
def test_a_claim_with_a_margin_is_contradicted_only_with_the_whole_interval_beyond_it() -> None:
    """Higher is claimed, by more than 1 or less than -1: the adjusted p decides, and the interval must agree."""
    for margin, estimate, word in (
        (1.0, 4.0, Word.SUPPORTED),
        (1.0, -2.0, Word.CONTRADICTED),
        (1.0, 1.5, Word.INCONCLUSIVE),
        (-1.0, 2.0, Word.SUPPORTED),
        (-1.0, -4.0, Word.CONTRADICTED),
        (-1.0, -1.5, Word.INCONCLUSIVE),
    ):
        made = claim("one", "+a")
        part = made.parts[0].model_copy(update={"margin": margin})
        trial = protocol({"first": ("a",)}, [made.model_copy(update={"parts": (part,)})])
        assert decided(trial, estimate, margin) == word, (margin, estimate)
    # At a level of 20 % the p-value alone would contradict; the 95 % interval reaches beyond the margin.
    made = claim("one", "+a")
    part = made.parts[0].model_copy(update={"margin": 1.0})
    trial = protocol(
        {"first": ("a",)}, [made.model_copy(update={"parts": (part,)})], families=[family("first", level=0.2)]
    )
    assert decided(trial, -0.5, 1.0) == Word.INCONCLUSIVE
    assert decided(trial, -1.5, 1.0) == Word.CONTRADICTED


def decided(trial: Protocol, estimate: float, margin: float) -> int:
    """The word for an estimate with standard error 1 whose p-values are those against the margin."""
    one = measured(trial, {"a": ndtr(np.array([-(estimate - margin)]))})[0]
    numbers = {
        "estimate": estimate,
        "standard_error": 1.0,
        "df": np.inf,
        "lower": estimate - 1.96,
        "upper": estimate + 1.96,
    }
    values = {**one.values, **{name: np.array([number]) for name, number in numbers.items()}}
    (claimed,) = decide(trial, (dataclasses.replace(one, values=values),))
    return int(claimed.words[0])
