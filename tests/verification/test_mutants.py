"""The mutants: changes that compile, a sample that stays, tests chosen by reach, and a score that cannot flatter."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from verification.mutants.__main__ import EQUIVALENTS, RESULTS, ROOT, row_of, tried
from verification.mutants.page import PAGE, page_of
from verification.mutants.reach import Reach, saying
from verification.mutants.reach import tests_for as chosen_tests
from verification.mutants.sample import ROOMS, SEED, TARGETS, sample
from verification.mutants.score import Score, scores
from verification.mutants.session import Job, changed_code, sessions
from verification.mutants.sites import Mutant, mutants_of
from verification.mutants.workers import Outcome

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


def test_tests_of_the_own_room_come_first_file_by_file_with_all_that_the_file_has() -> None:
    f = "src/equipoise/stats/x.py::f"
    a, b, c, d = (
        "tests/stats/test_a.py::",
        "tests/stats/test_b.py::",
        "tests/cli/test_c.py::",
        "tests/stats/test_d.py::",
    )
    reach = {
        "tests/cli/test_c.py": Reach({f"{c}1": 0.1, f"{c}2": 1.0}, {f: [f"{c}1"]}),
        "tests/stats/test_a.py": Reach({f"{a}1": 2.0, f"{a}2": 1.0, f"{a}3": 0.5}, {f: [f"{a}1", f"{a}3"]}),
        "tests/stats/test_b.py": Reach({f"{b}1": 0.5}, {f: [f"{b}1", "failed there"]}),
        "tests/stats/test_d.py": Reach({f"{d}1": 0.5}, {"src/equipoise/stats/x.py::g": [f"{d}1"]}),
    }
    order = [f"{b}1", f"{a}3", f"{a}1", f"{a}2", f"{c}1", f"{c}2"]
    assert chosen_tests(mutant(), reach, 60, ()) == (order, 6)
    assert chosen_tests(mutant(), reach, 3.5, ()) == (order[:3], 6)
    assert chosen_tests(mutant(), reach, 0.1, ()) == (order[:1], 6), "one at least"
    assert chosen_tests(mutant("h"), reach, 60, ()) == ([], 0)
    # Files that are named come first, beyond the budget.
    named = [f"{c}1", f"{c}2"]
    assert chosen_tests(mutant(), reach, 0.1, ("tests/cli/test_c.py",)) == (named, 6)
    # Code that runs at import concerns every test that comes to any function of its module.
    assert set(chosen_tests(mutant(""), reach, 60, ())[0]) == {*order, f"{d}1"}
    # A module without functions concerns the tests of its room.
    alone = {name: Reach(found.seconds, {}) for name, found in reach.items()}
    assert set(chosen_tests(mutant(""), alone, 60, ())[0]) == {f"{a}1", f"{a}2", f"{a}3", f"{b}1", f"{d}1"}


TOY = (
    "LIMIT = 2\n\n\ndef f(x):\n    return LIMIT + x\n\n\ndef g(x, more=1):\n    return [y for y in (x,) if y > more]\n"
)
TOY_TESTS = """
from equipoise.stats.x import f, g

def test_f():
    assert f(1) == 3

