"""How a part answers for coalitions: composite rows that take some columns from a patient, the others from a background row.

Shapley values ask about hundreds of thousands of them. A part that need not have
them written out says so by its :meth:`~medcore.models.contract.task.Part.coalitions`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from medcore.features import Rows

if TYPE_CHECKING:
    from medcore.models.coalitions.tiles import Tiles
    from medcore.models.contract.task import Indices, Part, Risk


class PatientCoalitions(Protocol):
    """A part that knows the background and a patient."""

    def risk(self, tiles: Tiles, group: int, /) -> Risk:
        """Predict for the composite rows of some tiles, whose owners are all of one group: ``(T · tile, K)``."""


class Pairs(Protocol):
    """Coalitions and their opposites, about which a part was asked."""

    @property
    def risk(self) -> Risk:
        """The risks of the coalitions and of their opposites, (2, n, K)."""

    @property
    def by_slopes(self) -> bool:
        """Whether changes are told by slopes, and not exactly."""

    def changes(self, worth: NDArray[np.float64], /) -> NDArray[np.float64]:
        """Return what having each column changes, the mean of a pair (n, P); ``worth`` (2, n, K) is what a change of each risk is.

        Exactly, or by slopes: to the second order of what the column changes, which falls out of the mean.
        """

    def flipped(self, columns: Indices, /) -> Risk:
        """Return the risks with each of the ``columns`` (J,) taken from the other one, exactly: (2, n, J, K)."""


@runtime_checkable
class PairedCoalitions(Protocol):
    """A part that can say of a coalition and its opposite what having each column changes, all columns at once."""

    @property
    def can_pair(self) -> bool:
        """Whether it can, as it was trained."""

    def pairs(self, rows: Indices, present: NDArray[np.bool_], /) -> Pairs:
        """Ask about background rows (n,) in which the columns ``present`` (n, P) are the patient's, and all others."""


def paired(part: object) -> PairedCoalitions | None:
    """Return a part that can pair, None where it cannot."""
    return part if isinstance(part, PairedCoalitions) and part.can_pair else None


class BackgroundCoalitions(Protocol):
    """A part that knows the background."""

    def against(self, row: Rows, /) -> PatientCoalitions:
        """Take in a patient ``(1, P)``."""


class Coalitions(Protocol):
    """How a part answers for coalitions, before it knows whose."""

    @property
    def n_floats(self) -> int:
        """How many numbers are worked out of one background row; rows are grouped by it."""

    @property
    def n_sums(self) -> int:
        """How many multiplications one composite row takes, about."""

    @property
    def can_pair(self) -> bool:
        """Whether it says of a coalition and its opposite what having each column changes: :class:`PairedCoalitions`."""

    def prepare(self, rows: Rows, group_size: int, *, kept: bool) -> BackgroundCoalitions:
        """Prepare background rows ``(m, P)``, worked on in groups; ``kept`` keeps all groups in memory."""


@runtime_checkable
class OneColumnCoalitions(Protocol):
    """A part that is asked for less where rows differ in one column alone."""

    def one_column(self, rows: Rows, first: Indices, group: Indices, place: int, /) -> Risk:
        """Predict for rows (n, P) that are, but for the column at ``place``, the row ``first[group]`` of them: (n, K)."""


@runtime_checkable
class ExactCoalitions(Protocol):
    """A part that knows a patient, and may know its Shapley values."""

    def shapley_values(self) -> Risk | None:
        """Return those of the risks against each background row, (m, P, K); None where they are not known."""


TYPICAL_SUMS = 50_000
"""What a list of trees, or a part without a shorter way, costs for one composite row, in multiplications, about."""


@dataclass(frozen=True, slots=True)
class WrittenOut:
    """The way of every part without a shorter one: composite rows are written out and read."""

    part: Part = field(repr=False)
    background: Rows | None = field(default=None, repr=False)
    row: Rows | None = field(default=None, repr=False)
    n_floats: ClassVar[int] = 1
    n_sums: ClassVar[int] = TYPICAL_SUMS
    can_pair: ClassVar[bool] = False

    def prepare(self, rows: Rows, group_size: int, *, kept: bool) -> WrittenOut:  # noqa: ARG002
        """Keep the background rows as they are."""
        return WrittenOut(self.part, rows)

    def against(self, row: Rows, /) -> WrittenOut:
        """Take in a patient ``(1, P)``."""
        return WrittenOut(self.part, self.background, row)

    def risk(self, tiles: Tiles, _group: int, /) -> Risk:
        """Predict for the composite rows of tiles: ``(T · tile, K)``."""
        assert self.background is not None
        assert self.row is not None
        codes = np.where(tiles.masks, self.row.codes, self.background.codes[tiles.owner][:, None])
        rows = self.background.knowing(self.row).with_codes(codes.reshape(tiles.n_slots, -1))
        return self.part.risk(rows)


@dataclass(frozen=True, slots=True)
class PairsAsked:
    """Coalitions that have the columns ``present`` (n, P) and their opposites, with their risks (2, n, K).

    ``each`` (2, n, P, K) is what having each column changes about them.
    """

    present: NDArray[np.bool_] = field(repr=False)
    risk: Risk = field(repr=False)
    each: NDArray[np.float64] = field(repr=False)
    by_slopes: ClassVar[bool] = False

    def changes(self, worth: NDArray[np.float64], /) -> NDArray[np.float64]:
        """Return what having each column changes, the mean of a pair (n, P); ``worth`` (2, n, K) is what a change of each risk is."""
        return np.asarray((self.each * worth[:, :, None]).sum(axis=(0, 3)) / 2)

    def flipped(self, columns: Indices, /) -> Risk:
        """Return the risks with each of the ``columns`` (J,) taken from the other one: (2, n, J, K)."""
        there = np.where(self.present[:, columns], 1.0, -1.0)
        return self.risk[:, :, None] - np.stack([there, -there])[..., None] * self.each[:, :, columns]


@dataclass(frozen=True, slots=True)
class SameForAll:
    """The way of a part that gives everybody the same ``everybody`` (1, K)."""

    everybody: Risk = field(repr=False)
    n_floats: ClassVar[int] = 1
    n_sums: ClassVar[int] = 1
    can_pair: ClassVar[bool] = True

    def pairs(self, rows: Indices, present: NDArray[np.bool_], /) -> PairsAsked:
        """Ask about coalitions, which do not matter."""
        return PairsAsked(present, np.tile(self.everybody, (2, len(rows), 1)), np.zeros((2, *present.shape, 1)))

    def prepare(self, rows: Rows, group_size: int, *, kept: bool) -> SameForAll:  # noqa: ARG002
        """Take in the background, which does not matter."""
        return self

    def against(self, row: Rows, /) -> SameForAll:  # noqa: ARG002
        """Take in a patient, who does not matter."""
        return self

    def risk(self, tiles: Tiles, _group: int, /) -> Risk:
        """Predict for the composite rows of tiles: ``(T · tile, K)``."""
        return np.repeat(self.everybody, tiles.n_slots, axis=0)
