"""What an unquoted YAML scalar means: the YAML 1.2 core schema, less what JSON cannot hold.

The core schema (YAML 1.2.2, section 10.3.2) reads `no`, `on`, `1_000`, `12:30` and 2022-01-01 as text.
Numbers that another reader may take for something else (007, 0o7, 0x1F) or that JSON lacks (.inf, .nan) are
refused.
"""

from __future__ import annotations

import re
from math import isinf

LARGEST_INTEGER = 2**53 - 1  # beyond it JSON readers disagree about the value (RFC 8785, RFC 7493)

_NULL = re.compile(r"(?:~|null|Null|NULL|)\Z")
_BOOLEAN = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_JSON = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)|0o[0-7]+|0x[0-9a-fA-F]+)\Z")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]")

Scalar = str | int | float | bool | None


class JsonNumberError(ValueError):
    """The text is a number to YAML that JSON cannot hold, or that readers of YAML read differently."""

    def __init__(self, message: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(message)


def plain_scalar(text: str) -> Scalar:
    """The value of the unquoted scalar `text`; raises JsonNumberError."""
    if _NULL.match(text):
        return None
    if _BOOLEAN.match(text):
        return text.lower() == "true"
    if _NOT_JSON.match(text):
        raise JsonNumberError(
            "this is no decimal number", "Write an ordinary decimal number, or put the text in quotes."
        )
    if not _FLOAT.match(text):
        return text
    if _LEADING_ZERO.match(text):
        remedy = "Leave out the leading zeros, or put the text in quotes."
        raise JsonNumberError("a number with leading zeros is octal to some readers", remedy)
    return _whole(text) if _INTEGER.match(text) else _fraction(text)


def _whole(text: str) -> int:
    if len(text) < 18 and abs(int(text)) <= LARGEST_INTEGER:  # the length first: int() of a million digits is slow
        return int(text)
    raise JsonNumberError("the whole number is beyond 2^53", "Write it with an exponent, or put it in quotes.")


def _fraction(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise JsonNumberError("the number is beyond 1.8e308", "Write a smaller number.")
    return number
