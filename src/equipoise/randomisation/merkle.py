"""A Merkle tree over byte strings: one hash for all of them, and a short proof that one of them is in it.

Leaves and nodes are hashed under different prefixes, so that no node can be passed off as a leaf; an odd node at the
end of a level moves up as it is, never doubled, so that no two lists have the same root by repetition. The tree is that
of Certificate Transparency: Laurie, Langley & Kasper, RFC 6962 (2013), section 2.1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

LEAF, NODE = b"\x00", b"\x01"
HASH_LENGTH = 32


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 | entry)."""
    return hashlib.sha256(LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 | left | right)."""
    return hashlib.sha256(NODE + left + right).digest()


def root_of(entries: Sequence[bytes]) -> bytes:
    """The root over the entries in their order; of none, SHA-256 of nothing."""
    if not entries:
        return hashlib.sha256(b"").digest()
    level = [leaf_hash(entry) for entry in entries]
    while len(level) > 1:
        level = _parents(level)
    return level[0]


def proof_of(entries: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The siblings on the way from an entry (counted from 0) to the root. IndexError: there is no such entry."""
    if not 0 <= index < len(entries):
        raise IndexError(f"there is no entry {index} among {len(entries)}")
    level, siblings = [leaf_hash(entry) for entry in entries], []
    while len(level) > 1:
        if index ^ 1 < len(level):
            siblings.append(level[index ^ 1])
        level, index = _parents(level), index // 2
    return tuple(siblings)


def root_by_proof(entry: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root to which a proof leads for an entry at this index among so many; None where the proof has not the shape.

    Index and size decide at each level whether there is a sibling and on which side, so a proof for another place, or
    one that is too short or too long, leads to another root or to None.
    """
    if not 0 <= index < size or any(len(sibling) != HASH_LENGTH for sibling in proof):
        return None
    found, siblings = leaf_hash(entry), list(proof)
    while size > 1:
        if index ^ 1 < size:
            if not siblings:
                return None
            sibling = siblings.pop(0)
            found = node_hash(sibling, found) if index % 2 else node_hash(found, sibling)
        index, size = index // 2, (size + 1) // 2
    return None if siblings else found


def _parents(level: list[bytes]) -> list[bytes]:
    pairs = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
    return pairs + level[-1:] if len(level) % 2 else pairs
