"""A contract for import-linter about rooms that the design names, whether or not they stand yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from importlinter.contracts.forbidden import ForbiddenContract

if TYPE_CHECKING:
    from collections.abc import Iterable

    from grimp import ImportGraph
    from importlinter.domain.contract import ContractCheck

ROOT = "equipoise."


class ForbiddenToRooms(ForbiddenContract):
    """As `forbidden`, except that a room of ours that does not stand yet can neither import nor be imported.

    The plain contract refuses a missing module, so a rule about a coming room would have to wait for it; this
    one holds from the room's first day.
    """

    type_name = "forbidden_to_rooms"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Check the rooms that stand."""
        self.source_modules: Any = _standing(self.source_modules, graph)
        self.forbidden_modules: Any = _standing(self.forbidden_modules, graph)
        return super().check(graph, verbose)


def _standing(modules: Iterable[Any], graph: ImportGraph) -> set[Any]:
    return {m for m in modules if not m.expression.startswith(ROOT) or m.expression in graph.modules}
