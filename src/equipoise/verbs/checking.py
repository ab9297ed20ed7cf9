"""`equipoise check`: whether a protocol is valid, meaningful, and can be planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from equipoise.analysis.plan import Plan, plan
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.source.changes import check_scopes


@dataclass(frozen=True, slots=True)
class Checked:
    """A protocol that passed, and its plan."""

    protocol: Protocol
    plan: Plan


def check(protocol: str | Path, changes: Sequence[str] = ()) -> Checked:
    """Load a protocol given by path or shipped name and plan its analyses.

    changes: ``protocol.path=value``, as `--set` gives them.

    Raises InputError with every problem, each with file, line, path, value, rule and remedy.
    """
    check_scopes(changes, ("protocol",))
    loaded = load_protocol(protocol, changes)
    return Checked(loaded, plan(loaded))
