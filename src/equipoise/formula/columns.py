"""A column of a data frame, polars or pandas, as numbers or as codes of its levels.

pandas is never imported here: a frame of it is asked by its own methods. Words become integers before anything else
is done with them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import polars as pl

from equipoise.errors import DataError, InputError, Problem, shown
from equipoise.stats.arrays import Counts, Flags, Floats

ALPHABET = "in alphabetical order"
CATEGORIES = "in the order of its categories"
MET = "in the order in which this session met its categories"
UNORDERED = "in the order of its categories, which are not called ordered"
ASCENDING = "ascending"


@dataclass(frozen=True, slots=True)
class Column:
    """N values: numbers (N,), NaN where missing; or codes (N,) of levels, -1 where missing.

    order: of the levels, in words: ``ALPHABET`` where they are text, which has no order of its own.
    """

    name: str
    numbers: Floats | None = None
    codes: Counts | None = None
    levels: tuple[str, ...] = ()
    order: str = ASCENDING

    @property
    def missing(self) -> Flags:
        """Where there is no value (N,)."""
        if self.numbers is not None:
            return np.isnan(self.numbers)
        assert self.codes is not None
        return self.codes < 0


@dataclass(frozen=True, slots=True)
class Frame:
    """A data frame that was recognised: its rows, its columns' names, and how a column is read.

    read: numbers, truth values and words, the last two as levels. key: any column as levels in ascending order, those
    of a polars Enum or Categorical or of a pandas Categorical in their own.
    """

    rows: int
    names: tuple[str, ...]
    read: Callable[[str], Column]
    key: Callable[[str], Column]


def frame_of(data: object) -> Frame:
    """Recognise a polars or pandas frame. InputError: it is something else."""
    if isinstance(data, pl.DataFrame):
        return Frame(
            data.height, tuple(data.columns), lambda name: _of_polars(data[name]), lambda name: _keys(data[name])
        )
    if type(data).__module__.split(".")[0] == "pandas" and hasattr(data, "columns"):
        table: Any = data
        return Frame(
            len(table),
            tuple(str(name) for name in table.columns),
            lambda name: _of_pandas(name, _only(table, name)),
            lambda name: _keys_of_pandas(name, _only(table, name)),
        )
    remedy = "Collect it first: data.collect()." if isinstance(data, pl.LazyFrame) else "Give a data frame of either."
    problem = Problem("data", None, "", "data-frame", "Data are a polars or pandas frame", remedy, type(data).__name__)
    raise InputError("the data cannot be used", [problem])


def unusable(place: str, rule: str, message: str, remedy: str, value: object = None) -> DataError:
    """The error that the data do not fit, at a column or row."""
    told = value if value is None or isinstance(value, str) else shown(value)
    return DataError("the data cannot be used", [Problem("data", None, place, rule, message, remedy, told)])


def _of_polars(series: pl.Series) -> Column:
    kind = series.dtype
    if kind.is_numeric() or kind == pl.Null:
        return Column(series.name, numbers=_floats(series))
    if kind == pl.Boolean:
        codes = series.cast(pl.Int64).fill_null(-1).to_numpy()
        return Column(series.name, codes=codes, levels=("FALSE", "TRUE"))
    if kind == pl.String or isinstance(kind, pl.Enum | pl.Categorical):
        return _keys(series)
    raise _no_kind(series.name, str(kind))


def _floats(series: pl.Series) -> Floats:
    return series.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _keys(series: pl.Series) -> Column:
    if isinstance(series.dtype, pl.Enum):
        codes = series.to_physical().cast(pl.Int64).fill_null(-1).to_numpy()
        return Column(series.name, codes=codes, levels=tuple(series.dtype.categories), order=CATEGORIES)
    if isinstance(series.dtype, pl.Categorical):
        return _of_categories(series)
    if series.dtype.is_float():
        series = series.fill_nan(None)
    if series.dtype.is_nested() or series.dtype in (pl.Object, pl.Null, pl.Binary):
        raise _no_kind(series.name, str(series.dtype))
    levels = series.drop_nulls().unique().sort()
    codes = (series.rank("dense").cast(pl.Int64) - 1).fill_null(-1).to_numpy()
    order = ALPHABET if series.dtype == pl.String else ASCENDING
    return Column(series.name, codes=codes, levels=tuple(word(level) for level in levels), order=order)


def _of_categories(series: pl.Series) -> Column:
    """A polars Categorical: its categories in their own order, which pl.from_pandas takes over from pandas.

    Polars keeps one list of categories for a session, to which each column adds those that are new. Categories that
    only other columns have are not this column's.
    """
    numbers = series.to_physical().cast(pl.Int64)
    pairs = pl.DataFrame({"number": numbers, "label": series.cast(pl.String)}).drop_nulls().unique().sort("number")
    place = {number: code for code, number in enumerate(pairs["number"])}
    codes = np.array([-1 if number is None else place[number] for number in numbers], dtype=np.int64)
    return Column(series.name, codes=codes, levels=tuple(pairs["label"]), order=MET)


def _only(table: Any, name: str) -> Any:
    """The column of a pandas frame by the text of its label."""
    places = [i for i, label in enumerate(table.columns) if str(label) == name]
    if len(places) > 1:
        message = f"{len(places)} columns have this name"
        raise unusable(f"column {name}", "data-column", message, "Give each its own.")
    return table.iloc[:, places[0]]


def _of_pandas(name: str, series: Any) -> Column:
    kind = series.dtype.kind if series.dtype.name != "category" else "O"
    if series.dtype.name == "object":
        kind = _kind_of_objects(name, series)
    if kind in "iuf":
        return Column(name, numbers=np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan)))
    if kind == "b":
        gaps = series.isna().to_numpy()
        codes = np.full(len(gaps), -1, dtype=np.int64)
        codes[~gaps] = series[~gaps].to_numpy(dtype=np.int64)
        return Column(name, codes=codes, levels=("FALSE", "TRUE"))
    if kind not in "OUT":
        raise _no_kind(name, str(series.dtype))
    return _keys_of_pandas(name, series)


def _kind_of_objects(name: str, series: Any) -> str:
    """NumPy's letter of what a column of objects holds. DataError: several kinds of things, or others."""
    kinds = {type(value) for value in series[series.notna()]}
    for letter, known in (("f", {int, float, np.float64, np.int64}), ("b", {bool, np.bool_}), ("O", {str})):
        if kinds <= known:
            return letter
    raise _no_kind(name, "objects: " + ", ".join(sorted(kind.__name__ for kind in kinds)))


