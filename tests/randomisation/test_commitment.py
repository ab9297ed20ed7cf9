"""A committed list: what is true verifies, and every way of bending it is found."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.randomisation import (
    BigStick,
    Row,
    SealedList,
    SealedRow,
    Terms,
    commit,
    fresh_nonces,
    reveal,
    seal,
    verify_list,
    verify_published,
    verify_row,
)
from equipoise.randomisation.commitment import row_commitment
from equipoise.randomisation.merkle import proof_of, root_of

ARMS = ("msc", "placebo", "placebo", "msc", "placebo", "msc", "msc")
NONCES = tuple(hashlib.sha256(bytes([number])).digest() for number in range(7))
SEALED = seal(
    (Row(slot, arm, "child" if slot % 2 else "adult") for slot, arm in enumerate(ARMS, start=1)),
    NONCES,
    study="msc-t1d",
    method=BigStick(2).description,
    version="1",
)
PUBLISHED = commit(SEALED)


def changed(place, **values):
    """The list with one row changed."""
    rows = [replace(row, **values) if row.slot == place else row for row in SEALED.rows]
    return replace(SEALED, rows=tuple(rows))


def swapped(first, second):
    """The list in which two slots have exchanged arm, stratum and nonce."""
    rows = {row.slot: row for row in SEALED.rows}
    rows[first], rows[second] = replace(rows[second], slot=first), replace(rows[first], slot=second)
    return replace(SEALED, rows=tuple(rows[slot] for slot in sorted(rows)))


def numbered(rows):
    return replace(SEALED, rows=tuple(replace(row, slot=slot) for slot, row in enumerate(rows, start=1)))


def rules(problems):
    return {(problem.path, problem.rule) for problem in problems}


def test_what_was_not_changed_verifies():
    assert verify_list(SEALED, PUBLISHED.root) == ()
    assert verify_list(SEALED, PUBLISHED.root, PUBLISHED.commitments) == ()
    assert verify_published(PUBLISHED) == ()
    for slot in range(1, 8):
        assert verify_row(reveal(SEALED, slot), PUBLISHED.root) == ()


@pytest.mark.parametrize("size", [0, 1, 2, 3, 21, 64])
def test_lists_of_any_length_verify(size):
    rows = [Row(slot, "ab"[slot % 2]) for slot in range(1, size + 1)]
    sealed = seal(rows, fresh_nonces(size), study="s", method="m", version="1")
    published = commit(sealed)
    assert verify_list(sealed, published.root, published.commitments) == ()
    assert verify_published(published) == ()
    assert not any(verify_row(reveal(sealed, slot), published.root) for slot in range(1, size + 1))


def test_the_encoding_is_the_one_that_is_documented():
    """Written out once more by hand, so that another program could check a list."""

    def framed(*parts):
        return len(parts).to_bytes(8, "big") + b"".join(len(part).to_bytes(8, "big") + part for part in parts)

    def number(value):
        return value.to_bytes(8, "big")

    rows = [
        framed(
            b"equipoise/allocation-row/1",
            b"msc-t1d",
            number(row.slot),
            row.stratum.encode(),
            row.arm.encode(),
            row.nonce,
        )
        for row in SEALED.rows
    ]
    commitments = [hashlib.sha256(row).digest() for row in rows]
    assert PUBLISHED.commitments == tuple(commitments)
    terms = [b"equipoise/allocation-list/1", b"msc-t1d", b"big-stick 1:1 limit 2", b"1", number(7)]
    assert PUBLISHED.root == hashlib.sha256(framed(*terms, root_of(commitments))).digest()


def test_no_two_rows_are_encoded_alike():
    """Moving a letter from one field to the next changes the hash: fields carry their lengths."""
    nonce = NONCES[0]
    assert row_commitment("s", SealedRow(1, "ab", "c", nonce)) != row_commitment("s", SealedRow(1, "a", "bc", nonce))
    assert row_commitment("s1", SealedRow(1, "", "c", nonce)) != row_commitment("s", SealedRow(1, "1", "c", nonce))


TAMPERED = {
    "an arm": (changed(3, arm="msc"), {3}),
    "a stratum": (changed(3, stratum="adult"), {3}),
    "a nonce": (changed(3, nonce=bytes(32)), {3}),
    "two rows with their nonces": (swapped(2, 4), {2, 4}),
    "two arms": (
        replace(SEALED, rows=tuple(replace(row, arm=ARMS[::-1][row.slot - 1]) for row in SEALED.rows)),
        {slot for slot in range(1, 8) if ARMS[slot - 1] != ARMS[::-1][slot - 1]},
    ),
}


@pytest.mark.requirement("RANDOMISATION-COMMITTED")
@pytest.mark.parametrize(("bent", "slots"), TAMPERED.values(), ids=TAMPERED)
def test_a_changed_row_is_found_and_named(bent, slots):
    assert rules(verify_list(bent, PUBLISHED.root)) == {("", "list-committed")}
    expected = {(f"slot {slot}", "row-committed") for slot in slots} | {("", "list-committed")}
    assert rules(verify_list(bent, PUBLISHED.root, PUBLISHED.commitments)) == expected


TERMS = {
    "study": Terms("msc-t1e", SEALED.terms.method, "1"),
    "method": Terms("msc-t1d", "simple 1:1", "1"),
    "version": Terms("msc-t1d", SEALED.terms.method, "2"),
}


@pytest.mark.parametrize("terms", TERMS.values(), ids=TERMS)
def test_a_changed_study_method_or_version_is_found(terms):
    assert ("", "list-committed") in rules(verify_list(replace(SEALED, terms=terms), PUBLISHED.root))
    assert rules(verify_published(replace(PUBLISHED, terms=terms))) == {("", "list-committed")}
    revealed = replace(reveal(SEALED, 2), terms=terms)
    assert rules(verify_row(revealed, PUBLISHED.root)) == {("slot 2", "row-committed")}


def test_a_row_that_was_dropped_added_or_repeated_is_found():
    dropped = numbered(SEALED.rows[:-1])
    assert rules(verify_list(dropped, PUBLISHED.root, PUBLISHED.commitments)) == {
        ("", "row-count"),
        ("", "list-committed"),
    }
    added = numbered([*SEALED.rows, SealedRow(8, "child", "msc", bytes(32))])
    assert rules(verify_list(added, PUBLISHED.root)) == {("", "list-committed")}
    twice = numbered([*SEALED.rows, SEALED.rows[-1]])
    assert rules(verify_list(twice, PUBLISHED.root)) == {("slot 7", "nonce-repeated"), ("slot 8", "nonce-repeated")}
    assert rules(verify_list(replace(SEALED, rows=()), PUBLISHED.root)) == {("", "list-committed")}


def test_a_slot_out_of_order_is_found():
    assert rules(verify_list(changed(3, slot=4), PUBLISHED.root)) == {("slot 4", "slot-order")}
    backwards = replace(SEALED, rows=SEALED.rows[::-1])
    assert {rule for _, rule in rules(verify_list(backwards, PUBLISHED.root))} == {"slot-order"}


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_nonce_of_another_length_is_found(length):
    bent = changed(3, nonce=bytes(length))
    assert rules(verify_list(bent, PUBLISHED.root)) == {("slot 3", "row-form")}
    revealed = replace(reveal(SEALED, 3), row=bent.rows[2])
    assert rules(verify_row(revealed, PUBLISHED.root)) == {("slot 3", "row-form")}


def test_another_root_and_other_commitments_are_found():
    other = hashlib.sha256(b"another").digest()
    assert rules(verify_list(SEALED, other)) == {("", "list-committed")}
    assert rules(verify_published(replace(PUBLISHED, root=other))) == {("", "list-committed")}
    bent = (*PUBLISHED.commitments[:-1], other)
    assert rules(verify_published(replace(PUBLISHED, commitments=bent))) == {("", "list-committed")}
    assert rules(verify_list(SEALED, PUBLISHED.root, bent)) == {("slot 7", "row-committed")}


def test_a_revealed_row_that_was_changed_is_found():
    true = reveal(SEALED, 3)
    for bent in (
        replace(true, row=replace(true.row, arm="msc")),
        replace(true, row=replace(true.row, stratum="")),
        replace(true, row=replace(true.row, slot=4)),
        replace(true, row=replace(true.row, slot=0)),
        replace(true, row=replace(true.row, slot=100)),
        replace(true, row=replace(true.row, nonce=bytes(32))),
        replace(true, row=SEALED.rows[3]),
        replace(true, rows=6),
        replace(true, rows=8),
        replace(true, proof=reveal(SEALED, 4).proof),
        replace(true, proof=true.proof[:-1]),
        replace(true, proof=(*true.proof, bytes(32))),
        replace(true, proof=true.proof[::-1]),
        replace(true, proof=()),
        replace(true, proof=(true.proof[0][:-1], *true.proof[1:])),
    ):
        problems = verify_row(bent, PUBLISHED.root)
        assert rules(problems) == {(f"slot {bent.row.slot}", "row-committed")}, bent
    assert {rule for _, rule in rules(verify_row(replace(true, row=replace(true.row, slot=-1)), PUBLISHED.root))} == {
        "row-form"
    }


def test_a_node_of_the_tree_cannot_be_revealed_as_a_row():
    """A row is hashed by its fields, then as a leaf: nothing that is in the tree is a row."""
    proof = proof_of(PUBLISHED.commitments, 0)
    row = SealedRow(1, "", proof[1].hex(), proof[0])
    assert verify_row(replace(reveal(SEALED, 1), row=row, rows=4, proof=proof[1:]), PUBLISHED.root)


ROWS = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["", "x", "y"])), min_size=1, max_size=9)


@pytest.mark.requirement("RANDOMISATION-COMMITTED")
@given(rows=ROWS, data=st.data())
def test_any_change_at_random_is_found(rows, data):
    nonces = [hashlib.sha256(bytes([place])).digest() for place in range(len(rows))]
    listed = [Row(slot, arm, stratum) for slot, (arm, stratum) in enumerate(rows, start=1)]
    sealed = seal(listed, nonces, study="s", method="m", version="1")
    published = commit(sealed)
    place = data.draw(st.integers(0, len(rows) - 1))
    values = {
        "arm": st.sampled_from(["a", "b", "A", "a ", "c"]),
        "stratum": st.sampled_from(["", "x", "y", "xy", " "]),
        "nonce": st.binary(min_size=30, max_size=34),
        "slot": st.integers(0, 12),
    }
    field = data.draw(st.sampled_from(sorted(values)))
    value = data.draw(values[field].filter(lambda new: new != getattr(sealed.rows[place], field)))
    bent_row = replace(sealed.rows[place], **{field: value})
    bent = SealedList(sealed.terms, (*sealed.rows[:place], bent_row, *sealed.rows[place + 1 :]))
    assert verify_list(bent, published.root)
    assert verify_list(bent, published.root, published.commitments)
    revealed = reveal(sealed, place + 1)
    assert verify_row(revealed, published.root) == ()
    assert verify_row(replace(revealed, row=bent_row), published.root)


@given(order=st.permutations(range(7)))
def test_any_other_order_of_the_rows_is_found(order):
    shuffled = numbered([SEALED.rows[place] for place in order])
    problems = verify_list(shuffled, PUBLISHED.root, PUBLISHED.commitments)
    assert bool(problems) == (list(order) != sorted(order))


REFUSED = [
    ([Row(1, "a")], (), "1 rows need as many nonces, not 0"),
    ([Row(2, "a")], NONCES[:1], "row 1 must have slot 1"),
    ([Row(1, "a"), Row(1, "b")], NONCES[:2], "row 2 must have slot 2"),
    ([Row(1, "")], NONCES[:1], "without an arm is never hashed"),
    ([Row(1, "a")], (b"short",), "32 bytes, not 5"),
    ([Row(1, "a"), Row(2, "b")], NONCES[:1] * 2, "another row has the same nonce"),
    ([Row(1, "e\u0301")], NONCES[:1], "normal form C"),
    ([Row(1, "\ud800")], NONCES[:1], "surrogates not allowed"),
]


@pytest.mark.parametrize(("rows", "nonces", "words"), REFUSED, ids=[row[2] for row in REFUSED])
def test_a_list_that_cannot_be_sealed_says_why(rows, nonces, words):
    with pytest.raises(ValueError, match=words):
        seal(rows, nonces, study="s", method="m", version="1")


def test_a_list_names_its_study():
    with pytest.raises(ValueError, match="names its study"):
        seal([Row(1, "a")], NONCES[:1], study="", method="m", version="1")
    with pytest.raises(ValueError, match="normal form C"):
        seal([Row(1, "a")], NONCES[:1], study="s", method="e\u0301", version="1")
    assert rules(verify_published(replace(PUBLISHED, terms=Terms("", "m", "1")))) == {("", "list-form")}


@pytest.mark.parametrize("slot", [0, 8, -1])
def test_only_a_slot_that_exists_is_revealed(slot):
    with pytest.raises(IndexError, match="among 7"):
        reveal(SEALED, slot)


def test_neither_words_nor_problems_give_an_arm_or_a_nonce_away():
    secrets = {*ARMS, *(nonce.hex() for nonce in NONCES), *(str(nonce) for nonce in NONCES)}
    shown = [repr(SEALED), repr(SEALED.rows[0]), repr(Row(1, "placebo")), repr(PUBLISHED), repr(reveal(SEALED, 1))]
    for bent, _ in TAMPERED.values():
        shown += [str(problem) for problem in verify_list(bent, PUBLISHED.root, PUBLISHED.commitments)]
    for text in shown:
        assert not [secret for secret in secrets if secret in text.replace("msc-t1d", "")]


def test_equal_arms_have_different_commitments():
    """So nobody can tell from the commitments which slots have the same arm."""
    rows = [Row(slot, "a") for slot in range(1, 50)]
    first = commit(seal(rows, fresh_nonces(49), study="s", method="m", version="1"))
    again = commit(seal(rows, fresh_nonces(49), study="s", method="m", version="1"))
    assert len(set(first.commitments + again.commitments)) == 98
    assert first.root != again.root


def test_nonces_come_from_the_source_that_is_given():
    source = np.random.default_rng(1)
    nonces = fresh_nonces(3, source.bytes)
    assert [len(nonce) for nonce in nonces] == [32] * 3
    assert nonces == fresh_nonces(3, np.random.default_rng(1).bytes)
    assert len(set(fresh_nonces(100))) == 100
