"""Seconds that simglucose takes for days of one patient, printed; run by a Python of its own, without equipoise."""

import sys
from time import perf_counter
from typing import NamedTuple

from simglucose.patient.t1dpatient import T1DPatient

MINUTES = 24 * 60


class Action(NamedTuple):
    """What a patient is given in a minute: units of insulin, grams of carbohydrate."""

    insulin: float
    CHO: float


def main(days: int) -> None:
    """Basal insulin and three meals, minute by minute, as the package steps."""
    patient = T1DPatient.withName("adolescent#001")
    basal = patient._params.u2ss * patient._params.BW / 6000
    start = perf_counter()
    for minute in range(days * MINUTES):
        meal = 10 if minute % MINUTES in range(480, 485) or minute % MINUTES in range(780, 785) else 0
        patient.step(Action(insulin=basal, CHO=meal))
    sys.stdout.write(f"{perf_counter() - start}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
