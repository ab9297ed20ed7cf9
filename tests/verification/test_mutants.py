"""The mutants: changes that compile, a sample that stays, tests chosen by reach, and a score that cannot flatter."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from verification.mutants.__main__ import EQUIVALENTS, RESULTS, ROOT, tried
from verification.mutants.page import PAGE, page_of
from verification.mutants.reach import Reach, saying
from verification.mutants.reach import tests_for as chosen_tests
from verification.mutants.sample import ROOMS, SEED, TARGETS, sample
from verification.mutants.score import scores
from verification.mutants.sites import Mutant, mutants_of

pytestmark = pytest.mark.requirement("VERIFY-MUTANTS")
SOURCE = '''
"""Words: 1 < 2 and not 3."""
LIMIT: int = 3


class Box:
    width = 1.5

    def inside(self, x: float, *, wide: bool = True) -> bool:
        """At most 1 + 1."""
        if not wide and x is None:
            raise ValueError(f"{x + 1} above {LIMIT + 1}")
        return -self.width <= (x) < self.width + LIMIT


def chosen(a, b):
    # Ä: two bytes
    return np.where(a > b, a, max(b, 0)) if a in (b, 1) else list(zip(a, b, strict=True))
'''


MORE = """

class One:
    def f(self): return 1

    @property
    def g(self):
        with a as b:
            return b
