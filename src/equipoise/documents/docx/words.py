"""Texts as runs of WordprocessingML (ISO/IEC 29500-1, 17.3): escaped XML, links to bookmarks, bold and italics."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import quote
from xml.sax.saxutils import escape

from equipoise.documents import paper
from equipoise.documents.html.view import letter
from equipoise.documents.model import Document
from equipoise.documents.runs import Code, Emphasis, Link, Missing, Number, Reference, Run, Strong, Text, runs

_RIGHT = r"\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
_RIGHT_TO_LEFT = re.compile(rf"([{_RIGHT}](?:[{_RIGHT}\s]*[{_RIGHT}])?)")


@dataclass(frozen=True, slots=True)
class Face:
    """How a run looks; `size` in points or None for the paragraph's own, `colour` six hexadecimal digits or empty."""

    bold: bool = False
    italic: bool = False
    code: bool = False
    underline: bool = False
    raised: bool = False
    size: float | None = None
    colour: str = ""


PLAIN = Face()
_LINK_EDGE = re.compile("</?w:hyperlink[^>]*>")  # our own markup: in texts and names these signs are escaped
_CODE = 8.0  # points, so that a digest of 64 letters stays on a line beside its term
_ADDRESS = ":/?#[]@!$&'()*+,;=%~"


def twips(points: float) -> int:
    """Points in twentieths, the unit of Word's lengths."""
    return round(20 * points)


def paragraph(
    content: str,
    style: str = "Normal",
    *,
    number: int = 0,
    indent: float = 0.0,
    align: str = "left",
    keep: bool = False,
) -> str:
    """A paragraph: `number` is the list that it belongs to, `keep` keeps it with the next one."""
    marks = f'<w:pStyle w:val="{style}"/>' if style != "Normal" else ""
    marks += "<w:keepNext/>" if keep else ""
    marks += f'<w:numPr><w:ilvl w:val="0"/><w:numId w:val="{number}"/></w:numPr>' if number else ""
    marks += f'<w:ind w:left="{twips(indent)}"/>' if indent else ""
    marks += f'<w:jc w:val="{align}"/>' if align != "left" else ""
    properties = f"<w:pPr>{marks}</w:pPr>" if marks else ""
    return f"<w:p>{properties}{content}</w:p>"


def opened(code: str) -> str:
    """The beginning of a field, up to what it last gave."""
    instruction = f'<w:r><w:instrText xml:space="preserve"> {escape(code)} </w:instrText></w:r>'
    return f'<w:r><w:fldChar w:fldCharType="begin"/></w:r>{instruction}<w:r><w:fldChar w:fldCharType="separate"/></w:r>'


CLOSED = '<w:r><w:fldChar w:fldCharType="end"/></w:r>'


def field(code: str, shown: str) -> str:
    """A field, which Word works out itself, and what it shows until then."""
    return opened(code) + run(shown) + CLOSED


def run(text: str, face: Face = PLAIN) -> str:
    """Runs of one look, one for each stretch of letters of one direction."""
    return "".join(_run(piece, face) for piece in _RIGHT_TO_LEFT.split(paper.clean(text)) if piece)


def _run(text: str, face: Face) -> str:
    marks = '<w:rFonts w:ascii="Courier New" w:hAnsi="Courier New" w:cs="Courier New"/>' if face.code else ""
    marks += "<w:b/><w:bCs/>" if face.bold else ""
    marks += "<w:i/><w:iCs/>" if face.italic else ""
    marks += f'<w:color w:val="{face.colour}"/>' if face.colour else ""
    size = _CODE if face.code and face.size is None else face.size
    if size is not None:
        marks += f'<w:sz w:val="{round(2 * size)}"/><w:szCs w:val="{round(2 * size)}"/>'
    marks += '<w:u w:val="single"/>' if face.underline else ""
    marks += '<w:vertAlign w:val="superscript"/>' if face.raised else ""
    marks += "<w:rtl/>" if _RIGHT_TO_LEFT.search(text) else ""
    properties = f"<w:rPr>{marks}</w:rPr>" if marks else ""
    return f'<w:r>{properties}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


class Words:
    """The texts of one document, which know where its numbers and references lead.

    outside: the addresses outside the file that its links lead to, and the name that each has inside.
    """

    def __init__(self, document: Document) -> None:
        self.labels = document.labels()
        self.results = {row.result_id for table in document.tables() for row in table.rows if row.result_id}
        self.outside: dict[str, str] = {}
        self._places: dict[str, int] = {}

    def place(self, name: str) -> str:
        """A bookmark; Word takes forty plain letters and no more, so that each name gets a number."""
        number = self._number(name)
        return f'<w:bookmarkStart w:id="{number}" w:name="{self.mark(name)}"/><w:bookmarkEnd w:id="{number}"/>'

    def to(self, name: str, content: str) -> str:
        """Runs that lead to a bookmark; none where there is nothing to press."""
        return f'<w:hyperlink w:anchor="{self.mark(name)}" w:history="1">{content}</w:hyperlink>' if content else ""

    def leading(self, content: str, result_id: str | None, here: str | None = None) -> str:
        """Runs that lead to the row of their result, unless none has it, this is it, or they lead elsewhere."""
        inert = result_id is None or result_id == here or result_id not in self.results
        return content if inert or "<w:hyperlink" in content else self.to(f"result:{result_id}", content)

    def text(self, value: Text, face: Face = PLAIN, notes: tuple[str, ...] | None = None) -> str:
        """A text as runs; `notes` are the reasons of missing numbers that stand under a table."""
        return "".join(self._run(item, face, notes) for item in runs(value))

    def bare(self, value: Text, face: Face = PLAIN, notes: tuple[str, ...] | None = None) -> str:
        """A text without its links, for words that are a link themselves."""
        return _LINK_EDGE.sub("", self.text(value, face, notes))

    def _run(self, item: Run, face: Face, notes: tuple[str, ...] | None) -> str:
        match item:
            case str():
                return run(item, face)
            case Strong():
                return self.text(item.text, replace(face, bold=True), notes)
            case Emphasis():
                return self.text(item.text, replace(face, italic=True), notes)
            case Code():
                return run(item.text, replace(face, code=True))
            case Link():
                return self._link(item, face, notes)
            case Reference():
                return self.to(f"id:{item.target}", run(self.labels[item.target], face))
            case Number():
                return self.leading(run(item.text, face), item.result_id)
            case Missing():
                return _missing(item.reason, face, notes)

    def _link(self, item: Link, face: Face, notes: tuple[str, ...] | None) -> str:
        content = self.bare(item.text, replace(face, underline=True), notes)
        if not content:
            return ""
        if item.target.startswith("#"):
            return self.to(f"id:{item.target[1:]}", content)
        target = quote(paper.clean(item.target), safe=_ADDRESS)
        name = self.outside.setdefault(target, f"outside{len(self.outside) + 1}")
        return f'<w:hyperlink r:id="{name}" w:history="1">{content}</w:hyperlink>'

    def _number(self, name: str) -> int:
        return self._places.setdefault(name, len(self._places) + 1)

    def mark(self, name: str) -> str:
        """The name of a bookmark in the file."""
        return f"place{self._number(name)}"


def _missing(reason: str, face: Face, notes: tuple[str, ...] | None) -> str:
    if not reason:
        return run("–", face)
    if notes is None:
        return run(f"– ({reason})", face)
    return run("–", face) + run(letter(notes.index(reason)), replace(face, raised=True))
