"""The small changes: every place of a module where one operator, constant or word can be replaced.

Places are bytes of the source, as `ast` gives them. Left out: annotations, decorators, words (strings and formatted
strings), whatever is raised or asserted, and `strict=` of `zip`, which no correct call can notice.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import accumulate, pairwise
from pathlib import Path

PACKAGE = Path("src/equipoise")
_COMPARED: dict[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">")),
    ast.LtE: ("<=", ("<", ">=")),
    ast.Gt: (">", (">=", "<")),
    ast.GtE: (">=", (">", "<=")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.In: ("in", ("not in",)),
    ast.NotIn: ("not in", ("in",)),
    ast.Is: ("is", ("is not",)),
    ast.IsNot: ("is not", ("is",)),
}
_COMPUTED: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
}
_NAMES = {"min": "max", "any": "all", "minimum": "maximum", "nanmin": "nanmax", "floor": "ceil", "argmin": "argmax"}
_NAMES |= {new: old for old, new in _NAMES.items()}
Change = tuple[str, int, int, str]
_SKIPPED = (ast.JoinedStr, ast.Raise, ast.Assert, ast.match_case)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module: the bytes from start to end become `after`."""

    path: str
    """From the root of the repository."""
    function: str
    """Qualified name; empty for code that runs when the module is imported."""
    line: int
    kind: str
    """compare, compute, logic, constant or call."""
    start: int
    end: int
    before: str
    after: str
    nth: int = 0
    """Which of the equal changes of its function."""

    @property
    def id(self) -> str:
        """The same as long as the function holds the same change, wherever it is in the file."""
        return self.rank("")[:10]

    @property
    def room(self) -> str:
        """The first folder or module below the package."""
        return Path(self.path).relative_to(PACKAGE).parts[0].removesuffix(".py")

    def rank(self, seed: str) -> str:
        """A digest by which a sample is drawn: unrelated changes of the code leave the sample as it was."""
        words = (seed, self.path, self.function, self.kind, self.before, self.after, str(self.nth))
        return sha256("\0".join(words).encode()).hexdigest()

    def planted(self, source: bytes) -> bytes:
        """The source with the change in it."""
        return source[: self.start] + self.after.encode() + source[self.end :]


def mutants_of(path: str, source: bytes) -> list[Mutant]:
    """Every change of one module that still compiles, in the order of the text."""
    text = _Text(source)
    found: list[Mutant] = []
    seen: Counter[tuple[str, ...]] = Counter()
    for node, function in _walk(ast.parse(source), ""):
        for kind, first, last, after in _changes(node, text):
            before = source[first:last].decode()
            mutant = Mutant(path, function, node.lineno, kind, first, last, before, after)
            seen[key := (function, kind, before, after)] += 1
            found.append(replace(mutant, nth=seen[key]))
    return found


def _walk(node: ast.AST, function: str) -> Iterator[tuple[ast.expr, str]]:
    """The expressions that may be changed, each with the function that holds it."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        inner = f"{function}.{node.name}".lstrip(".")
        parts = (
            node.body if isinstance(node, ast.ClassDef) else [*node.args.defaults, *node.args.kw_defaults, *node.body]
        )
        for part in parts:
            if part is not None:
                yield from _walk(part, inner)
        return
    if isinstance(node, _SKIPPED) or (isinstance(node, ast.keyword) and node.arg == "strict"):
        return
    if (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id in ("Literal", "Annotated")
    ):
        return
    if isinstance(node, ast.expr):
        yield node, function
    for name, field in ast.iter_fields(node):
        if name != "annotation":
            for part in field if isinstance(field, list) else [field]:
                if isinstance(part, ast.AST):
                    yield from _walk(part, function)


class _Text:
    """Where expressions stand in the bytes of a source."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        lines = source.splitlines(keepends=True)
        self._starts = [0, *accumulate(map(len, lines))]

    def first(self, part: ast.expr) -> int:
        return self._starts[part.lineno - 1] + part.col_offset

    def last(self, part: ast.expr) -> int:
        assert part.end_lineno is not None
        assert part.end_col_offset is not None
        return self._starts[part.end_lineno - 1] + part.end_col_offset

    def of(self, part: ast.expr) -> str:
        return self.source[self.first(part) : self.last(part)].decode()

    def between(self, left: ast.expr, right: ast.expr, sign: str) -> tuple[int, int]:
        """Where the sign stands between two expressions."""
        word = re.escape(sign).replace("\\ ", r"\s+").encode()
        found = re.compile(word).search(self.source, self.last(left), self.first(right))
        assert found is not None, (sign, self.of(left), self.of(right))
        return found.span()


def _changes(node: ast.expr, text: _Text) -> Iterator[Change]:
    """Each change of one expression: its kind, where it starts and ends, and what stands there then."""
    match node:
        case ast.Compare():
            for left, sign, right in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False):
                old, news = _COMPARED[type(sign)]
                for new in news:
                    yield "compare", *text.between(left, right, old), new
        case ast.BinOp() if type(node.op) in _COMPUTED and not _of_words(node):
            old, new = _COMPUTED[type(node.op)]
            yield "compute", *text.between(node.left, node.right, old), new
        case ast.BoolOp():
            old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
            for left, right in pairwise(node.values):
                yield "logic", *text.between(left, right, old), new
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert()):
            yield "logic", text.first(node), text.first(node.operand), " " if isinstance(node.op, ast.Not) else ""
        case ast.IfExp():
            yield "logic", text.first(node.test), text.last(node.test), f"(not ({text.of(node.test)}))"
        case ast.Constant(value=bool()):
            yield "constant", text.first(node), text.last(node), str(not node.value)
        case ast.Constant(value=int() | float()):
            yield "constant", text.first(node), text.last(node), repr(node.value + 1)
        case ast.Call():
            yield from _calls(node, text)
        case _:
            return


def _calls(node: ast.Call, text: _Text) -> Iterator[Change]:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _NAMES:
            end = text.last(node.func)
            yield "call", end - len(name), end, _NAMES[name]
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr="where"), args=[_, yes, no]):
            comma = text.source[text.last(yes) : text.first(no)].decode()
            yield "call", text.first(yes), text.last(no), f"{text.of(no)}{comma}{text.of(yes)}"
        case _:
            return


def _of_words(node: ast.BinOp) -> bool:
    """Whether a part is a text or a type, which no other operator takes."""
    for part in (node.left, node.right):
        if isinstance(part, ast.JoinedStr) or (isinstance(part, ast.Constant) and isinstance(part.value, str | bytes)):
            return True
        if isinstance(node.op, ast.BitOr) and (
            (isinstance(part, ast.Constant) and part.value is None)
            or (isinstance(part, ast.Name) and part.id in ("int", "float", "bool", "str", "bytes", "list", "dict"))
        ):
            return True
    return False
