"""What a trial of this size can show, by the definition of power."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats

from equipoise.analysis.analyse import prepare, run
from equipoise.analysis.plan import plan
from equipoise.analysis.precision import precision_table
from equipoise.protocol.load import load_protocol
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials

pytestmark = pytest.mark.requirement("ANALYSIS-PRECISION")


@pytest.fixture(scope="module")
def found():
    planned = plan(load_protocol("msc-t1d"))
    few = dataclasses.replace(planned, analyses=tuple(item for item in planned.analyses if item.analysis.family))
    panel = next(iter(simulate_trials(planned.protocol, load_scenario("no-effect"), 2, 1)))
    return planned.protocol, run(few, prepare(planned, panel))[0]


def test_each_confirmatory_result_has_a_line_and_the_half_width_of_its_interval(found) -> None:
    protocol, results = found
    table = precision_table(protocol, results)
    assert table is not None
    assert [line[0] for line in table.rows] == [item.id for item in results if item.standard_error is not None]
    for line, item in zip(table.rows, (r for r in results if r.standard_error is not None), strict=True):
        assert line[1] == pytest.approx((item.upper - item.lower) / 2)
        assert line[3] == protocol.estimand(item.estimand).smallest_important


def test_the_detectable_effect_is_found_in_four_of_five_trials(found) -> None:
    """Student's t around an effect of that size exceeds its critical value nearly as often as said."""
    protocol, results = found
    table = precision_table(protocol, results)
    line, item = next((row, r) for row, r in zip(table.rows, results, strict=False) if r.analysis == "hba1c-12")
    away = line[2] / item.standard_error
    critical = stats.t.ppf(0.975, item.df)
    power = stats.nct.sf(critical, item.df, away)
    assert power == pytest.approx(0.8, abs=0.02)


def test_without_a_standard_error_there_is_nothing_to_say(found) -> None:
    protocol, results = found
    assert precision_table(protocol, tuple(dataclasses.replace(item, standard_error=None) for item in results)) is None
    assert precision_table(protocol, tuple(dataclasses.replace(item, family=None) for item in results)) is None
    assert np.isfinite([row[2] for row in precision_table(protocol, results).rows]).all()
