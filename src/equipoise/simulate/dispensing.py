"""What was truly given in each dose, as rows of a Panel: the only place where a simulated trial names the product."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.patients.chance import Bools
from equipoise.protocol.model import Protocol
from equipoise.records.panel import Rows
from equipoise.simulate.treatment import Treatment

if TYPE_CHECKING:
    from equipoise.simulate.assemble import Axis


def dispensing_rows(protocol: Protocol, treatment: Treatment, present: Bools, axis: Axis) -> Rows:
    """A row for each infusion that was given, one bag each; participants are places.

    present: (R, n). An active dose has the amount that it truly held, a placebo's is the planned one.
    """
    trial, person, slot = np.nonzero(treatment.given & (treatment.product >= 0) & present[..., np.newaxis])
    chosen = treatment.product[trial, person, slot]
    doses = [item.dose for item in protocol.products]
    share = treatment.weight[trial, person, slot] / np.array([item.share for item in treatment.slots])[slot]
    full = np.array([dose.amount for dose in doses])[chosen]
    amount = np.where(treatment.active[trial, person, slot], full * share, full)
    units = [f"{dose.unit}/kg" if dose.per == "kg" else dose.unit for dose in doses]
    tested = np.array([bool(item.release_tests) for item in protocol.products])[chosen]
    codes = _texts([f"{axis.ids[axis.at[t, p]]}-{s + 1}" for t, p, s in zip(trial, person, slot, strict=True)])
    columns: dict[str, NDArray[Any]] = {
        "period": _texts([item.period for item in treatment.slots])[slot],
        "dose_number": np.array([float(item.number) for item in treatment.slots])[slot],
        "product": _texts([item.id for item in protocol.products])[chosen],
        "bag": np.char.add(codes, "-B") if codes.size else codes,
        "lot": np.where(tested, codes, "") if codes.size else codes,
        "day": treatment.day[trial, person, slot],
        "amount": np.array([float(f"{value:.3g}") for value in amount], np.float64),
        "unit": _texts(units)[chosen],
    }
    order = np.lexsort((columns["bag"], columns["dose_number"], columns["period"], axis.at[trial, person], trial))
    return Rows(trial[order], person[order], {name: values[order] for name, values in columns.items()})


def _texts(words: list[str]) -> NDArray[np.str_]:
    return np.array(words, np.str_) if words else np.zeros(0, np.str_)
