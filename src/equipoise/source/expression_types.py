"""Check the types of a CEL expression before it is ever evaluated.

CEL compares values of different types without complaint (``sex == 1`` is false for every text), and finds a
function that does not exist only when it calls it. A criterion must not be false by mistake, so expressions
in documents keep to a part of CEL that can be checked: declared variables, literals, lists of literals, ``!
&& || ?:``, comparisons, ``in``, arithmetic, and the functions of `_FUNCTIONS`. Comprehensions (``all``,
``exists``, ``map``) are left out; they are also the one way to write an expression that runs for ever.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "boolean", "text"]

# Types: those of variables; WHOLE for CEL's int, which `+ - * / %` never mix with its double; `list of …`.
WHOLE = "whole number"
_NUMERIC = frozenset({"number", WHOLE})
_FUNCTIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "size": (("text",), WHOLE),
    "startsWith": (("text", "text"), "boolean"),
    "endsWith": (("text", "text"), "boolean"),
    "contains": (("text", "text"), "boolean"),
}
_BINDING = {"?": 1, "||": 2, "&&": 3, "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "in": 4} | {
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "%": 6,
}

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<text>[rR]?(?:\"\"\".*?\"\"\"|'''.*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'))
    |(?P<number>(?:[0-9]+\.[0-9]+|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<mark>&&|\|\||[=!<>]=|[-+*/%<>!?:.,()\[\]])""",
    re.VERBOSE | re.DOTALL,
)


