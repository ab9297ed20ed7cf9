"""equipoise: plan, rehearse, run, analyse and report a small placebo-controlled trial from one protocol file.

The commands are functions here, loaded when first used:

    import equipoise
    equipoise.trial("msc-t1d", "out/model-trial", seed=1)
    equipoise.check("t1dal")
    equipoise.import_trial("t1dal", "data/t1dal", "out")
    equipoise.analyse("t1dal", "out", "out")
    equipoise.report("out")
    equipoise.verify("out")
    equipoise.mmrm("FEV1 ~ ARMCD * AVISIT + us(AVISIT | USUBJID)", data)
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from equipoise.formula import mmrm as mmrm
    from equipoise.verbs.amending import amend as amend
    from equipoise.verbs.analysing import analyse as analyse
    from equipoise.verbs.checking import check as check
    from equipoise.verbs.exporting import conform as conform
    from equipoise.verbs.exporting import export as export
    from equipoise.verbs.importing import import_trial as import_trial
    from equipoise.verbs.importing import preview_import as preview_import
    from equipoise.verbs.planning import sap as sap
    from equipoise.verbs.reporting import report as report
    from equipoise.verbs.sealing import seal as seal
    from equipoise.verbs.simulating import simulate as simulate
    from equipoise.verbs.simulating import trial as trial
    from equipoise.verbs.verifying import verify as verify

_VERBS = {
    "amend": "equipoise.verbs.amending",
    "analyse": "equipoise.verbs.analysing",
    "check": "equipoise.verbs.checking",
    "conform": "equipoise.verbs.exporting",
    "export": "equipoise.verbs.exporting",
    "import_trial": "equipoise.verbs.importing",
    "mmrm": "equipoise.formula",
    "preview_import": "equipoise.verbs.importing",
    "report": "equipoise.verbs.reporting",
    "sap": "equipoise.verbs.planning",
    "seal": "equipoise.verbs.sealing",
    "simulate": "equipoise.verbs.simulating",
    "trial": "equipoise.verbs.simulating",
    "verify": "equipoise.verbs.verifying",
}

__all__ = [
    "amend",
    "analyse",
    "check",
    "conform",
    "export",
    "import_trial",
    "mmrm",
    "report",
    "sap",
    "seal",
    "simulate",
    "trial",
    "verify",
]


class _Package(ModuleType):
    """A verb and a room may share a name (`report`): here it is the verb; the room is reached by importing from it.

    Without this, importing the room would put the module in the verb's place.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _VERBS and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    """Load a verb when it is first asked for."""
    if name not in _VERBS:
        raise AttributeError(f"module 'equipoise' has no attribute {name!r}")
    return getattr(import_module(_VERBS[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_VERBS])
