"""How often the ladder rejects by chance, whatever rung answers.

The difference at the last of six visits, without effect. The rung is part of the statistic: the rates are those of all
trials, and then apart those of the trials that the first rung answered.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from equipoise.stats.mmrm import RUNGS, climb_down
from verification.methods.gather import Answers, gathered, rejected, share
from verification.methods.tally import Mean, Share
from verification.methods.trials_of_visits import LAST, MONTHS, VISITS, Setting, invented

CHUNK = 250

SETTINGS = (
    Setting("21", 24, "drift", "missing-10"),
    Setting("21", 24, "drift", "drop-out-25"),
    Setting("21", 24, "slopes", "drop-out-25"),
    Setting("16", 24, "drift", "missing-10"),
    Setting("16", 24, "drift", "drop-out-25"),
    Setting("16", 24, "slopes", "drop-out-25"),
)
"""Complete values are the model ``us`` (study mmrm): no other rung is asked."""


def climbed(setting: Setting, source: np.random.Generator, trials: int) -> Answers:
    """The p-value, and the place of the rung that answered, of a chunk of trials."""
    p_values, rungs = np.full(trials, np.nan), np.full(trials, np.nan)
    for number, trial in enumerate(invented(setting, source, trials)):
        columns = trial.design.columns
        answer = climb_down(trial.y, columns, trial.subject, trial.visit, trial.last, LAST, visits=VISITS, times=MONTHS)
        p_values[number], rungs[number] = answer.contrast.p_value[0], RUNGS.index(answer.rung)
    return {"p": p_values, "rung": rungs}


def run(trials: int, seed: int) -> dict[str, Share | Mean]:
    """Rejections by setting, and the share of trials that each rung answers."""
    found: dict[str, Share | Mean] = {}
    for place, setting in enumerate(SETTINGS):
        answers = gathered(partial(climbed, setting), trials, CHUNK, seed, place)
        found |= {f"{label(setting)}/{what}": count for what, count in whole(answers).items()}
    return found


def label(setting: Setting) -> str:
    """The beginning of a setting's ids."""
    return f"{setting.people}/{setting.truth}/{setting.gaps}"


def whole(answers: Answers) -> dict[str, Share]:
    """What the ladder came to in all trials, and apart in those that ``us`` answered and in the others."""
    reject, on_first = rejected(answers["p"]), answers["rung"] == 0
    counted = {
        "rejects": share(reject),
        "rejects-on-us": share(reject[on_first]),
        "rejects-below": share(reject[~on_first]),
    }
    answered = np.where(np.isnan(answers["p"]), -1, answers["rung"])
    return counted | {f"on-{rung}": share(1.0 * (answered == place)) for place, rung in enumerate(RUNGS)}
