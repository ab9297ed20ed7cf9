"""Random JSON data: all that a document may hold, so no NUL, no lone surrogates, no integers beyond 2^53."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)
# fmt: off
SPECIAL = st.sampled_from(
    [
        "no", "yes", "on", "null", "~", "true", "1", "007", "0x1F", "1e3", "1_000", ".5", "-", "- a", "a: b",
        "#", "&a", "*a", "!t", "<<", "=", "2022-01-01", "12:30", "", " ", " a ", "a\nb", "a\n", "\ta", "%a",
        "@a", "`a", "'", '"', "{", "[a", "|", ">", "?", "? a", ":", "...", "---", "\u2028", "\x85", "\ufeff",
        "😀", ".inf", ".nan", "0o7", "+1", "a #b",
    ]
)
# fmt: on
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXT | SPECIAL
KEYS = TEXT | SPECIAL


def json_data(max_leaves: int = 12) -> st.SearchStrategy[Any]:
    """Scalars, and lists and mappings of them."""
    return st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=max_leaves,
    )
