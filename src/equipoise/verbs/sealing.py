"""`equipoise seal`: one digest of a folder, to be kept where whoever can change the folder cannot change it."""

from __future__ import annotations

from pathlib import Path

from equipoise.errors import DataError, IntegrityError, Problem
from equipoise.source.digest import digest_of_data, digest_of_file
from equipoise.verbs.recorded_files import files_in


def seal(folder: str | Path) -> str:
    """The digest of the names and bytes of every file in a folder, provenance.json among them.

    Hidden files, and those that a desktop leaves, are left out. Raises DataError where there is no file.
    """
    path = Path(folder)
    files = files_in(path) if path.is_dir() else {}
    if not files:
        problem = Problem(str(path), None, "", "folder-exists", "there is no file here", "Name the folder of a trial.")
        raise DataError(f"nothing to seal in {path}", [problem])
    return digest_of_data({name: digest_of_file(file) for name, file in files.items()})


def check_seal(folder: str | Path, expected: str) -> None:
    """Raises IntegrityError where the folder does not have the digest that was kept."""
    found, wanted = seal(folder), expected.strip().lower()
    if found.removeprefix("sha256:") != wanted.removeprefix("sha256:"):
        message = f"the folder has the digest {found}, and {expected} was expected"
        remedy = "Find the folder that was sealed: some file of this one was changed, added or removed since."
        problem = Problem(str(folder), None, "", "sealed", message, remedy)
        raise IntegrityError("the folder is not the one that was sealed", [problem])
