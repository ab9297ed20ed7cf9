"""SVG as matplotlib writes it, made fit for a page: system fonts, a width of its own choosing, nothing superfluous."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

_SVG = "http://www.w3.org/2000/svg"
_LINK = "http://www.w3.org/1999/xlink"
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Noto Sans', 'DejaVu Sans', sans-serif"
_FAMILY = re.compile(r"\s*font-family:[^;]*;?")
_POINTED_AT = re.compile(r"url\(#([^)]+)\)")


def clean(raw: bytes, width: float, height: float) -> bytes:
    """The picture without metadata, styles for the whole page, unused ids and fonts of its own."""
    root = ET.fromstring(raw)  # noqa: S314  # matplotlib wrote it a moment ago
    for child in list(root):
        if (_tag(child) in ("metadata", "defs") and child.find(f"{{{_SVG}}}style") is not None) or _tag(
            child
        ) == "metadata":
            root.remove(child)
    used = _used(root)
    for element in root.iter():
        if element.get("id") not in used:
            element.attrib.pop("id", None)
        _tidy(element)
    root.attrib = {
        "viewBox": f"0 0 {width:g} {height:g}",
        "width": f"{width:g}",
        "height": f"{height:g}",
        "font-family": FONTS,
        "stroke-linejoin": "round",
    }
    _unwrap(root)
    return _text(root)


def prefixed(picture: bytes, prefix: str, label: str, name: str) -> str:
    """The picture for use inside a page: its ids made the page's own, with a role, a label and a class.

    prefix: unlike that of every other picture on the page.
    """
    root = ET.fromstring(picture)  # noqa: S314  # `clean` wrote it
    for element in root.iter():
        if (own := element.get("id")) is not None:
            element.set("id", f"{prefix}-{own}")
        for key, value in element.attrib.items():
            if key == f"{{{_LINK}}}href" and value.startswith("#"):
                element.set(key, f"#{prefix}-{value[1:]}")
            elif key != "id" and "url(#" in value:
                element.set(key, _POINTED_AT.sub(rf"url(#{prefix}-\1)", value))
    root.set("role", "img")
    root.set("aria-label", label)
    root.set("class", name)
    return _text(root).decode("utf-8").strip()


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _used(root: ET.Element) -> set[str]:
    pointed = {value[1:] for element in root.iter() if (value := element.get(f"{{{_LINK}}}href", "")).startswith("#")}
    return pointed | {
        name for element in root.iter() for value in element.attrib.values() for name in _POINTED_AT.findall(value)
    }


def _tidy(element: ET.Element) -> None:
    style = element.get("style")
    if style is not None:
        element.set("style", _FAMILY.sub("", style).strip().rstrip(";"))
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]
    if "d" in element.attrib:
        element.set("d", " ".join(element.attrib["d"].split()))
    if element.text is not None and _tag(element) != "text":
        element.text = None
    element.tail = "\n"


def _unwrap(parent: ET.Element) -> None:
    """Take the children of groups that say nothing into the group's place."""
    for child in list(parent):
        _unwrap(child)
        if _tag(child) == "g" and not child.attrib:
            at = list(parent).index(child)
            parent.remove(child)
            for step, inner in enumerate(list(child)):
                parent.insert(at + step, inner)


def _text(root: ET.Element) -> bytes:
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _LINK)
    return ET.tostring(root, encoding="utf-8")
