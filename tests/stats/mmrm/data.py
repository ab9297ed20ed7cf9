"""Data of the tests: what the reference programs were given, and random small trials."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, replace

import numpy as np

from tests.stats.reference import numbers, rows


@dataclass(frozen=True)
class Data:
    """N values: y, NaN where missing; X (N, p); subject and visit codes; arm and baseline."""

    y: np.ndarray
    X: np.ndarray
    subject: np.ndarray
    visit: np.ndarray
    arm: np.ndarray
    baseline: np.ndarray
    weights: np.ndarray | None = None

    @property
    def args(self):
        return self.y, self.X, self.subject, self.visit

    @property
    def seen(self):
        return ~np.isnan(self.y)

    def only(self, kept):
        pick = {name: getattr(self, name)[kept] for name in ("y", "X", "subject", "visit", "arm", "baseline")}
        return Data(**pick)

    def with_(self, **changes):
        return replace(self, **changes)


def read(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def stored(folder, name):
    return json.loads((folder / name).read_text())


def codes(words):
    return np.unique(words, return_inverse=True)[1]


def by_visit(visit, arm, *columns):
    """R's treatment contrasts of the columns, the arm, the visits and their products."""
    here = (visit[:, None] == np.arange(1, visit.max() + 1)).astype(float)
    return np.column_stack([np.ones(len(visit)), *columns, arm, here, here * arm[:, None]])


def fev(folder):
    """FEV1 ~ RACE + SEX + ARMCD * AVISIT of the mmrm package's data."""
    lines = read(folder / "fev_data.csv")
    visit = np.array([int(line["VISITN"]) - 1 for line in lines])
    arm = np.array([float(line["ARMCD"] == "TRT") for line in lines])
    race = [line["RACE"] for line in lines]
    black, white = (np.array([float(word == name) for word in race]) for name in ("Black or African American", "White"))
    female = np.array([float(line["SEX"] == "Female") for line in lines])
    y = np.array([np.nan if line["FEV1"] == "NA" else float(line["FEV1"]) for line in lines])
    weights = np.array([float(line["WEIGHT"]) for line in lines])
    X = by_visit(visit, arm, black, white, female)
    return Data(y, X, codes([line["USUBJID"] for line in lines]), visit, arm, black, weights)


def small_trials(folder):
    """y ~ base + arm * visit of the twenty small trials, number to data."""
    lines = read(folder / "small_trials.csv")
    found = {}
    for number in range(1, 21):
        own = [line for line in lines if line["sim"] == str(number)]
        visit = np.array([int(line["visit"][1:]) - 1 for line in own])
        arm = np.array([float(line["arm"] == "MSC") for line in own])
        base = np.array([float(line["base"]) for line in own])
        y = np.array([np.nan if line["y"] == "NA" else float(line["y"]) for line in own])
        found[number] = Data(y, by_visit(visit, arm, base), codes([line["id"] for line in own]), visit, arm, base)
    return found


def invented(case):
    """A trial of reference/mmrm; its design stays to be made."""
    words = rows("mmrm", case)
    visit = np.array([int(word) - 1 for word in words["visit"]])
    arm = np.array([int(word == "active") for word in words["arm"]])
    baseline = numbers(words["baseline"])[0]
    return Data(numbers(words["outcome"])[0], np.zeros((0, 0)), codes(words["person"]), visit, arm, baseline)


def random_trial(seed, people=21, visits=6, missing=0.08, effect=0.0):
    """A trial with correlated visits; its arms alternate, and its design is visits, arm by visit, baseline."""
    source = np.random.default_rng(seed)
    subject, visit = np.repeat(np.arange(people), visits), np.tile(np.arange(visits), people)
    apart = np.abs(np.subtract.outer(np.arange(visits), np.arange(visits)))
    spread = np.linspace(0.8, 1.3, visits)
    root = np.linalg.cholesky(0.6 * 0.8**apart * np.outer(spread, spread))
    arm, base = np.arange(people) % 2, source.normal(7.5, 1.2, people)
    y = 0.4 * (base - 7.5) + effect * arm + root @ source.normal(size=(visits, people))
    y[source.random(y.shape) < missing] = np.nan
    here = np.eye(visits)[visit]
    X = np.column_stack([here, here * arm[subject][:, None], base[subject]])
    return Data(y.T.ravel(), X, subject, visit, arm[subject], base[subject])
