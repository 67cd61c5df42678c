"""A cohort's rows as a Parquet file, and back, unchanged."""

from __future__ import annotations

from io import BytesIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq


def to_parquet(frame: pd.DataFrame) -> bytes:
    """Write a frame as Parquet; a column of mixed types, which Parquet has not, becomes text."""
    buffer = BytesIO()
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        table = pa.Table.from_pandas(_without_mixtures(frame), preserve_index=False)
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def from_parquet(data: bytes) -> pd.DataFrame:
    """Read what :func:`to_parquet` wrote."""
    return pd.read_parquet(BytesIO(data))


def _without_mixtures(frame: pd.DataFrame) -> pd.DataFrame:
    changed = frame.copy()
    for position, name in enumerate(frame.columns):
        column = frame.iloc[:, position]
        if column.dtype == object:
            changed[name] = column.map(str, na_action="ignore").astype("str")
    return changed
