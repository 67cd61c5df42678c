"""Ages and durations in several units: ``65y 3m``, ``10 d``, ``2 days 5 h``, ``3岁2个月``, ``90+``, ``两年半``, ``10余天``."""

from __future__ import annotations

import re
from functools import cache

from medcore.data.quantities.units import MEAN_MORE_IN_NAMES, TIME_WORDS, conversion, fold_unit
from medcore.data.values.compounds import weeks_and_days

_SAID = {"year": r"years? old|y/o|an|ano|", "month": "mon|"}
"""What is a unit of time in a span alone."""
_UNITS = tuple(
    (unit, _SAID.get(unit, "") + "|".join(sorted([unit, *words.split()], key=len, reverse=True)))
    for unit, words in TIME_WORDS.items()
)
_NAMES = "|".join(f"(?P<{name}>{words})" for name, words in _UNITS)
_PIECE = re.compile(
    rf"\s*(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?:{_NAMES}|(?P<m>m))?\.?(?![^\W\d_一-鿿])\s*(?:,|and|\+(?=\s*[0-9]))?\s*",
    re.I,
)
_BARE_MINUTES = re.compile(r"(?<=[0-9])(\s*h\s*)([0-5][0-9])$", re.I)
"""1h49 is one hour and 49 minutes."""
_OVER = re.compile(r"\s*(?:\+|(?:or|and) (?:over|older|above|more)|及?以上)\s*$", re.I)
_CHINESE_UNIT = r"(?:个月|年|岁|月|周|星期|礼拜|天|日|个?小时|个?钟头|分钟)"
_DIGITS = {digit: n for n, digit in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_NUMERAL = re.compile(
    rf"(?:(?P<tens>[一二三四五六七八九])?(?P<ten>十)(?P<ones>[一二三四五六七八九])?|(?P<one>[一二两三四五六七八九]))(?=[余多来]?个?半?{_CHINESE_UNIT})(?!月(?![余多+]))"
)
"""In a duration; 三月 is March."""
_HALF_OF = re.compile(rf"(?<![0-9个])半个?(?={_CHINESE_UNIT})")
_AND_A_HALF = re.compile(
    rf"(?P<number>[0-9]+)(?:(?P<measure>个)半(?P<unit>{_CHINESE_UNIT})|(?P<behind>{_CHINESE_UNIT})半)"
)
_SOME_MORE = re.compile(
    rf"(?<=[0-9])(?:余|多|来|\+)(?=个?{_CHINESE_UNIT})|(?<=个)多(?=月|小时)|(?<=[年岁月周天日时钟])(?:余|多|\+)$"
)
"""Ten and some days (10余天), a month and some (1月余, 1个多月)."""
_ABOUT = re.compile(r"^(?:大?约|近|将近|不足)\s*|\s*(?:左右|上下)$")
_AGO = re.compile(r"(?<=[年月周天日时钟余半])(?:以?前|来)$")
_AND = re.compile(r"(?<=[年岁月周天时])[零又](?=[0-9])")
_SAME_UNIT = {
    "个星期": "周",
    "个礼拜": "周",
    "星期": "周",
    "礼拜": "周",
    "个小时": "小时",
    "个钟头": "小时",
    "钟头": "小时",
}
LONGEST_IN_WORDS = 16
"""Characters of a duration in words; a note may have any number."""
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
    """
    weeks = weeks_and_days(word, in_weeks=fold_unit(unit) == "weeks")
    if weeks is not None:
        factor = _factor("week", unit)
        return None if factor is None else (weeks * factor, False)
    word, about = _in_figures(word)
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


def _in_figures(word: str) -> tuple[str, bool]:
    """Write a Chinese duration in figures, without what says that it is about so or somewhat more; and say whether it did.

    >>> _in_figures("两年半"), _in_figures("半个月"), _in_figures("1个半月"), _in_figures("约三十天")
    (('2.5年', False), ('0.5月', False), ('1.5个月', False), ('30天', True))
    >>> _in_figures("10余年"), _in_figures("1月余"), _in_figures("2个多月前"), _in_figures("3 days")
    (('10年', True), ('1月', True), ('2个月', True), ('3 days', False))
    """
    if word.isascii():
        return word, False
    written = _AGO.sub("", word.strip())
    plain = _ABOUT.sub("", written)
    plain = _NUMERAL.sub(_figures, plain)
    whole = _SOME_MORE.sub("", plain)
    told = _AND_A_HALF.sub(_with_half, _HALF_OF.sub("0.5", _AND.sub("", whole)))
    for other, usual in _SAME_UNIT.items():
        told = told.replace(other, usual)
    return told, plain != whole or _ABOUT.search(written) is not None


def _figures(found: re.Match[str]) -> str:
    if found["ten"]:
        return str(10 * _DIGITS.get(found["tens"] or "一", 1) + _DIGITS.get(found["ones"] or "零", 0))
    return str(_DIGITS[found["one"]])


def _with_half(found: re.Match[str]) -> str:
    return f"{found['number']}.5{found['measure'] or ''}{found['unit'] or found['behind']}"


def span_units(word: str) -> tuple[str, ...]:
    """Name the units of time in a text that is an age or duration and nothing else.

    >>> span_units("65y 3m"), span_units("10 d"), span_units("120/80"), span_units("12"), span_units("38+3")
    (('year', 'm'), ('day',), (), (), ('week', 'day'))
    >>> span_units("P2DT4H"), span_units("PT90M"), span_units("P")
    (('day', 'hour'), ('minute',), ())
    """
    if weeks_and_days(word) is not None:
        return "week", "day"
    pieces = _pieces(_OVER.sub("", _in_figures(word)[0]).strip())
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
    """Say whether a text is a duration that is written in Chinese words, wholly or in part.

    >>> is_in_words("半年"), is_in_words("3天余"), is_in_words("3天"), is_in_words("三级")
    (True, True, False, False)
    """
    if word.isascii() or len(word) > LONGEST_IN_WORDS:
        return False
    return _in_figures(word)[0] != word and bool(span_units(word))


def unit_of_time(name: str) -> str:
    """Return the unit of time at the end of a column's name; empty where it says none.

    >>> unit_of_time("hours (h)"), unit_of_time("ICU minutes"), unit_of_time("heart rate"), unit_of_time("BP dia")
    ('h', 'minutes', '', '')
    """
    words = re.findall(r"[^\W\d_]+", name)
    if not words or words[-1].casefold() in MEAN_MORE_IN_NAMES:
        return ""
    return words[-1] if conversion(words[-1].casefold(), "d") is not None else ""
