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
from medcore.data.quantities.units import analyte_named, conversion, fold_unit, names_time, same_word
from medcore.data.schema.names import says
from medcore.data.values.dates import Dates, order_of
from medcore.data.values.folding import Distinct
from medcore.data.values.numbers import Marks, Numbers, clock_hours, is_flag, learn_marks, parse_numbers, without_word
from medcore.data.values.spans import is_in_words, is_iso_duration, span_units

HEAD = 5000
"""Distinct texts that are looked at one by one; beyond it only whole-column operations are used."""
OLDEST = 150.0
"""Years that no age has: 2023年3月 is a date and no age."""
_COUNTED = re.compile(r"^[<>≤≥]?\s*[0-9][0-9.,]*\s*([A-Za-z\u4e00-\u9fff][^0-9]{0,24})$")
"""A number with a word behind it."""
_SCORE = re.compile(r"^([0-9]{1,3}(?:[.,]5)?)\s*/\s*([1-9][0-9]{0,2})$")
"""A score out of the most that can be reached, as 3/10."""
_THING = re.compile("[号床组区室楼科栋]")
"""What makes a number the name of something: the third ward is no three wards."""
_BEFORE = re.compile(
    r"^([^\W\d_][^\d:;=<>≤≥~+]{0,18}?)(\s*[:=]\s*|\s+|(?<=[一-鿿])|(?=[<>≤≥]))([<>≤≥~]?\s*[-+]?[0-9].*)$"
)
"""A number with a word before it."""
_NAMES_OF_THINGS = frozenset(["class", "code", "grade", "level", "room", "stage", "type", "version"])
_OF_THINGS = re.compile(f"{_THING.pattern}|[第级期型例类院编患周月年]")
"""Words before a number, and parts of such, that give something its name."""
_DATE = re.compile(r"[0-9]+\s*[-/.年]\s*[0-9]+\s*[-/.月]\s*[0-9]")
FEWEST_MEASURED = 10
"""Different numbers behind one word from which they are measurements and not the names of a few things."""
FEWEST_COUNTED = 5
"""Different numbers of one word from which the word is taken for their unit."""
MOST_COUNTED = 0.9
"""Share of a column's different numbers that have it."""
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
_DIGIT, _LETTER = re.compile("[0-9]"), re.compile(r"[^\W\d_]")
_SUM = re.compile(r"[0-9]\s*\+\s*[0-6]|/7")
_NUMBER = re.compile(r"^\s*\+?[0-9]+(?:[.,][0-9]+)?\+?$")


def learn_notation(name: str, cells: Distinct, decimal: str | None) -> Reading:
    """Learn how the numbers of a column are written; ``decimal`` is the file's decimal mark."""
    texts, words = cells.texts, [str(w) for w in cells.texts.slice(0, HEAD).to_pylist()]
    counts = cells.counts[: len(words)]
    unit, before = unit_in_name(name) or "", _before(name, words)
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
    )


