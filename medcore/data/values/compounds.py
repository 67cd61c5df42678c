"""Measures in two units at once: ``5'9"``, ``5 ft 9 in``, ``7 lb 8 oz``, ``11 st 4``, ``1m75``, and weeks with days such as ``38+3``."""

from __future__ import annotations

import re

_FEET = re.compile(
    r"^([1-8])\s*(?:(?:ft|feet|foot)\.?(?:\s*(?P<inches>[0-9]{1,2}(?:\.[0-9]+)?)\s*(?:in|inch|inches|\"|”|['′’]{2})?\.?)?"
    r"|['′’]\s*(?P<marked>[0-9]{1,2}(?:\.[0-9]+)?)\s*(?:\"|”|['′’]{2}|in\.?)?)$",
    re.I,
)
_POUNDS = re.compile(r"^([0-9]{1,3})\s*(?:lbs?|pounds?)\.?,?\s*([0-9]{1,2}(?:\.[0-9]+)?)\s*(?:oz|ounces?)\.?$", re.I)
_STONES = re.compile(
    r"^([0-9]{1,2})\s*(?:st|stones?)\.?,?(?:\s*([0-9]{1,2}(?:\.[0-9]+)?)\s*(?:lbs?|pounds?)?\.?)?$", re.I
)
_INCHES = re.compile(r"^([0-9]{2,3}(?:\.[0-9]+)?)\s*(?:\"|”|″|'')$")
_MAY_BE = re.compile(r"[0-9][^0-9.]+[0-9]|[0-9]\s*(?:['′’\"”″]|st|ft|f)", re.I)
"""Two numbers, or a unit that may stand for two."""
_KILOGRAMS = re.compile(r"^([0-9]{1,3})\s*(?:kg|公斤|千克)\.?,?\s*([0-9]{1,3})\s*(?:g|克)$", re.I)
_METRES = re.compile(r"^([0-2])\s*(?:m|米)\s*(?:([0-9]{2})|([0-9]{1,2})\s*(?:cm|厘米))$", re.I)
_WEEKS = re.compile(
    r"^(?P<said>孕)?\s*(?P<weeks>[0-9]{1,2})\s*(?P<named>周|weeks?|wks?|w)?\s*(?:\+\s*(?P<days>[0-6])|\s(?P<sevenths>[0-6])/7|(?(said)|(?!)))\s*(?:天|days?|d)?\s*"
    r"(?P<after>周|weeks?|wks?|w)?$",
    re.I,
)
MOST_GLEASON, LONGEST_GESTATION = 5, 45
"""Bare ``3+4`` may be a Gleason score; a first number above 5 is none, and none above 45 are weeks."""


def one_measure(word: str) -> tuple[float, str] | None:
    """Read feet with inches as inches, stones and ounces with pounds as pounds, and so kilograms and metres; None for what is neither.

    >>> one_measure("5'9''"), one_measure("5 ft 9 in"), one_measure("7 lb 8 oz"), one_measure("4'48''")
    ((69.0, 'in'), (69.0, 'in'), (7.5, 'lb'), None)
    >>> one_measure("3 kg 250 g"), one_measure("1m75"), one_measure("1米8厘米"), one_measure("1m5")
    ((3.25, 'kg'), (1.75, 'm'), (1.08, 'm'), None)
    >>> one_measure("11 st 4 lb"), one_measure("9st"), one_measure('69"')
    ((158.0, 'lb'), (126.0, 'lb'), (69.0, 'in'))
    """
    if not _MAY_BE.search(word):
        return None
    feet = _FEET.match(word)
    if feet:
        inches = float(feet["inches"] or feet["marked"] or 0)
        return (12 * int(feet[1]) + inches, "in") if inches < 12 else None
    pounds = _POUNDS.match(word)
    if pounds and float(pounds[2]) < 16:
        return int(pounds[1]) + float(pounds[2]) / 16, "lb"
    stones, marked = _STONES.match(word), _INCHES.match(word)
    if stones and float(stones[2] or 0) < 14:
        return 14 * int(stones[1]) + float(stones[2] or 0), "lb"
    if marked:
        return float(marked[1]), "in"
    kilograms, metres = _KILOGRAMS.match(word), _METRES.match(word)
    if kilograms:
        return int(kilograms[1]) + int(kilograms[2]) / 1000, "kg"
    return (int(metres[1]) + int(metres[2] or metres[3]) / 100, "m") if metres else None


def weeks_and_days(word: str, *, in_weeks: bool = False) -> float | None:
    """Read the weeks of a gestation: ``38+3``, ``38 3/7``, ``孕38周+3天``; None for what is none.

    A bare sum of small numbers is one only ``in_weeks``, where its column is known to hold weeks.

    >>> weeks_and_days("38+3"), weeks_and_days("3+4"), weeks_and_days("3+4", in_weeks=True)
    (38.42857142857143, None, 3.571428571428571)
    """
    found = _WEEKS.match(word)
    if not found or int(found["weeks"]) > LONGEST_GESTATION:
        return None
    if not (in_weeks or any(found.group("said", "named", "after")) or int(found["weeks"]) > MOST_GLEASON):
        return None
    return int(found["weeks"]) + int(found["days"] or found["sevenths"] or 0) / 7
