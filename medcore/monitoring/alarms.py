"""Alarms: what has changed, since when, where, how strongly, how often chance alone does that, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from medcore.data.shown import Naming, Shown
from medcore.i18n import N_, Message, percent
from medcore.i18n import number as written
from medcore.monitoring.calendar import Calendar
from medcore.monitoring.chart import SHARES, VALUES, Chart, number
from medcore.monitoring.judged.number import SHIFTS
from medcore.monitoring.running import Cusum
from medcore.monitoring.watched import WatchedPlace

Action = Literal["stop", "recalibrate", "look"]
ACTIONS: Mapping[Action, str] = {
    "stop": N_(
        "Stop using the model for these patients until it has been judged on them again: it no longer does what it was "
        "released for."
    ),
    "recalibrate": N_(
        "Judge the model on these patients under Evaluate, New patients; if the figures there agree, keep a recalibrated version "
        "and have that one released."
    ),
    "look": N_("Look at where these values come from: units, codes, devices, who is being sent."),
}
"""What to do, the most urgent first."""
LOOK_FIRST = N_(
    "First look at {columns}: these values changed at the same time. Recalibrating would teach the model a fault of theirs, if it is one."
)
SENTENCES: Mapping[str, str] = {
    "volume": N_("{place}: {value} predictions in {at}, where about {centre} are usual."),
    "missing": N_("{place}: {column} is missing in {value} of patients in {at}, where {centre} was usual."),
    "unused": N_("{place}: {column} was given and could not be used (unit, writing, or a value no patient can have) in {value} of patients in {at}, where {centre} was usual."),
    "unseen": N_("{place}: {column} has values that training never saw in {value} of patients in {at}, where {centre} was usual."),
    "outside": N_("{place}: {column} is outside the range of training in {value} of patients in {at}, where {centre} was usual."),
    "difference": N_("{place}: the values of {column} in {at} are {value} standard deviations from those of the reference months."),
    "risk": N_("{place}: the predictions in {at} are {value} standard deviations from those of the reference months."),
    "alerts": N_("{place}: {value} of patients have an alert in {at}, where {centre} was usual."),
    "auroc": N_("{place}: the AUROC is {value} in {at}, where it was {centre}."),
    "calibration_intercept": N_("{place}: calibration in the large is {value} in {at}, where it was {centre}."),
    "o_e_ratio": N_("{place}: {value} times as many events as predicted in {at}, where it was {centre} times."),
    "mae": N_("{place}: predictions are off by {value} on average in {at}, where it was {centre}."),
    "mean_error": N_("{place}: measured less predicted is {value} on average in {at}, where it was {centre}."),
    "coverage": N_("{place}: {value} of patients are inside their prediction interval in {at}, where {centre} were."),
    "calibration_slope": N_("{place}: the calibration slope is {value} in {at}, where it was {centre}."),
    "net_benefit": N_("{place}: the net benefit is {value} per 100 patients in {at}, where it was {centre}."),
    "cusum_more": N_("{place}: {value} times as many events as predicted from {since} on."),
    "cusum_fewer": N_("{place}: only {value} times as many events as predicted from {since} on."),
    "cusum_higher": N_("{place}: measured less predicted is {value} on average from {since} on, where it was {centre}."),
    "cusum_lower": N_("{place}: measured less predicted is {value} on average from {since} on, where it was {centre}."),
}  # fmt: skip
IN_THE_LARGE = (
    *("calibration_intercept", "o_e_ratio", "mean_error"),
    *("cusum_more", "cusum_fewer", "cusum_higher", "cusum_lower"),
)
"""Figures that say the same of different patients: more, or less, came than was predicted."""
RECALIBRATED = (*IN_THE_LARGE[:3], "calibration_slope", "mae", "coverage")
STRENGTH = N_(
    "Beyond the limit since {month}, at most {excess} times as far from the reference as the limit, which chance alone passes in {rate} % of months."
)
ALSO = N_("Also: {places}.")
STRENGTH_CUSUM = N_("The CUSUM passed its limit in {month}, which chance alone lets it do in {rate} % of months.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm of one chart, from the ``month`` (2026-05) in which it came to the ``last`` that is beyond too.

    ``at`` is the month in which it is strongest, of which ``value`` is; ``since`` is when the change likeliest began: the month, of a CUSUM the day. ``excess`` says by how much (1 is the limit; NaN
    of a CUSUM), and ``rate`` in which share of months chance alone gives this alarm. ``because`` names columns whose values
    changed there by then.
    """

    figure: str
    place: WatchedPlace
    column: str | None
    of_class: str | None = None
    month: str
    last: str
    since: str
    at: str
    value: float
    centre: float
    excess: float
    rate: float
    action: Action
    because: tuple[str, ...] = ()

    def where(self, naming: Naming = Shown) -> Message:
        """Say where it is, and of which class where there are several."""
        place = self.place.shown(naming)
        return place if self.of_class is None else Message("{place}, {class}", {"place": place, "class": self.of_class})

    def sentence(self, naming: Naming = Shown) -> Message:
        """Say what has changed."""
        return Message(
            SENTENCES[self.figure],
            {
                "place": self.where(naming),
                "column": naming(self.column).words if self.column else "",
                "at": self.at,
                "since": self.since,
                "value": self.told,
                "centre": self.usual,
            },
        )

    @property
    def told(self) -> str:
        """The figure in the month in which the alarm is strongest, as it is written."""
        return self._written(self.value)

    @property
    def usual(self) -> str:
        """The figure of the reference, as it is written."""
        return self._written(self.centre)

    @property
    def strength(self) -> Message:
        """Say how strong it is, and how often chance alone does that."""
        rate = f"{100 * self.rate:.2g}"
        if np.isnan(self.excess):
            return Message(STRENGTH_CUSUM, {"rate": rate, "month": self.month})
        return Message(STRENGTH, {"excess": f"{self.excess:.1f}", "rate": rate, "month": self.month})

    def what_to_do(self, naming: Naming = Shown) -> tuple[Message, ...]:
        """Say what to do."""
        first = [Message(LOOK_FIRST, {"columns": [naming(c).words for c in self.because]})] if self.because else []
        then = [] if first and self.action == "look" else [Message(ACTIONS[self.action])]
        return (*first, *then)

    def _written(self, value: float) -> str:
        if self.figure in SHARES:
            return percent(value)
        if self.figure == "net_benefit":
            return written(100 * value, ".1f")
        if self.figure in ("mae", "mean_error", *SHIFTS):
            return written(value, ".3g")
        return written(value, ",.0f" if self.figure == "volume" else ".2f")

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "figure": self.figure,
            "place": self.place.to_dict(),
            "column": self.column,
            "class": self.of_class,
            "month": self.month,
            "last": self.last,
            "since": self.since,
            "at": self.at,
            "value": number(self.value),
            "reference": number(self.centre),
            "times_the_limit": number(self.excess),
            "false_alarm_rate": self.rate,
            "action": self.action,
            "because": list(self.because),
            "message": str(self.sentence()),
        }


