"""Random data survive being written as YAML and read again; random text is read or refused, and nothing else."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from equipoise.errors import InputError
from equipoise.source.document import Document, parse_document
from tests.source.json_data import json_data


def same(left: Any, right: Any) -> bool:
    """Equal, types included: to Python, 1 == 1.0 == True."""
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and left == right


@given(json_data(), st.sampled_from([None, 0, 2]))
@example({"a": -0.0, "b": 5e-324, "c": 1.7976931348623157e308}, None)
@example({"😀": "\u2028 \x7f \x85", "": [[], {}]}, None)
@settings(deadline=None)
def test_json_is_yaml(data: Any, indent: int | None) -> None:
    text = json.dumps(data, indent=indent)
    assert same(parse_document(text.encode(), "f.yaml").data, data)


@given(json_data())
@settings(deadline=None)
def test_what_a_yaml_writer_writes_is_read_back(data: Any) -> None:
    writer = YAML(typ="safe", pure=True)
    writer.version = (1, 2)
    writer.default_flow_style = False
    writer.allow_unicode = False  # else it writes line separators as they are, which we refuse
    writer.width = 10**6
    writer.sort_base_mapping_type_on_output = False
    stream = StringIO()
    writer.dump(data, stream)
    assert same(parse_document(stream.getvalue().encode(), "f.yaml").data, data)


# fmt: off
PIECES = st.sampled_from(
    [
        "a", "b: ", "- ", "\n", "\n  ", "[", "]", "{", "}", ": ", ", ", "? ", "| ", "|\n", "> ", ">-\n", "'",
        '"', "\\", "&x ", "*x", "!", "!t ", "!!str ", "%YAML 1.1\n", "%YAML 1.2\n", "%TAG ! x\n", "---", "...",
        "# c", "\t", "1", "1e5", "@", "`", "\\u12", "\\xzz", "\\U99999999", "é", "😀", "|2", "|+9", "<<: ", "\r",
        "\\N", "%YAML 9.9\n", "!<x> ", "\x00", "\u2028",
    ]
)
# fmt: on


def read(raw: bytes) -> Document | InputError:
    try:
        return parse_document(raw, "f.yaml")
    except InputError as error:
        return error


@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60))
@settings(deadline=None, max_examples=300)
def test_any_text_is_a_document_or_a_list_of_problems(text: str) -> None:
    found = read(text.encode("utf-8", "surrogatepass"))
    if isinstance(found, InputError):
        lines = [problem.line or 0 for problem in found.problems]
        assert lines
        assert all(1 <= line <= text.count("\n") + text.count("\r") + 1 for line in lines)
    else:
        assert json.loads(json.dumps(found.data)) == found.data
        assert found.lines[()] >= 1


@given(st.binary(max_size=80))
@settings(deadline=None)
def test_any_bytes_are_a_document_or_a_list_of_problems(raw: bytes) -> None:
    found = read(raw)
    assert isinstance(found, Document) or found.problems
