"""Watch a model: every chart, what is to be expected, and the alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.errors import SettingsError
from medcore.evaluation.groups.subgroups import Breakdown, breakdown
from medcore.i18n import N_, Message
from medcore.monitoring import outcomes, use, values
from medcore.monitoring.alarms import Alarm, WatchedChange, alarms_of, changes_of
from medcore.monitoring.beginning import Beginning, beginning
from medcore.monitoring.calendar import COMPLETE, Calendar
from medcore.monitoring.chart import Chart, Rates, number
from medcore.monitoring.expected import ESTIMATED, Expected, expected
from medcore.monitoring.outcomes import TREATED
from medcore.monitoring.running import Cusum, cusums
from medcore.monitoring.watched import Mask, Watched, WatchedPlace, places_of

RATE = 0.05
"""A false alarm in one of twenty quiet months, all charts together."""
REFERENCE = 3
"""Months that are taken for what is usual."""
FEWEST = 30
"""Patients of the reference months that a place must have to be watched by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchPlan:
    """How to watch: at which ``threshold`` an alert is given, the first ``reference`` months, and the false-alarm ``rate`` a month."""

    threshold: float
    reference: int = REFERENCE
    rate: float = RATE

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1 or not 0 < self.rate < 1 or self.reference < 1:
            raise SettingsError(
                N_(
                    "A threshold of {threshold}, a false-alarm rate of {rate} and {reference} months of reference cannot be: "
                    "the first two lie between 0 and 1, and at least one month is needed."
                ),
                threshold=self.threshold,
                rate=self.rate,
                reference=self.reference,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """How many predictions a month has, how many outcomes of them are known, after how many days half of those were, and whether it is judged."""

    name: str
    n: int
    n_known: int
    n_events: int
    median_delay_days: float
    complete: bool
    reference: bool

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        found = {name: getattr(self, name) for name in self.__slots__}
        return found | {"median_delay_days": number(self.median_delay_days)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Watch:
    """What was found about a version in use: its ``months``, the ``alarms``, every chart, and the expected performance.

    ``groups`` has, for the site and each grouping, how good the model is in each group over the judged months together, with the gaps
    between them. ``beginning`` says how the months of reference stand to the training. ``too_small`` are places with too few patients to be watched by themselves.
    """

    version: str
    plan: WatchPlan
    months: tuple[Month, ...]
    places: tuple[WatchedPlace, ...]
    alarms: tuple[Alarm, ...]
    charts: tuple[Chart, ...] = field(repr=False)
    running: tuple[Cusum, ...] = field(repr=False)
    expected: tuple[Expected, ...] = field(repr=False)
    groups: Mapping[str, Breakdown] = field(repr=False)
    beginning: Beginning = field(repr=False)
    too_small: tuple[WatchedPlace, ...] = ()

    def chart(self, figure: str, place: WatchedPlace | None = None, column: str | None = None) -> Chart | None:
        """Return one chart, of all patients unless a place is named; None where there is none."""
        wanted = (figure, place or WatchedPlace(), column)
        return next((c for c in self.charts if (c.figure, c.place, c.column) == wanted), None)

    def of_month(self, name: str) -> tuple[Alarm, ...]:
        """Return the alarms that hold in a month, such as 2026-05."""
        return tuple(a for a in self.alarms if a.month <= name <= a.last)

    def changes(self, month: str | None = None) -> tuple[WatchedChange, ...]:
        """Return what changed, the alarms of one thing together; of one month where it is named."""
        return changes_of(self.alarms if month is None else self.of_month(month))

    def notes(self) -> tuple[Message, ...]:
        """Say what has to be known to read the charts."""
        said = [Message(RATES, {"rate": f"{100 * self.plan.rate:.3g}", "reference": self.plan.reference})]
        waiting = [m.name for m in self.months if not m.complete and m.n]
        if any(m.n_known for m in self.months):
            said.append(Message(TREATED))
            if waiting:
                said.append(Message(WAITING, {"months": waiting, "share": f"{100 * COMPLETE:.0f}"}))
        else:
            said.append(Message(NO_OUTCOMES))
        return (*said, Message(ESTIMATED))

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form without any row."""
        return {
            "version": self.version,
            "threshold": self.plan.threshold,
            "reference_months": self.plan.reference,
            "false_alarm_rate": self.plan.rate,
            "months": [m.to_dict() for m in self.months],
            "places": [p.to_dict() for p in self.places],
            "too_small": [p.to_dict() for p in self.too_small],
            "alarms": [a.to_dict() for a in self.alarms],
            "beginning": self.beginning.to_dict(),
            "charts": [c.to_dict() for c in self.charts],
            "cusums": [c.to_dict() for c in self.running],
            "expected": [e.to_dict() for e in self.expected],
            "groups": {name: found.to_dict() for name, found in self.groups.items()},
            "notes": [str(note) for note in self.notes()],
        }


RATES = N_(
    "The first {reference} months are the reference. In a month in which nothing changes, all charts together give a false alarm with "
    "a probability of at most {rate} %."
)
WAITING = N_(
    "Not judged by outcomes yet: {months}. A month is when {share} % of its outcomes are known, for events are often known "
    "before it is known that nothing happened."
)
NO_OUTCOMES = N_("No outcome is known yet, so only values and risks are watched.")


def watch(watched: Watched, plan: WatchPlan) -> Watch:
    """Watch one version's predictions, month by month, at every place.

    Raises:
        InputError: all predictions are of the months of reference, or no prediction has a time.

    """
    watched = watched.in_order()
    calendar = Calendar.over(watched, plan.reference)
    if calendar.n <= plan.reference:
        raise SettingsError(TOO_EARLY, n=calendar.n, reference=plan.reference)
    everywhere = places_of(watched)
    base = calendar.of < plan.reference
    places = {place: there for place, there in everywhere.items() if (there & base).sum() >= FEWEST}
    rates = Rates(
        month=plan.rate,
        n_values=values.n_charts(watched.inputs, calendar, places),
        n_use=len(places) * use.N_CHARTS,
        n_outcomes=len(places) * outcomes.N_CHARTS,
    )
    charts = (
        *values.value_charts(watched, calendar, places, rates),
        *use.use_charts(watched, calendar, places, rates, threshold=plan.threshold),
        *outcomes.outcome_charts(watched, calendar, places, rates, threshold=plan.threshold),
    )
    running = tuple(cusums(watched, calendar, places, rates))
    return Watch(
        version=watched.version,
        plan=plan,
        months=_months(watched, calendar),
        places=tuple(places),
        alarms=alarms_of(charts, running, calendar),
        charts=charts,
        running=running,
        expected=expected(watched, calendar, places, threshold=plan.threshold),
        groups=_groups(watched, calendar, plan),
        beginning=beginning(watched, calendar, rate=plan.rate),
        too_small=tuple(place for place in everywhere if place not in places),
    )


TOO_EARLY = N_(
    "There are predictions of {n} month(s), and the first {reference} are the reference. Wait for another month, or name fewer "
    "months of reference."
)


def _months(watched: Watched, calendar: Calendar) -> tuple[Month, ...]:
    known, delay = ~np.isnan(watched.outcome), watched.delay_days
    found = []
    for m in range(calendar.n):
        who = calendar.of == m
        days = delay[who & np.isfinite(delay)]
        found.append(
            Month(
                name=calendar.name(m),
                n=int(who.sum()),
                n_known=int((who & known).sum()),
                n_events=int(np.nansum(watched.outcome[who])),
                median_delay_days=float(np.median(days)) if len(days) else float("nan"),
                complete=bool(calendar.complete[m]),
                reference=m < calendar.reference,
            )
        )
    return tuple(found)


def _groups(watched: Watched, calendar: Calendar, plan: WatchPlan) -> dict[str, Breakdown]:
    """Judge each group over the judged months together: a month alone is too short for gaps."""
    who: Mask = ~np.isnan(watched.outcome) & (calendar.complete & calendar.judged)[calendar.of]
    if not who.any() or len(np.unique(watched.outcome[who])) < 2:
        return {}
    table = watched.places[who] if watched.places.shape[1] else watched.places
    outcome: NDArray[np.float64] = watched.outcome[who]
    return {
        str(column): breakdown(outcome, watched.risk[who], table, [str(column)], threshold=plan.threshold)
        for column in table.columns
    }
