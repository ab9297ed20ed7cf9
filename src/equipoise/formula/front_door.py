"""``equipoise.mmrm``: a formula and a data frame in, a fitted model out."""

from __future__ import annotations

from typing import Any

import numpy as np

from equipoise.errors import InputError, Problem, shown
from equipoise.formula.design import design
from equipoise.formula.estimable import everything, without_empty_cells
from equipoise.formula.fitted import FittedMMRM
from equipoise.formula.grammar import parse
from equipoise.formula.model_frame import ModelFrame, model_frame
from equipoise.formula.options import inference
from equipoise.formula.schedule import asked, check_order
from equipoise.formula.tokens import plain
from equipoise.stats.arrays import Floats
from equipoise.stats.mmrm import MMRMFit, StructureName, fit_mmrm
from equipoise.stats.status import Status


def mmrm(
    formula: str,
    data: Any,
    *,
    method: str = "kenward-roger-linear",
    vcov: str | None = None,
    reml: bool = True,
    weights: Any = None,
    visits: Any = None,
    times: Any = None,
    drop_empty_visits: bool = False,
) -> FittedMMRM:
    """Fit a mixed model for repeated measures, written as in R: ``y ~ arm * visit + us(visit | person)``.

    formula: names, + - * : ^ ( ), 0 or 1, log, sqrt, exp and I(arithmetic), and one covariance term: us, cs, csh, ar1,
    ar1h, toep, toeph (visit | person), or ris(time | person), a random intercept and slope. It is never run.
    data: a polars or pandas frame with one row for each person and visit; rows with anything missing are left out.
    method: satterthwaite, kenward-roger, kenward-roger-linear or residual. vcov: None (the method's own: adjusted
    under Kenward-Roger, else asymptotic), asymptotic, or CR2 with satterthwaite; both also as R spells them.
    reml: restricted likelihood. weights: a column's name or an array; a value of weight w has a variance divided by w.
    visits: all values of the column of the visits, in their order in time; without it, the order of the column's
    categories or numbers. Text has none, and is refused where the order matters. times: the time of each of these, for
    distances in ar1, ar1h, toep and toeph, and the slope of ris. drop_empty_visits: a visit without any value
    keeps its place in distances unless this is True.

    Data that cannot be analysed give a result whose numbers are null and whose status says why.
    InputError: a formula, option or weights that cannot be used. DataError: data that do not fit the formula.
    SurroundingsError: formulaic is not installed (the extra ``formula``).
    """
    how = inference(method, vcov)
    if not isinstance(reml, bool | np.bool_):
        problem = Problem("equipoise.mmrm", None, "reml", "option", "It is True or False", "Give one.", shown(reml))
        raise InputError("the options cannot be used", [problem])
    if not reml and how.vcov == "adjusted":
        message = "Kenward and Roger's adjustment is one of restricted likelihood"
        remedy = "Take method='satterthwaite' with reml=False."
        problem = Problem("equipoise.mmrm", None, "reml", "option-pair", message, remedy, shown(f"method={method}"))
        raise InputError("the options cannot be used", [problem])
    parsed = parse(plain(formula))
    structure = parsed.covariance.structure
    wanted = asked(visits, times, drop_empty_visits, structure)
    frame = model_frame(parsed, data, weights, wanted)
    check_order(parsed, frame.schedule, how.by)
    made = design(parsed, frame)
    known = everything(made)
    fit = _fitted(frame, structure, made.columns, reml=bool(reml))
    if fit.status == Status.SINGULAR_DESIGN:
        fewer = without_empty_cells(made)
        if fewer is not None:
            known, fit = fewer, _fitted(frame, structure, made.columns[:, fewer.kept], reml=bool(reml))
    dependent = made.dependent() if fit.status == Status.SINGULAR_DESIGN else ()
    return FittedMMRM(parsed=parsed, frame=frame, design=made, known=known, inference=how, fit=fit, dependent=dependent)


def _fitted(frame: ModelFrame, structure: StructureName, columns: Floats, *, reml: bool) -> MMRMFit:
    return fit_mmrm(
        frame.outcome,
        columns,
        frame.subject,
        frame.visit,
        structure=structure,
        reml=reml,
        weights=frame.weights,
        visits=len(frame.visits),
        times=frame.times if structure == "ris" else None,
        places=frame.schedule.places,
    )
