"""What to report when the unstructured model cannot be fitted: the next simpler model, by rules fixed in advance.

A rung fails by the numbers of its fit alone (``Diagnosis``), never by what it says of an arm. The first rung has its
Kenward-Roger or Satterthwaite inference; those below have a covariance that may be wrong, and so a robust one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from equipoise.stats.ancova import Contrast
from equipoise.stats.arrays import Counts, Flags, Floats
from equipoise.stats.mmrm.contrasts import Method, contrast
from equipoise.stats.mmrm.fit import MMRMFit, fit_mmrm
from equipoise.stats.status import Status
from equipoise.stats.student import Alternative, infer

Rung = Literal["us", "ris", "csh", "toeph", "ar1h", "ancova"]

RUNGS: tuple[Rung, ...] = ("us", "ris", "csh", "toeph", "ar1h", "ancova")
DEPENDENT = 1e-7
"""A direction of the design with a singular value below this share of the largest is not determined."""
NO_SPREAD = 1e-13
"""Residuals below this share of the outcome's own length are rounding, not variation."""


@dataclass(frozen=True, slots=True)
class Climb:
    """What the ladder came to: the rung that held, its contrast (arrays of 1), and what became of those before.

    rung: of the answer, or the last one tried. tried: each rung with its status, in order. fit: the rung's fit;
    nothing for ``ancova``.
    """

    rung: Rung
    contrast: Contrast
    tried: tuple[tuple[Rung, Status], ...]
    fit: MMRMFit | None

    @property
    def status(self) -> Status:
        """OK, or why the last rung failed too."""
        return self.tried[-1][1]


def climb_down(
    y: Floats,
    X: Floats,
    subject: Counts,
    visit: Counts,
    weights: Floats,
    at: int,
    *,
    method: Method = "kenward-roger-linear",
    visits: int | None = None,
    times: Floats | None = None,
    rungs: tuple[Rung, ...] = RUNGS,
    filled: Flags | None = None,
    level: float = 0.95,
    alternative: Alternative = "two-sided",
) -> Climb:
    """The combination ``weights`` (p,) of the coefficients, from the first rung that can be fitted.

    ``us`` answers by ``method``; ``ris`` (with ``times`` (T,)), ``csh``, ``toeph`` and ``ar1h`` by CR2; ``ancova`` is
    least squares of the values at visit ``at`` alone, with the model-based t. filled (arms, T), of a ``VisitDesign``:
    where it shows that an arm lacks a visit, the status of a singular design says so.
    The other arguments are those of ``fit_mmrm`` and ``contrast``. ValueError: as there, or no rung.
    """
    if not rungs:
        raise ValueError("a ladder has at least one rung")
    tried: list[tuple[Rung, Status]] = []
    for rung in rungs:
        fit = None
        if rung == "ancova":
            found = _at_one_visit(y, X, visit == at, weights, level=level, alternative=alternative)
        else:
            fit = fit_mmrm(y, X, subject, visit, structure=rung, visits=visits, times=times)
            chosen: Method = method if rung == "us" else "cr2"
            found = contrast(fit, weights, method=chosen, level=level, alternative=alternative)
        status = Status(int(found.status[0]))
        if status == Status.SINGULAR_DESIGN and filled is not None and not filled.all():
            status = Status.ONE_ARM_VISIT
        tried.append((rung, status))
        if status == Status.OK or rung == rungs[-1]:
            return Climb(rung, found, tuple(tried), fit)
    raise AssertionError("the last rung always answers")


def _at_one_visit(
    y: Floats, X: Floats, here: Flags, weights: Floats, *, level: float, alternative: Alternative
) -> Contrast:
    """Least squares of the values there. Columns that belong to other visits are 0 here, or repeat others."""
    kept = here & ~np.isnan(y)
    outcome, design = np.asarray(y, dtype=np.float64)[kept], np.asarray(X, dtype=np.float64)[kept]
    estimate = variance = df = np.nan
    if not len(outcome):
        status = Status.NO_OBSERVATIONS
    elif not (np.isfinite(outcome).all() and np.isfinite(design).all()):
        status = Status.NOT_FINITE
    else:
        length = np.linalg.norm(design, axis=0)
        length[length == 0.0] = 1.0
        basis, values, rows = np.linalg.svd(design / length, full_matrices=False)
        kept_values = values > DEPENDENT * values[0]
        basis, values, rows = basis[:, kept_values], values[kept_values], rows[kept_values]
        asked = weights / length
        along = rows @ asked
        residuals = outcome - basis @ (basis.T @ outcome)
        df = float(len(outcome) - len(values))
        if np.linalg.norm(asked - along @ rows) > DEPENDENT * np.linalg.norm(asked):
            status = Status.SINGULAR_DESIGN
        elif df < 1:
            status = Status.TOO_FEW_OBSERVATIONS
        elif np.linalg.norm(residuals) <= NO_SPREAD * np.linalg.norm(outcome):
            status = Status.CONSTANT_OUTCOME
        else:
            status = Status.OK
            estimate = float(along @ ((basis.T @ outcome) / values))
            variance = float(residuals @ residuals / df * ((along / values) ** 2).sum())
    number, error, free = (np.array([x]) for x in (estimate, np.sqrt(variance), df if status == Status.OK else np.nan))
    found = infer(number, error, free, np.array([status == Status.OK]), level=level, alternative=alternative)
    codes = np.array([status], dtype=np.int8)
    return Contrast(number, error, free, found.lower, found.upper, found.statistic, found.p_value, codes)
