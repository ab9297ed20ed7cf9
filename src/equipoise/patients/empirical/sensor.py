"""The summary of a fortnight with a glucose sensor.

Glucose is taken as log-normal about the mean of the ADAG line, with the person's coefficient of variation. At an HbA1c
of 7.4 % and a CV of 41 % that puts 64 % of the time into 70 to 180 mg/dL and 2 % below 70, as in newly diagnosed
children.
"""

from __future__ import annotations

import numpy as np

from equipoise.patients.chance import Draw, Floats, normal_share, normals
from equipoise.patients.parameters import Parameters

SUMMARY = (
    "time-in-range",
    "time-below-70",
    "time-below-54",
    "time-above-180",
    "time-above-250",
    "mean-glucose",
    "variation",
    "wear",
)
LIMITS = (54.0, 70.0, 180.0, 250.0)


def sensor_summary(mean_glucose: Floats, draw: Draw, p: Parameters, more: Floats | float = 0.0) -> Floats:
    """The summary at each visit, (R, n, V, 8) in the order of SUMMARY: %, but mean-glucose in mg/dL.

    mean_glucose: mg/dL, (R, n, V). more: points added to the coefficient of variation, in %.
    """
    block = normals(draw, "sensor", mean_glucose.shape[-1] * 3).reshape(*mean_glucose.shape, 3)
    mean = np.clip(mean_glucose + p["sensor.mean-sd"] * block[..., 0], 75.0, 390.0)
    variation = np.clip(p["sensor.cv-mean"] + p["sensor.cv-sd"] * block[..., 1] + more, 20.0, 65.0)
    sigma = np.sqrt(np.log1p((variation / 100) ** 2))
    centre = np.log(mean) - sigma**2 / 2
    below = 100 * normal_share((np.log(LIMITS) - centre[..., np.newaxis]) / sigma[..., np.newaxis])
    wear = 100 * normal_share(p["sensor.wear-location"] + p["sensor.wear-spread"] * block[..., 2])
    in_range = below[..., 2] - below[..., 1]
    above = 100 - below[..., 2:]
    columns = [in_range, below[..., 1], below[..., 0], above[..., 0], above[..., 1], mean, variation, wear]
    return np.stack(columns, axis=-1)
