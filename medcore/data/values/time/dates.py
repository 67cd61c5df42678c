"""Dates as people write them: ISO, ``3/4/2020 3:05 PM``, ``2020年1月2日 上午9时``, ``20200102``, a spreadsheet's serial."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from medcore.data.notation import Calendar, DateOrder, Reading, Zones
from medcore.data.values.time.calendars import calendar_of, from_christ
from medcore.data.values.time.months import month_number
from medcore.data.values.time.weekdays import without_weekday

_HALF = r"上午|下午|凌晨|早上|早晨|中午|晚上|傍晚"
_TIME = (
    rf"(?:(?:[tT:]|,? ?)(?P<half>{_HALF})? ?(?P<time>[0-9]{{1,2}}(?:[:时点][0-9]{{1,2}}"
    r"(?:[:分][0-9]{1,2}(?:[.,][0-9]+)?秒?|分)?|[时点]整?)?)(?: ?(?P<ap>[aApP]\.? ?[mM]\.?))?"
    r"(?: ?(?P<zone>[zZ]|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?)?$"
)
_YMD = r"^(?P<y>[12][0-9]{3})[-/.年](?P<m>[0-9]{1,2})[-/.月](?P<d>[0-9]{1,2})日?" + _TIME
_YM = r"^(?P<y>[12][0-9]{3})年(?P<m>[0-9]{1,2})月?$"
_MONTHS = (
    r"^(?P<y>(?:19|20)[0-9]{2})[-/](?P<m>0?[1-9]|1[0-2])$",
    r"^(?P<m>0?[1-9]|1[0-2])[-/](?P<y>(?:19|20)[0-9]{2})$",
)
"""Months of a year, as 2019-05 and 5/2019; their date is the first."""
_ABY = r"^(?P<a>[0-9]{1,2})[-/.](?P<b>[0-9]{1,2})[-/.](?P<y>[12][0-9]{3})" + _TIME
_ABY2 = r"^(?P<a>[0-9]{1,2})[-/.](?P<b>[0-9]{1,2})[-/.](?P<y>[0-9]{2})" + _TIME
_DAY = r"(?P<y>(?:19|20)[0-9]{2})(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12][0-9]|3[01])"
_COMPACT = rf"^{_DAY}$"
_COMPACT_TIMED = rf"^{_DAY} ?(?P<hour>[01][0-9]|2[0-3])(?P<minute>[0-5][0-9])(?P<second>[0-5][0-9])?$"
"""20230105143000, as HL7 writes it."""
_EPOCH_SECONDS = r"^1[0-9]{9}(?:[0-9]{3})?$"
"""Seconds or milliseconds since 1970, which only a column of dates has."""
_MONTH = r"(?P<word>[A-Za-zÀ-ɏͰ-ӿ]{3,12})\.?"
_OF = r"(?:del? )?"
"""Spanish and Portuguese put one before month and year: 18 de agosto de 2021."""
_DMY_WORDED = (
    rf"^(?P<d>[0-9]{{1,2}})(?:er|st|nd|rd|th|[oº])?[- ./,]{{0,2}}{_OF}{_MONTH},?[-/ ]?{_OF}(?P<y>[12][0-9]{{3}}|[0-9]{{2}})"
    + _TIME
)
_MDY_WORDED = rf"^{_MONTH} (?P<d>[0-9]{{1,2}}),? (?P<y>[12][0-9]{{3}})" + _TIME
_MONTH_WORDED = (
    rf"^{_MONTH}[- /,]{{1,2}}{_OF}(?P<y>(?:19|20)[0-9]{{2}})$",
    rf"^{_MONTH}[-/](?P<y>[0-9]{{2}})$",
    rf"^(?P<y>(?:19|20)[0-9]{{2}})[- /]{_MONTH}$",
)
"""Mar-21 is March 2021, as a spreadsheet shows months."""
_SERIAL = r"^[2-6][0-9]{4}(?:\.[0-9]+)?$"
LONGEST = 60
"""Characters of a date; a note may have any number, and is looked at by none of the patterns."""
PIVOT = 30
_EPOCH = pd.Timestamp("1899-12-30")
_AFTERNOON = frozenset({"下午", "晚上", "傍晚", "中午"})


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates in an array of texts: ``value`` (NaT where none), and how they were written.

    ``written`` marks texts of the form of a date, the impossible ones among them;
    ``day_first``, ``month_first`` and ``year_first`` (98-03-05) those that can be read one way only,
    ``either`` those of the form 3/4/2020 that tell nothing, ``year_written`` those with a year of four digits first. ``compact`` and ``serial`` mark texts that are dates
    only because the column says so; ``timed`` those with a time of day, ``zoned`` with a zone.
    ``era`` marks those with years that are not counted from the birth of Christ, ``calendar`` is the column's, if it has such,
    and ``months`` says that months are its dates.
    """

    value: NDArray[np.datetime64]
    written: NDArray[np.bool_]
    day_first: NDArray[np.bool_]
    month_first: NDArray[np.bool_]
    year_first: NDArray[np.bool_]
    either: NDArray[np.bool_]
    year_written: NDArray[np.bool_]
    compact: NDArray[np.bool_]
    serial: NDArray[np.bool_]
    timed: NDArray[np.bool_]
    zoned: NDArray[np.bool_]
    era: NDArray[np.bool_]
    calendar: Calendar | Literal[""] = field(default="", kw_only=True)
    months: bool = field(default=False, kw_only=True)

    @property
    def readable(self) -> NDArray[np.bool_]:
        """Which texts are dates."""
        return ~np.isnat(self.value)

    @property
    def ambiguous(self) -> bool:
        """Whether the texts are of the form 3/4/2020 and none tells day from month; they were read day first."""
        return bool(self.either.any()) and order_of(self) is None

    @property
    def slashed(self) -> NDArray[np.bool_]:
        """Which texts are of the form 3/4/2020 or 98-03-05, whose order must be known."""
        return self.day_first | self.month_first | self.year_first | self.either

    def against(self, order: DateOrder) -> NDArray[np.bool_]:
        """Which texts can be read in another order only."""
        if order == "ymd":
            return self.slashed & np.isnat(self.value)
        proofs = {"dmy": self.day_first, "mdy": self.month_first}
        return (self.day_first | self.month_first | self.year_first) & ~proofs[order]

    @property
    def zones(self) -> Zones:
        """Whether the times carry a zone."""
        if not self.zoned.any():
            return "none"
        return "all" if self.zoned[self.timed].all() else "mixed"


