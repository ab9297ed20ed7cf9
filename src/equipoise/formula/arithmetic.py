"""Arithmetic in a formula, ``log(x)`` or ``I(x^2 / 100)``: read, computed and written as R writes it.

This is a small calculator of its own. Python never sees an expression, so that no formula can run anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from equipoise.formula.tokens import Token, label_of, refuse
from equipoise.stats.arrays import Floats

FUNCTIONS: dict[str, Callable[[Floats], Floats]] = {"I": np.asarray, "exp": np.exp, "log": np.log, "sqrt": np.sqrt}
"""What a formula may call, each with one argument."""
OPERATIONS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
}
LONGEST = 100
"""Words in one expression, so that none is too deep to compute."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A number, a column, or an operation on expressions.

    head: ``number``, ``column``, ``group`` (parentheses), a function's name, or an operator (``-`` with one part is a
    sign). text: of the number, or the column's name. position: in the formula.
    """

    head: str
    parts: tuple[Expression, ...] = ()
    text: str = ""
    position: int = 0

    @property
    def label(self) -> str:
        """As R writes it."""
        match self.head, [part.label for part in self.parts]:
            case "number", _:
                return _number(self.text)
            case "column", _:
                return label_of(self.text)
            case "group", [inner]:
                return f"({inner})"
            case "-", [inner]:
                return f"-{inner}"
            case "/" | "^" as sign, [left, right]:
                return f"{left}{sign}{right}"
            case sign, [left, right]:
                return f"{left} {sign} {right}"
            case function, [inner]:
                return f"{function}({inner})"
        raise AssertionError(self.head)

    @property
    def is_column(self) -> bool:
        """Whether it is a column as it stands."""
        return self.head == "column"

    def columns(self) -> Iterator[Expression]:
        """Every column in it, in order."""
        if self.is_column:
            yield self
        for part in self.parts:
            yield from part.columns()

    def value(self, of: Callable[[str], Floats]) -> Floats:
        """Its values (N,) or one number, where ``of`` gives the values of a column. Not finite where undefined."""
        with np.errstate(all="ignore"):
            return self._value(of)

    def _value(self, of: Callable[[str], Floats]) -> Floats:
        match self.head, [part._value(of) for part in self.parts]:
            case "number", _:
                return np.array(float(self.text))
            case "column", _:
                return of(self.text)
            case "group", [inner]:
                return inner
            case "-", [inner]:
                return np.negative(inner)
            case sign, [left, right]:
                return OPERATIONS[sign](left, right)
            case function, [inner]:
                return FUNCTIONS[function](inner)
        raise AssertionError(self.head)


class Reader:
    """The words of a formula, of which the next one is looked at or taken."""

    def __init__(self, text: str, words: tuple[Token, ...]) -> None:
        self.text = text
        self._words = words
        self.place = 0

    def next(self, ahead: int = 0) -> Token:
        """The next word, or one further ahead."""
        return self._words[min(self.place + ahead, len(self._words) - 1)]

    def take(self) -> Token:
        """The next word, which then is behind."""
        word = self.next()
        self.place += 1
        return word

    def at(self, *texts: str) -> bool:
        """Whether the next word is one of these operators."""
        word = self.next()
        return word.kind == "operator" and word.text in texts

    def expect(self, text: str, after: str) -> None:
        """Take the operator that must stand here."""
        if not self.at(text):
            self.unexpected(f"'{text}' {after}")
        self.take()

    def unexpected(self, wanted: str) -> None:
        """Refuse the next word: something else was wanted."""
        word = self.next()
        if word.kind == "end":
            refuse(
                self.text, word.position, "formula-ends", f"The formula ends where {wanted} is wanted", "Complete it."
            )
        message = f"{word.text!r} stands where {wanted} is wanted"
        remedy = "A formula has names, + - * : ^ ( ), 0 or 1, and log, sqrt, exp or I; odd names go in back quotes."
        refuse(self.text, word.position, "formula-word", message, remedy)

    def calls(self) -> bool:
        """Whether a name with a parenthesis comes next."""
        after = self.next(1)
        return self.next().kind == "name" and after.kind == "operator" and after.text == "("


def call(words: Reader) -> Expression:
    """A function with its argument. InputError: a function that is not in the list, or no arithmetic in it."""
    name = words.take()
    start = words.place
    if name.text not in FUNCTIONS:
        remedy = "Put the result in a column of the data and name that column."
        if name.text.lower() in ("factor", "as.factor", "c", "ordered"):
            remedy = "Make the column a category of the data frame (polars Enum, pandas Categorical) and name it."
        message = f"A formula may call {', '.join(sorted(FUNCTIONS))}, nothing else"
        refuse(words.text, name.position, "formula-function", message, remedy, name.text)
    words.expect("(", f"after {name.text}")
    inner = arithmetic(words)
    words.expect(")", f"after the argument of {name.text}, which takes one,")
    if words.place - start > LONGEST:
        message = f"An expression has at most {LONGEST} words"
        refuse(words.text, name.position, "formula-length", message, "Put its result in a column of the data.")
    return Expression(name.text, (inner,), position=name.position)


def arithmetic(words: Reader) -> Expression:
    """Sums of products of powers, from here as far as they go. InputError: at the first word that does not fit."""
    start = words.place
    found = _product(words)
    while words.at("+", "-"):
        sign = words.take()
        found = Expression(sign.text, (found, _product(words)), position=sign.position)
        _limit(words, start)
    return found


def _product(words: Reader) -> Expression:
    start = words.place
    found = _signed(words)
    while words.at("*", "/"):
        sign = words.take()
        found = Expression(sign.text, (found, _signed(words)), position=sign.position)
        _limit(words, start)
    return found


def _signed(words: Reader) -> Expression:
    if words.at("-"):
        sign = words.take()
        if words.at("-", "+"):
            words.unexpected("a number or a name")
        return Expression("-", (_signed(words),), position=sign.position)
    return _power(words)


def _power(words: Reader) -> Expression:
    found = _single(words)
    if not words.at("^"):
        return found
    sign = words.take()
    right = _signed(words)
    if words.at("^") or right.head == "^":
        refuse(words.text, sign.position, "formula-power", "A power of a power is not clear", "Use parentheses.")
    return Expression("^", (found, right), position=sign.position)


def _single(words: Reader) -> Expression:
    if words.calls():
        return call(words)
    word = words.next()
    if words.at("("):
        words.take()
        inner = arithmetic(words)
        words.expect(")", "to close the parenthesis")
        return Expression("group", (inner,), position=word.position)
    if word.kind not in ("name", "number"):
        words.unexpected("a number or a name")
    words.take()
    return Expression("column" if word.kind == "name" else "number", (), word.text, word.position)


def _limit(words: Reader, start: int) -> None:
    if words.place - start > LONGEST:
        message = f"An expression has at most {LONGEST} words"
        refuse(words.text, words.next().position, "formula-length", message, "Put its result in a column of the data.")


def _number(text: str) -> str:
    """A number as R writes it: 15 digits, and with an exponent where that is shorter."""
    if not math.isfinite(float(text)):
        return "Inf"
    exact = Decimal(f"{float(text):.15g}").normalize()
    plain = f"{exact:f}"
    sign, digits, exponent = exact.as_tuple()
    assert isinstance(exponent, int)
    power = exponent + len(digits) - 1
    mantissa = "".join(map(str, digits))
    mantissa = mantissa[0] + ("." + mantissa[1:] if len(mantissa) > 1 else "")
    scientific = f"{'-' if sign else ''}{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"
    return plain if len(plain) <= len(scientific) else scientific
