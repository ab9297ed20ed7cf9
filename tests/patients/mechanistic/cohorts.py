"""People, infusions and days for the proofs of the mechanistic model."""

from __future__ import annotations

import numpy as np

from equipoise.patients.chance import Floats
from equipoise.patients.effects import Exposure
from equipoise.patients.mechanistic.links import LINK_RANGES, Links
from equipoise.patients.mechanistic.model import Engine, Mechanism, simulate_mechanism
from equipoise.patients.mechanistic.people import mechanistic_parameters
from equipoise.patients.parameters import Parameters
from equipoise.patients.population import People, draw_people
from equipoise.simulate.streams import Streams

P = mechanistic_parameters()
VISITS = (0.0, 28.0, 30.0, 56.0, 58.0, 118.0, 208.0, 393.0, 758.0)
"""Days since screening: screening, first dose and 48 h after it, the second and 48 h, months 3, 6, 12 and 24."""
DOSES = (28.0, 56.0)
HIGHEST = {name: row.high for name, row in LINK_RANGES.items()}
MIDDLE = Links(immunomodulation=1.0, regulatory_expansion=0.005, cytokine_shift=0.1, regeneration=0.001)


def cohort(count: int, seed: int = 1, parameters: Parameters = P) -> tuple[Streams, People]:
    draw = Streams(seed, 1, count)
    return draw, draw_people(draw, parameters)


def given(people: People, days: tuple[float, ...] = DOSES, weight: float = 0.5) -> Exposure:
    """Everybody is infused on these days since screening; a weight of 0 is saline."""
    day = np.broadcast_to(np.array(days), (*people.shape, len(days))).copy()
    return Exposure(day, np.full(day.shape, weight), np.ones(people.shape))


def asked(people: People, days: tuple[float, ...] | Floats = VISITS) -> Floats:
    """The same days for everybody, (R, n, V)."""
    return np.broadcast_to(np.asarray(days), (*people.shape, len(days))).copy()


def course(
    people: People,
    exposure: Exposure,
    links: Links,
    days: tuple[float, ...] | Floats = VISITS,
    parameters: Parameters = P,
    engine: Engine = "plain",
    halvings: int = 0,
) -> Mechanism:
    return simulate_mechanism(people, asked(people, days), exposure, links, parameters, engine, halvings)


def states(mechanism: Mechanism) -> dict[str, Floats]:
    """Every quantity of the mechanism by name, without the days."""
    return {name: getattr(mechanism, name) for name in Mechanism.__slots__ if name != "days"}
