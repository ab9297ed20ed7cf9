"""What the YAML parser says about broken syntax, in words that its author can act on."""

from __future__ import annotations

_MEND = "Mend the YAML there; often the indentation, a quote or a colon just before it is at fault."

# part of the parser's message -> (what is wrong, what to do, whether to point at where it was opened)
_WORDS: dict[str, tuple[str, str, bool]] = {
    "mapping values are not allowed here": (
        "a colon stands where no key can be",
        "Put a text that holds a colon and a space in quotes, or mend the line above.",
        False,
    ),
    "could not find expected ':'": ("a key has no colon after it", "Write `key: value`.", True),
    "found character '\\t'": ("a tab stands where only spaces may", "Indent with spaces.", False),
    "cannot start any token": (
        "a value begins with a character that YAML keeps for itself",
        "Put the value in quotes, or close a quote that was opened further up.",
        False,
    ),
    "found unexpected end of stream": ("a quote is opened here and never closed", "Close it.", True),
    "expected ',' or ']'": (
        "a square bracket is opened here and not closed",
        "Close it, with commas between items.",
        True,
    ),
    "expected ',' or '}'": (
        "a curly bracket is opened here and not closed",
        "Close it, with commas between items.",
        True,
    ),
    "expected <block end>": (
        "the indentation does not fit the lines above",
        "Line it up with its neighbours.",
        False,
    ),
    "sequence entries are not allowed here": (
        "a list item stands where none can be",
        "Begin it on a line of its own.",
        False,
    ),
    "found undefined tag handle": ("a tag is not allowed", "Remove the tag; quotes make text.", False),
}


def plain_words(said: str) -> tuple[str, str, bool]:
    """What is wrong, what to do, and whether to point at where the construct was opened."""
    for part, words in _WORDS.items():
        if part in said:
            return words
    return f"this is not YAML: {said.splitlines()[0]}", _MEND, False