def _keys_of_pandas(name: str, series: Any) -> Column:
    if series.dtype.name == "category":
        codes = series.cat.codes.to_numpy(dtype=np.int64)
        labels = list(series.cat.categories)
        odd = [label for label in labels if isinstance(label, bytes | tuple)]
        if odd:
            raise _no_kind(name, f"categories of {type(odd[0]).__name__}")
        # Categories that are made of text without a word on their order are in that of the alphabet.
        used = [label for place, label in enumerate(labels) if (codes == place).any()]
        text = all(isinstance(label, str) for label in labels)
        order = CATEGORIES if series.cat.ordered else ALPHABET if text and used == sorted(used) else UNORDERED
        return Column(name, codes=codes, levels=tuple(word(level) for level in labels), order=order)
    if series.dtype.name == "object":
        _kind_of_objects(name, series)
    codes, levels = series.factorize(sort=True)
    order = ALPHABET if all(isinstance(level, str) for level in levels) else ASCENDING
    labels = tuple(word(level) for level in levels)
    return Column(name, codes=np.asarray(codes, dtype=np.int64), levels=labels, order=order)


def word(level: object) -> str:
    """The label of a level: a whole number without a decimal point, a truth value as R writes it, the rest as it is."""
    if isinstance(level, bool | np.bool_):
        return str(level).upper()
    if isinstance(level, float | np.floating) and float(level).is_integer():
        return str(int(level))
    return str(level)


def of_numbers(values: Any) -> bool:
    """Whether an array is of real numbers, and not of texts that could be read as some."""
    found = np.asarray(values)
    if found.dtype.kind != "O":
        return found.dtype.kind in "iuf"
    return all(isinstance(x, Real) and not isinstance(x, bool) for x in found.ravel() if x is not None)


def _no_kind(name: str, kind: str) -> DataError:
    message = "A column holds numbers, words, categories or truth values"
    return unusable(f"column {name}", "data-kind", message, "Convert it before.", kind)
