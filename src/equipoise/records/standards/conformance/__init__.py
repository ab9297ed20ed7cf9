"""Our own conformance checks of SDTM and ADaM datasets, ours or anybody's; docs/standards.md lists the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from equipoise.records.standards.conformance.rules import ADAM_RULES, SDTM_RULES, Rule
from equipoise.records.standards.conformance.study import Finding, Study

__all__ = ["ADAM_RULES", "SDTM_RULES", "Finding", "Rule", "check_adam", "check_sdtm"]


def check_sdtm(frames: Mapping[str, pl.DataFrame]) -> tuple[Finding, ...]:
    """Findings in SDTM datasets by name (``dm``, ``lbch``, ``suppae``; any case), in the order of the rules."""
    return _checked(SDTM_RULES, Study.of(frames))


def check_adam(frames: Mapping[str, pl.DataFrame]) -> tuple[Finding, ...]:
    """Findings in analysis datasets by name (``adsl``, …; any case), in the order of the rules."""
    return _checked(ADAM_RULES, Study.of(frames))


def _checked(rules: tuple[Rule, ...], study: Study) -> tuple[Finding, ...]:
    return tuple(replace(finding, rule=rule.id) for rule in rules for finding in rule.check(study))
