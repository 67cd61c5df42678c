"""CUSUMs: evidence gathered patient by patient that more, or fewer, events come than predicted, or that numbers are higher, or lower."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.monitoring.calendar import Calendar
from medcore.monitoring.chart import Rates, number
from medcore.monitoring.judged.number import SHIFTS
from medcore.monitoring.judged.of_target import WatchedQuestion
from medcore.monitoring.watched import Mask, Watched, WatchedPlace
from medcore.statistics.arrays import Floats
from medcore.statistics.control.cusum import run_up


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cusum:
    """A CUSUM at a place that ``looks_for`` an odds ratio, or a shift in standard deviations: its ``highest`` value on each of the ``days`` (D,), and its ``limit``.

    ``alarms`` are (first, at): the day from which on something had likeliest changed, and that of the alarm;
    ``changes`` tell of the patients between them: events over those expected, where ``usual`` is 1, or the mean of measured less
    predicted, which was ``usual`` in the reference months. Under no change a month has a false alarm with probability ``rate``.
    """

    figure: str
    place: WatchedPlace
    of_class: str | None = None
    looks_for: float
    limit: float
    days: NDArray[np.datetime64] = field(repr=False)
    highest: Floats = field(repr=False)
    alarms: tuple[tuple[np.datetime64, np.datetime64], ...]
    changes: tuple[float, ...]
    usual: float
    rate: float

    @property
    def of_number(self) -> bool:
        """Whether it is of a number, not of an event."""
        return self.figure in SHIFTS

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        looks_for, change = (
            ("shift", "measured_less_predicted") if self.of_number else ("odds_ratio", "observed_over_expected")
        )
        return {
            "figure": self.figure,
            "place": self.place.to_dict(),
            "class": self.of_class,
            looks_for: self.looks_for,
            "limit": number(self.limit),
            "rate": self.rate,
            "alarms": [
                {"since": str(first), "at": str(at), change: number(value)}
                for (first, at), value in zip(self.alarms, self.changes, strict=True)
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
    """Yield the CUSUMs of every place whose reference months have enough outcomes, over months whose outcomes are complete."""
    complete = (calendar.complete & calendar.judged)[calendar.of]
    for question in questions:
        if not question.judge.cusums:
            continue
        for place, there in places.items():
            known = there & watched.is_known
            reference = known & (calendar.of < calendar.reference)
            evidence = question.judge.evidence(reference)
            if evidence is None:
                continue
            who, patients = np.flatnonzero(known & complete), int(reference.sum()) / calendar.reference
            for name, looks_for in question.judge.cusums.items():
                rate = rates.of(name)
                limit = evidence.limit(name, patients, rate)
                path, alarms = run_up(evidence.steps[name][who], limit)
                day = watched.time[who].astype("datetime64[D]")
                days, first = np.unique(day, return_index=True)
                yield Cusum(
                    figure=name,
                    place=place,
                    of_class=question.of_class,
                    looks_for=looks_for,
                    limit=limit,
                    days=days,
                    highest=np.maximum.reduceat(path, first) if len(path) else np.zeros(0),
                    alarms=tuple((day[a], day[b]) for a, b in alarms),
                    changes=tuple(evidence.change(who[a : b + 1]) for a, b in alarms),
                    usual=evidence.usual,
                    rate=rate,
                )
