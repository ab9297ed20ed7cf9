"""Methods and derivations of other packages: what is named is loaded, once, and says where it comes from."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import equipoise
from equipoise.analysis.plan import plan
from equipoise.analysis.registered import Origin
from equipoise.analysis.registry import derivations, methods
from equipoise.cli.main import main
from equipoise.errors import InputError, SurroundingsError
from equipoise.protocol.load import load_protocol
from equipoise.verbs.verifying import compare

EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial"
Install = Callable[..., None]

OTHER = """
from dataclasses import replace
from equipoise.analysis.methods.ancova import METHOD as OURS

METHOD = replace(OURS, name="ancova-of-others")


def _fails(data, analysis, options):
    raise ZeroDivisionError("of no use")


from equipoise.analysis.derivations.value import DERIVATION as VALUE


def _no_needs(options):
    raise KeyError("needs")


def _no_visits(protocol, options, others):
    raise KeyError("visits")


NEEDS = replace(VALUE, name="fails", needs=_no_needs)
VISITS = replace(VALUE, name="fails", measured=_no_visits)
FAILS = replace(OURS, name="fails", run=_fails)
MISNAMED = OURS
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Makes a package as if it were installed: its metadata is on the path."""
    place = tmp_path / "site"
    place.mkdir()
    (place / "of_others.py").write_text(OTHER, "utf-8")
    monkeypatch.syspath_prepend(str(place))

    def made(name: str, version: str, group: str, **points: str) -> None:
        folder = place / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n", "utf-8")
        lines = "".join(f"{key.replace('_', '-')} = {target}\n" for key, target in points.items())
        (folder / "entry_points.txt").write_text(f"[equipoise.{group}]\n{lines}", "utf-8")
        forget()

    yield made
    sys.modules.pop("of_others", None)
    monkeypatch.undo()
    forget()


def forget() -> None:
    importlib.invalidate_caches()
    methods.cache_clear()
    derivations.cache_clear()


def protocol_with(folder: Path, method: str) -> Path:
    path = folder / "protocol.yaml"
    text = (EXAMPLE / "protocol.yaml").read_text("utf-8")
    path.write_text(text.replace("method: ancova", f"method: {method}"), "utf-8")
    return path


@pytest.mark.requirement("PLUGIN-NAMED-ONLY")
def test_only_what_a_protocol_names_is_loaded(install: Install) -> None:
    install("broken", "1.0", "methods", x="no_such_module:METHOD", ancova_of_others="of_others:METHOD")
    install("broken-too", "1.0", "derivations", y="no_such_module:DERIVATION")
    plan(load_protocol(EXAMPLE / "protocol.yaml"))
    assert "x" in methods() and "y" in derivations(), "their names are known"
    assert "of_others" not in sys.modules and "no_such_module" not in sys.modules
    assert "x" not in methods().own() and "ancova" in methods().own()


@pytest.mark.requirement("PLUGIN-NAMED-ONLY")
@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("no_such_module:METHOD", "No module named"),
        ("of_others:NOTHING", "NOTHING"),
        ("of_others:OTHER", "OTHER"),
        ("json:loads", "it is no Method"),
        ("of_others:MISNAMED", "it calls itself 'ancova'"),
    ],
)
def test_a_method_that_cannot_be_loaded_is_named_with_its_package(
    install: Install, tmp_path: Path, target: str, reason: str, capsys
) -> None:
    install("broken", "1.0", "methods", x=target)
    with pytest.raises(SystemExit) as ended:
        main(["check", str(protocol_with(tmp_path, "x"))])
    said = capsys.readouterr().err
    assert ended.value.code == 5 and "Traceback" not in said
    assert "analyses.hba1c.method" in said and "broken 1.0" in said and reason in said and "[method-loads]" in said


@pytest.mark.requirement("PLUGIN-ONCE")
def test_a_name_that_two_packages_register_is_refused_where_it_is_named(install: Install, tmp_path: Path) -> None:
    install("shadow", "0.1", "methods", ancova="of_others:MISNAMED")
    with pytest.raises(InputError) as refused:
        plan(load_protocol(EXAMPLE / "protocol.yaml"))
    first = refused.value.problems[0]
    assert (first.rule, first.path) == ("method-once", "analyses.hba1c.method") and first.line
    assert "equipoise" in first.message and "shadow 0.1" in first.message
    install("shadow-too", "0.1", "derivations", value="of_others:X")
    with pytest.raises(InputError, match="derivation-once"):
        plan(load_protocol(EXAMPLE / "protocol.yaml"))


@pytest.mark.requirement("PLUGIN-ONCE")
def test_one_line_of_one_package_counts_once_however_often_it_is_found(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("others", "1.0", "methods", ancova_of_others="of_others:METHOD")
    shutil.copytree(tmp_path / "site", tmp_path / "again")
    monkeypatch.syspath_prepend(str(tmp_path / "again"))
    forget()
    assert methods()["ancova-of-others"].name == "ancova-of-others"


@pytest.mark.requirement("PLUGIN-ORIGIN")
def test_package_and_version_are_in_results_provenance_and_report(install: Install, tmp_path: Path) -> None:
    install("others", "1.0", "methods", ancova_of_others="of_others:METHOD")
    path, out = protocol_with(tmp_path, "ancova-of-others"), tmp_path / "out"
    equipoise.import_trial(path, EXAMPLE / "data", out, import_map=EXAMPLE / "map.yaml")
    done = equipoise.analyse(path, out, out)
    assert done.results.made_by["method ancova-of-others"] == {"package": "others", "version": "1.0"}
    assert done.results.made_by["derivation value"]["package"] == "equipoise"
    steps = json.loads((out / "provenance.json").read_text("utf-8"))["steps"]
    assert steps[-1]["versions"]["others"] == "1.0" and steps[-1]["verb"] == "analyse"
    assert "Methods of others" in equipoise.report(out).read_text("utf-8")
    equipoise.verify(out)
    other = tmp_path / "other"
    shutil.copytree(out, other)
    text = (other / "results.json").read_text("utf-8")
    (other / "results.json").write_text(text.replace('"version": "1.0"', '"version": "2.0"'), "utf-8")
    assert compare(out, other).changed == ("methods",)
    assert methods().origin("ancova-of-others") == Origin("others", "1.0")


@pytest.mark.requirement("PLUGIN-ORIGIN")
def test_a_method_of_others_that_fails_is_told_without_a_traceback(install: Install, tmp_path: Path) -> None:
    install("others", "1.0", "methods", fails="of_others:FAILS")
    path, out = protocol_with(tmp_path, "fails"), tmp_path / "out"
    equipoise.import_trial(path, EXAMPLE / "data", out, import_map=EXAMPLE / "map.yaml")
    with pytest.raises(SurroundingsError, match=r"others 1\.0.*ZeroDivisionError: of no use") as refused:
        equipoise.analyse(path, out, out)
    assert refused.value.problems[0].rule == "method-runs" and not (out / "results.json").exists()


@pytest.mark.requirement("PLUGIN-ORIGIN")
def test_a_report_can_be_made_where_the_package_is_not_installed(install: Install, tmp_path: Path) -> None:
    install("others", "1.0", "methods", ancova_of_others="of_others:METHOD")
    path, out = protocol_with(tmp_path, "ancova-of-others"), tmp_path / "out"
    equipoise.import_trial(path, EXAMPLE / "data", out, import_map=EXAMPLE / "map.yaml")
    equipoise.analyse(path, out, out)
    shutil.rmtree(tmp_path / "site" / "others-1.0.dist-info")
    forget()
    assert "ancova-of-others" in equipoise.report(out).read_text("utf-8")


@pytest.mark.requirement("PLUGIN-ORIGIN")
@pytest.mark.parametrize("target", ["NEEDS", "VISITS"])
def test_a_derivation_of_others_that_fails_in_the_plan_is_told_at_its_parameter(
    install: Install, tmp_path: Path, target: str
) -> None:
    install("others", "1.0", "derivations", fails=f"of_others:{target}")
    path = tmp_path / "protocol.yaml"
    text = (EXAMPLE / "protocol.yaml").read_text("utf-8")
    path.write_text(text.replace("derivation: value", "derivation: fails", 1), "utf-8")
    with pytest.raises(SurroundingsError, match=r"others 1\.0.*KeyError") as refused:
        plan(load_protocol(path))
    assert refused.value.problems[0].rule == "derivation-runs" and refused.value.problems[0].line
