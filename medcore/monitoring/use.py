"""Charts of how the model is used: how many predictions, how the risks lie, how many alerts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from medcore.monitoring.calendar import Calendar
from medcore.monitoring.chart import Chart, Rates
from medcore.monitoring.judged.of_target import WatchedQuestion
from medcore.monitoring.values import cells_of, difference_chart, share_chart
from medcore.monitoring.watched import Mask, Watched, WatchedPlace
from medcore.statistics.control.shares import predicted_volume


def n_charts(questions: Sequence[WatchedQuestion]) -> int:
    """Return among how many charts of use each place's false alarms are dealt out: that of the volume gives next to none."""
    return len(questions) + 1


def use_charts(
    watched: Watched,
    calendar: Calendar,
    places: Mapping[WatchedPlace, Mask],
    rates: Rates,
    questions: Sequence[WatchedQuestion],
    *,
    threshold: float,
) -> Iterator[Chart]:
    """Yield the charts of volume, of what was predicted, and of alerts at every place; none of alerts where there is no alert."""
    called = watched.called(threshold)
    predicted = [(q.of_class, cells_of(q.predicted, calendar)) for q in questions]
    for place, there in places.items():
        yield volume_chart(there, calendar, place, rates.of("volume"))
        for of_class, cells in predicted:
            chart = difference_chart(cells, there, calendar, "risk", place, rates.of("risk"))
            yield replace(chart, of_class=of_class)
        if called.any():
            yield share_chart(called, there, calendar, "alerts", place, rates.of("alerts"))


def volume_chart(there: Mask, calendar: Calendar, place: WatchedPlace, rate: float) -> Chart:
    """Chart how many predictions a place has each month; beyond are surely fewer than half, or more than twice the usual.

    The usual is the reference's by the day; the last month, which may not be over, has no lower limit. Where a sample of a month
    is looked at, its share says how many there are.
    """
    n = np.bincount(calendar.of[there], minlength=calendar.n) / calendar.share
    days = calendar.days
    a_day = n[: calendar.reference].sum() / days[: calendar.reference].sum()
    low, high = np.full(calendar.n, np.nan), np.full(calendar.n, np.nan)
    for month in np.flatnonzero(calendar.judged):
        share = calendar.share[month]
        low[month], high[month] = np.array(predicted_volume(a_day * days[month] * share, rate)) / share
    low[-1] = np.nan
    return Chart(
        figure="volume",
        place=place,
        value=n,
        centre=float(a_day * days[calendar.judged].mean()) if calendar.judged.any() else float("nan"),
        low=low,
        high=high,
        judged=calendar.judged & bool(n[: calendar.reference].sum()),
        rate=rate,
    )
