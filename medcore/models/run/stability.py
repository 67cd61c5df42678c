"""How much a model depends on the patients it happened to learn from: the whole modelling repeated on bootstrap samples.

Sources: Riley RD, Collins GS. Stability of clinical prediction models developed using
statistical or machine learning methods. Biom J 2023;65:2200302 (instability of risks,
their mean absolute error, calibration instability); Harrell FE, Lee KL, Mark DB. Stat Med
1996;15:361 (figures corrected for optimism).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
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
from medcore.models.contract.task import Indices, Risk, Task
from medcore.models.run.number.stability import curve_of, figures_of, refitted_number
from medcore.models.run.timed.stability import curve_by, figures_by, refitted_by_when, risks_by_when
from medcore.models.run.training import refitted, task_of
from medcore.statistics.calibration import in_the_large_fit, slope_fit
from medcore.statistics.ranking import auroc_with_influence
from medcore.targets import EventTime, Target

Floats = NDArray[np.float64]
USUAL_REFITS = 200
"""Refits that Riley and Collins ask for; with fewer, the Monte Carlo error of what they give is larger, and is stated."""
MOST_CURVES = 60
"""Calibration curves that are kept for the plot: more lines are one grey surface."""
REMEMBERED = N_(
    "Most patients that a sample is judged on are in it too, so that of models that remember patients, as forests do, "
    "too little is taken off: where a corrected figure is better than the out-of-fold one, believe the latter."
)
"""What to think of figures corrected for optimism; stands wherever they are told."""
_TRIES = 50
_FiguresOf = Callable[[Indices, Floats], dict[str, float]]
"""What works out figures of some rows from what is predicted of them."""
_CurveOf = Callable[[Floats], tuple[Floats, Floats]]


@dataclass(frozen=True, slots=True)
class Refit:
    """The modelling repeated on one bootstrap sample: ``risk`` of all training rows, and the ``rows`` (m,) it learnt from.

    Risks are (n, K) of classes, (n, H) of the event in question by each horizon, or a number's one column (n, 1).
    """

    risk: Risk = field(repr=False)
    rows: Indices = field(repr=False)


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
    """What refits say of a model's risks of one class, of being at or above it, or of its numbers; arrays have a value for each training row.

    ``risk`` is the delivered model's, ``low`` and ``high`` hold 95 % of the refits' risks,
    ``error`` is the mean absolute difference between the refits' risks and its own (MAPE).
    ``curves`` are calibration curves of refits on the training rows: risks and observed shares, or predicted and measured.
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
        """The mean over patients of the mean absolute difference (0–1, or in the number's unit)."""
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
        SettingsError: too few patients of a class for samples of them.
        InputError: what cannot be trained, in one sentence.

    """
    check_trainable(prepared, split, other_than_classes=True)
    task = task_of(prepared, split, replace(settings, search_minutes=0.0))
    return tuple(_refit(task, number) for number in range(first, first + n))


def stability(
    prepared: Prepared, split: Split, settings: TrainSettings, bundle: Bundle, found: Sequence[Refit]
) -> dict[int, Stability]:
    """Compare the delivered model with its ``found`` refits, two or more, for each question that can be asked.

    A question is the event of two classes; of more each class against the rest; of classes in an
    order each of the target's cuts as well; where the event has its time the place of a horizon; of a number 0.
    """
    task = task_of(prepared, split, settings)
    asked: dict[int, tuple[_FiguresOf, _CurveOf]]
    if task.by is not None:
        own = risks_by_when(bundle, task)
        asked = {
            k: (partial(figures_by, task, by), partial(curve_by, task, by)) for k, by in enumerate(task.by.horizons)
        }
    elif task.number is not None:
        own, asked = bundle.risk(task.rows), {0: (partial(figures_of, task), partial(curve_of, task))}
    else:
        risk = bundle.risk(task.rows)
        questions = (*task.target.told, *task.target.cuts)
        return {question: instability(question, task.target, task.outcome, risk, found) for question in questions}
    samples = [refit.rows for refit in found]
    return {
        place: _compared(own[:, place], np.stack([refit.risk[:, place] for refit in found]), samples, *how)
        for place, how in asked.items()
    }


def told(target: Target, classes: Sequence[str], found: Mapping[int, Stability]) -> dict[str, Any]:
    """Return what refits say as JSON: of the event or the number; of more classes by class, of an order by class or higher; by horizon."""
    if isinstance(target, EventTime):
        by_horizon = {f"{horizon:g}": found[place].to_dict() for place, horizon in enumerate(target.horizons)}
        return {"n_refits": found[0].n_refits, "by_horizon": by_horizon}
    questions = target.cuts or target.told
    if len(questions) == 1:
        return found[questions[0]].to_dict()
    by_class = {classes[target.lowest(question)]: found[question].to_dict() for question in questions}
    return {"n_refits": found[questions[0]].n_refits, "or_higher": target.ordered, "by_class": by_class}


def instability(question: int, target: Target, outcome: Indices, risk: Risk, found: Sequence[Refit]) -> Stability:
    """Compare a model's risks (n, K) of training patients with what its refits give them, for one question of a target."""
    event, own = target.split(question, outcome, risk)
    risks = np.stack([target.split(question, outcome, refit.risk)[1] for refit in found])
    return _compared(
        own,
        risks,
        [refit.rows for refit in found],
        lambda rows, risk: _figures(event[rows], risk),
        lambda risk: _curve(event, risk),
    )


