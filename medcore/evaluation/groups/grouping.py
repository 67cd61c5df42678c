"""Kinds of patients: a column cut into a few groups that can be named."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from medcore.evaluation.figures.estimates import Floats
from medcore.i18n import N_, _

#: More groups than this cannot be read; the rarest are put together.
MAX_LEVELS = 12
#: Ages at which clinicians commonly part the young, the middle-aged, the old and the very old.
AGES = (40.0, 65.0, 80.0)
AGE_NAMES = frozenset({"age", "age_years", "age (years)", "年龄"})

NOT_KNOWN = N_("not known")
OTHER = N_("other")


def group_names(table: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Name each patient's group by one column, or by the intersection of several; a row a patient."""
    return [" · ".join(parts) for parts in zip(*(levels(table[c]) for c in columns), strict=True)]


def levels(column: pd.Series[Any]) -> list[str]:
    """Name each patient's group: the category, or the band of a number; missing values are a group.

    Numbers with more than 12 distinct values are cut in thirds, ages at 40, 65 and
    80. Of categories the 12 commonest are kept.
    """
    if pd.api.types.is_numeric_dtype(column) and column.nunique() > MAX_LEVELS:
        return _bands(column)
    names = [_(NOT_KNOWN) if missing else _plain(v) for v, missing in zip(column, column.isna(), strict=True)]
    common = set(pd.Series(names).value_counts().index[:MAX_LEVELS])
    return [n if n in common else _(OTHER) for n in names]


def _bands(column: pd.Series[Any]) -> list[str]:
    values = column.to_numpy(dtype=float)
    cuts = _cuts(values[np.isfinite(values)], is_age=str(column.name).strip().lower() in AGE_NAMES)
    between = [f"{a:.4g} – < {b:.4g}" for a, b in pairwise(cuts)]
    names = [f"< {cuts[0]:.4g}", *between, f"≥ {cuts[-1]:.4g}"]
    place = np.searchsorted(cuts, values, side="right")
    return [names[i] if np.isfinite(v) else _(NOT_KNOWN) for i, v in zip(place, values, strict=True)]


def _cuts(known: Floats, *, is_age: bool) -> Floats:
    """Return where to cut: at least one value, with patients on both sides of each."""
    ages = np.array([a for a in AGES if known.min() < a <= known.max()])
    if is_age and len(ages):
        return ages
    thirds = np.unique(np.quantile(known, [1 / 3, 2 / 3]))
    inside = thirds[thirds > known.min()]
    return inside if len(inside) else np.array([known[known > known.min()].min()])


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
