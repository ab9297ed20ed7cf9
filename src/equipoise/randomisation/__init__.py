"""Allocation sequences, what a re-randomisation test draws from, and lists that nobody can read or bend.

A procedure is a frozen dataclass (`Simple`, `PermutedBlocks`, `BigStick`, `MaximalProcedure`, `Minimisation`, each of
the first four also `Stratified`); `procedure` makes one from the names of a protocol. All randomness comes from the
caller as uniforms, one for each participant: equal uniforms, equal arms. Arms and strata are numbers from 0.

    allocate                  the arms of many trials at once
    draw, enumerate           the reference set of a re-randomisation test, given what happened (`Realised`)
    correct_guesses           how often the next arm is guessed
    seal, commit, reveal      an allocation list that is bound by one published hash
    verify_row, verify_list   what in it was changed since
"""

from __future__ import annotations

from equipoise.randomisation.big_stick import BigStick
from equipoise.randomisation.choose import procedure
from equipoise.randomisation.commitment import (
    Commitment,
    Revelation,
    Row,
    SealedList,
    SealedRow,
    Terms,
    commit,
    fresh_nonces,
    reveal,
    seal,
    verify_list,
    verify_published,
    verify_row,
)
from equipoise.randomisation.maximal_procedure import MaximalProcedure
from equipoise.randomisation.minimisation import Minimisation
from equipoise.randomisation.permuted_blocks import PermutedBlocks
from equipoise.randomisation.predictability import Guesses, correct_guesses, simulated_guesses
from equipoise.randomisation.procedure import Procedure, Realised, ReferenceSet
from equipoise.randomisation.simple import Simple
from equipoise.randomisation.stratified import Stratified, cells

__all__ = [
    "BigStick",
    "Commitment",
    "Guesses",
    "MaximalProcedure",
    "Minimisation",
    "PermutedBlocks",
    "Procedure",
    "Realised",
    "ReferenceSet",
    "Revelation",
    "Row",
    "SealedList",
    "SealedRow",
    "Simple",
    "Stratified",
    "Terms",
    "cells",
    "commit",
    "correct_guesses",
    "fresh_nonces",
    "procedure",
    "reveal",
    "seal",
    "simulated_guesses",
    "verify_list",
    "verify_published",
    "verify_row",
]
