"""Cells become values: each column read as the schema says what it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from medcore.data.cohort import Column, Schema
from medcore.data.values.dates import parse_dates
from medcore.data.values.numbers import parse_numbers, to_number
from medcore.data.values.words import NO_WORDS, YES_WORDS

_INVISIBLE = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}\x{feff}]"


@dataclass(frozen=True, slots=True)
class Distinct:
    """A column as its distinct texts: trimmed, width-folded, and which row has which.

    ``texts`` (k) is in order of first appearance, ``counts`` (k) says how many
    rows have each, ``codes`` (n) points from row to text, −1 where the cell is empty.
    """

    texts: pa.Array
    counts: NDArray[np.int64]
    codes: NDArray[np.int64]

    def words(self) -> list[str]:
        """Return the distinct texts as Python strings."""
        return [str(w) for w in self.texts.to_pylist()]


@dataclass(frozen=True, slots=True)
class Typed:
    """A table as values, and what could not be read: cells by column."""

    frame: pd.DataFrame = field(repr=False)
    unreadable: Mapping[str, int] = field(default_factory=dict)


def typed(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Read a table's cells as the values that its schema says they are.

    Numeric columns become float64 (a limit such as ``<0.1`` counts as the limit,
    a time of day as hours), dates datetime64, categories, booleans and text
    trimmed, width-folded objects; missing codes become missing. A boolean with
    two levels is written in those. Columns that the schema does not know are left out.
    """
    return read_values(frame, schema).frame


def read_values(frame: pd.DataFrame, schema: Schema) -> Typed:
    """Do what :func:`typed` does, and count the cells that are no value of their column's kind."""
    decimal = frame.attrs.get("decimal")
    columns: dict[str, pd.Series] = {}
    unreadable: dict[str, int] = {}
    for column in schema.columns:
        if column.name in frame.columns:
            values, n_bad = _read_column(frame[column.name], column, decimal)
            columns[column.name] = values
            if n_bad:
                unreadable[column.name] = n_bad
    return Typed(pd.DataFrame(columns, index=frame.index), unreadable)


def distinct(values: pd.Series) -> Distinct:
    r"""Find a column's distinct texts, trimmed and width-folded; an empty text is no value.

    >>> d = distinct(pd.Series(["ckd", "ckd\t", " ＣＫＤ", None]))
    >>> d.words(), d.codes.tolist()
    (['ckd', 'CKD'], [0, 0, 1, -1])
    """
    encoded = _text_array(values).dictionary_encode()
    raw, codes = encoded.dictionary, encoded.indices
    row_codes = pc.fill_null(codes, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    folded = fold_texts(raw).dictionary_encode()
    again = pc.fill_null(folded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    row_codes = np.append(again, -1)[row_codes]
    texts = folded.dictionary
    counts = np.bincount(row_codes[row_codes >= 0], minlength=len(texts)).astype(np.int64)
    return Distinct(texts, counts, row_codes)


def fold_texts(texts: pa.Array) -> pa.Array:
    """Trim texts, fold full-width and compatibility characters (NFKC), and drop ``.0`` of whole numbers."""
    texts = pc.utf8_normalize(texts, form="NFKC")
    texts = pc.replace_substring_regex(texts, _INVISIBLE, "")
    texts = pc.replace_substring_regex(texts, r"\s+", " ")
    texts = pc.utf8_trim_whitespace(texts)
    texts = pc.replace_substring_regex(texts, r"^(-?[0-9]+)\.0$", r"\1")
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, texts.type), texts)


def fold_text(text: Any) -> str:
    r"""Trim and fold one text as :func:`fold_texts` does.

    >>> fold_text(" ＣＫＤ\t"), fold_text(1.0)
    ('CKD', '1')
    """
    if text is None or text is pd.NA or (isinstance(text, float) and np.isnan(text)):
        return ""
    folded = fold_texts(pa.array([str(text)], type=pa.large_string()))[0].as_py()
    return str(folded or "")


