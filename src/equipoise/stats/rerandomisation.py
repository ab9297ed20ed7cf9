"""Re-randomisation tests: a statistic beside what it would have been under the other allocations that were possible.

The caller brings these allocations, drawn from the trial's own design or all of them with their probabilities. The
outcome is adjusted once by a working model without arms, so that a draw costs one sum and no fit. Who has no value is
left out of every sum and keeps the place in the sequence: the null is that arms change neither outcome nor missingness.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

import numpy as np

from equipoise.stats.arrays import Codes, Flags, Floats, Texts, all_of, beside
from equipoise.stats.least_squares import fit_least_squares
from equipoise.stats.status import Status, first_of, texts
from equipoise.stats.student import Alternative

TIE = 1e-9
"""Statistics this near, as a share of the largest score (of 1 on a log scale), are equal: rounding decides nothing."""
ALONG = 1e-9
"""An allocation this near to the one observed, or to its mirror image, shifts with it: no shift tells them apart."""
BLOCK = 4_000_000
"""Statistics held in memory at a time."""


@dataclass(frozen=True, slots=True)
class Rerandomisation:
    """A re-randomisation test in each of R trials; all (R,) but ``draws``. NaN where the status says.

    estimate:  the effect at which the statistic of the observed allocation is 0; for rates the ln of their ratio, which
               is infinite where one arm has no event.
    lower, upper: the shifts that are not rejected at 1 - level, two-sided, lie between them; infinite where none is
               rejected on that side. For rates there are none.
    statistic: of the observed allocation.
    p_value:   (b + 1)/(m + 1) with b of m draws at least as extreme; the probability of these where all are given.
    p_lower, p_upper: the same one-sided: of the draws whose statistic is as low or lower, and as high or higher.
    smallest:  the least p-value that was attainable.
    mc_error:  Monte-Carlo standard error of the p-value, 0 where all allocations are given.
    draws:     m, or how many allocations there are in all.
    exact:     whether all allocations were given, with their probabilities.
    """

    estimate: Floats
    lower: Floats
    upper: Floats
    statistic: Floats
    p_value: Floats
    p_lower: Floats
    p_upper: Floats
    smallest: Floats
    mc_error: Floats
    draws: int
    exact: bool
    status: Codes

    @property
    def messages(self) -> Texts:
        """``ok`` or why numbers are missing, (R,)."""
        return texts(self.status)


@dataclass(frozen=True, slots=True)
class _Set:
    """Allocations (m, n) or (R, m, n), their weights (m,), the weight of the observed one, and the sum of all."""

    drawn: Flags
    weights: Floats
    own: float
    total: float

    @property
    def size(self) -> int:
        return self.drawn.shape[-2]

    @property
    def exact(self) -> bool:
        return self.own == 0

    def blocks(self, trials: int) -> Iterator[tuple[slice, Flags]]:
        """Some trials at a time, with the allocations that are theirs."""
        step = max(1, BLOCK // (self.size * (self.drawn.shape[-1] if self.drawn.ndim == 3 else 1)))
        for start in range(0, trials, step):
            some = slice(start, start + step)
            yield some, self.drawn if self.drawn.ndim == 2 else self.drawn[some]

    def share(self, extreme: Flags) -> Floats:
        """The p-value (R,) where (R, m) says which allocations are at least as extreme."""
        return np.minimum((self.own + extreme @ self.weights) / self.total, 1.0)

    def smallest(self, measure: Floats, tolerance: Floats) -> Floats:
        """Drawn: that of an observation beyond all draws. All given: the probability of the most extreme.

        An infinite measure (R, m) is extreme beside any observation, so no p-value can be without it.
        """
        always = np.isinf(measure)
        known = np.where(always, -np.inf, measure)
        most = known >= (known.max(axis=1) - tolerance)[:, None]
        return self.share(always | most if self.exact else always)

    def error(self, p_value: Floats) -> Floats:
        return np.zeros_like(p_value) if self.exact else np.sqrt(p_value * (1 - p_value) / self.total)


def working_scores(outcome: Floats, covariates: Floats, included: Flags) -> tuple[Floats, Codes]:
    """Residuals (R, n) of the outcome on 1 and the covariates, without arms, and the status (R,) of that fit.

    outcome (R, n), covariates (R, n, k) or (n, k), included (R, n) or (n,). 0 outside ``included``.
    ValueError: shapes that do not fit, or a mask that is not boolean.
    """
    included = beside(outcome, included)
    columns = np.broadcast_to(covariates, (*outcome.shape, np.shape(covariates)[-1]))
    design = np.concatenate([np.ones((*outcome.shape, 1)), columns], axis=2)
    fit = fit_least_squares(outcome, design, included)
    return np.where(included, np.nan_to_num(fit.residuals), 0.0), fit.status


def rerandomise_difference(
    outcome: Floats,
    covariates: Floats,
    included: Flags,
    active: Flags,
    drawn: Flags,
    *,
    probabilities: Floats | None = None,
    level: float = 0.95,
    alternative: Alternative = "two-sided",
) -> Rerandomisation:
    """The difference of the arms' mean scores, the scores being residuals of a working model without arms.

    outcome (R, n); covariates (R, n, k) or (n, k), k may be 0; included (R, n) or (n,); ``active`` (R, n), who was in
    the active arm; ``drawn`` (m, n) or (R, m, n), who would have been. With ``probabilities`` (m,) the allocations are
    all that were possible, the observed one among them, and p is exact; without, they are independent draws.

    With residual maker M, d(w) the weights of the difference of means under allocation w, and observed allocation a:
    T(w, s) = d(w)'M(y - s a), linear in the shift s. The estimate solves T(a, s) = 0 and is that of the analysis of
    covariance. p(s) is the share of w with |T(w, s)| >= |T(a, s)|; from the estimate outwards each allocation is
    extreme up to a shift of its own and not beyond, so the limits are order statistics of these shifts, no search.

    An allocation under which one arm has no value counts as extreme. So does, for the interval, one so much less
    confounded with the covariates than the observed one that a large shift makes it extreme again. Both only weaken.
    The interval assumes that the effect is one shift for all, and does not follow the alternative.
    ValueError: shapes that do not fit, arrays that are not boolean, probabilities that do not sum to 1, a level outside
    (0, 1), an unknown alternative.
    Rosenbaum, Stat Sci 2002;17:286-327. Edgington & Onghena, Randomization Tests, 4th ed., 2007.
    """
    given = _checked(included, active, drawn, probabilities, level, alternative, outcome.shape)
    included = beside(outcome, included)
    scores, status = working_scores(outcome, covariates, included)
    arm_scores, arm_status = working_scores(active.astype(np.float64), covariates, included)
    confounded = (status == Status.OK) & (arm_status != Status.OK)
    status = np.where(confounded, np.int8(Status.SINGULAR_DESIGN), status)
    status = np.where(included.any(axis=1), status, np.int8(Status.NO_OBSERVATIONS))
    columns = {name: np.full(len(outcome), np.nan) for name in _NUMBERS}
    observed = _differences(scores, arm_scores, included, active[:, None, :])
    for some, allocations in given.blocks(len(outcome)):
        t, u = _differences(scores[some], arm_scores[some], included[some], allocations)
        rounding = TIE * np.abs(scores[some]).max(axis=1, initial=0.0)
        one = (observed[0][some, 0], observed[1][some, 0])
        _fill(columns, some, _tested(given, one[0], t, rounding, alternative))
        _fill(columns, some, _inverted(given, one, (t, u), level))
    return _result(columns, given, status)


def rerandomise_rates(
    counts: Floats,
    person_years: Floats,
    included: Flags,
    active: Flags,
    drawn: Flags,
    *,
    probabilities: Floats | None = None,
    alternative: Alternative = "two-sided",
) -> Rerandomisation:
    """The ln of the ratio of two pooled rates: all events of an arm over all its person-time.

    counts and person_years (R, n), in any unit of time; the others as in `rerandomise_difference`. Where an arm has no
    event under an allocation, the statistic of that allocation has 0.5 added to the events of both arms; the estimate
    has nothing added. It needs one event in all. There is no interval: a ratio of rates is no shift of the outcome.
    ValueError: as `rerandomise_difference`; negative counts or person-time, counts that are no whole numbers.
    """
    given = _checked(included, active, drawn, probabilities, 0.95, alternative, counts.shape)
    included = beside(counts, included)
    events, time = np.where(included, counts, 0.0), np.where(included, person_years, 0.0)
    if (events < 0).any() or (time < 0).any():
        raise ValueError("counts and person-time must not be negative")
    if (events[np.isfinite(events)] % 1 != 0).any():
        raise ValueError("counts are whole numbers")
    finite = all_of(np.isfinite(events), 1) & all_of(np.isfinite(time), 1)
    events[~finite], time[~finite] = 0.0, 0.0
    x1, t1 = (np.where(active, part, 0.0).sum(axis=1) for part in (events, time))
    x0, t0 = (np.where(active, 0.0, part).sum(axis=1) for part in (events, time))
    status = first_of(
        {
            Status.NO_OBSERVATIONS: all_of(~included, 1),
            Status.NOT_FINITE: ~finite,
            Status.NO_EXPOSURE: (t1 <= 0) | (t0 <= 0),
            Status.NO_EVENTS: x1 + x0 == 0,
        }
    )
    columns = {name: np.full(len(counts), np.nan) for name in _NUMBERS}
    with np.errstate(divide="ignore", invalid="ignore"):
        columns["estimate"] = np.log(x1 / t1) - np.log(x0 / t0)
    observed = _log_ratios(events, time, active[:, None, :])[:, 0]
    for some, allocations in given.blocks(len(counts)):
        drawn_ratios = _log_ratios(events[some], time[some], allocations)
        rounding = np.full(len(drawn_ratios), TIE)
        _fill(columns, some, _tested(given, observed[some], drawn_ratios, rounding, alternative))
    return _result(columns, given, status)


_NUMBERS = ("estimate", "lower", "upper", "statistic", "p_value", "p_lower", "p_upper", "smallest", "mc_error")


def _checked(
    included: Flags,
    active: Flags,
    drawn: Flags,
    probabilities: Floats | None,
    level: float,
    alternative: str,
    shape: tuple[int, ...],
) -> _Set:
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level}")
    if alternative not in get_args(Alternative):
        raise ValueError(f"alternative must be one of {get_args(Alternative)}, not {alternative!r}")
    if not included.dtype == active.dtype == drawn.dtype == np.bool_:
        raise ValueError("included, active and drawn must be boolean")
    fits = active.shape == shape and drawn.shape[-1:] == shape[-1:] and drawn.shape[:-2] in ((), shape[:1])
    if not fits or drawn.ndim < 2 or drawn.shape[-2] == 0:
        raise ValueError(f"arms of {active.shape} and allocations of {drawn.shape} do not fit {shape}")
    size = drawn.shape[-2]
    if probabilities is None:
        return _Set(drawn, np.ones(size), 1.0, size + 1.0)
    if probabilities.shape != (size,) or (probabilities < 0).any() or abs(probabilities.sum() - 1) > 1e-9:
        raise ValueError("there must be one probability for each allocation, and they must sum to 1")
    return _Set(drawn, probabilities, 0.0, 1.0)


def _sums(values: Floats, drawn: Flags) -> Floats:
    """The sum of (R, n) values over each allocation's active arm, (R, m)."""
    allocations = drawn.astype(np.float64)
    if drawn.ndim == 2:
        return values @ allocations.T
    return (allocations @ values[..., None])[..., 0]


