"""Makes objects of the model: each with its class and an id that is unique in its document."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

from equipoise.records.standards.usdm.structure import CLASSES
from equipoise.records.standards.usdm.terms import NOT_STATED, SYSTEM, VERSION, Term

Json = dict[str, Any]
OWN_SYSTEM = "equipoise"


class Maker:
    """Objects of one document; lists that are not given are empty, attributes that are None are left out."""

    def __init__(self) -> None:
        self._made: Counter[str] = Counter()

    def __call__(self, kind: str, **attributes: Any) -> Json:
        self._made[kind] += 1
        lists = {item.name: [] for item in CLASSES[kind] if item.many}
        given = {name: value for name, value in attributes.items() if value is not None}
        return {"id": f"{kind}_{self._made[kind]}", **lists, **given, "instanceType": kind}

    def code(self, term: Term) -> Json:
        """A term of CDISC's, or one that says what the protocol file does not."""
        own = term.code == NOT_STATED.code
        return self(
            "Code",
            code=term.code,
            codeSystem=OWN_SYSTEM if own else SYSTEM,
            codeSystemVersion="1" if own else VERSION,
            decode=term.name,
        )

    def alias(self, term: Term) -> Json:
        """A term where the model allows others beside it."""
        return self("AliasCode", standardCode=self.code(term))

    def quantity(self, value: float, unit: Term | None) -> Json:
        """A number with its unit."""
        return self("Quantity", value=float(value), unit=None if unit is None else self.alias(unit))


def chained(items: list[Json]) -> list[Json]:
    """Each object names the one before and the one after it."""
    for before, after in pairwise(items):
        before["nextId"], after["previousId"] = after["id"], before["id"]
    return items
