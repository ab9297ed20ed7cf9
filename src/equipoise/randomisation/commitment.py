"""Sealing an allocation list, publishing one hash that binds it, and showing later that nothing in it was changed.

A row's commitment is SHA-256 over (domain, study, slot, stratum, arm, nonce). The nonce, 32 bytes of its own, is what
hides the arm: a bare arm has so few values that its hash could be looked up. A Merkle root over the commitments, hashed
with study, method, version and number of rows, is published before the first consent. A row is revealed by showing its
arm and nonce with a proof (which says nothing about the other rows), the whole list by showing all nonces.

No message, and no `repr`, holds an arm or a nonce.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from equipoise.errors import Problem
from equipoise.randomisation.merkle import proof_of, root_by_proof, root_of

NONCE_LENGTH = 32
ROW_DOMAIN = "equipoise/allocation-row/1"
LIST_DOMAIN = "equipoise/allocation-list/1"


@dataclass(frozen=True, slots=True)
class Row:
    """One slot of a list: the next participant in this stratum gets this arm. Names, not numbers."""

    slot: int
    arm: str = field(repr=False)
    stratum: str = ""


@dataclass(frozen=True, slots=True)
class SealedRow:
    """A row with the nonce that hides it."""

    slot: int
    stratum: str
    arm: str = field(repr=False)
    nonce: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a list says of itself, bound by its root.

    method:  in words, such as a procedure's `description`.
    version: of the list; a list that is made anew gets another.
    """

    study: str
    method: str
    version: str


