"""How a column's cells are written: learnt from the table once, and kept as the column's Reading."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from medcore.data.notation import Notation, Reading
from medcore.data.quantities.ranges import find_quantity, unit_in_name, units_of
from medcore.data.quantities.units import analyte_named, conversion, fold_unit, names_time
from medcore.data.schema.beside import (
    DIGIT,
    FEWEST_MEASURED,
    NUMBER,
    are_litres,
    in_nearly_all,
    most_of_score,
    unit_counted,
    word_before,
)
from medcore.data.schema.names import says
from medcore.data.values.folding import Distinct
from medcore.data.values.inexact import is_mixed
from medcore.data.values.numbers import Marks, Numbers, clock_hours, learn_marks, parse_numbers, without_word
from medcore.data.values.time.dates import Dates, order_of
from medcore.data.values.time.spans import is_in_words, is_iso_duration, parts_of_time, span_units

HEAD = 5000
"""Distinct texts that are looked at one by one; beyond it only whole-column operations are used."""
OLDEST = 150.0
"""Years that no age has: 2023年3月 is a date and no age."""
_MILITARY = re.compile(r"^(?:[01][0-9]|2[0-4])[0-5][0-9]\s*(?P<hours>h|hrs?|hours?|uhr)?$", re.I)
_TITRE = re.compile(r"^[<>≤≥]?\s*1\s*:\s*([0-9]{1,6})$")
_DILUTIONS = frozenset(base * 2**k for base in (1, 5, 10) for k in range(14)) | {100, 1000, 10000, 32, 64, 128}
_TIME_UNITS = {
    "year": "years",
    "month": "months",
    "week": "weeks",
    "day": "d",
    "hour": "h",
    "minute": "min",
    "second": "s",
}
_LETTER = re.compile(r"[^\W\d_]")
_SUM = re.compile(r"[0-9]\s*\+\s*[0-6]|/7")


def learn_notation(name: str, cells: Distinct, decimal: str | None) -> Reading:
    """Learn how the numbers of a column are written; ``decimal`` is the file's decimal mark."""
    texts, words = cells.texts, [str(w) for w in cells.texts.slice(0, HEAD).to_pylist()]
    counts = cells.counts[: len(words)]
    unit, plain = unit_in_name(name) or "", all(map(NUMBER.match, words))
    before = "" if plain else word_before(name, words)
    if before:
        texts = without_word(texts, before)
        words = [str(w) for w in texts.slice(0, HEAD).to_pylist()]
    notation, unit = _notation(name, words, counts, unit)
    marks = _marks(name, texts, decimal)
    minus = bool(pc.any(pc.match_substring_regex(texts, r"^[0-9][0-9.,]*-$")).as_py())
    return Reading(
        decimal=marks.decimal,
        thousands=marks.thousands,
        notation=notation,
        unit=unit,
        trailing_minus=minus,
        before=before,
        litres=not plain and are_litres(name, words, unit),
        fractions=not plain and any("/" in word and is_mixed(word) for word in words),
    )


def learn_units(name: str, numbers: Numbers, counts: NDArray[np.int64], reading: Reading) -> Reading:
    """Learn the unit in which a column's numbers come out, and that of numbers written without one.

    It is the unit that the name says, else the one that most cells carry; so it is too where the name's is one of another thing. A column in which
    some numbers carry ``%`` and the bare ones are at most 1 has its bare numbers as fractions.
    """
    analyte = next((q.name for q in (find_quantity(name),) if q is not None), "") or analyte_named(name)
    reading = replace(reading, analyte=analyte)
    if reading.notation != "number":
        return reading
    rows: dict[str, int] = {}
    for suffix, n in zip(numbers.suffix, counts, strict=True):
        if suffix:
            rows[str(suffix)] = rows.get(str(suffix), 0) + int(n)
    said = _commonest(rows)
    other = said and reading.unit and conversion(said, reading.unit, analyte) is None
    unit = said if other or not reading.unit else reading.unit
    bare = numbers.readable & (numbers.suffix == "")
    if unit == "%" and bare.any() and rows:
        shares = numbers.value[numbers.suffix == "%"]
        if numbers.value[bare].max() <= 1 < np.median(shares):
            return replace(reading, unit="%", bare="fraction")
    return replace(reading, unit=unit)


def learn_dates(dates: Dates | None, counts: NDArray[np.int64], reading: Reading) -> Reading:
    """Learn the order of day, month and year, and whether times carry a zone.

    Where every date begins with its year, 3/4/2020 in a new table is another way of writing, and reported.
    """
    if dates is None:
        return reading
    year_first = bool(dates.year_written.any()) and not dates.slashed.any()
    order = order_of(dates, counts) or ("ymd" if year_first else "dmy")
    return replace(reading, dates=order, zones=dates.zones, calendar=dates.calendar, months=dates.months)


