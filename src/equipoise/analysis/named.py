"""A method or derivation by the name that a protocol gives it, or what is wrong with the name, at its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from equipoise.analysis.registered import OWN, AmbiguousError, Registered, UnusableError
from equipoise.analysis.registry import derivations, methods
from equipoise.errors import EquipoiseError, Problem, SurroundingsError
from equipoise.protocol.model import Protocol
from equipoise.source.paths import Step

T = TypeVar("T")


def named(
    registered: Registered[T], name: str, protocol: Protocol, at: tuple[Step, ...]
) -> tuple[T | None, list[Problem]]:
    """What is registered by a name, else the problem: nothing is, or two packages register it.

    at: where the protocol names it; its last step says what it is. Raises SurroundingsError where it cannot be loaded.
    """
    what = str(at[-1])
    try:
        return registered[name], []
    except KeyError:
        message, rule = f"no {what} of this name is registered", f"known-{what}"
        remedy = f"Name one of: {', '.join(sorted(registered))}."
    except AmbiguousError as error:
        message, rule = f"several packages register a {what} of this name: {error}", f"{what}-once"
        remedy = "Uninstall all but the one that is meant, or let the others choose another name."
    except UnusableError as error:
        message = f"{error.target}, which {error.origin} registers, cannot be used: {error.reason}"
        remedy = f"Mend, update or uninstall {error.origin.package}, or name another {what}."
        problem = protocol.document.problem(at, f"{what}-loads", message, remedy, name)
        raise SurroundingsError(f"a {what} of {protocol.path} cannot be loaded", [problem]) from None
    return None, [protocol.document.problem(at, rule, message, remedy, name)]


@contextmanager
def answerable(registered: Registered[Any], name: str, protocol: Protocol, at: tuple[Step, ...]) -> Iterator[None]:
    """While another package's code runs: what it raises is told as its own failure, at the place that names it.

    Raises SurroundingsError for it; errors of our own code, and those that are told already, are left as they are.
    """
    try:
        yield
    except EquipoiseError:
        raise
    except Exception as error:
        origin = registered.origin(name)
        if origin.package == OWN:
            raise
        what = str(at[-1])
        message = f"{origin}, which registers this {what}, failed: {type(error).__name__}: {error}"
        remedy = f"Tell the authors of {origin.package}, or name another {what}."
        problem = protocol.document.problem(at, f"{what}-runs", message, remedy, name)
        raise SurroundingsError(f"a {what} of {protocol.path} failed", [problem]) from error


def origins(protocol: Protocol) -> Mapping[str, Mapping[str, str]]:
    """The package and version of every method and derivation that a protocol names, by ``method NAME`` and the like."""
    used = {("method", analysis.method) for analysis in protocol.analyses}
    used |= {("derivation", parameter.derivation) for parameter in protocol.parameters}
    found: dict[str, Mapping[str, str]] = {}
    for what, name in sorted(used):
        registered = methods() if what == "method" else derivations()
        origin = registered.origin(name)
        found[f"{what} {name}"] = {"package": origin.package, "version": origin.version}
    return found
