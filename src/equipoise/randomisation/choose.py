"""From the names and numbers that a protocol holds to a procedure."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from equipoise.randomisation.arrays import written
from equipoise.randomisation.big_stick import BigStick
from equipoise.randomisation.maximal_procedure import MaximalProcedure
from equipoise.randomisation.minimisation import Minimisation
from equipoise.randomisation.permuted_blocks import PermutedBlocks
from equipoise.randomisation.simple import Simple
from equipoise.randomisation.stratified import Stratified
from equipoise.randomisation.walk import Sequential

NEEDS = MappingProxyType(
    {
        "simple": None,
        "permuted-blocks": "block_sizes",
        "big-stick": "limit",
        "maximal-procedure": "limit",
        "minimisation": "probability",
    }
)
"""The one option that each method needs; any other is refused, since it would do nothing."""


def procedure(
    method: str,
    *,
    ratio: tuple[int, ...] = (1, 1),
    block_sizes: tuple[int, ...] = (),
    limit: int | None = None,
    probability: float | None = None,
    length: int | None = None,
    stratified: bool = False,
) -> Sequential:
    """The procedure of this name.

    length:      slots of the list (in each stratum): the number of participants planned. Only the maximal procedure
                 depends on it, and only it looks at it.
    stratified:  an independent sequence in each stratum; minimisation takes strata as its factors in any case.
    ValueError:  an unknown method, an option that is missing, out of range or of no use to the method, or a ratio for
                 which it is not defined.
    """
    if method not in NEEDS:
        raise ValueError(f"there is no method {method!r}; there are {', '.join(NEEDS)}")
    options = {"block_sizes": block_sizes or None, "limit": limit, "probability": probability}
    for name, value in options.items():
        if NEEDS[method] == name and value is None:
            raise ValueError(f"{method} needs {name}")
        if NEEDS[method] != name and value is not None:
            raise ValueError(f"{method} does not use {name}")
    if method in ("big-stick", "maximal-procedure") and tuple(ratio) != (1, 1):
        raise ValueError(f"{method} is defined for two arms at 1:1, not {written(tuple(ratio))}: use permuted-blocks")
    make: dict[str, Callable[[], Sequential]] = {
        "simple": lambda: Simple(tuple(ratio)),
        "permuted-blocks": lambda: PermutedBlocks(tuple(block_sizes), tuple(ratio)),
        "big-stick": lambda: BigStick(limit or 0),
        "maximal-procedure": lambda: MaximalProcedure(limit or 0, length),
        "minimisation": lambda: Minimisation(probability or 0.0, tuple(ratio)),
    }
    made = make[method]()
    return Stratified(made) if stratified and method != "minimisation" else made
