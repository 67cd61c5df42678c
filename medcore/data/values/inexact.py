"""Cells of two numbers that stand for one: a range, a mixed fraction, a mean with its spread."""

from __future__ import annotations

import re

_NUMBER = r"[0-9]+(?:[.,][0-9]+)?"
_RANGE = re.compile(
    rf"^(?P<low>{_NUMBER})\s*(?P<unit>[^\s0-9.,:/~–−-][^0-9.,:~–−-]{{0,15}}?)?\s*(?:-|–|−|~|∼|to|bis|à|至|到|或|or)\s*(?P<high>{_NUMBER})\s*(?P<rest>[^0-9:/][^0-9:]{{0,20}})?$",
    re.I,
)
_FRACTION = re.compile(r"^(?P<whole>[0-9]{1,2}\s+)?(?P<over>[1-9])\s*/\s*(?P<under>[2-58])(?P<rest>\s*[^\W\d_].*)?$")
_SPREAD = re.compile(r"^\s*(?:±|\+/-|\+-)\s*[0-9.,]+\s*")


def middle_of(word: str) -> str | None:
    """Write a range of values as its middle; None for what is none.

    >>> middle_of("30-35%"), middle_of("1 to 2 weeks"), middle_of("3-5天"), middle_of("2,5 – 3"), middle_of("120-80")
    ('32.5%', '1.5 weeks', '4天', '2.75', None)
    >>> middle_of("5%-10%"), middle_of("2020-01-02"), middle_of("3-5-7"), middle_of("12")
    ('7.5%', None, None, None)
    """
    found = _RANGE.match(word)
    if not found:
        return None
    low, high = (float(found[side].replace(",", ".")) for side in ("low", "high"))
    unit, rest = (found["unit"] or "").strip(), (found["rest"] or "").strip()
    if low >= high or (unit and rest and unit.casefold() != rest.casefold()):
        return None
    space = " " if " " in word and (rest or unit).isascii() and (rest or unit)[:1].isalpha() else ""
    return f"{(low + high) / 2:.12g}{space}{rest or unit}"


def as_decimal(word: str, *, bare: bool = False) -> str:
    """Write a mixed fraction, or one before a unit, as a decimal; one alone only if ``bare``: 1/2 may be grade one to two.

    >>> as_decimal("1 1/2"), as_decimal("1/2 tab"), as_decimal("1/2"), as_decimal("3/4", bare=True), as_decimal("3/2", bare=True)
    ('1.5', '0.5 tab', '1/2', '0.75', '3/2')
    """
    found = _FRACTION.match(word)
    if not found or int(found["over"]) >= int(found["under"]):
        return word
    if not (bare or found["whole"] or found["rest"]):
        return word
    value = int(found["whole"] or 0) + int(found["over"]) / int(found["under"])
    return f"{value:.12g}{found['rest'] or ''}"


def is_mixed(word: str) -> bool:
    """Say whether a text is a whole number and a fraction.

    >>> is_mixed("1 1/2"), is_mixed("1/2"), is_mixed("36 6/7")
    (True, False, False)
    """
    found = _FRACTION.match(word)
    return bool(found and found["whole"] and int(found["over"]) < int(found["under"]))


def without_spread(rest: str) -> tuple[str, bool]:
    """Take the spread off what follows a number, and say whether there was one.

    >>> without_spread("±0.7 mg"), without_spread(" +/- 2"), without_spread("mg")
    (('mg', True), ('', True), ('mg', False))
    """
    bare = _SPREAD.sub("", rest)
    return bare, bare != rest
