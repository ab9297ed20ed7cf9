"""The statistical methods that the analyses name: model, assumptions and sources, from the methods' own pages."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from equipoise.analysis.registry import methods
from equipoise.documents import markdown
from equipoise.documents.model import Block, Listing, Paragraph, Section, Verbatim
from equipoise.documents.runs import Strong
from equipoise.protocol.model import Protocol

LEFT_OUT = frozenset(
    {
        "In Python",
        "In a protocol",
        "Measured",
        "Compared with",
        "What the tests compare with",
        "How it is computed",
        "How often it rejects by chance",
        "When to use it",
    }
)
"""Parts of a page that speak to users of the package, not to readers of a report."""


def pages_used(protocol: Protocol) -> dict[str, tuple[str, ...]]:
    """Each page that the protocol's analyses need, in their order, with the names of its methods."""
    found: dict[str, tuple[str, ...]] = {}
    for name in dict.fromkeys(item.method for item in protocol.analyses):
        method = methods().usable(name)
        page = "" if method is None else method.page
        if page:
            found[page] = (*found.get(page, ()), name)
    return found


def anchor(page: str) -> str:
    """The id of a page in a document."""
    return f"method-{page}"


def method_pages_section(protocol: Protocol) -> Section | None:
    """The documentation of the statistical methods (ICH E3, 16.1.9), a part a page; None where no method has one."""
    parts = tuple(_part(page, names) for page, names in pages_used(protocol).items())
    if not parts:
        return None
    text = "What each method assumes and computes, and where it comes from. How its numbers are proven stands in docs."
    return Section("methods-used", "Statistical methods", (Paragraph(text), *parts))


def _part(page: str, names: tuple[str, ...]) -> Listing:
    title, parts = markdown.sections(_page(page))
    titles = "; ".join(methods()[name].title for name in names)
    head = title if titles == title else f"{title} ({titles})"
    return Listing(anchor(page), head, tuple(_blocks(page, title, parts)))


def _blocks(page: str, title: str, parts: tuple[tuple[str, str], ...]) -> Iterator[Block]:
    for number, (heading, text) in enumerate(parts, 1):
        if heading not in LEFT_OUT:
            yield Paragraph(Strong(heading))
            found = markdown.blocks(text, f"{anchor(page)}-{number}", f"{title}: {heading.lower()}")
            yield from (block for block in found if not _is_python(block))


def _is_python(block: Block) -> bool:
    return isinstance(block, Verbatim) and block.text.startswith(">>>")


def _page(name: str) -> str:
    """The text of a page: inside an installed package, or in the docs of a checkout."""
    inside = files("equipoise.report") / "pages" / f"{name}.md"
    if inside.is_file():
        return inside.read_text(encoding="utf-8")
    return (Path(__file__).parents[3] / "docs" / "statistics" / f"{name}.md").read_text(encoding="utf-8")
