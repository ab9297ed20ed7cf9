"""Adverse events by CTCAE grade, reactions to infusions and to the aspiration, safety laboratory and vital signs.

Background events come at a constant rate with a gamma frailty. After an infusion each kind of reaction happens with its
background odds, in both groups alike; cells multiply the odds by the scenario's odds ratio. One uniform decides, so a
higher odds ratio only adds reactions.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from equipoise.patients.chance import Bools, Draw, Floats, category, normals
from equipoise.patients.empirical.cpeptide import YEAR
from equipoise.patients.events import happenings
from equipoise.patients.parameters import Parameters
from equipoise.patients.population import LABORATORY, VITAL_SIGNS, People


@dataclass(frozen=True, slots=True)
class Term:
    """A kind of adverse event: CTCAE term, its share among events (background), shares of grades 1 to 4, days."""

    text: str
    share: float
    grades: tuple[float, float, float, float]
    typical_days: float


BACKGROUND = (
    Term("Upper respiratory infection", 0.24, (0.50, 0.48, 0.02, 0.0), 6),
    Term("Headache", 0.18, (0.75, 0.23, 0.02, 0.0), 1),
    Term("Gastroenteritis", 0.10, (0.45, 0.47, 0.08, 0.0), 3),
    Term("Fever", 0.09, (0.70, 0.27, 0.03, 0.0), 2),
    Term("Fatigue", 0.08, (0.75, 0.23, 0.02, 0.0), 5),
    Term("Abdominal pain", 0.07, (0.65, 0.30, 0.05, 0.0), 2),
    Term("Nausea", 0.06, (0.75, 0.23, 0.02, 0.0), 1),
    Term("Back pain", 0.05, (0.65, 0.32, 0.03, 0.0), 6),
    Term("Rash acneiform", 0.04, (0.80, 0.20, 0.0, 0.0), 14),
    Term("Dizziness", 0.03, (0.85, 0.15, 0.0, 0.0), 1),
    Term("Fracture", 0.02, (0.0, 0.60, 0.40, 0.0), 40),
    Term("Urinary tract infection", 0.02, (0.0, 0.90, 0.10, 0.0), 5),
    Term("Anxiety", 0.015, (0.55, 0.40, 0.05, 0.0), 20),
    Term("Appendicitis", 0.003, (0.0, 0.0, 0.92, 0.08), 8),
    Term("Ketoacidosis", 0.002, (0.0, 0.0, 0.75, 0.25), 3),
)
"""`assumed`: the minor illnesses of a year in children and young adults. Shares are made to sum to 1."""
REACTIONS = {
    "fever": Term("Fever", 1, (0.75, 0.22, 0.03, 0.0), 1),
    "headache": Term("Headache", 1, (0.80, 0.19, 0.01, 0.0), 1),
    "site": Term("Infusion site extravasation", 1, (0.85, 0.14, 0.01, 0.0), 2),
    "tachycardia": Term("Sinus tachycardia", 1, (0.90, 0.09, 0.01, 0.0), 1),
    "phlebitis": Term("Phlebitis", 1, (0.60, 0.38, 0.02, 0.0), 5),
}
"""`assumed` grades of the kinds of reaction that were reported after infusions of such cells."""
ASPIRATION = {
    "pain": Term("Pain", 1, (0.80, 0.19, 0.01, 0.0), 3),
    "haematoma": Term("Hematoma", 1, (0.90, 0.10, 0.0, 0.0), 6),
}
SERIOUS = Term("Anaphylaxis", 1, (0.0, 0.0, 0.0, 1.0), 1)
"""The serious reaction that a scenario may add after active doses: life-threatening, so of grade 4."""
FEVER_MINUTES = (0.0, 60.0, 120.0, 240.0)
FEVER_SHAPE = (0.0, 0.4, 1.0, 0.8)
BEATS_PER_DEGREE = 9.0
"""Rise of heart rate with temperature, beats/min per degree C."""


@dataclass(frozen=True, slots=True)
class AdverseEvents:
    """Adverse events as rows, ordered by trial, participant and day.

    trial, participant: indices. day: whole days since screening. term: index into `terms`. grade: CTCAE 1 to 4.
    duration: whole days, 1 at least. cause: index into CAUSES.
    """

    trial: NDArray[np.int64]
    participant: NDArray[np.int64]
    day: Floats
    term: NDArray[np.int64]
    grade: NDArray[np.int64]
    duration: Floats
    cause: NDArray[np.int64]
    terms: tuple[str, ...]

    def without(self, texts: Collection[str]) -> AdverseEvents:
        """The events whose term is none of `texts`."""
        if not texts:
            return self
        keep = ~np.isin(self.term, [place for place, text in enumerate(self.terms) if text in texts])
        rows = ("trial", "participant", "day", "term", "grade", "duration", "cause")
        return replace(self, **{name: getattr(self, name)[keep] for name in rows})


CAUSES = ("background", "infusion", "aspiration")
ALL_TERMS = (*BACKGROUND, *REACTIONS.values(), *ASPIRATION.values(), SERIOUS)
TERMS = tuple(term.text for term in ALL_TERMS)


def draw_adverse_events(
    people: People,
    first: Floats,
    last: Floats,
    infusions: Floats,
    active: Bools,
    aspiration: Floats,
    log_odds_ratio: float,
    draw: Draw,
    p: Parameters,
    serious_reaction: float = 0.0,
) -> AdverseEvents:
    """Every adverse event from day `first` to day `last` since screening, (R, n) each.

    infusions: (R, n, doses) days, NaN where none was given; active: whether cells were in it. aspiration: (R, n) days,
    NaN where there was none. log_odds_ratio: of each reaction, cells against saline. serious_reaction: share of the
    active doses after which a serious one comes.
    """
    parts = [
        _background(people, first, last, draw, p),
        _reactions(infusions, active, log_odds_ratio, draw, p),
        _after_aspiration(aspiration, draw, p),
    ]
    if serious_reaction > 0:
        parts.append(_serious_reactions(infusions, active, serious_reaction, draw))
    trial, person, day, term, chance, cause = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    keep = (day >= np.floor(first[trial, person])) & (day <= last[trial, person])
    order = np.lexsort((term, day, person, trial))
    order = order[keep[order]]
    trial, person, day, term, chance, cause = (v[order] for v in (trial, person, day, term, chance, cause))
    grade = _grades(term, chance[:, 0])
    typical = np.array([row.typical_days for row in ALL_TERMS])[term]
    duration = np.maximum(np.ceil(-np.log(chance[:, 1]) * typical), 1.0)
    return AdverseEvents(trial, person, day, term, grade, duration, cause, TERMS)


Columns = tuple[NDArray[np.int64], NDArray[np.int64], Floats, NDArray[np.int64], Floats, NDArray[np.int64]]


def _background(people: People, first: Floats, last: Floats, draw: Draw, p: Parameters) -> Columns:
    """The mark of an event gives its term; what is left of it, spread out again, its grade and its duration."""
    nodes = np.stack([first, np.maximum(last, first)], axis=-1)
    rates = (p["adverse.rate"] * people.adverse_frailty / YEAR)[..., np.newaxis]
    events = happenings(draw, "adverse-events", nodes, rates)
    shares = np.array([term.share for term in BACKGROUND])
    term = category(events.mark, shares)
    edges = np.concatenate([[0.0], np.cumsum(shares / shares.sum())])
    left = _inside((events.mark - edges[term]) / np.diff(edges)[term])
    again = _inside(left * 4096 % 1.0)
    chance = np.stack([left, again], axis=-1)
    return events.trial, events.participant, np.floor(events.day), term, chance, np.zeros(term.size, np.int64)


def _inside(value: Floats) -> Floats:
    return np.clip(value, 1e-12, 1 - 1e-12)


def _reactions(infusions: Floats, active: Bools, log_odds_ratio: float, draw: Draw, p: Parameters) -> Columns:
    doses, kinds = infusions.shape[-1], list(REACTIONS)
    chance = draw("infusion-reactions", doses * len(kinds) * 3).reshape(*infusions.shape, len(kinds), 3)
    background = np.array([p[f"infusion.{kind}"] for kind in kinds])
    odds = background / (1 - background) * np.exp(log_odds_ratio * active[..., np.newaxis])
    happened = (chance[..., 0] < odds / (1 + odds)) & np.isfinite(infusions)[..., np.newaxis]
    trial, person, dose, kind = np.nonzero(happened)
    day = np.floor(infusions[trial, person, dose])
    rest = chance[trial, person, dose, kind, 1:]
    return trial, person, day, len(BACKGROUND) + kind, rest, np.ones(kind.size, np.int64)


def _serious_reactions(infusions: Floats, active: Bools, share: float, draw: Draw) -> Columns:
    chance = draw("serious-reactions", infusions.shape[-1] * 3).reshape(*infusions.shape, 3)
    trial, person, dose = np.nonzero((chance[..., 0] < share) & active & np.isfinite(infusions))
    day, rest = np.floor(infusions[trial, person, dose]), chance[trial, person, dose, 1:]
    term = np.full(trial.size, ALL_TERMS.index(SERIOUS))
    return trial, person, day, term, rest, np.full(trial.size, CAUSES.index("infusion"), np.int64)


def _after_aspiration(aspiration: Floats, draw: Draw, p: Parameters) -> Columns:
    kinds = list(ASPIRATION)
    chance = draw("aspiration-events", len(kinds) * 3).reshape(*aspiration.shape, len(kinds), 3)
    share = np.array([p[f"aspiration.{kind}"] for kind in kinds])
    trial, person, kind = np.nonzero((chance[..., 0] < share) & np.isfinite(aspiration)[..., np.newaxis])
    day, rest = np.floor(aspiration[trial, person]), chance[trial, person, kind, 1:]
    term = len(BACKGROUND) + len(REACTIONS) + kind
    return trial, person, day, term, rest, np.full(kind.size, 2, np.int64)


def _grades(term: NDArray[np.int64], chance: Floats) -> NDArray[np.int64]:
    """Grade 1 to 4 of each event."""
    limits = np.cumsum([row.grades for row in ALL_TERMS], axis=1)[:, :3][term]
    return 1 + (chance[:, np.newaxis] >= limits).sum(axis=1)


def feverish(events: AdverseEvents, infusions: Floats) -> Bools:
    """Whether fever followed each infusion, (R, n, doses)."""
    chosen = (events.cause == 1) & (events.term == len(BACKGROUND) + list(REACTIONS).index("fever"))
    out = np.zeros(infusions.shape, np.bool_)
    trial, person, day = events.trial[chosen], events.participant[chosen], events.day[chosen]
    for dose in range(infusions.shape[-1]):
        hit = np.floor(infusions[trial, person, dose]) == day
        out[trial[hit], person[hit], dose] = True
    return out


def measure_laboratory(people: People, visits: int, draw: Draw, p: Parameters) -> Floats:
    """The safety laboratory, (R, n, V, 5) in the order and units of LABORATORY; positive."""
    middle, person, visit = _normal_range(LABORATORY, "laboratory", p)
    # Women have less haemoglobin and creatinine; children less creatinine.
    female = people.female[..., np.newaxis] * np.array([-1.2, 0.0, 15.0, -3.0, -0.12])
    child = np.minimum(people.age - 18, 0)[..., np.newaxis] * np.array([0.06, -0.06, -4.0, 0.1, 0.028])
    noise = normals(draw, "laboratory-visit", visits * len(LABORATORY)).reshape(*people.shape, visits, len(LABORATORY))
    own = (middle + female + child + person * people.laboratory_level)[..., np.newaxis, :]
    return np.maximum(own + visit * noise, 0.2 * middle)


def measure_vital_signs(
    people: People, visits: int, minutes: Sequence[float], fever: Bools | None, draw: Draw, p: Parameters
) -> Floats:
    """Vital signs, (R, n, V, minutes, 5) in the order and units of VITAL_SIGNS.

    fever: (R, n, V), whether fever follows the infusion that starts at minute 0 of the visit; None for nobody.
    """
    middle, person, visit = _normal_range(VITAL_SIGNS, "vital", p)
    count = len(minutes)
    shape = (*people.shape, visits, count, len(VITAL_SIGNS))
    noise = normals(draw, "vital-signs", visits * count * len(VITAL_SIGNS)).reshape(shape)
    child = np.minimum(people.age - 18, 0)[..., np.newaxis] * np.array([0.0, 1.3, 0.7, -1.2, 0.0])
    own = (middle + child + person * people.vital_level)[..., np.newaxis, np.newaxis, :]
    value = own + visit * noise
    if fever is not None:
        warm = p["vital.fever"] * fever[..., np.newaxis] * np.interp(minutes, FEVER_MINUTES, FEVER_SHAPE)
        value[..., 0] += warm
        value[..., 3] += BEATS_PER_DEGREE * warm
    value[..., 4] = np.minimum(value[..., 4], 100.0)
    return value


def _normal_range(names: Sequence[str], group: str, p: Parameters) -> tuple[Floats, Floats, Floats]:
    """Middle, SD between people and SD within a person of each test."""
    middle = np.array([p[f"{group}.{name}"] for name in names])
    person = np.array([p[f"{group}.{name}-person-sd"] for name in names])
    return middle, person, np.array([p[f"{group}.{name}-visit-sd"] for name in names])