def code_matches(column: Column, texts: pa.Array) -> NDArray[np.bool_]:
    """Mark the texts that are one of a column's missing codes.

    Case does not matter, and in a numeric column ``-9`` is also ``-9.0``.
    """
    if not column.missing_codes or len(texts) == 0:
        return np.zeros(len(texts), dtype=bool)
    codes = {fold_text(c).casefold() for c in column.missing_codes}
    lowered = pc.utf8_lower(texts)
    found = np.asarray(
        pc.is_in(lowered, value_set=pa.array(sorted(codes), type=lowered.type)).to_numpy(zero_copy_only=False)
    )
    if column.kind == "numeric":
        values = [v for v in (to_number(c) for c in codes) if v is not None]
        if values:
            found = found | np.isin(parse_numbers(texts).value, values)
    return found.astype(bool)


def boolean_side(word: str) -> bool | None:
    """Say whether a word means yes or no; ``None`` when it means neither.

    >>> boolean_side("阳性"), boolean_side("NO"), boolean_side("maybe")
    (True, False, None)
    """
    folded = word.casefold()
    if folded in YES_WORDS:
        return True
    return False if folded in NO_WORDS else None


def _text_array(values: pd.Series) -> pa.Array:
    if not isinstance(values.dtype, pd.StringDtype):
        values = _as_text(values)
    array = pa.array(values.array, type=pa.large_string(), from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _as_text(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    if pd.api.types.is_float_dtype(values.dtype):
        text = pd.Series(pa.array(values.to_numpy(dtype=float, na_value=np.nan)).cast(pa.large_string()).to_pandas())
        return pd.Series(text.to_numpy(dtype=object), index=values.index).where(values.notna(), None).astype("str")
    return values.astype(object).where(values.notna(), None).map(_word, na_action="ignore").astype("str")


def _word(value: Any) -> str:
    return value.isoformat(sep=" ") if hasattr(value, "isoformat") and hasattr(value, "hour") else str(value)


def _read_column(values: pd.Series, column: Column, decimal: str | None) -> tuple[pd.Series, int]:
    if column.kind == "numeric" and pd.api.types.is_numeric_dtype(values.dtype):
        return _numeric_as_is(values, column), 0
    if column.kind == "date" and pd.api.types.is_datetime64_any_dtype(values.dtype):
        naive = values.dt.tz_convert("UTC").dt.tz_localize(None) if values.dt.tz is not None else values
        return naive.astype("datetime64[us]"), 0
    cells = distinct(values)
    absent = code_matches(column, cells.texts)
    out: NDArray[Any]
    if column.kind == "numeric":
        out = parse_numbers(cells.texts, decimal=decimal).value
        nothing: Any = np.nan
        bad = np.isnan(out)
    elif column.kind == "date":
        out = parse_dates(cells.texts).value
        nothing = np.datetime64("NaT")
        bad = np.isnat(out)
    else:
        out = np.array(_spelled(cells.words(), column), dtype=object)
        nothing = None
        bad = np.zeros(len(out), dtype=bool)
    n_bad = int(cells.counts[bad & ~absent].sum())
    out = out.copy()
    out[absent] = nothing
    table = np.empty(len(out) + 1, dtype=out.dtype)
    table[:-1], table[-1] = out, nothing
    return pd.Series(table[cells.codes], index=values.index, name=values.name, dtype=table.dtype), n_bad


def _numeric_as_is(values: pd.Series, column: Column) -> pd.Series:
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    codes = [v for v in (to_number(fold_text(c)) for c in column.missing_codes) if v is not None]
    numbers[np.isin(numbers, codes) | ~np.isfinite(numbers)] = np.nan
    return pd.Series(numbers, index=values.index, name=values.name)


def _spelled(words: Iterable[str], column: Column) -> list[str]:
    if column.kind != "boolean" or len(column.levels) != 2:
        return list(words)
    return [_level(word, column.levels) for word in words]


def _level(word: str, levels: tuple[str, ...]) -> str:
    if word in levels:
        return word
    side = boolean_side(word)
    return word if side is None else levels[side]
