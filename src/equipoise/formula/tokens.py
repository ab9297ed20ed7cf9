"""A formula's text in words, each with its place, and the one way in which a formula is refused.

Nothing of a formula is ever run: the words are compared with a list, and what is not on it is refused where it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NoReturn

from equipoise.errors import InputError, Problem, shown

LONGEST = 2000
"""Characters of a formula."""
DEEPEST = 20
"""Parentheses within parentheses."""

Kind = Literal["name", "number", "operator", "other", "end"]

_WORD = re.compile(
    r"""\ *(?:
      (?P<name>(?:[^\W\d_]|\.(?!\d))[\w.]*)
    | `(?P<quoted>[^`]+)`
    | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<operator>\*\*|[-~+*/:^()|])
    | (?P<other>\w+|.)
    | (?P<end>$)
    )""",
    re.VERBOSE,
)
_SYNTACTIC = re.compile(r"(?:[^\W\d_]|\.(?!\d))[\w.]*")


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a formula and the index of its first character; ``end`` is the last one, with no text."""

    kind: Kind
    text: str
    position: int


def tokens(text: str) -> tuple[Token, ...]:
    """The words of a formula that ``plain`` has prepared; a name in back quotes loses them. Nothing is refused here."""
    found: list[Token] = []
    place = 0
    while not found or found[-1].kind != "end":
        match = _WORD.match(text, place)
        assert match is not None
        assert match.lastgroup is not None
        group, place = match.lastgroup, match.end()
        start = match.start(group) - (group == "quoted")
        kind: Kind = "name" if group == "quoted" else group  # pyright: ignore[reportAssignmentType] - the groups' names
        word = match[group]
        found.append(Token(kind, "^" if word == "**" else word, start))
    return tuple(found)


def plain(formula: object) -> str:
    """The formula as one line, each break of a line or tab a space.

    InputError: it is no text, empty, too long, or nested too deeply.
    """
    if not isinstance(formula, str):
        problem = Problem("formula", None, "", "formula-text", "A formula is text", _EXAMPLE, shown(formula))
        raise InputError("the formula cannot be used", [problem])
    text = re.sub(r"\s", " ", formula).strip()
    if not text:
        refuse(text, 0, "formula-text", "A formula is text, and this one is empty", _EXAMPLE)
    if len(text) > LONGEST:
        message = f"A formula has at most {LONGEST} characters, and this one has {len(text)}"
        problem = Problem(
            "formula", None, "", "formula-length", message, "Leave terms out, or give columns short names."
        )
        raise InputError("the formula cannot be used", [problem])
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth > DEEPEST:
            refuse(text, place, "formula-depth", f"More than {DEEPEST} parentheses are open here", "Write it flat.")
    return text


_EXAMPLE = "Write, for example, 'FEV1 ~ ARMCD * AVISIT + us(AVISIT | USUBJID)'."


def refuse(text: str, position: int, rule: str, message: str, remedy: str, value: str | None = None) -> NoReturn:
    """Refuse a formula at a place, under which the message puts a mark.

    InputError: always.
    """
    first = max(0, position - 60)
    line = text[first : first + 110]
    summary = f"the formula cannot be used\n    {line}\n    {' ' * (position - first)}^"
    where = f"character {position + 1}"
    raise InputError(summary, [Problem("formula", None, where, rule, message, remedy, value and shown(value))])


def label_of(name: str) -> str:
    """A column's name as R writes it in a term: in back quotes unless letters, digits, dots and underscores."""
    return name if _SYNTACTIC.fullmatch(name) else f"`{name}`"
