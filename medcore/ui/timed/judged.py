"""What is judged of a model that says by when: one model or two, on one set of patients, by one horizon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import pandas as pd

from medcore.data.follow_up import UNIT_NAMES, about, shown_unit, span
from medcore.evaluation import HorizonPerformance, SurvivalPerformance
from medcore.evaluation.figures.estimates import Floats
from medcore.evaluation.figures.resampling import Ints
from medcore.i18n import _, current_language
from medcore.models.deployed.timed import TimedValidation
from medcore.models.run.timed.results import TimedResults
from medcore.targets.event_time import DAYS, TimeUnit
from medcore.ui.kit import cache
from medcore.ui.kit.words import model_name

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedJudged:
    """Risks by one horizon (n,) by model name as shown, and what happened; the first model is in question.

    ``follow_up`` is its median in words, ``side`` is "training" (out of fold), "test", or what names a table of new patients. Times are told in ``unit``,
    of which each holds ``per`` of the follow-up's, which is ``measured_in``.
    """

    run_id: str
    side: str
    horizon: float
    when: str
    unit: str
    per: float
    measured_in: TimeUnit
    follow_up: str
    duration: Floats = field(repr=False)
    event: Ints = field(repr=False)
    groups: Ints | None = field(repr=False)
    folds: Ints | None = field(repr=False)
    risks: Mapping[str, Floats] = field(repr=False)
    performances: Mapping[str, SurvivalPerformance] = field(repr=False)
    rows: Ints = field(repr=False, default_factory=lambda: np.zeros(0, np.int64))
    sensitive: pd.DataFrame = field(repr=False, default_factory=pd.DataFrame)

    @property
    def name(self) -> str:
        """The model in question, as shown."""
        return next(iter(self.risks))

    @property
    def at(self) -> HorizonPerformance:
        """Its figures by the horizon."""
        return self.performances[self.name].by(self.horizon)

    @property
    def competing(self) -> bool:
        """Whether another event came first for some."""
        return self.performances[self.name].n_competing > 0

    def known(self, what: str, compute: Callable[[], R]) -> R:
        """Return what was computed of these patients, models and horizon, once."""
        return cache.once(compute, "timed.evaluate", what, self.run_id, self.side, self.horizon, tuple(self.risks))

    def drawn(self, what: str, draw: Callable[[], R]) -> R:
        """Return a chart in the current language, drawn once."""
        return self.known(f"{what}.{current_language()}", draw)


def judge(results: TimedResults, run_id: str, side: str, horizon: float, other: str | None) -> TimedJudged:
    """Gather what a run found of the training patients, or of the locked test set, by a horizon."""
    locked = side == "test" and results.test is not None and results.tested is not None
    patients = results.test if locked and results.test is not None else results.training
    whole = results.tested if locked and results.tested is not None else results.cross_validated
    name = model_name(results.model)
    risks, performances = {name: patients.curve[:, 0, results.by(horizon)]}, {name: whole}
    candidate = results.candidate(other) if other else None
    if candidate is not None:
        theirs, figures = (
            (candidate.test_risk, candidate.test) if locked else (candidate.oof, candidate.cross_validated)
        )
        if theirs is not None and figures is not None:
            risks[model_name(candidate.name)] = theirs[:, results.target.horizons.index(horizon)]
            performances[model_name(candidate.name)] = figures
    unit = shown_unit(whole.longest_follow_up, results.target.unit)
    return TimedJudged(
        run_id=run_id,
        side=side,
        horizon=horizon,
        when=str(span(horizon, results.target.unit)),
        unit=_(UNIT_NAMES[unit]),
        per=DAYS[unit] / DAYS[results.target.unit],
        measured_in=results.target.unit,
        follow_up=_median(whole, results.target.unit),
        duration=patients.duration,
        event=patients.event.astype(np.int64),
        groups=None if patients.groups is None else patients.groups.astype(np.int64),
        folds=None if locked else results.folds.astype(np.int64),
        rows=patients.rows,
        sensitive=patients.sensitive,
        risks=risks,
        performances=performances,
    )


def judge_new(results: TimedResults, found: TimedValidation, horizon: float, *, side: str, run_id: str) -> TimedJudged:
    """Gather what the frozen model's risks by a horizon turned out to be on new patients."""
    name, unit = model_name(results.model), shown_unit(found.performance.longest_follow_up, results.target.unit)
    return TimedJudged(
        run_id=run_id,
        side=side,
        horizon=horizon,
        when=str(span(horizon, results.target.unit)),
        unit=_(UNIT_NAMES[unit]),
        per=DAYS[unit] / DAYS[results.target.unit],
        measured_in=results.target.unit,
        follow_up=_median(found.performance, results.target.unit),
        duration=found.duration,
        event=found.event,
        groups=found.groups,
        folds=None,
        risks={name: found.curve[:, 0, results.by(horizon)]},
        performances={name: found.performance},
    )


def _median(performance: SurvivalPerformance, unit: TimeUnit) -> str:
    median = performance.median_follow_up
    return str(about(median, unit)) if np.isfinite(median) else "–"
