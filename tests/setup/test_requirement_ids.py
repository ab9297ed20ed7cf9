"""The gate on promises: none without a test, no unknown id, no mark that no test carries."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.requirement_ids import find_faults, main, read_marks, read_promises, table

PROMISES = """
SETUP:
  SETUP-A: The first promise.
  SETUP-B: The second promise.
READ:
  READ-C: The third promise.
"""
TESTS = """
import pytest

@pytest.mark.requirement("SETUP-A", "SETUP-B")
def test_two():
    pass

class TestReading:
    @pytest.mark.parametrize("n", [pytest.param(1, marks=pytest.mark.requirement("READ-C")), 2])
    def test_param(self, n):
        pass
"""


def write(folder: Path, tests: str, promises: str = PROMISES, name: str = "test_some.py") -> Path:
    """Write a folder of promises and one module of tests."""
    root = folder / "tests"
    root.mkdir()
    (root / "requirements.yaml").write_text(promises, encoding="utf-8")
    (root / name).write_text(tests, encoding="utf-8")
    return root


def faults(root: Path) -> list[str]:
    """Give the faults of a written folder."""
    return find_faults(read_promises(root / "requirements.yaml"), read_marks(root))


@pytest.mark.requirement("SETUP-IDS")
def test_all_promises_with_tests_pass(tmp_path: Path) -> None:
    root = write(tmp_path, TESTS)
    assert faults(root) == []
    assert main(["--tests", str(root)]) == 0


@pytest.mark.requirement("SETUP-IDS")
def test_a_promise_without_a_test_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write(tmp_path, TESTS.replace('"SETUP-A", ', ""))
    assert main(["--tests", str(root)]) == 1
    assert "SETUP-A: no test shows this: The first promise." in capsys.readouterr().out


@pytest.mark.requirement("SETUP-IDS")
def test_an_unknown_id_fails(tmp_path: Path) -> None:
    root = write(tmp_path, TESTS.replace('"SETUP-A"', '"SETUP-A", "SETUP-Z"'))
    assert faults(root) == ["tests/test_some.py:4: SETUP-Z is no id of tests/requirements.yaml"]


UNCOLLECTED = {
    "a function that is no test": TESTS.replace("def test_two", "def check_two"),
    "a class that is no test": TESTS.replace("class TestReading", "class Reading"),
    "a variable with another name": 'import pytest\nmark = pytest.mark.requirement("SETUP-A")\n',
}


@pytest.mark.requirement("SETUP-IDS")
@pytest.mark.parametrize("tests", UNCOLLECTED.values(), ids=UNCOLLECTED)
def test_a_mark_that_no_test_carries_shows_nothing(tmp_path: Path, tests: str) -> None:
    found = faults(write(tmp_path, tests))
    assert any("where pytest collects no test" in fault for fault in found)
    assert any("no test shows" in fault for fault in found)


def test_a_module_that_pytest_does_not_collect_shows_nothing(tmp_path: Path) -> None:
    assert len([fault for fault in faults(write(tmp_path, TESTS, name="panels.py")) if "no test shows" in fault]) == 3


def test_a_mark_for_the_whole_module_counts(tmp_path: Path) -> None:
    tests = (
        'import pytest\npytestmark = [pytest.mark.requirement("SETUP-A", "SETUP-B", "READ-C")]\n\ndef test_it(): pass\n'
    )
    assert faults(write(tmp_path, tests)) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("SETUP:\n  READ-A: A sentence.\n", "READ-A is no id of the area SETUP"),
        ("SETUP:\n  SETUP-a: A sentence.\n", "SETUP-a is no id of the area SETUP"),
        ("SETUP:\n  SETUP-A: no sentence\n", "SETUP-A is not followed by a sentence"),
    ],
)
def test_the_file_of_promises_is_checked(tmp_path: Path, wrong: str, message: str) -> None:
    root = write(tmp_path, "", promises=wrong)
    with pytest.raises(ValueError, match=message):
        read_promises(root / "requirements.yaml")


@pytest.mark.requirement("SETUP-IDS")
def test_the_table_names_the_tests_of_each_promise(tmp_path: Path) -> None:
    root = write(tmp_path, TESTS)
    rows = table(read_promises(root / "requirements.yaml"), read_marks(root)).splitlines()
    assert rows[2] == "| SETUP-A | The first promise. | `tests/test_some.py::test_two` |"
    assert rows[4] == "| READ-C | The third promise. | `tests/test_some.py::TestReading::test_param` |"
