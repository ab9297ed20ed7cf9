"""The same trial twice, with arms swapped in pairs, and everything that a role gets of either, as bytes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from equipoise.protocol.model import Protocol
from equipoise.records.visibility import view_of
from equipoise.simulate.enrolment import Enrolment
from equipoise.verbs.analysing import analyse
from equipoise.verbs.exporting import export
from equipoise.verbs.reporting import report
from equipoise.verbs.simulating import simulate
from equipoise.verbs.viewing import export_view

SEED = 4
MARKS = {"lots": "lots=0", "dose-volume": "volume=0", "event-text": "text=false"}
"""What an item hides -> the scenario's mark to leave out where a role is shown it."""
# By its name: the package's own attribute `simulate` is the verb.
TRIAL = import_module("equipoise.simulate.trial")


def marks_for(protocol: Protocol, role: str) -> tuple[str, ...]:
    """Changes of the scenario `leak` that take back what is not hidden from the role."""
    hidden = {item.hides for item in view_of(protocol, role).items}
    return tuple(f"scenario.marks.{mark}" for hides, mark in MARKS.items() if hides not in hidden)


def swapped_trials(folder: Path, changes: tuple[str, ...]) -> tuple[Path, Path]:
    """Two trials of one seed: as they were allocated, and with the arms of each pair of neighbours swapped."""
    first, second = folder / "first", folder / "second"
    simulate("msc-t1d", first / "trial", scenario="leak", seed=SEED, changes=changes)
    with pytest.MonkeyPatch.context() as patch:
        enrol, swapped = TRIAL.enrol, list[bool]()

        def other(*given: Any, **named: Any) -> Enrolment:
            found = enrol(*given, **named)
            arm = found.arm.copy()
            last = arm.shape[1] // 2 * 2
            arm[:, 0:last:2], arm[:, 1:last:2] = found.arm[:, 1:last:2], found.arm[:, 0:last:2]
            swapped.append(bool((arm != found.arm).any()))  # not where everybody is given one arm: a potential outcome
            return replace(found, arm=arm)

        patch.setattr(TRIAL, "enrol", other)
        simulate("msc-t1d", second / "trial", scenario="leak", seed=SEED, changes=changes)
        assert any(swapped)
    return first, second


def view(place: Path, role: str) -> dict[str, bytes]:
    """The masked copy of the records that a role is given."""
    with _inside(place):
        out = _new(place, "view")
        export_view("trial", out, role)
    return contents(place / out)


def datasets(place: Path, role: str) -> dict[str, bytes]:
    """The records as SDTM datasets for a role."""
    with _inside(place):
        out = _new(place, "sdtm")
        export("msc-t1d", "trial", out, role=role)
    return contents(place / out)


def analysed(place: Path, role: str, *, reported: bool = False) -> dict[str, bytes]:
    """Results, analysis datasets, records and, where asked for, the report for a role."""
    with _inside(place):
        out = _new(place, "analysed")
        analyse("msc-t1d", "trial", out, role=role)
        if reported:
            report(out)
    return contents(place / out)


def _new(place: Path, name: str) -> str:
    """A folder that is not there yet, called alike in both trials."""
    number = sum(1 for item in place.iterdir() if item.name.startswith(name))
    return f"{name}{number}"


@contextmanager
def _inside(place: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(place)
    try:
        yield
    finally:
        os.chdir(before)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder; of the provenance all but the time of day."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    steps = json.loads(found["provenance.json"])
    for step in steps["steps"]:
        del step["finished"]
        step["outputs"].pop("provenance.json", None)
    return found | {"provenance.json": json.dumps(steps).encode()}


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    """The files that are not the same in both."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
