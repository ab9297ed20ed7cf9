"""A document as a PDF for paper and for archives: A4, tagged for screen readers, figures as vectors."""

from __future__ import annotations

from equipoise.documents.model import Document
from equipoise.documents.pdf.source import source
from equipoise.documents.typesetting import typeset


def render(document: Document) -> bytes:
    """The document as the bytes of a PDF; the same document always gives the same bytes.

    Letters that DejaVu Sans lacks (Chinese, many pictographs) come from the fonts of the machine.

    Raises
    ------
    SurroundingsError: typst is not installed (the extra ``documents``).
    """
    return typeset(source(document), "pdf")[0]
