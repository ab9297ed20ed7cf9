"""From the bytes of a file to text that every reader of YAML sees alike."""

from __future__ import annotations

import re

# Characters that YAML 1.2 does not print (section 5.1), and three that end a line for YAML 1.1 readers only.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_END = re.compile(r"\r\n|\r|\n")


def decoded(raw: bytes) -> str:
    """The text of UTF-8 bytes, without a byte order mark; raises UnicodeDecodeError."""
    return raw.decode("utf-8-sig")


def forbidden_characters(text: str) -> list[tuple[int, str]]:
    """The line and name (``U+0007``) of each character that may not stand in a document, once a line."""
    if not _FORBIDDEN.search(text):
        return []
    return [
        (number, f"U+{ord(character):04X}")
        for number, line in enumerate(_LINE_END.split(text), start=1)
        for character in dict.fromkeys(_FORBIDDEN.findall(line))
    ]


def joined_surrogates(text: str) -> str:
    r"""The text with JSON's escaped pairs (``\ud83d\ude00``) joined; raises UnicodeError for half a pair."""
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
