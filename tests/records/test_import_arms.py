"""Of all that an import writes the allocation file alone depends on the arms: no other byte moves with them."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from equipoise.verbs.importing import import_trial

pytestmark = pytest.mark.requirement("IMPORT-ARMS")
EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial"


def turned(path: Path, column: str, person: str) -> None:
    """Give each participant the arm that another one had: the same words, as many of each, in other rows."""
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    arms = {row[person]: row[column] for row in rows}
    turned_by_one = dict(zip(arms, [*list(arms.values())[1:], next(iter(arms.values()))], strict=True))
    assert turned_by_one != arms
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(row | {column: turned_by_one[row[person]]} for row in rows)


def written(folder: Path) -> dict[str, bytes]:
    """Every file that was written; of the provenance, which knows the sources and the time, what it says of those."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    steps = json.loads(files.pop("provenance.json"))["steps"]
    outputs = {name: digest for step in steps for name, digest in step["outputs"].items() if name != "allocation.csv"}
    return files | {"outputs": json.dumps(outputs, sort_keys=True).encode()}


def differing(first: dict[str, bytes], second: dict[str, bytes]) -> set[str]:
    assert set(first) == set(second) and len(first) > 8
    return {name for name, content in first.items() if content != second[name]}


def test_arms_of_a_small_trial(tmp_path: Path) -> None:
    data = Path(shutil.copytree(EXAMPLE / "data", tmp_path / "data"))
    import_trial(EXAMPLE / "protocol.yaml", data, tmp_path / "as-it-was", import_map=EXAMPLE / "map.yaml")
    turned(data / "people.csv", "arm", "person")
    import_trial(EXAMPLE / "protocol.yaml", data, tmp_path / "turned", import_map=EXAMPLE / "map.yaml")
    assert differing(written(tmp_path / "as-it-was"), written(tmp_path / "turned")) == {"allocation.csv"}


def test_arms_of_a_real_trial(t1dal: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(t1dal, tmp_path / "data", copy_function=shutil.copyfile))
    import_trial("t1dal", data, tmp_path / "as-it-was")
    for path in data.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as stream:
            columns = next(csv.reader(stream))
        if "arm" in columns:
            turned(path, "arm", "participant")
    import_trial("t1dal", data, tmp_path / "turned")
    assert differing(written(tmp_path / "as-it-was"), written(tmp_path / "turned")) == {"allocation.csv"}
