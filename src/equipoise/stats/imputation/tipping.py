"""The tipping grid: how much worse or better the imputed values would have to be for the conclusion to change.

Every imputed value of an arm at the visit is shifted by that arm's delta, and the analysis is repeated with its
jackknife over a grid of one delta per arm. The estimate is linear in the deltas, so a grid costs no refit. O'Kelly &
Ratitch, Clinical Trials with Missing Data, 2014; Cro, Morris, Kenward & Carpenter, Stat Med 2020;39:2815.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.stats.arrays import Flags, Floats
from equipoise.stats.imputation.conditional_mean import jackknife_error, leave_one_out_effects
from equipoise.stats.imputation.effect import NORMAL_DF, Distribution, carried_at, degrees_of_freedom
from equipoise.stats.imputation.normal_model import Likelihood
from equipoise.stats.imputation.people import RepeatedMeasures
from equipoise.stats.status import Status
from equipoise.stats.student import infer

SAME = 1e-9
"""Two pairs of deltas this near in size are as far from none, and the first is named."""


@dataclass(frozen=True, slots=True)
class TippingGrid:
    """The effect for G deltas of the reference arm (rows) by H of the active arm (columns); NaN where the status says.

    deltas_reference: (G,), deltas_active: (H,), in the outcome's unit. estimate, standard_error, lower, upper,
    p_value: (G, H), p two-sided. tipped: (G, H) whether the verdict differs from that without deltas.
    verdict: without deltas: 1 or -1, the sign of an effect whose interval excludes 0, or 0.
    nearest: the tipped pair (reference, active) with the smallest √(d² + d²); None says that none within range tips.
    carried_reference, carried_active: people whose imputed value carries the delta.
    """

    deltas_reference: Floats
    deltas_active: Floats
    estimate: Floats
    standard_error: Floats
    lower: Floats
    upper: Floats
    p_value: Floats
    tipped: Flags
    verdict: int
    nearest: tuple[float, float] | None
    carried_reference: int
    carried_active: int
    status: Status

    @property
    def answer(self) -> str:
        """The grid in one sentence, with the number of people who carry it; an arm without any has no shift."""
        if self.status != Status.OK:
            return self.status.text
        carried = (
            f"{self.carried_active} imputed values in the active arm and {self.carried_reference} in the reference"
        )
        if self.nearest is None:
            return f"none within range ({carried})"
        reference, active = self.nearest
        moved = [f"{active:+g} in the active arm"] if self.carried_active else []
        moved += [f"{reference:+g} in the reference"] if self.carried_reference else []
        return f"tips at {' and '.join(moved)} ({carried})"


def tipping_grid(
    people: RepeatedMeasures,
    deltas_reference: Floats,
    deltas_active: Floats,
    *,
    active: int = 1,
    visit: int = -1,
    likelihood: Likelihood = "restricted",
    distribution: Distribution = "normal",
    level: float = 0.95,
) -> TippingGrid:
    """Repeat the conditional-mean analysis for every pair of deltas; the strategy stays that of ``people``.

    ValueError: a range that is empty, not one-dimensional or not finite; else as for ``conditional_mean_effect``.
    """
    rows, columns = _range(deltas_reference), _range(deltas_active)
    found = leave_one_out_effects(people, active=active, visit=visit, likelihood=likelihood)
    moved = (found.slopes[:, people.reference, None] * rows)[:, :, None]
    moved = moved + (found.slopes[:, active, None] * columns)[:, None, :]
    df = min(degrees_of_freedom(distribution, found.df), NORMAL_DF)
    grid = np.moveaxis(found.estimates[:, None, None] + moved, 0, -1)
    testable = found.status == Status.OK
    estimate, error = grid[..., 0], jackknife_error(grid[..., 1:])
    lower, upper, p_value = _inferred(estimate, error, df, level, testable=testable)
    plain = found.estimates[:1], jackknife_error(found.estimates[1:])[None]
    verdict = int(_verdicts(*_inferred(*plain, df, level, testable=testable)[:2])[0])
    tipped = np.asarray(_verdicts(lower, upper) != verdict) & testable
    carried = carried_at(people, visit)
    return TippingGrid(
        deltas_reference=rows,
        deltas_active=columns,
        estimate=estimate,
        standard_error=error if testable else np.full_like(error, np.nan),
        lower=lower,
        upper=upper,
        p_value=p_value,
        tipped=tipped,
        verdict=verdict,
        nearest=_nearest(rows, columns, tipped),
        carried_reference=int(carried[people.reference]),
        carried_active=int(carried[active]),
        status=found.status,
    )


def _range(deltas: Floats) -> Floats:
    values = np.asarray(deltas, np.float64)
    if values.ndim != 1 or not values.size or not np.isfinite(values).all():
        raise ValueError("deltas are a range of finite numbers")
    return values


def _inferred(
    estimate: Floats, error: Floats, df: float, level: float, *, testable: bool
) -> tuple[Floats, Floats, Floats]:
    """Limits and p-values of one shape, NaN where nothing can be tested."""
    tests = np.full(estimate.shape, testable) & (error > 0)
    found = infer(estimate, error, np.full(estimate.shape, df), tests, level=level)
    return found.lower, found.upper, found.p_value


def _verdicts(lower: Floats, upper: Floats) -> Floats:
    """1 or -1 where the interval lies on one side of 0, else 0."""
    return np.where(lower > 0, 1.0, np.where(upper < 0, -1.0, 0.0))


def _nearest(rows: Floats, columns: Floats, tipped: Flags) -> tuple[float, float] | None:
    """The tipped pair nearest to no delta at all; of several the first, by row."""
    if not tipped.any():
        return None
    size = np.where(tipped, np.hypot(rows[:, None], columns), np.inf)
    row, column = np.argwhere(size <= size.min() * (1 + SAME))[0]
    return float(rows[row]) + 0.0, float(columns[column]) + 0.0  # no minus before a zero