def test_g():
    assert g(2) == [2] and g(1) == []
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in {
        "src/equipoise/__init__.py": "",
        "src/equipoise/stats/x.py": TOY,
        "tests/stats/test_x.py": TOY_TESTS,
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--import-mode=importlib'\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def toy(function: str, line: int, before: str, after: str) -> Job:
    start = TOY.index(before)
    changed = Mutant("src/equipoise/stats/x.py", function, line, "compute", start, start + len(before), before, after)
    return Job(changed, ("tests/stats/test_x.py::test_f", "tests/stats/test_x.py::test_g"), 6.0)


INSIDE = {
    "survived": toy("f", 5, "LIMIT + x", "x + LIMIT"),
    "killed": toy("f", 5, "LIMIT + x", "LIMIT - x"),
    "killed by another test": toy("g", 9, "y > more", "y >= more"),
    "never ends": toy("f", 5, "LIMIT + x", "[x for _ in iter(int, 1)]"),
}
AT_IMPORT = {"a constant": toy("", 1, "LIMIT = 2", "LIMIT = 3"), "a default": toy("g", 8, "more=1", "more=2")}


def word(outcome: Outcome) -> tuple[str, str | None]:
    row = row_of(mutant(), outcome, 2, 2)
    return row["outcome"], row["by"]


def test_in_a_session_each_mutant_is_alone_and_killed_by_a_test_that_fails_or_never_ends(tree: Path) -> None:
    for job in INSIDE.values():
        assert changed_code(job.mutant, TOY.encode(), "x.py") is not None
    # The first once more at the end: nothing is left of those before it.
    jobs = [*INSIDE.values(), INSIDE["survived"]]
    found = [word(outcome) for _, outcome in sessions(tree, [tree], jobs)]
    by = "tests/stats/test_x.py::test_"
    assert found == [
        ("survived", None),
        ("killed", f"{by}f"),
        ("killed", f"{by}g"),
        ("never ends", None),
        ("survived", None),
    ]
    assert (tree / "src/equipoise/stats/x.py").read_text("utf-8") == TOY


@pytest.mark.parametrize("job", AT_IMPORT.values(), ids=AT_IMPORT)
def test_what_runs_at_import_has_a_process_of_its_own(tree: Path, job: Job) -> None:
    assert changed_code(job.mutant, TOY.encode(), "x.py") is None
    assert word(tried(tree, tree, job))[0] == "killed"
    assert (tree / "src/equipoise/stats/x.py").read_text("utf-8") == TOY


def test_a_mutant_that_breaks_the_module_of_a_test_is_killed_and_a_test_that_is_not_there_is_an_error(
    tree: Path,
) -> None:
    assert word(tried(tree, tree, toy("", 1, "LIMIT = 2", "LIMIT = 1 / 0")))[0] == "killed"
    lost = Job(INSIDE["survived"].mutant, ("tests/stats/test_x.py::test_of_before",), 6.0)
    with pytest.raises(RuntimeError, match="pytest ended with 4"):
        word(tried(tree, tree, lost))


def outcomes(killed: int, survived: int, room: str = "stats") -> list[dict[str, str]]:
    words = ["killed"] * killed + ["survived"] * survived
    return [{"id": f"{room}-{number}", "room": room, "outcome": word} for number, word in enumerate(words)]


def test_a_target_is_reached_exactly_and_never_by_rounding() -> None:
    exact = Score("stats", 27, 30, 6, 90)
    assert not exact.missed and exact.per_cent == "90 %"
    short = Score("stats", 269, 300, 0, 90)
    assert short.missed and short.per_cent == "89 %" and "MISSED" in short.line
    assert not Score("cli", 0, 2, 0, None).missed
    waiting = Score("stats", 1, 30, 0, 90, untried=6)
    assert not waiting.missed and "6 NOT TRIED" in waiting.line


def test_scores_are_those_of_the_rows() -> None:
    found = {score.room: score for score in scores([*outcomes(30, 6), *outcomes(1, 0, "cli")], {"stats-30": "why"})}
    assert (found["stats"].killed, found["stats"].tried, found["stats"].untried) == (30, 35, 0)
    assert (found["cli"].killed, found["cli"].untried, found["formula"].untried) == (1, 1, 4)
    (never,) = [s for s in scores([{"id": "x", "room": "cli", "outcome": "never ends"}], {}) if s.room == "cli"]
    assert never.killed == 1


def test_an_equivalent_mutant_counts_neither_way_and_only_where_it_survived() -> None:
    score, *_ = scores(outcomes(9, 2), {"stats-9": "why", "stats-0": "but it was killed"})
    assert (score.killed, score.tried, score.equivalent) == (9, 10, 1)


STORED = json.loads(RESULTS.read_text("utf-8"))
DECLARED = YAML(typ="safe").load(EQUIVALENTS)


def test_the_page_is_made_from_the_stored_run() -> None:
    assert PAGE.read_text("utf-8") == page_of(STORED, DECLARED)


def test_no_room_that_was_tried_whole_missed_its_target() -> None:
    found = list(scores(STORED["mutants"], DECLARED))
    assert [score.room for score in found] == list(ROOMS)
    assert [score.line for score in found if score.missed] == []
    page = page_of(STORED, DECLARED)
    for score in found:
        (line,) = [line for line in page.splitlines() if line.startswith(f"| {score.room} |")]
        assert line.endswith(f"| {score.untried or ''} |"), "what was not tried is told"


def test_equivalents_are_of_the_stored_run_and_have_a_reason() -> None:
    rows = {row["id"]: row for row in STORED["mutants"]}
    for name, reason in DECLARED.items():
        assert rows[name]["outcome"] == "survived", name
        assert len(reason.split()) >= 8, name
