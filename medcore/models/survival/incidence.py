"""The incidence alone: by when knowing nothing about a patient says that the event comes (Aalen–Johansen)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from medcore.features import AnyRows, Rows
from medcore.i18n import N_
from medcore.models.contract.candidate import PREVALENCE, Candidate
from medcore.models.contract.coalitions import SameForAll
from medcore.models.contract.task import Fitted, Indices, ProgressReporter, Task
from medcore.models.contract.timed import Curves, TimedPart, risk_of_curve
from medcore.sealing import Folder
from medcore.statistics.survival.incidence import Incidence

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class IncidencePart(TimedPart):
    """Predicts for everybody the incidence in all: steps at ``steps`` (U,), after which it is ``incidence`` (causes, U)."""

    kind: ClassVar[str] = "incidence"
    horizon: float
    steps: Floats
    incidence: Floats

    def curve(self, rows: AnyRows, times: Floats, /) -> Curves:
        """Return the same incidence for every row."""
        before = np.column_stack([np.zeros(len(self.incidence)), self.incidence])
        by = before[:, np.searchsorted(self.steps, times, side="right")]
        return np.tile(by, (len(rows), 1, 1))

    def coalitions(self) -> SameForAll:
        """Return how it answers for coalitions: alike."""
        return SameForAll(risk_of_curve(self.curve(Rows.of(np.zeros((1, 1))), np.array([self.horizon]))[:, :, 0]))

    def save(self, folder: Folder, /) -> dict[str, Any]:  # noqa: ARG002
        """Return everything; nothing is large."""
        return {"horizon": self.horizon, "steps": self.steps.tolist(), "incidence": self.incidence.tolist()}

    @classmethod
    def load(cls, folder: Folder, data: Mapping[str, Any], /) -> Self:  # noqa: ARG003
        """Read what :meth:`save` wrote."""
        return cls(float(data["horizon"]), np.asarray(data["steps"]), np.asarray(data["incidence"], dtype=np.float64))


def fit_incidence(task: Task, reporter: ProgressReporter) -> Fitted:
    """Estimate the incidence in each fold and on all rows."""
    curves = np.empty((task.n, task.n_classes - 1, len(task.times)))
    oof = np.empty((task.n, task.n_classes))
    for fold in range(task.n_folds):
        held, part = task.held_out(fold), estimated(task, task.training(fold))
        rows = task.rows.take(held)
        curves[held], oof[held] = part.curve(rows, task.times), part.risk(rows)
    reporter.tell("folds", 1.0)
    return Fitted(oof, estimated(task, np.arange(task.n)), curves=curves)


def estimated(task: Task, rows: Indices) -> IncidencePart:
    """Estimate the cumulative incidence of every cause by Aalen and Johansen; Kaplan–Meier's complement where there is one."""
    assert task.by is not None
    duration, outcome = task.duration[rows], task.outcome[rows]
    causes = range(1, task.by.n_causes + 1)
    found = [Incidence.of(duration, np.where(outcome == k, 1, 2 * (outcome > 0))) for k in causes]
    steps = found[0].table.any_event > 0
    return IncidencePart(task.by.main, found[0].table.times[steps], np.stack([f.incidence[steps] for f in found]))


CANDIDATES = (
    Candidate(
        name=PREVALENCE,
        title=N_("Prevalence alone"),
        order=10,
        share=0.01,
        learner=fit_incidence,
        part=IncidencePart,
        automatic=True,
    ),
)
