"""Formats of one document share what is dear: a figure is drawn once at each width."""

from __future__ import annotations

from collections import Counter

import pytest

from equipoise.documents import docx, figures, pdf
from equipoise.documents.figures import sheet
from equipoise.documents.html import render
from tests.documents import sample


@pytest.mark.requirement("REPORT-SHARED")
def test_three_formats_draw_each_figure_once_at_each_width(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: Counter[str] = Counter()
    finish = sheet.finished

    def counted(made, kind):
        drawn[kind] += 1
        return finish(made, kind)

    monkeypatch.setattr(sheet, "finished", counted)
    figures._drawn.cache_clear()
    document = sample.document()
    for write in (render, pdf.render, docx.render):
        write(document)
    assert drawn == {"svg": 2 * len(list(document.figures()))}


@pytest.mark.requirement("REPORT-SHARED")
def test_another_mark_is_another_picture() -> None:
    drawing = next(sample.document().figures()).drawing
    assert figures.draw(drawing, mark="SIMULATED") != figures.draw(drawing)
    assert figures.draw(drawing, "narrow") != figures.draw(drawing)
