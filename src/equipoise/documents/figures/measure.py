"""Widths of words and where lines break, measured in the font that matplotlib carries."""

from __future__ import annotations

import re
from functools import lru_cache

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

FAMILY = "DejaVu Sans"
_PATHS = TextToPath()
_BREAKS = re.compile(r"[ \t\r\n]+")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def printable(text: str) -> str:
    """The text with a space for each character that no picture can hold."""
    return _UNPRINTABLE.sub(" ", text)


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, bold: bool = False) -> float:
    """The width of one line of text at `size` pixels, in pixels."""
    font = FontProperties(family=FAMILY, size=size, weight="bold" if bold else "normal")
    return float(_PATHS.get_text_width_height_descent(printable(text), font, ismath=False)[0])


def widest(texts: tuple[str, ...] | list[str], size: float, bold: bool = False) -> float:
    """The width of the widest of several lines; 0 of none."""
    return max((text_width(text, size, bold) for text in texts), default=0.0)


def wrapped(text: str, room: float, size: float, bold: bool = False) -> tuple[str, ...]:
    """The text in lines no wider than `room` pixels; a word that is wider by itself is broken where it must be.

    Text without words gives no line. Lines never break at a no-break space, and a single letter stands even where
    there is no room for it.
    """
    lines: list[str] = []
    line = ""
    for word in filter(None, _BREAKS.split(text)):
        longer = f"{line} {word}" if line else word
        if text_width(longer, size, bold) <= room:
            line = longer
            continue
        if line:
            lines.append(line)
        *full, line = _pieces(word, room, size, bold)
        lines += full
    return (*lines, line) if line else tuple(lines)


def _pieces(word: str, room: float, size: float, bold: bool) -> list[str]:
    """A word in pieces that fit, broken after its last hyphen or slash that fits, else after its last letter."""
    pieces: list[str] = []
    while text_width(word, size, bold) > room and len(word) > 1:
        fit = 1
        while fit < len(word) and text_width(word[: fit + 1], size, bold) <= room:
            fit += 1
        fit = 1 + max((i for i in range(fit) if word[i] in "-/" and i > 0), default=fit - 1)
        pieces.append(word[:fit])
        word = word[fit:]
    return [*pieces, word] if word else pieces
