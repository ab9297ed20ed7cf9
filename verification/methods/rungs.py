"""How often each lower rung of the ladder would reject by chance if it were always asked.

Each structure is fitted to every trial, with its robust inference and, beside it, what its covariance says if it is
believed; and so are structures with one variance for all visits, which are no rungs.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from equipoise.stats.mmrm import StructureName, contrast, fit_mmrm
from verification.methods import ladder
from verification.methods.gather import Answers, gathered, rejected, share
from verification.methods.tally import Mean, Share
from verification.methods.trials_of_visits import MONTHS, VISITS, Setting, Trial, invented

CHUNK = 250
LOWER: tuple[StructureName, ...] = ("ris", "csh", "toeph", "ar1h")
HOMOGENEOUS: tuple[StructureName, ...] = ("cs", "toep", "ar1")

SETTINGS = {
    Setting("21", 24, "drift", "drop-out-25"): LOWER,
    Setting("21", 24, "slopes", "drop-out-25"): (*LOWER, *HOMOGENEOUS),
}


def analysed(structures: tuple[StructureName, ...], trial: Trial) -> dict[str, float]:
    """By structure and inference p."""
    found: dict[str, float] = {}
    for structure in structures:
        columns = trial.design.columns
        fit = fit_mmrm(trial.y, columns, trial.subject, trial.visit, structure=structure, visits=VISITS, times=MONTHS)
        for method in ("cr2", "satterthwaite"):
            found[f"{structure}/{method}"] = float(contrast(fit, trial.last, method=method).p_value[0])
    return found


def studied(
    setting: Setting, structures: tuple[StructureName, ...], source: np.random.Generator, trials: int
) -> Answers:
    """``analysed``, of a chunk of trials."""
    rows = [analysed(structures, trial) for trial in invented(setting, source, trials)]
    return {label: np.array([row[label] for row in rows]) for label in rows[0]}


def run(trials: int, seed: int) -> dict[str, Share | Mean]:
    """Rejections by setting, structure and inference."""
    found: dict[str, Share | Mean] = {}
    # The seed may be the ladder's own: its settings have the places before these.
    for place, (setting, structures) in enumerate(SETTINGS.items(), start=len(ladder.SETTINGS)):
        answers = gathered(partial(studied, setting, structures), trials, CHUNK, seed, place)
        found |= {f"{ladder.label(setting)}/{name}-rejects": share(rejected(p)) for name, p in answers.items()}
    return found
