"""A document is JSON data in YAML 1.2: what each scalar means, which line it stands on, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.errors import InputError, Problem
from equipoise.source.document import LARGEST_DOCUMENT, Document, parse_document, read_document

pytestmark = pytest.mark.requirement("PROTOCOL-YAML")


def parsed(text: str) -> Document:
    return parse_document(text.encode(), "f.yaml")


def refused(text: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as caught:
        parse_document(text.encode() if isinstance(text, str) else text, "f.yaml")
    assert caught.value.problems
    assert str(caught.value).startswith("f.yaml is not a plain YAML document\n")
    return caught.value.problems


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("tRUE", "tRUE"),
        ("null", None),
        ("~", None),
        ("", None),
        ("nULL", "nULL"),
        ("None", "None"),
        ("0", 0),
        ("-0", 0),
        ("+1", 1),
        ("-17", -17),
        ("9007199254740991", 2**53 - 1),
        ("1e3", 1000.0),
        ("1E+3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.5e-1", -0.05),
        ("1e-400", 0.0),
        ("0.10", 0.1),
        ("2022-01-01", "2022-01-01"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("1,000", "1,000"),
        ("1.2.3", "1.2.3"),
        ("1e", "1e"),
        ("+", "+"),
        (".", "."),
        ("=", "="),
        ("<<", "<<"),
        ("'no'", "no"),
        ("'007'", "007"),
        ('"1"', "1"),
        ('""', ""),
        ("''", ""),
        ("'it''s'", "it's"),
        ('"\\u00e9 \\x41 \\t \\/"', "é A \t /"),
        ('"\\ud83d\\ude00"', "😀"),
        ("a # a comment", "a"),
        ("a#b", "a#b"),
        ("|\n  one\n  two\n", "one\ntwo\n"),
        ("|-\n  one\n  two\n", "one\ntwo"),
        (">\n  one\n  two\n\n  three\n", "one two\nthree\n"),
        (">-\n  one\n  two\n", "one two"),
        (">-\n  one\n    indented\n  two\n", "one\n  indented\ntwo"),
        ("one\n  two", "one two"),
        ("|\n  12\n", "12\n"),
        ("[]", []),
        ("{}", {}),
        ("[1, no, [a]]", [1, "no", ["a"]]),
        ("{b: 1, c: {d: }}", {"b": 1, "c": {"d": None}}),
    ],
)
def test_a_scalar_means_what_yaml_1_2_says(written: str, meant: object) -> None:
    data = parsed(f"a: {written}").data
    assert data == {"a": meant}
    assert type(data["a"]) is type(meant)


def test_folded_text_holds_nothing_but_its_words() -> None:
    text = parsed("a: >-\n  one\n  two\n  three\nb: 1\n").data["a"]
    assert text == "one two three"
    assert text.isprintable()


@pytest.mark.parametrize(
    "text", ["a: 1", "a: 1\n", "\ufeffa: 1\n", "---\na: 1\n...\n", "%YAML 1.2\n---\na: 1\n", "a: 1\r\n"]
)
def test_marks_round_a_document_change_nothing(text: str) -> None:
    assert parsed(text).data == {"a": 1}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_value_knows_its_line(end: str) -> None:
    document = parsed(
        end.join(
            [
                "# a comment",  # 1
                "top:",  # 2
                "  - id: first",  # 3
                "    text: >-",  # 4
                "      folded",  # 5
                "      text",  # 6
                "  - {id: second, list: [1,",  # 7
                "      2]}",  # 8
                "",  # 9
                "last: 'x'",  # 10
            ]
        )
    )
    lines = {
        (): 2,
        ("top",): 2,
        ("top", 0): 3,
        ("top", 0, "id"): 3,
        ("top", 0, "text"): 4,
        ("top", 1): 7,
        ("top", 1, "list"): 7,
        ("top", 1, "list", 0): 7,
        ("top", 1, "list", 1): 8,
        ("last",): 10,
    }
    assert {steps: document.line(steps) for steps in lines} == lines
    assert document.line(("top", 0, "absent")) == 3  # the nearest part that is there
    assert document.line(("absent", "deeper")) == 2


def test_a_problem_quotes_what_its_author_wrote() -> None:
    document = parsed("a: {t: yes, n: 1, f: 1.5, b: true, z: null, l: [1, x], m: {k: v}, o: [{id: i}]}")
    quoted = {key: document.problem(("a", key), "rule", "m", "r").value for key in document.data["a"]}
    assert quoted == {
        "t": "'yes'",
        "n": "1",
        "f": "1.5",
        "b": "true",
        "z": "null",
        "l": '[1, "x"]',
        "m": None,
        "o": None,
    }
    assert document.problem(("a", "absent"), "rule", "m", "r").value is None
    assert str(document.problem(("a", "o", 0), "rule", "it is wrong", "Mend it.", "x" * 99)) == (
        f"f.yaml:1: a.o.i: it is wrong (got '{'x' * 58}…) [rule]. Mend it."
    )


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("a: &x 1\nb: 2", "no-anchor", 1),
        ("a: 1\nb: *x", "no-alias", 2),
        ("a: 1\n*x : 2", "no-alias", 2),
        ("a: 1\n&x b: 2", "no-anchor", 2),
        ("a:\n  !!int 3", "no-tag", 2),
        ("a: !!str 3", "no-tag", 1),
        ("a: !own 3", "no-tag", 1),
        ("a: ! x", "no-tag", 1),
        ("a: !<tag:yaml.org,2002:str> x", "no-tag", 1),
        ("!!map {a: 1}", "no-tag", 1),
        ("a: !!seq [1]", "no-tag", 1),
        ("!!str a: 1", "no-tag", 1),
        ("a: 1\nb:\n  <<: {c: 1}", "no-merge-key", 3),
        ("a: 1\nb: 2\na: 3", "duplicate-key", 3),
        ("a: {b: 1,\n  'b': 2}", "duplicate-key", 2),
        ("a: 1\n---\nb: 2", "one-document", 2),
        ("a: 1\n---\n", "one-document", 2),
        ("", "one-document", 1),
        ("# nothing\n", "one-document", 1),
        ("%YAML 1.1\n---\na: no", "no-directives", 2),
        ("%TAG ! tag:x,2000:\n---\na: 1", "no-directives", 2),
        ("%YAML 1.3\n---\na: 1", "yaml-syntax", 1),
        ("a: 1\n7: b", "text-key", 2),
        ("a: 1\ntrue: b", "text-key", 2),
        ("null: b", "text-key", 1),
        (": b", "text-key", 1),
        ("? [1, 2]\n: 3", "text-key", 1),
        ("{[1]: 3}", "text-key", 1),
        ('a: "x\\0y"', "forbidden-character", 1),
        ('a: 1\nb: "\\ud800"', "forbidden-character", 2),
        ('a: 1\n"\\udc00": 2', "forbidden-character", 2),
        ("a: 1\nb: \x07", "forbidden-character", 2),
        ("a: 1\nb: \x00", "forbidden-character", 2),
        ("a: x\x85y", "forbidden-character", 1),
        ("a: x\u2028y", "forbidden-character", 1),
        ("a: x\ufeffy", "forbidden-character", 1),
        (b"a: 1\nb: \xff", "encoding", 2),
        (b"\xff\xfea\x00:\x00 \x001\x00", "encoding", 1),
        ("a: 0x1F", "json-number", 1),
        ("a: 0o17", "json-number", 1),
        ("a: 007", "json-number", 1),
        ("a: -08.5", "json-number", 1),
        ("a: .inf", "json-number", 1),
        ("a: -.INF", "json-number", 1),
        ("a: .nan", "json-number", 1),
        ("a: 1e999", "json-number", 1),
        ("a: 9007199254740992", "json-number", 1),
        ("a: " + "9" * 4000, "json-number", 1),
        ("a: [1,\n  2", "yaml-syntax", 1),
        ("a: 1\nb: {c: 1", "yaml-syntax", 2),
        ("a: 1\nb: 'x\n", "yaml-syntax", 2),
        ("a:\n\tb: 1", "yaml-syntax", 2),
        ("a: 1\nb: c: d", "yaml-syntax", 2),
        ('a: 1\nb: "\\U00110000"', "yaml-syntax", 2),
        ('a: 1\nb: "\\UFFFFFFFF"', "yaml-syntax", 2),
        ('a: 1\nb: "\\q"', "yaml-syntax", 2),
    ],
)
def test_what_json_cannot_hold_is_refused_with_its_line(text: str | bytes, rule: str, line: int) -> None:
    problem = refused(text)[0]
    assert (problem.rule, problem.line) == (rule, line)
    assert problem.message and problem.remedy


def test_all_refusals_of_a_file_are_told_at_once() -> None:
    problems = refused("a: &x 1\nb: !!int 2\nc: 0x3\na: 4\nd: {5: 0x6}\n")
    assert [(problem.line, problem.rule) for problem in problems] == [
        (1, "no-anchor"),
        (2, "no-tag"),
        (3, "json-number"),
        (4, "duplicate-key"),
        (5, "text-key"),
        (5, "json-number"),
    ]


def test_what_was_refused_before_broken_syntax_is_told_too() -> None:
    assert [problem.rule for problem in refused("a: &x 1\nb: [")] == ["no-anchor", "yaml-syntax"]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10_000,
        "[" * 10_000 + "]" * 10_000,
        "{a: " * 10_000,
        "- " * 10_000,
        "? " * 10_000,
        "\n".join(" " * depth + "a:" for depth in range(500)),
        "a: 1\na: " + "[" * 10_000,
        "{[" * 5_000,
    ],
)
def test_deep_nesting_is_refused_and_never_a_recursion_error(text: str) -> None:
    assert {problem.rule for problem in refused(text)} & {"nesting", "text-key"}


def test_sixty_levels_are_allowed() -> None:
    assert parsed("[" * 60 + "]" * 60).data is not None
    assert refused("[" * 61 + "]" * 61)[0].rule == "nesting"


def test_an_alias_is_never_followed() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(20)
    )
    assert {problem.rule for problem in refused(bomb)} == {"no-anchor", "no-alias"}


def test_a_file_that_is_too_large_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as stream:
        stream.truncate(LARGEST_DOCUMENT + 1)
    with pytest.raises(InputError, match=r"document-size"):
        read_document(path)
    assert refused(b"x" * (LARGEST_DOCUMENT + 1))[0].rule == "document-size"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.yaml", tmp_path, Path("a\0b")):
        with pytest.raises(InputError, match=r"file-readable") as caught:
            read_document(path)
        assert caught.value.problems[0].file == str(path)


def test_a_file_and_its_bytes_are_the_same_document(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"a: [1, {b: no}]\n")
    assert read_document(path).data == parsed("a: [1, {b: no}]\n").data
    assert read_document(path).file == str(path)
