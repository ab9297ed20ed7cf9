"""Every promise has a test, and every mark names a promise.

`tests/requirements.yaml` holds the promises by area; a test shows one by `@pytest.mark.requirement("ID")` on the
function or class, by `pytestmark` for a whole module, or by `marks=` of a parameter. The marks are read from the
source, so that the gate takes no time and needs no import. Ends with 1 on a promise that no test carries, an
unknown id, or a mark where no test is.

    python tools/requirement_ids.py            check
    python tools/requirement_ids.py --table    the promises with their tests, as a Markdown table
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
ID = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)+")


@dataclass(frozen=True, slots=True)
class Mark:
    """One `requirement` mark: the id, where it stands, and the test that carries it (None: no test does)."""

    id: str
    place: str
    test: str | None


def read_promises(path: Path) -> dict[str, str]:
    """Read the promises, id to sentence, in the order of the file; areas are joined.

    Raises
    ------
    ValueError
        An id that does not start with its area's name, or a promise that is not one sentence.
    """
    areas = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    promises: dict[str, str] = {}
    for area, sentences in areas.items():
        for key, sentence in sentences.items():
            if not ID.fullmatch(key) or not key.startswith(f"{area}-"):
                raise ValueError(f"{path.name}: {key} is no id of the area {area}")
            if not isinstance(sentence, str) or not sentence.endswith("."):
                raise ValueError(f"{path.name}: {key} is not followed by a sentence")
            promises[key] = sentence
    return promises


def read_marks(tests: Path) -> list[Mark]:
    """Read all requirement marks in the test modules below a folder."""
    return [mark for path in sorted(tests.rglob("*.py")) for mark in _marks_of(path, tests.parent)]


def _marks_of(path: Path, root: Path) -> Iterator[Mark]:
    name = path.relative_to(root).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"), name)
    in_module = path.name.startswith("test_")
    for call, owner in _calls(tree.body, in_module=in_module, owner=None):
        test = f"{name}::{owner}" if owner else name
        place = f"{name}:{call.lineno}"
        for argument in call.args:
            value = argument.value if isinstance(argument, ast.Constant) else None
            yield Mark(str(value), place, test if owner is not None else None)


def _calls(body: list[ast.stmt], *, in_module: bool, owner: str | None) -> Iterator[tuple[ast.Call, str | None]]:
    """Give each mark with its test's name ('' for the whole module, None where no test is collected)."""
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            inside = _name(statement.name, "Test", owner, in_module=in_module)
            yield from ((call, inside) for node in statement.decorator_list for call in _requirement_calls(node))
            yield from _calls(statement.body, in_module=inside is not None, owner=inside)
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = _name(statement.name, "test", owner, in_module=in_module)
            yield from ((call, inside) for node in statement.decorator_list for call in _requirement_calls(node))
            yield from ((call, None) for node in statement.body for call in _requirement_calls(node))
        else:
            whole = (owner or "") if in_module and _assigns_pytestmark(statement) else None
            yield from ((call, whole) for call in _requirement_calls(statement))


def _name(name: str, prefix: str, owner: str | None, *, in_module: bool) -> str | None:
    if not in_module or not name.startswith(prefix):
        return None
    return f"{owner}::{name}" if owner else name


def _assigns_pytestmark(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == "pytestmark" for target in statement.targets
    )


def _requirement_calls(node: ast.AST) -> Iterator[ast.Call]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and ast.unparse(inner.func) in ("pytest.mark.requirement", "mark.requirement"):
            yield inner


def find_faults(promises: dict[str, str], marks: list[Mark]) -> list[str]:
    """Give one line for each promise without a test, unknown id, or mark that no test carries."""
    shown = {mark.id for mark in marks if mark.test is not None}
    faults = [
        f"{mark.place}: {mark.id} is no id of tests/requirements.yaml" for mark in marks if mark.id not in promises
    ]
    faults += [
        f"{mark.place}: the mark {mark.id} stands where pytest collects no test" for mark in marks if mark.test is None
    ]
    faults += [f"{key}: no test shows this: {sentence}" for key, sentence in promises.items() if key not in shown]
    return faults


def table(promises: dict[str, str], marks: list[Mark]) -> str:
    """Lay out the promises and the tests that show them as a Markdown table."""
    tests: dict[str, list[str]] = defaultdict(list)
    for mark in marks:
        if mark.test is not None and mark.test not in tests[mark.id]:
            tests[mark.id].append(mark.test)
    rows = [
        f"| {key} | {sentence} | {'<br>'.join(f'`{test}`' for test in tests[key]) or 'none'} |"
        for key, sentence in promises.items()
    ]
    return "\n".join(["| id | equipoise promises | shown by |", "|---|---|---|", *rows])


def main(arguments: list[str] | None = None) -> int:
    """Check, or print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--table", action="store_true", help="print the promises with their tests")
    parser.add_argument("--tests", type=Path, default=ROOT / "tests", help="folder of the tests")
    options: Any = parser.parse_args(arguments)
    try:
        promises = read_promises(options.tests / "requirements.yaml")
    except ValueError as error:
        print(error)
        return 1
    marks = read_marks(options.tests)
    if options.table:
        print(table(promises, marks))
        return 0
    faults = find_faults(promises, marks)
    for fault in faults:
        print(fault)
    print(f"requirement ids: {len(promises)} promises, {len(marks)} marks, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
