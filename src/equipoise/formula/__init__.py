"""The front door for those who come from R: a model as a formula, a data frame, and a table of coefficients."""

from __future__ import annotations

from equipoise.formula.fitted import FittedMMRM
from equipoise.formula.front_door import mmrm

__all__ = ["FittedMMRM", "mmrm"]
