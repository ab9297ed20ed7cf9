"""REDCap exports: the data dictionary says what every cell may hold, and cells become the words of its choices.

A map that names a project's dictionary (the project's own CSV, or the metadata of its interface) reads the records file
as any other, row filters choosing events (`redcap_event_name`) and repeating instruments. Before that every cell is
held to the dictionary, coded choices become their labels, so that maps read the same from raw and labelled exports, and
fields that identify a person are refused but for the participant's own id.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from equipoise.errors import Problem, shown
from equipoise.records.importing.read_table import TextTable

_HEADERS = {
    "name": ("Variable / Field Name", "field_name"),
    "form": ("Form Name", "form_name"),
    "type": ("Field Type", "field_type"),
    "choices": ("Choices, Calculations, OR Slider Labels", "select_choices_or_calculations"),
    "validation": (
        "Text Validation Type OR Show Slider Number",
        "text_validation_type_or_show_slider_number",
    ),
    "low": ("Text Validation Min", "text_validation_min"),
    "high": ("Text Validation Max", "text_validation_max"),
    "identifier": ("Identifier?", "identifier"),
    "branching": ("Branching Logic (Show field only if...)", "branching_logic"),
    "required": ("Required Field?", "required_field"),
}
_SYSTEM = {
    "redcap_event_name",
    "redcap_repeat_instrument",
    "redcap_repeat_instance",
    "redcap_data_access_group",
    "redcap_survey_identifier",
}
_FIXED = {"yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"}}
_CHECKED = {"1": "Checked", "0": "Unchecked"}
_COMPLETE = {"0": "Incomplete", "1": "Unverified", "2": "Complete"}
_NUMBERS = ("number", "integer", "slider", "calc")
MOST = 20
"""Problems of one kind in one column that are told."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the project: its form, how it is validated, and what its codes mean."""

    name: str
    form: str
    type: str
    choices: Mapping[str, str]
    validation: str
    low: str
    high: str
    identifier: bool
    conditional: bool
    required: bool


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A project's fields by name; the first is the record's id."""

    fields: Mapping[str, Field]

    @property
    def id_field(self) -> str:
        return next(iter(self.fields))

    @property
    def forms(self) -> frozenset[str]:
        return frozenset(field.form for field in self.fields.values())

    def of(self, column: str) -> Field | None:
        """The field behind a column of an export; a checkbox has a column for each choice (``field___code``)."""
        return self.fields.get(column) or self.fields.get(column.partition("___")[0])

    def knows(self, column: str) -> bool:
        """Whether an export may have this column."""
        form = column.removesuffix("_complete") if column.endswith("_complete") else column.removesuffix("_timestamp")
        return column in _SYSTEM or self.of(column) is not None or (form != column and form in self.forms)


def read_dictionary(table: TextTable) -> tuple[Dictionary | None, list[Problem]]:
    """The fields of a data dictionary that has been read as a file."""
    names: dict[str, str] = {}
    for key, (label, plain) in _HEADERS.items():
        found = next((header for header in table.header if header.lower() in (label.lower(), plain)), None)
        if found is not None:
            names[key] = found
    missing = [_HEADERS[key][0] for key in ("name", "form", "type", "choices") if key not in names]
    if missing or not table.rows:
        what = f"the columns {', '.join(map(repr, missing))} are missing" if missing else "it names no field"
        remedy = "Give the project's data dictionary, as REDCap exports it."
        return None, [Problem(table.name, 1, "", "redcap-dictionary", f"this is no data dictionary: {what}", remedy)]
    fields = {}
    for cells in table.rows:
        given = {key: cells[header] for key, header in names.items()}
        field = _field(given)
        fields[field.name] = field
    return Dictionary(fields), []


def _field(given: Mapping[str, str]) -> Field:
    kind = given["type"].lower()
    choices = _FIXED.get(kind) or (_choices(given["choices"]) if kind in ("radio", "dropdown", "checkbox") else {})
    return Field(
        name=given["name"],
        form=given["form"],
        type=kind,
        choices=choices,
        validation=given.get("validation", "").lower(),
        low=given.get("low", ""),
        high=given.get("high", ""),
        identifier=given.get("identifier", "").lower() == "y",
        conditional=bool(given.get("branching")),
        required=given.get("required", "").lower() == "y",
    )


def _choices(text: str) -> dict[str, str]:
    """``1, Female | 2, Male``: codes with their labels; a label may hold commas."""
    pairs = (part.partition(",") for part in text.split("|"))
    return {code.strip(): label.strip() for code, _, label in pairs if code.strip()}


@dataclass(frozen=True, slots=True)
class Decoded:
    """Records with words for codes, what is wrong with them, and what is only odd."""

    table: TextTable
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def decoded(table: TextTable, dictionary: Dictionary, missing: Iterable[str] = ()) -> Decoded:
    """An export's records held to the dictionary; `missing` are the project's codes for missing data.

    Coded choices become their labels, also in checkboxes and in the states of forms; labels stay as they are.
    """
    strange = [name for name in table.header if not dictionary.knows(name)]
    if dictionary.id_field not in table.header:
        message = f"the record's id, {dictionary.id_field!r}, is no column"
        remedy = "Export with variable names as headers (raw headers), whatever the cells hold."
        return Decoded(table, (Problem(table.name, 1, "", "redcap-header", message, remedy),), ())
    problems = [
        Problem(
            table.name, 1, name, "redcap-column", "the dictionary has no such field", "Export both from one project."
        )
        for name in strange
    ]
    codes = {name: _codes(dictionary, name) for name in table.header}
    absent = frozenset(missing)
    rows = tuple(
        {name: "" if cell in absent else codes[name].get(cell, cell) for name, cell in cells.items()}
        for cells in table.rows
    )
    done = TextTable(table.name, table.header, rows, table.lines)
    warnings: list[Problem] = []
    for name in table.header:
        field = dictionary.of(name)
        if field is not None:
            wrong, odd = _checked(done, name, field)
            problems += wrong
            warnings += odd
    warnings += _unfinished(done, dictionary)
    return Decoded(done, tuple(problems), tuple(warnings))


def _codes(dictionary: Dictionary, column: str) -> Mapping[str, str]:
    field = dictionary.of(column)
    if field is None:
        return _COMPLETE if column.endswith("_complete") else {}
    return _CHECKED if field.type == "checkbox" else field.choices


def _checked(table: TextTable, name: str, field: Field) -> tuple[list[Problem], list[Problem]]:
    """What is wrong with the cells of a column, and what is odd: the first of each kind, with its line."""
    wrong: list[Problem] = []
    odd: list[Problem] = []
    for cells, line in zip(table.rows, table.lines, strict=True):
        cell = cells[name]
        if cell == "":
            begun = cells.get(f"{field.form}_complete", "") != ""
            if field.required and begun and not field.conditional and len(odd) < MOST:
                remedy = "Ask for it, or say why it is missing."
                odd.append(Problem(table.name, line, name, "redcap-required", "a required field is empty", remedy))
            continue
        fault = _fault(cell, field)
        if fault is not None and len(wrong) < MOST:
            wrong.append(Problem(table.name, line, name, *fault, shown(cell)))
        elif fault is None and len(odd) < MOST and _outside(cell, field):
            message = f"the value is outside {field.low or 'any'} to {field.high or 'any'}"
            odd.append(
                Problem(table.name, line, name, "redcap-range", message, "Check it against its source.", shown(cell))
            )
    return wrong, odd


def _fault(cell: str, field: Field) -> tuple[str, str, str] | None:
    """Rule, message and remedy where the dictionary does not allow a cell."""
    if field.type == "checkbox":
        allowed: tuple[str, ...] = tuple(_CHECKED.values())
    else:
        allowed = tuple(field.choices.values())
    if allowed:
        if cell in allowed:
            return None
        return "redcap-choice", "this is none of the field's choices", f"Choices: {', '.join(allowed)}."
    if field.validation.startswith(("date_", "datetime_")) and not _is_date(cell):
        return "redcap-date", "this is no date", "Export dates as year-month-day (raw, or without another date format)."
    if (field.validation.startswith(_NUMBERS) or field.type in ("slider", "calc")) and not _is_number(cell):
        if field.type == "calc":
            return None  # calculations may give texts
        return "redcap-number", "the field holds numbers, and this is none", "Correct the export."
    return None


def _is_date(cell: str) -> bool:
    try:
        date.fromisoformat(cell[:10])
    except ValueError:
        return False
    return bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2})?)?", cell))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _outside(cell: str, field: Field) -> bool:
    """Whether a value lies outside the limits of its validation, numbers and dates alike."""
    if not (field.low or field.high):
        return False
    if field.validation.startswith("date"):
        return bool((field.low and cell < field.low) or (field.high and cell > field.high))
    limits = [float(limit) if _is_number(limit) else None for limit in (field.low, field.high)]
    if not _is_number(cell):
        return False
    value, (low, high) = float(cell), limits
    return (low is not None and value < low) or (high is not None and value > high)


def _unfinished(table: TextTable, dictionary: Dictionary) -> Iterator[Problem]:
    """How many of each form are not complete."""
    for form in sorted(dictionary.forms):
        column = f"{form}_complete"
        if column in table.header:
            counts = Counter(cells[column] for cells in table.rows)
            open_forms = counts["Incomplete"] + counts["Unverified"]
            if open_forms:
                message = f"{open_forms} of {open_forms + counts['Complete']} forms are not complete"
                remedy = "They are read as they are; complete them, or filter by this column."
                yield Problem(table.name, None, column, "redcap-complete", message, remedy)


def unreadable(dictionary: Dictionary, wanted: Iterable[str], participant: str, file: str) -> Iterator[Problem]:
    """Columns that a map reads and must not, or cannot: those that identify people, and those of no field."""
    for name in sorted(set(wanted)):
        field = dictionary.of(name)
        if field is None:
            if not dictionary.knows(name):
                message = f"the dictionary has no field {name!r}"
                yield Problem(
                    file, None, name, "redcap-field", message, "Correct the map, or give the dictionary of now."
                )
        elif field.identifier and name != participant:
            message = "the dictionary marks this field as identifying a person"
            remedy = "Leave it out of the map: records hold no names, dates of birth or addresses."
            yield Problem(file, None, name, "redcap-identifier", message, remedy)
