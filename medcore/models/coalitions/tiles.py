"""Composite rows laid out in tiles: the rows of one tile share their background row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LARGEST = 128
"""Composite rows in a tile at most: the hidden layers of so many stay in the cache."""
SLOTS = 256
"""Tiles in one call of a compiled program at most, which is compiled for that number."""


FEW = 16
"""Composite rows in a tile where only a few share a background row."""
BEGINNING = 4
"""What it costs to begin a tile, in composite rows, about."""


def tile_size(n_columns: int) -> int:
    """Return how many rows a tile has, so that both permutations of an antithetic pair fill their tiles.

    >>> [tile_size(n) for n in (2, 13, 20, 30, 60, 280)]
    [4, 24, 40, 60, 120, 112]
    """
    n_rows = max(1, 2 * (n_columns - 1))
    n_tiles = -(-n_rows // LARGEST)
    return min(LARGEST, 4 * -(-n_rows // (4 * n_tiles)))


def fitting_size(counts: NDArray[np.intp], n_columns: int) -> int:
    """Choose the size of tiles that takes least for so many composite rows a background row: one of two, each compiled once.

    >>> [fitting_size(np.array([n]), 30) for n in (10, 30, 58)]
    [16, 16, 60]
    """
    sizes = sorted({min(FEW, tile_size(n_columns)), tile_size(n_columns)}, reverse=True)
    return min(sizes, key=lambda size: int((-(-counts // size)).sum()) * (size + BEGINNING))


@dataclass(frozen=True, slots=True)
class Tiles:
    """T tiles: the background row of each, its rows' columns that are the patient's, and how many rows are real."""

    owner: NDArray[np.int32]
    masks: NDArray[np.uint8]
    used: NDArray[np.int64]
    place: NDArray[np.intp]

    @classmethod
    def of(cls, rows: NDArray[np.intp], present: NDArray[np.bool_]) -> Tiles:
        """Lay out composite rows ``(n,)`` with their columns ``present`` (n, P); ``place`` (n,) is where each went."""
        order = np.argsort(rows, kind="stable")
        counts = np.bincount(rows)
        size = fitting_size(counts, present.shape[1])
        tiles = -(-counts // size)
        first = np.cumsum(tiles) - tiles
        owner = np.repeat(np.arange(len(counts)), tiles).astype(np.int32)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        place = np.empty(len(rows), np.intp)
        place[order] = np.repeat(first * size, counts) + within
        masks = np.zeros((len(owner) * size, present.shape[1]), np.uint8)
        masks[place] = present
        used = np.minimum(size, counts[owner] - size * (np.arange(len(owner)) - first[owner]))
        return cls(owner, masks.reshape(len(owner), size, -1), used, place)

    @property
    def n_slots(self) -> int:
        """Number of rows, empty ones included."""
        return int(self.masks.shape[0] * self.masks.shape[1])

    def pieces(self, group_size: int) -> Iterator[tuple[Tiles, int]]:
        """Yield the tiles in pieces of one group of background rows each, with the group's number."""
        groups = self.owner // group_size
        for group in np.unique(groups):
            low, high = np.searchsorted(groups, [group, group + 1])
            for start in range(low, high, SLOTS):
                part = slice(start, min(high, start + SLOTS))
                yield Tiles(self.owner[part], self.masks[part], self.used[part], self.place[:0]), int(group)