def parse_dates(texts: pa.Array, *, reading: Reading | None = None, named: bool = False) -> Dates:
    """Read trimmed, width-folded texts as dates; what is none becomes NaT.

    ``reading`` says the order of day and month in ``3/4/2020``, by which calendar years are counted, and whether 05/2022 is a
    date; without one the texts themselves decide: day comes first where they do not tell, and months are dates where most
    texts are such. With the order ``ymd`` a text of that form is no date, and ``20-03-05`` begins with its year. Times with a
    zone are turned to UTC. Numbers from 20000 to 69999 are read as a spreadsheet's days since 1899-12-30. ``named`` says that
    the column is one of dates, by its name at least: then 1120105 may be one, and seconds since 1970.
    """
    n = len(texts)
    nothing = np.full(n, np.datetime64("NaT", "us"), dtype="datetime64[us]")
    masks = [np.zeros(n, bool) for _ in range(11)]
    written = texts = pc.if_else(pc.greater(pc.utf8_length(texts), LONGEST), "", texts)
    if not _matches(texts, "[0-9]").any():
        return Dates(nothing, *masks)
    calendar = reading.calendar if reading else calendar_of(texts, named=named) or ""
    texts = from_christ(texts, calendar)
    out = Dates(nothing, *masks, calendar=calendar, months=_are_months(texts, reading))
    if texts is not written:
        out.era[:] = pc.fill_null(pc.not_equal(texts, written), False).to_numpy(zero_copy_only=False)
    texts = without_weekday(texts)
    out.year_written[:] = _fill(out, texts, _YMD, ("y", "m", "d"))
    _fill(out, texts, _YM, ("y", "m"))
    out.compact[:] = _fill(out, texts, _COMPACT, ("y", "m", "d")) | _fill_timed(out, texts)
    _see_order(out, texts)
    order = reading.dates if reading else order_of(out) or "dmy"
    _fill_day_month(out, texts, _ABY, order)
    _fill_day_month(out, texts, _ABY2, order)
    _fill_worded(out, texts, _DMY_WORDED)
    _fill_worded(out, texts, _MDY_WORDED)
    _fill_months(out, texts)
    _fill_serial(out, texts)
    if named:
        _fill_epoch(out, texts)
    return out


