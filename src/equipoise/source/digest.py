"""Digests: SHA-256 over canonical JSON (RFC 8785), which layout and key order do not change."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rfc8785


def canonical_json(data: Any) -> bytes:
    """The canonical JSON of `data` (RFC 8785): sorted keys, no white space, shortest round-trip numbers."""
    return rfc8785.dumps(data)


def digest_of_data(data: Any) -> str:
    """The digest of JSON data, as ``sha256:…``."""
    return digest_of_bytes(canonical_json(data))


def digest_of_bytes(raw: bytes) -> str:
    """The digest of bytes, as ``sha256:…``."""
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def digest_of_file(path: Path) -> str:
    """The digest of a file's bytes, as ``sha256:…``."""
    with path.open("rb") as stream:
        return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()


def digest_of_parts(parts: Mapping[str, str]) -> str:
    """One digest over named digests, whatever their order."""
    return digest_of_data(dict(parts))
