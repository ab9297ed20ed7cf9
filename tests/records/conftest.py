"""A copy of the small example's files, to be spoilt one at a time."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder with the small trial's protocol.yaml, map.yaml and data/."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "small"))
