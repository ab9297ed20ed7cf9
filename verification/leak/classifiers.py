"""Two fixed classifiers for many labellings at once: L2 logistic regression, and boosted trees of one split.

Both are fitted to all labellings together, since the true arms and their re-draws share the columns: what costs is
done once a fold. Nothing is tuned.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.stats import rankdata

Matrix = NDArray[np.float32]
PENALTY = 0.02
"""Of the logistic regression, for each row and standardised column."""
STEPS = 12
ROUNDS = 20
RATE = 0.3
_SHARES = (0.25, 0.5, 0.75)
"""Splits of a column that trees may use: its quartiles."""
FOLDS = 10


def standardised(values: Matrix) -> Matrix:
    """Columns that vary, with mean 0 and SD 1; a missing value is the mean. Missing flags are columns of their own."""
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0).sum(axis=0) / count
    centred = np.where(known, values - mean, 0)
    sd = np.sqrt((centred**2).sum(axis=0) / len(values))
    keep = sd > 1e-9
    return (centred[:, keep] / sd[keep]).astype(np.float32)


def splits(columns: Matrix) -> Matrix:
    """Whether each value lies above each threshold of its column, as 0 and 1; only splits that part somebody."""
    parts = [columns > cut for cut in np.quantile(columns, _SHARES, axis=0)]
    every = np.concatenate(parts, axis=1)
    share = every.mean(axis=0)
    return every[:, (share > 0.01) & (share < 0.99)].astype(np.float32)


def logistic_scores(columns: Matrix, labels: Matrix, own: Matrix, fit: NDArray[np.bool_]) -> Matrix:
    """Scores of the rows that are not fitted, (rows, labellings), by L2 logistic regression.

    labels: (people, labellings), 0 or 1. own: the same shape, one column more for each labelling, 0 for none.
    Böhning and Lindsay's bound on the curvature is the same for all labellings; the column of their own borders it.
    """
    x, y, z = columns[fit], labels[fit], own[fit]
    ridge = np.float32(PENALTY * len(x))
    gram = x.T @ x / 4
    gram[np.diag_indices_from(gram)] += ridge
    factor = cho_factor(gram)
    cross = x.T @ z / 4
    solved = cho_solve(factor, cross)
    rest = (z * z).sum(axis=0) / 4 + ridge - (cross * solved).sum(axis=0)
    beta, gamma = np.zeros((x.shape[1], y.shape[1]), np.float32), np.zeros(y.shape[1], np.float32)
    for _ in range(STEPS):
        left = y - 1 / (1 + np.exp(-(x @ beta + z * gamma)))
        many, one = x.T @ left - ridge * beta, (z * left).sum(axis=0) - ridge * gamma
        step = (one - (solved * many).sum(axis=0)) / rest
        beta += cho_solve(factor, many, check_finite=False) - solved * step
        gamma += step
    return columns[~fit] @ beta + own[~fit] * gamma


def boosted_scores(above: Matrix, labels: Matrix, own: Matrix, fit: NDArray[np.bool_]) -> Matrix:
    """The same by gradient boosting with trees of one split, each the one with the largest gain."""
    x, y, test = above[fit], labels[fit], above[~fit]
    beside = [(own > cut).astype(np.float32) for cut in np.quantile(own[fit], _SHARES, axis=0)]
    size, every = len(x), np.arange(y.shape[1])
    score, out = np.zeros(y.shape, np.float32), np.zeros((len(test), y.shape[1]), np.float32)
    count = x.sum(axis=0)[:, np.newaxis]
    for _ in range(ROUNDS):
        expected = 1 / (1 + np.exp(-score))
        gradient = y - expected
        total, curve = gradient.sum(axis=0), (expected * (1 - expected)).mean(axis=0)
        right = x.T @ gradient
        gain = right**2 / (count + 1) + (total - right) ** 2 / (size - count + 1)
        best = gain.argmax(axis=0)
        most, sides = gain[best, every], (x[:, best], test[:, best])
        for split in beside:
            inside, sums = split[fit].sum(axis=0), (split[fit] * gradient).sum(axis=0)
            better = sums**2 / (inside + 1) + (total - sums) ** 2 / (size - inside + 1) > most
            most = np.where(better, sums**2 / (inside + 1) + (total - sums) ** 2 / (size - inside + 1), most)
            sides = np.where(better, split[fit], sides[0]), np.where(better, split[~fit], sides[1])
        inside, sums = sides[0].sum(axis=0), (sides[0] * gradient).sum(axis=0)
        high, low = sums / (inside + 1) / curve, (total - sums) / (size - inside + 1) / curve
        score += RATE * np.where(sides[0] > 0, high, low)
        out += RATE * np.where(sides[1] > 0, high, low)
    return out


def within_trial_auc(scores: Matrix, labels: Matrix, trial: NDArray[np.int64]) -> NDArray[np.float64]:
    """(trials, labellings): the chance that one of arm 1 has a higher score than one of arm 0 of the same trial."""
    found: list[NDArray[np.float64]] = []
    for number in np.unique(trial):
        mine = trial == number
        ranks, one = rankdata(scores[mine], axis=0), labels[mine] == 1
        n1 = one.sum(axis=0)
        n0 = mine.sum() - n1
        found.append(((ranks * one).sum(axis=0) - n1 * (n1 + 1) / 2) / np.maximum(n1 * n0, 1))
    return np.stack(found)


def out_of_fold(
    values: Matrix, labels: Matrix, trial: NDArray[np.int64], own: Matrix | None = None
) -> tuple[NDArray[np.float64], ...]:
    """The within-trial AUC of both classifiers, each (trials, labellings); trials are never split between folds.

    own: (people, labellings), a standardised column that one labelling alone has; 0 where it has none.
    """
    beside = np.zeros(labels.shape, np.float32) if own is None else own
    columns = standardised(values)
    above = splits(columns)
    fold = np.searchsorted(np.unique(trial), trial) % FOLDS
    logistic, boosted = np.zeros(labels.shape, np.float32), np.zeros(labels.shape, np.float32)
    for number in range(FOLDS):
        fit = fold != number
        logistic[~fit] = logistic_scores(columns, labels, beside, fit)
        boosted[~fit] = boosted_scores(above, labels, beside, fit)
    return within_trial_auc(logistic, labels, trial), within_trial_auc(boosted, labels, trial)
