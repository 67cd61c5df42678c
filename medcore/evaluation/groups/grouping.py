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
    known, codes = zip(*(_levelled(table[c], most) for c in columns), strict=True)
    together, group = np.unique(np.column_stack(codes), axis=0, return_inverse=True)
    keys = [GroupKey(tuple(of[place] for of, place in zip(known, row, strict=True))) for row in together]
    order = sorted(range(len(keys)), key=lambda i: [part.order for part in keys[i].levels])
    place = np.empty(len(keys), dtype=np.int64)
    place[order] = np.arange(len(keys))
    return Grouping(tuple(keys[i] for i in order), place[group.reshape(-1)])


def levels(column: pd.Series[Any], *, most: int | None = MAX_LEVELS) -> list[Level]:
    """Return each patient's group by a column: the category, or the band of a number; missing values are a group.

    Numbers with more than 12 distinct values are cut in thirds, ages at 40, 65 and
    80. Of categories the 12 commonest are kept (of equally common ones the first by
    name), the others put together.
    """
    known, codes = _levelled(column, most)
    return [known[code] for code in codes]


def _levelled(column: pd.Series[Any], most: int | None) -> tuple[list[Level], NDArray[np.int64]]:
    """Return a column's groups, and the place (n,) of each patient's among them."""
    if pd.api.types.is_numeric_dtype(column) and most is not None and column.nunique() > most:
        return _bands(column)
    codes, values = pd.factorize(column)
    named = [Level("level", _plain(v)) for v in values]
    counts: Counter[Level] = Counter()
    for level, n in zip(named, np.bincount(codes[codes >= 0], minlength=len(named)), strict=True):
        counts[level] += int(n)
    common = set(sorted(counts, key=lambda level: (-counts[level], level.name))[:most])
    own = [*(level if level in common else REST for level in named), MISSING]  # a code of −1 is the last
    known = list(dict.fromkeys(own))
    return known, np.array([known.index(level) for level in own], dtype=np.int64)[codes]


def _bands(column: pd.Series[Any]) -> tuple[list[Level], NDArray[np.int64]]:
    values = column.to_numpy(dtype=float)
    cuts = _cuts(values[np.isfinite(values)], is_age=str(column.name).strip().lower() in AGE_NAMES)
    between = [f"{a:.4g} – < {b:.4g}" for a, b in pairwise(cuts)]
    names = (f"< {cuts[0]:.4g}", *between, f"≥ {cuts[-1]:.4g}")
    bands = [Level("level", name, place) for place, name in enumerate(names)]
    place = np.searchsorted(cuts, values, side="right")
    return [*bands, MISSING], np.where(np.isfinite(values), place, len(bands)).astype(np.int64)


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