def _compared(
    own: Floats,
    risks: Floats,
    samples: Sequence[Indices],
    figures: _FiguresOf,
    curve: _CurveOf,
) -> Stability:
    """Compare the model's ``own`` risks (n,) with those of its refits (R, n), each of one of the ``samples``."""
    every = np.arange(len(own))
    low, high = np.quantile(risks, [0.025, 0.975], axis=0)
    on_sample = [figures(rows, r[rows]) for rows, r in zip(samples, risks, strict=True)]
    on_all = [figures(every, r) for r in risks]
    return Stability(
        n_refits=len(risks),
        figures={
            name: _corrected(v, [(a[name], b[name]) for a, b in zip(on_sample, on_all, strict=True)])
            for name, v in figures(every, own).items()
        },
        risk=own,
        low=low,
        high=high,
        error=np.abs(risks - own).mean(axis=0),
        curves=tuple(curve(r) for r in risks[:MOST_CURVES]),
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
    if task.by is not None:
        return Refit(refitted_by_when(replace(own, duration=task.duration[rows]))(task.rows), rows)
    if task.number is not None:
        return Refit(refitted_number(replace(own, value=task.value[rows]))(task.rows), rows)
    return Refit(refitted(own, NullFollower())(task.rows), rows)


def _sample(task: Task, number: int) -> Indices:
    """Draw as many patients as there are, with replacement, until every fold can be learnt without."""
    rng = np.random.default_rng([task.settings.seed, number])
    unit = np.arange(task.n) if task.groups is None else np.unique(task.groups, return_inverse=True)[1]
    members = np.split(np.argsort(unit, kind="stable"), np.cumsum(np.bincount(unit))[:-1])
    for _try in range(_TRIES):
        rows = np.concatenate([members[k] for k in rng.integers(0, len(members), len(members))])
        counts = np.zeros((task.n_folds, task.n_classes))
        np.add.at(counts, (task.folds[rows], task.outcome[rows] if task.number is None else 0), 1)
        needed = counts if task.by is None else counts[:, 1:]  # there may be nobody without an event
        if (counts.sum(axis=1) > 0).all() and (needed.sum(axis=0) - needed > 1).all():
            return np.sort(rows)
    raise SettingsError(
        N_("There are too few patients of one class of the outcome to repeat the modelling on samples of them.")
    )


def _figures(event: Floats, risk: Floats) -> dict[str, float]:
    slope, in_the_large = slope_fit(event, risk), in_the_large_fit(event, risk)
    return {
        "auroc": auroc_with_influence(event, risk)[0],
        "calibration_slope": float(slope.coefficients[1]) if slope else float("nan"),
        "calibration_intercept": float(in_the_large.coefficients[0]) if in_the_large else float("nan"),
        "brier": float(np.mean((risk - event) ** 2)),
    }


def _corrected(apparent: float, pairs: Sequence[tuple[float, float]]) -> Corrected:
    """Take from a figure what refits lose between their own sample and the original patients: the ``pairs``."""
    gaps = np.array([own - original for own, original in pairs])
    gaps = gaps[np.isfinite(gaps)]
    if len(gaps) < 2:
        return Corrected(apparent, float("nan"), float("nan"))
    return Corrected(apparent, float(gaps.mean()), float(gaps.std(ddof=1) / np.sqrt(len(gaps))))


def _curve(event: Floats, risk: Floats) -> tuple[Floats, Floats]:
    curve = calibration_curve(event, risk, n_boot=2)
    return curve.risk, curve.observed
