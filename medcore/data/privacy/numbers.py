"""Numbers that prove themselves by a check digit."""

from __future__ import annotations

import re
from datetime import date

CN_ID = re.compile(
    r"(?<![0-9A-Za-z])([1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[0-9Xx])(?![0-9A-Za-z])"
)
_CN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CN_CHECKS = "10X98765432"
_VIN_VALUES = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "12345678123457923456789"), strict=True))
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def is_chinese_id(text: str) -> bool:
    """Tell whether a text is a Chinese identity number: 18 digits, a date of birth, a check digit (GB 11643-1999).

    >>> is_chinese_id("11010519491231002X"), is_chinese_id("110105194912310021")
    (True, False)
    """
    if not CN_ID.fullmatch(text):
        return False
    try:
        born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    total = sum(int(d) * w for d, w in zip(text[:17], _CN_WEIGHTS, strict=True))
    return born <= date.today() and _CN_CHECKS[total % 11] == text[17].upper()


def passes_luhn(text: str) -> bool:
    """Tell whether digits end in the check digit of ISO/IEC 7812 (payment and bank cards).

    >>> passes_luhn("4111111111111111"), passes_luhn("4111111111111112")
    (True, False)
    """
    digits = [int(c) for c in text if c.isdigit()]
    doubled = [d if i % 2 == 0 else (2 * d - 9 if d > 4 else 2 * d) for i, d in enumerate(reversed(digits))]
    return bool(digits) and sum(doubled) % 10 == 0


def is_vehicle_number(text: str) -> bool:
    """Tell whether a text is a vehicle identification number with its check digit (ISO 3779, 49 CFR 565).

    >>> is_vehicle_number("1M8GDM9AXKP042788"), is_vehicle_number("1M8GDM9A1KP042788")
    (True, False)
    """
    text = text.upper()
    if len(text) != 17 or not all(c.isdigit() or c in _VIN_VALUES for c in text) or text.isdigit():
        return False
    total = sum((int(c) if c.isdigit() else _VIN_VALUES[c]) * w for c, w in zip(text, _VIN_WEIGHTS, strict=True))
    return text[8] == "0123456789X"[total % 11]


def is_us_social_security_number(text: str) -> bool:
    """Tell whether a text is written as a US social security number that may have been issued.

    >>> is_us_social_security_number("123-45-6789"), is_us_social_security_number("000-12-3456")
    (True, False)
    """
    area, group, serial = text[:3], text[4:6], text[7:]
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"
