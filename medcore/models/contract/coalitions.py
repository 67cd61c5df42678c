"""How a part answers for coalitions: composite rows that take some columns from a patient, the others from a background row.

Shapley values ask about hundreds of thousands of them. A part that need not have
them written out says so by its :meth:`~medcore.models.contract.task.Part.coalitions`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from medcore.features import Rows

if TYPE_CHECKING:
    from medcore.models.coalitions.tiles import Tiles
    from medcore.models.contract.task import Part, Risk


class PatientCoalitions(Protocol):
    """A part that knows the background and a patient."""

    def risk(self, tiles: Tiles, group: int, /) -> Risk:
        """Predict for the composite rows of some tiles, whose owners are all of one group: ``(T · tile, K)``."""


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

    def prepare(self, rows: Rows, group_size: int, *, kept: bool) -> BackgroundCoalitions:
        """Prepare background rows ``(m, P)``, worked on in groups; ``kept`` keeps all groups in memory."""


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
class SameForAll:
    """The way of a part that gives everybody the same ``everybody`` (1, K)."""

    everybody: Risk = field(repr=False)
    n_floats: ClassVar[int] = 1
    n_sums: ClassVar[int] = 1

    def prepare(self, rows: Rows, group_size: int, *, kept: bool) -> SameForAll:  # noqa: ARG002
        """Take in the background, which does not matter."""
        return self

    def against(self, row: Rows, /) -> SameForAll:  # noqa: ARG002
        """Take in a patient, who does not matter."""
        return self

    def risk(self, tiles: Tiles, _group: int, /) -> Risk:
        """Predict for the composite rows of tiles: ``(T · tile, K)``."""
        return np.repeat(self.everybody, tiles.n_slots, axis=0)