def learn_units(name: str, numbers: Numbers, counts: NDArray[np.int64], reading: Reading) -> Reading:
    """Learn the unit in which a column's numbers come out, and that of numbers written without one.

    It is the unit that the name says, else the one that most cells carry. A column in which
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
    unit = reading.unit or _commonest(rows)
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
    return replace(reading, dates=order, zones=dates.zones)


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
    if all(map(_NUMBER.match, words)):
        return _of_numbers(name, words, unit)
    said = [(word, int(k)) for word, k in zip(words, counts, strict=True) if _DIGIT.search(word) or is_in_words(word)]
    dilutions = [(int(m[1]), k) for word, k in said if (m := _TITRE.match(word))]
    if sum(k for _d, k in dilutions) > 0.5 * n and all(d in _DILUTIONS or d >= 60 for d, _k in dilutions):
        return "titre", unit
    clock = sum(k for word, k in said if clock_hours(word) is not None)
    if clock > 0.5 * n:
        return "clock", "h"
    rows: dict[str, int] = {}
    compound = spans = bare = 0
    for word, k in said:
        plain = _NUMBER.match(word)
        found = (
            span_units(word) if len(word) <= 40 and not plain and (_LETTER.search(word) or _SUM.search(word)) else ()
        )
        if found and not _is_calendar(word):
            spans, compound = spans + k, compound + k * (len(found) > 1 or is_iso_duration(word) or is_in_words(word))
            for piece in found:
                rows[piece] = rows.get(piece, 0) + k
        elif plain:
            bare += k
    if spans + bare > 0.5 * n and (compound or len(rows) > 1):
        return "span", _span_unit(name, rows, unit)
    return _of_numbers(name, words, unit)


def _of_numbers(name: str, words: Sequence[str], unit: str) -> tuple[Notation, str]:
    quantity = find_quantity(name)
    counted = unit or _counted(words) or _out_of(words)
    if quantity is not None and quantity.name == "age" and (counted in ("", "years") or names_time(counted)):
        return "span", "years"
    return "number", counted


def _counted(words: Sequence[str]) -> str:
    """Return the one word that stands behind the numbers of a column, such as episodes; empty where there is none.

    A few numbers may stand without it: where many do, it may be said of those that have it, as RA is of a saturation.
    """
    said = [match[1].strip() for match in _in_nearly_all(words, _COUNTED)]
    if not said or len(said) < sum(1 for word in words if _DIGIT.search(word) and not _NUMBER.match(word)):
        return ""
    unit = Counter(said).most_common(1)[0][0]
    names = is_flag(unit) or _THING.search(unit) or (len(unit) == 1 and not unit.isascii())
    return unit if not names and all(same_word(word, unit) for word in said) else ""


def _before(name: str, words: Sequence[str]) -> str:
    """Return the one word that stands before nearly all numbers of a column, such as EF; empty where there is none.

    It is none where it names things by number: wards, grades, clinicians. Whole numbers without a unit are measurements
    only where the word or the column's name is a quantity's.
    """
    found = _in_nearly_all(words, _BEFORE)
    if len({match[3] for match in found}) < FEWEST_MEASURED:
        return ""
    word = Counter(match[1].strip() for match in found).most_common(1)[0][0]
    if not all(same_word(match[1].strip(), word) for match in found) or is_flag(word):
        return ""
    if (
        any(_DATE.match(match[3]) for match in found)
        or _OF_THINGS.search(word)
        or word.casefold().rstrip(".") in _NAMES_OF_THINGS
        or _is_read_already(word)
    ):
        return ""
    known = find_quantity(word) is not None or find_quantity(name) is not None
    return word if known or any(not match[3].isdecimal() for match in found) else ""


def _is_read_already(word: str) -> bool:
    """Say whether a word before a number is a limit or a judgement, which is read with it: below 5, negative 0.03."""
    return bool(parse_numbers(pa.array([f"{word} 5"])).readable[0])


def _out_of(words: Sequence[str]) -> str:
    """Return the most that can be reached, as "/10", where nearly every number of a column is a score out of it; else empty."""
    scores = [(float(match[1].replace(",", ".")), int(match[2])) for match in _in_nearly_all(words, _SCORE)]
    tops = {top for _score, top in scores}
    return f"/{tops.pop()}" if len(tops) == 1 and all(score <= top for score, top in scores) else ""


def _in_nearly_all(words: Sequence[str], pattern: re.Pattern[str]) -> list[re.Match[str]]:
    """Return where a pattern is found, if nearly all cells with a number are of it; else nothing."""
    numbered = [word for word in words if _DIGIT.search(word)]
    found = [match for word in numbered if (match := pattern.match(word))]
    return found if len(found) >= max(FEWEST_COUNTED, MOST_COUNTED * len(numbered)) else []


def _is_calendar(word: str) -> bool:
    year = re.match(r"^([0-9]+)\s*(?:年|y)", word)
    return bool(year and float(year[1]) > OLDEST)


def _span_unit(name: str, rows: dict[str, int], unit: str) -> str:
    if unit and conversion("day", unit) is not None:
        return unit
    if (says(name, "age") and "week" not in rows) or "year" in rows:
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
