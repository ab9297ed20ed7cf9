"""The parts of a Word file around its text: styles, lists, settings, header, footer, properties, and the zip itself.

After ISO/IEC 29500-1 (WordprocessingML) and 29500-2 (packages), in the words that Word itself writes (transitional).
"""

from __future__ import annotations

import io
import re
import zipfile
from xml.sax.saxutils import escape, quoteattr

from equipoise.documents import paper
from equipoise.documents.docx.words import Face, field, run, twips
from equipoise.documents.model import Document
from equipoise.documents.palette import ALERT, INK, MUTED, RULE

XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org"
NAMES = (
    f'xmlns:w="{_OFFICE}/wordprocessingml/2006/main" '
    f'xmlns:r="{_OFFICE}/officeDocument/2006/relationships" '
    f'xmlns:wp="{_OFFICE}/drawingml/2006/wordprocessingDrawing" '
    f'xmlns:a="{_OFFICE}/drawingml/2006/main" '
    f'xmlns:pic="{_OFFICE}/drawingml/2006/picture"'
)
_FONT = "Arial"
_STAMP = (1980, 1, 1, 0, 0, 0)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
# Name, what it is based on, its neighbour, size in points, space above and below, more of the paragraph, of the run.
_STYLES = (
    ("Title", "Title", 18.0, 0.0, 6.0, "<w:keepNext/>", "<w:b/><w:bCs/>"),
    ("Subtitle", "Subtitle", 11.0, 0.0, 12.0, "", f'<w:color w:val="{MUTED[1:]}"/>'),
    ("TableText", "Table Text", 9.0, 1.5, 1.5, "", ""),
    ("Note", "Note", 7.5, 2.0, 2.0, "", f'<w:color w:val="{MUTED[1:]}"/>'),
    ("Caption", "caption", 9.0, 12.0, 5.0, "<w:keepNext/><w:keepLines/>", "<w:b/><w:bCs/>"),
    ("ContentsHeading", "Contents Heading", 15.0, 18.0, 6.0, "<w:keepNext/>", "<w:b/><w:bCs/>"),
    ("ListingTitle", "Listing Title", 9.5, 12.0, 4.0, "<w:keepNext/>", "<w:b/><w:bCs/>"),
    ("CalloutKind", "Callout Kind", 7.5, 0.0, 1.0, "<w:keepNext/>", "<w:b/><w:bCs/>"),
    ("CalloutTitle", "Callout Title", 9.5, 0.0, 3.0, "<w:keepNext/>", "<w:b/><w:bCs/>"),
    ("ListParagraph", "List Paragraph", 9.5, 0.0, 2.0, "", ""),
    ("Header", "header", 8.5, 0.0, 0.0, "", ""),
    ("Footer", "footer", 7.0, 0.0, 0.0, "", f'<w:color w:val="{MUTED[1:]}"/>'),
)
# Of each level: size in points, space above and below.
_HEADINGS = ((15.0, 20.0, 8.0), (12.0, 16.0, 6.0), (10.5, 12.0, 5.0), *((9.5, 10.0, 4.0),) * 3)
_PLAIN = (
    '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/><w:qFormat/></w:style>'
    '<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/>'
    '<w:uiPriority w:val="99"/></w:style>'
)


def styles(document: Document) -> str:
    """Every style that the text names; screen readers and Word's own contents go by the headings."""
    tag = document.language if _LANGUAGE.fullmatch(document.language) else "en"
    made = [_defaults(tag), _PLAIN, *(_style(*entry) for entry in _STYLES)]
    made += [_heading(level, *measures) for level, measures in enumerate(_HEADINGS, 1)]
    made += [_contents(level) for level in (1, 2)]
    return f"{XML}<w:styles {NAMES}>{''.join(made)}</w:styles>"


def _defaults(tag: str) -> str:
    return (
        f'<w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii="{_FONT}" w:hAnsi="{_FONT}" w:cs="{_FONT}"/>'
        f'<w:color w:val="{INK[1:]}"/><w:sz w:val="19"/><w:szCs w:val="19"/><w:lang w:val="{tag}"/></w:rPr>'
        '</w:rPrDefault><w:pPrDefault><w:pPr><w:spacing w:before="0" w:after="120" w:line="264" w:lineRule="auto"/>'
        "</w:pPr></w:pPrDefault></w:docDefaults>"
    )


def _style(key: str, name: str, size: float, above: float, below: float, paragraph: str, letters: str) -> str:
    return (
        f'<w:style w:type="paragraph" w:styleId="{key}"><w:name w:val="{name}"/><w:basedOn w:val="Normal"/><w:qFormat/>'
        f'<w:pPr>{paragraph}<w:spacing w:before="{twips(above)}" w:after="{twips(below)}"/></w:pPr>'
        f'<w:rPr>{letters}<w:sz w:val="{round(2 * size)}"/><w:szCs w:val="{round(2 * size)}"/></w:rPr></w:style>'
    )


def _heading(level: int, size: float, above: float, below: float) -> str:
    return (
        f'<w:style w:type="paragraph" w:styleId="Heading{level}"><w:name w:val="heading {level}"/>'
        '<w:basedOn w:val="Normal"/><w:next w:val="Normal"/><w:uiPriority w:val="9"/><w:qFormat/>'
        f'<w:pPr><w:keepNext/><w:keepLines/><w:spacing w:before="{twips(above)}" w:after="{twips(below)}"/>'
        f'<w:outlineLvl w:val="{level - 1}"/></w:pPr>'
        f'<w:rPr><w:b/><w:bCs/><w:sz w:val="{round(2 * size)}"/><w:szCs w:val="{round(2 * size)}"/></w:rPr></w:style>'
    )


