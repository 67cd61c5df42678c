"""Categories with many levels as numbers that trees can cut: how often each outcome went with the level, or its mean.

A level's share is shrunken towards the share of all (Micci-Barreca 2001), and a
training row's own outcome never takes part in its own number: it comes from the
other parts of a partition of the training rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.features import AnyRows, Codes, Rows, kind_named
from medcore.models.contract.number import NumberScale
from medcore.models.contract.task import Indices, Task
from medcore.targets import Target

MIN_LEVELS = 9
"""Predictors with fewer categories are cut by their codes."""
MIN_ROWS = 200
_SHRINKAGE = 20.0
_PARTS = 5
_MAX_CLASSES = 10


@dataclass(frozen=True, slots=True)
class CategoryEncoder:
    """Tables of shape ``(levels + 2, C)`` for some predictors; the first two rows are missing and unseen.

    C is 1 for two classes, else the number of classes.
    """

    places: tuple[int, ...] = ()
    tables: tuple[NDArray[np.float64], ...] = ()
    contents: tuple[tuple[int, str, tuple[int, ...]], ...] = ()
    """Place, kind and entries of predictors whose codes are keys of contents, which no tree can cut."""

    def transform(self, rows: AnyRows) -> Codes:
        """Put the numbers of each encoded predictor beside the codes: ``(n, P + extra)``."""
        rows = Rows.of(rows)
        codes = self._cut(rows)
        if not self.places:
            return codes
        pairs = zip(self.places, self.tables, strict=True)
        return np.hstack([codes, *(table[_index(rows.codes[:, place], len(table))] for place, table in pairs)])

    def owners(self, n_columns: int) -> NDArray[np.int32]:
        """Say of every column of :meth:`transform` which of the ``n_columns`` predictors it is of."""
        behind = [np.repeat(place, max(len(entries) - 1, 0)) for place, _kind, entries in self.contents]
        extra = [np.repeat(place, table.shape[1]) for place, table in zip(self.places, self.tables, strict=True)]
        return np.concatenate([np.delete(np.arange(n_columns), self._unread), *behind, *extra]).astype(np.int32)

    @property
    def _unread(self) -> list[int]:
        """The places of measurements in the order of time: trees go by their summaries and have no column of them."""
        return [place for place, kind, _entries in self.contents if kind_named(kind).in_order]

    def _cut(self, rows: Rows) -> Codes:
        """Return the codes with what contents hold: the first number in place of the key, the others behind all codes."""
        if not self.contents:
            return rows.codes
        codes, behind = rows.codes.copy(), []
        for place, kind, entries in self.contents:
            numbers = kind_named(kind).numbers(rows.column(place), entries)
            codes[:, place] = numbers[:, 0] if entries else np.nan
            behind.append(numbers[:, 1:])
        return np.hstack([np.delete(codes, self._unread, axis=1), *behind])

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        data = {"places": list(self.places), "tables": [t.tolist() for t in self.tables]}
        return data | ({"contents": [list(one) for one in self.contents]} if self.contents else {})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CategoryEncoder:
        """Read what :meth:`to_dict` wrote."""
        tables = tuple(np.asarray(t, dtype=np.float64) for t in data["tables"])
        contents = tuple((int(place), str(kind), tuple(entries)) for place, kind, entries in data.get("contents", ()))
        return cls(tuple(data["places"]), tables, contents)


def encode_training(task: Task, rows: Indices) -> tuple[CategoryEncoder, Codes]:
    """Fit the encoder on training rows; return it with these rows' codes, encoded without their own outcome."""
    places = tuple(p for p, k in enumerate(task.n_categories) if k >= MIN_LEVELS)
    contents = tuple(
        (place, kind, task.layout.entries[place])
        for place, kind in enumerate(task.kinds)
        if not kind_named(kind).scalar
    )
    own = task.rows.take(rows)
    codes = CategoryEncoder(contents=contents).transform(own)
    if not places or len(rows) < MIN_ROWS or Target(task.n_classes).n_scores > _MAX_CLASSES:
        return CategoryEncoder(contents=contents), codes
    if task.number is not None:
        target = NumberScale.of(task).standard(task.value[rows])[:, None]
    else:
        target = np.eye(task.n_classes)[task.outcome[rows]][:, Target(task.n_classes).told]
    parts = _partition(task, rows)
    tables, columns = [], [codes]
    for place in places:
        n_rows = task.n_categories[place] + 2
        index = _index(own.codes[:, place], n_rows)
        tables.append(_table(index, target, n_rows))
        column = np.empty_like(target)
        for part in range(_PARTS):
            out = parts == part
            column[out] = _table(index[~out], target[~out], n_rows)[index[out]]
        columns.append(column)
    return CategoryEncoder(places, tuple(tables), contents), np.hstack(columns)


def _partition(task: Task, rows: Indices) -> Indices:
    """Part the rows at random, patients whole."""
    rng = np.random.default_rng([task.settings.seed, len(rows)])
    if task.groups is None:
        return np.asarray(rng.permutation(len(rows)) % _PARTS)
    codes = np.unique(task.groups[rows], return_inverse=True)[1]
    return np.asarray((rng.permutation(codes.max() + 1) % _PARTS)[codes])


def _index(codes: NDArray[np.float64], n_rows: int) -> Indices:
    whole = np.where(np.isnan(codes), -2.0, codes).astype(np.int64) + 2
    return np.asarray(np.clip(whole, 0, n_rows - 1))


def _table(index: Indices, target: NDArray[np.float64], n_rows: int) -> NDArray[np.float64]:
    prior = target.mean(axis=0)
    counts = np.bincount(index, minlength=n_rows).astype(np.float64)[:, None]
    sums = np.stack([np.bincount(index, weights=t, minlength=n_rows) for t in target.T], axis=1)
    return np.asarray((sums + _SHRINKAGE * prior) / (counts + _SHRINKAGE))
