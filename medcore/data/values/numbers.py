"""Numbers as people write them: ``265,000``, ``<0.1``, ``12 mg``, ``3,7``, ``18:26``."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from medcore.data.values.words import UNIT_SUFFIX

_PLAIN = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_HEAD = re.compile(
    r"^(?P<bound><=|>=|=|<|>|≤|≥|≦|≧|~|≈|约)?\s*(?P<number>[-+−]?[0-9.][0-9.,'’_]*(?: [0-9]{3}(?![0-9]))*(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]+)?)\s*(?P<rest>.*)$"
)
_CLOCK = re.compile(r"^([01]?[0-9]|2[0-4]):([0-5][0-9])(?::([0-5][0-9])(?:\.[0-9]+)?)?$")
_GROUPED_COMMA = re.compile(r"^[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?$")
_GROUPED_DOT = re.compile(r"^[+-]?[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?$")
_DECIMAL_COMMA = re.compile(r"^[+-]?[0-9]*,[0-9]+(?:[eE][+-]?[0-9]+)?$")
_CERTAIN_COMMA = re.compile(
    r"(?:^|[^0-9])(?:0,[0-9]+|[0-9]+,(?:[0-9]{1,2}|[0-9]{4,}))(?:$|[^0-9,])|^[+-]?[0-9]{4,},[0-9]{3}$"
)
_CERTAIN_POINT = re.compile(
    r"[0-9]{1,3},[0-9]{3}(?:,[0-9]{3})+|,[0-9]{3}\.[0-9]|^[+-]?[0-9]+\.(?:[0-9]{1,2}|[0-9]{4,})$"
)


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers in an array of texts: ``value`` (NaN where none), and how each was written.

    ``plain`` marks numbers that needed no interpretation, ``bounded`` those
    given as a limit (``<0.1`` counts as 0.1), ``suffix`` holds what followed
    the number (``mg``), empty where nothing did, and ``clock`` marks times of day.
    """

    value: NDArray[np.float64]
    plain: NDArray[np.bool_]
    bounded: NDArray[np.bool_]
    clock: NDArray[np.bool_]
    suffix: NDArray[np.object_]

    @property
    def readable(self) -> NDArray[np.bool_]:
        """Which texts are numbers."""
        return ~np.isnan(self.value)


def parse_numbers(texts: pa.Array, *, decimal: str | None = None) -> Numbers:
    """Read trimmed, width-folded texts as numbers; what is none becomes NaN.

    Clock times become hours after midnight. ``decimal`` is the file's decimal
    mark; without it the texts themselves decide between ``1,234`` and ``3,7``.
    Infinities are not numbers here.
    """
    n = len(texts)
    numbers = Numbers(
        np.full(n, np.nan), np.zeros(n, bool), np.zeros(n, bool), np.zeros(n, bool), np.full(n, "", dtype=object)
    )
    if n == 0:
        return numbers
    if decimal != ",":
        plain = pc.fill_null(pc.match_substring_regex(texts, _PLAIN), False).to_numpy(zero_copy_only=False)
        numbers.plain[:] = plain
        if plain.any():
            numbers.value[plain] = texts.filter(pa.array(plain)).cast(pa.float64()).to_numpy(zero_copy_only=False)
    rest = np.flatnonzero(~numbers.plain)
    words = texts.take(pa.array(rest)).to_pylist()
    comma = decimal == "," or (decimal is None and has_decimal_comma(words))
    for at, word in zip(rest, words, strict=True):
        _parse_one(numbers, int(at), word, comma)
    numbers.value[~np.isfinite(numbers.value)] = np.nan
    return numbers


def has_decimal_comma(words: list[str | None]) -> bool:
    """Say whether texts that are no plain numbers use the comma as decimal mark.

    >>> has_decimal_comma(["3,7", "1,234"])
    True
    >>> has_decimal_comma(["265,000", "1,234"])
    False
    """
    sample = [w for w in words if w and "," in w][:5000]
    return any(_CERTAIN_COMMA.search(w) for w in sample) and not any(_CERTAIN_POINT.search(w) for w in sample)


def to_number(word: str, *, decimal_comma: bool = False) -> float | None:
    """Read one number that may be grouped: the digits only, no unit.

    >>> to_number("265,000"), to_number("1.234,5", decimal_comma=True), to_number("10-20")
    (265000.0, 1234.5, None)
    """
    word = word.replace("−", "-")
    word = re.sub(r"(?<=[0-9])[ '’_](?=[0-9]{3}(?![0-9]))", "", word).strip()
    if decimal_comma:
        if _GROUPED_DOT.match(word):
            word = word.replace(".", "")
        word = word.replace(",", ".") if _DECIMAL_COMMA.match(word) else word
    elif _GROUPED_COMMA.match(word):
        word = word.replace(",", "")
    elif _DECIMAL_COMMA.match(word) and not re.search(r",[0-9]{3}$", word):
        word = word.replace(",", ".")
    return float(word) if re.match(_PLAIN, word) else None


def _parse_one(numbers: Numbers, at: int, word: str | None, comma: bool) -> None:
    if not word or len(word) > 60:
        return
    clock = _CLOCK.match(word)
    if clock:
        hour, minute, second = (int(g or 0) for g in clock.groups())
        numbers.value[at] = hour + minute / 60 + second / 3600
        numbers.clock[at] = True
        return
    parts = _HEAD.match(word)
    if not parts:
        return
    digits, rest = parts["number"].rstrip(" "), parts["rest"].strip()
    if rest and not UNIT_SUFFIX.match(rest):
        return
    value = to_number(digits, decimal_comma=comma)
    if value is not None:
        numbers.value[at] = value
        numbers.bounded[at] = bool(parts["bound"])
        numbers.suffix[at] = rest
