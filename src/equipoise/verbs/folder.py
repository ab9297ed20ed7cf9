"""The folder that a command writes: every file is written beside its place and renamed, and its digest is kept."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from equipoise.errors import InputError, Problem, SurroundingsError
from equipoise.source.digest import digest_of_file


class OutputFolder:
    """A folder in the making. Files appear whole or not at all; `written` maps each to its digest."""

    def __init__(self, path: Path) -> None:
        """Make the folder if it is not there; raises InputError or SurroundingsError where that cannot be."""
        self.path = path
        self.written: dict[str, str] = {}
        if path.exists() and not path.is_dir():
            problem = Problem(str(path), None, "", "output-folder", "this is a file", "Name a folder with -o.")
            raise InputError(f"cannot write to {path}", [problem])
        with _surroundings(path):
            path.mkdir(parents=True, exist_ok=True)

    def write_bytes(self, name: str, content: bytes) -> Path:
        """Write a file of the folder; `name` may hold folders."""
        return self.write_with(name, lambda stream: stream.write(content))

    def write_text(self, name: str, content: str) -> Path:
        """Write a text file in UTF-8 with the line ends that it has."""
        return self.write_bytes(name, content.encode())

    def write_with(self, name: str, writer: Callable[[IO[bytes]], object]) -> Path:
        """Write a file by a function that is handed a binary stream."""
        target = self.path / name
        with _surroundings(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
            try:
                with os.fdopen(handle, "wb") as stream:
                    writer(stream)
                    stream.flush()
                    os.fsync(stream.fileno())
                Path(beside).chmod(0o644)
                Path(beside).replace(target)
            except BaseException:
                Path(beside).unlink(missing_ok=True)
                raise
        self.written[name] = digest_of_file(target)
        return target


class _surroundings:  # noqa: N801  reads as a context: with _surroundings(path)
    """Turns the operating system's refusals into an error that says what to do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            what = error.strerror or str(error)
            remedy = "Choose another folder with -o, or make room."
            problem = Problem(str(self.path), None, "", "writable", what, remedy)
            raise SurroundingsError(f"cannot write {self.path}", [problem]) from None
