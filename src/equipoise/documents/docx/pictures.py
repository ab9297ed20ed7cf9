"""Figures for Word: the drawing as SVG for those that show it, and as a picture of dots for those that cannot."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from equipoise.documents import paper
from equipoise.documents.model import FigureBlock
from equipoise.documents.typesetting import quoted, svg_of, typeset

_DOTS = 120.0
_PAINTED, _SHOWN = "'DejaVu Sans'", "Arial, 'DejaVu Sans', sans-serif"
_EMU = 12700  # to the point
_PICTURE = "http://schemas.openxmlformats.org/drawingml/2006/picture"
_SVG = (
    '<a:extLst><a:ext uri="{{96DAC541-7B7A-43D3-8B79-37D633B846F1}}"><asvg:svgBlip '
    'xmlns:asvg="http://schemas.microsoft.com/office/drawing/2016/SVG/main" r:embed="svg{0}"/></a:ext></a:extLst>'
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure drawn once: `shape` is its width over its height."""

    svg: str
    png: bytes
    shape: float


def pictures(figures: tuple[FigureBlock, ...], mark: str | None) -> dict[str, Picture]:
    """Every figure by its id; all of them are painted in one go.

    Raises
    ------
    SurroundingsError: typst is not installed.
    """
    if not figures:
        return {}
    drawn = [svg_of(figure.drawing, mark) for figure in figures]
    widths = [paper.picture_width(paper.UPRIGHT, shape) for _, shape in drawn]
    pages = "\n#pagebreak()\n".join(
        f'#image(bytes({quoted(svg)}), format: "svg", width: {width:.2f}pt)'
        for (svg, _), width in zip(drawn, widths, strict=True)
    )
    painted = typeset(f"#set page(width: auto, height: auto, margin: 0pt)\n{pages}\n", "png", _DOTS)
    return {
        figure.id: Picture(svg.replace(_PAINTED, _SHOWN), png, shape)
        for figure, (svg, shape), png in zip(figures, drawn, painted, strict=True)
    }


def inline(figure: FigureBlock, picture: Picture, number: int, room: float) -> str:
    """A run that shows the picture in so much room, its alternative text with it."""
    width = paper.picture_width(room, picture.shape)
    wide, high = round(width * _EMU), round(width / picture.shape * _EMU)
    alt = quoteattr(paper.clean(figure.alt))
    return (
        '<w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0">'
        f'<wp:extent cx="{wide}" cy="{high}"/><wp:docPr id="{number}" name="Figure {number}" descr={alt}/>'
        '<wp:cNvGraphicFramePr><a:graphicFrameLocks noChangeAspect="1"/></wp:cNvGraphicFramePr>'
        f'<a:graphic><a:graphicData uri="{_PICTURE}"><pic:pic><pic:nvPicPr>'
        f'<pic:cNvPr id="{number}" name="figure{number}.png" descr={alt}/><pic:cNvPicPr/></pic:nvPicPr>'
        f'<pic:blipFill><a:blip r:embed="png{number}">{_SVG.format(number)}</a:blip>'
        "<a:stretch><a:fillRect/></a:stretch></pic:blipFill>"
        f'<pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="{wide}" cy="{high}"/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic>'
        "</wp:inline></w:drawing></w:r>"
    )
