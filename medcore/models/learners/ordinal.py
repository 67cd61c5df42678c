"""Proportional odds with a ridge penalty: one score puts patients in the order of the outcome's classes.

Sources: McCullagh 1980 (the model); Le Cessie & van Houwelingen 1992 (ridge in logistic models).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from medcore.features import AnyRows
from medcore.i18n import N_
from medcore.models.coalitions.after_sums import BetweenThresholds
from medcore.models.coalitions.layers import LayeredCoalitions, column_shares
from medcore.models.contract.candidate import ORDINAL, Candidate
from medcore.models.contract.task import Fitted, Indices, ProgressReporter, Risk, Task, clean
from medcore.models.learners.prevalence import class_shares
from medcore.models.learners.ridge import Floats, RidgePart, fit_ridge, maker_for, ridge_space
from medcore.models.learners.splines import Splines
from medcore.statistics.proportional_odds import class_probabilities, fit_proportional_odds


@dataclass(frozen=True, slots=True)
class OrdinalPart(RidgePart):
    """Proportional odds: ``coefficients`` ``(F + S, 1)`` of one score, ``intercepts`` ``(K − 1,)`` its rising thresholds.

    ``P(class ≤ k) = 1 / (1 + exp(−(intercepts[k] − score)))``; a class that was not among the rows has no room between its thresholds.
    """

    kind: ClassVar[str] = ORDINAL

    @staticmethod
    def n_scores(n_intercepts: int) -> int:  # noqa: ARG004
        """Return that there is one score."""
        return 1

    def risk(self, rows: AnyRows, /) -> Risk:
        """Predict, shape ``(n, K)``."""
        score = (self.matrix(rows) @ self.coefficients)[:, 0]
        return clean(class_probabilities(score, self.intercepts), len(self.intercepts) + 1)

    def coalitions(self) -> LayeredCoalitions:
        """Return how the model answers for coalitions: its score is a sum over the columns."""
        shares = partial(column_shares, self.matrix, self.blocks, self.coefficients.astype(np.float32))
        thresholds = {"thresholds": self.intercepts.astype(np.float32)}
        start = np.zeros((1, 1), np.float32)
        return LayeredCoalitions(shares, start, thresholds, BetweenThresholds(), len(self.maker.blocks_))


def fit_ordinal(task: Task, reporter: ProgressReporter) -> Fitted:
    """Fit ridge proportional odds."""
    return fit_ridge(task, reporter, _fit_path)


def _fit_path(task: Task, rows: Indices, penalties: Floats, splines: Splines) -> list[OrdinalPart]:
    own, outcome, maker = task.rows.take(rows), task.outcome[rows], maker_for(task, rows)
    present, places = np.unique(outcome, return_inverse=True)
    matrix = np.hstack([maker.transform_exactly(own), splines.columns(own.codes, maker.medians_)])
    if not matrix.shape[1] or len(present) < 2:
        below = np.cumsum(class_shares(outcome, task.n_classes))[:-1]
        flat = np.zeros((matrix.shape[1], 1))
        return [OrdinalPart(maker, flat, np.log(below) - np.log1p(-below), float(c), splines) for c in penalties]
    parts = []
    for inverse in penalties:
        fitted = fit_proportional_odds(places, matrix, penalty=1 / float(inverse), weights=task.weights(rows))
        # the thresholds of all classes: one that is absent begins where it ends
        at = np.searchsorted(present, np.arange(task.n_classes - 1), side="right") - 1
        ends = np.concatenate([[-50.0], fitted.thresholds, [50.0]])
        parts.append(OrdinalPart(maker, fitted.coefficients[:, None], ends[at + 1], float(inverse), splines))
    return parts


CANDIDATES = (
    Candidate(
        name=ORDINAL,
        title=N_("Proportional odds"),
        hint=N_(
            "Logistic regression for an outcome in order, such as mild, moderate, severe: one odds ratio per predictor for every step up."
        ),
        order=22,
        menu=4,
        share=0.6,
        learner=fit_ordinal,
        part=OrdinalPart,
        space=ridge_space,
        missing="filled",
        automatic=True,
        ordered=True,
    ),
)
