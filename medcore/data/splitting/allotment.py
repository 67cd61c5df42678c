"""Allot whole patients to parts so that every part has its share of every class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# Up to so many units each is placed where it is wanted most; beyond, units of one
# kind are dealt out in turn, which is as even and far quicker.
MOST_PLACED_ONE_BY_ONE = 2000


@dataclass(frozen=True, slots=True)
class Units:
    """What must stay together: patients, or whole sites.

    ``counts`` (n units, K classes) are rows of each class; ``of_row`` says which
    unit a row belongs to; ``names`` are the units' own names or codes.
    """

    counts: npt.NDArray[np.float64]
    of_row: Ints
    names: npt.NDArray[np.generic]

    @property
    def n(self) -> int:
        """Number of units."""
        return len(self.counts)

    @classmethod
    def of(cls, outcome: Ints, n_classes: int, unit: npt.NDArray[np.generic] | None) -> Units:
        """Gather rows into units; every row is its own when ``unit`` is None."""
        if unit is None:
            unit = np.arange(len(outcome))
        names, of_row = np.unique(unit, return_inverse=True)
        counts = np.bincount(of_row * n_classes + outcome, minlength=len(names) * n_classes)
        return cls(counts.reshape(len(names), n_classes).astype(np.float64), of_row.astype(np.int64), names)


def pick(units: Units, share: float, seed: int, *, at_least_one: bool = False) -> Bools:
    """Mark the units of a part that takes about ``share`` of the rows of every class."""
    if share <= 0:
        return np.zeros(units.n, dtype=bool)
    picked = _place(units, np.array([1 - share, share]), seed) == 1
    if at_least_one and not picked.any():
        rows = units.counts.sum(axis=1)
        picked[np.argmin(np.abs(rows - share * rows.sum()))] = True
    return np.asarray(picked, dtype=bool)


def deal(units: Units, n_folds: int, seed: int) -> Ints:
    """Choose each unit's fold so that folds are of equal size and alike in classes."""
    return _place(units, np.full(n_folds, 1 / n_folds), seed)


def _place(units: Units, shares: npt.NDArray[np.float64], seed: int) -> Ints:
    order = _order(units, seed)
    if units.n <= MOST_PLACED_ONE_BY_ONE:
        return _one_by_one(units, shares, order)
    part = np.empty(units.n, dtype=np.int64)
    part[order] = _in_turn(units.n, shares, seed)
    return part


def _order(units: Units, seed: int) -> Ints:
    """Largest units first, those alike in classes next to one another, at random among equals."""
    rows = units.counts.sum(axis=1)
    rarity = np.argsort(np.argsort(units.counts.sum(axis=0)))
    rarest = np.where(units.counts > 0, rarity, len(rarity)).min(axis=1)
    shuffled = np.random.default_rng(seed).random(units.n)
    return np.lexsort((shuffled, rarest, -rows))


def _one_by_one(units: Units, shares: npt.NDArray[np.float64], order: Ints) -> Ints:
    """Put each unit where the squared departure from the wanted class counts, for the part's size, grows least."""
    counts = np.column_stack([units.counts, units.counts.sum(axis=1)])
    total = np.maximum(counts.sum(axis=0), 1)
    held = np.zeros((len(shares), len(total)))
    wanted = shares[:, None] * total
    part = np.empty(units.n, dtype=np.int64)
    for unit in order:
        added = counts[unit]
        growth = (added * (2 * (held - wanted) + added) / (total**2 * shares[:, None])).sum(axis=1)
        part[unit] = int(np.argmin(np.round(growth, 12)))
        held[part[unit]] += added
    return part


def _in_turn(n: int, shares: npt.NDArray[np.float64], seed: int) -> Ints:
    """Write a sequence in which every stretch has each part in its share."""
    start = np.random.default_rng(seed + 1).random()
    edges = np.cumsum(shares)
    if len(set(shares.tolist())) == 1:
        return (np.arange(n) + int(start * len(shares))) % len(shares)
    steps = np.floor((np.arange(n) + 1) * shares[-1] + start) - np.floor(np.arange(n) * shares[-1] + start)
    return np.where(steps > 0, len(edges) - 1, 0).astype(np.int64)
