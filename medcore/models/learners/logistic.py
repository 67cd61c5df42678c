"""Logistic regression with a ridge penalty: the simple model that all others must beat."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from medcore.features import AnyRows
from medcore.i18n import N_
from medcore.models.coalitions.after_sums import Softmax
from medcore.models.coalitions.layers import LayeredCoalitions, column_shares
from medcore.models.coalitions.pairs import one_product
from medcore.models.contract.candidate import Candidate
from medcore.models.contract.task import Fitted, Indices, ProgressReporter, Risk, Task, clean
from medcore.models.learners.prevalence import class_shares
from medcore.models.learners.ridge import (
    Floats,
    RidgePart,
    fit_ridge,
    maker_for,
    refit_ridge,
    ridge_space,
)
from medcore.models.learners.splines import Splines


@dataclass(frozen=True, slots=True)
class LogisticPart(RidgePart):
    """Logistic regression: ``coefficients`` ``(F + S, K)``, ``intercepts`` ``(K,)``.

    A model kept before there were splines is computed in float32, as it was.
    :func:`~medcore.models.learners.equation.equation_of` writes the model down, term by term.
    """

    kind: ClassVar[str] = "logistic"

    def risk(self, rows: AnyRows, /) -> Risk:
        """Predict, shape ``(n, K)``."""
        if self.splines is None:
            scores = self.maker.transform(rows) @ self.coefficients.astype(np.float32) + self.intercepts
        else:
            scores = self.matrix(rows) @ self.coefficients + self.intercepts
        scores -= scores.max(axis=1, keepdims=True)
        odds = np.exp(scores)
        return clean(odds, len(self.intercepts))

    def coalitions(self) -> LayeredCoalitions:
        """Return how the regression answers for coalitions: its scores are sums over the columns."""
        shares = partial(column_shares, self.matrix, self.blocks, self.coefficients.astype(np.float32))
        first = one_product(self.matrix, self.block, self.blocks, self.coefficients.astype(np.float32))
        start = self.intercepts.astype(np.float32)[None]
        return LayeredCoalitions(shares, start, {}, Softmax(), len(self.maker.blocks_), first=(first,))


def fit_logistic(task: Task, reporter: ProgressReporter) -> Fitted:
    """Fit ridge logistic regression."""
    return fit_ridge(task, reporter, _fit_path)


def refit(task: Task, rows: Indices, part: LogisticPart) -> LogisticPart:
    """Fit on some rows with the penalty of another model, bending what it bends."""
    return refit_ridge(task, rows, part, _fit_path)


def _fit_path(task: Task, rows: Indices, penalties: Floats, splines: Splines) -> list[LogisticPart]:
    """Fit one model for each inverse penalty, each starting from the one before."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    own, outcome, maker = task.rows.take(rows), task.outcome[rows], maker_for(task, rows)
    present = np.unique(outcome)
    if maker.n_columns_ == 0 or len(present) < 2:
        zeros, intercepts = np.zeros((maker.n_columns_, task.n_classes)), np.log(class_shares(outcome, task.n_classes))
        return [LogisticPart(maker, zeros, intercepts, float(c), Splines()) for c in penalties]
    matrix = np.hstack([maker.transform_exactly(own), splines.columns(own.codes, maker.medians_)])
    n_columns = matrix.shape[1]
    small = n_columns * (1 if len(present) == 2 else len(present)) <= 400 and len(rows) > n_columns
    model = LogisticRegression(
        solver="newton-cholesky" if small else "lbfgs", warm_start=True, max_iter=100 if small else 400, tol=1e-4
    )
    parts = []
    for inverse in penalties[::-1]:  # strong penalties first: the easiest start for the next
        model.set_params(C=float(inverse))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(matrix, outcome, sample_weight=task.weights(rows))
        parts.append(
            LogisticPart(maker, *columns_and_intercepts(model, present, task.n_classes), float(inverse), splines)
        )
    return parts[::-1]


def columns_and_intercepts(
    model: Any, present: Indices, n_classes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a fitted logistic regression as coefficients ``(F, K)`` and intercepts ``(K,)`` of all classes."""
    coefficients = np.zeros((model.coef_.shape[1], n_classes))
    intercepts = np.full(n_classes, -30.0)  # a class that is not in these rows
    if len(present) == 2:
        coefficients[:, present[1]] = model.coef_[0]
        intercepts[present] = [0.0, float(model.intercept_[0])]
    else:
        coefficients[:, present] = model.coef_.T
        intercepts[present] = model.intercept_
    return coefficients, intercepts


CANDIDATES = (
    Candidate(
        name="logistic",
        title=N_("Logistic regression"),
        hint=N_("The transparent standard of clinical prediction."),
        order=20,
        menu=3,
        share=0.5,
        learner=fit_logistic,
        part=LogisticPart,
        space=ridge_space,
        missing="filled",
        automatic=True,
        searched_by_auto=True,
    ),
)
