"""The usual design of repeated measures in a trial: means by visit and arm, covariates, and what is asked of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.stats.arrays import Counts, Flags, Floats


@dataclass(frozen=True, slots=True)
class VisitDesign:
    """A design of N values at T visits in several arms, with p columns.

    columns: (N, p) one for each visit; for each arm but the first, one for each visit; for each covariate whose
    effect depends on the visit, one for each visit; the other covariates. average: (k,) of all the covariates, each
    person once. filled: (arms, T) whether anybody has a value there.
    """

    columns: Floats
    arms: int
    visits: int
    crossed: int
    average: Floats
    filled: Flags

    def differences(self, active: int, reference: int = 0) -> Floats:
        """Weights (T, p) of arm ``active`` less arm ``reference`` at each visit.

        ValueError: one arm twice, or an arm that is not there.
        """
        if active == reference or not (0 <= active < self.arms and 0 <= reference < self.arms):
            raise ValueError(f"arms {active} and {reference} cannot be compared in a design of {self.arms}")
        weights = np.zeros((self.visits, self.columns.shape[1]))
        each = np.arange(self.visits)
        for arm, sign in ((active, 1.0), (reference, -1.0)):
            # The first arm's means are the columns of the visits; it has no columns of its own.
            if arm > 0:
                weights[each, arm * self.visits + each] = sign
        return weights

    def means(self) -> Floats:
        """Weights (arms, T, p) of each arm's mean at each visit, at the average covariates.

        Searle, Speed & Milliken, Am Stat 1980;34:216-221.
        """
        T = self.visits
        weights = np.zeros((self.arms, T, self.columns.shape[1]))
        each = np.arange(T)
        weights[:, each, each] = 1.0
        for arm in range(1, self.arms):
            weights[arm, each, arm * T + each] = 1.0
        for j in range(self.crossed):
            weights[:, each, (self.arms + j) * T + each] = self.average[j]
        weights[..., (self.arms + self.crossed) * T :] = self.average[self.crossed :]
        return weights


def visit_design(
    y: Floats,
    arm: Counts,
    subject: Counts,
    visit: Counts,
    *,
    arms: int,
    visits: int,
    crossed: Floats | None = None,
    plain: Floats | None = None,
) -> VisitDesign:
    """The design of y (N,), NaN where missing, in arms (N,) 0 .. arms - 1 at visits (N,) 0 .. T - 1.

    crossed (N, k1): covariates with an effect of their own at each visit. plain (N, k2): those with one effect. The
    averages are over the people who have any value.
    ValueError: an arm or visit outside its range.
    """
    n = len(y)
    if n and not (arm.min() >= 0 and arm.max() < arms and visit.min() >= 0 and visit.max() < visits):
        raise ValueError(f"arms are numbered 0 .. {arms - 1} and visits 0 .. {visits - 1}")
    own = np.zeros((n, 0)) if crossed is None else np.asarray(crossed, dtype=np.float64)
    common = np.zeros((n, 0)) if plain is None else np.asarray(plain, dtype=np.float64)
    here = np.eye(visits)[visit]
    parts = [here, *(here * (arm == a)[:, None] for a in range(1, arms)), *(here * z[:, None] for z in own.T), common]
    seen = ~np.isnan(y)
    filled = np.zeros((arms, visits), dtype=np.bool_)
    filled[arm[seen], visit[seen]] = True
    covariates = np.concatenate([own, common], axis=1)[seen]
    first = np.unique(subject[seen], return_index=True)[1]
    average = covariates[first].mean(axis=0) if len(first) else np.full(covariates.shape[1], np.nan)
    return VisitDesign(np.concatenate(parts, axis=1), arms, visits, own.shape[1], average, filled)
