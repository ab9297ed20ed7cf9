"""Student's t: interval and p-value of an estimate with its standard error and degrees of freedom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from equipoise.stats.arrays import Flags, Floats

Alternative = Literal["two-sided", "greater", "less"]


@dataclass(frozen=True, slots=True)
class Inference:
    """Interval and test, each of one shape; NaN where there is no standard error."""

    lower: Floats
    upper: Floats
    statistic: Floats
    p_value: Floats


def infer(
    estimate: Floats,
    standard_error: Floats,
    df: Floats,
    testable: Flags,
    *,
    null: float = 0.0,
    level: float = 0.95,
    alternative: Alternative = "two-sided",
) -> Inference:
    """The t interval estimate ± t(1/2 + level/2; df)·SE, and the p-value of (estimate - null)/SE.

    The interval is two-sided whatever the alternative; only the p-value is one-sided. NaN where not testable.
    ValueError: a level outside (0, 1), or an unknown alternative.
    Student, Biometrika 1908;6:1-25.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level}")
    if alternative not in get_args(Alternative):
        raise ValueError(f"alternative must be one of {get_args(Alternative)}, not {alternative!r}")
    from scipy.special import stdtr, stdtrit

    error = np.where(testable, standard_error, 1.0)
    freedom = np.where(testable, df, 1.0)
    half_width = stdtrit(freedom, 0.5 + level / 2) * error
    statistic = (estimate - null) / error
    match alternative:
        case "greater":
            p_value = stdtr(freedom, -statistic)
        case "less":
            p_value = stdtr(freedom, statistic)
        case _:
            p_value = 2 * stdtr(freedom, -np.abs(statistic))
    numbers = (estimate - half_width, estimate + half_width, statistic, p_value)
    return Inference(*(np.where(testable, number, np.nan) for number in numbers))
