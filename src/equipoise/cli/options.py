"""Options and words that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

Format = Literal["html", "pdf", "docx"]
FORMATS = ("html", "pdf", "docx")
Kind = Literal["csv", "parquet", "xpt", "dataset-json", "usdm"]
KINDS = ("csv", "parquet", "xpt", "dataset-json", "usdm")
FOLDER = click.Path(path_type=Path)
SET = click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="PATH=VALUE",
    help="Change a value, as protocol.arms.a.ratio=2 or scenario.dropout=0.2.",
)
FORMATS_WANTED = click.option(
    "--format",
    "formats",
    type=click.Choice(FORMATS),
    multiple=True,
    default=["html"],
    show_default=True,
    help="Of the document; may be given more than once.",
)
CHANCES = click.option(
    "--chances", type=FOLDER, metavar="FILE", help="Chances of each verdict to show, instead of the package's own."
)
OUTPUT = click.option("-o", "--output", required=True, type=FOLDER, help="Folder to write.")
SCENARIO = click.option("--scenario", help="Scenario file, or a shipped name; default: the protocol's own.")
SEED = click.option("--seed", type=click.IntRange(0), help="Seed; default: a fresh one, printed and stored.")
TRUTH = click.option("--truth", type=FOLDER, help="A file of the population's true values, to be shown beside.")
