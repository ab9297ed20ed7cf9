"""Expressions in the Common Expression Language (CEL), with a third answer: cannot be determined.

CEL has no side effects and no access to the machine, and an expression that passes `misfit` has no loop
either, so it is safe to run one from a file. Logic is CEL's own three-valued kind: a missing value leaves
``a || b`` undetermined only where the other side does not decide.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any

import cel

from equipoise.source.expression_types import Kind, MisfitError, check_types

LONGEST_EXPRESSION = 4000  # characters; the compiler's memory grows with nesting, and criteria have some 50

# The compiler's words: place, then complaint.
_PLACE = re.compile(r"<input>:\d+:(\d+): (?:Syntax error: )?")
_UNEXPECTED = re.compile(
    r"(?:token recognition error at: |(?:mismatched|extraneous) input |no viable alternative at input )"
)

_NOT_NAMES = frozenset({"true", "false", "null"})


class ExpressionError(ValueError):
    """The text is not a CEL expression."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of an expression: True, False, or None with the names whose values are missing.

    missing:  every name of the expression without a value, where there is no answer.
    reason:   why there is no answer though nothing is missing (division by nought, a value of another type).
    """

    answer: bool | None
    missing: tuple[str, ...] = ()
    reason: str = ""

    def __str__(self) -> str:
        if self.answer is not None:
            return "yes" if self.answer else "no"
        return f"cannot be determined: {', '.join(self.missing) or self.reason}"


class Expression:
    """A compiled expression. Immutable; equal to another with the same text."""

    __slots__ = ("_program", "names", "text")

    def __init__(self, text: str) -> None:
        """Compile `text`; raises ExpressionError with CEL's words where it is no expression."""
        if len(text) > LONGEST_EXPRESSION:
            raise ExpressionError(f"it has {len(text):,} characters, more than {LONGEST_EXPRESSION:,}")
        self._program = _compiled(text)
        self.text = text
        self.names: tuple[str, ...] = tuple(n for n in self._program.variables() if n not in _NOT_NAMES)

    def unknown_names(self, known: Collection[str]) -> tuple[str, ...]:
        """The names in the expression that are not in `known`."""
        return tuple(name for name in self.names if name not in known)

    def misfit(self, types: Mapping[str, Kind]) -> MisfitError | None:
        """Why the expression cannot give true or false for variables of these types; None where it can.

        `types` must hold every name of the expression.
        """
        try:
            check_types(self.text, types)
        except MisfitError as error:
            return error
        return None

    def evaluate(self, values: Mapping[str, Any]) -> Verdict:
        """Decide the expression; a name absent from `values`, or None or NaN there, is a missing value.

        Whole numbers are taken as decimal ones, so that an answer does not depend on how a value was stored.
        """
        present = {name: _plain(values[name]) for name in self.names if not _is_missing(values.get(name))}
        missing = tuple(name for name in self.names if name not in present)
        try:
            answer = self._program.execute(present)
        except (RuntimeError, TypeError, ValueError, ArithmeticError) as error:
            return Verdict(None, missing, "" if missing else _first_cause(str(error)))
        if not isinstance(answer, bool):
            return Verdict(None, (), f"the expression gives {type(answer).__name__}, not true or false")
        return Verdict(answer)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


def _compiled(text: str) -> cel.Program:
    try:
        return cel.compile(text)
    except ValueError as error:
        raise ExpressionError(_first_cause(str(error))) from None
    except BaseException as error:
        # A panic of the compiler, written in Rust, derives from BaseException alone and cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        raise ExpressionError("the compiler cannot read it") from None


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and isnan(value))


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _first_cause(text: str) -> str:
    """The compiler's first complaint in plainer words, without its list of what it would have taken."""
    line = next((line for line in text.splitlines() if line.strip()), text)
    cause = line.split("ERROR: ", 1)[-1].strip().split(" expecting ", 1)[0]
    place = _PLACE.match(cause)
    if place is None:
        return cause
    if "<EOF>" in cause:
        return "it ends too early"
    words = _UNEXPECTED.sub("unexpected ", cause[place.end() :])
    return f"{words} at character {place.group(1)}"
