"""The stored baseline: one compressed text a trial, a line for each leaf."""

from __future__ import annotations

import lzma
from pathlib import Path

from tests.baseline.leaves import Leaves

FOLDER = Path(__file__).with_name("stored")


def read_leaves(name: str) -> Leaves:
    """The stored leaves of a trial; none where it has not been stored."""
    path = _path(name)
    if not path.exists():
        return {}
    lines = lzma.decompress(path.read_bytes()).decode("utf-8").splitlines()
    return dict(line.split("\t", 1) for line in lines)  # type: ignore[misc]


def write_leaves(name: str, leaves: Leaves) -> None:
    """Store them, with the same bytes for the same leaves."""
    FOLDER.mkdir(exist_ok=True)
    text = "".join(f"{path}\t{value}\n" for path, value in leaves.items())
    _path(name).write_bytes(lzma.compress(text.encode("utf-8"), preset=9))


def _path(name: str) -> Path:
    return FOLDER / f"{name}.leaves.xz"
