"""Habits of this repository that no linter knows."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements" / "lock.txt").read_text(encoding="utf-8")
MODULE_LINES, FUNCTION_LINES = 400, 60
# Spelled in pieces, so that this file does not name one itself.
HOSTS = re.compile(
    r"py" + r"pi\.org|python" + r"hosted\.org|npm" + r"js\.(org|com)|(deb|security)\.deb" + r"ian\.org|crates" + r"\.io"
)


@cache
def tracked() -> tuple[Path, ...]:
    """Give the files that git has, or would have after `git add`."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return tuple(path for name in names if name and (path := ROOT / name).is_file())


def code() -> list[Path]:
    """Give the modules of the package and of the gates."""
    return [path for folder in ("src", "tools") for path in sorted((ROOT / folder).rglob("*.py"))]


def read(name: str) -> str:
    """Read a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def targets() -> set[str]:
    """Give the commands that `make help` lists."""
    return set(re.findall(r"^([a-z]+):.*## ", read("Makefile"), re.MULTILINE))


@pytest.mark.requirement("SETUP-NO-HOST")
def test_no_file_names_the_host_of_a_registry() -> None:
    texts = {path: path.read_text(encoding="utf-8", errors="ignore") for path in tracked()}
    assert [str(path.relative_to(ROOT)) for path, text in texts.items() if HOSTS.search(text)] == []
    assert len(texts) > 20


@pytest.mark.requirement("SETUP-LOCK")
def test_there_is_one_lock_and_it_pins_every_package_by_hash() -> None:
    assert not (ROOT / "uv.lock").exists()
    entries = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)[1:]
    assert len(entries) > 20
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry
    assert "index-url" not in LOCK
    installer = read("requirements/uv.txt")
    assert re.findall(r"^\S+(?===)", installer, re.MULTILINE) == ["uv"]
    assert "--hash=sha256:" in installer


@pytest.mark.requirement("SETUP-LOCK")
def test_the_lock_satisfies_every_declared_dependency() -> None:
    locked: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", LOCK, re.MULTILINE):
        locked.setdefault(canonicalize_name(name), []).append(version)
    declared = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    for requirement in map(Requirement, [*declared, *PROJECT["build-system"]["requires"]]):
        versions = locked.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement} is not locked: run make lock"
        assert all(requirement.specifier.contains(version) for version in versions), requirement


@pytest.mark.requirement("SETUP-PACKAGE")
def test_the_package_is_what_it_says() -> None:
    project = PROJECT["project"]
    assert PROJECT["build-system"]["build-backend"] == "hatchling.build"
    assert (project["name"], project["requires-python"], project["license"]) == ("equipoise", ">=3.11", "Apache-2.0")
    assert "Apache License" in read("LICENSE").partition("TERMS AND CONDITIONS")[0]
    assert (ROOT / "src" / "equipoise" / "py.typed").is_file()


@pytest.mark.requirement("SETUP-PACKAGE")
def test_every_dependency_says_what_it_is_for() -> None:
    declared = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    reasons = dict(re.findall(r'^    "([^"]+)", +# (\w.+)$', read("pyproject.toml"), re.MULTILINE))
    assert set(declared) <= set(reasons)
    assert all(len(reason) > 8 for reason in reasons.values())


def test_every_ignored_rule_says_why() -> None:
    lint = PROJECT["tool"]["ruff"]["lint"]
    ignored = [*lint["ignore"], *(rule for rules in lint["per-file-ignores"].values() for rule in rules)]
    lines = read("pyproject.toml").splitlines()
    for rule in ignored:
        assert any(re.fullmatch(rf' +"{rule}", +# .{{8,}}', line) for line in lines), rule


def test_every_exception_in_the_code_says_why() -> None:
    silenced = re.compile(
        r"# (?:noqa|type: ignore|pyright: ignore)\b:?\s*(?:\[[\w-]+\]|[A-Z]+\d+(?:, ?[A-Z]+\d+)*)?(.*)"
    )
    for path in code():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if found := silenced.search(line):
                assert len(found[1].strip(" ,:;#-")) > 8, f"{path.relative_to(ROOT)}:{number} gives no reason"


@pytest.mark.requirement("SETUP-SIZE")
def test_no_module_and_no_function_is_too_long() -> None:
    too_long = []
    for path in code():
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > MODULE_LINES:
            too_long.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES:
                    too_long.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}, {length} lines")
    assert too_long == []


@pytest.mark.requirement("SETUP-CI")
def test_ci_runs_the_parts_of_make_test_then_references_and_verify_quick() -> None:
    """The parts are those of the Makefile's own list, in its order; install, which each of them needs, comes first."""
    check = read("Makefile").partition("\ncheck: ")[2].partition("\n\n")[0]
    parts = [line.removeprefix("\t@$(MAKE) ") for line in check.splitlines()[1:]]
    assert len(parts) == 5
    script = read(".ci/run")
    listed = re.search(r"^parts=\((.*)\)$", script, re.MULTILINE)
    assert listed is not None
    assert re.findall(r'"([^"]+)"', listed[1]) == ["install", *parts, "references", "verify-quick"]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "make test" in read("README.md") and "make verify-quick" in read("README.md")


