"""What statistics programs write: Stata, SAS and SPSS, with their labels of columns and codes."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medcore.data.reading.text import RawFile
from medcore.data.reading.typed.found import TypedTable, cell_text
from medcore.data.values.words import MISSING_WORDS
from medcore.i18n import N_, Message

_SUFFIXES = {"stata": ".dta", "sas": ".sas7bdat", "spss": ".sav", "xport": ".xpt"}


def read_statistical(raw: RawFile, kind: str) -> TypedTable:
    """Read values by their labels, columns by their titles, and ordinal scales in their order."""
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
