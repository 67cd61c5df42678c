"""Texts as they are compared: trimmed, of one width, without invisible characters."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from html import unescape
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_INVISIBLE = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}\x{feff}]"
_UNFOLDED = r"[^!-~]|^$"
"""A text with a character that is no printable one of ASCII, or without any: all others are folded as they are."""
_ENTITY = r"&(?:[A-Za-z]{2,8}|#[0-9]{1,6}|#[xX][0-9A-Fa-f]{1,5});"
"""A character as a web page writes it: ``&lt;5`` is ``<5``."""
_SUPERSCRIPT = r"[⁰¹²³⁴-⁹]"
# NFKC writes ¹ as 1: a power of ten keeps its sign, and a footnote stays apart from its number.
_POWER = (rf"([×xX*] ?10)({_SUPERSCRIPT}{{1,2}})", r"\1^\2")
_POWER_PER = (rf"(^|[^0-9])10({_SUPERSCRIPT}{{1,2}}) ?/", r"\1 10^\2/")
_OTHER_DIGITS = r"[\x{660}-\x{669}\x{66b}\x{66c}\x{6f0}-\x{6f9}\x{966}-\x{96f}\x{9e6}-\x{9ef}\x{e50}-\x{e59}]"
_DIGITS = {first + n: str(n) for first in (0x660, 0x6F0, 0x966, 0x9E6, 0xE50) for n in range(10)} | {
    0x66B: ".",
    0x66C: ",",
}
"""Arabic, Persian, Devanagari, Bengali and Thai digits, and the Arabic marks of decimals and of thousands."""
_PARTS = {letter: unicodedata.numeric(letter) for letter in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"}
_FRACTION = f"[{''.join(_PARTS)}]"
"""½ is 0.5; NFKC would write 1½ as 11⁄2."""
_MIXED = re.compile(rf"(?<![0-9])([0-9]{{1,4}})?\s?({_FRACTION})")
_FOOTNOTE = (rf"([0-9０-９])\s?((?:{_SUPERSCRIPT}|[ªᵃᵇᶜᵈᵉᶠ]){{1,2}})$", r"\1[\2]")


@dataclass(frozen=True, slots=True)
class Distinct:
    """A column as its distinct texts: trimmed, width-folded, and which row has which.

    ``texts`` (k) is in order of first appearance, ``counts`` (k) says how many
    rows have each, ``codes`` (n) points from row to text, −1 where the cell is empty. ``raw`` (m)
    are the distinct texts as they are written, and ``raw_counts`` (m) how many rows have each.
    """

    texts: pa.Array
    counts: NDArray[np.int64]
    codes: NDArray[np.int64]
    raw: pa.Array
    raw_counts: NDArray[np.int64]

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
    raw, raw_codes = encoded.dictionary, _codes(encoded.indices)
    raw_counts = np.bincount(raw_codes + 1, minlength=len(raw) + 1)[1:]
    folded = fold_texts(raw, exact=exact).dictionary_encode()
    texts, merged = folded.dictionary, _codes(folded.indices)
    if len(texts) == len(raw):
        return Distinct(texts, raw_counts, raw_codes, raw, raw_counts)
    counts = np.bincount(merged + 1, weights=raw_counts, minlength=len(texts) + 1)[1:].astype(np.int64)
    return Distinct(texts, counts, np.append(merged, -1)[raw_codes], raw, raw_counts)


def with_empty(cells: Distinct, word: str) -> Distinct:
    """Return a column's texts with a word in its empty cells.

    >>> with_empty(distinct(pd.Series(["X", None, " "])), "no").codes.tolist()
    [0, 1, 1]
    """
    empty = cells.codes < 0
    if not empty.any():
        return cells
    texts = cells.words()
    at = texts.index(word) if word in texts else len(texts)
    counts = np.append(cells.counts, 0) if at == len(texts) else cells.counts.copy()
    counts[at] += int(empty.sum())
    written = cells.texts if at < len(texts) else pa.array([*texts, word], type=cells.texts.type)
    return Distinct(written, counts, np.where(empty, at, cells.codes), cells.raw, cells.raw_counts)


def _codes(indices: pa.Array) -> NDArray[np.int64]:
    return np.asarray(pc.fill_null(indices, -1).to_numpy(zero_copy_only=False), dtype=np.int64)


def fold_texts(texts: pa.Array, *, exact: bool = False) -> pa.Array:
    """Trim texts, fold full-width and compatibility characters (NFKC) and digits of other scripts, and drop ``.0`` of whole numbers.

    A raised figure after a number is a footnote and not one of its digits: ``7.4¹`` becomes ``7.4[1]``.
    What a web page had to write in letters is read as it was shown: ``&lt;5`` becomes ``<5``.
    """
    if pc.any(pc.match_substring_regex(texts, _ENTITY)).as_py():
        texts = pa.array([None if word is None else unescape(word) for word in texts.to_pylist()], type=texts.type)
    if pc.any(pc.match_substring_regex(texts, _UNFOLDED)).as_py():
        texts = _folded(texts)
    if not exact:
        texts = pc.replace_substring_regex(texts, r"^(-?[0-9]+)\.0$", r"\1")
    return texts


def _folded(texts: pa.Array) -> pa.Array:
    if not pc.all(pc.string_is_ascii(texts)).as_py():
        for pattern, plain in (_POWER, _POWER_PER, _FOOTNOTE):
            if pc.any(pc.match_substring_regex(texts, pattern)).as_py():
                texts = pc.replace_substring_regex(texts, pattern, plain)
        if pc.any(pc.match_substring_regex(texts, _FRACTION)).as_py():
            texts = pa.array([None if word is None else _decimal(word) for word in texts.to_pylist()], type=texts.type)
        texts = pc.utf8_normalize(texts, form="NFKC")
        if pc.any(pc.match_substring_regex(texts, _OTHER_DIGITS)).as_py():
            words = [None if word is None else word.translate(_DIGITS) for word in texts.to_pylist()]
            texts = pa.array(words, type=texts.type)
    texts = pc.replace_substring_regex(texts, _INVISIBLE, "")
    texts = pc.replace_substring_regex(texts, r"\s+", " ")
    texts = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, texts.type), texts)


def _decimal(word: str) -> str:
    return _MIXED.sub(lambda m: f"{int(m[1] or 0) + _PARTS[m[2]]:.6g}", word)


def fold_text(text: Any) -> str:
    r"""Trim and fold one text as :func:`fold_texts` does.

    >>> fold_text(" ＣＫＤ\t"), fold_text(1.0), fold_text("7.41¹"), fold_text("8×10⁹/L"), fold_text("1½ tab")
    ('CKD', '1', '7.41[1]', '8×10^9/L', '1.5 tab')
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
