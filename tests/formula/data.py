"""Data of the tests, as a reader of R's files has them."""

from __future__ import annotations

from functools import cache

import polars as pl

from tests.stats.reference import REFERENCE

FEV = "FEV1 ~ RACE + SEX + ARMCD * AVISIT + us(AVISIT | USUBJID)"


def fev_frame(folder):
    """The FEV data: words as words, but for the visits and the factor whose levels are not in alphabetical order."""
    frame = pl.read_csv(folder / "fev_data.csv", null_values="NA")
    visits = pl.col("AVISIT").cast(pl.Enum([f"VIS{number}" for number in range(1, 5)]))
    return frame.with_columns(pl.col("SEX").cast(pl.Enum(["Male", "Female"])), visits)


@cache
def invented():
    """The invented trial of reference/formula, with factors ordered as the script orders them."""
    frame = pl.read_csv(REFERENCE / "formula" / "formula.csv")
    ordered = pl.col("a").cast(pl.Enum(["v", "gone", "u", "w"])), pl.col("b").cast(pl.Enum(["low", "high"]))
    return frame.with_columns(*ordered, pl.col("flag").cast(pl.String).str.to_lowercase() == "true")
