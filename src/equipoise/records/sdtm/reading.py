"""SDTM datasets -> Records: every cell is understood, every variable agrees with the others, or it is refused."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from equipoise.errors import DataError, Problem, shown
from equipoise.protocol.model import Protocol
from equipoise.records.classes import BY_NAME
from equipoise.records.records import Records
from equipoise.records.sdtm.design import DESIGN, WHOLE, design_frames
from equipoise.records.sdtm.files import KINDS, LINE, Sheet, read_sheet
from equipoise.records.sdtm.forms import Context, Kind, as_kind, as_text, is_given
from equipoise.records.sdtm.parts import Dataset, Derived, Part
from equipoise.records.sdtm.variables import datasets
from equipoise.records.sdtm.writing import (
    ASKED,
    ASKED_COLUMN,
    LACKS,
    LACKS_COLUMN,
    SUPP_COLUMNS,
    columns_of,
    encode,
)

_DATASET = re.compile("(supp)?[a-z]{2}")
_KEY, _EXPECTED = "key of the row", "expected"  # columns of our own beside SDTM's, whose names are capitals
Decoded = tuple[Part, Sheet, pl.DataFrame]


def read_sdtm(folder: Path, protocol: Protocol) -> Records:
    """Read the datasets in `folder`, Parquet or CSV as the files are, and check them against `protocol`.

    Raises DataError with every problem: files or columns that are missing or unknown, another study, cells that cannot
    be understood, variables that contradict one another; else all that `Records.of` refuses, placed in these files.
    """
    kind = _kind(folder)
    made = datasets(protocol)
    problems = [*_strangers(folder, kind, made), *_designs(folder, kind, protocol)]
    decoded: list[Decoded] = []
    for dataset in made:
        parts, found = _read(dataset, folder, kind, protocol)
        decoded += parts
        problems += found
    problems += _joinable(decoded)
    asked, found = _words_in(folder / f"{ASKED}.{kind}", ASKED_COLUMN)
    lacks, more = _words_in(folder / f"{LACKS}.{kind}", LACKS_COLUMN)
    problems += [*found, *more]
    if problems:
        raise DataError(f"the SDTM datasets in {folder} cannot be read", problems)
    tables, places = _tables(decoded)
    placed = {name: table.with_columns(source=places[name]) for name, table in tables.items()}
    Records.of(
        protocol, placed, collected=asked, lacks=lacks
    )  # first: its problems name the file and line of the dataset
    return Records.of(protocol, tables, collected=asked, lacks=lacks)


def _words_in(path: Path, column: str) -> tuple[list[str], list[Problem]]:
    """The words of a dataset of ours with one column; the file need not be there."""
    if not path.is_file():
        return [], []
    sheet, problems = _sheet(path, {column: pl.String})
    return ([] if sheet is None else sheet.frame[column].drop_nulls().to_list()), problems


def _kind(folder: Path) -> str:
    kinds = [kind for kind in KINDS if (folder / f"dm.{kind}").is_file()]
    if len(kinds) == 1:
        return kinds[0]
    message = "both dm.parquet and dm.csv are here" if kinds else "neither dm.parquet nor dm.csv is here"
    remedy = "Give a folder with the datasets of one trial, all Parquet or all CSV."
    raise DataError(
        f"cannot read SDTM datasets from {folder}", [Problem(str(folder), None, "", "file-exists", message, remedy)]
    )


def _strangers(folder: Path, kind: str, made: tuple[Dataset, ...]) -> list[Problem]:
    known = {f"{prefix}{dataset.name.lower()}" for dataset in made for prefix in ("", "supp")}
    known |= {name.lower() for name in DESIGN}
    names = sorted(path.stem for path in folder.glob(f"*.{kind}") if _DATASET.fullmatch(path.stem))
    message, remedy = "no assessment of the protocol has this domain", "Remove the file, or correct the protocol."
    return [
        Problem(f"{name}.{kind}", None, "", "sdtm-file-known", message, remedy) for name in names if name not in known
    ]


def _designs(folder: Path, kind: str, protocol: Protocol) -> list[Problem]:
    """The trial's design need not be there; where it is, it must be the protocol's."""
    problems: list[Problem] = []
    for name, expected in design_frames(protocol).items():
        path = folder / f"{name.lower()}.{kind}"
        if not path.is_file():
            continue
        sheet, found = read_sheet(path)
        problems += found
        if sheet is not None and not _plainly(sheet.frame.drop(LINE)).equals(_plainly(expected)):
            message = "the dataset is not the design of the protocol"
            remedy = "Read these data with the protocol that they were collected under, or remove the file."
            problems.append(sheet.problem(None, name, "sdtm-design", message, remedy))
    return problems


def _plainly(frame: pl.DataFrame) -> pl.DataFrame:
    """Every cell as text, numbers alike whatever type a file gave them; empty is missing."""
    numbers = {name: as_kind(frame[name], pl.Int64) for name in frame.columns if name in WHOLE}
    return pl.DataFrame([numbers.get(name, as_text(frame[name]).replace("", None)) for name in frame.columns])


def _read(dataset: Dataset, folder: Path, kind: str, protocol: Protocol) -> tuple[list[Decoded], list[Problem]]:
    name = dataset.name.lower()
    sheet, problems = _sheet(folder / f"{name}.{kind}", columns_of(dataset))
    supp = None
    if dataset.supplemental:
        supp, found = _sheet(folder / f"supp{name}.{kind}", SUPP_COLUMNS)
        problems += found
    if sheet is not None:
        problems += _constants(sheet, {"STUDYID": protocol.id, "DOMAIN": dataset.name})
    if supp is not None:
        problems += _constants(supp, {"STUDYID": protocol.id, "RDOMAIN": dataset.name})
    if problems or sheet is None:
        return [], problems
    if supp is not None:
        sheet, problems = _supplemented(dataset, sheet, supp)
    whole = not problems
    shares, unclaimed = _shares(dataset, sheet)
    problems += unclaimed
    decoded: list[Decoded] = []
    for part, share in shares:
        rows, found = _decode(part, share, protocol)
        problems += [*_misplaced(dataset, part, share), *found]
        if whole and not found:
            problems += _disagreements(part, share, encode(part, protocol, rows))
            decoded.append((part, share, rows))
    return decoded, problems


def _sheet(path: Path, columns: dict[str, Kind]) -> tuple[Sheet | None, list[Problem]]:
    """The file, if it has these columns; those of text as text, whatever a Parquet file makes of them."""
    sheet, problems = read_sheet(path)
    if sheet is None:
        return None, problems
    there = [name for name in sheet.frame.columns if name != LINE]
    remedy = "Write all the variables of docs/sdtm.md, empty where nothing is known."
    problems = [
        sheet.problem(1, name, "column-missing", "the variable is missing", remedy)
        for name in columns
        if name not in there
    ]
    remedy = "Remove it, or move it to a dataset that is not read here: nothing may be lost unseen."
    problems += [
        sheet.problem(1, name, "column-unknown", "no column of ours stands in this variable", remedy)
        for name in there
        if name not in columns
    ]
    if problems:
        return None, problems
    texts = [as_text(sheet.frame[name]) for name, kind in columns.items() if kind is pl.String]
    return Sheet(sheet.name, sheet.frame.with_columns(texts)), []


def _constants(sheet: Sheet, expected: dict[str, str]) -> list[Problem]:
    problems: list[Problem] = []
    for name, value in expected.items():
        if name in sheet.frame.columns:
            wrong = as_text(sheet.frame[name]).ne_missing(pl.Series([value]))
            rule = "sdtm-study" if name == "STUDYID" else "sdtm-dataset"
            problems += _listed(sheet, wrong, name, rule, f"the cell is not {value!r}", "Correct the cell or the file.")
    return problems


def _listed(sheet: Sheet, wrong: pl.Series, column: str, rule: str, message: str, remedy: str) -> list[Problem]:
    """A problem for each row that is wrong."""
    if not wrong.any():
        return []
    rows = sheet.frame.filter(wrong)
    problems: list[Problem] = []
    for row in rows.iter_rows(named=True):
        told = message.format(expected=shown(row.get(_EXPECTED)))
        value = None if row[column] is None else shown(row[column])
        problems.append(Problem(sheet.name, row[LINE], column, rule, told, remedy, value))
    return problems


def _supplemented(dataset: Dataset, sheet: Sheet, supp: Sheet) -> tuple[Sheet, list[Problem]]:
    """The dataset with its supplemental variables as columns; values that have no row are problems."""
    parents = sheet.frame.with_columns(_row_key(sheet.frame, dataset.key))
    values = supp.frame.with_columns(_row_key(supp.frame, "IDVARVAL" if dataset.key else None))
    wrong = parents.select(pl.struct("USUBJID", _KEY).is_duplicated() | pl.col(_KEY).is_null()).to_series()
    message = "the row has no number of its own" if dataset.key else "the subject has two rows"
    remedy = "Number the rows of a subject 1, 2, …; a subject has one row in DM."
    problems = _listed(sheet, wrong, dataset.key or "USUBJID", "key-unique", message, remedy)
    keys = ["USUBJID", _KEY]
    there = parents.select(keys).unique().with_columns(pl.lit(value=True).alias(_EXPECTED))
    found = values.join(there, on=keys, how="left", nulls_equal=True, maintain_order="left")
    another = pl.col("IDVAR").replace("", None).ne_missing(pl.lit(dataset.key, pl.String))
    checks = (
        ("QNAM", "the variable is not known here", ~pl.col("QNAM").is_in(list(dataset.supplemental))),
        ("IDVAR", "another variable is named", another),
        ("QNAM", "the value stands twice", pl.struct("USUBJID", _KEY, "QNAM").is_duplicated()),
        ("IDVARVAL", f"{sheet.name} has no such row", pl.col(_EXPECTED).is_null()),
    )
    for name, message, check in checks:
        wrong = found.select(check.fill_null(value=True)).to_series()
        problems += _listed(supp, wrong, name, "sdtm-supplement", message, "Correct or remove the row.")
    if problems:
        return sheet, problems
    names = list(dataset.supplemental)
    wide = values.pivot(on="QNAM", on_columns=names, index=keys, values="QVAL", aggregate_function="first")
    joined = parents.join(wide, on=keys, how="left", nulls_equal=True, maintain_order="left")
    return Sheet(sheet.name, joined.drop(_KEY)), []


def _row_key(frame: pl.DataFrame, column: str | None) -> pl.Series:
    if column is None:
        return pl.Series(_KEY, [0] * frame.height, dtype=pl.Int64)
    return as_kind(frame[column], pl.Int64).alias(_KEY)


def _shares(dataset: Dataset, sheet: Sheet) -> tuple[list[tuple[Part, Sheet]], list[Problem]]:
    """The rows of each part: by its constants, or all that no other part claims."""
    left = sheet.frame
    shares: list[tuple[Part, Sheet]] = []
    for part in sorted(dataset.parts, key=lambda part: -len(part.constants)):
        selected = {name: value for name, value in part.constants.items() if name != "DOMAIN"}
        own = pl.all_horizontal(
            pl.lit(value=True), *(pl.col(name).eq_missing(pl.lit(value)) for name, value in selected.items())
        )
        shares.append((part, Sheet(sheet.name, left.filter(own))))
        left = left.filter(~own)
    message, remedy = "rows of this kind are not known here", "Use the words of docs/sdtm.md."
    rest = Sheet(sheet.name, left)
    unclaimed = pl.Series([True] * left.height, dtype=pl.Boolean)
    return shares, _listed(rest, unclaimed, "DSCAT", "sdtm-row-known", message, remedy)


def _misplaced(dataset: Dataset, part: Part, sheet: Sheet) -> list[Problem]:
    """Values in variables of the dataset that rows of this part do not have."""
    own = {*part.standard, *(variable.name for variable in part.supplemental)}
    message, remedy = "rows of this kind have no such value", "Remove the value, or correct the kind of the row."
    problems: list[Problem] = []
    for name in (*dataset.standard, *dataset.supplemental):
        if name not in own and name in sheet.frame.columns:
            given = sheet.frame[name].is_not_null()
            problems += _listed(sheet, given, name, "sdtm-row-known", message, remedy)
    return problems


def _decode(part: Part, sheet: Sheet, protocol: Protocol) -> tuple[pl.DataFrame, list[Problem]]:
    """Our columns from SDTM's variables, and what could not be understood; variables not in the sheet are left out."""
    table = BY_NAME[part.table]
    columns: dict[str, pl.Series] = {}
    problems: list[Problem] = []
    for variable in part.columns:
        if variable.name not in sheet.frame.columns:
            continue
        form, raw, column = variable.form, sheet.frame[variable.name], table.column(variable.column)
        context = Context(protocol, pl.DataFrame(columns))
        values = form.decode(as_kind(raw, form.kind), context).cast(column.kind).alias(column.name)
        given, empty = is_given(raw, form.kind), values.is_null()
        problems += _listed(sheet, given & empty, variable.name, form.rule, form.message, form.remedy)
        if column.required:
            message, remedy = "the cell is empty", "Fill it in."
            problems += _listed(sheet, ~given & empty, variable.name, "value-required", message, remedy)
        earlier = columns.get(column.name)
        columns[column.name] = values if earlier is None else earlier.zip_with(earlier.is_not_null(), values)
    return pl.DataFrame(columns), problems


