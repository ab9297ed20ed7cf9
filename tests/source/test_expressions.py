"""Expressions decide, or say what is missing: Kleene's three-valued logic, and no other exception whatever the text."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.source.expressions import LONGEST_EXPRESSION, Expression, ExpressionError, Verdict

TRUTH = (True, False, None)


def negation(a: bool | None) -> bool | None:
    return None if a is None else not a


def conjunction(a: bool | None, b: bool | None) -> bool | None:
    return False if False in (a, b) else None if None in (a, b) else True


def disjunction(a: bool | None, b: bool | None) -> bool | None:
    return negation(conjunction(negation(a), negation(b)))


def choice(a: bool | None, b: bool | None, c: bool | None) -> bool | None:
    return None if a is None else b if a else c


TABLE = [
    ("!a", lambda a, b, c: negation(a)),
    ("a && b", lambda a, b, c: conjunction(a, b)),
    ("a || b", lambda a, b, c: disjunction(a, b)),
    ("a && b && c", lambda a, b, c: conjunction(conjunction(a, b), c)),
    ("a || b || c", lambda a, b, c: disjunction(disjunction(a, b), c)),
    ("a && (b || c)", lambda a, b, c: conjunction(a, disjunction(b, c))),
    ("!(a && b) || c", lambda a, b, c: disjunction(negation(conjunction(a, b)), c)),
    ("a ? b : c", choice),
]


@pytest.mark.parametrize(("text", "logic"), TABLE, ids=[text for text, _ in TABLE])
@pytest.mark.parametrize("absence", ["left out", "None"])
def test_logic_has_three_values(text: str, logic: Any, absence: str) -> None:
    expression = Expression(text)
    for values in product(TRUTH, repeat=3):
        given_values = {
            name: value for name, value in zip("abc", values, strict=True) if value is not None or absence == "None"
        }
        verdict = expression.evaluate(given_values)
        assert verdict.answer is logic(*values), (text, values)
        if verdict.answer is None:
            missing = [n for n, v in zip("abc", values, strict=True) if v is None and n in expression.names]
            assert str(verdict) == f"cannot be determined: {', '.join(missing)}"
        else:
            assert str(verdict) in ("yes", "no")
            assert verdict.missing == ()


def test_a_missing_value_is_named() -> None:
    eligible = Expression("age >= 12 && age <= 35")
    assert str(eligible.evaluate({})) == "cannot be determined: age"
    assert str(eligible.evaluate({"age": None})) == "cannot be determined: age"
    assert str(eligible.evaluate({"age": float("nan")})) == "cannot be determined: age"
    assert str(eligible.evaluate({"age": 12})) == "yes"
    assert str(eligible.evaluate({"age": 35.5})) == "no"
    assert str(Expression("b > 1.0 && a > 1.0").evaluate({})) == "cannot be determined: a, b"
    assert Expression('sex == "F" && pregnant').evaluate({"sex": "M"}) == Verdict(False)


@pytest.mark.parametrize("value", [3, 3.0])
@pytest.mark.parametrize("text", ["x == 3", "x == 3.0", "x in [1, 3]", "x * 2.0 == 6.0", "x >= 3 && x < 3.5", "-x < 0"])
def test_an_answer_does_not_depend_on_how_a_number_was_stored(text: str, value: float) -> None:
    assert Expression(text).evaluate({"x": value}).answer is True


def test_true_is_not_one() -> None:
    assert Expression("x == 1").evaluate({"x": True}).answer is False
    assert Expression("x").evaluate({"x": True}).answer is True


@pytest.mark.parametrize(
    ("text", "values", "reason"),
    [
        ("x > 1", {"x": "text"}, "No such overload"),
        ("x", {"x": 3}, "the expression gives float, not true or false"),
        ("1 / 0 > x", {"x": 1}, "division by zero"),
        ("9223372036854775807 + 1 > x", {"x": 1}, "overflow"),
        ("round(x) > 1", {"x": 1}, "round"),
        ("x.y > 1", {"x": 1}, "No such overload"),
        ("'x'.matches('(((')", {}, "regex"),
    ],
)
def test_what_cannot_be_computed_gives_a_reason_and_no_exception(
    text: str, values: dict[str, Any], reason: str
) -> None:
    verdict = Expression(text).evaluate(values)
    assert verdict.answer is None
    assert reason in str(verdict)
    assert str(verdict).startswith("cannot be determined: ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it ends too early"),
        ("age >", "it ends too early"),
        ("age => 3", "unexpected '=>' at character 5"),
        ("age >= 3 3", "unexpected '3' at character 10"),
        ("é > 3", "unexpected 'é' at character 1"),
        ("'abc", "at character 1"),
        ("99999999999999999999", "invalid int literal"),
        ("if", "reserved identifier"),
        ("(" * 3000 + "a" + ")" * 900, ""),
        ("(" * 100_000 + "a" + ")" * 100_000, "it has 200,001 characters"),
        ("a" * (LONGEST_EXPRESSION + 1), "it has 4,001 characters"),
        ("[" * 2000, ""),
        ("a?" * 1999, ""),
        ("\0", ""),
    ],
)
def test_what_is_no_expression_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        Expression(text)
    assert words in str(caught.value)
    assert "expecting" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["!" * 3999 + "a", "a" + " || a" * 799, "-" * 3990 + "1 < 2", "a" + ".b" * 1999, "'" + "x" * 3998 + "'"]
)
def test_the_longest_expressions_do_not_break_the_machine(text: str) -> None:
    assert Expression(text).evaluate({"a": True}) is not None


# fmt: off
PIECES = st.sampled_from(
    [
        "a", "b", "x", "1", "1.5", "'t'", "(", ")", "[", "]", "{", "}", ".", "?", ":", "&&", "||", "!", "-",
        "+", "*", "/", "%", "==", "!=", "<", ">=", " in ", "true", "null", "has(", "all(", "size(", ",", "r'",
        "b'", "0x", "1u", "'''", "\\", "\n", "//", "`", "é", "\u2028", "@", "#", "$", "exists(x,", "map(",
        "1e999", "'\\U00110000'", "msg{", "..", ";", "?.", "[?",
    ]
)
# fmt: on


@given(st.lists(PIECES, max_size=12).map(" ".join) | st.text(max_size=30))
@settings(deadline=None, max_examples=300)
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        expression = Expression(text)
    except ExpressionError:
        return
    verdict = expression.evaluate({"a": 1.5, "b": True, "x": "text"})
    assert isinstance(verdict.answer, bool) or str(verdict).startswith("cannot be determined: ")
    expression.misfit(dict.fromkeys(expression.names, "number"))


def test_a_panic_of_the_compiler_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    panic = type("PanicException", (BaseException,), {})

    def compile_badly(text: str) -> None:
        raise panic(text)

    monkeypatch.setattr("cel.compile", compile_badly)
    with pytest.raises(ExpressionError, match="cannot read it"):
        Expression("a")


def test_an_interruption_is_not_taken_for_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(text: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cel.compile", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Expression("a")


def test_expressions_are_values() -> None:
    assert Expression("a > 1") == Expression("a > 1") != Expression("a > 2")
    assert len({Expression("a"), Expression("a")}) == 1
    assert repr(Expression("a > 1")) == "Expression('a > 1')"
    assert Expression("b && a > b").unknown_names({"a"}) == ("b",)
