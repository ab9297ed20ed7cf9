"""The Merkle tree against the vectors of Certificate Transparency and against the recursive definition of RFC 6962."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.randomisation.merkle import leaf_hash, node_hash, proof_of, root_by_proof, root_of

# The leaves, roots by size and proofs by which implementations of Certificate Transparency test one another.
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PROOFS = {
    0: [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    5: [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}


@pytest.mark.parametrize("size", range(9))
def test_the_roots_of_certificate_transparency(size):
    assert root_of(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize("index", PROOFS)
def test_the_proofs_of_certificate_transparency(index):
    proof = proof_of(LEAVES, index)
    assert [sibling.hex() for sibling in proof] == PROOFS[index]
    assert root_by_proof(LEAVES[index], index, 8, proof) == bytes.fromhex(ROOTS[8])


def split(size):
    """The largest power of two below a size."""
    return 1 << (size - 1).bit_length() - 1


def root_by_definition(entries):
    """RFC 6962, section 2.1, word by word."""
    if len(entries) < 2:
        return hashlib.sha256(b"\x00" + entries[0]).digest() if entries else hashlib.sha256(b"").digest()
    left = split(len(entries))
    both = root_by_definition(entries[:left]) + root_by_definition(entries[left:])
    return hashlib.sha256(b"\x01" + both).digest()


def proof_by_definition(entries, index):
    """RFC 6962, section 2.1.1, word by word."""
    if len(entries) == 1:
        return ()
    left = split(len(entries))
    if index < left:
        return (*proof_by_definition(entries[:left], index), root_by_definition(entries[left:]))
    return (*proof_by_definition(entries[left:], index - left), root_by_definition(entries[:left]))


@pytest.mark.parametrize("size", range(1, 40))
def test_root_and_proofs_follow_the_definition_at_every_size(size):
    entries = [bytes([number, size]) for number in range(size)]
    assert root_of(entries) == root_by_definition(entries)
    for index, entry in enumerate(entries):
        proof = proof_of(entries, index)
        assert proof == proof_by_definition(entries, index)
        assert root_by_proof(entry, index, size, proof) == root_of(entries)


@given(entries=st.lists(st.binary(max_size=8), min_size=2, max_size=20, unique=True), data=st.data())
def test_no_proof_serves_another_entry_or_place(entries, data):
    index = data.draw(st.integers(0, len(entries) - 1))
    proof, root = proof_of(entries, index), root_of(entries)
    other = data.draw(st.integers(0, len(entries) - 1).filter(lambda place: place != index))
    assert root_by_proof(entries[other], index, len(entries), proof) != root
    assert root_by_proof(entries[index], other, len(entries), proof) != root
    assert root_by_proof(entries[index], index, len(entries), proof[:-1]) != root
    assert root_by_proof(entries[index], index, len(entries), (*proof, proof[0])) is None
    assert root_by_proof(entries[index], index, len(entries), (proof[0][:-1], *proof[1:])) is None
    assert root_by_proof(entries[index], -1, len(entries), proof) is None
    assert root_by_proof(entries[index], len(entries), len(entries), proof) is None


def test_a_node_is_no_leaf():
    """Without the prefixes, the two halves of a node, taken as one entry, would lead to the same root."""
    entries = [b"a", b"b", b"c", b"d"]
    left = leaf_hash(b"a") + leaf_hash(b"b")
    right = leaf_hash(b"c") + leaf_hash(b"d")
    assert root_of([left, right]) != root_of(entries)
    assert root_by_proof(left, 0, 2, (node_hash(leaf_hash(b"c"), leaf_hash(b"d")),)) != root_of(entries)


def test_an_odd_entry_is_not_doubled():
    """Trees that double the last node give one root to two lists."""
    assert root_of([b"a", b"b", b"c"]) != root_of([b"a", b"b", b"c", b"c"])


@pytest.mark.parametrize("index", [-1, 3])
def test_there_is_no_proof_of_what_is_not_there(index):
    with pytest.raises(IndexError, match="among 3"):
        proof_of([b"a", b"b", b"c"], index)
