"""How much a model that says by when depends on the patients it happened to learn from; see ``stability``, whose refits these are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from medcore.evaluation import calibration_curve_at_horizon
from medcore.evaluation.survival.accuracy import brier_at
from medcore.evaluation.survival.discrimination import auroc_at
from medcore.evaluation.survival.horizon import Horizon
from medcore.features import AnyRows
from medcore.models.bundle.bundle import Bundle
from medcore.models.contract.progress import NullFollower
from medcore.models.contract.task import Indices, Risk, Task
from medcore.models.contract.timed import TimedPart
from medcore.models.contract.workers import ThisProcess
from medcore.models.run.timed.training import choose
from medcore.models.run.training import fit_all
from medcore.statistics.arrays import Floats
from medcore.statistics.survival.complementary import in_the_large_fit, slope_fit

N_BOOT = 2
"""Of the band of a refit's curve, which is not drawn."""


def refitted_by_when(task: Task) -> Callable[[AnyRows], Risk]:
    """Repeat the whole modelling on a task; return the risks of the event in question by each horizon, (n, H)."""
    assert task.by is not None
    horizons = np.asarray(task.by.horizons)
    fitted, _seconds = fit_all(task, NullFollower(), ThisProcess())
    weights, _curves = choose(task, fitted, task.settings)

    def risk(rows: AnyRows) -> Risk:
        total = np.zeros((len(rows), len(horizons)))
        for name, weight in weights.items():
            part = fitted[name].part
            assert isinstance(part, TimedPart)
            total += weight * part.curve(rows, horizons)[:, 0]
        return total

    return risk


def figures_by(task: Task, horizon: float, rows: Indices, risk: Floats) -> dict[str, float]:
    """Return the figures of some rows by a horizon, without intervals."""
    at = Horizon.of(task.duration[rows], task.outcome[rows], horizon)
    known = 0 < at.incidence.at(horizon) < 1
    pseudo = at.incidence.pseudo_values(horizon) if known else np.zeros(0)
    slope, large = (slope_fit(pseudo, risk), in_the_large_fit(pseudo, risk)) if known else (None, None)
    return {
        "auroc": auroc_at(at, risk).value,
        "calibration_slope": float(slope.coefficients[1]) if slope else float("nan"),
        "calibration_intercept": float(large.coefficients[0]) if large else float("nan"),
        "brier": brier_at(at, risk).value,
    }


def curve_by(task: Task, horizon: float, risk: Floats) -> tuple[Floats, Floats]:
    """Return the calibration curve of risks by a horizon on all rows."""
    curve = calibration_curve_at_horizon(task.duration, task.outcome, risk, horizon, n_boot=N_BOOT)
    return curve.risk, curve.observed


def risks_by_when(bundle: Bundle, task: Task) -> Risk:
    """Return the delivered model's risks by each horizon (n, H)."""
    assert task.by is not None
    return bundle.curve(task.rows, np.asarray(task.by.horizons))[:, 0]
