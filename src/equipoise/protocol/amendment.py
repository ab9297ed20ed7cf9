"""Amendments: a whole new document that names the digest of the one it replaces, and what they differ in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from equipoise.errors import InputError, Problem
from equipoise.protocol.model import Protocol
from equipoise.source.digest import canonical_json
from equipoise.source.paths import Step, format_path, identity

Kind = Literal["added", "removed", "changed", "reordered"]
Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two versions of a protocol.

    path:    where it stands: in the new document, or in the old one for what was removed; a file that the
             document names is ``files.[NAME]``, and its values are digests.
    before:  the old value (None where it was added); the old order of ids for a list that was reordered.
    after:   the new value (None where it was removed); the new order.
    """

    path: str
    before: Any
    after: Any
    kind: Kind


def difference(old: Protocol, new: Protocol) -> tuple[Change, ...]:
    """What the new protocol says differently from the old one, in the order of the new document.

    The authored documents are compared: items of lists are matched by their id (or name), other lists are
    compared whole, and numbers by value, as digests do. `amends`, which must differ, is left out.
    """
    changes = list(_Comparison(old.document.data, new.document.data).mappings((), ()))
    for name in [*new.files, *(name for name in old.files if name not in new.files)]:
        change = _change(format_path({}, ("files", name)), old.files.get(name), new.files.get(name))
        changes += change
    return tuple(change for change in changes if change.path != "amends")


def check_chain(protocols: Sequence[Protocol]) -> None:
    """Check that each protocol amends the one before it, and the first none.

    Raises InputError with a problem for every link that does not hold.
    """
    problems = [problem for protocol in protocols[:1] for problem in _begins(protocol)]
    for previous, protocol in pairwise(protocols):
        problems += _follows(previous, protocol)
    if problems:
        raise InputError("these protocols are no chain of amendments", problems)


def _begins(protocol: Protocol) -> Iterator[Problem]:
    if protocol.authored.amends is not None:
        message = "the first protocol of a chain amends none"
        remedy = "Begin with the protocol that it amends."
        yield protocol.document.problem(("amends",), "chain-begins", message, remedy)


def _follows(previous: Protocol, protocol: Protocol) -> Iterator[Problem]:
    if protocol.authored.amends != previous.digest:
        message = f"the protocol does not amend the one before it, {previous.path}"
        yield protocol.document.problem(("amends",), "amends-previous", message, f"Write amends: {previous.digest}")
    if protocol.id != previous.id:
        message = f"the protocol is of another study than the one before it, {previous.id!r}"
        yield protocol.document.problem(("id",), "amends-same-study", message, "Keep the id of the study.")


def earlier_versions(protocol: Protocol, documents: Iterable[Protocol]) -> tuple[Protocol, ...]:
    """Those of `documents` that `protocol` amends, and that those amend in turn, oldest first."""
    known = {document.digest: document for document in documents}
    found: list[Protocol] = []
    while (before := known.pop((found or [protocol])[-1].authored.amends or "", None)) is not None:
        found.append(before)
    return tuple(reversed(found))


def chain_of(protocol: Protocol, earlier: Sequence[Protocol]) -> tuple[str, ...]:
    """The digests of a protocol and of every earlier version that is named, oldest first.

    earlier: as `earlier_versions` gives them; the first may itself amend a document of which only the digest is known.
    """
    documents = (*earlier, protocol)
    oldest = documents[0].authored.amends
    return (*([] if oldest is None else [oldest]), *(document.digest for document in documents))


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Compares two documents; `old` and `new` are steps to the same part of each."""

    before: Any
    after: Any

    def mappings(self, old: Steps, new: Steps) -> Iterator[Change]:
        was, now = _at(self.before, old), _at(self.after, new)
        for key in now:
            if key in was:
                yield from self._values((*old, key), (*new, key))
            else:
                yield Change(format_path(self.after, (*new, key)), None, now[key], "added")
        for key in was:
            if key not in now:
                yield Change(format_path(self.before, (*old, key)), was[key], None, "removed")

    def _values(self, old: Steps, new: Steps) -> Iterator[Change]:
        was, now = _at(self.before, old), _at(self.after, new)
        if isinstance(was, dict) and isinstance(now, dict):
            yield from self.mappings(old, new)
        elif _names(was) is not None and _names(now) is not None:
            yield from self._items(old, new)
        else:
            yield from _change(format_path(self.after, new), was, now)

    def _items(self, old: Steps, new: Steps) -> Iterator[Change]:
        was, now = _names(_at(self.before, old)) or {}, _names(_at(self.after, new)) or {}
        for name, index in now.items():
            if name in was:
                yield from self.mappings((*old, was[name]), (*new, index))
            else:
                steps = (*new, index)
                yield Change(format_path(self.after, steps), None, _at(self.after, steps), "added")
        for name, index in was.items():
            if name not in now:
                steps = (*old, index)
                yield Change(format_path(self.before, steps), _at(self.before, steps), None, "removed")
        kept = [name for name in was if name in now], [name for name in now if name in was]
        if kept[0] != kept[1]:
            yield Change(format_path(self.after, new), *kept, "reordered")


def _at(data: Any, steps: Steps) -> Any:
    for step in steps:
        data = data[step]
    return data


def _names(value: Any) -> dict[str, int] | None:
    """The items' ids and places, of a list in which each item has an id of its own."""
    if not isinstance(value, list):
        return None
    names = [identity(item) for item in value]
    known = {name: index for index, name in enumerate(names) if name is not None}
    return known if value and len(known) == len(value) else None


def _change(path: str, before: Any, after: Any) -> list[Change]:
    if canonical_json(before) == canonical_json(after):
        return []
    if before is None or after is None:
        return [Change(path, before, after, "added" if before is None else "removed")]
    return [Change(path, before, after, "changed")]