class MisfitError(ValueError):
    """The expression compiles, but its types do not fit; its text says where, `remedy` what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def check_types(text: str, types: Mapping[str, Kind]) -> None:
    """Raise MisfitError unless `text`, which compiles, gives true or false for variables of these types."""
    try:
        found = _Checker(_tokens(text), types).whole()
    except RecursionError:
        raise MisfitError("the expression is nested too deeply", "Write it flatter.") from None
    if found != "boolean":
        raise MisfitError(f"the expression gives a {found}, not true or false", "Compare it with something.")


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unsupported(text[position])
        position = match.end()
        kind = str(match.lastgroup)
        if kind != "space":
            tokens.append(_Token("mark" if match.group() == "in" else kind, match.group()))
    return [*tokens, _Token("end", "")]


class _Checker:
    """A precedence climber over the tokens of one expression that computes types instead of values."""

    def __init__(self, tokens: list[_Token], types: Mapping[str, Kind]) -> None:
        self._tokens = tokens
        self._types = types
        self._at = 0

    def whole(self) -> str:
        found = self._expression(0)
        if self._next().kind != "end":
            raise _unsupported(self._tokens[self._at].text)
        return found

    def _expression(self, binding: int) -> str:
        left = self._operand()
        while _BINDING.get(self._mark(), 0) > binding:
            operator = self._take()
            if operator == "?":
                left = self._choice(left)
            else:
                left = _combined(operator, left, self._expression(_BINDING[operator]))
        return left

    def _choice(self, condition: str) -> str:
        _want(condition, "boolean", "before ?")
        first = self._expression(1)
        self._expect(":")
        second = self._expression(0)  # the rest of the chain: ?: binds to the right
        if not _comparable(first, second):
            raise MisfitError(f"the two answers of ?: are a {first} and a {second}", "Let both be of one type.")
        return second if first == WHOLE else first

    def _operand(self) -> str:
        negations = 0
        signs: list[str] = []
        while self._mark() in ("!", "-"):
            signs.append(self._take())
            negations += 1
        found = self._members(self._primary())
        for sign in reversed(signs):
            if sign == "!":
                _want(found, "boolean", "after !")
            elif found not in _NUMERIC:
                raise MisfitError(f"a {found} stands after -", "Use a number there.")
        return found

    def _members(self, found: str) -> str:
        while self._mark() == ".":
            self._take()
            name = self._next()
            if self._take_name(name) and self._mark() == "(":
                found = self._call(name.text, [found])
            else:
                raise _unsupported(f".{name.text}")
        return found

    def _primary(self) -> str:
        token = self._next()
        self._at += 1
        if token.kind == "text":
            return "text"
        if token.kind == "number":
            return WHOLE if token.text.isdecimal() else "number"
        if token.text == "(":
            found = self._expression(0)
            self._expect(")")
            return found
        if token.text == "[":
            return self._list()
        if token.kind != "name" or token.text == "null":
            raise _unsupported(token.text)
        if token.text in ("true", "false"):
            return "boolean"
        return self._call(token.text, []) if self._mark() == "(" else self._types.get(token.text, "number")

    def _list(self) -> str:
        kinds = self._arguments("]")
        first = kinds[0] if kinds else "nothing"
        if first.startswith("list") or any(not _comparable(first, kind) for kind in kinds):
            raise MisfitError("the items of a list are of different types", "List values of one type.")
        return f"list of {first}"

    def _call(self, name: str, receiver: list[str]) -> str:
        self._expect("(")
        given = (*receiver, *self._arguments(")"))
        if name not in _FUNCTIONS:
            raise _unsupported(f"{name}()")
        wanted, gives = _FUNCTIONS[name]
        if given != wanted or bool(receiver) != (len(wanted) > 1):
            form = "size(text)" if name == "size" else f"text.{name}(text)"
            raise MisfitError(f"{name} is not used as it must be", f"Write {form}.")
        return gives

    def _arguments(self, closing: str) -> list[str]:
        kinds: list[str] = []
        while self._mark() != closing:
            kinds.append(self._expression(0))
            if self._mark() == ",":
                self._take()
            elif self._mark() != closing:
                raise _unsupported(self._next().text)
        self._take()
        return kinds

    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _mark(self) -> str:
        token = self._tokens[self._at]
        return token.text if token.kind == "mark" else ""

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1].text

    def _take_name(self, token: _Token) -> bool:
        self._at += token.kind == "name"
        return token.kind == "name"

    def _expect(self, mark: str) -> None:
        if self._mark() != mark:
            raise _unsupported(self._next().text)
        self._take()


def _combined(operator: str, left: str, right: str) -> str:
    if operator in ("&&", "||"):
        _want(left, "boolean", f"before {operator}")
        _want(right, "boolean", f"after {operator}")
        return "boolean"
    if operator == "in":
        if not right.startswith("list of ") or not _comparable(left, right.removeprefix("list of ")):
            raise MisfitError(
                f"a {left} is looked for in a {right}", "Write `name in [value, value]`, all of one type."
            )
        return "boolean"
    if operator in ("+", "-", "*", "/", "%"):
        return _arithmetic(operator, left, right)
    ordered = operator not in ("==", "!=")
    if not _comparable(left, right) or left.startswith("list") or (ordered and left == "boolean"):
        raise MisfitError(f"a {left} is compared with a {right} by {operator}", "Compare values of one type.")
    return "boolean"


def _arithmetic(operator: str, left: str, right: str) -> str:
    if left not in _NUMERIC or right not in _NUMERIC:
        raise MisfitError(f"{operator} stands between a {left} and a {right}", "Calculate with numbers only.")
    if left != right:
        remedy = "Write it with a decimal point: 2.0 for 2."
        raise MisfitError(f"{operator} joins a number and a whole number, which CEL never mixes", remedy)
    if operator == "%" and left == "number":
        raise MisfitError("% is defined for whole numbers only, and variables are decimal", "Leave out %.")
    return left


def _comparable(first: str, second: str) -> bool:
    return first == second or {first, second} <= _NUMERIC


def _want(found: str, wanted: str, place: str) -> None:
    if found != wanted:
        raise MisfitError(f"a {found} stands {place}", "Let true or false stand there: compare it with something.")


def _unsupported(what: str) -> MisfitError:
    remedy = "Use variables, numbers, text, lists, comparisons, && || ! and ?: only."
    return MisfitError(f"the expression uses {what or 'an end'}, which criteria may not", remedy)
