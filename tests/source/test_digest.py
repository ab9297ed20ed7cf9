"""Digests are of RFC 8785's canonical JSON: content changes them, and nothing else does."""

from __future__ import annotations

import hashlib
import json
import random
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.source.digest import canonical_json, digest_of_bytes, digest_of_data, digest_of_file, digest_of_parts
from equipoise.source.document import parse_document
from tests.source.json_data import json_data


def test_the_example_of_rfc_8785_section_3_2_4() -> None:
    """The input of section 3.2.2 and the canonical text of section 3.2.3."""
    source = r"""{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }"""
    assert canonical_json(json.loads(source)).decode() == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_keys_are_sorted_by_utf_16_code_units() -> None:
    """RFC 8785, section 3.2.3: by code units a face (a surrogate pair, D83D DE00) comes before U+FB33."""
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\x80", "\u00f6"]
    canonical = canonical_json(dict.fromkeys(names, 0)).decode()
    assert list(json.loads(canonical)) == ["\r", "1", "\x80", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize(
    ("bits", "text"),
    [  # RFC 8785, appendix B
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("8000000000000001", "-5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("ffefffffffffffff", "-1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("c340000000000000", "-9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("44b52d02c7e14af7", "1.0000000000000001e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef4f", "999999999999999900000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("41b3de4355555554", "333333333.33333325"),
        ("41b3de4355555555", "333333333.3333333"),
        ("41b3de4355555556", "333333333.3333334"),
        ("41b3de4355555557", "333333333.33333343"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_numbers_are_written_as_in_rfc_8785_appendix_b(bits: str, text: str) -> None:
    assert canonical_json(struct.unpack(">d", bytes.fromhex(bits))[0]) == text.encode()


def test_a_digest_is_sha_256_of_the_canonical_json(tmp_path: Path) -> None:
    assert digest_of_data({"b": 1, "a": "é"}) == "sha256:" + hashlib.sha256('{"a":"é","b":1}'.encode()).hexdigest()
    assert digest_of_bytes(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    path = tmp_path / "f"
    path.write_bytes(b"abc")
    assert digest_of_file(path) == digest_of_bytes(b"abc")
    assert (
        digest_of_parts({"b": "2", "a": "1"})
        == digest_of_parts({"a": "1", "b": "2"})
        == digest_of_data({"a": "1", "b": "2"})
    )


LAYOUTS = [
    "a: 1\nb: {c: no, d: [1.50, x]}\n",
    "# a comment\nb:\n    d:\n      - 15e-1   # the same number\n      - 'x'\n    c: \"no\"\n\na: +1\n",
    '{"b": {"c": "no", "d": [1.5, "x"]}, "a": 1.0}',
    "\ufeff---\r\na: 1\r\nb: {c: no,\r\n  d: [1.5, x]}\r\n...\r\n",
]


def test_order_comments_and_layout_change_no_digest() -> None:
    digests = {digest_of_data(parse_document(text.encode(), "f").data) for text in LAYOUTS}
    assert len(digests) == 1


@given(json_data(), st.randoms())
@settings(deadline=None)
def test_the_order_of_keys_changes_no_digest(data: Any, generator: random.Random) -> None:
    def shuffled(part: Any) -> Any:
        if isinstance(part, dict):
            keys = list(part)
            generator.shuffle(keys)
            return {key: shuffled(part[key]) for key in keys}
        return [shuffled(item) for item in part] if isinstance(part, list) else part

    assert digest_of_data(shuffled(data)) == digest_of_data(data)


def parts_of(data: Any) -> list[Any]:
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return [data, *(part for item in inner for part in parts_of(item))]


@given(json_data(), st.data())
@settings(deadline=None)
def test_any_change_of_content_changes_the_digest(data: Any, chooser: st.DataObject) -> None:
    changed = json.loads(json.dumps(data))
    part = chooser.draw(st.sampled_from(parts_of(changed)))
    if isinstance(part, dict):
        part["a key that was not there"] = None
    elif isinstance(part, list):
        part.append(None)
    else:
        changed = [changed]
    assert digest_of_data(changed) != digest_of_data(data)


@given(json_data())
@settings(deadline=None)
def test_canonical_json_is_json_of_the_same_data(data: Any) -> None:
    """As doubles: beyond 2^53 canonical JSON writes the shortest digits, which as a whole number are another."""
    assert json.loads(canonical_json(data), parse_int=float) == json.loads(json.dumps(data), parse_int=float)
