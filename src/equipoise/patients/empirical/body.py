"""Height and weight: growth along a person's own percentile, of reference medians rounded from growth charts."""

from __future__ import annotations

import numpy as np

from equipoise.patients.chance import Draw, Floats, normals
from equipoise.patients.parameters import Parameters
from equipoise.patients.population import People

AGES = (4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0)
HEIGHT_MALE = (102.0, 115.0, 128.0, 138.0, 149.0, 163.0, 173.0, 176.0, 177.0)
HEIGHT_FEMALE = (101.0, 115.0, 127.0, 138.0, 151.0, 159.5, 162.5, 163.0, 163.0)
"""cm, medians."""
BMI_AGES = (4.0, 8.0, 12.0, 16.0, 20.0, 30.0, 40.0)
BMI = (15.4, 15.9, 18.0, 20.6, 22.5, 24.0, 25.0)
"""kg/m2, medians."""
YEAR = 365.25


def height(people: People, days: Floats, p: Parameters) -> Floats:
    """cm, (R, n, V); days since screening, (R, n, V)."""
    age = people.age[..., np.newaxis] + days / YEAR
    male, female = np.interp(age, AGES, HEIGHT_MALE), np.interp(age, AGES, HEIGHT_FEMALE)
    median = np.where(people.female[..., np.newaxis], female, male)
    return median * (1 + p["people.height-cv"] * people.height_level[..., np.newaxis])


def weight(people: People, days: Floats, draw: Draw, p: Parameters) -> Floats:
    """kg, (R, n, V)."""
    age = people.age[..., np.newaxis] + days / YEAR
    person = p["people.bmi-log-sd"] * people.weight_level[..., np.newaxis]
    visit = p["people.weight-visit-log-sd"] * normals(draw, "weight-visit", days.shape[-1])
    return np.interp(age, BMI_AGES, BMI) * (height(people, days, p) / 100) ** 2 * np.exp(person + visit)
