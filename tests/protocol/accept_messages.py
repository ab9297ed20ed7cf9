"""Write beside each broken protocol what its author is told now.

    python -m tests.protocol.accept_messages

Run it after a change of words, and read the difference: each message must still be clear and true.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from equipoise.errors import InputError
from equipoise.protocol.load import load_protocol
from tests.protocol.places import INVALID


def message(path: Path) -> str:
    """What is told of a broken protocol, its files named as seen from its own folder."""
    with contextlib.chdir(path.parent):
        try:
            load_protocol(path.name)
        except InputError as error:
            return f"{error}\n"
    raise ValueError(f"{path.name} is not broken")


if __name__ == "__main__":
    for broken in INVALID:
        broken.with_suffix(".txt").write_text(message(broken), encoding="utf-8")