def _differences(scores: Floats, arm_scores: Floats, included: Flags, drawn: Flags) -> tuple[Floats, Floats]:
    """The differences (R, m) of mean scores and of mean arm scores; infinite and 0 where an arm has no value."""
    size = _sums(included.astype(np.float64), drawn)
    everybody = included.sum(axis=1)[:, None]
    defined = (size > 0) & (size < everybody)
    weight = 1 / np.where(defined, size, 1.0)
    rest = 1 / np.where(defined, everybody - size, 1.0)
    found = []
    for values in (scores, arm_scores):
        mine = _sums(values, drawn)
        found.append(mine * weight - (values.sum(axis=1)[:, None] - mine) * rest)
    return np.where(defined, found[0], np.inf), np.where(defined, found[1], 0.0)


def _log_ratios(events: Floats, time: Floats, drawn: Flags) -> Floats:
    """The ln of the ratio of pooled rates (R, m), infinite where an arm has no person-time."""
    x1, t1 = _sums(events, drawn), _sums(time, drawn)
    x0, t0 = events.sum(axis=1)[:, None] - x1, time.sum(axis=1)[:, None] - t1
    # Sums of parts and whole differ by rounding: less than this share of all person-time is none.
    none = TIE * time.sum(axis=1)[:, None]
    defined = (t1 > none) & (t0 > none)
    added = np.where((x1 < 0.5) | (x0 < 0.5), 0.5, 0.0)
    ratio = (x1 + added) / np.where(defined, t1, 1.0) / ((x0 + added) / np.where(defined, t0, 1.0))
    return np.where(defined, np.log(ratio), np.inf)


