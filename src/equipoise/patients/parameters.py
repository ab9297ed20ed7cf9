"""The parameters of the simulated people: one table, each with its unit, value, range and where it comes from.

The table is data (parameters.toml). The code keeps units, definitions and the shapes of curves.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType

ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number of the model.

    source: a citation, `fitted to …`, or `assumed: ` and the reason.
    """

    id: str
    unit: str
    value: float
    low: float
    high: float
    source: str

    def __post_init__(self) -> None:
        if not self.low <= self.value <= self.high:
            message = f"{self.id}: the value {self.value} lies outside its range, {self.low} to {self.high}"
            raise ValueError(message)

    @property
    def assumed(self) -> bool:
        return self.source.startswith(ASSUMED)


class Parameters(Mapping[str, float]):
    """All values by id, never changed in place: `changed` gives a copy with other values, inside their ranges."""

    __slots__ = ("_rows", "_values")

    def __init__(self, rows: Mapping[str, Parameter]) -> None:
        self._rows = MappingProxyType(dict(rows))
        self._values = {name: row.value for name, row in rows.items()}

    def __getitem__(self, key: str) -> float:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def rows(self) -> Mapping[str, Parameter]:
        return self._rows

    def changed(self, values: Mapping[str, float]) -> Parameters:
        """A copy with these values. Raises ValueError for an unknown id or a value outside its range."""
        rows = dict(self._rows)
        for name, value in values.items():
            if name not in rows:
                message = f"{name}: no such parameter of the simulated people"
                raise ValueError(message)
            rows[name] = replace(rows[name], value=float(value))
        return Parameters(rows)


def read_table(text: str) -> dict[str, Parameter]:
    """The rows of a table: `["id"]` with `unit`, `value`, `range` and `source`, in the order of the text."""
    rows: dict[str, Parameter] = {}
    for name, row in tomllib.loads(text).items():
        low, high = map(float, row["range"])
        rows[name] = Parameter(name, row["unit"], float(row["value"]), low, high, row["source"])
    return rows


@cache
def default_parameters() -> Parameters:
    """The shipped table."""
    return Parameters(read_table(files("equipoise.patients").joinpath("parameters.toml").read_text("utf-8")))
