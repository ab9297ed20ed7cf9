"""`equipoise amend --upgrade`: a protocol as a document of the newest version of the format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from equipoise.errors import InputError, Problem
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.protocol.upgrade import upgraded
from equipoise.verbs.folder import OutputFolder


@dataclass(frozen=True, slots=True)
class Amended:
    """The document that was written, and the one that it amends."""

    protocol: Protocol
    before: Protocol


def amend(protocol: str | Path, output: str | Path) -> Amended:
    """Write a protocol given by path or shipped name anew at `output`, in the newest version, as an amendment.

    It promises what the old one does. The files that the protocol names are put beside it where they are not there.

    Raises InputError where the protocol is not valid or already of the newest version, or `output` is a file already.
    """
    before, path = load_protocol(protocol), Path(output)
    if path.exists():
        message, remedy = "there is a file of this name", "Name a new file: a protocol that was used is never replaced."
        raise InputError(f"cannot write {path}", [Problem(str(path), None, "", "amendment-new-file", message, remedy)])
    text = upgraded(before, before.path.read_text(encoding="utf-8"))
    target = OutputFolder(path.parent)
    for name in before.files:
        if not (path.parent / name).exists():
            target.write_bytes(name, (before.path.parent / name).read_bytes())
    target.write_text(path.name, text)
    return Amended(load_protocol(path), before)
