"""What a result is called and which way is better, from the protocol and the result alone: no trial is needed."""

from __future__ import annotations

import polars as pl
import pytest

from equipoise.analysis.results import Result, Results
from equipoise.protocol.load import load_protocol
from equipoise.report.forests import forests
from equipoise.report.shown import better, name_of
from equipoise.report.source import ReportSource

PROTOCOL = load_protocol("msc-t1d")
ARMS = ("group-a", "group-b")


def result(
    analysis: str, parameter: str, *, unit: str = "%", variant: str | None = None, estimate: float = 0.5
) -> Result:
    planned = next(item for item in PROTOCOL.analyses if item.id == analysis)
    return Result(
        id=f"{analysis}/{parameter}/period-1/month-12/group-a-v-group-b" + (f"/{variant}" if variant else ""),
        analysis=analysis,
        label=planned.label,
        estimand=planned.estimand,
        estimand_strategy={},
        role=planned.role,
        family=planned.family,
        method=planned.method,
        parameter=parameter,
        unit=unit,
        scale="identity",
        visit="month-12",
        period="period-1",
        analysis_set="randomised",
        contrast="group-a-v-group-b",
        active=ARMS[0],
        reference=ARMS[1],
        variant=variant,
        estimate=estimate,
        lower=estimate - 0.1,
        upper=estimate + 0.1,
        n=dict.fromkeys(ARMS, 10),
    )


def source(*results: Result) -> ReportSource:
    arms = {"digest": "sha256:" + "0" * 64}
    held = Results({"id": "msc-t1d", "digests": []}, arms, arms, {}, None, results, (), (), ())
    return ReportSource(PROTOCOL, held, pl.DataFrame(), pl.DataFrame())


PANEL = tuple(result("cytokines-12-panel", name, unit="normal score") for name in ("ifn-gamma", "il-10"))
HBA1C = (result("hba1c-12", "hba1c"), result("hba1c-12-ancova", "hba1c"))


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (HBA1C[0], "lower"),
        (result("treg-12", "treg-percent"), "higher"),
        (result("remission-12", "idaa1c", unit="share"), "higher"),
        (result("cpeptide-loss-12", "cpeptide-peak", unit="ln hazard ratio"), "lower"),
        (result("grade-3-12", "grade-3-events", unit="share"), "lower"),
        (PANEL[0], "lower"),
        (PANEL[1], "higher"),
        (result("hba1c-12-by-exercise", "hba1c", variant="interaction"), None),
        (result("hba1c-12-by-exercise", "hba1c", variant="with"), "lower"),
        (result("hba1c-12", "height"), None),
    ],
    ids=lambda value: value.id if isinstance(value, Result) else str(value),
)
@pytest.mark.requirement("REPORT-FAVOURS")
def test_the_better_direction_is_the_parameters_own(found: Result, told: str | None) -> None:
    assert better(source(found), found) == told


@pytest.mark.requirement("REPORT-ROWS")
def test_a_result_of_a_panel_is_named_by_its_parameter() -> None:
    of = source(*PANEL, *HBA1C)
    assert [name_of(of, item).partition(":")[0] for item in PANEL] == ["Interferon gamma", "Interleukin 10"]
    assert name_of(of, HBA1C[0]) == "HbA1c at month 12"


@pytest.mark.requirement("REPORT-FAVOURS", "REPORT-ROWS")
def test_each_axis_has_one_outcome_or_one_panel() -> None:
    figures = {figure.id: figure.drawing for figure in forests(source(*PANEL, *HBA1C))}
    assert set(figures) == {"forest-cytokines-12-panel-normal-score", "forest-hba1c"}
    assert (figures["forest-hba1c"].below, figures["forest-hba1c"].above) == (  # type: ignore[union-attr]
        "favours MSC first (early)",
        "favours Placebo first (late)",
    )
    panel = figures["forest-cytokines-12-panel-normal-score"]
    assert (panel.below, panel.above, panel.columns[-1]) == ("", "", "better")  # type: ignore[union-attr]
