"""Charts of the values that come in: what is missing, unseen, out of range, and how each column drifts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from medcore.monitoring.calendar import Calendar
from medcore.monitoring.chart import Chart, Rates
from medcore.monitoring.watched import Inputs, Mask, Watched, WatchedPlace
from medcore.statistics.arrays import Floats
from medcore.statistics.control.cells import cell_difference
from medcore.statistics.control.shares import predicted_counts

CELLS = 5
"""Numbers are counted in the fifths of the reference, so that 25 patients of a month can be compared with it."""


def n_charts(inputs: Inputs, calendar: Calendar, places: Mapping[WatchedPlace, Mask]) -> int:
    """Return among how many charts of values false alarms are dealt out.

    What never occurred in the months of reference hardly gives one by chance: such charts have their limits, and are not counted.
    """
    before = calendar.of < calendar.reference
    occurred = sum(
        int(flag[there & before].any(axis=0).sum()) for there in places.values() for flag in _flags(inputs).values()
    )
    return len(places) * int((inputs.ordered | inputs.categories).sum()) + occurred


def _flags(inputs: Inputs) -> dict[str, Mask]:
    """Return what is remarkable about each value (n, P), by the figure that counts it."""
    return {"missing": inputs.missing, "unused": inputs.unused, "unseen": inputs.unseen, "outside": inputs.outside}


def value_charts(
    watched: Watched, calendar: Calendar, places: Mapping[WatchedPlace, Mask], rates: Rates
) -> Iterator[Chart]:
    """Yield the charts of every column at every place; a share that is 0 throughout has none."""
    inputs = watched.inputs
    flags = _flags(inputs)
    for p, column in enumerate(inputs.columns):
        cells = cells_of(inputs.codes[:, p], calendar) if inputs.ordered[p] else levels_of(inputs.codes[:, p])
        comparable = inputs.ordered[p] or inputs.categories[p]
        for place, there in places.items():
            for figure, flag in flags.items():
                if flag[there, p].any():
                    yield share_chart(flag[:, p], there, calendar, figure, place, rates.of(figure), column)
            if comparable:
                yield difference_chart(cells, there, calendar, "difference", place, rates.of("difference"), column)


def cells_of(values: Floats, calendar: Calendar) -> NDArray[np.int64]:
    """Put numbers (n,) into the fifths of the reference months; −1 where there is none."""
    return cells_among(values, edges_of(values[calendar.of < calendar.reference]))


def edges_of(values: Floats) -> Floats:
    """Return where numbers are cut into fifths, fewer where many are equal."""
    known = values[np.isfinite(values)]
    return np.unique(np.quantile(known, np.arange(1, CELLS) / CELLS)) if len(known) else np.zeros(0)


def cells_among(values: Floats, edges: Floats) -> NDArray[np.int64]:
    """Put numbers (n,) between edges; −1 where there is none."""
    return np.where(np.isfinite(values), np.searchsorted(edges, values, side="left"), -1)


def levels_of(codes: Floats) -> NDArray[np.int64]:
    """Put categories (n,) into a cell each, those never seen into the first; −1 where there is none."""
    return np.where(np.isnan(codes), -1, np.nan_to_num(codes) + 1).astype(np.int64)


def difference_chart(
    cells: NDArray[np.int64],
    there: Mask,
    calendar: Calendar,
    figure: str,
    place: WatchedPlace,
    rate: float,
    column: str | None = None,
) -> Chart:
    """Chart how far each month's patients at a place are from those of the reference months, counted in ``cells`` (n,)."""
    kept = there & (cells >= 0)
    width = int(cells.max(initial=0)) + 1
    counts = np.bincount(calendar.of[kept] * width + cells[kept], minlength=calendar.n * width).reshape(-1, width)
    counts = counts.astype(np.float64)
    reference = counts[: calendar.reference].sum(axis=0)
    value, high = np.full(calendar.n, np.nan), np.full(calendar.n, np.nan)
    for month in range(calendar.n):
        before = reference - counts[month] if month < calendar.reference else reference
        found = cell_difference(before, counts[month], rate)
        if found is not None:
            value[month], high[month] = found.difference, found.limit
    return Chart(
        figure=figure,
        place=place,
        column=column,
        value=value,
        centre=0.0,
        low=np.full(calendar.n, np.nan),
        high=high,
        judged=calendar.judged & np.isfinite(value),
        rate=rate,
    )


def share_chart(
    flag: Mask,
    there: Mask,
    calendar: Calendar,
    figure: str,
    place: WatchedPlace,
    rate: float,
    column: str | None = None,
) -> Chart:
    """Chart the share of each month's patients at a place who have the ``flag`` (n,)."""
    n = np.bincount(calendar.of[there], minlength=calendar.n)
    events = np.bincount(calendar.of[there & flag], minlength=calendar.n)
    of, before = int(n[: calendar.reference].sum()), int(events[: calendar.reference].sum())
    low, high = np.full(calendar.n, np.nan), np.full(calendar.n, np.nan)
    for month in np.flatnonzero((n > 0) & calendar.judged):
        low[month], high[month] = np.array(predicted_counts(before, of, int(n[month]), rate)) / n[month]
    with np.errstate(invalid="ignore"):
        return Chart(
            figure=figure,
            place=place,
            column=column,
            value=events / n,
            centre=before / of if of else np.nan,
            low=low,
            high=high,
            judged=calendar.judged & (n > 0) & (of > 0),
            rate=rate,
        )
