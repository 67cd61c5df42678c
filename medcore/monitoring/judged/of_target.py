"""Who judges a model, by what it predicts: the only place that asks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from medcore.monitoring.judged.by_time import ByTimeJudge
from medcore.monitoring.judged.event import EventJudge
from medcore.monitoring.judged.judge import Judge
from medcore.monitoring.judged.number import NumberJudge
from medcore.monitoring.watched import Watched
from medcore.statistics.arrays import Floats
from medcore.targets import EventTime, Number


@dataclass(frozen=True, slots=True, eq=False)
class WatchedQuestion:
    """One thing that is predicted: the event, each of several classes (``of_class``), or a number; and who judges it."""

    of_class: str | None
    predicted: Floats = field(repr=False)
    judge: Judge = field(repr=False)


def questions_of(watched: Watched, threshold: float) -> tuple[WatchedQuestion, ...]:
    """Return what is predicted of each patient, one question for every risk that is told."""
    target, classes = watched.predicts.target, watched.predicts.classes
    found: list[WatchedQuestion] = []
    for k in target.told:
        predicted = watched.risk[:, k]
        judge: Judge
        if isinstance(target, Number):
            judge = NumberJudge(watched.outcome, predicted, watched.interval)
        elif isinstance(target, EventTime):
            assert watched.duration is not None
            judge = ByTimeJudge(watched.outcome, watched.duration, predicted, target.main, threshold)
        else:
            known = ~np.isnan(watched.outcome)
            event = np.full(len(watched), np.nan)
            event[known] = target.split(k, watched.outcome[known].astype(np.int64), watched.risk[known])[0]
            judge = EventJudge(event, predicted, None if target.many else threshold)
        found.append(WatchedQuestion(classes[k] if target.many else None, predicted, judge))
    return tuple(found)
