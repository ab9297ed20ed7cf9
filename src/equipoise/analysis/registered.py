"""What installed packages register by entry points, loaded one at a time when it is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

OWN = "equipoise"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Origin:
    """The installed distribution that registers something, and its version."""

    package: str
    version: str

    def __str__(self) -> str:
        return f"{self.package} {self.version}"


class AmbiguousError(Exception):
    """One name that several entry points give; `origins` are their distributions."""

    def __init__(self, origins: tuple[Origin, ...]) -> None:
        self.origins = origins
        super().__init__(" and ".join(map(str, origins)))


class UnusableError(Exception):
    """An entry point whose object cannot be loaded, or is something else than it must be, with the reason."""

    def __init__(self, origin: Origin, target: str, reason: str) -> None:
        self.origin, self.target, self.reason = origin, target, reason
        super().__init__(f"{target} of {origin}: {reason}")


class Registered(Mapping[str, T], Generic[T]):
    """Registered objects by name.

    `[name]` loads one. It raises KeyError where nothing has this name, AmbiguousError where several packages register
    it, UnusableError where it cannot be loaded. Names are known without loading anything.
    """

    def __init__(self, kind: type[T], points: Mapping[str, tuple[EntryPoint, ...]]) -> None:
        self._kind, self._points = kind, points
        self._loaded: dict[str, T] = {}

    @classmethod
    def of(cls, group: str, kind: type[T]) -> Registered[T]:
        """What is registered in a group of entry points, as objects of a class that have a `name`."""
        found: dict[str, dict[tuple[str, Origin], EntryPoint]] = {}
        for point in entry_points(group=group):  # the same line of one package counts once, however often it is found
            found.setdefault(point.name, {})[point.value, _origin(point)] = point
        return cls(kind, {name: tuple(points.values()) for name, points in found.items()})

    def __iter__(self) -> Iterator[str]:
        return iter(self._points)

    def __len__(self) -> int:
        return len(self._points)

    def __contains__(self, name: object) -> bool:
        return name in self._points

    def __getitem__(self, name: str) -> T:
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def _load(self, name: str) -> T:
        point, *others = self._points[name]
        if others:
            raise AmbiguousError(tuple(sorted((_origin(one) for one in (point, *others)), key=str)))
        try:
            found = point.load()
        except Exception as error:  # another package's module may end in anything while it is imported
            raise UnusableError(_origin(point), point.value, f"{type(error).__name__}: {error}") from error
        if not isinstance(found, self._kind):
            raise UnusableError(_origin(point), point.value, f"it is no {self._kind.__name__}")
        if getattr(found, "name", name) != name:
            raise UnusableError(_origin(point), point.value, f"it calls itself {getattr(found, 'name', '')!r}")
        return found

    def usable(self, name: str) -> T | None:
        """The object of this name; None where there is none, or none that can be used."""
        try:
            return self[name]
        except (KeyError, AmbiguousError, UnusableError):
            return None

    def origin(self, name: str) -> Origin:
        """The distribution that registers a name; raises KeyError."""
        return _origin(self._points[name][0])

    def own(self) -> dict[str, T]:
        """All that this package registers itself, by name; others are not loaded."""
        ours = (name for name, points in self._points.items() if {_origin(p).package for p in points} == {OWN})
        return {name: self[name] for name in sorted(ours)}


def _origin(point: EntryPoint) -> Origin:
    distribution = point.dist
    return Origin("unknown", "") if distribution is None else Origin(distribution.name, distribution.version)
