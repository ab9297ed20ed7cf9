"""What moved the simulated participants of a trial: the mean course of every state by arm, which no trial knows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from equipoise.patients.chance import Floats
from equipoise.patients.mechanistic.model import Mechanism
from equipoise.protocol.model import Protocol
from equipoise.simulate.scenario import Scenario
from equipoise.simulate.treatment import planned_slots
from equipoise.simulate.trial import Nature, simulate_nature

FILE = "simulated/mechanism.parquet"
STEP = 7
AFTER_A_DOSE = (1, 2, 3, 5, 10)
"""Days after a planned infusion that are looked at besides every seventh."""
SCHEMA = {"arm": pl.String, "day": pl.Int64, "state": pl.String, "mean": pl.Float64, "participants": pl.Int64}
STATES = (
    "effector",
    "regulatory",
    "balance",
    "pro",
    "anti",
    "blood_and_lung",
    "pancreas",
    "mass",
    "dysfunction",
    "cpeptide",
    "glucose",
    "insulin",
    "hba1c",
)


def mechanism_of(protocol: Protocol, scenario: Scenario, seed: int, trial: int = 0) -> pl.DataFrame | None:
    """The table of one trial; None where the scenario's people have no mechanism."""
    return mechanism_table(protocol, simulate_nature(protocol, scenario, seed, 1, trial))


def mechanism_table(protocol: Protocol, nature: Nature) -> pl.DataFrame | None:
    """The same of a trial that has just been simulated.

    Of everybody who was randomised, whether or not they stayed; day is the study day, on each person's own clock.
    """
    if nature.followed.mechanism is None:
        return None
    days = _days(protocol)
    on = np.broadcast_to(days, (*nature.screening_day.shape, days.size)) - nature.screening_day[..., np.newaxis]
    states = nature.followed.mechanism(np.ascontiguousarray(on, dtype=np.float64))
    rows = [row for arm in range(len(protocol.arms)) for row in _rows(protocol, nature, states, days, arm)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _days(protocol: Protocol) -> Floats:
    """Study days from the first dose on, every seventh and those after an infusion, to the last visit."""
    last = protocol.visits[-1].day
    doses = [slot.day for slot in planned_slots(protocol)]
    extra = [day + later for day in doses for later in (0, *AFTER_A_DOSE)]
    return np.array(sorted({*range(-28, last + 1, STEP), *(day for day in extra if day <= last), last}), np.float64)


def _rows(
    protocol: Protocol, nature: Nature, states: Mechanism, days: Floats, arm: int
) -> Iterator[tuple[str, int, str, float, int]]:
    members = (nature.enrolment.arm == arm) & nature.enrolment.present
    number = int(members.sum())
    if not number:
        return
    for name in STATES:
        mean = _state(states, name)[members].mean(axis=0)
        for day, value in zip(days, mean, strict=True):
            yield protocol.arms[arm].id, int(day), name, float(value), number


def _state(states: Mechanism, name: str) -> Floats:
    if name == "balance":
        return states.effector / states.regulatory
    if name == "blood_and_lung":
        return states.blood + states.lung
    return getattr(states, name)
