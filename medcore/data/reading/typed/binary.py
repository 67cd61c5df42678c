"""Typed files: spreadsheets, Parquet, Feather, Stata, SAS, SPSS, JSON and web pages."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from medcore.data.reading.limits import check_cells
from medcore.data.reading.text import RawFile
from medcore.data.reading.typed.found import TypedTable, cell_text
from medcore.data.reading.typed.spreadsheet import read_page, read_spreadsheet
from medcore.data.values.words import MISSING_WORDS
from medcore.errors import UnreadableFileError
from medcore.i18n import N_, Message

EXACT_WHOLE, EXACT_DIGITS = 2**53, 15
"""Up to which whole numbers, and to how many digits, float64 is exact (IEEE 754)."""
SPREADSHEETS = ("xlsx", "xls", "ods")
_SUFFIXES = {"stata": ".dta", "sas": ".sas7bdat", "spss": ".sav", "xport": ".xpt"}


def read_typed(raw: RawFile, kind: str, given: Mapping[str, Any]) -> TypedTable:
    """Read a file of a typed format; raises UnreadableFileError when it is damaged or protected.

    ``given`` are fields of Source that are taken instead of what would be found.
    """
    try:
        if kind in SPREADSHEETS:
            return read_spreadsheet(raw, kind, given)
        if kind in ("parquet", "feather"):
            return _arrow(raw, kind)
        if kind == "html":
            return read_page(raw, given)
        if kind == "json":
            return _objects(raw)
        return _statistics(raw, kind)
    except UnreadableFileError:
        raise
    except Exception as error:  # the readers' own errors are many, and all mean that the file is at fault
        raise _unreadable(raw.name, kind, error) from None


def _unreadable(name: str, kind: str, error: Exception) -> UnreadableFileError:
    if any(word in str(error).lower() for word in ("password", "encrypt", "workbook stream")):
        return UnreadableFileError(
            N_("The file {name} is protected by a password. Save it without one and upload it again."), name=name
        )
    return UnreadableFileError(
        N_("The file {name} is damaged, or is no {kind} file. Save it again, or save the table as CSV."),
        name=name,
        kind=kind,
    )


def _arrow(raw: RawFile, kind: str) -> TypedTable:
    with closing(raw.open()) as file:
        source = pa.BufferReader(file.read())
    if kind == "parquet":
        import pyarrow.parquet

        parquet = pyarrow.parquet.ParquetFile(source)
        check_cells(raw.name, parquet.metadata.num_rows, parquet.metadata.num_columns)
        table = parquet.read()
    else:
        import pyarrow.feather

        table = pyarrow.feather.read_table(source)
    columns = [_arrow_column(table.column(i)) for i in range(table.num_columns)]
    levels = {i: _ordered(table.column(i)) for i in range(table.num_columns)}
    return TypedTable(
        [str(n) for n in table.column_names], columns, levels={i: order for i, order in levels.items() if order}
    )


def _ordered(column: pa.ChunkedArray) -> tuple[str, ...]:
    """Return the order of an ordered factor's values."""
    kind = column.type
    if not (pa.types.is_dictionary(kind) and kind.ordered and column.num_chunks):
        return ()
    return tuple(text for v in column.chunk(0).dictionary.to_pylist() if (text := cell_text(v)) is not None)


def _arrow_column(column: pa.ChunkedArray) -> pd.Series:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_boolean(kind) and column.null_count == 0:
        return pd.Series(column.to_numpy(), dtype=bool)
    if (pa.types.is_integer(kind) or pa.types.is_decimal(kind)) and not _fits_float(column):
        return pd.Series(column.cast(pa.large_string()).to_pandas()).astype("str")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pd.Series(column.cast(pa.float64(), safe=False).to_pandas(), dtype="float64")
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return _instants(column)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pd.Series(column.cast(pa.large_string()).to_pandas()).astype("str")
    return pd.Series([None if v is None else cell_text(v) for v in column.to_pylist()], dtype="str")


def _fits_float(column: pa.ChunkedArray) -> bool:
    """Tell whether a column's numbers are kept exactly as float64; longer ones are codes and stay text."""
    from pyarrow import compute

    if pa.types.is_decimal(column.type):
        return bool(column.type.precision <= EXACT_DIGITS)
    ends = compute.min_max(column)
    return all(abs(v or 0) <= EXACT_WHOLE for v in (ends["min"].as_py(), ends["max"].as_py()))


