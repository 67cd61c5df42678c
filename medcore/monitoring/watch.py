"""Watch a model: every chart, what is to be expected, and the alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.data.follow_up import span
from medcore.errors import SettingsError
from medcore.evaluation.groups.subgroups import Breakdown, breakdown
from medcore.i18n import N_, Message
from medcore.monitoring import outcomes, use, values
from medcore.monitoring.alarms import Alarm, WatchedChange, alarms_of, changes_of
from medcore.monitoring.beginning import Beginning, beginning
from medcore.monitoring.calendar import COMPLETE, Calendar
from medcore.monitoring.chart import USE, VALUES, Chart, Rates, number
from medcore.monitoring.expected import ESTIMATED, Expected, expected
from medcore.monitoring.judged.of_target import questions_of
from medcore.monitoring.outcomes import TREATED, Together
from medcore.monitoring.running import Cusum, cusums
from medcore.monitoring.watched import Mask, Watched, WatchedPlace, places_of
from medcore.targets import EventTime, Target

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
    """How many predictions a month has, ``n``, and of those that are looked at, ``n_read``, how many outcomes are known, and after how many days half of those were.

    ``n_events`` are those with the event, by the horizon where there is one (None of several classes and of numbers), and
    ``n_censored`` those who were followed for less than the horizon without it. ``n_dated`` outcomes have a
    date of their own; of the others the day counts on which they were entered.
    """

    name: str
    n: int
    n_read: int
    n_known: int
    n_events: int | None
    n_censored: int
    n_dated: int
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

    ``together`` says how good the model is at each place over the judged months together; of one event ``groups`` has the same for the
    site and each grouping, with the gaps between the groups. ``beginning`` says how the months of reference stand to the training. ``too_small`` are places with too few patients to be watched by themselves.
    """

    version: str
    target: Target
    plan: WatchPlan
    months: tuple[Month, ...]
    places: tuple[WatchedPlace, ...]
    alarms: tuple[Alarm, ...]
    charts: tuple[Chart, ...] = field(repr=False)
    running: tuple[Cusum, ...] = field(repr=False)
    expected: tuple[Expected, ...] = field(repr=False)
    together: tuple[Together, ...] = field(repr=False)
    groups: Mapping[str, Breakdown] = field(repr=False)
    beginning: Beginning = field(repr=False)
    too_small: tuple[WatchedPlace, ...] = ()

    @property
    def classes(self) -> tuple[str | None, ...]:
        """The classes that are judged one by one; a single None where one thing is predicted."""
        return tuple(dict.fromkeys(one.of_class for one in self.together))

    def chart(
        self, figure: str, place: WatchedPlace | None = None, *, column: str | None = None, of_class: str | None = None
    ) -> Chart | None:
        """Return one chart, of all patients unless a place is named; None where there is none."""
        wanted = (figure, place or WatchedPlace(), column, of_class)
        return next((c for c in self.charts if (c.figure, c.place, c.column, c.of_class) == wanted), None)

    def expects(self, place: WatchedPlace | None = None, of_class: str | None = None) -> Expected | None:
        """Return what is expected at a place, of all patients unless one is named; None of numbers."""
        wanted = (place or WatchedPlace(), of_class)
        return next((e for e in self.expected if (e.place, e.of_class) == wanted), None)

    def of_month(self, name: str) -> tuple[Alarm, ...]:
        """Return the alarms that hold in a month, such as 2026-05."""
        return tuple(a for a in self.alarms if a.month <= name <= a.last)

    def changes(self, month: str | None = None) -> tuple[WatchedChange, ...]:
        """Return what changed, the alarms of one thing together; of one month where it is named."""
        return changes_of(self.alarms if month is None else self.of_month(month))

    def standing(self) -> tuple[WatchedChange, ...]:
        """Return what has changed and still holds: by outcomes in the last month judged, else in one of the last two months, as the last may have just begun."""
        judged = [m.name for m in self.months if m.complete and not m.reference]
        since = {True: self.months[-2:][0].name, False: judged[-1] if judged else ""}
        return changes_of([a for a in self.alarms if a.last >= since[a.figure in (*VALUES, *USE)]])

    @property
    def n(self) -> int:
        """How many predictions there are."""
        return sum(m.n for m in self.months)

    @property
    def n_read(self) -> int:
        """How many of them are looked at: each patient's first of a month, and of very many an even sample."""
        return sum(m.n_read for m in self.months)

    @property
    def known_share(self) -> float:
        """The share (0–1) of predictions whose outcome is known."""
        return sum(m.n_known for m in self.months) / max(self.n_read, 1)

    def notes(self) -> tuple[Message, ...]:
        """Say what has to be known to read the charts."""
        said = [Message(RATES, {"rate": f"{100 * self.plan.rate:.3g}", "reference": self.plan.reference})]
        if self.n_read < self.n:
            said.append(Message(SAMPLE, {"n": f"{self.n:,}", "read": f"{self.n_read:,}"}))
        waiting = [m.name for m in self.months if not m.complete and m.n]
        if any(m.n_known for m in self.months):
            if self.chart("alerts") is not None:
                said.append(Message(TREATED))
            if waiting:
                said.append(Message(WAITING, {"months": waiting, "share": f"{100 * COMPLETE:.0f}"}))
            said += self._follow_up()
            said += self._dates()
        else:
            said.append(Message(NO_OUTCOMES))
        return (*said, *([Message(ESTIMATED)] if self.expected else []))

    def _follow_up(self) -> list[Message]:
        """Say of an event with a time by when it is judged, and how many were followed for less."""
        if not isinstance(self.target, EventTime):
            return []
        horizon, n = span(self.target.main, self.target.unit), sum(m.n_censored for m in self.months)
        return [Message(BY_HORIZON, {"horizon": horizon, "n": f"{n:,}"})]

    def _dates(self) -> list[Message]:
        """Say where the day of entry stands for an outcome's own date."""
        entered = sum(m.n_known - m.n_dated for m in self.months if np.isfinite(m.median_delay_days))
        return [Message(ENTERED, {"n": f"{entered:,}"})] if entered else []

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form without any row."""
        return {
            "version": self.version,
            "classes": [name for name in self.classes if name is not None],
            "horizon": self.target.main if isinstance(self.target, EventTime) else None,
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
            "together": [one.to_dict() for one in self.together],
            "groups": {name: found.to_dict() for name, found in self.groups.items()},
            "notes": [str(note) for note in self.notes()],
        }


RATES = N_(
    "The first {reference} months are the reference. In a month in which nothing changes, all charts together give a false alarm with "
    "a probability of at most {rate} %."
)
SAMPLE = N_(
    "All {n} predictions are counted; for everything else {read} of them are looked at: each patient's first of a month, and of very "
    "many an even sample of each month. The limits are those of that many."
)
WAITING = N_(
    "Not judged by outcomes yet: {months}. A month is when {share} % of its outcomes are known, for events are often known "
    "before it is known that nothing happened."
)
BY_HORIZON = N_(
    "Outcomes are judged by {horizon}: {n} patient(s) who were followed for less without the event are counted in by Kaplan–Meier, or "
    "Aalen–Johansen where events compete, and by weights; they are not taken for patients without the event."
)
ENTERED = N_(
    "{n} outcome(s) have no date of their own: for them the delay, and the time of an event, is that of the day on which they were entered."
)
NO_OUTCOMES = N_("No outcome is known yet, so only values and risks are watched.")


def watch(watched: Watched, plan: WatchPlan) -> Watch:
    """Watch one version's predictions, month by month, at every place.

    Raises:
        InputError: all predictions are of the months of reference, or no prediction has a time.

    """
    watched = watched.in_order().once_a_month()
    calendar = Calendar.over(watched, plan.reference)
    if calendar.n <= plan.reference:
        raise SettingsError(TOO_EARLY, n=calendar.n, reference=plan.reference)
    everywhere = places_of(watched)
    base = calendar.of < plan.reference
    places = {place: there for place, there in everywhere.items() if (there & base).sum() >= FEWEST}
    questions = questions_of(watched, plan.threshold)
    rates = Rates(
        month=plan.rate,
        n_values=values.n_charts(watched.inputs, calendar, places),
        n_use=len(places) * use.n_charts(questions),
        n_outcomes=len(places) * outcomes.n_charts(questions),
    )
    charts = (
        *values.value_charts(watched, calendar, places, rates),
        *use.use_charts(watched, calendar, places, rates, questions, threshold=plan.threshold),
        *outcomes.outcome_charts(watched, calendar, places, rates, questions),
    )
    running = tuple(cusums(watched, calendar, places, rates, questions))
    return Watch(
        version=watched.version,
        target=watched.predicts.target,
        plan=plan,
        months=_months(watched, calendar),
        places=tuple(places),
        alarms=alarms_of(charts, running, calendar),
        charts=charts,
        running=running,
        expected=expected(watched, calendar, places, questions, threshold=plan.threshold),
        together=outcomes.together(watched, calendar, places, questions),
        groups=_groups(watched, calendar, plan),
        beginning=beginning(watched, calendar, questions, rate=plan.rate),
        too_small=tuple(place for place in everywhere if place not in places),
    )


TOO_EARLY = N_(
    "There are predictions of {n} month(s), and the first {reference} are the reference. Wait for another month, or name fewer "
    "months of reference."
)


def _months(watched: Watched, calendar: Calendar) -> tuple[Month, ...]:
    known, delay = watched.is_known, watched.delay_days
    happened, censored = _happened(watched)
    dated = known if watched.dated is None else known & watched.dated
    found = []
    for m in range(calendar.n):
        who = calendar.of == m
        days = delay[who & np.isfinite(delay)]
        found.append(
            Month(
                name=calendar.name(m),
                n=int(calendar.n_predictions[m]),
                n_read=int(who.sum()),
                n_known=int((who & known).sum()),
                n_events=None if happened is None else int((who & happened).sum()),
                n_censored=int((who & censored).sum()),
                n_dated=int((who & dated).sum()),
                median_delay_days=float(np.median(days)) if len(days) else float("nan"),
                complete=bool(calendar.complete[m]),
                reference=m < calendar.reference,
            )
        )
    return tuple(found)


def _happened(watched: Watched) -> tuple[Mask | None, Mask]:
    """Return who (n,) had the event in question, None where no one event is, and who was censored before its horizon."""
    target, nobody = watched.predicts.target, np.zeros(len(watched), dtype=bool)
    if target.event is None:
        return None, nobody
    event: Mask = watched.outcome == target.event
    if not isinstance(target, EventTime) or watched.duration is None:
        return event, nobody
    in_time: Mask = watched.duration <= target.main
    return event & in_time, np.asarray(in_time & (watched.duration < target.main) & (watched.outcome == 0))


def _groups(watched: Watched, calendar: Calendar, plan: WatchPlan) -> dict[str, Breakdown]:
    """Judge each group over the judged months together, with the gaps between them, where a patient has or lacks one event."""
    event = watched.predicts.target.event
    if event is None or watched.duration is not None:
        return {}
    who: Mask = watched.is_known & (calendar.complete & calendar.judged)[calendar.of]
    outcome: NDArray[np.float64] = (watched.outcome[who] == event).astype(np.float64)
    if len(np.unique(outcome)) < 2:
        return {}
    table = watched.places[who] if watched.places.shape[1] else watched.places
    risk = watched.risk[who, event]
    return {
        str(column): breakdown(outcome, risk, table, [str(column)], threshold=plan.threshold)
        for column in table.columns
    }
