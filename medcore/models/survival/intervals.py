"""Follow-up cut into intervals: a row for each that a patient entered, and hazards put together to a curve.

A model of classes on such rows, with the interval as a further number, is a model of the hazard in
each (Cox 1972, § 7; Tutz & Schmid 2016; Craig, Zhong & Tibshirani 2021). Its log loss is the
negative log likelihood of the event times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from medcore.features import AnyRows, Layout, Rows
from medcore.models.bundle.files import inside, read_json, write_json
from medcore.models.coalitions.trees import TreeCoalitions
from medcore.models.contract.candidate import part_classes
from medcore.models.contract.coalitions import TYPICAL_SUMS, Coalitions, WrittenOut
from medcore.models.contract.task import Indices, Part, Risk, Task
from medcore.models.contract.timed import Curves, TimedPart, risk_of_curve
from medcore.sealing import Folder

Floats = NDArray[np.float64]
MOST_INTERVALS, EVENTS_AN_INTERVAL = 16, 8
"""Intervals at most, and events in each, about: fewer tell no hazard, more make rows and no difference."""
_INTERVAL_KIND = "numeric"
CLOCKED_SUMS = 4 * TYPICAL_SUMS
"""What trees cost for one composite row where all intervals are asked about, in multiplications, about."""


def cut_points(task: Task) -> Floats:
    """Choose the ends of the intervals (J,): quantiles of the times of events, and the horizons, the last of which ends the last."""
    assert task.by is not None
    last = task.by.horizons[-1]
    own = task.duration[(task.outcome > 0) & (task.duration <= last)]
    n = int(np.clip(len(own) // EVENTS_AN_INTERVAL, 2, MOST_INTERVALS))
    inner = np.quantile(own, np.linspace(0.0, 1.0, n + 1)[1:-1], method="inverted_cdf")
    found = np.unique(np.concatenate([inner[inner > 0], task.by.horizons]))
    return np.asarray(found[found <= last])


def entered(duration: Floats, event: Indices, ends: Floats) -> tuple[Indices, Indices]:
    """Return how many intervals each patient entered (n,), 0 for none, and what happened in the last of them (n,).

    Who was censored within an interval counts as having been through it from its middle on.

    >>> n, what = entered(np.array([1.0, 1.4, 1.6, 9.0]), np.array([1, 0, 0, 1]), np.array([1.0, 2.0, 3.0]))
    >>> n.tolist(), what.tolist()
    ([1, 1, 2, 3], [1, 0, 0, 0])
    """
    place = np.searchsorted(ends, duration, side="left")
    starts = np.concatenate([[0.0], ends[:-1]])
    within = np.minimum(place, len(ends) - 1)
    half = duration >= (starts[within] + ends[within]) / 2
    beyond = place >= len(ends)
    n = np.where(beyond, len(ends), np.where(event > 0, place + 1, place + half))
    return n.astype(np.int64), np.where(beyond, 0, event).astype(np.int64)


@dataclass(frozen=True, slots=True)
class PersonIntervals:
    """A task whose rows are the intervals that patients entered; ``owner`` (E,) is the patient of each."""

    task: Task
    owner: Indices = field(repr=False)
    ends: Floats

    @classmethod
    def of(cls, task: Task, **tuned: Any) -> PersonIntervals:
        """Write out the intervals of a task's rows; ``tuned`` are settings for whoever learns from them."""
        ends = cut_points(task)
        n, what = entered(task.duration, task.outcome, ends)
        owner = np.repeat(np.arange(task.n), n)
        interval = np.arange(len(owner)) - np.repeat(np.cumsum(n) - n, n)
        outcome = np.where(interval == n[owner] - 1, what[owner], 0)
        long = replace(
            task,
            rows=with_interval(task.rows.take(owner), interval),
            outcome=outcome.astype(np.int64),
            folds=task.folds[owner],
            kinds=(*task.kinds, _INTERVAL_KIND),
            n_categories=(*task.n_categories, 0),
            layout=Layout((*task.layout.entries, (0,)), (*task.layout.missing, False)),
            groups=owner if task.groups is None else task.groups[owner],
            tuned={**tuned, **task.tuned},
            by=None,
        )
        return cls(long, owner, ends)

    def every_interval(self, rows: Rows) -> Rows:
        """Write out all intervals of some patients, one after the other: ``(n · J, P + 1)``."""
        return every_interval(rows, len(self.ends))


