"""Forests and boosted trees on composite rows: only the leaves that a composite row can reach are looked at.

Given the patient and one background row, a split matters only where the two go
different ways, and a leaf is reached when certain columns are the patient's and
certain others are not (the view of interventional TreeSHAP, Lundberg et al. 2020).
Written as bits, a tree is then a short list of patterns, and so is a whole forest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from medcore.features import Rows
from medcore.models.coalitions.leaves import Numbers, Patterns, Trees
from medcore.models.coalitions.tiles import Tiles
from medcore.models.contract.coalitions import TYPICAL_SUMS, PairsAsked
from medcore.models.contract.task import Indices, Risk

NAN_IS_ZERO, ZERO_IS_MISSING, NAN_IS_MISSING = 0, 1, 2
"""What LightGBM calls the missing type of a split; the numbers are those of its files."""


@dataclass(frozen=True, slots=True)
class TreeCoalitions:
    """A part made of trees.

    ``trees`` makes a list of trees for every column of scores; ``read`` maps rows
    (n, P) to what the trees cut, (n, F), and ``owners`` says which of the P columns
    each of the F is of. ``risk_of`` turns summed leaves (n, C) into risks (n, K).
    With ``n_ticks`` the trees cut a further number behind the codes, and are asked about each of its values 0, 1
    and so on: leaves are then summed to (n, C · ticks).
    """

    trees: Callable[[], tuple[Trees, ...]] = field(repr=False)
    read: Callable[[Rows], NDArray[Any]] = field(repr=False)
    owners: Callable[[int], NDArray[np.int32]] = field(repr=False)
    risk_of: Callable[[Numbers], Risk] = field(repr=False)
    n_ticks: int = 1
    n_sums: int = TYPICAL_SUMS
    n_floats: ClassVar[int] = 1

    @property
    def can_pair(self) -> bool:
        """Whether all columns are known at once: not where the trees are asked about every tick."""
        return self.n_ticks == 1

    def prepare(self, rows: Rows, group_size: int, *, kept: bool) -> TreesBackground:  # noqa: ARG002
        """Read the background rows (m, P)."""
        n_columns = rows.shape[1]
        return TreesBackground(self, self.trees(), self.cut(rows), self.owners(n_columns), n_columns)

    def cut(self, rows: Rows) -> Numbers:
        """Return rows as the trees read them, (n, F)."""
        return np.ascontiguousarray(self.read(rows), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class TreesBackground:
    """Trees with the background rows as they read them (m, F), and whose column each of the F is."""

    part: TreeCoalitions
    trees: tuple[Trees, ...] = field(repr=False)
    rows: Numbers = field(repr=False)
    owners: NDArray[np.int32] = field(repr=False)
    n_columns: int

    def against(self, row: Rows, /) -> TreesPatient:
        """Take in a patient (1, P)."""
        from medcore.models.coalitions.tree_loops import reachable

        theirs = self.part.cut(row)[0]
        ticks = self.part.n_ticks
        clock = (self.n_columns, ticks) if ticks > 1 else (-1, 1)
        given = (theirs, self.rows, self.owners, self.n_columns, clock)
        return TreesPatient(self.part, tuple(reachable(t, *given) for t in self.trees))


@dataclass(frozen=True, slots=True)
class TreesPatient:
    """Trees that know a patient and the background rows."""

    part: TreeCoalitions
    patterns: tuple[Patterns, ...] = field(repr=False)

    @property
    def can_pair(self) -> bool:
        """Whether all columns are known at once."""
        return self.part.can_pair

    def pairs(self, rows: Indices, present: NDArray[np.bool_], /) -> PairsAsked:
        """Ask about coalitions and their opposites, exactly: what a leaf adds is known of every column that it hangs on."""
        risk, each = zip(*(self._flipped(rows, masks) for masks in (present, ~present)), strict=True)
        return PairsAsked(present, np.stack(risk), np.stack(each))

    def _flipped(self, rows: Indices, present: NDArray[np.bool_]) -> tuple[Risk, Risk]:
        """Return the risks of composite rows (n, K), and what having each column changes about these (n, P, K)."""
        from medcore.models.coalitions.tree_loops import flipped

        found = [flipped(p, rows, present.astype(np.uint8)) for p in self.patterns]
        sums, adds = (np.concatenate(arrays, axis=-1) for arrays in zip(*found, strict=True))
        others = sums[:, None] + np.where(present, -1.0, 1.0)[:, :, None] * adds
        risk = self.part.risk_of(sums)
        apart = risk[:, None] - self.part.risk_of(others.reshape(-1, sums.shape[1])).reshape(*present.shape, -1)
        return risk, np.where(present, 1.0, -1.0)[:, :, None] * apart

    def risk(self, tiles: Tiles, _group: int, /) -> Risk:
        """Predict for the composite rows of tiles: (T · tile, K)."""
        from medcore.models.coalitions.tree_loops import totals

        sums = [totals(p, tiles.owner, tiles.masks, tiles.used) for p in self.patterns]
        return self.part.risk_of(np.hstack(sums))
