"""Tables on their way out: what a spreadsheet would run is made harmless."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO

import pandas as pd

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, such as the line break inside a cell of an old system (U+000B)."""
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
    """Write a table as an Excel workbook of one sheet in which no text acts as a formula.

    Control characters are escaped as Excel itself does (``_x000B_``, ECMA-376 part 1, 22.9.2.19), so that they come back.
    """
    file = BytesIO()
    _changed(_safe(frame), _escaped).to_excel(file, index=False, engine="openpyxl")
    return file.getvalue()


def _safe(frame: pd.DataFrame) -> pd.DataFrame:
    return _changed(frame, harmless)


def _changed(frame: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """Return a table with every text and heading as ``change`` writes it."""
    found = frame.rename(columns={name: change(str(name)) for name in frame.columns})
    for position, kind in enumerate(found.dtypes):
        if not pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_datetime64_any_dtype(kind):
            found.isetitem(position, [change(v) if isinstance(v, str) else v for v in found.iloc[:, position]])
    return found


def _escaped(text: str) -> str:
    return _NOT_IN_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def harmless(text: str) -> str:
    """Return the text with an apostrophe before it if a spreadsheet would run it."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