def learn_codes(raw: pa.Array, texts: pa.Array, reading: Reading) -> Reading:
    """Learn of a category whether its codes are kept as written, and to how many digits they are filled."""
    pointed = _any(texts, r"^[A-Za-z]?[0-9]+\.[0-9]+$")
    exact = pointed and _any(raw, r"^\s*[0-9]+\.0\s*$")
    padded = int(pc.sum(pc.match_substring_regex(texts, r"^0[0-9]+$")).as_py() or 0)
    digits = texts.filter(pc.match_substring_regex(texts, r"^[0-9]+$"))
    lengths = set(pc.unique(pc.utf8_length(digits)).to_pylist())
    width = lengths.pop() if padded and len(lengths) == 1 and len(digits) == len(texts) else 0
    return replace(reading, exact=exact, width=int(width))


def _any(texts: pa.Array, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(texts, pattern)).as_py())


def _commonest(rows: dict[str, int]) -> str:
    """Name the unit of most rows, spellings of one unit together."""
    if not rows:
        return ""
    together: dict[str, int] = {}
    for unit, n in rows.items():
        together[fold_unit(unit)] = together.get(fold_unit(unit), 0) + n
    best = max(together, key=lambda unit: together[unit])
    return max((unit for unit in rows if fold_unit(unit) == best), key=lambda unit: rows[unit])


def _notation(name: str, words: Sequence[str], counts: NDArray[np.int64], unit: str) -> tuple[Notation, str]:
    n = max(1, int(counts.sum()))
    if _are_military(name, words):
        return "clock", "h"
    if all(map(NUMBER.match, words)):
        return _of_numbers(name, words, unit)
    said = [(word, int(k)) for word, k in zip(words, counts, strict=True) if DIGIT.search(word) or is_in_words(word)]
    dilutions = [(int(m[1]), k) for word, k in said if (m := _TITRE.match(word))]
    if sum(k for _d, k in dilutions) > 0.5 * n and all(d in _DILUTIONS or d >= 60 for d, _k in dilutions):
        return "titre", unit
    clock = sum(k for word, k in said if clock_hours(word) is not None)
    if clock > 0.5 * n:
        return "clock", "h"
    rows, telling = _units_of_time(words, said)
    bare = sum(k for word, k in said if NUMBER.match(word))
    if rows and sum(rows.values()) + bare > 0.5 * n and (telling or len(rows) > 1):
        return "span", _span_unit(name, rows, unit)
    return _of_numbers(name, words, unit)


def _units_of_time(words: Sequence[str], said: Sequence[tuple[str, int]]) -> tuple[Counter[str], bool]:
    """Count the units of time of ages and durations, and say whether some have several, or are in words: no unit behind a number."""
    rows: Counter[str] = Counter()
    telling, of_time = False, parts_of_time(words)
    for word, k in said:
        if word in of_time:
            rows[of_time[word]] += k
        elif (
            len(word) <= 40 and not NUMBER.match(word) and (_LETTER.search(word) or _SUM.search(word))
        ) and not _is_calendar(word):
            found = span_units(word)
            telling = telling or (bool(found) and (len(found) > 1 or is_iso_duration(word) or is_in_words(word)))
            rows.update(dict.fromkeys(found, k))
    return rows, telling


def _are_military(name: str, words: Sequence[str]) -> bool:
    """Say whether nearly all numbers are hours and minutes without a mark between, as 0730: by an h behind them, or the column's name."""
    if not any(word.startswith("0") and len(word) >= 4 for word in words):
        return False
    found = in_nearly_all(words, _MILITARY)
    early = any(match[0].startswith("0") for match in found)
    return early and (all(match["hours"] for match in found) or (len(found) >= FEWEST_MEASURED and says(name, "clock")))


def _of_numbers(name: str, words: Sequence[str], unit: str) -> tuple[Notation, str]:
    quantity = find_quantity(name)
    counted = unit or unit_counted(words) or most_of_score(words)
    if quantity is not None and quantity.name == "age" and (counted in ("", "years") or names_time(counted)):
        return "span", "years"
    return "number", counted


def _is_calendar(word: str) -> bool:
    year = re.match(r"^([0-9]+)\s*(?:年|y)", word)
    return bool(year and float(year[1]) > OLDEST) or re.match(r"^[0-9]{1,2}月[0-9]{1,2}[日号]$", word) is not None


def _span_unit(name: str, rows: Counter[str], unit: str) -> str:
    if unit and conversion("day", unit) is not None:
        return unit
    if says(name, "age") and "week" not in rows:
        return "years"
    best = max(rows, key=lambda piece: rows[piece])
    if best == "m":
        best = "month" if {"week", "day"} & set(rows) else "minute"
    return _TIME_UNITS[best]


def _marks(name: str, texts: pa.Array, decimal: str | None) -> Marks:
    """Find the decimal mark; where no cell proves one, by what the quantity named can be."""
    marks = learn_marks(texts, decimal=decimal)
    if marks.certain or not marks.thousands or decimal is not None:
        return marks
    quantity = find_quantity(name)
    if quantity is None:
        return marks
    other = Marks(marks.thousands, "", False)
    fits = {}
    for read in (marks, other):
        numbers = parse_numbers(texts.slice(0, HEAD), reading=Reading(decimal=read.decimal, thousands=read.thousands))
        values = numbers.value[numbers.readable]
        inside = [float(((values >= q.low) & (values <= q.high)).mean()) for q in units_of(quantity.name)]
        fits[read.decimal] = max(inside) if len(values) else 0.0
    return other if fits[other.decimal] > fits[marks.decimal] else marks
