"""Ages and durations in several units: ``65y 3m``, ``10 d``, ``2 days 5 h``, ``3岁2个月``, ``90+``, ``两年半``, ``10余天``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from medcore.data.quantities.units import MEAN_MORE_IN_NAMES, TIME_WORDS, conversion, fold_unit
from medcore.data.values.compounds import weeks_and_days
from medcore.data.values.time.spoken import LONGEST_IN_WORDS, in_figures

_SAID = {"year": r"(?:years?|yrs?)[- ]old|y/o|an|ano|", "month": "mon|"}
"""What is a unit of time in a span alone."""
_UNITS = tuple(
    (unit, _SAID.get(unit, "") + "|".join(sorted([unit, *words.split()], key=len, reverse=True)))
    for unit, words in TIME_WORDS.items()
)
_NAMES = "|".join(f"(?P<{name}>{words})" for name, words in _UNITS)
_PIECE = re.compile(
    rf"\s*(?P<number>[0-9]+(?:\.[0-9]+)?)(?:-(?=[a-z])|\s*)(?:{_NAMES}|(?P<m>m))?\.?(?![^\W\d_一-鿿])\s*(?:,|and|\+(?=\s*[0-9]))?\s*",
    re.I,
)
_BARE_MINUTES = re.compile(r"(?<=[0-9])(\s*h\s*)([0-5][0-9])$", re.I)
"""1h49 is one hour and 49 minutes."""
_OVER = re.compile(r"\s*(?:\+|(?:or|and) (?:over|older|above|more)|及?以上)\s*$", re.I)
_PART = re.compile(r"^([0-9]{1,3})\+?\s*/\s*(7|52|12)$")
"""3/7, 6/52 and 4/12: so many days, weeks and months, as British notes have it."""
_WHOLE = {"7": "day", "52": "week", "12": "month"}
_LONG = ("years", "months", "weeks", "year", "month", "week")


_ISO = re.compile(
    r"^P(?=[0-9T])(?:(?P<year>[0-9.]+)Y)?(?:(?P<month>[0-9.]+)M)?(?:(?P<week>[0-9.]+)W)?(?:(?P<day>[0-9.]+)D)?"
    r"(?:T(?=[0-9])(?:(?P<hour>[0-9.]+)H)?(?:(?P<minute>[0-9.]+)M)?(?:(?P<second>[0-9.]+)S)?)?$"
)
"""ISO 8601: P2DT4H is two days and four hours, as FHIR writes it."""


def read_span(word: str, unit: str) -> tuple[float, bool] | None:
    """Read an age or duration in ``unit``; a number alone is in that unit. Also say whether it is a lower limit.

    A year is 365.25 days and a month a twelfth of it. ``m`` is a month beside years and
    weeks, and a minute beside hours.

    >>> read_span("65y 6m", "years"), read_span("90+", "years"), read_span("2 days 6 h", "d"), read_span("10T", "years")
    ((65.5, False), (90.0, True), (2.25, False), None)
    >>> read_span("< 2 weeks", "d"), read_span("half a day", "h"), read_span("6/52", "weeks"), read_span("9-year-old", "years")
    ((14.0, True), (12.0, False), (6.0, False), (9.0, False))
    """
    weeks = weeks_and_days(word, in_weeks=fold_unit(unit) == "weeks")
    if weeks is not None:
        factor = _factor("week", unit)
        return None if factor is None else (weeks * factor, False)
    part = _PART.match(word)
    if part:
        factor = _factor(_WHOLE[part[2]], unit)
        return None if factor is None else (int(part[1]) * factor, False)
    word, about = in_figures(word)
    pieces = _pieces(_OVER.sub("", word).strip())
    if pieces is None:
        return None
    names = {name for _value, name in pieces}
    total = 0.0
    for value, name in pieces:
        if name == "m":
            name = _of_m(names, unit)
        factor = 1.0 if not name else _factor(name, unit)
        if factor is None:
            return None
        total += value * factor
    return total, about or bool(_OVER.search(word))


def span_units(word: str) -> tuple[str, ...]:
    """Name the units of time in a text that is an age or duration and nothing else.

    >>> span_units("65y 3m"), span_units("10 d"), span_units("120/80"), span_units("12"), span_units("38+3")
    (('year', 'm'), ('day',), (), (), ('week', 'day'))
    >>> span_units("P2DT4H"), span_units("PT90M"), span_units("P")
    (('day', 'hour'), ('minute',), ())
    """
    if weeks_and_days(word) is not None:
        return "week", "day"
    pieces = _pieces(_OVER.sub("", in_figures(word)[0]).strip())
    return tuple(name for _value, name in pieces or () if name)


def _pieces(word: str) -> list[tuple[float, str]] | None:
    iso = _ISO.match(word)
    if iso:
        return [(float(value), name) for name, value in iso.groupdict().items() if value]
    found: list[tuple[float, str]] = []
    word, at = _BARE_MINUTES.sub(r"\1\2min", word), 0
    while at < len(word):
        piece = _PIECE.match(word, at)
        if not piece or piece.end() == at:
            return None
        name = next((name for name, _words in _UNITS if piece[name]), "m" if piece["m"] else "")
        found.append((float(piece["number"]), name))
        at = piece.end()
    bare = sum(1 for _value, name in found if not name)
    names = [name for _value, name in found]
    return found if found and (bare == 0 or len(found) == 1) and len(set(names)) == len(names) else None


def _of_m(names: set[str], unit: str) -> str:
    if names & {"hour", "second"}:
        return "minute"
    return "month" if names & {"year", "week", "day"} or unit in _LONG or fold_unit(unit) == "years" else "minute"


@cache
def _factor(name: str, unit: str) -> float | None:
    found = conversion(name, unit)
    return None if found is None else found.scale


def is_iso_duration(word: str) -> bool:
    """Say whether a text is a duration as ISO 8601 writes it.

    >>> is_iso_duration("PT30H"), is_iso_duration("30 h")
    (True, False)
    """
    return bool(_ISO.match(word))


def is_in_words(word: str) -> bool:
    """Say whether a text is a duration that is written in words, wholly or in part.

    >>> is_in_words("半年"), is_in_words("3天余"), is_in_words("3天"), is_in_words("三级"), is_in_words("two weeks ago")
    (True, True, False, False, True)
    """
    return len(word) <= LONGEST_IN_WORDS and in_figures(word)[0] != word and bool(span_units(word))


def parts_of_time(words: Iterable[str]) -> dict[str, str]:
    """Return, of a column's texts, those that are days, weeks or months as parts of 7, 52 and 12, with their unit.

    There are none where all have one denominator: 6/12 may be how well somebody sees.

    >>> parts_of_time(["3/7", "6/52", "2 d"]), parts_of_time(["6/12", "4/12"]), parts_of_time(["3/7", "6/9"])
    ({'3/7': 'day', '6/52': 'week'}, {}, {})
    """
    said = [word for word in words if "/" in word]
    found = {word: _WHOLE[part[2]] for word in said if (part := _PART.match(word))}
    return found if len(set(found.values())) > 1 and len(found) == len(said) else {}


def unit_of_time(name: str) -> str:
    """Return the unit of time at the end of a column's name; empty where it says none.

    >>> unit_of_time("hours (h)"), unit_of_time("ICU minutes"), unit_of_time("heart rate"), unit_of_time("BP dia")
    ('h', 'minutes', '', '')
    """
    words = re.findall(r"[^\W\d_]+", name)
    if not words or words[-1].casefold() in MEAN_MORE_IN_NAMES:
        return ""
    return words[-1] if conversion(words[-1].casefold(), "d") is not None else ""
