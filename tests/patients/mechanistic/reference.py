"""The model once more, one person at a time and in the plainest words: what the solvers are held against.

Written from the formulas at the head of equations.py and the ids of the parameters; of the model's own numbers it takes
the states on the day of diagnosis and the share that homes. Exponentials, roots and integrals are SciPy's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log, log1p, sqrt

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from equipoise.patients.chance import Floats
from equipoise.patients.mechanistic.links import Links
from equipoise.patients.parameters import Parameters
from equipoise.patients.population import People

FULL = 100.0
"""% of a treatment."""
YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Reference:
    """One person: `p`, the parameters; `links`; `own`, what differs between people."""

    p: Mapping[str, float]
    links: Links
    own: Mapping[str, float]

    def habits(self, time: float) -> float:
        return time**2 / (time**2 + self.p["control.drift-days"] ** 2)

    def production(self, time: float) -> float:
        return self.p["glucose.production"] * (1 + self.p["control.intake"] * self.habits(time))

    def glucose(self, time: float, mass: float, dysfunction: float, insulin: float) -> float:
        """The root of R = (E0 + S I) G, I being injected and the person's own; mg/dL."""

        def balance(g: float) -> float:
            secreted = self.p["glucose.secretion"] * mass * (1 - dysfunction) * g**2 / (self.p["glucose.alpha"] + g**2)
            level = self.p["insulin.potency"] * insulin + secreted
            return (self.p["glucose.effectiveness"] + self.own["sensitivity"] * level) * g - self.production(time)

        return float(brentq(balance, 1e-3, 1e5, xtol=1e-11, rtol=1e-13))

    def killing(self, effector: float, regulatory: float) -> float:
        """Share of the mass killed a day, `rate` a year where E = R = F = 1."""
        s_e, s_r = self.p["killing.effector"], self.p["killing.regulatory"]
        held = (s_r * self.own["regulation"] * regulatory) ** 2
        form = (s_e * effector) ** 2 / (1 + (s_e * effector) ** 2 + held)
        return self.own["rate"] / YEAR * form * (1 + s_e**2 + s_r**2) / s_e**2

    def activation(self, effector: float, regulatory: float, mass: float, pro: float) -> float:
        ratio = self.killing(effector, regulatory) * mass / (self.p["killing.reference"] / YEAR)
        half, memory = self.p["activation.half"], self.p["activation.memory"]
        recall = memory + (1 - memory) * (1 + half) * ratio / (half + ratio)
        return recall * (1 + self.p["activation.inflamed"] * (pro - 1))

    def titrated(self, time: float, glucose: float) -> float:
        z = max(glucose - self.p["control.target"] - self.own["habit"] * self.habits(time), 0.0)
        return self.p["insulin.lowest"] + self.own["gain"] * z**2 / (z + self.p["insulin.soft"])

    def slopes(self, time: float, x: Floats) -> list[float]:
        """The eight states of the model, then blood, lung and pancreas."""
        e, r, p, a, b, d, h, u, blood, lung, pancreas = map(float, x)
        v, links = self.p, self.links
        g, cells = self.glucose(time, b, d, u), blood + lung
        out_of_blood, out_of_lung = blood / v["cells.blood-days"], lung / v["cells.lung-days"]
        stirred = 1 - v["pro.effector-share"] + v["pro.effector-share"] * e
        excess = max(g - v["dysfunction.from"], 0.0)
        tired = v["dysfunction.most"] * excess**2 / (v["dysfunction.half"] ** 2 + excess**2)
        fall = self.own["gain"] * self.own["sensitivity"] * v["insulin.potency"] * g**2 / self.production(time)
        return [
            (self.activation(e, r, b, p) / (1 + links.immunomodulation * pancreas) - e) / v["effector.days"],
            (1 - r) / v["regulatory.days"] + links.regulatory_expansion * cells,
            (self.own["calm"] * stirred / (1 + v["pro.soothing"] * (a - 1)) - p) / v["pro.days"],
            (1 + v["anti.regulatory-share"] * (r - 1) + links.cytokine_shift * cells - a) / v["anti.days"],
            b * (links.regeneration * pancreas * (1 - b) - self.killing(e, r)),
            (tired - d) / v["dysfunction.recovery"],
            ((g + 46.7) / 28.7 - h) / self.own["red-cells"],
            (self.titrated(time, g) - u) / v["insulin.titration"] / (1 + fall),
            -out_of_blood,
            v["cells.to-lung"] * out_of_blood - out_of_lung,
            self.own["homing"] * out_of_blood + v["cells.onward"] * out_of_lung - pancreas / v["cells.pancreas-days"],
        ]

    def course(self, initial: Floats, days: Floats, dose_days: Floats, weights: Floats) -> Floats:
        """All eleven on ascending days, (V, 11): LSODA, begun anew at each infusion."""
        x = np.append(initial, [0.0, 0.0, 0.0])
        last = float(days[-1])
        edges = np.unique(np.concatenate([[0.0, last], dose_days[dose_days < last]]))
        result = np.empty((days.size, x.size))
        for begin, end in pairwise(edges):
            x[8] += FULL * weights[dose_days == begin].sum()
            inside = (days > begin) & (days <= end)
            when = np.unique(np.append(days[inside], end))
            made = solve_ivp(self.slopes, (begin, end), x, "LSODA", when, rtol=1e-9, atol=1e-12)
            result[inside] = made.y.T[np.searchsorted(when, days[inside])]
            x = made.y[:, -1].copy()
        return result


def reference(people: People, links: Links, p: Parameters, number: int) -> Reference:
    """Person `number` of the first trial."""

    def level(name: str) -> float:
        return float(getattr(people, name)[0, number])

    minutes = level("exercise_minutes")
    habit = (min(minutes, 150.0) - min(p["exercise.median"], 150.0)) / 150.0
    rho, skew = p["killing.level-correlation"], p["control.person-skew"]
    tendency = rho * level("cpeptide_level") + sqrt(1 - rho**2) * level("cpeptide_decline")
    spread = log1p((p["treg.person-sd"] / p["treg.typical"]) ** 2)
    mode = (exp(skew * level("hba1c_level")) - exp(skew**2 / 2)) / sqrt((exp(skew**2) - 1) * exp(skew**2))
    homing = links.homing * (1 + links.exercise_homing * min(minutes / 150.0, 1.0))
    own = {
        "sensitivity": p["glucose.sensitivity"]
        * (1 + p["exercise.sensitivity"] * habit)
        * exp(-p["insulin.sensitivity-log-sd"] * level("insulin_level")),
        "rate": p["killing.at-15"] * exp(p["killing.age"] * log(level("age") / 15) + p["killing.log-sd"] * tendency),
        "regulation": exp(sqrt(spread) * level("treg_level") - spread / 2),
        "calm": 1 + p["exercise.inflammation"] * habit,
        "gain": p["insulin.gain"] * exp(p["insulin.gain-log-sd"] * level("insulin_level")),
        "habit": p["control.drift"] + p["control.person-sd"] * mode,
        "red-cells": p["red-cells.days"] * exp(p["red-cells.log-sd"] * level("hba1c_recovery")),
        "homing": min(homing, 1 - p["cells.to-lung"]),
    }
    return Reference(dict(p), links, own)
