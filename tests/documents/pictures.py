"""What stands where in a drawn figure: words with their measured widths, and boxes, read from the SVG itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from equipoise.documents.figures.measure import text_width

SVG = "{http://www.w3.org/2000/svg}"
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


@dataclass(frozen=True)
class Area:
    """A rectangle of a picture, and the words in it."""

    left: float
    top: float
    right: float
    bottom: float
    words: str = ""

    def overlaps(self, other: Area, by: float = 0.5) -> bool:
        return (
            min(self.right, other.right) - max(self.left, other.left) > by
            and min(self.bottom, other.bottom) - max(self.top, other.top) > by
        )

    def inside(self, other: Area, by: float = 0.5) -> bool:
        return (
            self.left >= other.left - by
            and self.right <= other.right + by
            and self.top >= other.top - by
            and self.bottom <= other.bottom + by
        )


def parsed(picture: bytes) -> ET.Element:
    return ET.fromstring(picture)


def page(picture: bytes) -> Area:
    _, _, width, height = (float(v) for v in parsed(picture).attrib["viewBox"].split())
    return Area(0, 0, width, height)


def words(picture: bytes) -> list[Area]:
    """Every line of text as the rectangle that it fills in the font it was measured in."""
    found = []
    for element in parsed(picture).iter(f"{SVG}text"):
        style = dict(part.split(": ", 1) for part in element.get("style", "").split("; ") if ": " in part)
        size = float(style["font-size"].removesuffix("px"))
        bold = style.get("font-weight", "400") in ("700", "bold")
        text = element.text or ""
        width = text_width(text, size, bold)
        x, y = float(element.attrib["x"]), float(element.attrib["y"])
        start = x - {"middle": width / 2, "end": width}.get(style.get("text-anchor", "start"), 0)
        found.append(Area(start, y - 0.75 * size, start + width, y + 0.2 * size, text))
    return found


def boxes(picture: bytes) -> list[Area]:
    """Every outlined rectangle."""
    found = []
    for element in parsed(picture).iter(f"{SVG}path"):
        style = element.get("style", "")
        numbers = [float(v) for v in _NUMBER.findall(element.get("d", ""))]
        if "stroke: #6b7785" in style and "fill: #ffffff" in style and element.get("d", "").rstrip().endswith("z"):
            found.append(Area(min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])))
    return found


def collisions(areas: list[Area]) -> list[tuple[str, str]]:
    """Pairs of words, or of boxes, that lie over each other."""
    return [(a.words, b.words) for i, a in enumerate(areas) for b in areas[i + 1 :] if a.overlaps(b)]


def said(picture: bytes) -> str:
    """All words of a picture."""
    return " ".join(area.words for area in words(picture))
