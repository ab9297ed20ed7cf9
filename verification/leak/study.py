"""Tests 2 and 3 of blinding (STATISTICS): nothing tells the arm in `leak`, nothing but outcomes does elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.from_panel import to_records
from equipoise.records.masked import masked_copy
from equipoise.records.records import Records
from equipoise.records.visibility import view_of
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials
from verification.leak.classifiers import out_of_fold
from verification.leak.features import Rows, allowed, rows_of

TRIALS = 200
SEED = 20261201
DRAWS = 199
SDS = 3.1
PLANTED_SD, PLANTED_SEEDS, PLANTED_FOUND = 0.3, 10, 9
BOOTSTRAP, LEVEL, MOST = 20_000, 0.999, 0.03
MARKS = {"lots": "lots=0", "dose-volume": "volume=0", "event-text": "text=false"}
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Statistical:
    """Test 2: the statistic, the null's mean and SD, the bar, and in how many seeds a planted column was found."""

    role: str
    columns: int
    logistic: float
    boosted: float
    mean: float
    sd: float
    planted_found: int

    @property
    def statistic(self) -> float:
        return max(self.logistic, self.boosted)

    @property
    def bar(self) -> float:
        return self.mean + SDS * self.sd

    @property
    def ok(self) -> bool:
        return self.statistic <= self.bar and self.planted_found >= PLANTED_FOUND


@dataclass(frozen=True, slots=True)
class Conditional:
    """Test 3: the AUC with everything and with the allowed columns alone, and the interval of the difference."""

    scenario: str
    role: str
    everything: float
    allowed: float
    lower: float
    upper: float

    @property
    def ok(self) -> bool:
        return self.lower <= 0 and self.upper < MOST


def given(protocol: Protocol, scenario: str, role: str, trials: int) -> Iterator[tuple[Records, Mapping[str, int]]]:
    """What a role gets of each trial, and who was truly in which arm."""
    view = view_of(protocol, role)
    hidden = {item.hides for item in view.items}
    changes = [f"scenario.marks.{mark}" for hides, mark in MARKS.items() if scenario == "leak" and hides not in hidden]
    codes = {arm.id: index for index, arm in enumerate(protocol.arms)}
    for panel in simulate_trials(protocol, load_scenario(scenario, changes), SEED, trials):
        for number in range(panel.trials):
            records, allocation = to_records(panel, number)
            yield masked_copy(records, view.lacks), {person: codes[arm] for person, arm in allocation.arms.items()}


def role_rows(scenario: str, role: str, trials: int = TRIALS) -> Rows:
    """One row a person of everything that the role gets."""
    return rows_of(given(load_protocol("msc-t1d"), scenario, role, trials))


def redrawn(rows: Rows, draws: int, seed: int) -> NDArray[np.float32]:
    """The true arms, then re-draws within trials; (people, 1 + draws)."""
    random = np.random.default_rng(seed)
    labels = np.repeat(rows.arm[:, np.newaxis].astype(np.float32), draws + 1, axis=1)
    for number in np.unique(rows.trial):
        mine = np.flatnonzero(rows.trial == number)
        labels[mine, 1:] = random.permuted(labels[mine, 1:], axis=0)
    return labels


def statistical(rows: Rows, role: str, draws: int = DRAWS) -> Statistical:
    """The larger mean AUC of the two classifiers against re-draws of the arms, and with a planted column.

    The column differs between the arms by .3 SD, and is given to the true arms beside all others, in ten seeds.
    """
    labels = redrawn(rows, draws, SEED)
    truth = np.repeat(labels[:, :1], PLANTED_SEEDS, axis=1)
    own = np.zeros((len(labels), labels.shape[1] + PLANTED_SEEDS), np.float32)
    for seed in range(PLANTED_SEEDS):
        noise = np.random.default_rng([SEED, seed]).normal(size=len(labels)) + PLANTED_SD * rows.arm
        own[:, labels.shape[1] + seed] = (noise - noise.mean()) / noise.std()
    found = [auc.mean(axis=0) for auc in out_of_fold(rows.values, np.hstack([labels, truth]), rows.trial, own)]
    largest = np.maximum(*found)
    null, planted = largest[1 : draws + 1], largest[draws + 1 :]
    mean, sd = float(null.mean()), float(null.std(ddof=1))
    seen = int((planted > mean + SDS * sd).sum())
    return Statistical(role, rows.values.shape[1], float(found[0][0]), float(found[1][0]), mean, sd, seen)


def conditional(rows: Rows, scenario: str, role: str) -> Conditional:
    """What is told beyond the allowed columns: the difference of the better classifier's AUC, over trials."""
    labels = rows.arm[:, np.newaxis].astype(np.float32)
    columns = allowed(load_protocol("msc-t1d"), rows.names)
    every, some = (
        max((auc[:, 0] for auc in out_of_fold(values, labels, rows.trial)), key=lambda auc: auc.mean())
        for values in (rows.values, rows.values[:, columns])
    )
    random = np.random.default_rng(SEED)
    chosen = random.integers(len(every), size=(BOOTSTRAP, len(every)))
    means = (every - some)[chosen].mean(axis=1)
    lower, upper = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Conditional(scenario, role, float(every.mean()), float(some.mean()), float(lower), float(upper))
