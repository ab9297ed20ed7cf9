"""provenance.json: for each step its command, the digests of what it read and wrote, the seed and the versions used."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import Any

from equipoise.errors import IntegrityError, Problem
from equipoise.verbs.folder import OutputFolder

SCHEMA = "equipoise/provenance/1"
NAME = "provenance.json"
_LIBRARIES = ("numpy", "scipy", "polars", "pydantic", "matplotlib")


def software() -> dict[str, str]:
    """The name and version of this software, as results carry it."""
    return {"name": "equipoise", "version": _version("equipoise")}


def record_step(
    folder: OutputFolder,
    verb: str,
    command: list[str],
    inputs: Mapping[str, str],
    seed: int | None = None,
    packages: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Add a step to the folder's provenance.json.

    A file that was written again belongs to the step that wrote it last; an earlier step of the same verb of which
    nothing is left is replaced, and one of which something is, as a report in another format, stays beside this one.

    packages: name -> version of the packages that registered what was run.
    """
    steps = read_steps(folder.path)
    for step in steps:
        left = {name: digest for name, digest in step["outputs"].items() if name not in folder.written}
        step["outputs"] = {name: digest for name, digest in left.items() if (folder.path / name).is_file()}
    steps = [step for step in steps if step["outputs"]]
    steps.append(
        {
            "verb": verb,
            "command": command,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "inputs": dict(sorted(inputs.items())),
            "outputs": dict(sorted(folder.written.items())),
            "seed": seed,
            "versions": {
                "equipoise": _version("equipoise"),
                "python": platform.python_version(),
                **{name: _version(name) for name in _LIBRARIES},
                **packages,
            },
            "machine": f"{platform.system()} {platform.machine()}",
        }
    )
    text = json.dumps({"schema": SCHEMA, "steps": steps}, indent=2, ensure_ascii=False) + "\n"
    folder.write_text(NAME, text)


def read_steps(folder: Path) -> list[dict[str, Any]]:
    """The steps recorded in a folder, none where there is no provenance.json.

    Raises IntegrityError where the file is damaged.
    """
    path = folder / NAME
    if not path.is_file():
        return []
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA:
            raise ValueError(f"its schema is not {SCHEMA}")
        for step in data["steps"]:
            _ = step["verb"], dict(step["outputs"]), dict(step["inputs"])
        return list(data["steps"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"the file cannot be read: {error}"
        problem = Problem(
            str(path), None, "", "provenance-readable", message, "Run the commands again in a new folder."
        )
        raise IntegrityError(f"the provenance in {folder} is damaged", [problem]) from None


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
