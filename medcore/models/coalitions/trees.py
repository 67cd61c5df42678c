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
from medcore.models.coalitions.leaves import Numbers, Patterns, Trees, Ways
from medcore.models.coalitions.tiles import Tiles
from medcore.models.contract.coalitions import TYPICAL_SUMS, ApartAsked, PairsAsked
from medcore.models.contract.task import Indices, Risk

NAN_IS_ZERO, ZERO_IS_MISSING, NAN_IS_MISSING = 0, 1, 2
"""What LightGBM calls the missing type of a split; the numbers are those of its files."""
MOST_WAYS = 64_000_000
"""Bytes of where background rows go that are kept for the next patient, for each part."""


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
    change_of: Callable[[Numbers], Risk] | None = field(default=None, repr=False)
    """What changes of summed leaves (n, C) change about the risks (n, K), where ``risk_of`` is linear: Shapley values are then those of the leaves."""
    n_floats: ClassVar[int] = 1

    @property
    def can_pair(self) -> bool:
        """Whether all columns are known at once: not where the trees are asked about every tick."""
        return self.n_ticks == 1

    def prepare(self, rows: Rows, group_size: int, *, kept: bool) -> TreesBackground:  # noqa: ARG002
        """Read the background rows (m, P)."""
        return TreesBackground(self, self.trees(), self.cut(rows), self.owners(rows.shape[1]), rows.shape[1], [])

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
    kept: list[Ways] = field(repr=False)
    """Where each row goes at each split, once it was asked for."""

    def against(self, row: Rows, /) -> TreesPatient:
        """Take in a patient (1, P)."""
        from medcore.models.coalitions.descent import reachable, ways

        theirs, ticks = self.part.cut(row), self.part.n_ticks
        clock = (self.n_columns, ticks) if ticks > 1 else (-1, 1)
        others = self.kept or [ways(trees, self.rows) for trees in self.trees]
        if sum(each.nbytes for each in others) <= MOST_WAYS:
            self.kept[:] = others
        pairs = zip(self.trees, others, strict=True)
        return TreesPatient(
            self.part, tuple(reachable(t, ways(t, theirs)[0], o, self.owners, self.n_columns, clock) for t, o in pairs)
        )


@dataclass(frozen=True, slots=True)
class TreesPatient:
    """Trees that know a patient and the background rows."""

    part: TreeCoalitions
    patterns: tuple[Patterns, ...] = field(repr=False)

    @property
    def can_pair(self) -> bool:
        """Whether all columns are known at once."""
        return self.part.can_pair

    def shapley_values(self) -> Risk | None:
        """Return the Shapley values of the risks against each background row (m, P, K) exactly, None where that is not known."""
        from medcore.models.coalitions.tree_loops import shapley_values

        if self.part.change_of is None:
            return None
        found = np.concatenate([shapley_values(p) for p in self.patterns], axis=2)
        n_rows, n_columns, n_scores = found.shape
        return self.part.change_of(found.reshape(-1, n_scores)).reshape(n_rows, n_columns, -1)

    def pairs(self, rows: Indices, present: NDArray[np.bool_], /) -> PairsAsked:
        """Ask about coalitions and their opposites, exactly: what a leaf adds is known of every column that it hangs on."""
        risk, each = zip(*(self._flipped(rows, masks) for masks in (present, ~present)), strict=True)
        return PairsAsked(present, np.stack(risk), np.stack(each))

    @property
    def n_models(self) -> int:
        """One: what comes after the leaves need not be a mean."""
        return 1

    def apart(
        self,
        rows: Indices,
        present: NDArray[np.bool_],
        halves: NDArray[np.bool_],  # noqa: ARG002
        class_index: int,
        /,
    ) -> ApartAsked:
        """Ask about coalitions (V, n, P) and their opposites."""
        none = np.zeros((len(rows), present.shape[2]), bool)
        others = self.pairs(rows, none).risk  # nobody's columns, and with all of them the patient's
        ends = np.concatenate([others[1, :1], others[0]])
        return ApartAsked(tuple(self.pairs(rows, mask) for mask in present), ends, class_index)

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
