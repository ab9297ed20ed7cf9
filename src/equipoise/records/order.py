"""The order in which people are taken where something depends on an order: that of the data, never of identifiers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from equipoise.records.panel import COVARIATES, LABELS, NUMBERS_OF_ENTRY, STRATUM, Panel

Ranks = NDArray[np.int64]


def ranks(panel: Panel) -> Ranks:
    """(R, n) place of each participant: by number in the list and stratum, else by days, else by what is known.

    Equal participants, of whom every one of these is equal, keep the order of the Panel.
    """
    columns = [panel.entry["sequence"], *_texts(panel, STRATUM), allocated_on(panel), panel.covariates["entry_day"]]
    columns += [panel.entry[name] for name in NUMBERS_OF_ENTRY[1:]]
    columns += [panel.covariates[name] for name in COVARIATES]
    columns += [code for name in LABELS for code in _texts(panel, name)]
    keys = [np.where(np.isnan(column), np.inf, column) for column in columns]
    order = np.lexsort((*keys[::-1], ~panel.present), axis=1)
    return np.argsort(order, axis=1)


def allocated_on(panel: Panel) -> NDArray[np.float64]:
    """(R, n) calendar day of allocation, else of the first dose, else of day 0; NaN without a day of entry."""
    days = panel.covariates["allocation_day"]
    days = np.where(np.isnan(days), np.nan_to_num(panel.covariates["first_dose_day"]), days)
    return panel.covariates["entry_day"] + days


def _texts(panel: Panel, name: str) -> list[NDArray[np.float64]]:
    """Texts as numbers in their order."""
    texts = panel.entry[STRATUM] if name == STRATUM else panel.labels[name]
    return [np.unique(texts, return_inverse=True)[1].reshape(texts.shape).astype(np.float64)]
