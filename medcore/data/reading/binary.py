"""Typed files: spreadsheets, Parquet, Feather, Stata, SAS and SPSS."""

from __future__ import annotations

import datetime as dt
import io
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from medcore.data.reading.dialect import find_header
from medcore.data.reading.text import RawFile
from medcore.errors import UnreadableFileError
from medcore.i18n import N_, Message

EXACT_WHOLE, EXACT_DIGITS = 2**53, 15
"""Up to which whole numbers, and to how many digits, float64 is exact (IEEE 754)."""
SPREADSHEETS = ("xlsx", "xls", "ods")
_SUFFIXES = {"stata": ".dta", "sas": ".sas7bdat", "spss": ".sav", "xport": ".xpt"}


@dataclass(frozen=True, slots=True)
class TypedTable:
    """A typed file's table: raw column names, columns in their own types, and what was seen on the way."""

    names: list[str]
    columns: list[pd.Series] = field(repr=False)
    sheet: str | None = None
    sheets: tuple[str, ...] = ()
    skip_lines: int = 0
    labels: Mapping[int, str] = field(default_factory=dict)
    repairs: tuple[Message, ...] = ()


def read_typed(raw: RawFile, kind: str, *, sheet: str | None = None, skip_lines: int | None = None) -> TypedTable:
    """Read a file of a typed format; raises UnreadableFileError when it is damaged or protected."""
    try:
        if kind in SPREADSHEETS:
            return _spreadsheet(raw, sheet, skip_lines)
        if kind in ("parquet", "feather"):
            return _arrow(raw, kind)
        return _statistics(raw, kind)
    except UnreadableFileError:
        raise
    except Exception as error:  # the readers' own errors are many, and all mean that the file is at fault
        raise _unreadable(raw.name, kind, error) from None


def _unreadable(name: str, kind: str, error: Exception) -> UnreadableFileError:
    if "password" in str(error).lower() or "encrypt" in str(error).lower():
        return UnreadableFileError(
            N_("The file {name} is protected by a password. Save it without one and upload it again."), name=name
        )
    return UnreadableFileError(
        N_("The file {name} is damaged, or is no {kind} file. Save it again, or save the table as CSV."),
        name=name,
        kind=kind,
    )


def _spreadsheet(raw: RawFile, sheet: str | None, skip_lines: int | None) -> TypedTable:
    from python_calamine import CalamineWorkbook

    with closing(raw.open()) as file:
        book = CalamineWorkbook.from_filelike(io.BytesIO(file.read()))
    sheets = tuple(book.sheet_names)
    if sheet is not None and sheet not in sheets:
        raise UnreadableFileError(
            N_("The file {name} has no sheet {sheet}. Its sheets are: {sheets}."),
            name=raw.name,
            sheet=sheet,
            sheets=list(sheets),
        )
    chosen = sheet or max(sheets, key=lambda s: _size(book.get_sheet_by_name(s)), default=None)
    if chosen is None:
        raise UnreadableFileError(N_("The file {name} has no sheet with a table."), name=raw.name)
    rows = book.get_sheet_by_name(chosen).to_python(skip_empty_area=False)
    return _from_grid(raw.name, rows, chosen, sheets, skip_lines)


def _size(sheet: Any) -> int:
    return int(sheet.height or 0) * int(sheet.width or 0)


def _from_grid(
    name: str, rows: Sequence[Sequence[Any]], sheet: str, sheets: tuple[str, ...], skip_lines: int | None
) -> TypedTable:
    filled = [i for i, row in enumerate(rows) if any(c not in ("", None) for c in row)]
    if not filled:
        raise UnreadableFileError(N_("The sheet {sheet} of {name} is empty."), sheet=sheet, name=name)
    if skip_lines is None:
        head = [[_text(c) or "" for c in rows[i]] for i in filled[:400]]
        at = filled[find_header([_trimmed(r) for r in head])]
    else:
        at = next((i for i in filled if i >= skip_lines), filled[0])
    header, body = rows[at], rows[at + 1 :]
    width = max(
        (max((j for j, c in enumerate(r) if c not in ("", None)), default=-1) + 1 for r in rows[at:]), default=0
    )
    names = [_text(c) or "" for c in header[:width]]
    columns = [_column([row[j] for row in body]) for j in range(width)]
    return TypedTable(names, columns, sheet, sheets, at)


def _trimmed(row: list[str]) -> list[str]:
    while row and not row[-1].strip():
        row = row[:-1]
    return row


def _column(cells: Sequence[Any]) -> pd.Series:
    """Give a spreadsheet's column one type: numbers, dates or truth values throughout, else text."""
    kinds = {type(c) for c in cells if c not in ("", None)}
    if kinds and kinds <= {int, float}:
        return pd.Series([np.nan if c in ("", None) else float(c) for c in cells], dtype="float64")
    if kinds and kinds <= {dt.date, dt.datetime}:
        stamps = [None if c in ("", None) else pd.Timestamp(c) for c in cells]
        return pd.Series(pd.to_datetime(pd.Series(stamps), errors="coerce")).astype("datetime64[us]")
    return pd.Series([_text(c) for c in cells], dtype="str")


def _text(cell: Any) -> str | None:
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
    if isinstance(cell, dt.timedelta):
        return f"{cell.total_seconds() / 3600:g}"
    return str(cell)


def _arrow(raw: RawFile, kind: str) -> TypedTable:
    with closing(raw.open()) as file:
        source = pa.BufferReader(file.read())
    if kind == "parquet":
        import pyarrow.parquet

        table = pyarrow.parquet.ParquetFile(source).read()
    else:
        import pyarrow.feather

        table = pyarrow.feather.read_table(source)
    columns = [_arrow_column(table.column(i)) for i in range(table.num_columns)]
    return TypedTable([str(n) for n in table.column_names], columns)


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
    return pd.Series([None if v is None else _text(v) for v in column.to_pylist()], dtype="str")


def _fits_float(column: pa.ChunkedArray) -> bool:
    """Tell whether a column's numbers are kept exactly as float64; longer ones are codes and stay text."""
    from pyarrow import compute

    if pa.types.is_decimal(column.type):
        return bool(column.type.precision <= EXACT_DIGITS)
    ends = compute.min_max(column)
    return all(abs(v or 0) <= EXACT_WHOLE for v in (ends["min"].as_py(), ends["max"].as_py()))


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
    labelled = {} if kind in ("sas", "xport") else {"apply_value_formats": True}
    with tempfile.TemporaryDirectory(prefix="medcore-") as folder, closing(raw.open()) as file:
        path = Path(folder) / f"table{_SUFFIXES[kind]}"
        path.write_bytes(file.read())
        frame, meta = readers[kind](path, dates_as_pandas_datetime=True, **labelled)
    labels = {i: str(label) for i, label in enumerate(meta.column_labels or []) if label}
    columns = [_plain(frame.iloc[:, i]) for i in range(frame.shape[1])]
    return TypedTable([str(c) for c in frame.columns], columns, labels=labels)


def _plain(values: pd.Series) -> pd.Series:
    if pd.api.types.is_bool_dtype(values.dtype):
        return values.astype(bool)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.astype("float64")
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values.astype("datetime64[us]")
    if isinstance(values.dtype, pd.StringDtype):
        return values.where(values != "", None).astype("str")
    return pd.Series([None if _is_nothing(v) else _text(v) for v in values.astype(object)], dtype="str")


def _is_nothing(value: Any) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value))