def ci_in(folder: Path, makefile: str, seconds: int) -> subprocess.CompletedProcess[str]:
    """Run the script for CI in a tree whose parts do what the Makefile says."""
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci" / "run")
    (folder / "Makefile").write_text(makefile, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["bash", str(folder / ".ci" / "run")]
    environment["EQUIPOISE_CI_SECONDS"] = str(seconds)
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.requirement("SETUP-CI")
def test_ci_prints_the_seconds_of_each_part(tmp_path: Path) -> None:
    done = ci_in(tmp_path, "%:\n\t@echo $@ >> ran.txt\n", 60)
    assert done.returncode == 0, done.stdout + done.stderr
    ran = (tmp_path / "ran.txt").read_text(encoding="utf-8").split()
    assert [*ran[:4], *sorted(ran[4:6]), *ran[6:]] == [
        *("install", "lint", "imports", "ids"),
        *("sabotage", "types", "quick", "references", "verify-quick"),
    ]
    timed = re.findall(r"^CI: make (.+): \d+ s$", done.stdout, re.MULTILINE)
    assert timed == ["install", "lint", "imports", "ids", "-j 2 types sabotage", "quick", "references", "verify-quick"]


@pytest.mark.requirement("SETUP-CI")
def test_ci_ends_itself_in_time_and_lists_what_was_not_run(tmp_path: Path) -> None:
    done = ci_in(tmp_path, "types:\n\t@sleep 50\n%:\n\t@echo $@ >> ran.txt\n", 3)
    assert done.returncode == 1
    assert "make -j 2 types sabotage did not finish" in done.stdout
    assert re.findall(r"^CI: not run: make (.+)$", done.stdout, re.MULTILINE) == ["quick", "references", "verify-quick"]
    assert "quick" not in (tmp_path / "ran.txt").read_text(encoding="utf-8")


@pytest.mark.requirement("SETUP-CI")
def test_ci_stops_at_the_first_part_that_fails(tmp_path: Path) -> None:
    done = ci_in(tmp_path, "ids:\n\t@exit 3\n%:\n\t@echo $@ >> ran.txt\n", 60)
    assert done.returncode == 2  # make's word for it
    assert (tmp_path / "ran.txt").read_text(encoding="utf-8").split() == ["install", "lint", "imports"]
    assert "not run" not in done.stdout


@pytest.mark.requirement("SETUP-DOCS")
def test_the_readme_opens_with_the_two_commands() -> None:
    opening = "\n".join(read("README.md").splitlines()[:80])
    assert "make trial" in opening
    assert "make test" in opening
    assert "Protocol" in opening.split("```")[1]  # the picture of the data flow


@pytest.mark.requirement("SETUP-DOCS")
@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "GLOSSARY.md", "CHANGELOG.md", "docs/architecture.md"])
def test_the_documents_stand(name: str) -> None:
    assert read(name).startswith("# ")
    assert len(read(name)) > 400


@pytest.mark.requirement("SETUP-DOCS")
def test_every_command_that_a_document_names_exists() -> None:
    documents = [path for path in tracked() if path.suffix == ".md"]
    for path in documents:
        named = set(re.findall(r"(?:`|^)make ([a-z]+)", path.read_text(encoding="utf-8"), re.MULTILINE))
        assert named <= targets(), path.relative_to(ROOT)


def test_every_link_of_a_document_leads_somewhere() -> None:
    for path in (path for path in tracked() if path.suffix == ".md"):
        for link in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", path.read_text(encoding="utf-8")):
            assert (path.parent / link).exists(), f"{path.relative_to(ROOT)}: {link}"
