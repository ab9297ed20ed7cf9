"""Mixed models for repeated measures: one fit, its inference, and what to do when there is none."""

from __future__ import annotations

from equipoise.stats.mmrm.contrasts import Method, coefficient_covariance, contrast, joint_test
from equipoise.stats.mmrm.fit import Diagnosis, MMRMFit, fit_mmrm
from equipoise.stats.mmrm.ladder import RUNGS, Climb, Rung, climb_down
from equipoise.stats.mmrm.random_effects import RandomEffects, implied
from equipoise.stats.mmrm.structures import StructureName
from equipoise.stats.mmrm.visits import VisitDesign, visit_design

__all__ = [
    "RUNGS",
    "Climb",
    "Diagnosis",
    "MMRMFit",
    "Method",
    "RandomEffects",
    "Rung",
    "StructureName",
    "VisitDesign",
    "climb_down",
    "coefficient_covariance",
    "contrast",
    "fit_mmrm",
    "implied",
    "joint_test",
    "visit_design",
]