def _contents(level: int) -> str:
    return (
        f'<w:style w:type="paragraph" w:styleId="TOC{level}"><w:name w:val="toc {level}"/><w:basedOn w:val="Normal"/>'
        f'<w:pPr><w:tabs><w:tab w:val="right" w:pos="{twips(paper.UPRIGHT)}"/></w:tabs><w:spacing w:after="30"/>'
        f'<w:ind w:left="{240 * (level - 1)}" w:right="400"/></w:pPr></w:style>'
    )


def numbering(ordered: int) -> str:
    """The bullets (list 1) and so many numbered lists (2, 3 …), each of which begins at one."""
    lists = '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>' + "".join(
        f'<w:num w:numId="{number}"><w:abstractNumId w:val="1"/>'
        '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num>'
        for number in range(2, 2 + ordered)
    )
    kinds = "".join(
        f'<w:abstractNum w:abstractNumId="{index}"><w:multiLevelType w:val="singleLevel"/><w:lvl w:ilvl="0">'
        f'<w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{text}"/><w:lvlJc w:val="left"/>'
        '<w:pPr><w:ind w:left="360" w:hanging="260"/></w:pPr></w:lvl></w:abstractNum>'
        for index, (kind, text) in enumerate((("bullet", "•"), ("decimal", "%1.")))
    )
    return f"{XML}<w:numbering {NAMES}>{kinds}{lists}</w:numbering>"


def settings() -> str:
    """Settings: the newest way of laying out, which Word opens without its compatibility mode."""
    return (
        f'{XML}<w:settings {NAMES}><w:zoom w:percent="100"/><w:defaultTabStop w:val="720"/><w:compat>'
        '<w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" w:val="15"/>'
        "</w:compat></w:settings>"
    )


def header(banner: str) -> str:
    """The banner at the head of every page, white on the alarm's colour."""
    words = run(banner, Face(bold=True, size=8.5, colour="FFFFFF"))
    return (
        f'{XML}<w:hdr {NAMES}><w:p><w:pPr><w:pStyle w:val="Header"/>'
        f'<w:shd w:val="clear" w:color="auto" w:fill="{ALERT[1:]}"/><w:spacing w:before="40" w:after="40"/>'
        f'<w:jc w:val="center"/></w:pPr>{words}</w:p></w:hdr>'
    )


def footer(document: Document) -> str:
    """The title, and the page of how many."""
    page, of = run(document.words.page + " "), run(f" {document.words.of} ")
    return (
        f'{XML}<w:ftr {NAMES}><w:p><w:pPr><w:pStyle w:val="Footer"/><w:pBdr><w:top w:val="single" w:sz="4" w:space="4" '
        f'w:color="{RULE[1:]}"/></w:pBdr></w:pPr>{run(document.title)}</w:p>'
        '<w:p><w:pPr><w:pStyle w:val="Footer"/><w:jc w:val="right"/></w:pPr>'
        f"{page}{field('PAGE', '1')}{of}{field('NUMPAGES', '1')}</w:p></w:ftr>"
    )


def properties(document: Document) -> str:
    """Title, author, language; no dates, so that equal documents are equal files."""
    title = f"{document.title} ({document.banner})" if document.banner else document.title
    return (
        f'{XML}<cp:coreProperties xmlns:cp="{_OFFICE}/package/2006/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{escape(paper.clean(title))}</dc:title><dc:creator>equipoise</dc:creator>"
        f"<cp:keywords>{escape(paper.clean(document.banner or ''))}</cp:keywords>"
        f"<dc:language>{escape(paper.clean(document.language))}</dc:language></cp:coreProperties>"
    )


def relations(entries: list[tuple[str, str, str, bool]]) -> str:
    """What a part refers to: id, kind, target, and whether the target lies outside the file."""
    made = "".join(
        f'<Relationship Id="{name}" Type="{_type(kind)}" Target={quoteattr(paper.clean(target))}'
        + (' TargetMode="External"/>' if outside else "/>")
        for name, kind, target, outside in entries
    )
    return f'{XML}<Relationships xmlns="{_OFFICE}/package/2006/relationships">{made}</Relationships>'


def _type(kind: str) -> str:
    if kind == "core-properties":
        return f"{_OFFICE}/package/2006/relationships/metadata/core-properties"
    return f"{_OFFICE}/officeDocument/2006/relationships/{kind}"


def types(parts: list[str]) -> str:
    """What each part of the file is."""
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml."
    known = {
        "word/document.xml": f"{main}document.main+xml",
        "word/styles.xml": f"{main}styles+xml",
        "word/numbering.xml": f"{main}numbering+xml",
        "word/settings.xml": f"{main}settings+xml",
        "word/header.xml": f"{main}header+xml",
        "word/footer.xml": f"{main}footer+xml",
        "docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
    }
    made = "".join(f'<Override PartName="/{part}" ContentType="{known[part]}"/>' for part in parts if part in known)
    return (
        f'{XML}<Types xmlns="{_OFFICE}/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/>'
        f'<Default Extension="svg" ContentType="image/svg+xml"/>{made}</Types>'
    )


def zipped(parts: dict[str, bytes]) -> bytes:
    """The parts in one file, in the order given, all with the same time stamp."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as file:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, _STAMP)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
            file.writestr(entry, content, compresslevel=6)
    return raw.getvalue()
