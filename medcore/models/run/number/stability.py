"""How much a model of a number depends on the patients it happened to learn from; see ``stability``, whose refits these are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from medcore.evaluation import evaluate_numbers, number_calibration
from medcore.features import AnyRows, Rows
from medcore.models.contract.progress import NullFollower
from medcore.models.contract.task import Indices, Risk, Task
from medcore.models.contract.workers import ThisProcess
from medcore.models.run.number.training import choose
from medcore.models.run.training import fit_all
from medcore.statistics.arrays import Floats

FIGURES = ("r2", "rmse", "mae", "calibration_slope", "calibration_intercept")
N_BOOT = 2
"""Of the band of a refit's curve, which is not drawn."""


def refitted_number(task: Task) -> Callable[[AnyRows], Risk]:
    """Repeat the whole modelling on a task; return the numbers it gives, (n, 1)."""
    assert task.number is not None
    number = task.number
    fitted, _seconds = fit_all(task, NullFollower(), ThisProcess())
    weights, _oof = choose(task, fitted, task.settings)

    def predicted(rows: AnyRows) -> Risk:
        pooled = sum(weight * fitted[name].part.risk(Rows.of(rows)) for name, weight in weights.items())
        return number.within(np.asarray(pooled, dtype=np.float64))

    return predicted


def figures_of(task: Task, rows: Indices, predicted: Floats) -> dict[str, float]:
    """Return the figures of some rows, without intervals."""
    found = evaluate_numbers(task.value[rows], predicted).metrics
    return {name: found[name].value for name in FIGURES}


def curve_of(task: Task, predicted: Floats) -> tuple[Floats, Floats]:
    """Return the calibration curve of predictions on all rows."""
    curve = number_calibration(task.value, predicted, n_boot=N_BOOT)
    return curve.predicted, curve.measured
