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
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials
from verification.trials.bands import Band, Rate

PROTOCOL = "msc-t1d"
CHUNK = 250
LEVEL = 0.05
CLAIMS = "claims"
"""In the place of an analysis: whether any claim of the protocol is called supported."""


def rates(bands: Collection[Band], trials: int | None = None) -> Iterator[Rate]:
    """The rejections of every band's analysis; bands that share scenario, seed and size share their trials."""
    groups: dict[tuple[str, int, int], list[Band]] = {}
    for band in bands:
        groups.setdefault((band.scenario, band.seed, trials or band.trials), []).append(band)
    for (scenario, seed, count), members in groups.items():
        p_values = simulated_p_values(scenario, seed, count, [band.analysis for band in members])
        for band in members:
            values = p_values[band.analysis]
            rejected = int((values <= LEVEL).sum())  # a trial with a supported claim stands there as 0, else as 1
            yield Rate(band, count, rejected, int(np.isnan(values).sum()))


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


def simulated_p_values(scenario: str, seed: int, trials: int, analyses: Collection[str]) -> dict[str, np.ndarray]:
    """The p-value of the first estimate of each analysis in every trial, (trials,); NaN where there is none."""
    protocol, nature = load_protocol(PROTOCOL), load_scenario(scenario)
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
                outcome = item.method.run(data, item.analysis, item.options)
                found[item.analysis.id].append(outcome.estimates[0].values["p_value"])
            if CLAIMS in analyses:
                found[CLAIMS].append(np.where(supported(data, confirmatory), 0.0, 1.0))
    return {name: np.concatenate(parts) for name, parts in found.items()}
