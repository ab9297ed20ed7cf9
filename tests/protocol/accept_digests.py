"""Write the digests of the shipped protocols, as they are now, into golden_digests.yaml.

    python -m tests.protocol.accept_digests

Run it when the content of a shipped protocol was changed on purpose, and never to quieten a change of the reader.
"""

from __future__ import annotations

from pathlib import Path

from equipoise.protocol.load import load_protocol, shipped_protocols

GOLDEN = Path(__file__).with_name("golden_digests.yaml")
HEADER = """\
# Digests of the shipped protocols and of the files that they name, which must not change unless their content does.
# After a change of content: python -m tests.protocol.accept_digests
"""


def current_digests() -> dict[str, dict[str, str]]:
    """For each shipped protocol its own digest and those of its files, by name."""
    protocols = {name: load_protocol(name) for name in shipped_protocols()}
    return {name: {"protocol": protocol.digest, **protocol.files} for name, protocol in protocols.items()}


def as_yaml(digests: dict[str, dict[str, str]]) -> str:
    """The text of the golden file."""
    parts = [
        f"{name}:\n" + "".join(f"  {file}: {digest}\n" for file, digest in of.items()) for name, of in digests.items()
    ]
    return HEADER + "".join(parts)


if __name__ == "__main__":
    GOLDEN.write_text(as_yaml(current_digests()), encoding="utf-8")
