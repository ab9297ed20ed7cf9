"""That something is going on: a moving bar with the time so far, on a terminal and nowhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def working(task: str) -> Iterator[None]:
    """Show `task` on standard error while the block runs, and take it away at its end.

    The bar has no length: no verb knows how much of its work is left. Where standard error is no terminal, or one that
    cannot take a line back, nothing is written and rich is not loaded.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    # What the verb itself prints must reach standard output as it is.
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as progress:
        progress.add_task(task, total=None)
        yield
