"""Typst, the typesetter of the extra ``documents``: source in, PDF or pictures out, with the fonts that we carry."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from equipoise.documents import paper
from equipoise.documents.drawings import Drawing
from equipoise.documents.figures import draw
from equipoise.documents.figures.svg import FONTS
from equipoise.errors import Problem, SurroundingsError

_VIEW = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
# Characters that steer a line and are not drawn: line ends, the place to break, joiners, directions.
_MARKS = frozenset({0x09, 0x0A, 0x0D, 0xAD, *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070)})


def missing(package: str, what: str) -> SurroundingsError:
    """The error where a package of the extra ``documents`` is not installed."""
    problem = Problem(package, None, "", "missing-extra", f"{what} needs {package}", "Install equipoise[documents].")
    return SurroundingsError(f"{package} is not installed", [problem])


def quoted(text: str) -> str:
    """A string literal of typst; inside one only the backslash and the double quote mean anything."""
    return '"' + paper.clean(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def svg_of(drawing: Drawing, mark: str | None) -> tuple[str, float]:
    """A drawing as SVG in the font that it was measured in, and how many times as wide as high it is."""
    svg = draw(drawing, mark=mark).decode("utf-8").replace(FONTS, "'DejaVu Sans'")
    view = _VIEW.search(svg)
    assert view is not None, "every drawing says how large it is"
    return svg, float(view[1]) / float(view[2])


def typeset(source: str, kind: Literal["pdf", "png"], dots: float = 144.0) -> tuple[bytes, ...]:
    """The file, or one picture a page at so many dots an inch; equal sources give equal bytes.

    The fonts are DejaVu Sans, which matplotlib carries, and its monospaced cut, which typst carries. Letters that
    DejaVu Sans lacks come from the machine's fonts, and only then do the bytes depend on the machine; a PDF without
    any such letter, and without an empty heading, declares PDF/UA-1 (ISO 14289-1).

    Raises
    ------
    SurroundingsError: typst is not installed.
    """
    try:
        import typst
    except ImportError:
        raise missing("typst", "A PDF, and a picture in a Word document,") from None
    pdf = kind == "pdf"
    known = {ord(letter) for letter in set(source)} <= paper.covered() | _MARKS
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        # Typst warns of every font that the machine lacks; the fonts that we name are here.
        warnings.simplefilter("ignore", typst.TypstWarning)
        for file in paper.fonts():
            (Path(folder) / file.name).write_bytes(file.read_bytes())
        fonts = typst.Fonts(include_system_fonts=not known, font_paths=[folder])
        compiler = typst.Compiler(root=folder, font_paths=fonts, ignore_system_fonts=known)
        content = source.encode("utf-8")
        try:
            made = compiler.compile(content, format=kind, ppi=dots, pdf_standards="ua-1" if known and pdf else [])
        except typst.TypstError:
            # An empty heading, or a letter of private use: a page can show it, the standard forbids it.
            made = compiler.compile(content, format=kind, ppi=dots)
    assert made is not None, "without an output file, typst gives back what it made"
    return tuple(made) if isinstance(made, list) else (made,)
