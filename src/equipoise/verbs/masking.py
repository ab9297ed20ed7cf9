"""For commands that write for a role: its view, the records masked for it, and where they must not be written."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from equipoise.errors import DataError, InputError, IntegrityError, Problem
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.people import ROLES
from equipoise.records.classes import STUDY_TREATMENT
from equipoise.records.folder import MANIFEST
from equipoise.records.masked import masked_copy
from equipoise.records.records import Records
from equipoise.records.visibility import BLINDED_STATISTICIAN, View, view_of, withheld_words

TELLING = ("allocation.csv", "dispensed.csv", "truth.json", "simulated")
"""What tells the arm in a trial's folder beside its records."""


def role_view(protocol: Protocol, role: str | None, *, blinded: bool = False) -> View | None:
    """The view of a role before database lock; of the blinded statistician where only `blinded` is asked for.

    Raises InputError for a word that is no role.
    """
    if role is None and not blinded:
        return None
    name = BLINDED_STATISTICIAN if role is None else role
    if name not in ROLES:
        remedy = f"Name one of: {', '.join(ROLES)}."
        problem = Problem("--role", None, "", "role-known", "there is no such role", remedy, repr(name))
        raise InputError("cannot tell what may be seen", [problem])
    return view_of(protocol, name, blinded=blinded)


def masked_for(records: Records, view: View | None) -> Records:
    """The records that a role gets: a masked copy, with whatever they lack already.

    Raises DataError where an infusion is recorded by another name than every arm's: that would tell the arm.
    """
    if view is None or view.whole:
        return records
    if view.allocation:
        _same_words(records)
    if not view.lacks:
        return records
    return masked_copy(newest_version(records), view.lacks)


def newest_version(records: Records) -> Records:
    """The same content as records of version 2, whose parts can be withheld one by one."""
    if records.version > 1:
        return records
    return Records.of(
        records.protocol,
        records.tables,
        collected=records.collected,
        under=records.under,
        earlier=records.earlier,
    )


def _same_words(records: Records) -> None:
    study = [item.id for item in records.protocol.assessments if item.domain == "EX"]
    rows = records.interventions.filter(pl.col("assessment").is_in(study) & (pl.col("treatment") != STUDY_TREATMENT))
    if rows.height:
        source = str(rows["source"][0])
        message = f"{rows.height} study doses are recorded by another name, which may tell the arm"
        remedy = f"Record every study dose as {STUDY_TREATMENT!r}, whatever the arm; what it held is dispensed.csv's."
        problem = Problem(source, None, "interventions.treatment", "product-words", message, remedy)
        raise DataError("the records cannot be shown to a masked role", [problem])


def refuse_beside_whole(target: Path, view: View | None) -> None:
    """What is made for a role is not written where what is withheld from it can be read; raises InputError."""
    if view is None or view.whole:
        return
    found = _withheld_in(target, view)
    if found is not None:
        message = f"the folder holds what is withheld from the {view.role.replace('-', ' ')}"
        remedy = f"Name a folder that is new, or that was made for this role (--role {view.role})."
        problem = Problem(str(target / found), None, "", "folder-masked", message, remedy)
        raise InputError(f"{target} is no folder for this role", [problem])


def check_masked(folder: Path, view: View) -> None:
    """Raises IntegrityError where a folder that was made for a role holds what is withheld from it."""
    found = _withheld_in(folder, view)
    if found is not None:
        message = f"the folder is the {view.role.replace('-', ' ')}'s, and this is withheld from that role"
        remedy = "Take it away, and find out who put it there."
        problem = Problem(str(folder / found), None, "", "folder-masked", message, remedy)
        raise IntegrityError("the folder holds what it says it withholds", [problem])


def _withheld_in(folder: Path, view: View) -> str | None:
    """The name of something in a folder that the role must not have."""
    if view.allocation:
        for name in TELLING:
            if (folder / name).exists():
                return name
    lacks = _named(folder / "records" / MANIFEST, "lacks")
    if lacks is not None and not set(view.lacks) <= set(lacks):
        return f"records/{MANIFEST}"
    made = _named(folder / "results.json", "withheld")
    if made is not None and (not isinstance(made, dict) or made.get("role") != view.role):
        return "results.json"
    return None


def _named(path: Path, key: str) -> list[str] | dict[str, str] | None:
    """A key of a JSON file, empty where it is not in it; None where there is no such file."""
    try:
        return json.loads(path.read_text(encoding="utf-8")).get(key) or []
    except FileNotFoundError:
        return None
    except (OSError, ValueError, AttributeError):
        return []


def told(view: View | None) -> tuple[str, ...]:
    """A line that says what was withheld, and from whom; none where nothing was."""
    if view is None or view.whole:
        return ()
    return (f"withheld from the {view.role.replace('-', ' ')}: {'; '.join(withheld_words(view))}",)
