"""Texts as they are compared: trimmed, of one width, without invisible characters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_INVISIBLE = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}\x{feff}]"
_SUPERSCRIPT = r"[⁰¹²³⁴-⁹]"
# NFKC writes ¹ as 1: a power of ten keeps its sign, and a footnote stays apart from its number.
_POWER = (rf"([×xX*] ?10)({_SUPERSCRIPT}{{1,2}})", r"\1^\2")
_POWER_PER = (rf"(^|[^0-9])10({_SUPERSCRIPT}{{1,2}}) ?/", r"\1 10^\2/")
_FOOTNOTE = (rf"([0-9０-９])\s?((?:{_SUPERSCRIPT}|[ªᵃᵇᶜᵈᵉᶠ]){{1,2}})$", r"\1[\2]")


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


def distinct(values: pd.Series, *, exact: bool = False) -> Distinct:
    r"""Find a column's distinct texts, trimmed and width-folded; an empty text is no value.

    ``exact`` keeps ``250.0`` apart from ``250``, as codes need.

    >>> d = distinct(pd.Series(["ckd", "ckd\t", " ＣＫＤ", None]))
    >>> d.words(), d.codes.tolist()
    (['ckd', 'CKD'], [0, 0, 1, -1])
    """
    encoded = text_array(values).dictionary_encode()
    raw, codes = encoded.dictionary, encoded.indices
    row_codes = pc.fill_null(codes, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    folded = fold_texts(raw, exact=exact).dictionary_encode()
    again = pc.fill_null(folded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    row_codes = np.append(again, -1)[row_codes]
    texts = folded.dictionary
    counts = np.bincount(row_codes[row_codes >= 0], minlength=len(texts)).astype(np.int64)
    return Distinct(texts, counts, row_codes)


def fold_texts(texts: pa.Array, *, exact: bool = False) -> pa.Array:
    """Trim texts, fold full-width and compatibility characters (NFKC), and drop ``.0`` of whole numbers.

    A raised figure after a number is a footnote and not one of its digits: ``7.4¹`` becomes ``7.4[1]``.
    """
    for pattern, plain in (_POWER, _POWER_PER, _FOOTNOTE):
        if pc.any(pc.match_substring_regex(texts, pattern)).as_py():
            texts = pc.replace_substring_regex(texts, pattern, plain)
    texts = pc.utf8_normalize(texts, form="NFKC")
    texts = pc.replace_substring_regex(texts, _INVISIBLE, "")
    texts = pc.replace_substring_regex(texts, r"\s+", " ")
    texts = pc.utf8_trim_whitespace(texts)
    if not exact:
        texts = pc.replace_substring_regex(texts, r"^(-?[0-9]+)\.0$", r"\1")
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, texts.type), texts)


def fold_text(text: Any) -> str:
    r"""Trim and fold one text as :func:`fold_texts` does.

    >>> fold_text(" ＣＫＤ\t"), fold_text(1.0), fold_text("7.41¹"), fold_text("8×10⁹/L")
    ('CKD', '1', '7.41[1]', '8×10^9/L')
    """
    if text is None or text is pd.NA or (isinstance(text, float) and np.isnan(text)):
        return ""
    folded = fold_texts(pa.array([str(text)], type=pa.large_string()))[0].as_py()
    return str(folded or "")


def text_array(values: pd.Series) -> pa.Array:
    """Write a column's cells as texts; what is missing stays missing."""
    if not isinstance(values.dtype, pd.StringDtype):
        values = _as_text(values)
    array = pa.array(values.array, type=pa.large_string(), from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _as_text(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    if pd.api.types.is_float_dtype(values.dtype):
        numbers = values.to_numpy(dtype=float, na_value=np.nan)
        known = numbers[~np.isnan(numbers)]
        if len(known) and (np.abs(known) < 2**53).all() and (known == np.round(known)).all():
            return _as_text(values.astype("Int64"))
        text = pd.Series(pa.array(values.to_numpy(dtype=float, na_value=np.nan)).cast(pa.large_string()).to_pandas())
        return pd.Series(text.to_numpy(dtype=object), index=values.index).where(values.notna(), None).astype("str")
    return values.astype(object).where(values.notna(), None).map(_word, na_action="ignore").astype("str")


def _word(value: Any) -> str:
    return value.isoformat(sep=" ") if hasattr(value, "isoformat") and hasattr(value, "hour") else str(value)
