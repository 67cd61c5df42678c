"""How a part answers for coalitions: composite rows that take some columns from a patient, the others from a background row.

Shapley values ask about hundreds of thousands of them. A part that need not have
them written out says so by its :meth:`~medcore.models.contract.task.Part.coalitions`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

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


STEP = 1e-3
"""The share of a risk, or of what it lacks to 1, by which it is moved to see what a change of it is worth."""


@dataclass(frozen=True, slots=True)
class Explained:
    """What of risks (n, K) is explained: ``output`` maps them to (n,)."""

    output: Callable[[Risk], NDArray[np.float64]] = field(repr=False)

    def __call__(self, risk: Risk) -> NDArray[np.float64]:
        """Return what is explained of risks (…, K)."""
        return np.asarray(self.output(risk.reshape(-1, risk.shape[-1])).reshape(risk.shape[:-1]))

    def slopes(self, risk: Risk) -> NDArray[np.float64]:
        """Return its slopes along each of the risks (…, K)."""
        found, step = np.empty(risk.shape), np.empty_like(risk)
        for k in range(risk.shape[-1]):
            step[:] = 0.0
            step[..., k] = STEP * np.minimum(risk[..., k], 1.0 - risk[..., k]) + STEP**2
            found[..., k] = (self(risk + step) - self(risk - step)) / (2.0 * step[..., k])
        return found


class Apart(Protocol):
    """Pairs of coalitions, n of each of V models, about whose risk of one class each model was asked by itself."""

    @property
    def outputs(self) -> NDArray[np.float64]:
        """The risks of the coalitions and of their opposites, (V, 2, n)."""

    @property
    def by_slopes(self) -> bool:
        """Whether changes are told by slopes, and not exactly."""

    @property
    def changes(self) -> NDArray[Any]:
        """What having each column changes, the mean of a pair (V, n, P), exactly or by slopes."""

    @property
    def directions(self) -> NDArray[Any]:
        """How far each column moves the log odds, (V, n, P), by the slopes at the rows of the other half; 0 where that is not told."""

    @property
    def ends(self) -> NDArray[np.float64]:
        """The risks of the patient and of the background rows, (V, 1 + n)."""

    def weighed(self, worth: NDArray[np.float64], /) -> NDArray[Any]:
        """Return the changes (V, n, P) where those of coalitions and opposites are ``worth`` (2, n) as much."""

    def flipped(self, columns: Indices, /) -> NDArray[np.float64]:
        """Return the risks with each of the ``columns`` (J,) taken from the other one, exactly: (V, 2, n, J)."""


@runtime_checkable
class MeanCoalitions(Protocol):
    """A part that is the mean of models, each of which can be asked about pairs of coalitions of its own."""

    @property
    def n_models(self) -> int:
        """How many models there are; 0 where it is something else of several."""

    def apart(self, rows: Indices, present: NDArray[np.bool_], halves: NDArray[np.bool_], class_index: int, /) -> Apart:
        """Ask about the risk of a class of background rows (n,) that have the columns ``present`` (V, n, P).

        Coalition v is for the model v modulo their number. Directions of the rows in one of the ``halves`` (n,) are told by the others.
        """


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
class ApartAsked:
    """The pairs (V, n) of one model that was asked about one coalition a row after the other, and tells of them exactly.

    ``risk`` (1 + n, K) are the risks of the patient and of the background rows.
    """

    asked: tuple[PairsAsked, ...] = field(repr=False)
    risk: Risk = field(repr=False)
    class_index: int
    by_slopes: ClassVar[bool] = False

    @property
    def outputs(self) -> NDArray[np.float64]:
        """The risks of the class of the coalitions and of their opposites, (V, 2, n)."""
        return np.stack([one.risk[..., self.class_index] for one in self.asked])

    @property
    def changes(self) -> NDArray[np.float32]:
        """What having each column changes, the mean of a pair (V, n, P)."""
        return self.weighed(np.ones(self.asked[0].risk.shape[:2]))

    @property
    def directions(self) -> NDArray[np.float32]:
        """Nothing: it has no slopes."""
        return np.zeros((len(self.asked), *self.asked[0].present.shape), np.float32)

    @property
    def ends(self) -> NDArray[np.float64]:
        """The risks of the patient and of the background rows, (V, 1 + n)."""
        return np.tile(self.risk[:, self.class_index], (len(self.asked), 1))

    def weighed(self, worth: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the changes (V, n, P) where those of coalitions and opposites are ``worth`` (2, n) as much."""
        each = [np.einsum("snp,sn->np", one.each[..., self.class_index], worth) / 2 for one in self.asked]
        return np.stack(each).astype(np.float32)

    def flipped(self, columns: Indices) -> NDArray[np.float64]:
        """Return the risks with each of the ``columns`` (J,) taken from the other one: (V, 2, n, J)."""
        return np.stack([one.flipped(columns)[..., self.class_index] for one in self.asked])


@dataclass(frozen=True, slots=True)
class SameForAll:
    """The way of a part that gives everybody the same ``everybody`` (1, K)."""

    everybody: Risk = field(repr=False)
    n_floats: ClassVar[int] = 1
    n_sums: ClassVar[int] = 1
    can_pair: ClassVar[bool] = True
    n_models: ClassVar[int] = 1

    def apart(
        self,
        rows: Indices,
        present: NDArray[np.bool_],
        halves: NDArray[np.bool_],  # noqa: ARG002
        class_index: int,
        /,
    ) -> ApartAsked:
        """Ask about coalitions (V, n, P), which do not matter."""
        everybody = np.repeat(self.everybody, 1 + len(rows), axis=0)
        return ApartAsked(tuple(self.pairs(rows, mask) for mask in present), everybody, class_index)

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
