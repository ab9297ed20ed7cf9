"""Every example of every page works as the page says, and every link leads somewhere."""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from equipoise.analysis.registry import derivations, methods
from equipoise.cli import main
from tests.docs.pages import ROOT, Block, Command, anchors, blocks, commands, fits, links, pages

OUTSIDE = "shared/data/t1dal"
PLAIN = {"cat", "cp", "head", "ls", "mkdir", "sed"}
"""Commands of the shell that a page may use."""


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def examples(page: Path) -> tuple[Block, ...]:
    """The blocks of a page that are run, or written for what is run."""
    kept = [block for block in blocks(page.read_text(encoding="utf-8")) if block.order not in ("not run", "from")]
    return tuple(block for block in kept if block.language in ("console", "python") or block.order == "file")


def outside(page: Path) -> bool:
    return any(OUTSIDE in block.text for block in examples(page))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a copy of examples/, in which packages that a page makes are as if they were installed."""
    folder = tmp_path / "equipoise"
    shutil.copytree(ROOT / "examples", folder / "examples")
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield folder
    for module in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[module], "__file__", "")):
            del sys.modules[module]
    _forget_entry_points()


def _forget_entry_points() -> None:
    importlib.invalidate_caches()
    methods.cache_clear()
    derivations.cache_clear()


@pytest.mark.requirement("SETUP-DOCS")
@pytest.mark.parametrize("page", [page for page in pages() if examples(page)], ids=name_of)
def test_the_examples_of_a_page_work(page: Path, place: Path) -> None:
    run(page, [block for block in examples(page) if OUTSIDE not in block.text], place)


@pytest.mark.requirement("SETUP-DOCS")
@pytest.mark.parametrize("page", [page for page in pages() if outside(page)], ids=name_of)
def test_the_examples_on_the_t1dal_files_work(page: Path, place: Path, t1dal: Path) -> None:
    data = place.parent / OUTSIDE
    data.parent.mkdir(parents=True)
    data.symlink_to(t1dal)
    run(page, list(examples(page)), place)


def run(page: Path, found: list[Block], place: Path) -> None:
    """Run blocks in their order; Python blocks share one namespace."""
    names: dict[str, Any] = {"__name__": "__page__"}
    for block in found:
        if block.order == "file":
            write(place, block)
        elif block.language == "python" and block.text.startswith(">>> "):
            dialogue = doctest.DocTestParser().get_doctest(block.text, names, page.name, str(page), block.line - 1)
            doctest.DebugRunner().run(dialogue, clear_globs=False)
            names = dialogue.globs
        elif block.language == "python":
            code = compile("\n" * (block.line - 1) + block.text, str(page), "exec")
            exec(code, names)
        else:
            for command in commands(block):
                follow(page, command)


def write(place: Path, block: Block) -> None:
    """Write a file that the page shows; a pyproject.toml is taken as installed, with its entry points."""
    path = place / block.value
    assert path.resolve().is_relative_to(place)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")
    if path.name == "pyproject.toml":
        project = tomllib.loads(block.text)["project"]
        installed = place / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        installed.mkdir()
        (installed / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
        lines = []
        for group, points in project["entry-points"].items():
            lines += [f"[{group}]", *(f"{name} = {target}" for name, target in points.items())]
        (installed / "entry_points.txt").write_text("\n".join(lines) + "\n")
        _forget_entry_points()


def follow(page: Path, command: Command) -> None:
    """Run one command and compare what it prints with what the page shows; an error must be shown to be allowed."""
    words = shlex.split(command.text)
    where = f"{page.name}:{command.line}"
    if words[0] == "equipoise":
        code, printed = equipoise(words[1:])
    else:
        assert words[0] in PLAIN, f"{where}: pages run equipoise and {', '.join(sorted(PLAIN))}"
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        code, printed = done.returncode, done.stdout + done.stderr
    fails = bool(command.shown) and command.shown[0].startswith(("error:", "Error:"))
    assert (code != 0) == fails, f"{where} ended with {code}:\n{printed}"
    shown = "\n".join(command.shown)
    assert fits(command.shown, printed), f"{where} shows\n{shown}\nand it prints\n{printed}"


def equipoise(words: list[str]) -> tuple[int, str]:
    """The exit code and all output of a command of ours."""
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.redirect_stderr(printed):
        try:
            main(words)
        except SystemExit as end:
            return int(end.code or 0), printed.getvalue()
    return 0, printed.getvalue()


@pytest.mark.requirement("SETUP-DOCS")
@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page: Path) -> None:
    astray = []
    for link in links(page.read_text(encoding="utf-8")):
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        there = path.exists() and path.is_relative_to(ROOT)
        if not there or (anchor and anchor not in anchors(path.read_text(encoding="utf-8"))):
            astray.append(link)
    assert astray == []


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_what_is_left_out_says_why_and_an_excerpt_is_one(page: Path) -> None:
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.order == "not run":
            assert len(block.value) > 10, f"line {block.line}: say why"
        if block.order == "from":
            assert block.text in (ROOT / block.value).read_text(encoding="utf-8"), f"line {block.line}"


def test_most_pages_are_looked_at() -> None:
    names = {name_of(page) for page in pages()}
    expected = {"README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/bring-your-own-csv.md"}
    assert expected <= names
    assert sum(len(examples(page)) for page in pages()) > 10


# The runner itself: it must see what is wrong.


@pytest.mark.parametrize(
    ("shown", "printed", "fit"),
    [
        ((), "anything\n", True),
        (("a 1.0", "b"), "a 1.0\nb\n", True),
        (("a 1.0", "b"), "a 1x0\nb\n", False),
        (("a", "b"), "a\n", False),
        (("a",), "a\nb\n", False),
        (("a", "…"), "a\nb\nc\n", True),
        (("a … c",), "a b c\n", True),
        (("…", "c"), "a\nb\n", False),
    ],
)
def test_output_is_compared_with_what_is_shown(shown: tuple[str, ...], printed: str, fit: bool) -> None:
    assert fits(shown, printed) is fit


def test_a_command_that_prints_something_else_or_fails_is_seen(place: Path) -> None:
    page = ROOT / "README.md"
    with pytest.raises(AssertionError, match=r"README.md:7 shows"):
        follow(page, Command("equipoise check t1dal", ("invalid",), 7))
    with pytest.raises(AssertionError, match="ended with 2"):
        follow(page, Command("equipoise check nowhere", (), 7))
    with pytest.raises(AssertionError, match="pages run equipoise"):
        follow(page, Command("curl example", (), 7))


def test_blocks_links_and_anchors_are_found() -> None:
    text = "# One: *two*\n\n<!-- not run: it takes a day -->\n```console\n$ equipoise x \\\n    -o out\nshown\n```\n"
    text += "[a](b.md#c)\n"
    (block,) = blocks(text)
    assert (block.language, block.order, block.value, block.line) == ("console", "not run", "it takes a day", 5)
    assert commands(block) == (Command("equipoise x -o out", ("shown",), 5),)
    assert links(text + '`[x](y.md)` ![p](q.svg) [net](https://e.org) <img src="r.png">') == [
        "b.md#c",
        "q.svg",
        "r.png",
    ]
    assert anchors(text + "## One: two\n") == {"one-two", "one-two-1"}
