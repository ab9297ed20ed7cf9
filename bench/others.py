"""Re-randomisation, counts, and how fast commands start."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from bench.clock import Row, peer, program, warm
from equipoise.randomisation import BigStick, Realised
from equipoise.stats import count_contrast, fit_negative_binomial, rerandomise_difference, step_down_differences

SEED = 20_261_002
DRAWS = 100_000


def rows() -> Iterator[Row]:
    """Every row of this subject."""
    yield from draws()
    yield counts()
    yield from starting()


def draws() -> Iterator[Row]:
    """Draws for 21 participants: the design, the test and its interval by inversion; and a panel of eight."""
    source = np.random.default_rng(SEED)
    design, uniforms = BigStick(2), source.random((DRAWS, 21))
    active = design.draw(Realised(21), source.random((1, 21)))[0] == 1
    outcome, baseline = source.normal(size=(8, 21)), source.normal(size=(8, 21, 1))
    everybody = np.ones((8, 21), np.bool_)

    def one() -> object:
        drawn = design.draw(Realised(21), uniforms) == 1
        return rerandomise_difference(outcome[:1], baseline[:1], everybody[:1], active[None], drawn)

    def panel() -> object:
        drawn = design.draw(Realised(21), uniforms) == 1
        return step_down_differences(outcome, baseline, everybody, active, drawn)

    ours, repeats = warm(one)
    what = f"{DRAWS:,} draws for 21 participants: design, test, interval"
    yield Row("re-randomisation", what, ours, repeats, 2.0, word="no program known to us draws from the design")
    ours, repeats = warm(panel)
    yield Row("panel", f"{DRAWS:,} draws: step-down minP of eight outcomes", ours, repeats, 2.0)


def counts() -> Row:
    """One negative binomial fit with Cox-Reid dispersion and its contrast."""
    source = np.random.default_rng(SEED)
    arm, years = np.repeat([0.0, 1.0], [11, 10]), source.uniform(0.7, 1.0, 21)
    y = source.poisson(6 * years * source.gamma(1 / 1.24, 1.24, 21)).astype(np.float64)
    design, everybody = np.stack([np.ones(21), arm], axis=1)[None], np.ones((1, 21), np.bool_)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "counts.csv"
        pl.DataFrame({"y": y, "arm": arm, "years": years}).write_csv(path)
        seconds, word = peer("counts", str(path))

    def run() -> object:
        return count_contrast(fit_negative_binomial(y[None], years[None], design, everybody), np.array([0.0, 1.0]))

    ours, repeats = warm(run)
    what = "negative binomial, 21 people, Cox-Reid dispersion, t"
    return Row("counts", what, ours, repeats, None, "MASS::glm.nb (unadjusted)", seconds, word)


def starting() -> Iterator[Row]:
    """Programs from their start."""
    yield Row("import-stats", "`import equipoise.stats`, from the start of Python", *_import("equipoise.stats"), 0.4)
    yield Row("import", "`import equipoise`, from the start of Python", *_import("equipoise"))
    help_ = program("-m", "equipoise", "--help")
    yield Row("help", "`equipoise --help`", help_, 5)
    with tempfile.TemporaryDirectory() as folder:
        trial = program("-m", "equipoise", "trial", "msc-t1d", "--seed", "1", "-o", folder, repeats=3)
    yield Row("trial", "`equipoise trial msc-t1d --seed 1`: simulate, analyse, report", trial, 3, 8.0)


def _import(name: str) -> tuple[float, int]:
    return program("-c", f"import {name}"), 5
