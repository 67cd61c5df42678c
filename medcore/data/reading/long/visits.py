"""A table of one row a visit and a column a measurement becomes one of one row a result."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd

from medcore.data.cohort import Schema
from medcore.data.long import Pivot
from medcore.errors import InputError
from medcore.i18n import N_, Message


def results_of_visits(
    frame: pd.DataFrame, pivot: Pivot, schema: Schema, *, aside: Collection[str]
) -> tuple[pd.DataFrame, Pivot, list[Message]]:
    """Lay the columns of measurements one below the other; return with the pivot of that table and what to know.

    ``schema`` is that of the table of visits and knows the units; columns ``aside`` are the patients' own, and no
    measurements. Empty cells become no results.

    Raises:
        InputError: no column is left that could be a measurement.

    """
    own = [name for name in frame.columns if name in aside and name not in pivot.columns]
    names = [name for name in frame.columns if name not in pivot.columns and name not in own]
    if not names:
        raise InputError(
            N_(
                "The table of measurements has no column beside the patient and the time. Name the column that says what was measured, or give a table with a column a measurement."
            )
        )
    keys = [name for name in frame.columns if name in pivot.columns]
    analyte, value, unit = (_free(word, keys) for word in ("measurement", "result", "unit"))
    cells = pd.concat([frame[name].astype("str") for name in names], ignore_index=True)
    rows, there = np.tile(np.arange(len(frame)), len(names)), cells.notna().to_numpy(bool)
    long = frame[keys].take(rows[there]).reset_index(drop=True)
    which = np.repeat(np.arange(len(names)), len(frame))[there]
    units = np.array([schema[name].unit or None if name in schema.names else None for name in names], dtype=object)
    long[analyte] = pd.array(np.array(names, dtype=object)[which], dtype="str")
    long[value] = cells[there].to_numpy(object)
    long[value] = long[value].astype("str")
    if any(units):
        long[unit] = pd.array(units[which], dtype="str")
    long.attrs.update(frame.attrs)
    by = replace(pivot, analyte=analyte, value=value, unit=unit if any(units) else "")
    return long, by, _told(names, own)


def _free(word: str, taken: Collection[str]) -> str:
    """Return a name that no column has."""
    while word in taken:
        word += "_"
    return word


def _told(names: list[str], own: list[str]) -> list[Message]:
    said = N_("The second table was read as one row a visit: {n} column(s) are measurements ({names}).")
    left = N_("{n} column(s) of the second table are the patients' own and were not read as measurements: {names}.")
    told = [Message(said, {"n": len(names), "names": names[:12]})]
    return [*told, Message(left, {"n": len(own), "names": own[:12]})] if own else told