def alarms_of(charts: Sequence[Chart], running: Sequence[Cusum], calendar: Calendar) -> tuple[Alarm, ...]:
    """Return every alarm, the latest month first, and within it what is most urgent."""
    found = [alarm for chart in charts for alarm in _of_chart(chart, calendar)]
    found += [alarm for one in running for alarm in _of_cusum(one)]
    values = [alarm for alarm in found if alarm.figure in VALUES]
    return tuple(sorted((_explained(alarm, values) for alarm in found), key=_order))


def _order(alarm: Alarm) -> tuple[float, ...]:
    """Order by month, then by urgency: what a change of values may explain comes after that change."""
    return (
        -int(alarm.last.replace("-", "")),
        len(ACTIONS) if alarm.because else list(ACTIONS).index(alarm.action),
        -float(np.nan_to_num(alarm.excess)),
    )


@dataclass(frozen=True, slots=True)
class WatchedChange:
    """Alarms that say the same of one thing at the same time: the ``strongest``, and ``others`` that show it elsewhere too."""

    strongest: Alarm
    others: tuple[Alarm, ...]
    n: int

    @property
    def asks(self) -> Action:
        """What it asks for first: what values that changed may explain, asks to look at them."""
        return "look" if self.strongest.because else self.strongest.action

    def also(self, naming: Naming = Shown) -> Message | None:
        """Name the other places; None where there is none."""
        return Message(ALSO, {"places": [a.where(naming) for a in self.others]}) if self.others else None

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        also = [a.place.to_dict() | {"class": a.of_class} for a in self.others]
        return self.strongest.to_dict() | {"asks": self.asks, "also": also, "n_alarms": self.n}

    def lines(self, naming: Naming = Shown) -> tuple[Message, ...]:
        """Say what has changed, how strongly, and where else."""
        also = self.also(naming)
        return (self.strongest.sentence(naming), self.strongest.strength, *((also,) if also else ()))