def every_interval(rows: Rows, n_intervals: int) -> Rows:
    """Write out all intervals of some patients, one after the other: ``(n · J, P + 1)``."""
    owner = np.repeat(np.arange(len(rows)), n_intervals)
    return with_interval(rows.take(owner), np.tile(np.arange(n_intervals), len(rows)))


def with_interval(rows: Rows, interval: Indices) -> Rows:
    """Put the number of the interval behind the codes."""
    return Rows(np.column_stack([rows.codes, interval.astype(np.float64)]), rows.payloads)


def incidence_of(hazards: NDArray[np.floating], ends: Floats, times: Floats) -> Curves:
    """Put hazards ``(n, J, C)`` of intervals together to cumulative incidences ``(n, C, T)``, even within an interval.

    >>> incidence_of(np.array([[[0.5], [0.5]]]), np.array([1.0, 2.0]), np.array([1.0, 2.0, 3.0])).tolist()
    [[[0.5, 0.75, 0.75]]]
    """
    hazards = np.clip(hazards.astype(np.float64), 0.0, 1.0)
    total = np.clip(hazards.sum(axis=2), 1e-12, 1.0 - 1e-9)
    free = np.cumprod(1.0 - total, axis=1)
    before = np.column_stack([np.ones(len(free)), free[:, :-1]])
    shares = hazards / np.maximum(hazards.sum(axis=2, keepdims=True), 1e-12)
    whole = np.cumsum(shares * (before * total)[:, :, None], axis=1)
    starts = np.concatenate([[0.0], ends[:-1]])
    at = np.minimum(np.searchsorted(ends, times, side="left"), len(ends) - 1)
    part = np.clip((times - starts[at]) / (ends[at] - starts[at]), 0.0, 1.0)
    gone = before[:, at] * -np.expm1(part * np.log1p(-total[:, at]))
    past = np.where((at > 0)[None, :, None], whole[:, at - 1], 0.0)
    return np.asarray((past + shares[:, at] * gone[:, :, None]).transpose(0, 2, 1))


@dataclass(frozen=True, slots=True)
class IntervalPart(TimedPart):
    """A model of classes that predicts what happens in each interval, by its ``ends`` (J,)."""

    kind: ClassVar[str] = "intervals"
    horizon: float
    ends: Floats
    inner: Part

    def curve(self, rows: AnyRows, times: Floats, /) -> Curves:
        """Return each row's cumulative incidence of every cause by ``times``."""
        rows = Rows.of(rows)
        ends = self._until(float(times.max(initial=0.0)))
        risk = self.inner.risk(every_interval(rows, len(ends)))
        return incidence_of(risk.reshape(len(rows), len(ends), -1)[:, :, 1:], ends, times)

    def _until(self, time: float) -> Floats:
        """Return the ends of the intervals that have begun before a time."""
        return self.ends[: np.searchsorted(self.ends, time, side="left") + 1]

    def coalitions(self) -> Coalitions:
        """Return how the model answers for coalitions: trees, in every interval at once."""
        inner, ends = self.inner.coalitions(), self._until(self.horizon)
        if not isinstance(inner, TreeCoalitions):
            return WrittenOut(self)

        def risk_of(sums: Floats) -> Risk:
            by_interval = sums.reshape(len(sums), -1, len(ends)).transpose(0, 2, 1)
            hazards = inner.risk_of(by_interval.reshape(len(sums) * len(ends), -1))[:, 1:]
            whole = incidence_of(hazards.reshape(len(sums), len(ends), -1), ends, np.array([self.horizon]))
            return risk_of_curve(whole[:, :, 0])

        def read(rows: Rows) -> NDArray[Any]:
            return inner.read(with_interval(rows, np.zeros(len(rows), np.int64)))

        return replace(
            inner,
            read=read,
            owners=lambda n_columns: inner.owners(n_columns + 1),
            risk_of=risk_of,
            n_ticks=len(ends),
            n_sums=CLOCKED_SUMS,
            change_of=None,
        )

    def save(self, folder: Folder, /) -> dict[str, Any]:
        """Write the model of the intervals into a folder of its own."""
        write_json(folder / "inner" / "part.json", self.inner.save(folder / "inner"))
        return {"horizon": self.horizon, "ends": self.ends.tolist(), "inner": self.inner.kind}

    @classmethod
    def load(cls, folder: Folder, data: Mapping[str, Any], /) -> Self:
        """Read what :meth:`save` wrote."""
        own = inside(folder, "inner")
        inner = part_classes()[data["inner"]].load(own, read_json(own / "part.json"))
        return cls(float(data["horizon"]), np.asarray(data["ends"], dtype=np.float64), inner)
