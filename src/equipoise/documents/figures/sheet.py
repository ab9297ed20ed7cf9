"""A sheet to draw on, measured in CSS pixels from its top left corner, and its way into SVG, PDF or PNG."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Transform

from equipoise.documents.figures.measure import FAMILY, printable, wrapped
from equipoise.documents.figures.svg import clean
from equipoise.documents.palette import ALERT, INK, MUTED, PAPER

_INCH = 72.0
_MARK = 10.5
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "equipoise",
    "pdf.fonttype": 42,
    "text.parse_math": False,
    "text.usetex": False,
    "font.family": FAMILY,
    "path.simplify": False,
    "path.sketch": None,
}
_METADATA: dict[str, dict[str, str | None]] = {
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}
Anchor = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Style:
    """The measures of a figure at one width, all in pixels, and the words that every sheet carries on top."""

    width: float
    text: float
    small: float
    mark: str | None = None

    @property
    def wide(self) -> bool:
        """Whether there is room for things beside each other."""
        return self.width > 500

    @property
    def line(self) -> float:
        """From one line of text to the next."""
        return round(self.text * 1.3, 1)

    @property
    def small_line(self) -> float:
        """From one line of small text to the next."""
        return round(self.small * 1.3, 1)


WIDE = Style(720, 13, 12)
NARROW = Style(328, 12.5, 11.5)


@contextmanager
def quiet() -> Iterator[None]:
    """Our settings for the time of one drawing; a letter that DejaVu Sans lacks is left to the reader's system font."""
    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font", category=UserWarning)
        yield


class Sheet:
    """A white sheet of known size; `y` grows downwards, as on a page."""

    def __init__(self, style: Style, height: float) -> None:
        mark = wrapped(style.mark or "", style.width, _MARK, bold=True)
        strip = len(mark) * (_MARK + 3) + 7 if mark else 0.0
        self.width, self.height, self._below = style.width, round(height + strip), round(height)
        self.figure = Figure(figsize=(self.width / _INCH, self.height / _INCH), dpi=_INCH, facecolor=PAPER)
        top = _MARK - strip
        self.write_lines(self.width - 1, top, mark, _MARK, _MARK + 3, anchor="right", bold=True, colour=ALERT)

    def _transform(self) -> Transform:
        flip = Affine2D().scale(1 / _INCH, -1 / _INCH).translate(0, self._below / _INCH)
        return flip + self.figure.dpi_scale_trans

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        *,
        anchor: Anchor = "left",
        bold: bool = False,
        colour: str = INK,
    ) -> None:
        """One line of text with its baseline at `y`."""
        weight = "bold" if bold else "normal"
        item = Text(x, y, printable(text), fontsize=size, fontweight=weight, color=colour, ha=anchor, va="baseline")
        item.set_transform(self._transform())
        self.figure.add_artist(item)

    def write_lines(
        self,
        x: float,
        y: float,
        lines: Sequence[str],
        size: float,
        step: float,
        *,
        anchor: Anchor = "left",
        bold: bool = False,
        colour: str = INK,
    ) -> float:
        """Lines of text, the first baseline at `y`; gives the baseline that a next line would have."""
        for line in lines:
            self.write(x, y, line, size, anchor=anchor, bold=bold, colour=colour)
            y += step
        return y

    def line(
        self,
        xs: Sequence[float],
        ys: Sequence[float],
        *,
        colour: str = INK,
        width: float = 1.0,
        dashes: Sequence[float] = (),
        alpha: float = 1.0,
    ) -> None:
        """A line through points; NaN breaks it."""
        item = Line2D(xs, ys, color=colour, linewidth=width, alpha=alpha, solid_capstyle="butt", dash_capstyle="butt")
        if dashes:
            item.set_dashes(list(dashes))
        item.set_transform(self._transform())
        self.figure.add_artist(item)

    def dots(
        self,
        xs: Sequence[float],
        ys: Sequence[float],
        marker: str,
        size: float,
        *,
        colour: str = INK,
        fill: str | None = None,
        edge: float = 1.0,
        alpha: float = 1.0,
    ) -> None:
        """A marker at each point; `fill` None is the colour itself."""
        item = Line2D(
            xs,
            ys,
            linestyle="none",
            marker=marker,
            markersize=size,
            markeredgecolor=colour,
            markeredgewidth=edge,
            markerfacecolor=colour if fill is None else fill,
            alpha=alpha,
        )
        item.set_transform(self._transform())
        self.figure.add_artist(item)

    def shape(self, points: Sequence[tuple[float, float]], colour: str = INK) -> None:
        """A filled shape without an outline."""
        item = Polygon(list(points), closed=True, facecolor=colour, edgecolor="none")
        item.set_transform(self._transform())
        self.figure.add_artist(item)

    def box(
        self,
        left: float,
        top: float,
        width: float,
        height: float,
        edge: str = MUTED,
        fill: str = PAPER,
        line: float = 1.0,
    ) -> None:
        """A rectangle."""
        item = Rectangle((left, top), width, height, facecolor=fill, edgecolor=edge, linewidth=line)
        item.set_transform(self._transform())
        self.figure.add_artist(item)

    def arrow(self, xs: Sequence[float], ys: Sequence[float], colour: str = MUTED) -> None:
        """A line of horizontal and vertical pieces that ends in an arrow head."""
        head = 5.0
        dx, dy = xs[-1] - xs[-2], ys[-1] - ys[-2]
        length = max(abs(dx), abs(dy)) or 1.0
        ux, uy = dx / length, dy / length
        end_x, end_y = xs[-1] - ux * head, ys[-1] - uy * head
        self.line([*xs[:-1], end_x], [*ys[:-1], end_y], colour=colour, width=1.1)
        side_x, side_y = -uy * head * 0.6, ux * head * 0.6
        self.shape([(xs[-1], ys[-1]), (end_x + side_x, end_y + side_y), (end_x - side_x, end_y - side_y)], colour)


def finished(sheet: Sheet, kind: Literal["svg", "pdf", "png"]) -> bytes:
    """The bytes of the sheet."""
    raw = io.BytesIO()
    sheet.figure.savefig(raw, format=kind, dpi=288 if kind == "png" else _INCH, metadata=_METADATA[kind])
    return clean(raw.getvalue(), sheet.width, sheet.height) if kind == "svg" else raw.getvalue()
