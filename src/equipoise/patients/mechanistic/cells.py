"""Infused cells: from the blood to lung and pancreas, each with a first-order loss.

    blood'    = doses - k_b blood
    lung'     = f k_b blood - k_l lung
    pancreas' = h k_b blood + m k_l lung - k_p pancreas

in % of a full treatment, h the homed share and m the share of the lung's loss that migrates on. The chain is linear, so
a step is exact.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from equipoise.patients.chance import Floats

Value = Any
"""A NumPy array over people, or a float inside the compiled kernel."""
SHARES = tuple(1.0 / term for term in range(13, 0, -1))
DOSE = 100.0
"""% of a full treatment: a weight of 1."""


class Kinetics(NamedTuple):
    """Rates per day; shares of what leaves blood (to the lung) and lung (to the pancreas)."""

    blood: float
    lung: float
    pancreas: float
    to_lung: float
    onward: float


def decay(x: Value) -> Value:
    """exp(-x) for x >= 0, to 1e-12 below 40, by + * / alone, so that every processor and engine gives the same bits.

    The series of exp(x/64), its reciprocal, and six squarings.
    """
    y = x * 0.015625
    total = 1.0 + y * SHARES[0]
    for share in SHARES[1:]:
        total = 1.0 + y * total * share
    total = 1.0 / total
    for _ in range(6):
        total = total * total
    return total


def advance(
    blood: Value,
    lung: Value,
    pancreas: Value,
    fall_blood: Value,
    fall_lung: Value,
    fall_pancreas: Value,
    homing: Value,
    kinetics: Kinetics,
) -> tuple[Value, Value, Value]:
    """Blood, lung and pancreas after a step whose factors are `fall_…`."""
    k = kinetics
    lodged = k.to_lung * k.blood / (k.lung - k.blood)
    migrated = k.onward * k.lung / (k.pancreas - k.lung)
    direct = (homing * k.blood + lodged * k.onward * k.lung) / (k.pancreas - k.blood)
    through = fall_blood - fall_pancreas
    slower = fall_lung - fall_pancreas
    return (
        blood * fall_blood,
        lung * fall_lung + blood * lodged * (fall_blood - fall_lung),
        pancreas * fall_pancreas + lung * migrated * slower + blood * (direct * through - lodged * migrated * slower),
    )


def course_of_cells(
    days: Floats, dose_days: Floats, weights: Floats, homing: Floats, kinetics: Kinetics
) -> tuple[Floats, Floats, Floats]:
    """Blood, lung and pancreas on the days asked for, (n, V): the sum over doses, each advanced from its day.

    days: (n, V) and dose_days: (n, D) since diagnosis, NaN for no dose; weights: (n, D); homing: (n,). A dose counts
    from the moment after it.
    """
    total = np.zeros((3, *days.shape))
    for dose in range(dose_days.shape[1]):
        since = days - dose_days[:, dose, np.newaxis]
        given = since > 0  # false where there is no dose
        elapsed = np.where(given, since, 0.0)
        b, u, p = (np.exp(-rate * elapsed) for rate in kinetics[:3])
        amount = DOSE * np.where(given, weights[:, dose, np.newaxis], 0.0)
        nothing = np.zeros_like(amount)
        total += advance(amount, nothing, nothing, b, u, p, homing[:, np.newaxis], kinetics)
    return total[0], total[1], total[2]
