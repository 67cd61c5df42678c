"""Kinds of patients: a column cut into a few groups, each with a key that knows no language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.shown import Shown
from medcore.i18n import N_, Message
from medcore.statistics.arrays import Floats

#: More groups than this cannot be read; the rarest are put together.
MAX_LEVELS = 12
#: Ages at which clinicians commonly part the young, the middle-aged, the old and the very old.
AGES = (40.0, 65.0, 80.0)
AGE_NAMES = frozenset({"age", "age_years", "age (years)", "年龄"})

NOT_KNOWN = N_("not known")
RARE = N_("all rarer values")


@dataclass(frozen=True, slots=True)
class Level:
    """One group of a column: a value or a band of values, the missing values, or the rarest put together.

    Its identity is the same in every language; ``str`` gives its name in the reader's.
    ``place`` is its order among bands of a number.
    """

    kind: Literal["level", "missing", "rest"]
    name: str = ""
    place: int = field(default=0, compare=False)

    @property
    def order(self) -> tuple[int, float, str]:
        """By what groups are sorted: bands and numbers from low to high, names by the alphabet, the rest and the unknown last."""
        number = float(self.name) if self.name.replace(".", "", 1).isdigit() else 0.0
        return (("level", "rest", "missing").index(self.kind), self.place or number, self.name)

    @property
    def message(self) -> Message:
        """The group's name, translated when it is shown."""
        if self.kind == "level":
            return Message("{name}", {"name": self.name})
        return Message(NOT_KNOWN if self.kind == "missing" else RARE)

    def shown(self, column: Shown) -> Level:
        """Return the level as its column's values are shown."""
        return replace(self, name=column.value(self.name) or self.name) if self.kind == "level" else self

    def __str__(self) -> str:
        return str(self.message)


MISSING, REST = Level("missing"), Level("rest")


@dataclass(frozen=True, slots=True)
class GroupKey:
    """A group of one column, or of the intersection of several: a level of each.

    >>> str(GroupKey((Level("level", "F"), Level("missing"))))
    'F · not known'
    """

    levels: tuple[Level, ...]

    @property
    def message(self) -> Message:
        """The group's name, translated when it is shown."""
        names = {f"level_{place}": level.message for place, level in enumerate(self.levels)}
        return Message(" · ".join(f"{{{name}}}" for name in names), names)

    def shown(self, columns: Sequence[Shown]) -> GroupKey:
        """Return the key as the values of its columns are shown; for people, not to look a group up."""
        return GroupKey(tuple(level.shown(column) for level, column in zip(self.levels, columns, strict=True)))

    def __str__(self) -> str:
        return str(self.message)


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """Each patient's group: ``keys[codes[i]]`` is that of patient i; every key occurs, in a fixed order."""

    keys: tuple[GroupKey, ...]
    codes: NDArray[np.int64]

    def masks(self) -> dict[GroupKey, NDArray[np.bool_]]:
        """Return which patients (n,) each group holds."""
        return {key: self.codes == place for place, key in enumerate(self.keys)}


def grouping(table: pd.DataFrame, columns: Sequence[str], *, most: int | None = MAX_LEVELS) -> Grouping:
    """Put each patient into a group by one column, or by the intersection of several; a row a patient.

    Of a column the ``most`` commonest values are kept, or all of them.
    """
    rows = [GroupKey(parts) for parts in zip(*(levels(table[c], most=most) for c in columns), strict=True)]
    keys = sorted(set(rows), key=lambda key: [part.order for part in key.levels])
    place = {key: number for number, key in enumerate(keys)}
    return Grouping(tuple(keys), np.array([place[key] for key in rows], dtype=np.int64))


def levels(column: pd.Series[Any], *, most: int | None = MAX_LEVELS) -> list[Level]:
    """Return each patient's group by a column: the category, or the band of a number; missing values are a group.

    Numbers with more than 12 distinct values are cut in thirds, ages at 40, 65 and
    80. Of categories the 12 commonest are kept (of equally common ones the first by
    name), the others put together.
    """
    if pd.api.types.is_numeric_dtype(column) and most is not None and column.nunique() > most:
        return _bands(column)
    absent = column.isna()
    found = [MISSING if gone else Level("level", _plain(v)) for v, gone in zip(column, absent, strict=True)]
    counts = Counter(level for level in found if level is not MISSING)
    common = set(sorted(counts, key=lambda level: (-counts[level], level.name))[:most])
    return [level if level is MISSING or level in common else REST for level in found]


def _bands(column: pd.Series[Any]) -> list[Level]:
    values = column.to_numpy(dtype=float)
    cuts = _cuts(values[np.isfinite(values)], is_age=str(column.name).strip().lower() in AGE_NAMES)
    between = [f"{a:.4g} – < {b:.4g}" for a, b in pairwise(cuts)]
    names = (f"< {cuts[0]:.4g}", *between, f"≥ {cuts[-1]:.4g}")
    bands = [Level("level", name, place) for place, name in enumerate(names)]
    place = np.searchsorted(cuts, values, side="right")
    return [bands[i] if np.isfinite(v) else MISSING for i, v in zip(place, values, strict=True)]


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
