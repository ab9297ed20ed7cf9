"""A table on A4: upright or on its side, how large its type, how wide its columns, so that no word is cut off.

Everything is measured in DejaVu Sans, which matplotlib carries and which is wider than the usual fonts of a word
processor: what has room here has room there. All lengths are in points (1/72 inch).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from equipoise.documents.model import Row, Table
from equipoise.documents.runs import plain

if TYPE_CHECKING:
    from matplotlib.ft2font import FT2Font

SHORT, LONG = 595.28, 841.89
SIDE, TOP, BOTTOM = 51.0, 62.0, 54.0
PADDING = 3.0
INDENT = 9.0
UPRIGHT, LYING = SHORT - 2 * SIDE, LONG - 2 * SIDE
_BODY_UPRIGHT, _BODY_LYING = LONG - TOP - BOTTOM, SHORT - TOP - BOTTOM
# Whether it lies, the size of its type, and how much dearer a page of it is than one that reads best.
_CANDIDATES = (
    (False, 8.5, 1.0),
    (False, 7.5, 1.2),
    (True, 8.0, 1.4),
    (True, 7.0, 1.7),
    (False, 6.5, 2.0),
    (True, 6.0, 2.4),
    (True, 5.5, 3.0),
    (False, 5.5, 3.5),
)
_SMALLEST = 5.5
KEPT = 260.0  # a table up to this height is not torn apart
_TALLEST = LONG - TOP - BOTTOM - 60.0
_HALF = 315.0  # of a page, caption and spacing left out
_STEPS = 40
_WIDEST_WORD = 15.0  # in ems: longer ones are paths and digests, which may break anywhere
_WHOLE = 24  # a right-aligned text of so many letters is a number, which stays on one line
_BREAKS = re.compile(r"(?<=[./_:\-,=])(?=[^\s\d])")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_SPACE = re.compile(r"[ \t\r\n]+")
_INDENT = re.compile(r"^ |(?<= ) ")
BREAK = "\N{ZERO WIDTH SPACE}"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table lies on A4: `size` of its type, `widths` of its columns with their padding, and about its height."""

    lying: bool
    size: float
    widths: tuple[float, ...]
    height: float


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a document as a writer made it; `lying` None goes on the page of what follows it, as headings do."""

    text: str
    lying: bool | None = False


def stretches(pieces: Sequence[Piece]) -> list[tuple[bool, list[str]]]:
    """Pieces in stretches of pages that lie the same way."""
    ways: list[bool] = []
    following = False
    for piece in reversed(pieces):
        following = following if piece.lying is None else piece.lying
        ways.append(following)
    both = zip(reversed(ways), pieces, strict=True)
    return [(way, [piece.text for _, piece in group]) for way, group in groupby(both, key=lambda pair: pair[0])]


def picture_width(room: float, shape: float) -> float:
    """The width of a picture `shape` times as wide as high: two to a page where that makes it little smaller."""
    if 0.78 * room <= _HALF * shape < room:
        return _HALF * shape
    return min(room, _TALLEST * shape)


def clean(text: str) -> str:
    """The text as a page shows it: white space as one space, a replacement for each character that no file can hold."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", _SPACE.sub(" ", text))


def kept(text: str) -> tuple[str, ...]:
    """The lines of a text whose spaces matter: those that a page would fold are made unbreakable."""
    return tuple(_INDENT.sub("\N{NO-BREAK SPACE}", line.rstrip()) for line in text.expandtabs(4).split("\n"))


def fonts() -> tuple[Path, ...]:
    """The files of DejaVu Sans: Latin, Greek, Cyrillic, Arabic and Hebrew letters, in four cuts."""
    import matplotlib as mpl

    folder = Path(mpl.get_data_path(), "fonts", "ttf")
    return tuple(folder / f"DejaVuSans{cut}.ttf" for cut in ("", "-Bold", "-Oblique", "-BoldOblique"))


@cache
def covered(*, bold: bool = False) -> frozenset[int]:
    """The code points that DejaVu Sans has a letter for."""
    return frozenset(_face(bold=bold).get_charmap())


def width(text: str, *, bold: bool = False) -> float:
    """The width of one line of text, in ems."""
    return sum(_advance(letter, bold) for letter in text)


