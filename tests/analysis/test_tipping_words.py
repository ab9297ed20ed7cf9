"""A tipping grid over the protocol's own decimals, and its answer in words."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.analysis.methods.imputed import Tipping, _deltas, tipping_words
from equipoise.stats.imputation import TippingGrid
from equipoise.stats.status import Status
from tests.analysis.one_trial import model

EARLY, LATE = "MSC first (early)", "Placebo first (late)"


@pytest.mark.requirement("ANALYSIS-TIPPING-WORDS")
def test_the_deltas_are_the_protocols_decimals() -> None:
    for low, high, step in ((-0.3, 0.3, 0.05), (-2, 2, 0.5), (-0.7, 0.7, 0.1), (0.0, 0.3, 0.1)):
        found = _deltas(Tipping(lowest=low, highest=high, step=step)).tolist()
        assert 0.0 in found and str(found[found.index(0.0)]) == "0.0"
        assert found == [float(f"{value:.6g}") for value in found] and found[-1] == high


def grid(nearest: tuple[float, float] | None, reference: int, active: int, verdict: int = 0) -> TippingGrid:
    deltas, blank = np.array([-0.3, 0.0, 0.3]), np.zeros((3, 3))
    return TippingGrid(
        deltas, deltas, blank, blank, blank, blank, blank, blank > 0, verdict, nearest, reference, active, Status.OK
    )


NOW = "The interval would exclude no effect if "
NO_MORE = "The interval would no longer exclude no effect on the same side if "
HIGHER = "ln(nmol/L + 1) higher than assumed (better)."
SHIFTS = {
    "of the active arm": ((0.0, 0.25), 0, 2, 0, f"{NOW}the 2 imputed values of {EARLY} were 0.25 {HIGHER}"),
    "of one arm alone": ((0.1, 0.25), 0, 2, 0, f"{NOW}the 2 imputed values of {EARLY} were 0.25 {HIGHER}"),
    "of the reference": ((0.1, 0.0), 1, 0, 1, f"{NO_MORE}the one imputed value of {LATE} were 0.1 {HIGHER}"),
    "none": (None, 0, 2, 0, f"No shift from −0.3 to 0.3 of the imputed values (2 of {EARLY}) would change whether"),
    "no one": (None, 0, 0, 0, "No value of either arm was imputed, so that no shift of imputed values could"),
}


@pytest.mark.parametrize(("nearest", "reference", "active", "verdict", "told"), SHIFTS.values(), ids=SHIFTS)
@pytest.mark.requirement("ANALYSIS-TIPPING-WORDS")
def test_a_shift_is_named_only_where_someone_was_imputed(
    nearest: tuple[float, float] | None, reference: int, active: int, verdict: int, told: str
) -> None:
    analysis = next(item for item in model().analyses if item.id == "cpeptide-12-jump")
    text = tipping_words(model(), analysis, grid(nearest, reference, active, verdict))
    assert text.startswith(told)
    if not reference:
        assert LATE not in text
    answer = grid(nearest, reference, active, verdict).answer
    assert ("in the reference" in answer.split("(")[0]) == (nearest is not None and reference > 0)
