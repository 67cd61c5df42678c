"""CUSUMs: evidence gathered patient by patient that more, or fewer, events come than predicted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from medcore.evaluation.groups.subgroups import HARDLY_ANY
from medcore.monitoring.calendar import Calendar
from medcore.monitoring.chart import Rates, number
from medcore.monitoring.judged.of_target import WatchedQuestion
from medcore.monitoring.watched import Mask, Watched, WatchedPlace
from medcore.statistics.arrays import Floats
from medcore.statistics.calibration import in_the_large_fit
from medcore.statistics.control.cusum import cusum, limit_for
from medcore.statistics.logistic import logit

ODDS_RATIOS: Mapping[str, float] = {"cusum_more": 2.0, "cusum_fewer": 0.5}
"""What each looks for: doubled and halved odds, as Steiner et al. 2000 (Biostatistics 1:441) look for them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cusum:
    """A CUSUM at a place against ``odds_ratio``: its ``highest`` value on each of the ``days`` (D,), and its ``limit``.

    ``alarms`` are (first, at): the day from which on the odds had likeliest changed, and that of the alarm;
    ``observed_over_expected`` are the events of the patients between them over those expected. Under no change a month has a false alarm with
    probability ``rate``.
    """

    figure: str
    place: WatchedPlace
    of_class: str | None = None
    odds_ratio: float
    limit: float
    days: NDArray[np.datetime64] = field(repr=False)
    highest: Floats = field(repr=False)
    alarms: tuple[tuple[np.datetime64, np.datetime64], ...]
    observed_over_expected: tuple[float, ...]
    rate: float

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "figure": self.figure,
            "place": self.place.to_dict(),
            "class": self.of_class,
            "odds_ratio": self.odds_ratio,
            "limit": number(self.limit),
            "rate": self.rate,
            "alarms": [
                {"since": str(first), "at": str(at), "observed_over_expected": number(ratio)}
                for (first, at), ratio in zip(self.alarms, self.observed_over_expected, strict=True)
            ],
            "days": [str(day) for day in self.days],
            "highest": [round(float(value), 4) for value in self.highest],
        }


def cusums(
    watched: Watched,
    calendar: Calendar,
    places: Mapping[WatchedPlace, Mask],
    rates: Rates,
    questions: Sequence[WatchedQuestion],
) -> Iterator[Cusum]:
    """Yield both CUSUMs of every place whose reference months have enough outcomes, over months whose outcomes are complete.

    There are none of an event with a time, whose censored patients neither have nor lack it, and of numbers.
    """
    for question in questions:
        event, predicted = question.judge.event, question.predicted
        if event is None:
            continue
        known, complete = ~np.isnan(event), (calendar.complete & calendar.judged)[calendar.of]
        for place, there in places.items():
            reference = there & known & (calendar.of < calendar.reference)
            outcome = event[reference]
            fit = in_the_large_fit(outcome, predicted[reference]) if len(outcome) else None
            if fit is None or min(outcome.sum(), len(outcome) - outcome.sum()) < HARDLY_ANY:
                continue
            shift, error = float(fit.coefficients[0]), float(np.sqrt(fit.covariance[0, 0]))
            who = there & known & complete
            usual = expit(logit(predicted[reference]) + shift)
            run = _Run(
                question.of_class,
                place,
                event[who],
                expit(logit(predicted[who]) + shift),
                watched.time[who].astype("datetime64[D]"),
            )
            for name, odds_ratio in ODDS_RATIOS.items():
                patients, rate = len(outcome) / calendar.reference, rates.of(name)
                yield run.cusum(name, limit_for(usual, odds_ratio, patients=patients, rate=rate, error=error), rate)


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """Patients of one place in the order of time: ``outcome``, ``risk`` as usual there, and ``day``, all (n,)."""

    of_class: str | None
    place: WatchedPlace
    outcome: Floats
    risk: Floats
    day: NDArray[np.datetime64]

    def cusum(self, name: str, limit: float, rate: float) -> Cusum:
        """Sum the evidence up."""
        outcome, risk, day = self.outcome, self.risk, self.day
        path, alarms = cusum(outcome, risk, ODDS_RATIOS[name], limit)
        days, first = np.unique(day, return_index=True)
        return Cusum(
            figure=name,
            place=self.place,
            of_class=self.of_class,
            odds_ratio=ODDS_RATIOS[name],
            limit=limit,
            days=days,
            highest=np.maximum.reduceat(path, first) if len(path) else np.zeros(0),
            alarms=tuple((day[a], day[b]) for a, b in alarms),
            observed_over_expected=tuple(float(outcome[a : b + 1].sum() / risk[a : b + 1].sum()) for a, b in alarms),
            rate=rate,
        )
