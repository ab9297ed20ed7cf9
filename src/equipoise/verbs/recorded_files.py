"""Provenance held against its folder: every file is recorded, every step whole, and each made from what is there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from equipoise.errors import IntegrityError, Problem
from equipoise.source.digest import digest_of_file
from equipoise.verbs.provenance import NAME, read_steps

LEFT_BY_SYSTEMS = frozenset({"Thumbs.db", "desktop.ini", "__MACOSX"})
"""Files that a desktop leaves in folders, beside those whose names begin with a dot; nothing of a trial is in them."""
WHOLE = ("verb", "command", "finished", "inputs", "outputs", "versions", "machine")


def files_in(folder: Path) -> dict[str, Path]:
    """Every file of a folder by its name below it, sorted; hidden ones and what a desktop leaves are none of it."""
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: path for name, path in found.items() if not any(map(_left, Path(name).parts))}


def _left(part: str) -> bool:
    return part.startswith(".") or part in LEFT_BY_SYSTEMS


def check_files(folder: Path) -> int:
    """Files there are those recorded, byte for byte, and every step is whole; returns how many files there are.

    Raises IntegrityError with the first file or step that is not.
    """
    steps = read_steps(folder)
    if not steps:
        raise _refused(folder, NAME, "provenance-exists", "there is no provenance here", "Restore the file.")
    for number, step in enumerate(steps, 1):
        _whole(folder, number, step)
    outputs = {name: digest for step in steps for name, digest in step["outputs"].items() if name != NAME}
    present = files_in(folder)
    for name, digest in outputs.items():
        if name not in present and not (folder / name).is_file():
            raise _changed(folder / name, "file-present", "the file was written and is not there")
        if digest_of_file(folder / name) != digest:
            raise _changed(folder / name, "bytes-as-written", "the file's bytes are not those that were written")
    for name, path in present.items():
        if name not in outputs and name != NAME:
            problem = Problem(
                str(path), None, "", "file-recorded", "no step of provenance.json has written it", "Move it elsewhere."
            )
            raise IntegrityError(f"{folder} holds a file that equipoise did not write there", [problem])
    return len(outputs)


def _whole(folder: Path, number: int, step: Mapping[str, Any]) -> None:
    lacking = [key for key in WHOLE if not step.get(key)]
    if lacking:
        message = f"step {number}, {step.get('verb')!r}, does not say its {', '.join(lacking)}"
    elif not _is_ours(step):
        message = f"step {number}, {step['verb']!r}, has a command or a time that equipoise does not write"
    else:
        return
    raise _refused(folder, NAME, "step-whole", message, "Restore the file.")


def _is_ours(step: Mapping[str, Any]) -> bool:
    """Whether a step's command and time have the form of ours; that they are true, no file can show by itself."""
    try:
        moment = datetime.fromisoformat(step["finished"])
        return step["command"][0] == "equipoise" and len(step["command"]) > 1 and moment.tzinfo is not None
    except (TypeError, ValueError, IndexError, KeyError):
        return False


def check_steps(folder: Path, identities: Mapping[str, tuple[str, ...]]) -> None:
    """What a step says it has read is what is there now, so that later steps are made from earlier ones.

    identities: digests by which steps may name what is no single file, the present one last: of a protocol those of
    its earlier versions too. Raises IntegrityError with the first that differs.
    """
    steps = read_steps(folder)
    known = {name: (digest,) for step in steps for name, digest in step["outputs"].items()} | dict(identities)
    for step in steps:
        for name, digest in step["inputs"].items():
            if name in known and digest not in known[name]:
                made = ", ".join(sorted(step["outputs"])[:3])
                message = f"{step['verb']} was made from {name} {digest}, and {known[name][-1]} is here"
                remedy = f"Run {step['verb']} again, so that {made} are made from what is here."
                raise _refused(folder, NAME, "step-inputs", message, remedy)


def _refused(folder: Path, name: str, rule: str, message: str, remedy: str) -> IntegrityError:
    problem = Problem(str(folder / name), None, "", rule, message, remedy)
    return IntegrityError(f"{folder} does not say how it was made", [problem])


def _changed(path: Path, rule: str, message: str) -> IntegrityError:
    problem = Problem(str(path), None, "", rule, message, "Restore it, or run the command that wrote it again.")
    return IntegrityError(f"{path.name} was changed", [problem])