def _disagreements(part: Part, sheet: Sheet, expected: pl.DataFrame) -> list[Problem]:
    """Variables that do not say what the others say: written anew from what was read, the dataset must be the same."""
    problems: list[Problem] = []
    identifiers = {v.name for v in part.variables if isinstance(v, Derived) and v.identifier}
    for name, kind in part.standard.items():
        if name not in identifiers:
            found = as_kind(sheet.frame[name], kind)
            wrong = found.ne_missing(expected[name]) | (is_given(sheet.frame[name], kind) & found.is_null())
            beside = Sheet(sheet.name, sheet.frame.with_columns(as_text(expected[name]).alias(_EXPECTED)))
            message = "the cell does not agree with the other variables, which make it {expected}"
            remedy = "Correct this variable, or those it follows from (docs/sdtm.md)."
            problems += _listed(beside, wrong, name, "sdtm-agrees", message, remedy)
    return problems


def _joinable(decoded: list[Decoded]) -> list[Problem]:
    """Rows that add to a participant's: one of a kind each, and the participant has a row in DM."""
    known = [rows["participant"] for part, _, rows in decoded if part.domain == "DM"]
    problems: list[Problem] = []
    for part, sheet, rows in decoded:
        if part.joined and known:
            message, remedy = "the subject has two rows of this kind", "Keep one of them."
            twice = rows["participant"].is_duplicated()
            problems += _listed(sheet, twice, "USUBJID", "key-unique", message, remedy)
            message, remedy = "the subject is not in DM", "Add the subject, or correct the identifier."
            strangers = ~rows["participant"].is_in(known[0].implode())
            problems += _listed(sheet, strangers, "USUBJID", "participant-known", message, remedy)
    return problems


def _tables(decoded: list[Decoded]) -> tuple[dict[str, pl.DataFrame], dict[str, pl.Series]]:
    """The tables, and for each row the file and line where it stands."""
    frames: dict[str, list[pl.DataFrame]] = {name: [] for name in BY_NAME}
    for part, sheet, rows in decoded:
        if part.joined:
            base = frames[part.table][0]
            frames[part.table][0] = base.join(rows, on="participant", how="left", maintain_order="left")
        else:
            lines = [f"{sheet.name}:{line}" for line in sheet.frame[LINE].to_list()]
            frames[part.table].append(rows.with_columns(pl.Series(LINE, lines, dtype=pl.String)))
    made = {name: pl.concat([BY_NAME[name].empty(), *parts], how="diagonal") for name, parts in frames.items()}
    tables = {name: table.select(list(BY_NAME[name].schema)) for name, table in made.items()}
    return tables, {
        name: table[LINE] if LINE in table.columns else pl.Series([], dtype=pl.String) for name, table in made.items()
    }
