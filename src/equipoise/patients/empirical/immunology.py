"""Cytokines in serum and regulatory T cells.

Cytokines are log-normal: ln c = ln median + person + visit, with part of the person's level common to all eight.
Most values lie below the assay's limit, which the caller applies. Regulatory T cells as a share of CD4 cells are
mean(t) F_person F_visit with log-normal factors of mean 1, so that they stay positive; their spread gives the SDs
between and within people of TN05.
"""

from __future__ import annotations

import numpy as np

from equipoise.patients.chance import Draw, Floats, normals
from equipoise.patients.parameters import Parameters
from equipoise.patients.population import CYTOKINES, People

PROINFLAMMATORY = ("ifn-gamma", "tnf-alpha", "il-6", "il-17", "il-1-beta")
IS_PRO = np.array([name in PROINFLAMMATORY for name in CYTOKINES])
HIGHEST_TREG = 60.0
"""% of CD4: no share of cells passes this, whatever the scenario adds."""


def visit_cytokines(people: People, pro: Floats, anti: Floats, draw: Draw, p: Parameters) -> Floats:
    """Cytokines at each visit, (R, n, V, 8) in the order of CYTOKINES; pg/mL, TGF-beta 1 in ng/mL; uncensored.

    pro, anti: log2 ratios that treatment adds, (R, n, V).
    """
    scale = np.where(np.array(CYTOKINES) == "tgf-beta-1", p["cytokine.tgf-beta-1-scale"], 1.0)
    visits = pro.shape[-1]
    noise = normals(draw, "cytokines-visit", visits * len(CYTOKINES)).reshape(*pro.shape, len(CYTOKINES))
    person = p["cytokine.person-log-sd"] * people.cytokine_level[..., np.newaxis, :]
    centre = np.log([p[f"cytokine.{name}"] for name in CYTOKINES])
    shift = np.log(2) * np.where(IS_PRO, pro[..., np.newaxis], anti[..., np.newaxis])
    return np.exp(centre + scale * (person + p["cytokine.visit-log-sd"] * noise) + shift)


def visit_treg(people: People, since_screening: Floats, shift: Floats, draw: Draw, p: Parameters) -> Floats:
    """Regulatory T cells in % of CD4, (R, n, V); shift: what treatment adds in the same unit."""
    mean = p["treg.first"] - p["treg.rise"] * np.expm1(-np.maximum(since_screening, 0) / p["treg.rise-days"])
    return treg_about(people, mean, shift, draw, p)


def treg_about(people: People, mean: Floats, shift: Floats, draw: Draw, p: Parameters) -> Floats:
    """The same about any mean, (R, n, V) in % of CD4."""
    person = _log_sd(p["treg.person-sd"] / p["treg.typical"])
    within = _log_sd(
        p["treg.visit-sd"] / p["treg.typical"] / np.sqrt(1 + (p["treg.person-sd"] / p["treg.typical"]) ** 2)
    )
    z = person * people.treg_level[..., np.newaxis] + within * normals(draw, "treg-visit", shift.shape[-1])
    return np.clip(mean * np.exp(z - (person**2 + within**2) / 2) + shift, 0.01, HIGHEST_TREG)


def visit_cd4(people: People, visits: int, draw: Draw, p: Parameters) -> Floats:
    """CD4 cells per uL, (R, n, V)."""
    person, visit = p["cd4.person-log-sd"], p["cd4.visit-log-sd"]
    z = person * people.cd4_level[..., np.newaxis] + visit * normals(draw, "cd4-visit", visits)
    return p["cd4.mean"] * np.exp(z - (person**2 + visit**2) / 2)


def _log_sd(cv: float) -> float:
    """The SD of the logarithm that gives this coefficient of variation."""
    return float(np.sqrt(np.log1p(cv**2)))
