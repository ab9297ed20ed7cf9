"""How a scenario lets hidden records of active infusions differ from those of placebo, to test that nobody sees them.

In nature nothing here happens: lots, volumes and words are made to be alike. Nothing is drawn: a marked trial has the
same people, visits, infusions and visible values as the one without marks.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.patients.chance import Bools
from equipoise.records.panel import Rows
from equipoise.simulate.occurrences import Part
from equipoise.simulate.scenario_schema import Marks
from equipoise.simulate.treatment import GIVEN, NOT_REACHED, Treatment

WORDS = " after the cells"
MINUTES = 40.0
"""Minutes by which an infusion is longer for each share by which its volume is greater."""


def marked_events(part: Part, treatment: Treatment, marks: Marks) -> Part:
    """Events from the first active infusion on, whose text and outcome name the product."""
    if not marks.text:
        return part
    trial, person, columns = part
    given = np.where(treatment.given & treatment.active, treatment.day, np.inf)
    told = np.asarray(columns["start_day"]) >= given.min(axis=-1, initial=np.inf)[trial, person]
    named = {name: _with_words(columns[name], told) for name in ("term", "outcome") if name in columns}
    return trial, person, {**columns, **named}


def marked_infusions(part: Part, treatment: Treatment, marks: Marks) -> Part:
    """Study infusions as `infusion_rows` makes them: volume, duration, and the reason for one that was not given."""
    trial, person, columns = part
    _, _, slot = np.nonzero(treatment.outcome != NOT_REACHED)
    active = treatment.active[trial, person, slot]
    volume, minutes = (np.asarray(columns[name], np.float64) for name in ("volume_ml", "minutes"))
    changed: dict[str, NDArray[Any]] = {
        "volume_ml": np.where(active, np.round(volume * (1 + marks.volume)), volume),
        "minutes": np.where(active, minutes + np.round(MINUTES * marks.volume), minutes),
    }
    if marks.text:
        missed = active & (treatment.outcome[trial, person, slot] != GIVEN)
        changed["reason"] = _with_words(columns["reason"], missed)
    return trial, person, {**columns, **changed}


def marked_lots(rows: Rows, treatment: Treatment, marks: Marks) -> Rows:
    """Release tests as `lot_rows` makes them; of active infusions higher, a day earlier, and without the last test."""
    if not marks.lots or not rows.columns:
        return rows
    slot = np.array([int(lot.rsplit("-", 1)[1]) - 1 for lot in rows.columns["lot"]], np.int64)
    active = treatment.active[rows.trial, rows.participant, slot]
    value = np.asarray(rows.columns["value"], np.float64)
    higher = np.where(active, np.round(value * (1 + marks.lots), 2), value)
    texts = np.array([f"{number:.10g}" for number in higher], np.str_)
    original = np.where(active & ~np.isnan(value), texts, rows.columns["original"])
    day = np.asarray(rows.columns["day"], np.float64) - active
    keep = ~(active & (rows.columns["test"] == max(rows.columns["test"])))
    columns = {**rows.columns, "value": higher, "original": original, "day": day}
    kept = {name: np.asarray(column)[keep] for name, column in columns.items()}
    return Rows(rows.trial[keep], rows.participant[keep], MappingProxyType(kept))


def _with_words(texts: NDArray[Any], told: Bools) -> NDArray[np.str_]:
    words = np.asarray(texts).astype(np.str_)
    return np.where(told & (words != ""), np.char.add(words, WORDS), words) if words.size else words
