"""The names of months as hospitals write them: ``Aug``, ``März``, ``août``, ``enero``, ``мая``; by Unicode's CLDR."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache

from babel.dates import get_month_names

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "da", "nb", "sv", "pl", "cs", "hu", "ro", "tr", "ru", "uk", "el")
"""Whose names are known. A name that means one month here and another there is known by none but the first."""
_MORE = {"sept": 9}
"""What is written and CLDR has not in every language."""


def month_number(name: str) -> int | None:
    """Return which month (1–12) a name or its abbreviation is; None for what is none. Case and accents do not matter.

    >>> month_number("Aug"), month_number("MÄRZ"), month_number("aout"), month_number("sept."), month_number("abc")
    (8, 3, 8, 9, None)
    """
    return _known().get(_folded(name))


@cache
def _known() -> Mapping[str, int]:
    found: dict[str, int] = {}
    for language in LANGUAGES:
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in get_month_names(width, context, language).items():
                    found.setdefault(_folded(name), number)
    return found | _MORE


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in plain if letter.isalpha())
