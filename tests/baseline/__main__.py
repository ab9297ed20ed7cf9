"""Every leaf that differs from the stored baseline: `python -m tests.baseline`.

    (nothing)       make the four trials anew and compare
    --accept        make them anew and store them
    --only NAME …   only these
    A B             compare two folders or results.json files instead
    --within X      numbers that differ by less than this, relatively, are the same; default 0

A stored baseline holds every leaf of results.json and the digest of every file beside it. The exit status is 1 where
anything differs. Processors of another kind may give other last digits: compare there with --within.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.baseline.leaves import Leaves, differences
from tests.baseline.stored import read_leaves, write_leaves
from tests.baseline.trials import TRIALS, leaves_of_folder


def main(arguments: Sequence[str]) -> int:
    """Print the differences, or store what there is."""
    parser = argparse.ArgumentParser(prog="tests.baseline", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("two", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--accept", action="store_true")
    parser.add_argument("--only", nargs="*", choices=list(TRIALS), default=list(TRIALS))
    parser.add_argument("--within", type=float, default=0.0)
    options = parser.parse_args(arguments)
    if options.two:
        if len(options.two) != 2:
            parser.error("two folders are compared")
        return _told("", *(leaves_of_folder(path) for path in options.two), within=options.within)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="baseline-") as place:
        for name in options.only:
            made = leaves_of_folder(TRIALS[name](Path(place) / name))
            if options.accept:
                write_leaves(name, made)
            elif not (before := read_leaves(name)):
                sys.stdout.write(f"{name}: no baseline is stored; --accept stores one\n")
                failed = 1
            else:
                failed |= _told(f"{name}: ", before, made, within=options.within)
    return failed


def _told(start: str, before: Leaves, after: Leaves, *, within: float) -> int:
    found = differences(before, after, within)
    sys.stdout.writelines(f"{start}{difference}\n" for difference in found)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
