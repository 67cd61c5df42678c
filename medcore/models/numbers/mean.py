"""The mean alone: what knowing nothing about a patient achieves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from medcore.features import AnyRows
from medcore.i18n import N_
from medcore.models.contract.candidate import MEAN, Candidate
from medcore.models.contract.task import Fitted, Part, ProgressReporter, Risk, Task
from medcore.sealing import Folder


@dataclass(frozen=True, slots=True)
class MeanPart(Part):
    """Predicts the mean of the training patients for everybody."""

    kind: ClassVar[str] = "mean"
    row_by_row: ClassVar[bool] = True
    mean: float

    def risk(self, rows: AnyRows, /) -> Risk:
        """Return the same number for every row, (n, 1)."""
        return np.full((len(rows), 1), self.mean)

    def save(self, folder: Folder, /) -> dict[str, Any]:  # noqa: ARG002
        """Return everything; nothing is large."""
        return {"mean": self.mean}

    @classmethod
    def load(cls, folder: Folder, data: Mapping[str, Any], /) -> Self:  # noqa: ARG003
        """Read what :meth:`save` wrote."""
        return cls(float(data["mean"]))


def fit_mean(task: Task, reporter: ProgressReporter) -> Fitted:
    """Take the mean, in each fold and of all rows."""
    oof = np.empty((task.n, 1))
    for fold in range(task.n_folds):
        oof[task.held_out(fold)] = task.value[task.training(fold)].mean()
    reporter.tell("folds", 1.0)
    return Fitted(oof, MeanPart(float(task.value.mean())))


CANDIDATES = (
    Candidate(
        name=MEAN, title=N_("The mean alone"), order=10, share=0.01, learner=fit_mean, part=MeanPart, automatic=True
    ),
)