def order_of(dates: Dates, counts: NDArray[np.int64] | None = None) -> DateOrder | None:
    """Say which order of day, month and year most texts prove; None when none does."""
    weight = np.ones(len(dates.value), np.int64) if counts is None else counts
    proofs: dict[DateOrder, NDArray[np.bool_]] = {
        "dmy": dates.day_first,
        "mdy": dates.month_first,
        "ymd": dates.year_first,
    }
    rows = {order: int(weight[proof].sum()) for order, proof in proofs.items()}
    return max(rows.items(), key=lambda item: item[1])[0] if any(rows.values()) else None


def _matches(texts: pa.Array, pattern: str) -> NDArray[np.bool_]:
    found = pc.fill_null(pc.match_substring_regex(texts, pattern), False)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def _fields(texts: pa.Array, where: NDArray[np.bool_], pattern: str) -> dict[str, NDArray[np.object_]]:
    parts = pc.extract_regex(texts.filter(pa.array(where)), pattern)
    names = [parts.type.field(i).name for i in range(parts.type.num_fields)]
    return {name: parts.field(name).to_numpy(zero_copy_only=False) for name in names}


def _fill(out: Dates, texts: pa.Array, pattern: str, order: tuple[str, ...]) -> NDArray[np.bool_]:
    where = _matches(texts, pattern)
    if where.any():
        fields = _fields(texts, where, pattern)
        _put(out, where, fields, *(_whole(fields[k]) for k in order))
    return where


def _see_order(out: Dates, texts: pa.Array) -> None:
    """Mark which texts of the form 3/4/2020 can be read one way only."""
    seen = np.zeros(len(out.value), dtype=bool)
    for pattern in (_ABY, _ABY2):
        where = _matches(texts, pattern) & ~seen
        seen |= where
        if where.any():
            fields = _fields(texts, where, pattern)
            a, b = _whole(fields["a"]), _whole(fields["b"])
            out.day_first[where] = (a > 12) & (a <= 31) & (b <= 12)
            out.month_first[where] = (b > 12) & (b <= 31) & (a <= 12)
            out.either[where] = (a <= 12) & (b <= 12)
            if pattern == _ABY2:
                last = _whole(fields["y"])
                out.year_first[where] = (a > 31) & (b >= 1) & (b <= 12) & (last >= 1) & (last <= 31)


def _fill_day_month(out: Dates, texts: pa.Array, pattern: str, order: DateOrder) -> None:
    where = _matches(texts, pattern) & ~out.written
    if where.any():
        fields = _fields(texts, where, pattern)
        if order == "ymd" and pattern == _ABY:
            out.written[where] = True  # it contradicts the order, so it is no date
            return
        names = {"dmy": ("y", "b", "a"), "mdy": ("y", "a", "b"), "ymd": ("a", "b", "y")}[order]
        year, month, day = (fields[name] for name in names)
        _put(out, where, fields, _full_years(year), _whole(month), _whole(day))


def _fill_worded(out: Dates, texts: pa.Array, pattern: str) -> None:
    where = _matches(texts, pattern) & ~out.written
    if where.any():
        fields = _fields(texts, where, pattern)
        days = _whole(fields["d"]) if "d" in fields else None
        _put(out, where, fields, _full_years(fields["y"]), _month_numbers(fields["word"]), days)


def _fill_serial(out: Dates, texts: pa.Array) -> None:
    where = _matches(texts, _SERIAL)
    if where.any():
        days = texts.filter(pa.array(where)).cast(pa.float64()).to_numpy(zero_copy_only=False)
        out.value[where] = (_EPOCH + pd.to_timedelta(days, unit="D")).round("s").to_numpy(dtype="datetime64[us]")
        out.serial[where] = True
        out.written[where] = True


def _are_months(texts: pa.Array, reading: Reading | None) -> bool:
    if reading is not None:
        return reading.months
    found = sum(int(_matches(texts, pattern).sum()) for pattern in (*_MONTHS, *_MONTH_WORDED))
    return 2 * found > len(texts)


def _fill_months(out: Dates, texts: pa.Array) -> None:
    if out.months:
        for pattern in _MONTHS:
            _fill(out, texts, pattern, ("y", "m"))
        for pattern in _MONTH_WORDED:
            _fill_worded(out, texts, pattern)


