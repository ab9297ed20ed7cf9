"""Texts in typst's language: quoted strings and calls, so that no letter of a document is ever read as markup."""

from __future__ import annotations

import re
from dataclasses import dataclass

from equipoise.documents import paper
from equipoise.documents.html.view import letter
from equipoise.documents.model import Document
from equipoise.documents.runs import Code, Emphasis, Link, Missing, Number, Reference, Run, Strong, Text, runs
from equipoise.documents.typesetting import quoted

_MONOSPACED = 0.61
"""The width of every letter of DejaVu Sans Mono, in ems, rounded up."""
_PART = re.compile(r"[^\W_]*[\W_]+|[^\W_]+")
"""Letters and the punctuation behind them."""
_SMALLEST = 0.75
"""How much smaller than the text around it code may become to stay whole."""


def block_of(parts: list[str]) -> str:
    """Parts joined into one piece of content."""
    return "{" + "; ".join(parts) + "}" if parts else "[]"


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a text stands: the room of its line and the size of its type in points, and whether it is bold.

    notes: the reasons of missing numbers that stand under a table; None where the reason follows the dash.
    """

    room: float = paper.UPRIGHT
    size: float = 9.0
    bold: bool = False
    notes: tuple[str, ...] | None = None


class Words:
    """The texts of one document, which know where its numbers and references lead."""

    def __init__(self, document: Document) -> None:
        self.labels = document.labels()
        self.results = {row.result_id for table in document.tables() for row in table.rows if row.result_id}

    def text(self, value: Text, setting: Setting) -> str:
        """A text as content."""
        return block_of([self._run(run, setting) for run in runs(value)])

    def plainly(self, value: str, setting: Setting) -> str:
        """Bare words, with places to break where a word is wider than its line."""
        return quoted(paper.breakable(paper.clean(value), setting.room, setting.size, bold=setting.bold))

    def leading(self, content: str, result_id: str | None, here: str | None = None) -> str:
        """Content that leads to the row of its result, unless none has it or this is that row."""
        if result_id is None or result_id == here or result_id not in self.results:
            return content
        return f"link(label({quoted('result:' + result_id)}), {content})"

    def _run(self, run: Run, setting: Setting) -> str:
        match run:
            case str():
                return self.plainly(run, setting)
            case Strong():
                return f"strong({self.text(run.text, setting)})"
            case Emphasis():
                return f"emph({self.text(run.text, setting)})"
            case Code():
                return self._code(paper.clean(run.text), setting)
            case Link():
                return f"link({_target(run.target)}, underline({self.text(run.text, setting)}))"
            case Reference():
                return f"link(label({quoted('id:' + run.target)}), {quoted(self.labels[run.target])})"
            case Number():
                return self.leading(self.plainly(run.text, setting), run.result_id)
            case Missing():
                return self._missing(run.reason, setting)

    def _code(self, text: str, setting: Setting) -> str:
        """Text that a machine reads, which a reader may copy: whole and somewhat smaller where that fits its line.

        A longer one is broken by space that cannot be seen, which is no letter of a copied text, as a zero-width space
        would be; typst leaves out space of no width at all, and with it the place to break.
        """
        fits = setting.room / max(_MONOSPACED * len(text) * setting.size, 1e-9)
        if fits >= 1 or " " in text:
            return f"raw({quoted(text)})"
        if fits >= _SMALLEST:
            return f"text(size: {fits:.3f}em, raw({quoted(text)}))"
        pieces = _pieces(text, max(int(setting.room / (_MONOSPACED * setting.size)), 1))
        return block_of([part for piece in pieces for part in ("h(0.01pt)", f"raw({quoted(piece)})")][1:])

    def _missing(self, reason: str, setting: Setting) -> str:
        if not reason:
            return '"–"'
        if setting.notes is None:
            return self.plainly(f"– ({reason})", setting)
        return f'{{"–"; super({quoted(letter(setting.notes.index(reason)))})}}'


def _pieces(text: str, most: int) -> list[str]:
    """Code between which a line may end: after punctuation, and anywhere in what is longer than `most` letters."""
    parts = _PART.findall(text)
    return [part[start : start + most] for part in parts for start in range(0, len(part), most)]


def _target(target: str) -> str:
    return f"label({quoted('id:' + target[1:])})" if target.startswith("#") else quoted(target)
