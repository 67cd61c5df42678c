"""Checks of dates: in which order they are written, with which zone, and whether anybody can have lived then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from medcore.data.cohort import Column
from medcore.data.notation import DateOrder
from medcore.data.quality.checking.catalogue import Hit, check, set_column
from medcore.data.quality.checking.view import View
from medcore.data.values.time.dates import Dates
from medcore.i18n import N_, Message

FIRST_YEAR, YEARS_AHEAD = 1880, 2
"""No living patient was born before, and no appointment is made further ahead."""
BUDDHIST_ERA = 543
"""Years by which the Thai calendar is ahead of the Gregorian one."""


_READ_SO: Mapping[DateOrder, str] = {
    "dmy": N_(
        "“{column}” is read day first: {n} date(s) are written otherwise and cannot be read; {either} could be swapped."
    ),
    "mdy": N_(
        "“{column}” is read month first: {n} date(s) are written otherwise and cannot be read; {either} could be swapped."
    ),
    "ymd": N_("“{column}” is read year first: {n} date(s) put the day or the month first and cannot be read."),
}


@check(
    "dates.contradictory",
    "warning",
    why=N_("Where some dates put the day first and others the month, those that could be either may be read wrongly."),
    remedy=N_("Ask where the table was put together, and write all dates as year-month-day at the source."),
)
def contradictory(view: View) -> Iterator[Hit]:
    """Dates of which some can only be day first and others only month first, or of another order than they are read in."""
    for column, dates in _written(view):
        counts = view.cells(column.name).counts
        day, month, either = (int(counts[m].sum()) for m in (dates.day_first, dates.month_first, dates.either))
        if day and month:
            yield Hit(
                message=Message(
                    N_(
                        "“{column}” contradicts itself: {day} date(s) can only put the day first, {month} only the month; "
                        "{either} could be swapped. {unread} cannot be read."
                    ),
                    {"column": column.name, "day": day, "month": month, "either": either, "unread": min(day, month)},
                ),
                columns=(column.name,),
                n_rows=either + min(day, month),
            )
            continue
        order = column.reading.dates if column.reading is not None else "dmy"
        unread = int(counts[dates.against(order)].sum())
        if unread:
            yield Hit(
                message=Message(_READ_SO[order], {"column": column.name, "n": unread, "either": either}),
                columns=(column.name,),
                n_rows=unread,
            )


@check(
    "dates.unclear",
    "warning",
    why=N_("If the month comes first, every date of this column is wrong, and so is every interval."),
    remedy=N_("Say which comes first."),
)
def unclear(view: View) -> Iterator[Hit]:
    """Dates of the form 3/4/2020 of which none tells day from month."""
    for column, dates in _written(view):
        reading = column.reading
        if dates.ambiguous and reading is not None and reading.dates != "ymd" and column.confidence < 0.9:
            other: DateOrder = "mdy" if reading.dates == "dmy" else "dmy"
            yield Hit(
                message=Message(
                    N_("No date of “{column}” tells day from month; they are read day first.")
                    if reading.dates == "dmy"
                    else N_("No date of “{column}” tells day from month; they are read month first."),
                    {"column": column.name},
                ),
                columns=(column.name,),
                n_rows=int(view.cells(column.name).counts[dates.either].sum()),
                fix=set_column(
                    column,
                    N_("Read the month first") if other == "mdy" else N_("Read the day first"),
                    reading=replace(reading, dates=other),
                ),
            )


@check(
    "dates.zones",
    "warning",
    why=N_("Times with a time zone and times without cannot be compared: hours may lie between them."),
    remedy=N_("Write all times with their zone, or all in local time, at the source."),
)
def zones(view: View) -> Iterator[Hit]:
    """Find times of which some carry a time zone."""
    for column, dates in _written(view):
        if dates.zones == "mixed":
            n = int(view.cells(column.name).counts[dates.timed & ~dates.zoned].sum())
            yield Hit(
                message=Message(
                    N_("{n} time(s) of “{column}” carry no time zone while others do; they are read as UTC."),
                    {"n": n, "column": column.name},
                ),
                columns=(column.name,),
                n_rows=n,
            )


@check(
    "dates.impossible",
    "warning",
    why=N_("A date far from the time of the patients is a slip of the pen, or written in another calendar."),
    remedy=N_("Correct the dates at the source: intervals that begin or end with them are wrong."),
)
def impossible(view: View) -> Iterator[Hit]:
    """Find dates before anybody was born or long after today, such as years of the Buddhist era."""
    latest = datetime.now(UTC).year + YEARS_AHEAD
    for column in view.schema.columns:
        if column.kind != "date" or column.name not in view.frame.columns:
            continue
        levels = view.levels(column.name)
        if levels.numbers is None or not levels.n:
            continue
        years = levels.numbers.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
        counts = np.bincount(levels.codes[levels.codes >= 0], minlength=levels.n)
        far = (years < FIRST_YEAR) | (years > latest)
        if far.any():
            buddhist = bool(
                (years[far] - BUDDHIST_ERA >= FIRST_YEAR).all() and (years[far] - BUDDHIST_ERA <= latest).all()
            )
            yield Hit(
                message=Message(
                    N_(
                        "{n} date(s) of “{column}” have a year from {first} to {last}: years of the Buddhist era, 543 ahead?"
                    )
                    if buddhist
                    else N_("{n} date(s) of “{column}” have a year that cannot be, from {first} to {last}."),
                    {
                        "n": int(counts[far].sum()),
                        "column": column.name,
                        "first": int(years[far].min()),
                        "last": int(years[far].max()),
                    },
                ),
                columns=(column.name,),
                n_rows=int(counts[far].sum()),
            )


def _written(view: View) -> Iterator[tuple[Column, Dates]]:
    """Give the columns of dates whose cells are texts, with what these say."""
    for column in view.schema.columns:
        if column.kind == "date" and column.name in view.frame.columns and not view.is_typed(column):
            yield column, view.dates(column)