def breakable(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """The text with a place to break in every word that is wider than `room` points at `size`.

    A word breaks after its punctuation, and between any two letters where that is not enough.
    """
    if width(text, bold=bold) * size <= room:
        return text
    return "".join(piece if _SPACE.fullmatch(piece) else _cut(piece, room / size, bold) for piece in _split(text))


@lru_cache(maxsize=512)
def layout(table: Table, *, room: float = UPRIGHT, turn: bool = True) -> Layout:
    """The size and way round at which a table is shortest, a larger type and an upright page being worth some length.

    The longest word of each column has room; where that cannot be, columns share the room and words are to be broken.

    room: the width of an upright page that is left for the table.
    turn: whether the table may lie on a page of its own.
    """
    extents = _extents(table)
    best: tuple[float, Layout] | None = None
    for lying, size, price in _CANDIDATES:
        space = (LYING if lying else room) - 2 * PADDING * len(table.columns)
        if (lying and not turn) or extents.least.sum() * size > space:
            continue
        widths, height = _shared(extents, space, size)
        pages = np.ceil(height / _BODY_LYING) + 0.5 if lying else height / _BODY_UPRIGHT
        if best is None or pages * price < best[0]:
            whole = tuple(float(w) + 2 * PADDING for w in widths)
            best = (float(pages) * price, Layout(lying, size, whole, height))
    return best[1] if best else _squeezed(extents, LYING if turn else room, turn)


@dataclass(frozen=True, slots=True)
class _Extents:
    """In ems: the least width of each column, the width of its longest line, and of each cell's text (row by column).

    A heading counts as a row of its own.
    """

    least: np.ndarray
    lines: np.ndarray


def _squeezed(extents: _Extents, room: float, lying: bool) -> Layout:
    least = extents.least
    widths = max(room - 2 * PADDING * len(least), float(len(least))) * least / least.sum()
    height = _height(extents.lines * _SMALLEST, widths, _SMALLEST)
    return Layout(lying, _SMALLEST, tuple(float(w) + 2 * PADDING for w in widths), height)


def _shared(extents: _Extents, space: float, size: float) -> tuple[np.ndarray, float]:
    """Widths in points that make the table short, and about how high it is then.

    What is left over the least widths is given away in small steps, each to the column where it saves most lines.
    """
    lines = extents.lines * size
    widths, wishes = extents.least * size, np.maximum(lines.max(axis=0), extents.least * size)
    step = max((space - widths.sum()) / _STEPS, 0.0)
    for _ in range(_STEPS):
        if step == 0.0 or (widths >= wishes).all():
            break
        # A cell's lines hang on its own column alone, and a row is as high as its highest cell.
        high, wider = _wrapped(lines, widths), _wrapped(lines, widths + step)
        others = np.array([np.delete(high, column, axis=1).max(axis=1, initial=0.0) for column in range(len(widths))]).T
        saved = high.max(axis=1).sum() - np.maximum(others, wider).sum(axis=0)
        saved[widths >= wishes] = -1.0
        index = int(saved.argmax())
        if saved[index] <= 0.0:  # no single column saves anything: the one that lacks most
            index = int((wishes - widths).argmax())
        widths[index] = min(widths[index] + step, wishes[index])
    return widths, _height(lines, widths, size)


def _height(lines: np.ndarray, widths: np.ndarray, size: float) -> float:
    return _heights(lines, widths) * size * 1.3 + len(lines) * 6.0


def _heights(lines: np.ndarray, widths: np.ndarray) -> float:
    """The lines of all rows, each as high as its highest cell."""
    return float(_wrapped(lines, widths).max(axis=1).sum())


def _wrapped(lines: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """The lines of each cell; wrapped text fills its lines to about nine tenths."""
    wrapped = lines / widths
    return np.where(wrapped > 1.0, wrapped * 1.1 + 0.4, 1.0)


def _extents(table: Table) -> _Extents:
    whole = [row for row in table.rows if len(row.cells) == len(table.columns)]
    least = np.zeros(len(table.columns))
    lines = np.zeros((len(whole) + 1, len(table.columns)))
    for index, column in enumerate(table.columns):
        heads = (plain(column.header), column.unit)
        least[index] = max(_words_of(head, bold=True) for head in heads)
        lines[0, index] = max(width(head, bold=True) for head in heads)
        for number, row in enumerate(whole, 1):
            cell = row.cells[index]
            inset, text = _inset(row) if index == 0 else 0.0, plain(cell.text)
            line = width(text, bold=cell.strong)
            number_like = column.align == "right" and len(text) <= _WHOLE
            least[index] = max(least[index], inset + (line if number_like else _words_of(text, bold=cell.strong)))
            lines[number, index] = inset + line
    return _Extents(least + 0.2, lines + 0.15)


def _inset(row: Row) -> float:
    return INDENT / _SMALLEST * min(row.indent + (1 if row.group else 0), 4)


def _words_of(text: str, *, bold: bool) -> float:
    return min(max((width(word, bold=bold) for word in _SPACE.split(text)), default=0.0), _WIDEST_WORD)


def _split(text: str) -> list[str]:
    return [piece for piece in re.split(r"([ \t\r\n]+)", text) if piece]


def _cut(word: str, room: float, bold: bool) -> str:
    if width(word, bold=bold) <= room:
        return word
    pieces = _BREAKS.split(word)
    return BREAK.join(BREAK.join(p) if width(p, bold=bold) > room else p for p in pieces)


@cache
def _face(*, bold: bool) -> FT2Font:
    from matplotlib.ft2font import FT2Font

    return FT2Font(str(fonts()[1 if bold else 0]))


@cache
def _advance(letter: str, bold: bool) -> float:
    """The width of a letter in ems; one that the font lacks is as wide as it is high."""
    if ord(letter) not in covered():
        return 0.0 if letter == BREAK else 1.0
    from matplotlib.ft2font import LoadFlags

    face = _face(bold=bold and ord(letter) in covered(bold=True))
    face.set_size(100, 72)
    return face.load_char(ord(letter), LoadFlags.NO_HINTING).linearHoriAdvance / 65536 / 100
