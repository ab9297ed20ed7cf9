"""Intercurrent events that simulated people can have: which, and when."""

from __future__ import annotations

import numpy as np

from equipoise.patients.chance import Floats

YEAR = 365.25
MEDICINES = {
    "glucose-technology": "Automated insulin delivery",
    "other-immunotherapy": "Other immunotherapy",
    "systemic-steroids": "Systemic corticosteroid",
    "sglt2-glp1": "SGLT2 inhibitor",
}
"""Intercurrent events that are recorded as concomitant medication."""
PREGNANCY = "pregnancy"
PREGNANCY_AGES = (16, 46)


def first_time(uniform: Floats, yearly: float) -> Floats:
    """The study day of the first event at a constant hazard that reaches `yearly` of all within a year."""
    if yearly <= 0:
        return np.full(uniform.shape, np.inf)
    if yearly >= 1:
        return np.ones(uniform.shape)
    return np.floor(np.log1p(-uniform) / np.log1p(-yearly) * YEAR) + 1