def _tested(given: _Set, observed: Floats, drawn: Floats, tolerance: Floats, alternative: str) -> dict[str, Floats]:
    """The p-values of observed (R,) among drawn (R, m) statistics; an infinite one is extreme in any direction."""
    turn = {"two-sided": np.abs, "greater": np.positive, "less": np.negative}[alternative]
    measure, own = np.where(np.isinf(drawn), np.inf, turn(drawn)), turn(observed)
    p_value = given.share(measure >= (own - tolerance)[:, None])
    smallest = given.smallest(measure, tolerance)
    # An infinite statistic is positive, so that it is as high as any; it has to be told that it is as low as any.
    p_upper = given.share(drawn >= (observed - tolerance)[:, None])
    p_lower = given.share(np.isinf(drawn) | (drawn <= (observed + tolerance)[:, None]))
    tails = {"p_value": p_value, "p_lower": p_lower, "p_upper": p_upper}
    return {"statistic": observed, **tails, "smallest": smallest, "mc_error": given.error(p_value)}


def _inverted(
    given: _Set, observed: tuple[Floats, Floats], drawn: tuple[Floats, Floats], level: float
) -> dict[str, Floats]:
    """Estimate and limits from T (R,) and U (R,), T(a, s) = T - s U, and those (R, m) of the allocations."""
    own_t, own_u = observed
    possible = np.isfinite(own_t) & (own_u > 0)
    scale = np.where(possible, own_u, 1.0)
    estimate = np.where(possible, own_t / scale, np.nan)
    centre = np.where(possible, estimate, 0.0)[:, None]
    t, u = drawn
    v = t - centre * u
    always = np.isinf(v) | (np.abs(u) >= (1 - ALONG) * scale[:, None])
    v = np.where(always, 0.0, v)
    # |v - e u| >= |e| U holds up to the distance e at which the nearer of two lines is met, on either side.
    with_u = np.where(always, np.inf, np.abs(v) / np.where(always, 1.0, scale[:, None] + u))
    against = np.where(always, np.inf, np.abs(v) / np.where(always, 1.0, scale[:, None] - u))
    up, down = np.where(v >= 0, with_u, against), np.where(v >= 0, against, with_u)
    return {
        "estimate": estimate,
        "lower": estimate - _reach(given, down, 1 - level),
        "upper": estimate + _reach(given, up, 1 - level),
    }


def _reach(given: _Set, distances: Floats, area: float) -> Floats:
    """The largest distance (R,) up to which the allocations that are still extreme have more than the area."""
    order = np.argsort(-distances, axis=1)
    still = given.own + np.cumsum(given.weights[order], axis=1)
    enough = still > area * given.total * (1 + 1e-12)
    first = np.where(given.own > area * given.total * (1 + 1e-12), -1, enough.argmax(axis=1))
    farthest = np.take_along_axis(distances, order, axis=1)
    reached = farthest[np.arange(len(order)), np.maximum(first, 0)]
    return np.where(first < 0, np.inf, reached)


def _fill(columns: dict[str, Floats], some: slice, found: dict[str, Floats]) -> None:
    for name, values in found.items():
        columns[name][some] = values


def _result(columns: dict[str, Floats], given: _Set, status: Codes) -> Rerandomisation:
    kept = {name: np.where(status == Status.OK, values, np.nan) for name, values in columns.items()}
    return Rerandomisation(**kept, draws=given.size, exact=given.exact, status=status)
