"""Changes to a document from the command line: ``--set protocol.randomisation.participants=400``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from equipoise.errors import InputError, Problem
from equipoise.source.document import Document, parse_document
from equipoise.source.paths import with_value

FILE = "--set"


def with_changes(document: Document, changes: Sequence[str], scope: str) -> Document:
    """The document with changes ``scope.path=value``, in their order; the value is YAML.

    Changes of another scope are left alone. A changed value keeps the line on which the old one stood. Raises
    InputError where a change has no value or its path leads nowhere.
    """
    data = document.data
    mine = [change for change in changes if change.split("=", 1)[0].split(".", 1)[0] == scope]
    for change in mine:
        path, equals, text = change.partition("=")
        inner = path.removeprefix(scope).removeprefix(".")
        if not equals or not inner:
            raise _refused(change, "set-form", "there is no path or no value", f"Write {scope}.path=value.")
        value = parse_document(f"value: {text}\n".encode(), FILE).data["value"]
        try:
            data = with_value(data, inner, value)
        except KeyError as error:
            message = f"the path {error.args[0]!r} leads nowhere in {document.file}"
            raise _refused(change, "set-path", message, "Name items of lists by their id.") from None
    return dataclasses.replace(document, data=data, changed=True) if mine else document


def check_scopes(changes: Sequence[str], scopes: Sequence[str]) -> None:
    """Refuse changes of anything but `scopes`; raises InputError."""
    for change in changes:
        if change.split("=", 1)[0].split(".", 1)[0] not in scopes:
            remedy = f"Begin the path with {' or '.join(f'{scope}.' for scope in scopes)}."
            raise _refused(change, "set-scope", "this command has nothing of that name to change", remedy)


def as_written(document: Document) -> str:
    """A changed document as text that reads back to the same data: JSON, which is YAML."""
    head = f"# {document.file} with changes from the command line.\n"
    return head + json.dumps(document.data, indent=1, ensure_ascii=False) + "\n"


def _refused(change: str, rule: str, message: str, remedy: str) -> InputError:
    return InputError(f"cannot make the change {change!r}", [Problem(FILE, None, change, rule, message, remedy)])
