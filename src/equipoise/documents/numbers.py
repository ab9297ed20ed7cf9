"""Numbers as a reader sees them: true minus, fixed decimals, halves rounded away from zero, never a p of zero.

Every function takes numbers at full precision and gives text; a number that is None or NaN becomes `Missing` with
its reason. Halves are rounded as on paper and as SAS prints them, on the shortest decimal form of the number, so
that 1 of 8 is 13% and not 12%.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

from equipoise.documents.runs import Missing, Run, Text

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
THIN = "\N{NARROW NO-BREAK SPACE}"
NOT_AVAILABLE = "not available"


def absent(value: float | None) -> bool:
    """Whether there is no number: None or NaN."""
    return value is None or math.isnan(value)


def digits(value: float, decimals: int, *, plus: bool = False) -> str:
    """A number that is there, with fixed decimals: '−0.42', '12 345', '∞'; with `plus`, '+0.42'. Zero has no sign.

    Four figures stand close, five and more are set in threes with narrow no-break spaces. Raises ValueError for NaN.
    """
    if math.isnan(value):
        raise ValueError("a number that is not there cannot be printed")
    sign = MINUS if value < 0 else "+" if plus and value > 0 else ""
    if math.isinf(value):
        return f"{sign}∞"
    rounded = abs(Decimal(repr(float(value)))).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    whole, _, part = f"{rounded:f}".partition(".")
    grouped = f"{int(whole):,}".replace(",", THIN) if len(whole) > 4 else whole
    return (sign if rounded else "") + grouped + (f".{part}" if part else "")


def degrees(df: float | None, reason: str = NOT_AVAILABLE) -> Run:
    """Degrees of freedom: '15', '15.3'; rounded before it is asked whether they are whole."""
    if df is None or absent(df):
        return Missing(reason)
    text = digits(df, 1)
    return text.removesuffix(".0")


def fixed(value: float | None, decimals: int, reason: str = NOT_AVAILABLE, *, plus: bool = False) -> Run:
    """A number with fixed decimals, or an en dash with the reason why there is none."""
    return Missing(reason) if value is None or absent(value) else digits(value, decimals, plus=plus)


def interval(lower: float | None, upper: float | None, decimals: int) -> str:
    """'−0.81, −0.03'; a bound that is not there is an en dash."""
    return ", ".join(DASH if b is None or absent(b) else digits(b, decimals) for b in (lower, upper))


def estimate(
    value: float | None, lower: float | None, upper: float | None, decimals: int, reason: str = NOT_AVAILABLE
) -> Text:
    """'−0.42 (−0.81, −0.03)'; without any bound '−0.42 (–)', the dash carrying the reason; without a value the dash."""
    if value is None or absent(value):
        return Missing(reason)
    if absent(lower) and absent(upper):
        return (f"{digits(value, decimals)} (", Missing(reason), ")")
    return f"{digits(value, decimals)} ({interval(lower, upper, decimals)})"


def p_value(p: float | None, reason: str = NOT_AVAILABLE, *, level: float = 0.05) -> Run:
    """'0.065', '<0.001', '>0.999'; raises ValueError outside 0 to 1.

    Three decimals, and more where rounding would carry p across `level`: 0.0498 is printed so, not as 0.050.
    """
    if p is None or absent(p):
        return Missing(reason)
    if not 0 <= p <= 1:
        raise ValueError(f"a p-value lies between 0 and 1, not at {p}")
    if p < 0.001:
        return "<0.001"
    if p > 0.999:
        return ">0.999"
    for decimals in range(3, 8):
        text = digits(p, decimals)
        if (float(text) < level) == (p < level):
            return text
    return f"<{level}"


def p_sentence(p: float | None, reason: str = NOT_AVAILABLE) -> Text:
    """'p = 0.065' or 'p < 0.001', for a sentence."""
    text = p_value(p, reason)
    if not isinstance(text, str):
        return ("p ", text)
    return f"p {text[0]} {text[1:]}" if text[0] in "<>" else f"p = {text}"


def percent(fraction: float | None, decimals: int = 0, reason: str = NOT_AVAILABLE) -> Run:
    """A fraction of 1 as '45%'."""
    return Missing(reason) if fraction is None or absent(fraction) else f"{digits(100 * fraction, decimals)}%"


def count_percent(count: int | None, total: int, reason: str = NOT_AVAILABLE, decimals: int = 0) -> Run:
    """'5 (45%)'; of nobody '0 (–)', since nothing is a share of nothing."""
    if count is None:
        return Missing(reason)
    share = DASH if total == 0 else f"{digits(float(Decimal(100 * count) / Decimal(total)), decimals)}%"
    return f"{digits(count, 0)} ({share})"


def mean_sd(mean: float | None, sd: float | None, decimals: int, reason: str = NOT_AVAILABLE) -> Run:
    """'17.3 (5.2)'; where one value has no spread, '17.3 (–)'."""
    if mean is None or absent(mean):
        return Missing(reason)
    spread = DASH if sd is None or absent(sd) else digits(sd, decimals)
    return f"{digits(mean, decimals)} ({spread})"


def median_range(
    median: float | None, low: float | None, high: float | None, decimals: int, reason: str = NOT_AVAILABLE
) -> Run:
    """'0.42 (0.10 to 1.20)': range or quartiles, 'to' because a dash beside a minus misleads."""
    if median is None or absent(median):
        return Missing(reason)
    ends = [DASH if b is None or absent(b) else digits(b, decimals) for b in (low, high)]
    return f"{digits(median, decimals)} ({' to '.join(ends)})"


def counted(label: str, n: int | None) -> str:
    """'Stem cells (n = 11)', its bracket never broken over two lines; without a count the label alone."""
    return label if n is None else f"{label} " + f"(n = {digits(n, 0)})".replace(" ", "\N{NO-BREAK SPACE}")


def with_unit(text: str, unit: str) -> str:
    """A number and its unit, never parted at a line's end."""
    return f"{text}{THIN}{unit}" if unit else text
