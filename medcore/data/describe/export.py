"""Tables on their way out: what a spreadsheet would run is made harmless."""

from __future__ import annotations

from io import BytesIO

import pandas as pd

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def to_csv(frame: pd.DataFrame) -> str:
    """Write a table as CSV in which no text cell or heading can act as a formula.

    Text that starts with ``= + - @``, a tab or a carriage return gets a leading
    apostrophe, as OWASP's advice on CSV injection says; numbers stay as they are.

    >>> print(to_csv(pd.DataFrame({"=a": ["@b", "c"], "x": [-1, 2]})), end="")
    '=a,x
    '@b,-1
    c,2
    """
    return _safe(frame).to_csv(index=False, lineterminator="\n")


def to_xlsx(frame: pd.DataFrame) -> bytes:
    """Write a table as an Excel workbook of one sheet in which no text acts as a formula."""
    file = BytesIO()
    _safe(frame).to_excel(file, index=False, engine="openpyxl")
    return file.getvalue()


def _safe(frame: pd.DataFrame) -> pd.DataFrame:
    safe = frame.rename(columns={name: harmless(str(name)) for name in frame.columns})
    for position, kind in enumerate(safe.dtypes):
        if not pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_datetime64_any_dtype(kind):
            safe.isetitem(position, [harmless(v) if isinstance(v, str) else v for v in safe.iloc[:, position]])
    return safe


def harmless(text: str) -> str:
    """Return the text with an apostrophe before it if a spreadsheet would run it."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
