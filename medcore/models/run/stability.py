"""How much a model depends on the patients it happened to learn from: the whole modelling repeated on bootstrap samples.

Sources: Riley RD, Collins GS. Stability of clinical prediction models developed using
statistical or machine learning methods. Biom J 2023;65:2200302 (instability of risks,
their mean absolute error, calibration instability); Harrell FE, Lee KL, Mark DB. Stat Med
1996;15:361 (figures corrected for optimism).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.data.preparation.replay import Prepared
from medcore.data.splitting.split import Split
from medcore.errors import SettingsError
from medcore.evaluation import calibration_curve
from medcore.i18n import N_
from medcore.models.bundle.bundle import Bundle
from medcore.models.contract.checks import check_trainable
from medcore.models.contract.progress import NullFollower
from medcore.models.contract.settings import TrainSettings
from medcore.models.contract.task import Indices, Task
from medcore.models.run.training import refitted, task_of
from medcore.statistics.calibration import in_the_large_fit, slope_fit
from medcore.statistics.ranking import auroc_with_influence
from medcore.targets import Target

Floats = NDArray[np.float64]
USUAL_REFITS = 200
"""Refits that Riley and Collins ask for; with fewer, the Monte Carlo error of what they give is larger, and is stated."""
MOST_CURVES = 60
"""Calibration curves that are kept for the plot: more lines are one grey surface."""
FIGURES = ("auroc", "calibration_slope", "calibration_intercept", "brier")
_TRIES = 50


@dataclass(frozen=True, slots=True)
class Refit:
    """The modelling repeated on one bootstrap sample: risks of all training rows (n,), and figures on both.

    ``own`` are the figures on the sample it learnt from, ``original`` those on the training rows.
    """

    risk: Floats = field(repr=False)
    own: Mapping[str, float]
    original: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Corrected:
    """A figure on the training rows themselves, its optimism (the mean over refits), and what remains.

    ``standard_error`` is the Monte Carlo error of the optimism: it falls with the number of refits.
    """

    apparent: float
    optimism: float
    standard_error: float

    @property
    def corrected(self) -> float:
        """The apparent figure less its optimism."""
        return self.apparent - self.optimism

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {name: getattr(self, name) for name in self.__slots__} | {"corrected": self.corrected}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """What refits say of a model; arrays have a value for each training row.

    ``risk`` is the delivered model's, ``low`` and ``high`` hold 95 % of the refits' risks,
    ``error`` is the mean absolute difference between the refits' risks and its own (MAPE).
    ``curves`` are calibration curves of refits on the training rows: risks and observed shares.
    """

    n_refits: int
    figures: Mapping[str, Corrected]
    risk: Floats = field(repr=False)
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)
    error: Floats = field(repr=False)
    curves: tuple[tuple[Floats, Floats], ...] = field(repr=False)

    @property
    def mean_error(self) -> float:
        """The mean over patients of the mean absolute difference (0–1)."""
        return float(self.error.mean())

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form without any patient's value."""
        return {
            "n_refits": self.n_refits,
            "figures": {name: figure.to_dict() for name, figure in self.figures.items()},
            "mean_absolute_error": self.mean_error,
            "absolute_error_90": float(np.quantile(self.error, 0.9)),
            "median_interval_width": float(np.median(self.high - self.low)),
        }


def refits(
    prepared: Prepared,
    split: Split,
    settings: TrainSettings,
    *,
    first: int = 0,
    n: int = USUAL_REFITS,
) -> tuple[Refit, ...]:
    """Repeat the whole modelling on bootstrap samples of the training patients, those of number ``first`` on.

    Patients (and copies of a record) are drawn whole; a row drawn twice stays in one fold.
    Sample k is the same however the work is parted. A search for settings is not repeated.

    Raises:
        SettingsError: the outcome has more than two classes.
        InputError: what cannot be trained, in one sentence.

    """
    check_trainable(prepared, split)
    if Target.of(prepared.classes).event is None:
        raise SettingsError(N_("Stability is worked out for outcomes of two classes; this one has more."))
    task = task_of(prepared, split, replace(settings, search_minutes=0.0))
    return tuple(_refit(task, number) for number in range(first, first + n))


def stability(
    prepared: Prepared, split: Split, settings: TrainSettings, bundle: Bundle, found: Sequence[Refit]
) -> Stability:
    """Compare the delivered model with its ``found`` refits, two or more."""
    task = task_of(prepared, split, settings)
    risk, event = bundle.risk(task.rows)[:, 1], (task.outcome == 1).astype(np.float64)
    apparent = _figures(event, risk)
    risks = np.stack([refit.risk for refit in found])
    low, high = np.quantile(risks, [0.025, 0.975], axis=0)
    return Stability(
        n_refits=len(found),
        figures={name: _corrected(name, apparent[name], found) for name in FIGURES},
        risk=risk,
        low=low,
        high=high,
        error=np.abs(risks - risk).mean(axis=0),
        curves=tuple(_curve(event, refit.risk) for refit in found[:MOST_CURVES]),
    )


def _refit(task: Task, number: int) -> Refit:
    rows = _sample(task, number)
    own = replace(
        task,
        rows=task.rows.take(rows),
        outcome=task.outcome[rows],
        folds=task.folds[rows],
        groups=rows if task.groups is None else task.groups[rows],
        settings=replace(task.settings, seed=task.settings.seed + number),
    )
    risk = refitted(own, NullFollower())(task.rows)[:, 1]
    event = (task.outcome == 1).astype(np.float64)
    return Refit(risk, _figures(event[rows], risk[rows]), _figures(event, risk))


def _sample(task: Task, number: int) -> Indices:
    """Draw as many patients as there are, with replacement, until every fold can be learnt without."""
    rng = np.random.default_rng([task.settings.seed, number])
    unit = np.arange(task.n) if task.groups is None else np.unique(task.groups, return_inverse=True)[1]
    members = np.split(np.argsort(unit, kind="stable"), np.cumsum(np.bincount(unit))[:-1])
    for _try in range(_TRIES):
        rows = np.concatenate([members[k] for k in rng.integers(0, len(members), len(members))])
        counts = np.zeros((task.n_folds, task.n_classes))
        np.add.at(counts, (task.folds[rows], task.outcome[rows]), 1)
        if (counts.sum(axis=1) > 0).all() and (counts.sum(axis=0) - counts > 1).all():
            return np.sort(rows)
    raise SettingsError(
        N_("There are too few patients with (or without) the outcome to repeat the modelling on samples of them.")
    )


def _figures(event: Floats, risk: Floats) -> dict[str, float]:
    slope, in_the_large = slope_fit(event, risk), in_the_large_fit(event, risk)
    return {
        "auroc": auroc_with_influence(event, risk)[0],
        "calibration_slope": float(slope.coefficients[1]) if slope else float("nan"),
        "calibration_intercept": float(in_the_large.coefficients[0]) if in_the_large else float("nan"),
        "brier": float(np.mean((risk - event) ** 2)),
    }


def _corrected(name: str, apparent: float, found: Sequence[Refit]) -> Corrected:
    gaps = np.array([refit.own[name] - refit.original[name] for refit in found])
    gaps = gaps[np.isfinite(gaps)]
    if len(gaps) < 2:
        return Corrected(apparent, float("nan"), float("nan"))
    return Corrected(apparent, float(gaps.mean()), float(gaps.std(ddof=1) / np.sqrt(len(gaps))))


def _curve(event: Floats, risk: Floats) -> tuple[Floats, Floats]:
    curve = calibration_curve(event, risk, n_boot=2)
    return curve.risk, curve.observed
