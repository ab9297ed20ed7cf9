"""Figures drawn: a drawing in, the bytes of a picture out; the same drawing always gives the same bytes.

Matplotlib is imported on the first call only. SVG keeps its words as text in the reader's system font: they can be
searched, selected and read at any magnification, and the file stays small. Widths are measured in DejaVu Sans, which
matplotlib carries and which is wider than the usual system fonts, so that what fits here overlaps nowhere.
PDF and PNG, for documents that cannot hold SVG, draw the same sheet in DejaVu Sans itself.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Literal, assert_never

from equipoise.documents.drawings import DotStrip, Drawing, Flow, Forest, SmallMultiples, Trajectories

Width = Literal["wide", "narrow"]
Format = Literal["svg", "pdf", "png"]


def draw(drawing: Drawing, width: Width = "wide", mark: str | None = None, kind: Format = "svg") -> bytes:
    """Draw; a drawing that was drawn in the same way lately is not drawn again, as formats of one document share them.

    width: ``wide`` is made for 640 to 720 CSS pixels and for A4, ``narrow`` for a telephone of 360.
    mark:  words that stand in the picture wherever it is copied to, as 'SIMULATED DATA'.
    kind:  ``svg``, or ``pdf`` and ``png`` (at 288 dots an inch) for other writers.
    """
    return _drawn(drawing, width, mark, kind)


@lru_cache(maxsize=256)
def _drawn(drawing: Drawing, width: Width, mark: str | None, kind: Format) -> bytes:
    from equipoise.documents.figures.sheet import NARROW, WIDE, finished, quiet

    style = replace(WIDE if width == "wide" else NARROW, mark=mark)
    with quiet():
        match drawing:
            case Trajectories():
                from equipoise.documents.figures.trajectories import trajectories

                sheet = trajectories(drawing, style)
            case Forest():
                from equipoise.documents.figures.forest import forest

                sheet = forest(drawing, style)
            case Flow():
                from equipoise.documents.figures.flow import flow

                sheet = flow(drawing, style)
            case DotStrip():
                from equipoise.documents.figures.dot_strip import dot_strip

                sheet = dot_strip(drawing, style)
            case SmallMultiples():
                from equipoise.documents.figures.small_multiples import small_multiples

                sheet = small_multiples(drawing, style)
            case _:
                assert_never(drawing)
        return finished(sheet, kind)
