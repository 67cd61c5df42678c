"""Boosted trees and forests over the intervals of follow-up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.features import Rows
from medcore.models.contract.task import Fitted, Part, ProgressReporter, Risk, Task
from medcore.models.contract.timed import risk_of_curve
from medcore.models.learners.boosting import (
    BOOSTING,
    ROUNDS,
    SHAPES,
    boost,
    boost_all,
    risk_of_scores,
    scores_of,
    stages_of,
)
from medcore.models.learners.encoding import CategoryEncoder, encode_training
from medcore.models.learners.fold_choice import choices, total_loss
from medcore.models.learners.forest import FOREST, ForestKind, grow
from medcore.models.survival.intervals import IntervalPart, PersonIntervals, incidence_of

MOST_ROWS = 20_000
"""Patients beyond which the automatic choice leaves trees out: their intervals are some ten times as many rows."""
_LEAST_LEAF = 15
"""Intervals in a leaf of a forest, at the least; a leaf of few rows knows no hazard (random survival forests: 15 patients)."""


@dataclass(frozen=True, slots=True)
class _FoldModel:
    """What a fold's boosted trees need to be asked with any number of rounds."""

    encoder: CategoryEncoder
    boosters: Sequence[Any]
    present: tuple[int, ...]

    def risk(self, rows: Rows, rounds: Sequence[int], n_classes: int) -> Risk:
        """Predict what happens in intervals (n, P + 1) with so many ``rounds`` of each size."""
        codes = self.encoder.transform(rows)
        scores = [scores_of(booster, codes, 0, n) for booster, n in zip(self.boosters, rounds, strict=True)]
        return risk_of_scores(np.mean(scores, axis=0), self.present, n_classes)


def fit_timed_boosting(task: Task, reporter: ProgressReporter) -> Fitted:
    """Fit boosted trees of two sizes to the intervals; how many rounds a fold uses is chosen by the other folds."""
    long = PersonIntervals.of(task)
    rows_of, n_shapes = long.task, len(SHAPES)
    losses = np.zeros((n_shapes, task.n_folds, len(ROUNDS)))
    kept: list[_FoldModel] = []
    for fold in range(task.n_folds):
        held, rows = rows_of.held_out(fold), rows_of.training(fold)
        encoder, codes = encode_training(rows_of, rows)
        held_codes, present = encoder.transform(rows_of.rows.take(held)), rows_of.classes_of(rows)
        boosters = [boost(rows_of, rows, codes, shape, int(ROUNDS[-1])) for shape in range(n_shapes)]
        for shape, booster in enumerate(boosters):
            losses[shape, fold] = [
                total_loss(risk_of_scores(s, present, task.n_classes), rows_of.outcome[held])
                for s in stages_of(booster, held_codes)
            ]
            reporter.tell("folds", (fold * n_shapes + shape + 1) / (n_shapes * (task.n_folds + 1)))
        kept.append(_FoldModel(encoder, boosters, present))
    picked = [choices(losses[shape]) for shape in range(n_shapes)]
    risks = []
    for fold, model in enumerate(kept):
        grid = long.every_interval(task.rows.take(task.held_out(fold)))
        risks.append(model.risk(grid, [int(ROUNDS[chosen[fold]]) for chosen, _best in picked], task.n_classes))
    part = boost_all(rows_of, [int(ROUNDS[best]) for _chosen, best in picked])
    reporter.tell("final", 1.0)
    return _fitted(task, long, risks, part)


def fit_timed_forest(task: Task, reporter: ProgressReporter, *, kind: ForestKind = "forest") -> Fitted:
    """Grow a forest on the intervals, in each fold and on all rows."""
    long = PersonIntervals.of(task, min_samples_leaf=_LEAST_LEAF)
    risks = []
    for fold in range(task.n_folds):
        grown = grow(long.task, long.task.training(fold), kind)
        risks.append(grown.risk(long.every_interval(task.rows.take(task.held_out(fold)))))
        reporter.tell("folds", (fold + 1) / (task.n_folds + 1))
    part = grow(long.task, np.arange(long.task.n), kind)
    reporter.tell("final", 1.0)
    return _fitted(task, long, risks, part)


def _fitted(task: Task, long: PersonIntervals, risks: list[NDArray[np.float64]], part: Part) -> Fitted:
    """Put what each fold's model says of its held-out patients' intervals together to curves."""
    assert task.by is not None
    curves = np.empty((task.n, task.by.n_causes, len(task.times)))
    for fold, risk in enumerate(risks):
        held = task.held_out(fold)
        hazards = risk.reshape(len(held), len(long.ends), -1)[:, :, 1:]
        curves[held] = incidence_of(hazards, long.ends, task.times)
    at = int(np.searchsorted(task.times, task.by.main))
    return Fitted(risk_of_curve(curves[:, :, at]), IntervalPart(task.by.main, long.ends, part), curves=curves)


CANDIDATES = tuple(
    replace(candidate, learner=learner, part=IntervalPart, space=None, searched_by_auto=False, most_rows=MOST_ROWS)
    for candidate, learner in ((FOREST, fit_timed_forest), (BOOSTING, fit_timed_boosting))
)
