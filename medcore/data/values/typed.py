"""Cells become values: each column read as the schema says what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.cohort import Column, Schema
from medcore.data.quantities.units import conversion
from medcore.data.values.booleans import boolean_side
from medcore.data.values.column import (
    CODED,
    EMPTY,
    MISSING_RULES,
    PRESENT,
    UNREADABLE,
    UNUSED,
    code_matches,
    read_texts,
)
from medcore.data.values.folding import Distinct, distinct, fold_text, fold_texts, with_empty
from medcore.data.values.numbers import to_number

__all__ = [
    "Distinct",
    "Typed",
    "boolean_side",
    "cells_of",
    "code_matches",
    "distinct",
    "fold_text",
    "fold_texts",
    "read_values",
    "typed",
]


@dataclass(frozen=True, slots=True)
class Typed:
    """A table as values, and what became of every cell.

    ``status`` has an array (n) a column: each cell is present, missing by a named rule
    (empty, a code, a word), or was given and could not be used. ``mended`` marks (n), by column
    and kind of mending, the cells that became a value by one.
    """

    frame: pd.DataFrame = field(repr=False)
    status: Mapping[str, NDArray[np.int8]] = field(repr=False, default_factory=dict)
    mended: Mapping[str, Mapping[str, NDArray[np.bool_]]] = field(repr=False, default_factory=dict)

    @property
    def unreadable(self) -> dict[str, int]:
        """Cells that were given and are no value of their column's kind, by column."""
        counted = {name: int(np.isin(status, list(UNUSED)).sum()) for name, status in self.status.items()}
        return {name: n for name, n in counted.items() if n}

    @property
    def missing(self) -> dict[str, dict[str, int]]:
        """Cells that count as missing, by column and rule."""
        counted = {
            name: {rule: int((status == code).sum()) for code, rule in MISSING_RULES.items()}
            for name, status in self.status.items()
        }
        return {name: {rule: n for rule, n in rules.items() if n} for name, rules in counted.items()}


_Read = tuple[pd.Series, NDArray[np.int8], Mapping[str, NDArray[np.bool_]]]


def typed(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Read a table's cells as the values that its schema says they are.

    Numeric columns become float64 in the unit of the column's Reading (a limit such as
    ``<0.1`` counts as the limit, hours and minutes as hours), dates datetime64, categories,
    booleans and text trimmed, width-folded objects; missing codes become missing. A boolean
    with two levels is written in those. Columns that the schema does not know are left out.
    """
    return read_values(frame, schema).frame


def read_values(frame: pd.DataFrame, schema: Schema) -> Typed:
    """Do what :func:`typed` does, and say what became of every cell."""
    decimal = frame.attrs.get("decimal")
    columns: dict[str, pd.Series] = {}
    status: dict[str, NDArray[np.int8]] = {}
    mended: dict[str, Mapping[str, NDArray[np.bool_]]] = {}
    for column in schema.columns:
        if column.name in frame.columns:
            read = _read_column(frame[column.name], column, decimal)
            columns[column.name], status[column.name], mended[column.name] = read
    return Typed(pd.DataFrame(columns, index=frame.index), status, mended)


def cells_of(values: pd.Series, column: Column) -> Distinct:
    """Find the distinct texts of a column as its Reading compares them; where an empty cell says no, it holds that word."""
    cells = distinct(values, exact=column.reading is not None and column.reading.exact)
    return with_empty(cells, column.levels[0]) if empty_is_no(column) else cells


def words_said(values: pd.Series, column: Column) -> tuple[str, ...]:
    """Return the distinct texts of a column that say something: those that stand for missing left out."""
    cells = cells_of(values, column)
    said = read_texts(cells.texts, column).status == PRESENT
    return tuple(word for word, kept in zip(cells.words(), said, strict=True) if kept)


def empty_is_no(column: Column) -> bool:
    """Tell whether a column is one of boxes that were ticked or left empty."""
    reading = column.reading
    return reading is not None and reading.empty_is_no and column.kind == "boolean" and len(column.levels) == 2


def is_stated(values: pd.Series, column: Column) -> bool:
    """Tell whether a column's values are those that a typed file states, and not texts to be read."""
    stated = {"numeric": pd.api.types.is_numeric_dtype, "date": pd.api.types.is_datetime64_any_dtype}.get(column.kind)
    return stated is not None and bool(stated(values.dtype))


def _read_column(values: pd.Series, column: Column, decimal: str | None) -> _Read:
    if column.over_time:
        return values.astype(object), np.where(values.isna(), EMPTY, PRESENT).astype(np.int8), {}
    if column.kind == "numeric" and is_stated(values, column):
        return *_numeric_as_is(values, column), {}
    if is_stated(values, column):
        naive = values.dt.tz_convert("UTC").dt.tz_localize(None) if values.dt.tz is not None else values
        return naive.astype("datetime64[us]"), np.where(values.isna(), EMPTY, PRESENT).astype(np.int8), {}
    cells = cells_of(values, column)
    read = read_texts(cells.texts, column, decimal)
    nothing: Any = {"numeric": np.nan, "date": np.datetime64("NaT")}.get(column.kind)
    table = np.empty(len(read.value) + 1, dtype=read.value.dtype)
    table[:-1], table[-1] = read.value, nothing
    series = pd.Series(table[cells.codes], index=values.index, name=values.name, dtype=table.dtype)
    mended = {kind: np.append(mask, False)[cells.codes] for kind, mask in read.mended.items() if mask.any()}
    if empty_is_no(column):
        mended["empty"] = distinct(values).codes < 0
    return series, np.append(read.status, np.int8(EMPTY))[cells.codes], mended


def _numeric_as_is(values: pd.Series, column: Column) -> tuple[pd.Series, NDArray[np.int8]]:
    """Take a typed file's numbers: they are in the unit of bare numbers, and infinite ones are none."""
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    codes = [v for v in (to_number(fold_text(c)) for c in column.missing_codes) if v is not None]
    status = np.zeros(len(numbers), dtype=np.int8)
    status[np.isnan(numbers)] = EMPTY
    status[np.isinf(numbers)] = UNREADABLE
    status[np.isin(numbers, codes)] = CODED
    numbers[status != PRESENT] = np.nan
    reading = column.reading
    if reading is not None and reading.bare:
        into = conversion(reading.bare, reading.unit, reading.analyte)
        numbers = numbers if into is None else into(numbers)
    return pd.Series(numbers, index=values.index, name=values.name), status
