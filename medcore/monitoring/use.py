"""Charts of how the model is used: how many predictions, how the risks lie, how many alerts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from medcore.monitoring.calendar import Calendar
from medcore.monitoring.chart import Chart, Rates
from medcore.monitoring.values import cells_of, difference_chart, share_chart
from medcore.monitoring.watched import Mask, Watched, WatchedPlace
from medcore.statistics.control.shares import predicted_volume

N_CHARTS = 2
"""Charts of use among which false alarms are dealt out: that of the volume gives next to none (:func:`predicted_volume`)."""


def use_charts(
    watched: Watched, calendar: Calendar, places: Mapping[WatchedPlace, Mask], rates: Rates, *, threshold: float
) -> Iterator[Chart]:
    """Yield the charts of volume, risks and alerts at every place."""
    cells, called = cells_of(watched.risk, calendar), watched.risk >= threshold
    for place, there in places.items():
        yield volume_chart(there, calendar, place, rates.of("volume"))
        yield difference_chart(cells, there, calendar, "risk", place, rates.of("risk"))
        yield share_chart(called, there, calendar, "alerts", place, rates.of("alerts"))


def volume_chart(there: Mask, calendar: Calendar, place: WatchedPlace, rate: float) -> Chart:
    """Chart how many predictions a place has each month; beyond are surely fewer than half, or more than twice the usual.

    The usual is the reference's by the day; the last month, which may not be over, has no lower limit.
    """
    n = np.bincount(calendar.of[there], minlength=calendar.n)
    days = calendar.days
    a_day = n[: calendar.reference].sum() / days[: calendar.reference].sum()
    low, high = np.full(calendar.n, np.nan), np.full(calendar.n, np.nan)
    for month in np.flatnonzero(calendar.judged):
        low[month], high[month] = predicted_volume(a_day * days[month], rate)
    low[-1] = np.nan
    return Chart(
        figure="volume",
        place=place,
        value=n.astype(np.float64),
        centre=float(a_day * days[calendar.judged].mean()) if calendar.judged.any() else float("nan"),
        low=low,
        high=high,
        judged=calendar.judged & bool(n[: calendar.reference].sum()),
        rate=rate,
    )
