"""Pages of Markdown, read as a tester reads them: fenced blocks with what the page says of them, links, anchors.

A comment in the line above a block says what becomes of it:

    <!-- not run: REASON -->      it is left out; the reason is for the reader of the source
    <!-- file: PATH -->           it is the content of that file, which is written before what follows is run
    <!-- from: PATH -->           it is an excerpt of that file of the repository
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^( *)(`{3,})(\w*)[^`\n]*\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!-- (not run|file|from): ((?:(?!-->).)*?) -->\s*\Z", re.DOTALL)
_INLINE_CODE = re.compile(r"(`+)[^`].*?\1", re.DOTALL)
_LINK = re.compile(r"\]\(<?([^)<>\s]+)>?(?:\s+\"[^\"]*\")?\)|<(?:img|source|a)\s[^>]*?(?:src|srcset|href)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#* *$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its text, the line of its first line, and what the comment above says of it."""

    language: str
    text: str
    line: int
    order: str | None = None
    value: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """A command line of a console block and the output that the page shows below it."""

    text: str
    shown: tuple[str, ...]
    line: int


def pages() -> tuple[Path, ...]:
    """Every page that tells somebody how to use or change the package."""
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "GLOSSARY.md", "CHANGELOG.md")]
    below = [path for folder in ("docs", "examples") for path in sorted((ROOT / folder).rglob("*.md"))]
    return tuple(path for path in (*top, *below) if path.is_file())


def blocks(text: str) -> tuple[Block, ...]:
    """The fenced blocks of a page."""
    found = []
    for match in _FENCE.finditer(text):
        indent = len(match[1])
        body = "".join(line[indent:] for line in match[4].splitlines(keepends=True))
        comment = _COMMENT.search(text[: match.start()])
        order, value = (comment[1], comment[2].strip()) if comment else (None, "")
        found.append(Block(match[3], body, text[: match.start(4)].count("\n") + 1, order, value))
    return tuple(found)


def commands(block: Block) -> tuple[Command, ...]:
    """The commands of a console block, each from its `$`; a backslash at the end continues it on the next line."""
    found: list[Command] = []
    lines = iter(enumerate(block.text.splitlines(), block.line))
    for number, line in lines:
        if line.startswith("$ "):
            command = line[2:]
            while command.endswith("\\"):
                command = command[:-1].rstrip() + " " + next(lines)[1].strip()
            found.append(Command(command, (), number))
        elif found:
            last = found[-1]
            found[-1] = Command(last.text, (*last.shown, line.rstrip()), last.line)
        else:
            raise ValueError(f"line {number}: output before any command")
    return tuple(found)


def fits(shown: tuple[str, ...], printed: str) -> bool:
    """Whether the output is what the page shows; `…` stands for any text, on a line of its own for any lines."""
    if not shown:
        return True
    pattern = ""
    for line in shown:
        pattern += r"(?:.*\n)*?" if line.strip() == "…" else re.escape(line).replace("…", ".*") + r"\n"
    text = "".join(line.rstrip() + "\n" for line in printed.splitlines())
    return re.fullmatch(pattern, text) is not None


def prose(text: str) -> str:
    """The page without its code."""
    return _INLINE_CODE.sub("", _FENCE.sub("", text))


def links(text: str) -> list[str]:
    """The targets of all links and pictures that stand outside code, but those that lead into the net."""
    found = [one or other for one, other in _LINK.findall(prose(text))]
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def anchors(text: str) -> set[str]:
    """The anchors that a page's headings give."""
    seen: dict[str, int] = {}
    found: set[str] = set()
    for heading in _HEADING.findall(_FENCE.sub("", text)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        number = seen.get(slug, 0)
        seen[slug] = number + 1
        found.add(f"{slug}-{number}" if number else slug)
    return found
