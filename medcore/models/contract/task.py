"""What every learner is given, and what it gives back."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from medcore.errors import CancelledError
from medcore.features import AnyRows, Codes, FeatureKind, Layout, Rows, kind_named
from medcore.i18n import N_
from medcore.models.contract.coalitions import Coalitions, WrittenOut
from medcore.models.contract.progress import Follower, Progress
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.workers import ThisProcess, Workers
from medcore.sealing import Folder
from medcore.statistics.logistic import MODEL_EDGE
from medcore.targets import EventTime, Number, Target

if TYPE_CHECKING:
    from medcore.models.contract.trials import SearchOutcome

Risk = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Task:
    """The training rows of a run as arrays.

    ``rows`` are those of the predictors ``(n, P)``, ``outcome`` holds class indices, ``folds`` says
    in which of ``n_folds`` folds a row is held out. ``layout`` is that of all
    rows, ``groups`` are patient codes where patients repeat; ``by_site`` says that folds are whole sites. ``tuned``
    are settings that a search tries in place of a learner's own. ``ordered`` says that the classes stand in their order.
    Where the outcome comes with a time, ``by`` is what is predicted, ``duration`` (n,) how long each
    patient was followed, ``outcome`` what ended it (0 no event seen), and ``times`` (T,) those at which curves are asked.
    Where the outcome is a ``number``, ``value`` (n,) is it, and ``outcome`` the part of its range that it lies in.
    """

    rows: Rows
    outcome: Indices
    folds: Indices
    n_folds: int
    n_classes: int
    kinds: tuple[FeatureKind, ...]
    n_categories: tuple[int, ...]
    layout: Layout
    settings: TrainSettings
    groups: Indices | None = None
    tuned: Mapping[str, Any] = field(default_factory=dict)
    ordered: bool = False
    by_site: bool = False
    by: EventTime | None = None
    duration: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    times: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    number: Number | None = None
    value: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    @property
    def target(self) -> Target:
        """What is predicted."""
        return self.by or self.number or Target(self.n_classes, self.ordered)

    @property
    def codes(self) -> Codes:
        """The codes ``(n, P)`` of the rows."""
        return self.rows.codes

    @property
    def in_order(self) -> NDArray[np.intp]:
        """The places of predictors that hold measurements in the order of time."""
        return np.flatnonzero([kind_named(kind).in_order for kind in self.kinds])

    @property
    def n(self) -> int:
        """Number of training rows."""
        return len(self.outcome)

    def training(self, fold: int) -> Indices:
        """Rows a model of this fold may see."""
        return np.flatnonzero(self.folds != fold)

    def held_out(self, fold: int) -> Indices:
        """Rows a model of this fold has not seen."""
        return np.flatnonzero(self.folds == fold)

    def classes_of(self, rows: Indices) -> tuple[int, ...]:
        """Return the classes that some rows have, in their order."""
        return tuple(int(k) for k in np.unique(self.outcome[rows]))

    def weights(self, rows: Indices) -> NDArray[np.float64] | None:
        """Weights that let every class count the same, if the settings ask for it."""
        if self.settings.class_weight != "balanced":
            return None
        counts = np.bincount(self.outcome[rows], minlength=self.n_classes).astype(float)
        per_class = np.divide(len(rows) / self.n_classes, counts, out=np.zeros_like(counts), where=counts > 0)
        return np.asarray(per_class[self.outcome[rows]])

    def with_settings(self, **changes: Any) -> Task:
        """Return the same rows under other settings."""
        return replace(self, settings=replace(self.settings, **changes))


class Part(Protocol):
    """A trained model that predicts from rows and can be kept without pickle; a base class for the default."""

    kind: ClassVar[str]
    row_by_row: ClassVar[bool] = False
    """Whether a row's risk has the same last bit whichever rows are asked about with it."""

    def risk(self, rows: AnyRows, /) -> Risk:
        """Predict, shape ``(n, K)``; rows sum to 1."""

    def knowing(self, background: Rows, /) -> Self:  # noqa: ARG002
        """Return the part with what every explanation against these rows asks of it, where that takes long to work out."""
        return self

    def coalitions(self) -> Coalitions:
        """Return how the part answers for rows composed of two patients', in a shorter way where it has one."""
        return WrittenOut(self)

    def save(self, folder: Folder, /) -> dict[str, Any]:
        """Write what is large into ``folder`` and return what is small as JSON."""

    @classmethod
    def load(cls, folder: Folder, data: Mapping[str, Any], /) -> Self:
        """Read what :meth:`save` wrote."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A candidate after training: honest predictions of the training rows and the final model.

    ``oof`` are the risks of each row from models that have not seen it. ``spread``
    is, when several models predicted each row, their standard deviation for it,
    ``search`` what a search for better settings found. ``curves`` are, where the outcome comes
    with a time, each row's cumulative incidence ``(n, causes, T)`` by the task's times.
    """

    oof: Risk
    part: Part
    spread: NDArray[np.float64] | None = None
    search: SearchOutcome | None = None
    curves: NDArray[np.float64] | None = None


