"""What passes the check of types always gives true or false; what would be false by mistake does not pass."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.source.expression_types import Kind
from equipoise.source.expressions import Expression, ExpressionError

TYPES: dict[str, Kind] = {"age": "number", "weight": "number", "sex": "text", "site": "text", "pregnant": "boolean"}


@pytest.mark.parametrize(
    "text",
    [
        "age > 18",
        "18 <= age && age < 40.5",
        "age == 1 || age == 2.5",
        "age in [18, 19.5]",
        'sex == "F" && pregnant',
        'sex in ["F", "M"] && !(site == "")',
        '"F" in [sex, site]',
        "pregnant",
        "!pregnant",
        "!!pregnant == true",
        "true",
        "-age < -18",
        "---age < 3",
        "age + weight * 2.0 - 1.5e1 > 3",
        "age / weight > .5",
        "1 + 2 > age",
        "7 % 2 == 1",
        "pregnant ? age > 18 : age > 12",
        "pregnant ? age > 18 : sex == 'F' ? true : age < 3",
        "(pregnant ? 18 : age) > 4",
        "size(sex) > 1",
        "sex.startsWith('F') || sex.endsWith(site) || sex.contains('x')",
        "sex < 'M'",
        "age >= 12 // a comment\n && true",
        "((((age)))) > 1",
        "r'\\d' == sex",
        "'''three''' != \"\"\"quotes\"\"\"",
    ],
)
def test_sound_expressions_pass(text: str) -> None:
    expression = Expression(text)
    assert expression.misfit(TYPES) is None
    values = {"age": 20, "weight": 70.0, "sex": "F", "site": "north", "pregnant": False}
    assert expression.evaluate(values).answer in (True, False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sex == 1", "a text is compared with a whole number by =="),
        ("age == 'F'", "a number is compared with a text by =="),
        ("pregnant == 'no'", "a boolean is compared with a text by =="),
        ("age != true", "a number is compared with a boolean by !="),
        ("pregnant < true", "a boolean is compared with a boolean by <"),
        ("age > 3 > 2", "a boolean is compared with a whole number by >"),
        ("age in ['a']", "a number is looked for in a list of text"),
        ("sex in [1, 2]", "a text is looked for in a list of whole number"),
        ("sex in 'FM'", "a text is looked for in a text"),
        ("age in []", "a number is looked for in a list of nothing"),
        ("age in [1, 'a']", "the items of a list are of different types"),
        ("[1] == [1]", "a list of whole number is compared with a list of whole number by =="),
        ("age in [[1]]", "the items of a list are of different types"),
        ("age", "the expression gives a number, not true or false"),
        ("'yes'", "the expression gives a text, not true or false"),
        ("[pregnant]", "the expression gives a list of boolean, not true or false"),
        ("!age", "a number stands after !"),
        ("-sex < 3", "a text stands after -"),
        ("age && pregnant", "a number stands before &&"),
        ("pregnant || sex", "a text stands after ||"),
        ("age ? true : false", "a number stands before ?"),
        ("(pregnant ? age : sex) == 'F'", "the two answers of ?: are a number and a text"),
        ("age + 1 > 2", "+ joins a number and a whole number, which CEL never mixes"),
        ("age % 2.0 == 0.0", "% is defined for whole numbers only"),
        ("sex + site == 'FM'", "+ stands between a text and a text"),
        ("round(age) > 1", "the expression uses round(), which criteria may not"),
        ("sex.matches('F')", "the expression uses matches(), which criteria may not"),
        ("startsWith(sex, 'F')", "startsWith is not used as it must be"),
        ("sex.size() > 1", "size is not used as it must be"),
        ("size(age) > 1", "size is not used as it must be"),
        ("[1].all(age, age > 0)", "the expression uses all(), which criteria may not"),
        ("[1].exists(age, age > 0)", "the expression uses exists(), which criteria may not"),
        ("age == null", "the expression uses null, which criteria may not"),
        ("age.years > 1", "the expression uses .years, which criteria may not"),
        ("age[0] > 1", "the expression uses [, which criteria may not"),
        ("{'a': 1}.a == 1", "the expression uses {, which criteria may not"),
        ("1u < age", "the expression uses u, which criteria may not"),
        ("0x10 < age", "the expression uses x10, which criteria may not"),
        ("b'F' == sex", "which criteria may not"),
        ("has(age.x)", "the expression uses .x, which criteria may not"),
    ],
)
def test_misfits_are_told_in_words(text: str, words: str) -> None:
    misfit = Expression(text).misfit(TYPES)
    assert misfit is not None
    assert words in str(misfit)
    assert misfit.remedy.endswith(".")


ATOMS = st.sampled_from(
    ["age", "weight", "sex", "site", "pregnant", "1", "2.5", "'F'", "true", "false", "[1, 2.5]", "['F']"]
)
JOINTS = st.sampled_from(["&&", "||", "==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/", "%"])


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return (
        st.tuples(inner, JOINTS, inner).map(" ".join)
        | inner.map("({})".format)
        | inner.map("!({})".format)
        | inner.map("-{}".format)
        | inner.map("size({})".format)
        | st.tuples(inner, inner).map(lambda pair: "({}).startsWith({})".format(*pair))
        | st.tuples(inner, inner, inner).map(lambda three: "({} ? {} : {})".format(*three))
    )


EXPRESSIONS = st.recursive(ATOMS, combined, max_leaves=6)
VALUES = st.fixed_dictionaries(
    {
        "age": st.floats(-1e6, 1e6) | st.integers(-100, 100),
        "weight": st.floats(-1e6, 1e6),
        "sex": st.sampled_from(["F", "M", ""]),
        "site": st.sampled_from(["F", "north"]),
        "pregnant": st.booleans(),
    }
)


def joined(left: st.SearchStrategy[str], marks: list[str], right: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(left, st.sampled_from(marks), right).map(lambda parts: "({} {} {})".format(*parts))


def chosen(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(BOOLEANS, inner, inner).map(lambda parts: "({} ? {} : {})".format(*parts))


DECIMALS: st.SearchStrategy[str] = st.deferred(
    lambda: (
        st.sampled_from(["age", "weight", "2.5", "0.5e1"])
        | joined(DECIMALS, ["+", "-", "*"], DECIMALS)
        | DECIMALS.map("-{}".format)
        | chosen(DECIMALS)
    )
)
WHOLES: st.SearchStrategy[str] = st.deferred(
    lambda: (
        st.sampled_from(["1", "20"])
        | joined(WHOLES, ["+", "-"], WHOLES)
        | TEXTS.map("size({})".format)
        | chosen(WHOLES)
    )
)
TEXTS: st.SearchStrategy[str] = st.deferred(lambda: st.sampled_from(["sex", "site", "'F'"]) | chosen(TEXTS))
BOOLEANS: st.SearchStrategy[str] = st.deferred(
    lambda: (
        st.sampled_from(["pregnant", "true"])
        | joined(DECIMALS | WHOLES, ["==", "!=", "<", "<=", ">", ">="], DECIMALS | WHOLES)
        | joined(TEXTS, ["==", "!=", "<", ">="], TEXTS)
        | joined(BOOLEANS, ["&&", "||", "==", "!="], BOOLEANS)
        | joined(DECIMALS, ["in"], st.tuples(DECIMALS, WHOLES).map(lambda pair: "[{}, {}]".format(*pair)))
        | st.tuples(TEXTS, TEXTS).map(lambda pair: "{}.contains({})".format(*pair))
        | BOOLEANS.map("!{}".format)
        | chosen(BOOLEANS)
    )
)
# What no type can rule out: division of whole numbers by nought, and 0/0, which is no number.
ARITHMETIC = ("division by zero", "modulo by zero", "overflow", "No such overload")


@given(EXPRESSIONS, VALUES)
@settings(deadline=None, max_examples=400)
def test_whatever_passes_gives_true_or_false(text: str, values: dict[str, Any]) -> None:
    try:
        expression = Expression(text)
    except ExpressionError:
        return
    if expression.misfit(TYPES) is None:
        verdict = expression.evaluate(values)
        divides = "/" in text or "%" in text
        assert verdict.answer is not None or (divides and any(words in verdict.reason for words in ARITHMETIC)), verdict


@given(EXPRESSIONS, VALUES)
@settings(deadline=None, max_examples=400)
def test_whatever_cannot_be_computed_does_not_pass(text: str, values: dict[str, Any]) -> None:
    try:
        expression = Expression(text)
    except ExpressionError:
        return
    verdict = expression.evaluate(values)
    if verdict.answer is None and "/" not in text and "%" not in text:
        assert expression.misfit(TYPES) is not None, verdict


@given(BOOLEANS, VALUES)
@settings(deadline=None, max_examples=60)
def test_whatever_is_built_soundly_passes_and_is_decided(text: str, values: dict[str, Any]) -> None:
    try:
        expression = Expression(text)
    except ExpressionError:
        compilers_limit = text.count("(") > 50 or "--" in text or "!-" in text
        if compilers_limit:
            return
        raise
    assert expression.misfit(TYPES) is None
    assert expression.evaluate(values).answer is not None