def _objects(raw: RawFile) -> TypedTable:
    """Read objects of one level, all in a list or one a line, as rows; numbers keep the digits they are written with."""
    with closing(raw.open()) as file:
        text = file.read().decode("utf-8-sig").strip()
    read = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=lambda _word: None)
    try:
        found = read.decode(text)
    except json.JSONDecodeError:
        found = [read.decode(line) for line in text.splitlines() if line.strip()]
    rows = _rows_of(raw.name, found)
    names = list(dict.fromkeys(name for row in rows for name in row))
    check_cells(raw.name, len(rows), len(names))
    return TypedTable(names, [pd.Series([cell_text(row.get(name)) for row in rows], dtype="str") for name in names])


def _rows_of(name: str, found: Any) -> list[dict[str, Any]]:
    """Return the rows: the objects of a list, or of the only list that an object holds; whole cells only."""
    if isinstance(found, dict) and "resourceType" not in found:
        lists = [value for value in found.values() if isinstance(value, list) and value]
        found = lists[0] if len(lists) == 1 else [found]
    flat = isinstance(found, list) and all(
        isinstance(row, dict) and not any(isinstance(cell, dict | list) for cell in row.values()) for row in found
    )
    if not flat:
        raise UnreadableFileError(
            N_(
                "The file {name} is JSON with objects or lists inside its rows, so it is no table. Export a table: one row a patient, one value a cell."
            ),
            name=name,
        )
    return [row for row in found if row]


def _instants(column: pa.ChunkedArray) -> pd.Series:
    return pd.Series(column.cast(pa.timestamp("us"), safe=False).to_pandas()).astype("datetime64[us]")


def _statistics(raw: RawFile, kind: str) -> TypedTable:
    import pyreadstat

    readers: Mapping[str, Callable[..., tuple[pd.DataFrame, Any]]] = {
        "stata": pyreadstat.read_dta,
        "sas": pyreadstat.read_sas7bdat,
        "spss": pyreadstat.read_sav,
        "xport": pyreadstat.read_xport,
    }
    with closing(raw.open()) as file, _as_file(file.read(), _SUFFIXES[kind]) as path:
        frame, meta = readers[kind](path, dates_as_pandas_datetime=True)
    labels = {i: str(label) for i, label in enumerate(meta.column_labels or []) if label}
    words = {name: _words(of) for name, of in (meta.variable_value_labels or {}).items()}
    columns = [_plain(_named(frame.iloc[:, i], words.get(name))) for i, name in enumerate(frame.columns)]
    ordinal = [i for i, name in enumerate(frame.columns) if (meta.variable_measure or {}).get(name) == "ordinal"]
    return TypedTable(
        [str(c) for c in frame.columns],
        columns,
        labels=labels,
        levels={i: tuple(of[code] for code in sorted(of)) for i in ordinal if (of := words.get(frame.columns[i]))},
        repairs=_one_word(words, meta.variable_value_labels),
    )


@contextmanager
def _as_file(data: bytes, suffix: str) -> Iterator[str]:
    """Give bytes a name, for readers that open files only: of memory where the system can (Linux), so that no disk has them."""
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("table"), "wb") as memory:
            memory.write(data)
            memory.flush()
            yield f"/proc/self/fd/{memory.fileno()}"
        return
    with tempfile.TemporaryDirectory(prefix="medcore-") as folder:
        path = Path(folder) / f"table{suffix}"
        path.write_bytes(data)
        yield str(path)


def _words(labels: Mapping[Any, str]) -> dict[Any, str]:
    """Return the word of every code; codes of one word keep their numbers beside it, but for words of nothing."""
    used = Counter(word for word in labels.values() if word.strip().lower() not in MISSING_WORDS)
    return {c: f"{word} ({cell_text(c)})" if used[word] > 1 else word for c, word in labels.items()}


def _named(values: pd.Series, words: Mapping[Any, str] | None) -> pd.Series:
    if not words or not values.isin(list(words)).any():
        return values
    return values.astype(object).map(lambda code: words.get(code, code), na_action="ignore")


def _one_word(words: Mapping[str, Mapping[Any, str]], labels: Mapping[str, Mapping[Any, str]]) -> tuple[Message, ...]:
    """Say in which columns two codes have one word."""
    names = [name for name, of in words.items() if dict(of) != dict(labels[name])]
    if not names:
        return ()
    told = N_("Several codes of {columns} have the same label; they were kept apart, with the code beside the label.")
    return (Message(told, {"columns": names}),)


def _plain(values: pd.Series) -> pd.Series:
    if pd.api.types.is_bool_dtype(values.dtype):
        return values.astype(bool)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.astype("float64")
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values.astype("datetime64[us]")
    if isinstance(values.dtype, pd.StringDtype):
        return values.where(values != "", None).astype("str")
    return pd.Series([None if _is_nothing(v) else cell_text(v) for v in values.astype(object)], dtype="str")


def _is_nothing(value: Any) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value))