@dataclass(frozen=True, slots=True)
class SealedList:
    """A whole list with its nonces: for the unblinded statistician alone."""

    terms: Terms
    rows: tuple[SealedRow, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Commitment:
    """What may be public: terms, a commitment for each row in slot order, and the root over all of it."""

    terms: Terms
    commitments: tuple[bytes, ...]
    root: bytes


@dataclass(frozen=True, slots=True)
class Revelation:
    """One row with all that is needed to check it against the published root."""

    terms: Terms
    rows: int
    row: SealedRow
    proof: tuple[bytes, ...]


def fresh_nonces(count: int, source: Callable[[int], bytes] = os.urandom) -> tuple[bytes, ...]:
    """So many nonces of 32 bytes from the system's generator; `source` is another for tests."""
    return tuple(source(NONCE_LENGTH) for _ in range(count))


def seal(rows: Iterable[Row], nonces: Sequence[bytes], *, study: str, method: str, version: str) -> SealedList:
    """The rows, each with its nonce.

    ValueError: slots that are not 1, 2, 3 … in order, as many nonces as rows not given, a nonce of another length or
    used twice, no arm or study, text that is not in Unicode's normal form C.
    """
    kept = tuple(rows)
    if len(nonces) != len(kept):
        raise ValueError(f"{len(kept)} rows need as many nonces, not {len(nonces)}")
    pairs = zip(kept, nonces, strict=True)
    sealed = SealedList(
        Terms(study, method, version), tuple(SealedRow(row.slot, row.stratum, row.arm, nonce) for row, nonce in pairs)
    )
    wrong = _shape(sealed)
    if wrong:
        raise ValueError("; ".join(f"{problem.path}: {problem.message}" for problem in wrong))
    return sealed


def commit(sealed: SealedList) -> Commitment:
    """The commitments of the rows, and the root that binds them with the terms. ValueError: as `seal`."""
    commitments = tuple(row_commitment(sealed.terms.study, row) for row in sealed.rows)
    return Commitment(sealed.terms, commitments, _list_root(sealed.terms, len(commitments), root_of(commitments)))


def row_commitment(study: str, row: SealedRow) -> bytes:
    """SHA-256 over the row. ValueError: a nonce of another length, an impossible slot, text out of normal form."""
    if len(row.nonce) != NONCE_LENGTH:
        raise ValueError(f"slot {row.slot}: a nonce has {NONCE_LENGTH} bytes, not {len(row.nonce)}")
    if not row.arm:
        raise ValueError(f"slot {row.slot}: a row without an arm is never hashed")
    return _hashed(ROW_DOMAIN, study, row.slot, row.stratum, row.arm, row.nonce)


def reveal(sealed: SealedList, slot: int) -> Revelation:
    """The row of a slot with its proof; the others stay hidden. IndexError: there is no such slot."""
    if not 1 <= slot <= len(sealed.rows):
        raise IndexError(f"there is no slot {slot} among {len(sealed.rows)}")
    proof = proof_of(commit(sealed).commitments, slot - 1)
    return Revelation(sealed.terms, len(sealed.rows), sealed.rows[slot - 1], proof)


def verify_row(revelation: Revelation, root: bytes) -> tuple[Problem, ...]:
    """What is wrong with a revealed row, given the published root; nothing where it is as it was committed."""
    row = revelation.row
    try:
        commitment = row_commitment(revelation.terms.study, row)
        found = root_by_proof(commitment, row.slot - 1, revelation.rows, revelation.proof)
        same = found is not None and _list_root(revelation.terms, revelation.rows, found) == root
    except ValueError as error:
        return (_problem(f"slot {row.slot}", "row-form", str(error)),)
    if same:
        return ()
    return (_problem(f"slot {row.slot}", "row-committed", "the row, its terms or its proof do not lead to the root"),)


def verify_list(sealed: SealedList, root: bytes, commitments: Sequence[bytes] = ()) -> tuple[Problem, ...]:
    """What is wrong with a whole list, given the published root; nothing where it is as it was committed.

    commitments: those that were published, with which the changed rows can be named.
    """
    wrong = _shape(sealed)
    if wrong:
        return wrong
    found = commit(sealed)
    if commitments:
        wrong += _rows_changed(found, Commitment(sealed.terms, tuple(commitments), root))
    if found.root != root:
        wrong += (_problem("", "list-committed", "rows, order, number or terms of the list do not lead to the root"),)
    return wrong


def verify_published(commitment: Commitment) -> tuple[Problem, ...]:
    """Whether the published commitments and terms still lead to the root: all that can be checked while blinded."""
    try:
        root = _list_root(commitment.terms, len(commitment.commitments), root_of(commitment.commitments))
    except ValueError as error:
        return (_problem("", "list-form", str(error)),)
    if root == commitment.root:
        return ()
    return (_problem("", "list-committed", "the published commitments and terms do not lead to the root"),)


def _rows_changed(found: Commitment, published: Commitment) -> tuple[Problem, ...]:
    wrong = []
    if len(found.commitments) != len(published.commitments):
        message = f"the list has {len(found.commitments)} rows, and {len(published.commitments)} were committed"
        wrong.append(_problem("", "row-count", message))
    for slot, (here, there) in enumerate(zip(found.commitments, published.commitments, strict=False), start=1):
        if here != there:
            wrong.append(_problem(f"slot {slot}", "row-committed", "the row is not the one that was committed"))
    return tuple(wrong)


def _shape(sealed: SealedList) -> tuple[Problem, ...]:
    """What is wrong with a list before anything is hashed."""
    wrong = []
    for place, row in enumerate(sealed.rows, start=1):
        if row.slot != place:
            wrong.append(_problem(f"slot {row.slot}", "slot-order", f"row {place} must have slot {place}"))
        try:
            row_commitment(sealed.terms.study, row)
        except ValueError as error:
            wrong.append(_problem(f"slot {row.slot}", "row-form", str(error)))
    used = Counter(row.nonce for row in sealed.rows)
    repeated = [row.slot for row in sealed.rows if used[row.nonce] > 1]
    wrong += [_problem(f"slot {slot}", "nonce-repeated", "another row has the same nonce") for slot in repeated]
    try:
        _list_root(sealed.terms, len(sealed.rows), b"")
    except ValueError as error:
        wrong.append(_problem("", "list-form", str(error)))
    return tuple(wrong)


def _list_root(terms: Terms, rows: int, tree: bytes) -> bytes:
    if not terms.study:
        raise ValueError("a list names its study")
    return _hashed(LIST_DOMAIN, terms.study, terms.method, terms.version, rows, tree)


def _hashed(*fields: str | int | bytes) -> bytes:
    """SHA-256 over the number of fields and each with its length before it: no two lists of fields are alike in it."""
    parts = [_encoded(value) for value in fields]
    framed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return hashlib.sha256(len(parts).to_bytes(8, "big") + framed).digest()


def _encoded(value: str | int | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, int):
        if not 0 <= value < 1 << 63:
            raise ValueError(f"{value} is no number of a slot or of rows")
        return value.to_bytes(8, "big")
    # One text has one form, or a list that was typed on another machine would not verify.
    if not unicodedata.is_normalized("NFC", value):
        raise ValueError(f"{value!a} is not in Unicode's normal form C")
    return value.encode()


def _problem(path: str, rule: str, message: str) -> Problem:
    remedy = "Compare it with the sealed copy, and find out who could change it."
    return Problem("allocation list", None, path, rule, message, remedy)
