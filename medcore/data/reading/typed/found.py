"""What a typed file gives: columns in their own types, and what was seen on the way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from medcore.data.reading.layout.aside import Aside
from medcore.data.schema.dictionaries.codebook import Rows
from medcore.i18n import N_, Message

OTHERS = N_("The sheet “{sheet}” was read; the file has others too: {others}.")


@dataclass(frozen=True, slots=True)
class TypedTable:
    """A typed file's table: raw column names, columns in their own types, and what was seen on the way.

    ``alike`` are other sheets whose columns have the same names, ``linked`` those that have some of the names, ``others`` the small ones among all others, as rows of
    text. ``levels`` is the order of the values, lowest first, of columns that the file says have one.
    """

    names: list[str]
    columns: list[pd.Series] = field(repr=False)
    sheet: str | None = None
    sheets: tuple[str, ...] = ()
    skip_lines: int = 0
    labels: Mapping[int, str] = field(default_factory=dict)
    levels: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    repairs: tuple[Message, ...] = ()
    hidden: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    others: tuple[tuple[str, Rows], ...] = field(repr=False, default=())
    groups: tuple[str, ...] = ()
    n_storeys: int = 1
    aside: Aside = field(default_factory=Aside)
    lines: np.ndarray[Any, np.dtype[np.int64]] = field(repr=False, default_factory=lambda: np.empty(0, np.int64))
    """The number of each row in the file, those set aside among them; empty where a format numbers none."""


def cell_text(cell: Any) -> str | None:
    """Write a typed cell as text, whole numbers without a point; None for an empty one."""
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