"""


def changed(source: str) -> set[tuple[str, str, str, str]]:
    found = mutants_of("src/equipoise/stats/x.py", source.encode())
    for mutant in found:
        ast.parse(mutant.planted(source.encode()))
    return {(m.function, m.kind, m.before, m.after) for m in found}


def test_every_operator_has_its_changes_and_words_types_and_messages_have_none() -> None:
    assert changed(SOURCE) == {
        ("", "constant", "3", "4"),
        ("Box", "constant", "1.5", "2.5"),
        ("Box.inside", "constant", "True", "False"),
        ("Box.inside", "logic", "and", "or"),
        ("Box.inside", "logic", "not ", " "),
        ("Box.inside", "compare", "is", "is not"),
        ("Box.inside", "logic", "-", ""),
        ("Box.inside", "compare", "<=", "<"),
        ("Box.inside", "compare", "<=", ">="),
        ("Box.inside", "compare", "<", "<="),
        ("Box.inside", "compare", "<", ">"),
        ("Box.inside", "compute", "+", "-"),
        ("chosen", "compare", "in", "not in"),
        ("chosen", "logic", "a in (b, 1)", "(not (a in (b, 1)))"),
        ("chosen", "compare", ">", ">="),
        ("chosen", "compare", ">", "<"),
        ("chosen", "call", "a, max(b, 0)", "max(b, 0), a"),
        ("chosen", "call", "max", "min"),
        ("chosen", "constant", "0", "1"),
        ("chosen", "constant", "1", "2"),
    }


def test_a_change_is_one_place_of_the_text_and_nothing_else() -> None:
    before = SOURCE.encode()
    for mutant in mutants_of("src/equipoise/stats/x.py", before):
        after = mutant.planted(before)
        assert after != before
        assert after.startswith(before[: mutant.start]) and after.endswith(before[mutant.end :])
        assert before[mutant.start : mutant.end].decode() == mutant.before


def test_an_id_stays_where_the_function_moves_and_changes_with_the_function() -> None:
    ids = lambda source: [m.id for m in mutants_of("src/equipoise/stats/x.py", source.encode())]  # noqa: E731
    moved = SOURCE.replace("class Box", "def more(a):\n    return a\n\n\nclass Box")
    assert ids(moved) == ids(SOURCE) and len(set(ids(SOURCE))) == len(ids(SOURCE))
    assert not set(ids(SOURCE.replace("def chosen", "def picked"))) >= set(ids(SOURCE))


@pytest.fixture(scope="module")
def drawn() -> list[Mutant]:
    return sample(ROOT)


def test_the_sample_has_200_mutants_of_all_rooms_and_kinds_and_is_drawn_by_its_seed(drawn: list[Mutant]) -> None:
    assert sum(ROOMS.values()) == len(drawn) == len({m.id for m in drawn}) == 200
    assert {room: sum(m.room == room for m in drawn) for room in ROOMS} == ROOMS
    assert set(TARGETS) < set(ROOMS)
    rooms = {path.name for path in (ROOT / "src" / "equipoise").iterdir() if (path / "__init__.py").exists()}
    assert set(ROOMS) == rooms, "every room has its share"
    assert {m.kind for m in drawn if m.room == "stats"} == {"compare", "compute", "logic", "constant", "call"}
    assert [m.id for m in sample(ROOT)] == [m.id for m in drawn]
    assert len({m.id for m in sample(ROOT, SEED + 1)} & {m.id for m in drawn}) < 20


def test_a_module_that_says_what_is_entered_is_the_same_program() -> None:
    source = SOURCE + MORE
    text = saying("src/equipoise/stats/x.py", source.encode()).decode()
    said = [line.partition("::")[2].partition('"')[0] for line in text.splitlines() if "entered(" in line]
    assert said == ["Box.inside", "chosen", "One.f", "One.g"]
    without = ast.parse(text)
    for node in ast.walk(without):
        if isinstance(node, ast.FunctionDef):
            node.body = [part for part in node.body if "entered" not in ast.unparse(part)]
    assert ast.unparse(without) == ast.unparse(ast.parse(source))


def mutant(function: str = "f", path: str = "src/equipoise/stats/x.py") -> Mutant:
    return Mutant(path, function, 1, "compare", 0, 1, "<", ">")


def test_tests_of_the_own_room_come_first_then_the_quick_ones_then_the_rest_of_their_files() -> None:
    f = "src/equipoise/stats/x.py::f"
    reach = {
        "tests/cli/test_c.py": Reach({"c1": 0.1, "c2": 1.0}, {f: ["c1"]}),
        "tests/stats/test_a.py": Reach({"tests/stats/a1": 2.0, "tests/stats/a2": 1.0}, {f: ["tests/stats/a1"]}),
        "tests/stats/test_b.py": Reach({"tests/stats/b1": 0.5}, {f: ["tests/stats/b1", "failed there"]}),
        "tests/stats/test_d.py": Reach({"tests/stats/d1": 0.5}, {"src/equipoise/stats/x.py::g": ["tests/stats/d1"]}),
    }
    order = ["tests/stats/b1", "tests/stats/a1", "c1", "tests/stats/a2", "c2"]
    assert chosen_tests(mutant(), reach, 60) == (order, 5)
    assert chosen_tests(mutant(), reach, 2.6) == (order[:3], 5)
    assert chosen_tests(mutant("h"), reach, 60) == ([], 0)
    # Code that runs at import concerns every test that comes to any function of its module.
    assert set(chosen_tests(mutant(""), reach, 60)[0]) == {*order, "tests/stats/d1"}


@pytest.mark.parametrize(
    ("after", "word"), [("x + 1", "survived"), ("x - 1", "killed"), ("[x for _ in iter(int, 1)]", "never ends")]
)
def test_a_mutant_is_killed_by_a_test_that_fails_or_never_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: str, word: str
) -> None:
    for name, text in {
        "src/equipoise/__init__.py": "",
        "src/equipoise/stats/x.py": "def f(x):\n    return 1 + x\n",
        "tests/stats/test_x.py": "from equipoise.stats.x import f\n\ndef test_f():\n    assert f(1) == 2\n",
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--import-mode=importlib'\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr("verification.mutants.__main__.GRACE", 4.0)
    path = "src/equipoise/stats/x.py"
    source = (tmp_path / path).read_bytes()
    planted = Mutant(path, "f", 2, "compute", source.index(b"1 + x"), source.index(b"1 + x") + 5, "1 + x", after)
    test = "tests/stats/test_x.py::test_f"
    reach = {"tests/stats/test_x.py": Reach({test: 0.01}, {f"{path}::f": [test]})}
    row = tried(tmp_path, tmp_path, planted, reach, 60)
    assert (row["outcome"], row["by"]) == (word, test if word == "killed" else None)
    assert (tmp_path / path).read_bytes() == source


def outcomes(killed: int, survived: int, room: str = "stats") -> list[dict[str, str]]:
    words = ["killed"] * killed + ["survived"] * survived
    return [{"id": f"{room}-{number}", "room": room, "outcome": word} for number, word in enumerate(words)]


def test_a_target_is_reached_exactly_and_never_by_rounding() -> None:
    (exact,) = scores(outcomes(27, 3), {})
    assert not exact.missed and exact.per_cent == "90 %"
    (short,) = scores(outcomes(269, 31), {})
    assert short.missed and short.per_cent == "89 %" and "MISSED" in short.line
    (never,) = scores([{"id": "x", "room": "cli", "outcome": "never ends"}], {})
    assert never.killed == 1 and not never.missed


def test_an_equivalent_mutant_counts_neither_way_and_only_where_it_survived() -> None:
    (score,) = scores(outcomes(9, 2), {"stats-9": "why", "stats-0": "but it was killed"})
    assert (score.killed, score.tried, score.equivalent) == (9, 10, 1)


STORED = json.loads(RESULTS.read_text("utf-8"))
DECLARED = YAML(typ="safe").load(EQUIVALENTS)


def test_the_page_is_made_from_the_stored_run() -> None:
    assert PAGE.read_text("utf-8") == page_of(STORED, DECLARED)


def test_the_stored_run_reached_every_target() -> None:
    found = {score.room: score for score in scores(STORED["mutants"], DECLARED)}
    assert set(found) == set(ROOMS)
    assert [score.line for score in found.values() if score.missed] == []


def test_equivalents_are_of_the_stored_run_and_have_a_reason() -> None:
    rows = {row["id"]: row for row in STORED["mutants"]}
    for name, reason in DECLARED.items():
        assert rows[name]["outcome"] == "survived" and len(reason.split()) >= 8, name
