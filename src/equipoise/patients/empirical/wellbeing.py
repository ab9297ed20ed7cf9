"""Quality of life: one latent score a person and visit, and the answers to any list of items that follow from it.

The score is standard normal in the untreated, higher is better. The latent value of an item is
loading * score + sqrt(1 - loading^2) * e; location + spread * value goes through the normal distribution function to a
position between the worst answer and the best, and the position is cut into equal steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.patients.chance import Draw, Floats, normal_share, normals
from equipoise.patients.parameters import Parameters
from equipoise.patients.population import People


@dataclass(frozen=True, slots=True)
class Item:
    """One question: its lowest and highest answer, and whether the highest is the best."""

    lowest: int
    highest: int
    higher_is_better: bool


def visit_wellbeing(people: People, shift: Floats, draw: Draw, p: Parameters) -> Floats:
    """The latent score at each visit, (R, n, V); shift: what treatment adds, in SDs."""
    share = p["wellbeing.person-share"]
    person = np.sqrt(share) * people.wellbeing_level[..., np.newaxis]
    return person + np.sqrt(1 - share) * normals(draw, "wellbeing-visit", shift.shape[-1]) + shift


def answer_items(score: Floats, items: Sequence[Item], purpose: str, draw: Draw, p: Parameters) -> NDArray[np.int16]:
    """The answers, (R, n, V, items), each within its item's range. `purpose` names the questionnaire."""
    own = normals(draw, f"answers-{purpose}", score.shape[-1] * len(items)).reshape(*score.shape, len(items))
    loading = p["wellbeing.item-loading"]
    value = loading * score[..., np.newaxis] + np.sqrt(1 - loading**2) * own
    position = normal_share(p["wellbeing.item-location"] + p["wellbeing.item-spread"] * value)
    lowest = np.array([item.lowest for item in items])
    steps = np.array([item.highest - item.lowest for item in items])
    better = np.array([item.higher_is_better for item in items])
    step = np.minimum((position * (steps + 1)).astype(np.int64), steps)
    return (lowest + np.where(better, step, steps - step)).astype(np.int16)
