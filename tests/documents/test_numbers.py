"""Numbers as a reader sees them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.documents import numbers
from equipoise.documents.runs import Missing, plain

finite = st.floats(-1e9, 1e9, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (-0.42, 2, "−0.42"),
        (0.125, 2, "0.13"),
        (12.5, 0, "13"),
        (-2.5, 0, "−3"),
        (1.005, 2, "1.01"),
        (-0.001, 2, "0.00"),
        (0.0, 1, "0.0"),
        (1234, 0, "1234"),
        (12345.678, 1, "12\N{NARROW NO-BREAK SPACE}345.7"),
        (1234567, 0, "1\N{NARROW NO-BREAK SPACE}234\N{NARROW NO-BREAK SPACE}567"),
        (9999.96, 1, "10\N{NARROW NO-BREAK SPACE}000.0"),
        (1e-12, 2, "0.00"),
        (1e22, 0, "\N{NARROW NO-BREAK SPACE}".join(["10", *["000"] * 7])),
        (math.inf, 2, "∞"),
        (-math.inf, 2, "−∞"),
    ],
)
def test_digits(value, decimals, text):
    assert numbers.digits(value, decimals) == text


def test_digits_with_a_sign_and_without_a_number():
    assert numbers.digits(0.5, 1, plus=True) == "+0.5"
    assert numbers.digits(0.01, 1, plus=True) == "0.0"
    with pytest.raises(ValueError, match="not there"):
        numbers.digits(math.nan, 1)


@given(finite, st.integers(0, 6))
def test_digits_keep_the_value_and_never_use_a_hyphen(value, decimals):
    text = numbers.digits(value, decimals)
    assert "-" not in text
    back = float(text.replace("−", "-").replace("\N{NARROW NO-BREAK SPACE}", ""))
    assert abs(back - value) <= 0.5000001 * 10**-decimals + abs(value) * 1e-12
    assert len(text.partition(".")[2]) == decimals
    assert not (back == 0 and text.startswith("−"))


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.065, "0.065"),
        (0.0186, "0.019"),
        (0.0, "<0.001"),
        (0.00099, "<0.001"),
        (0.001, "0.001"),
        (0.0498, "0.0498"),
        (0.0496, "0.0496"),
        (0.04999, "0.04999"),
        (0.05, "0.050"),
        (0.0502, "0.050"),
        (0.9995, ">0.999"),
        (1.0, ">0.999"),
        (0.999, "0.999"),
    ],
)
def test_p_values(p, text):
    assert numbers.p_value(p) == text


@given(st.floats(0, 1))
def test_a_p_value_is_never_zero_and_never_changes_sides(p):
    text = numbers.p_value(p)
    assert isinstance(text, str)
    assert text not in {"0.000", "1.000"}
    if text[0] not in "<>":
        assert (float(text) < 0.05) == (p < 0.05)


def test_a_p_value_hair_below_the_level_says_only_that():
    assert numbers.p_value(math.nextafter(0.05, 0)) == "<0.05"


@pytest.mark.parametrize("p", [-0.01, 1.01])
def test_a_p_value_outside_its_range_is_refused(p):
    with pytest.raises(ValueError, match="between 0 and 1"):
        numbers.p_value(p)


def test_estimates():
    assert numbers.estimate(-0.42, -0.81, -0.03, 2) == "−0.42 (−0.81, −0.03)"
    assert plain(numbers.estimate(1.0, None, math.nan, 1, "no spread")) == "1.0 (–)"
    assert numbers.estimate(0.0, None, 0.24, 2) == "0.00 (–, 0.24)"
    assert numbers.estimate(None, 0.1, 0.2, 1, "why") == Missing("why")


def test_missing_numbers_carry_their_reason():
    reason = Missing("not measured")
    assert numbers.fixed(None, 2, "not measured") == reason
    assert numbers.fixed(math.nan, 2, "not measured") == reason
    assert numbers.p_value(None, "not measured") == reason
    assert numbers.percent(None, reason="not measured") == reason
    assert numbers.count_percent(None, 3, "not measured") == reason
    assert numbers.mean_sd(math.nan, 1.0, 1, "not measured") == reason
    assert numbers.median_range(None, 1.0, 2.0, 1, "not measured") == reason
    assert plain(numbers.p_sentence(None, "not measured")) == "p –"


def test_counts_shares_and_spreads():
    assert numbers.count_percent(5, 11) == "5 (45%)"
    assert numbers.count_percent(1, 8) == "1 (13%)"
    assert numbers.count_percent(0, 0) == "0 (–)"
    assert numbers.percent(0.999, 1) == "99.9%"
    assert numbers.mean_sd(17.33, 5.25, 1) == "17.3 (5.3)"
    assert numbers.mean_sd(17.33, None, 1) == "17.3 (–)"
    assert numbers.median_range(-0.42, -1, 1.2, 2) == "−0.42 (−1.00 to 1.20)"
    assert numbers.p_sentence(0.0004) == "p < 0.001"
    assert numbers.p_sentence(0.065) == "p = 0.065"


def test_brackets_and_units_are_not_parted_at_a_lines_end():
    assert numbers.counted("Stem cells", 11) == "Stem cells (n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}11)"
    assert numbers.counted("Stem cells", None) == "Stem cells"
    assert numbers.with_unit("0.42", "nmol/L") == "0.42\N{NARROW NO-BREAK SPACE}nmol/L"
    assert numbers.with_unit("0.42", "") == "0.42"
