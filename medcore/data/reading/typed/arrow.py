"""Parquet and Feather."""

from __future__ import annotations

from contextlib import closing

import pandas as pd
import pyarrow as pa

from medcore.data.reading.limits import check_cells
from medcore.data.reading.text import RawFile
from medcore.data.reading.typed.found import TypedTable, cell_text

EXACT_WHOLE, EXACT_DIGITS = 2**53, 15
"""Up to which whole numbers, and to how many digits, float64 is exact (IEEE 754)."""


def read_arrow(raw: RawFile, kind: str) -> TypedTable:
    """Read columns with their types; numbers that float64 does not hold exactly stay text."""
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


def _instants(column: pa.ChunkedArray) -> pd.Series:
    return pd.Series(column.cast(pa.timestamp("us"), safe=False).to_pandas()).astype("datetime64[us]")
