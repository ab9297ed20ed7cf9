"""Run the analyses of a protocol on many simulated trials at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from equipoise.analysis.analyse import prepare
from equipoise.analysis.claims import claim_results
from equipoise.analysis.data import AnalysisData
from equipoise.analysis.estimates import result_of
from equipoise.analysis.multiplicity import with_adjusted
from equipoise.analysis.plan import PlannedAnalysis, plan
from equipoise.protocol.load import load_protocol
from equipoise.simulate.scenario import Scenario, load_scenario
from equipoise.simulate.trial import simulate_trials
from verification.trials.bands import Band, Rate
from verification.trials.truth import read_truths

PROTOCOL = "msc-t1d"
CHUNK = 250
LEVEL = 0.05
CLAIMS = "claims"
"""In the place of an analysis: whether any claim of the protocol is called supported."""


def rates(bands: Collection[Band], trials: int | None = None) -> Iterator[Rate]:
    """The rate of every band's analysis; bands that share scenario, seed and size share their trials."""
    groups: dict[tuple[str, tuple[str, ...], int, int], list[Band]] = {}
    for band in bands:
        groups.setdefault((band.scenario, band.changes, band.seed, trials or band.trials), []).append(band)
    true, _ = read_truths()
    for (scenario, changes, seed, count), members in groups.items():
        found = simulated(load_scenario(scenario, changes), seed, count, [band.analysis for band in members])
        for band in members:
            p_values, lower, upper = found[band.analysis]
            if band.measure == "covers":
                value = true[band.analysis].value
                hits = (lower <= value) & (value <= upper)
            else:
                hits = p_values <= LEVEL  # a trial with a supported claim stands there as 0, else as 1
            yield Rate(band, count, int(hits.sum()), int(np.isnan(p_values).sum()))


def supported(data: AnalysisData, confirmatory: Collection[PlannedAnalysis]) -> np.ndarray:
    """Whether each trial calls any claim supported, (R,); what is in no family can support none."""
    protocol = data.protocol
    estimates = [(i.analysis, i.method.run(data, i.analysis, i.options).estimates[0]) for i in confirmatory]
    found = np.zeros(data.panel.trials, np.bool_)
    for trial in range(data.panel.trials):
        results = tuple(result_of(estimate, data, analysis, trial) for analysis, estimate in estimates)
        claims = claim_results(protocol, with_adjusted(protocol, results), ())
        found[trial] = any(claim.verdict == "supported" for claim in claims)
    return found


def simulated(nature: Scenario, seed: int, trials: int, analyses: Collection[str]) -> dict[str, np.ndarray]:
    """p-value, lower and upper end of the first estimate of each analysis, (3, trials); NaN where there is none."""
    protocol = load_protocol(PROTOCOL)
    planned = plan(protocol)
    wanted = [item for item in planned.analyses if item.analysis.id in analyses]
    confirmatory = [item for item in planned.analyses if item.analysis.family is not None]
    found: dict[str, list[np.ndarray]] = {item.analysis.id: [] for item in wanted}
    if CLAIMS in analyses:
        found[CLAIMS] = []
    for first in range(0, trials, CHUNK):
        for panel in simulate_trials(protocol, nature, seed, min(CHUNK, trials - first), first):
            data = prepare(planned, panel)
            for item in wanted:
                values = item.method.run(data, item.analysis, item.options).estimates[0].values
                found[item.analysis.id].append(np.stack([values[name] for name in ("p_value", "lower", "upper")]))
            if CLAIMS in analyses:
                found[CLAIMS].append(np.tile(np.where(supported(data, confirmatory), 0.0, 1.0), (3, 1)))
    return {name: np.concatenate(parts, axis=1) for name, parts in found.items()}