def _fill_timed(out: Dates, texts: pa.Array) -> NDArray[np.bool_]:
    where = _matches(texts, _COMPACT_TIMED)
    if where.any():
        fields = _fields(texts, where, _COMPACT_TIMED)
        _put(out, where, fields, *(_whole(fields[k]) for k in ("y", "m", "d")))
        hour, minute, second = (_whole(np.where(fields[k] == "", "0", fields[k])) for k in ("hour", "minute", "second"))
        seconds = hour * 3600 + minute * 60 + second
        out.value[where] += (seconds * 1e6).astype("timedelta64[us]")
        out.timed[where] = True
    return where


def _fill_epoch(out: Dates, texts: pa.Array) -> None:
    where = _matches(texts, _EPOCH_SECONDS)
    if where.any():
        digits = texts.filter(pa.array(where))
        since = digits.cast(pa.int64()).to_numpy(zero_copy_only=False)
        micro = np.where(np.asarray(pc.utf8_length(digits)) == 10, 1_000_000, 1_000)
        out.value[where] = (since * micro).astype("datetime64[us]")
        out.serial[where] = out.written[where] = out.timed[where] = True


def _put(
    out: Dates,
    where: NDArray[np.bool_],
    fields: dict[str, NDArray[np.object_]],
    year: NDArray[np.float64],
    month: NDArray[np.float64],
    day: NDArray[np.float64] | None = None,
) -> None:
    parts = {"year": year, "month": month, "day": np.ones(len(year)) if day is None else day}
    dates = pd.to_datetime(pd.DataFrame(parts), errors="coerce").astype("datetime64[us]").to_numpy("datetime64[us]")
    out.written[where] = True
    if "time" in fields:
        clock = [
            seconds_of(*texts)
            for texts in zip(fields["time"], fields["half"], fields["ap"], fields["zone"], strict=True)
        ]
        seconds = np.array([np.nan if s is None else s for s in clock])
        later = np.where(np.isnan(seconds), 0, seconds * 1e6).round().astype("timedelta64[us]")
        dates = np.where(np.isnan(seconds), np.datetime64("NaT", "us"), dates + later)
        out.timed[where] = [bool(t) for t in fields["time"]]
        out.zoned[where] = [bool(z) for z in fields["zone"]]
    out.value[where] = dates


@lru_cache(maxsize=1 << 14)
def seconds_of(time: str | None, half: str | None, ap: str | None, zone: str | None) -> float | None:
    """Return the seconds from midnight, at UTC where there is a zone; None for a time that cannot be."""
    if not time:
        return None if half or ap or zone else 0.0
    pieces = time
    for mark in "时点分":
        pieces = pieces.replace(mark, ":")
    numbers = [float(p.replace(",", ".")) for p in pieces.rstrip("秒整").strip(":").split(":") if p not in ("", "整")]
    said = (half or "") + (ap or "")[:1].lower()
    if len(numbers) == 1 and not said and not any(mark in time for mark in "时点"):
        return None
    hour, minute, second = (*numbers, 0.0, 0.0)[:3]
    if ap and not 1 <= hour <= 12:
        return None
    if hour <= 12 and said:
        afternoon = said == "p" or half in _AFTERNOON
        hour = (
            hour % 12 + 12 if afternoon and not (half in ("中午", "晚上") and _at_the_turn(half, hour)) else hour % 12
        )
    if hour > 24 or minute > 59 or second >= 60 or (hour == 24 and minute + second > 0):
        return None
    return hour * 3600 + minute * 60 + second - _offset(zone)


def _at_the_turn(half: str | None, hour: float) -> bool:
    """Noon may begin at 11 (中午11点), and the evening end at 12 (晚上12点)."""
    return (half == "中午" and hour == 11) or (half == "晚上" and hour == 12)


def _offset(zone: str | None) -> float:
    if not zone or zone[0] not in "+-":
        return 0.0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return (1 if zone[0] == "+" else -1) * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)


def _whole(digits: NDArray[np.object_]) -> NDArray[np.float64]:
    return np.asarray(pd.to_numeric(pd.Series(digits, dtype=object)), dtype=np.float64)


def _full_years(years: NDArray[np.object_]) -> NDArray[np.float64]:
    """Complete years of two digits: 00–30 are of this century, the others of the last."""
    return np.array([float(y) if len(y) == 4 else float(y) + (2000 if int(y) <= PIVOT else 1900) for y in years])


def _month_numbers(words: NDArray[np.object_]) -> NDArray[np.float64]:
    return np.array([float(month_number(str(word)) or np.nan) for word in words])
