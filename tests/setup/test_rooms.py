"""The contracts on rooms refuse what the design forbids: shown on a made-up tree with one wrong import each."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
LAYERS = next(contract["layers"] for contract in CONTRACTS if contract["type"] == "layers")
ROOMS = {room.strip() for layer in LAYERS for room in layer.split("|")}
NAMED = {
    module.removeprefix("equipoise.")
    for contract in CONTRACTS
    for module in [*contract.get("source_modules", []), *contract.get("forbidden_modules", [])]
    if module.startswith("equipoise.") and not module.endswith("*")
}
STANDING = {room for room in ROOMS if not room.startswith("(")}


def lint(folder: Path, modules: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Lint a tree of empty rooms, to which modules (path to source) are added, by the contracts of this repository."""
    package = folder / "src" / "equipoise"
    for name in ["", *STANDING]:
        (package / name).mkdir(parents=True, exist_ok=True)
        (package / name / "__init__.py").touch()
    for part in {name for name in NAMED if "." in name}:  # modules of rooms, which contracts name
        (package / part.replace(".", "/")).with_suffix(".py").touch()
    (package / "__main__.py").write_text("import equipoise.cli\n", encoding="utf-8")
    for name, source in modules.items():
        (package / name).parent.mkdir(exist_ok=True)
        (package / name).parent.joinpath("__init__.py").touch()
        (package / name).write_text(source, encoding="utf-8")
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"]
    command += ["--config", ROOT / "pyproject.toml"]
    path = os.pathsep.join([str(folder / "src"), str(ROOT)])
    environment = os.environ | {"PYTHONPATH": path, "COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.requirement("SETUP-ROOMS")
def test_a_tree_in_order_passes(tmp_path: Path) -> None:
    done = lint(
        tmp_path,
        {
            "cli/main.py": "import equipoise.verbs\nfrom equipoise import errors\n",
            "report/build.py": "import jinja2\nfrom equipoise import documents\n",
            "patients/disease.py": "import numpy\nimport equipoise.source\n",
            "rehearsal/people.py": "import equipoise.conduct\n",
            "conduct/web.py": "import django\nimport equipoise.records\n",
        },
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


WRONG = {
    "upwards": ("records/panel.py", "import equipoise.analysis", "equipoise.records"),
    "between siblings": ("stats/model.py", "from equipoise import documents", "equipoise.stats"),
    "between coming siblings": ("design/grid.py", "import equipoise.report", "equipoise.design"),
    "a new room": ("utils/things.py", "", "utils"),
    "a new room of one module": ("helpers.py", "", "helpers"),
    "statistics read tables": ("stats/model.py", "import polars", "equipoise.stats"),
    "virtual patients read tables": ("patients/disease.py", "import pandas", "equipoise.patients"),
    "sequences know the web": ("randomisation/blocks.py", "from django import http", "equipoise.randomisation"),
    "documents read tables": ("documents/html.py", "import polars as pl", "equipoise.documents"),
    "the server analyses": ("conduct/rules.py", "import equipoise.analysis", "equipoise.conduct"),
    "the outer skin inside": ("verbs/checking.py", "import equipoise", "equipoise.verbs.checking"),
    "a name of the outer skin": ("verbs/checking.py", "from equipoise import __version__", "equipoise.verbs.checking"),
    "only for types": (
        "stats/model.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import polars",
        "equipoise.stats",
    ),
    "only when called": ("source/paths.py", "def f():\n    import equipoise.records", "equipoise.source"),
}


@pytest.mark.requirement("SETUP-ROOMS")
@pytest.mark.parametrize(("module", "source", "named"), WRONG.values(), ids=WRONG)
def test_one_wrong_import_or_room_is_refused(tmp_path: Path, module: str, source: str, named: str) -> None:
    done = lint(tmp_path, {module: source + "\n"})
    assert done.returncode == 1, done.stdout + done.stderr
    complaint = done.stdout.partition("Broken contracts")[2]
    assert named in complaint


def test_no_contract_names_a_room_that_the_table_lacks() -> None:
    assert {name.split(".")[0] for name in NAMED} <= {room.strip("()") for room in ROOMS}


def test_a_room_that_stands_is_no_longer_optional() -> None:
    standing = {path.stem for path in (ROOT / "src" / "equipoise").iterdir() if not path.name.startswith(("_", "."))}
    assert standing - {"py"} <= STANDING