def changes_of(alarms: Sequence[Alarm]) -> tuple[WatchedChange, ...]:
    """Put alarms together that are of one column, of calibration in the large, or of one other figure, at overlapping months."""
    gathered: list[list[Alarm]] = []
    for alarm in alarms:
        same = (g for g in gathered if _topic(g[0]) == _topic(alarm) and any(_overlap(alarm, a) for a in g))
        group = next(same, None)
        if group is None:
            gathered.append([alarm])
        else:
            group.append(alarm)
    found = []
    for group in gathered:
        strongest = max(group, key=lambda a: float(np.nan_to_num(a.excess)))
        elsewhere = {_where(a): a for a in reversed(group) if _where(a) != _where(strongest)}
        found.append(WatchedChange(strongest, tuple(reversed(elsewhere.values())), len(group)))
    return tuple(found)


def _topic(alarm: Alarm) -> str:
    """Return what an alarm is about."""
    if alarm.figure in VALUES:
        return f"column {alarm.column}"
    return "in the large" if alarm.figure in IN_THE_LARGE else alarm.figure


def _where(alarm: Alarm) -> tuple[WatchedPlace, str | None]:
    return alarm.place, alarm.of_class


def _overlap(a: Alarm, b: Alarm) -> bool:
    return a.month <= b.last and b.month <= a.last


def _of_chart(chart: Chart, calendar: Calendar) -> Iterable[Alarm]:
    """Put months beyond the limit that follow one another into one alarm."""
    beyond = np.concatenate([[False], chart.beyond, [False]])
    edges = np.flatnonzero(beyond[1:] != beyond[:-1])
    for first, after in zip(edges[::2], edges[1::2], strict=True):
        strongest = first + int(np.argmax(chart.excess[first:after]))
        name = calendar.name(int(first))
        yield Alarm(
            figure=chart.figure,
            place=chart.place,
            column=chart.column,
            of_class=chart.of_class,
            month=name,
            last=calendar.name(int(after) - 1),
            since=name,
            at=calendar.name(strongest),
            value=float(chart.value[strongest]),
            centre=chart.centre,
            excess=float(chart.excess[strongest]),
            rate=chart.rate,
            action=_action(chart.figure, float(chart.value[strongest])),
        )


def _of_cusum(one: Cusum) -> Iterable[Alarm]:
    """Put alarms of a CUSUM in months that follow one another into one: it began again at 0 after each."""
    found: list[Alarm] = []
    for (first, at), change in zip(one.alarms, one.changes, strict=True):
        month = at.astype("datetime64[M]")
        if found and month - np.datetime64(found[-1].last) <= np.timedelta64(1, "M"):
            found[-1] = replace(found[-1], last=str(month))
            continue
        found.append(
            Alarm(
                figure=one.figure,
                place=one.place,
                column=None,
                of_class=one.of_class,
                month=str(month),
                last=str(month),
                since=str(first),
                at=str(month),
                value=change,
                centre=one.usual,
                excess=float("nan"),
                rate=one.rate,
                action="recalibrate",
            )
        )
    return found


def _action(figure: str, value: float) -> Action:
    """Say what a figure beyond its limit asks for: worse ranking or harm a stop, other risks than came true a recalibration."""
    if figure == "auroc" or (figure == "net_benefit" and value < 0):
        return "stop"
    return "recalibrate" if figure in RECALIBRATED else "look"


def _explained(alarm: Alarm, values: Sequence[Alarm]) -> Alarm:
    """Name the columns that changed at an alarm's place, at a place within it or around it, at the time of it or just before."""
    if alarm.figure in VALUES:
        return alarm
    there = [
        a
        for a in values
        if (a.place == alarm.place or alarm.place.key is None or a.place.key is None)
        and a.month <= alarm.last
        and a.last >= min(alarm.since[:7], alarm.month)
    ]
    strongest = sorted(there, key=lambda a: -a.excess)
    columns = tuple(dict.fromkeys(a.column for a in strongest if a.column))[:3]
    return replace(alarm, because=columns)
