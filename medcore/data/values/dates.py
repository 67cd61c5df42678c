"""Dates as people write them: ISO, ``3/4/2020``, ``2020年1月2日``, ``20200102``, a spreadsheet's serial."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_TIME = r"(?:[ tT]?(?P<time>[0-9]{1,2}[:时点][0-9]{1,2}(?:[:分][0-9]{1,2}(?:\.[0-9]+)?秒?|分)?)?)"
_ZONE = r"\s*(?:am|pm|AM|PM|z|Z|[+-][0-9]{2}:?[0-9]{2})?$"
_YMD = r"^(?P<y>[12][0-9]{3})[-/.年](?P<m>[0-9]{1,2})[-/.月](?P<d>[0-9]{1,2})日?"
_YM = r"^(?P<y>[12][0-9]{3})年(?P<m>[0-9]{1,2})月?$"
_ABY = r"^(?P<a>[0-9]{1,2})[-/.](?P<b>[0-9]{1,2})[-/.](?P<y>[12][0-9]{3})"
_ABY2 = r"^(?P<a>[0-9]{1,2})[-/](?P<b>[0-9]{1,2})[-/](?P<y>[0-9]{2})"
_COMPACT = r"^(?P<y>(?:19|20)[0-9]{2})(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12][0-9]|3[01])$"
_WORDED = r"^(?:[0-9]{1,2}[- ]?[A-Za-z]{3,9}\.?,?[- ]?[12][0-9]{3}|[A-Za-z]{3,9}\.? [0-9]{1,2},? [12][0-9]{3})" + _TIME
_SERIAL = r"^[2-6][0-9]{4}(?:\.[0-9]+)?$"
PIVOT = 30
_EPOCH = pd.Timestamp("1899-12-30")


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates in an array of texts: ``value`` (NaT where none), and how they were written.

    ``ambiguous`` says that the texts are of the form 3/4/2020 and none tells
    day from month; they were read day first. ``compact`` and ``serial`` mark
    texts that are dates only because the column says so.
    """

    value: NDArray[np.datetime64]
    ambiguous: bool
    compact: NDArray[np.bool_]
    serial: NDArray[np.bool_]

    @property
    def readable(self) -> NDArray[np.bool_]:
        """Which texts are dates."""
        return ~np.isnat(self.value)


def parse_dates(texts: pa.Array) -> Dates:
    """Read trimmed, width-folded texts as dates; what is none becomes NaT.

    Times zones are turned to UTC. Numbers from 20000 to 69999 are read as a
    spreadsheet's days since 1899-12-30.
    """
    n = len(texts)
    out = np.full(n, np.datetime64("NaT", "us"), dtype="datetime64[us]")
    _fill(out, texts, _YMD + _TIME + _ZONE, ("y", "m", "d"))
    _fill(out, texts, _YM, ("y", "m"))
    compact = _fill(out, texts, _COMPACT, ("y", "m", "d"))
    ambiguous = _fill_day_month(out, texts, _ABY + _TIME + _ZONE)
    ambiguous |= _fill_day_month(out, texts, _ABY2 + _TIME + _ZONE)
    _fill_worded(out, texts)
    serial = _fill_serial(out, texts)
    return Dates(out, ambiguous, compact, serial)


def _matches(texts: pa.Array, pattern: str) -> NDArray[np.bool_]:
    found = pc.fill_null(pc.match_substring_regex(texts, pattern), False)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def _fields(texts: pa.Array, where: NDArray[np.bool_], pattern: str) -> dict[str, NDArray[np.object_]]:
    parts = pc.extract_regex(texts.filter(pa.array(where)), pattern)
    names = [parts.type.field(i).name for i in range(parts.type.num_fields)]
    return {name: parts.field(name).to_numpy(zero_copy_only=False) for name in names}


def _fill(out: NDArray[np.datetime64], texts: pa.Array, pattern: str, order: tuple[str, ...]) -> NDArray[np.bool_]:
    where = _matches(texts, pattern)
    if where.any():
        fields = _fields(texts, where, pattern)
        out[where] = _join(fields, *(fields[k] for k in order))
    return where


def _join(
    fields: dict[str, NDArray[np.object_]],
    year: NDArray[np.object_],
    month: NDArray[np.object_],
    day: NDArray[np.object_] | None = None,
) -> NDArray[np.datetime64]:
    parts = {
        "year": pd.to_numeric(pd.Series(year, dtype=object)),
        "month": pd.to_numeric(pd.Series(month, dtype=object)),
        "day": pd.to_numeric(pd.Series(day, dtype=object)) if day is not None else 1,
    }
    dates = pd.to_datetime(pd.DataFrame(parts), errors="coerce").astype("datetime64[us]")
    time = fields.get("time")
    if time is not None:
        text = pd.Series(time, dtype="str").str.replace(r"[时点分]", ":", regex=True).str.rstrip(":秒")
        text = text.where(text.str.count(":") != 1, text + ":00")
        dates = dates + pd.to_timedelta(text.fillna("").replace("", "00:00:00"), errors="coerce").fillna(
            pd.Timedelta(0)
        )
    return dates.to_numpy(dtype="datetime64[us]")


def _fill_day_month(out: NDArray[np.datetime64], texts: pa.Array, pattern: str) -> bool:
    where = _matches(texts, pattern)
    if not where.any():
        return False
    fields = _fields(texts, where, pattern)
    a, b = (pd.to_numeric(pd.Series(fields[k], dtype=object)).to_numpy(dtype=float) for k in "ab")
    month_first = bool((b > 12).any() and not (a > 12).any())
    day, month = (fields["b"], fields["a"]) if month_first else (fields["a"], fields["b"])
    out[where] = _join(fields, _full_years(fields["y"]), month, day)
    return not ((a > 12).any() or (b > 12).any())


def _full_years(years: NDArray[np.object_]) -> NDArray[np.object_]:
    """Complete years of two digits: 00–30 are of this century, the others of the last."""
    return np.array([y if len(y) == 4 else ("20" if int(y) <= PIVOT else "19") + y for y in years], dtype=object)


def _fill_worded(out: NDArray[np.datetime64], texts: pa.Array) -> None:
    where = _matches(texts, _WORDED + _ZONE)
    if where.any():
        words = texts.filter(pa.array(where)).to_pandas()
        parsed = pd.to_datetime(words, format="mixed", errors="coerce", utc=True, dayfirst=True)
        out[where] = parsed.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")


def _fill_serial(out: NDArray[np.datetime64], texts: pa.Array) -> NDArray[np.bool_]:
    where = _matches(texts, _SERIAL)
    if where.any():
        days = texts.filter(pa.array(where)).cast(pa.float64()).to_numpy(zero_copy_only=False)
        out[where] = (_EPOCH + pd.to_timedelta(days, unit="D")).round("s").to_numpy(dtype="datetime64[us]")
    return where
