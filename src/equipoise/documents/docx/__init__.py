"""A document as a Word file: text, tables and captions that can be edited, figures as vectors with a picture beside."""

from __future__ import annotations

from equipoise.documents.docx import parts
from equipoise.documents.docx.body import Body
from equipoise.documents.docx.pictures import pictures
from equipoise.documents.docx.words import Words
from equipoise.documents.model import Document


def render(document: Document) -> bytes:
    """The document as the bytes of a .docx file; the same document always gives the same bytes.

    Raises
    ------
    SurroundingsError: typst, which paints the pictures, is not installed (the extra ``documents``).
    """
    painted = pictures(tuple(document.figures()), document.banner)
    words = Words(document)
    body = Body(document, words, painted, bannered=document.banner is not None)
    text = f"{parts.XML}<w:document {parts.NAMES}><w:body>{body.whole()}</w:body></w:document>"
    links = [("styles", "styles", "styles.xml", False), ("numbering", "numbering", "numbering.xml", False)]
    links += [("settings", "settings", "settings.xml", False), ("footer", "footer", "footer.xml", False)]
    links += [("header", "header", "header.xml", False)] if document.banner else []
    media: dict[str, bytes] = {}
    for number, picture in enumerate(painted.values(), 1):
        media[f"word/media/figure{number}.png"] = picture.png
        media[f"word/media/figure{number}.svg"] = picture.svg.encode("utf-8")
        links += [(f"{kind}{number}", "image", f"media/figure{number}.{kind}", False) for kind in ("png", "svg")]
    links += [(name, "hyperlink", target, True) for target, name in words.outside.items()]
    files = {
        "word/document.xml": text,
        "word/styles.xml": parts.styles(document),
        "word/numbering.xml": parts.numbering(body.ordered),
        "word/settings.xml": parts.settings(),
        **({"word/header.xml": parts.header(document.banner)} if document.banner else {}),
        "word/footer.xml": parts.footer(document),
        "docProps/core.xml": parts.properties(document),
    }
    roots = [("document", "officeDocument", "word/document.xml", False)]
    roots.append(("core", "core-properties", "docProps/core.xml", False))
    first = {"[Content_Types].xml": parts.types(list(files)), "_rels/.rels": parts.relations(roots)}
    whole = {**first, **files, "word/_rels/document.xml.rels": parts.relations(links)}
    return parts.zipped({name: part.encode("utf-8") for name, part in whole.items()} | media)
