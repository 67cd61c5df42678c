"""Linear regression with a ridge penalty and splines: the simple model of a number that all others must beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np

from medcore.features import AnyRows
from medcore.i18n import N_
from medcore.models.coalitions.after_sums import AsTheyAre
from medcore.models.coalitions.layers import LayeredCoalitions, column_shares
from medcore.models.contract.candidate import LINEAR, Candidate
from medcore.models.contract.coalitions import Coalitions
from medcore.models.contract.number import InUnit, NumberScale, unbiased
from medcore.models.contract.task import Fitted, Indices, ProgressReporter, Risk, Task
from medcore.models.learners.ridge import Floats, RidgePart, fit_ridge, maker_for
from medcore.models.learners.splines import Splines, worth_bending_of_numbers
from medcore.sealing import Folder


@dataclass(frozen=True, slots=True)
class LinearPart(RidgePart):
    """Linear regression: ``coefficients`` ``(F + S, 1)``, one intercept, on the model's ``scale``."""

    kind: ClassVar[str] = "linear"
    scale: NumberScale = field(default_factory=NumberScale)

    def score(self, rows: AnyRows) -> Floats:
        """Return what the model predicts (n,) on its scale."""
        return np.asarray((self.matrix(rows) @ self.coefficients)[:, 0] + self.intercepts[0])

    def risk(self, rows: AnyRows, /) -> Risk:
        """Predict, shape ``(n, 1)``."""
        return self.scale.told(self.score(rows))

    def loss(self, task: Task, rows: Indices) -> float:
        """Return the sum of squared errors on the model's scale."""
        error = self.scale.standard(task.value[rows]) - self.score(task.rows.take(rows))
        return float(error @ error)

    def worth_bending(self, task: Task, rows: Indices, possible: Splines) -> Splines:
        """Keep the curves that would serve these training rows better than this straight model."""
        own = task.rows.take(rows)
        bent = possible.columns(own.codes, self.maker.medians_)
        left = self.scale.standard(task.value[rows]) - self.score(own)
        return worth_bending_of_numbers(possible, bent, self.matrix(own), left)

    def coalitions(self) -> Coalitions:
        """Return how the regression answers for coalitions: its score is a sum over the columns."""
        shares = partial(column_shares, self.matrix, self.blocks, self.coefficients.astype(np.float32))
        start = self.intercepts.astype(np.float32)[None]
        return InUnit(LayeredCoalitions(shares, start, {}, AsTheyAre(), len(self.maker.blocks_)), self.scale)

    def save(self, folder: Folder, /) -> dict[str, Any]:
        """Return everything; nothing is large."""
        return RidgePart.save(self, folder) | {"scale": self.scale.to_dict()}

    @classmethod
    def load(cls, folder: Folder, data: Mapping[str, Any], /) -> Self:
        """Read what :meth:`save` wrote."""
        read = super(LinearPart, cls).load(folder, data)
        return replace(read, scale=NumberScale.from_dict(data["scale"]))


def fit_linear(task: Task, reporter: ProgressReporter) -> Fitted:
    """Fit ridge regression, straight or with restricted cubic splines; penalty and curves as for classes."""
    return unbiased(task, fit_ridge(task, reporter, _fit_path))


def _fit_path(task: Task, rows: Indices, penalties: Floats, splines: Splines) -> list[LinearPart]:
    """Fit one model for each inverse penalty: Σ error² + ‖coefficients‖² / inverse is lowest."""
    own, maker, scale = task.rows.take(rows), maker_for(task, rows), NumberScale.of(task)
    matrix = np.hstack([maker.transform_exactly(own), splines.columns(own.codes, maker.medians_)])
    z = scale.standard(task.value[rows])
    middle, mean = matrix.mean(axis=0), float(z.mean())
    centred = matrix - middle
    values, vectors = np.linalg.eigh(centred.T @ centred)
    pull = vectors.T @ (centred.T @ (z - mean))
    parts = []
    for inverse in penalties:
        coefficients = vectors @ (pull / (np.maximum(values, 0.0) + 1.0 / inverse))
        intercept = np.array([mean - float(middle @ coefficients)])
        parts.append(LinearPart(maker, coefficients[:, None], intercept, float(inverse), splines, scale))
    return parts


CANDIDATES = (
    Candidate(
        name=LINEAR,
        title=N_("Linear regression"),
        hint=N_("The transparent standard: a sum of what each predictor adds, with curves where they pay."),
        order=20,
        menu=3,
        share=0.3,
        learner=fit_linear,
        part=LinearPart,
        missing="filled",
        automatic=True,
    ),
)
