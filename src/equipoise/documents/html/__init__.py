"""A document as one HTML file that needs nothing else: no network, no script, no font; for screens, telephones, A4.

The markup stands in the templates beside this module; here and in `view` is only what they ask for. Jinja escapes
every text; the drawings are the only markup that does not come from a template.
"""

from __future__ import annotations

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from equipoise.documents.html.view import Page, groups_of, head_of, kind, letter
from equipoise.documents.model import Document
from equipoise.documents.runs import runs

_HERE = Path(__file__).parent
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def render(document: Document) -> str:
    """The document as a page, in UTF-8 once written; the same document always gives the same text."""
    loader = FileSystemLoader(_HERE)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {
        "runs": runs,
        "kind": kind,
        "letter": letter,
        "head_of": head_of,
        "groups_of": groups_of,
    }
    template = environment.get_template("page.html.j2")
    text = template.render(page=Page(document), document=document, words=document.words)
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
