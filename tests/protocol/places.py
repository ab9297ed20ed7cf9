"""Where the protocols of these tests stand."""

from __future__ import annotations

from pathlib import Path

PROTOCOLS = Path(__file__).resolve().parent.parent / "protocols"
VALID = sorted((PROTOCOLS / "valid").glob("*.yaml"))
INVALID = sorted((PROTOCOLS / "invalid").glob("*.yaml"))
BASE = PROTOCOLS / "valid" / "base.yaml"
