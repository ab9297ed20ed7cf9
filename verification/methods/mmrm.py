"""How often the unstructured repeated-measures model rejects by chance, by its reference distribution.

The difference at the last of six visits, without effect; a rate is that of the trials in which the model answers, and
those in which it does not are counted by what their status says.
"""

from __future__ import annotations

from functools import partial
from itertools import product

import numpy as np
from scipy.special import ndtr

from equipoise.stats.mmrm import contrast, fit_mmrm
from equipoise.stats.mmrm.contrasts import Method
from equipoise.stats.status import Status
from verification.methods.gather import Answers, Floats, gathered, mean, rejected, share
from verification.methods.tally import Mean, Share
from verification.methods.trials_of_visits import SIZES, VISITS, Setting, Trial, invented

CHUNK = 250
METHODS: tuple[Method, ...] = ("kenward-roger-linear", "kenward-roger", "satterthwaite", "residual")
FAILURES = (Status.TOO_FEW_PAIRS, Status.NEAR_SINGULAR, Status.UNBOUNDED_LIKELIHOOD, Status.NOT_CONVERGED)
"""Why this model gives no answer; any other status is counted as "another"."""

SETTINGS = tuple(
    Setting(people, effects, "drift", gaps)
    for people, effects, gaps in product(SIZES, (24, 13), ("complete", "missing-10", "drop-out-25"))
)


def analysed(trial: Trial) -> dict[str, float]:
    """By method p, the estimate with the default's standard error, and the status of one trial."""
    fit = fit_mmrm(trial.y, trial.design.columns, trial.subject, trial.visit, visits=VISITS)
    found = {method: contrast(fit, trial.last, method=method) for method in METHODS}
    default, model = found["kenward-roger-linear"], found["satterthwaite"]
    answers = {method: float(result.p_value[0]) for method, result in found.items()}
    answers["normal"] = float(2 * ndtr(-abs(model.statistic[0])))
    answers |= {"estimate": float(default.estimate[0]), "se": float(default.standard_error[0])}
    return answers | {"status": float(fit.status)}


def studied(setting: Setting, source: np.random.Generator, trials: int) -> Answers:
    """``analysed``, of a chunk of trials."""
    rows = [analysed(trial) for trial in invented(setting, source, trials)]
    return {label: np.array([row[label] for row in rows]) for label in rows[0]}


def run(trials: int, seed: int) -> dict[str, Share | Mean]:
    """Rejections, bias, standard errors and failures by setting."""
    found: dict[str, Share | Mean] = {}
    for place, setting in enumerate(SETTINGS):
        answers = gathered(partial(studied, setting), trials, CHUNK, seed, place)
        counted = {f"{name}-rejects": share(rejected(answers[name])) for name in (*METHODS, "normal")}
        counted |= {"bias": mean(answers["estimate"]), "se-over-sd": spread(answers["se"], answers["estimate"])}
        counted["no-answer"] = share(1.0 * (answers["status"] != Status.OK))
        if setting.gaps != "complete":
            counted |= reasons(answers["status"])
        label = f"{setting.people}/{setting.effects}/{setting.gaps}"
        found |= {f"{label}/{what}": count for what, count in counted.items()}
    return found


def reasons(status: Floats) -> dict[str, Share]:
    """The share of trials without an answer, by status."""
    named = {word(one): status == one for one in FAILURES}
    named["another"] = ~np.isin(status, [Status.OK, *FAILURES])
    return {f"no-answer/{name}": share(1.0 * failed) for name, failed in named.items()}


def word(status: Status) -> str:
    """A status as a part of an id."""
    return status.name.lower().replace("_", "-")


def spread(errors: Floats, estimates: Floats) -> Mean:
    """The mean standard error over the standard deviation of the estimates; its own error by the delta method."""
    there = ~np.isnan(errors)
    n, scale = int(there.sum()), float(errors[there].mean())
    away = estimates[there] - estimates[there].mean()
    variance = float((away**2).sum()) / (n - 1)
    # Each trial's part in log(mean) - log(sd).
    parts = errors[there] / scale - 0.5 * away**2 / variance
    ratio = scale / variance**0.5
    return Mean(ratio, ratio * float(parts.std(ddof=1)) / n**0.5, len(errors) - n)