class Learner(Protocol):
    """Trains one candidate: out-of-fold predictions first, then the model to keep."""

    def __call__(self, task: Task, reporter: ProgressReporter, /) -> Fitted:
        """Train on the task and tell ``reporter`` how far it is."""


@dataclass(frozen=True, slots=True)
class ProgressReporter:
    """Tells the follower how far a run is: each candidate has its share of the whole.

    Candidates may be at work at the same time, each with the reporter that :meth:`of`
    gives it. ``run`` names the run while no single candidate is at work, ``workers`` do
    what a candidate can have done in several places at once.
    """

    follower: Follower
    shares: Mapping[str, float]
    model: str = ""
    run: str = "auto"
    workers: Workers = field(default_factory=ThisProcess)
    _shared: _SharedProgress = field(default_factory=lambda: _SharedProgress())

    def of(self, model: str, stage: str = "folds") -> ProgressReporter:
        """Begin a candidate, or with ``""`` what follows them all; return its reporter."""
        reporter = replace(self, model=model)
        reporter.tell(stage, 0.0)
        return reporter

    def tell(self, stage: str, within: float, **values: Any) -> None:
        """Report ``within`` (0–1) of the candidate; leave the run when it was cancelled."""
        with self._shared.lock:
            step = self._shared.steps[self.model, stage] = self._shared.steps.get((self.model, stage), -1) + 1
        self.report(Progress(stage=stage, model=self.model, fraction=within, **{"epoch": step, **values}))
        if self.cancelled():
            raise CancelledError(N_("The training was stopped as you asked; the study is as it was before."))

    def report(self, progress: Progress) -> None:
        """Pass on a moment of the candidate as one of the whole run."""
        shared = self._shared
        with shared.lock:
            shared.done[self.model] = min(max(progress.fraction, 0.0), 1.0)
            total = sum(self.shares.values()) or 1.0
            done = sum(share * shared.done.get(name, 0.0) for name, share in self.shares.items())
            self.follower.report(
                replace(
                    progress,
                    model=self.model or self.run,
                    fraction=min(done / total, 1.0),
                    seconds=time.perf_counter() - shared.started,
                )
            )

    def finish(self) -> None:
        """Note that the candidate is finished, however far it said it was."""
        with self._shared.lock:
            self._shared.done[self.model] = 1.0

    def cancelled(self) -> bool:
        """Whether the person asked to stop, or another candidate of this run has failed."""
        with self._shared.lock:
            return self._shared.halted or self.follower.cancelled()

    def halt(self) -> None:
        """Let every candidate of this run stop at its next word."""
        with self._shared.lock:
            self._shared.halted = True


@dataclass(slots=True)
class _SharedProgress:
    """What the reporters of one run share."""

    lock: Any = field(default_factory=Lock)
    started: float = field(default_factory=time.perf_counter)
    done: dict[str, float] = field(default_factory=dict)
    steps: dict[tuple[str, str], int] = field(default_factory=dict)
    halted: bool = False


class CandidateFollower:
    """A follower for a trainer that knows only itself: its fractions become those of the whole run."""

    def __init__(self, reporter: ProgressReporter) -> None:
        self._reporter = reporter
        folder = reporter.follower.checkpoint_dir
        self.checkpoint_dir: Folder | None = folder / reporter.model if folder else None

    def report(self, progress: Progress, /) -> None:
        """Pass a moment on."""
        self._reporter.report(progress)

    def cancelled(self) -> bool:
        """Ask the one behind."""
        return self._reporter.cancelled()


_most_threads: ContextVar[int | None] = ContextVar("medcore_most_threads", default=None)


def n_threads() -> int:
    """Return how many processor cores the work at hand may use: all of this process, or its share of them."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return min(cores, _most_threads.get() or cores)


@contextmanager
def sharing_the_machine(n: int) -> Iterator[None]:
    """Leave to ``n`` pieces of work that are done at the same time an equal share of the cores each."""
    before = _most_threads.set(max(1, n_threads() // max(n, 1)))
    try:
        yield
    finally:
        _most_threads.reset(before)


def clean(risk: Any, n_classes: int) -> Risk:
    """Make risks finite, positive and summing to 1 in every row; a row without any becomes even."""
    values = np.asarray(risk, dtype=np.float64).reshape(-1, n_classes)
    values = np.clip(np.nan_to_num(values, nan=1.0 / n_classes, posinf=1.0, neginf=0.0), MODEL_EDGE, 1.0)
    return np.asarray(values / values.sum(axis=1, keepdims=True))


def spread_of(members: Sequence[Risk]) -> NDArray[np.float64] | None:
    """Return the standard deviation over several models of each patient's risk (of the last class)."""
    if len(members) < 2:
        return None
    return np.asarray(np.std([m[:, -1] for m in members], axis=0, ddof=1))


def columns_of_present_classes(risk: NDArray[np.float64], present: Sequence[int], n_classes: int) -> Risk:
    """Give classes that a fold has never seen a column of their own with risk 0."""
    if len(present) == n_classes:
        return clean(risk, n_classes)
    full = np.zeros((len(risk), n_classes))
    full[:, list(present)] = risk
    return clean(full, n_classes)
