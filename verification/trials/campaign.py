"""Run the analyses of a protocol on many simulated trials at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from equipoise.analysis.analyse import prepare
from equipoise.analysis.plan import plan
from equipoise.protocol.load import load_protocol
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials
from verification.trials.bands import Band, Rate

PROTOCOL = "msc-t1d"
CHUNK = 250
LEVEL = 0.05


def rates(bands: Collection[Band], trials: int | None = None) -> Iterator[Rate]:
    """The rejections of every band's analysis; bands that share scenario, seed and size share their trials."""
    groups: dict[tuple[str, int, int], list[Band]] = {}
    for band in bands:
        groups.setdefault((band.scenario, band.seed, trials or band.trials), []).append(band)
    for (scenario, seed, count), members in groups.items():
        p_values = simulated_p_values(scenario, seed, count, [band.analysis for band in members])
        for band in members:
            values = p_values[band.analysis]
            rejected = int((values <= LEVEL).sum())
            yield Rate(band, count, rejected, int(np.isnan(values).sum()))


def simulated_p_values(scenario: str, seed: int, trials: int, analyses: Collection[str]) -> dict[str, np.ndarray]:
    """The p-value of the first estimate of each analysis in every trial, (trials,); NaN where there is none."""
    protocol, nature = load_protocol(PROTOCOL), load_scenario(scenario)
    planned = plan(protocol)
    wanted = [item for item in planned.analyses if item.analysis.id in analyses]
    found: dict[str, list[np.ndarray]] = {item.analysis.id: [] for item in wanted}
    for first in range(0, trials, CHUNK):
        for panel in simulate_trials(protocol, nature, seed, min(CHUNK, trials - first), first):
            data = prepare(planned, panel)
            for item in wanted:
                outcome = item.method.run(data, item.analysis, item.options)
                found[item.analysis.id].append(outcome.estimates[0].values["p_value"])
    return {name: np.concatenate(parts) for name, parts in found.items()}
