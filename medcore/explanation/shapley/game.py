"""The game whose Shapley values are an explanation: one player a column.

The value of a coalition S of columns is the mean, over the background rows b, of the
model's output for a composite row that takes the columns of S from the patient
and all others from b (the interventional value function of Lundberg and Lee,
2017, and Janzing et al., 2020).

On the log-odds scale the output is ``logit(risk)`` of each composite row, so the
base value is the *mean of the logits* over the background, not the logit of the
mean risk. This choice makes the contributions of a logistic regression exactly
``coefficient · (value − mean value)``, and it keeps the game an average over
background rows, which the estimators use. Risks are clipped to 1e-7 … 1 − 1e-7
before the logarithm, for models such as forests that answer 0 or 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar, overload, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from medcore.explanation.shapley.results import SCALES, Scale
from medcore.statistics.logistic import MODEL_EDGE, logit

T = TypeVar("T")
Floats = NDArray[np.float64]
RiskFunction = Callable[[Floats], NDArray[Any]]
"""A model: codes (n, P) to risks (n, K), a column a class."""


@runtime_checkable
class CoalitionRisk(Protocol):
    """A model that knows one patient and the background rows, and needs only be told which columns are whose."""

    def risk(self, rows: NDArray[np.intp], present: NDArray[np.bool_], /) -> NDArray[Any]:
        """Predict for background rows (n,) in which the columns ``present`` (n, P) are the patient's: (n, K)."""

    def grand_and_empty(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Predict for the patient, (K,), and for each background row as it is, (m, K)."""


@runtime_checkable
class CoalitionModel(Protocol):
    """A model that has a faster way to composite rows than reading them."""

    def for_patient(self, row: Floats, background: Floats, /) -> CoalitionRisk:
        """Prepare a patient (P,) against background rows (m, P)."""


class AskedPairs(Protocol):
    """Coalitions and their opposites about which a model was asked."""

    @property
    def outputs(self) -> Floats:
        """What is explained of the coalitions and of their opposites, (2, n)."""

    @property
    def by_slopes(self) -> float:
        """How much of the changes is told by slopes and not exactly, 0 to 1."""

    def changes(self) -> Floats:
        """Return what having each column changes, the mean of a pair (n, P), exactly or to the second order of the change."""

    def exactly(self, columns: NDArray[np.intp], /) -> Floats:
        """Return what having each of the ``columns`` (J,) changes, the mean of a pair (n, J)."""


@runtime_checkable
class PairedRisk(Protocol):
    """A model that also says of a coalition and its opposite what having each column changes."""

    @property
    def can_pair(self) -> bool:
        """Whether it can."""

    def pairs(
        self, rows: NDArray[np.intp], present: NDArray[np.bool_], output: Callable[[NDArray[Any]], Floats], /
    ) -> AskedPairs:
        """Ask about composite rows and their opposites; ``output`` (n,) is what of the risks (n, K) is explained."""


class AskedApart(Protocol):
    """Pairs of coalitions, n of each of V models, about whose risk of one class each model was asked by itself."""

    @property
    def outputs(self) -> Floats:
        """The risks of the coalitions and of their opposites, (V, 2, n)."""

    @property
    def by_slopes(self) -> NDArray[np.bool_]:
        """Whose changes are told by slopes and not exactly, (V,)."""

    @property
    def changes(self) -> NDArray[Any]:
        """What having each column changes, the mean of a pair (V, n, P), exactly or to the second order of the change."""

    @property
    def directions(self) -> NDArray[Any]:
        """How far each column moves the log odds, (V, n, P), by what was asked about other background rows; 0 where that is not told."""

    @property
    def ends(self) -> Floats:
        """The risks of the patient and of the background rows, (V, 1 + n)."""

    def weighed(self, worth: Floats, /) -> NDArray[Any]:
        """Return the changes (V, n, P) where those of coalitions and opposites are ``worth`` (2, n) as much."""

    def flipped(self, columns: NDArray[np.intp], /) -> Floats:
        """Return the risks with each of the ``columns`` (J,) taken from the other one, exactly: (V, 2, n, J)."""


@runtime_checkable
class RiskOfModels(Protocol):
    """A model made of V others, each of which can be asked about coalitions of its own."""

    @property
    def voices(self) -> Floats:
        """How much each of them tells of the whole, (V,), together 1; nothing where they are not asked apart."""

    @property
    def is_mean(self) -> bool:
        """Whether its risks are the mean of theirs."""

    def settled(self, mean: Floats, class_index: int, /) -> Floats:
        """Return the risks of one class that their ``mean`` (…) is made to."""

    def apart(
        self,
        rows: NDArray[np.intp],
        present: NDArray[np.bool_],
        halves: NDArray[np.bool_],
        class_index: int,
        /,
    ) -> AskedApart:
        """Ask each about composite rows (n,) with columns ``present`` (V, n, P) of its own, and their opposites.

        Directions of the rows in one of the ``halves`` (n,) are told by the others.
        """


class Summand(Protocol):
    """A model whose output, times a weight, is a part of another's."""

    @property
    def weight(self) -> float:
        """The weight."""

    @property
    def share(self) -> float:
        """Its share of the work of a composite row."""

    @property
    def model(self) -> CoalitionRisk:
        """The model, which knows the patient and the background."""

    @property
    def exact(self) -> NDArray[Any] | None:
        """Its Shapley values against each background row (m, P, K), where it knows them."""


@runtime_checkable
class SummedRisk(Protocol):
    """A model that may be a weighted mean of others."""

    def summands(self) -> Sequence[Summand]:
        """Return what it is the sum of; nothing where it is more than a sum."""


BATCHES = (16_384, 4_096, 1_024, 64)
"""The only sizes of batches a model is asked about: a compiled network is compiled once for each size it meets."""
MAX_CELLS = 4_000_000
"""Composite rows are laid out in memory up to this many numbers at once."""


@dataclass(slots=True)
class Counter:
    """Counts the composite rows the model was asked about."""

    n: int = 0


class once_a_game(Generic[T]):  # noqa: N801  (a decorator, named as functools.cached_property is)
    """A property that is worked out once for each game.

    ``functools.cached_property`` holds one lock for all instances before Python 3.12: a game that nobody waits for
    stands still while it asks its model, and held up the game that somebody waits for.
    """

    def __init__(self, work_out: Callable[[Any], T]) -> None:
        self.work_out, self.__doc__ = work_out, work_out.__doc__

    @overload
    def __get__(self, game: None, owner: type) -> once_a_game[T]: ...
    @overload
    def __get__(self, game: object, owner: type) -> T: ...
    def __get__(self, game: object | None, owner: type) -> once_a_game[T] | T:
        """Work it out and keep it in the game's own dictionary, where it is found from then on."""
        if game is None:
            return self
        found = vars(game)[self.work_out.__name__] = self.work_out(game)
        return found


@dataclass(frozen=True)
class Game:
    """One patient against a background: who the players are, and the values of coalitions.

    ``risk`` is a model of codes, or one that knows the patient and the background already.
    ``background`` holds its distinct rows and ``weights`` their shares, so that a
    row that occurs twice is asked about once.
    """

    risk: RiskFunction | CoalitionRisk = field(repr=False)
    row: Floats = field(repr=False)
    background: Floats = field(repr=False)
    weights: Floats = field(repr=False)
    class_index: int
    scale: Scale
    counter: Counter = field(default_factory=Counter)

    @classmethod
    def of(cls, risk: RiskFunction, row: Any, background: Any, *, class_index: int, scale: Scale) -> Game:
        """Build the game of a row (P,) against a background (m, P) of codes; a missing code is NaN."""
        if scale not in SCALES:
            raise ValueError(f"got scale {scale!r}, expected one of {', '.join(SCALES)}")
        row, background = np.asarray(row, dtype=np.float64), np.asarray(background, dtype=np.float64)
        if row.ndim != 1 or background.ndim != 2 or background.shape[1] != len(row) or not len(background):
            raise ValueError(
                f"got a row of shape {row.shape} and a background of shape {background.shape}; "
                "expected (P,) and (m, P) with at least one row"
            )
        distinct, counts = _distinct_rows(background)
        return cls(risk, row, distinct, counts / counts.sum(), class_index, scale)

    @once_a_game
    def differs(self) -> NDArray[np.bool_]:
        """Mark where the patient differs from each background row (m, P); elsewhere a column cannot matter."""
        same = (self.background == self.row) | (np.isnan(self.background) & np.isnan(self.row))
        return np.asarray(~same)

    @once_a_game
    def grand_and_empty(self) -> tuple[float, Floats]:
        """Return the output for the patient, and for each background row (m,)."""
        if self.patient_model is None:
            values = self.value(np.vstack([self.row, self.background]))
            return float(values[0]), values[1:]
        self.counter.n += 1 + len(self.background)
        theirs, others = self.patient_model.grand_and_empty()
        values = on_scale(np.append(theirs[self.class_index], others[:, self.class_index]), self.scale)
        return float(values[0]), values[1:]

    @property
    def base_value(self) -> float:
        """The mean output over the background."""
        return float(self.weights @ self.grand_and_empty[1])

    @once_a_game
    def patient_model(self) -> CoalitionRisk | None:
        """Return the own way of the model to composite rows, where it has one."""
        if isinstance(self.risk, CoalitionRisk):
            return self.risk
        return self.risk.for_patient(self.row, self.background) if isinstance(self.risk, CoalitionModel) else None

    @once_a_game
    def summands(self) -> Sequence[Summand]:
        """Return what the model is the sum of, where its output is explained as it is; nothing where it is no sum."""
        model: object = self.patient_model
        return model.summands() if self.scale == "probability" and isinstance(model, SummedRisk) else ()

    def of_summand(self, summand: Summand) -> Game:
        """Return the game of a part of the model alone."""
        return replace(self, risk=summand.model, counter=Counter())

    def coalition_values(self, rows: NDArray[np.intp], present: NDArray[np.bool_]) -> Floats:
        """Ask about background rows (n,) in which the columns ``present`` (n, P) are the patient's; outputs (n,)."""
        if self.patient_model is None:
            return self.value(np.where(present, self.row, self.background[rows]))
        self.counter.n += len(rows)
        return on_scale(np.asarray(self.patient_model.risk(rows, present))[:, self.class_index], self.scale)

    @property
    def _paired(self) -> PairedRisk | None:
        model: object = self.patient_model
        return model if isinstance(model, PairedRisk) and model.can_pair else None

    @property
    def can_pair(self) -> bool:
        """Whether the model says of a coalition and its opposite what having each column changes."""
        return self._paired is not None

    def pairs(self, rows: NDArray[np.intp], present: NDArray[np.bool_]) -> AskedPairs:
        """Ask about composite rows and their opposites."""
        model = self._paired
        assert model is not None
        self.counter.n += 2 * len(rows)
        return model.pairs(rows, present, self._output)

    def _output(self, risk: NDArray[Any]) -> Floats:
        """Return what of risks (n, K) is explained."""
        return on_scale(risk[:, self.class_index], self.scale)

    @once_a_game
    def of_models(self) -> RiskOfModels | None:
        """Return the model as one made of others, each of which can be asked about coalitions of its own; None where it is not."""
        model: object = self.patient_model
        able = self.scale == "probability" and self.can_pair and isinstance(model, RiskOfModels)
        return model if able and len(model.voices) else None  # type: ignore[attr-defined,return-value]

    def apart(self, rows: NDArray[np.intp], present: NDArray[np.bool_], halves: NDArray[np.bool_]) -> AskedApart:
        """Ask each of several models about composite rows of its own, and their opposites."""
        assert self.of_models is not None
        self.counter.n += 2 * len(rows)
        return self.of_models.apart(rows, present, halves, self.class_index)

    def value(self, codes: Floats) -> Floats:
        """Ask the model about composite rows (n, P), in batches; the outputs (n,) on the game's scale."""
        assert not isinstance(self.risk, CoalitionRisk)  # which is told columns, and reads no codes
        self.counter.n += len(codes)
        risks = np.empty(len(codes))
        start = 0
        while start < len(codes):
            size = _batch_size(len(codes) - start)
            batch = codes[start : start + size]
            if len(batch) < size:
                batch = np.concatenate([batch, np.repeat(batch[-1:], size - len(batch), axis=0)])
            risks[start : start + size] = np.asarray(self.risk(batch))[: len(codes) - start, self.class_index]
            start += size
        return on_scale(risks, self.scale)


def _batch_size(n_left: int) -> int:
    """Choose the largest batch that is filled by more than half."""
    return next((size for size in BATCHES if 2 * n_left > size), BATCHES[-1])


def on_scale(risk: Floats, scale: Scale) -> Floats:
    """Put risks (0–1) on the scale of an explanation; log odds are natural logarithms, numbers stay as they are."""
    return logit(risk, edge=MODEL_EDGE) if scale == "log_odds" else risk


def _distinct_rows(rows: Floats) -> tuple[Floats, Floats]:
    """Return the distinct rows in order of first appearance, and how often each occurs; NaN equals NaN."""
    if not rows.shape[1]:
        return rows[:1], np.array([float(len(rows))])
    rows = np.ascontiguousarray(rows)
    keys = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    order = np.argsort(first)
    return rows[first[order]], counts[order].astype(np.float64)
