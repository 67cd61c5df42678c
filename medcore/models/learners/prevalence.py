"""The prevalence alone: what knowing nothing about a patient achieves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from medcore.features import AnyRows
from medcore.i18n import N_
from medcore.models.contract.candidate import Candidate
from medcore.models.contract.task import Fitted, Indices, Part, ProgressReporter, Risk, Task, clean
from medcore.sealing import Folder


@dataclass(frozen=True, slots=True)
class PrevalencePart(Part):
    """Predicts for everybody how common each class was: what knowing nothing achieves."""

    kind: ClassVar[str] = "prevalence"
    row_by_row: ClassVar[bool] = True
    shares: NDArray[np.float64]

    def risk(self, rows: AnyRows, /) -> Risk:
        """Return the same risks for every row."""
        return np.tile(self.shares, (len(rows), 1))

    def save(self, folder: Folder, /) -> dict[str, Any]:  # noqa: ARG002
        """Return everything; nothing is large."""
        return {"shares": self.shares.tolist()}

    @classmethod
    def load(cls, folder: Folder, data: Mapping[str, Any], /) -> Self:  # noqa: ARG003
        """Read what :meth:`save` wrote."""
        return cls(np.asarray(data["shares"], dtype=np.float64))


def fit_prevalence(task: Task, reporter: ProgressReporter) -> Fitted:
    """Fit the share of each class, in each fold and on all rows."""
    oof = np.empty((task.n, task.n_classes))
    for fold in range(task.n_folds):
        oof[task.held_out(fold)] = class_shares(task.outcome[task.training(fold)], task.n_classes)
    reporter.tell("folds", 1.0)
    return Fitted(clean(oof, task.n_classes), PrevalencePart(class_shares(task.outcome, task.n_classes)))


CANDIDATES = (
    Candidate(
        name="prevalence",
        title=N_("Prevalence alone"),
        order=10,
        share=0.01,
        learner=fit_prevalence,
        part=PrevalencePart,
        automatic=True,
    ),
)


def class_shares(outcome: Indices, n_classes: int) -> NDArray[np.float64]:
    """Return how common each class is among the outcomes ``(n,)``, shape ``(K,)``."""
    counts = np.bincount(outcome, minlength=n_classes) + 0.5  # Jeffreys: no class is impossible
    return np.asarray(counts / counts.sum())
