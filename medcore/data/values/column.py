"""The different texts of one column, read by the column's own Reading: a value, or why there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from medcore.data.cohort import Column
from medcore.data.notation import Reading
from medcore.data.quantities.units import conversion
from medcore.data.values.booleans import SEXES, are_sexes, boolean_side, same_side
from medcore.data.values.folding import fold_text
from medcore.data.values.grades import spelled_as, without_sign
from medcore.data.values.numbers import Numbers, parse_numbers, to_number
from medcore.data.values.time.dates import Dates, parse_dates
from medcore.data.values.words import AMBIGUOUS_MISSING, MISSING_WORDS, NO_LETTER, NO_RESULT

EMPTY, PRESENT, CODED, WORDED, UNREADABLE, UNKNOWN_UNIT = -1, 0, 1, 2, 3, 4
"""What became of a cell: empty; a value; one of the column's codes for missing; a word that says
that nothing was recorded; given and not understood; given in a unit that does not convert."""
MISSING_RULES: Mapping[int, str] = {EMPTY: "empty", CODED: "code", WORDED: "word"}
"""The rules by which a cell counts as missing."""
UNUSED: Mapping[int, str] = {UNREADABLE: "unreadable", UNKNOWN_UNIT: "unknown_unit"}
"""Why a cell that was given has no value."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Texts:
    """The distinct texts (k) of a column as values: ``value`` (NaN, NaT or None where none) and ``status`` (k).

    ``mended`` marks by the kind of mending those that needed one to become a value.
    """

    value: NDArray[Any]
    status: NDArray[np.int8]
    mended: Mapping[str, Bools] = field(default_factory=dict)


def read_texts(texts: pa.Array, column: Column, decimal: str | None = None) -> Texts:
    """Read trimmed, width-folded distinct texts as the column's kind and Reading say.

    ``decimal`` is the file's decimal mark, which counts only for a column without a Reading.
    """
    status = np.zeros(len(texts), dtype=np.int8)
    texts, labelled = in_codes(texts, column)
    if column.kind == "numeric":
        value, mended = _numbers(texts, column, decimal, status)
    elif column.kind == "date":
        value, mended = _dates(texts, column, status)
    else:
        value, mended = _words(texts, column)
    mended = _with_mending("spelling", labelled, mended) if labelled.any() else mended
    coded = code_matches(column, texts)
    status[coded] = CODED
    if len(value):
        value[status != PRESENT] = (
            np.datetime64("NaT") if column.kind == "date" else np.nan if column.kind == "numeric" else None
        )
    return Texts(value, status, {kind: mask & (status == PRESENT) for kind, mask in mended.items()})


def in_codes(texts: pa.Array, column: Column) -> tuple[pa.Array, Bools]:
    """Write cells that hold what a code means as that code: "male" among cells of 1 and 2, where 1 is labelled Male.

    Returns the texts and which of them were such. A label that is itself a code, or that two codes have, stays.
    """
    same = np.zeros(len(texts), dtype=bool)
    if not column.level_labels or not len(texts):
        return texts, same
    labels = [(fold_text(label).casefold(), code) for code, label in column.level_labels.items()]
    times = Counter(label for label, _code in labels)
    codes = {code.casefold() for code in column.level_labels}
    means = {label: code for label, code in labels if times[label] == 1 and label not in codes}
    words = texts.to_pylist()
    written = [means.get(str(word).casefold(), word) for word in words]
    if len(means) == 2 and are_sexes(means):
        of = {same_side(label, SEXES): code for label, code in means.items()}
        written = [of.get(same_side(str(word), SEXES), word) for word in written]
    same = np.array([a != b for a, b in zip(words, written, strict=True)], dtype=bool)
    return (pa.array(written, type=texts.type), same) if same.any() else (texts, same)


def _with_mending(kind: str, where: Bools, mended: Mapping[str, Bools]) -> dict[str, Bools]:
    return {**mended, kind: where | mended[kind] if kind in mended else where}


def code_matches(column: Column, texts: pa.Array) -> Bools:
    """Mark the texts that are one of a column's missing codes.

    Case does not matter, and in a numeric column ``-9`` is also ``-9.0``.
    """
    if not column.missing_codes or len(texts) == 0:
        return np.zeros(len(texts), dtype=bool)
    codes = {fold_text(c).casefold() for c in column.missing_codes}
    lowered = pc.utf8_lower(texts)
    found = np.asarray(
        pc.is_in(lowered, value_set=pa.array(sorted(codes), type=lowered.type)).to_numpy(zero_copy_only=False)
    )
    if column.kind == "numeric":
        numbers = parse_numbers(texts, reading=column.reading)
        mark = column.reading.decimal if column.reading else "."
        values = [v for v in (to_number(c, decimal=mark) for c in codes) if v is not None]
        if values:
            found = found | (np.isin(numbers.value, values) & (numbers.suffix == ""))
    return found.astype(bool)


def convert(numbers: Numbers, reading: Reading) -> tuple[NDArray[np.float64], Bools, Bools]:
    """Bring numbers into the reading's unit; mark those converted, and those in a unit that does not convert."""
    value = numbers.value.copy()
    converted, unknown = np.zeros(len(value), bool), np.zeros(len(value), bool)
    if reading.notation != "number":
        return value, converted, unknown
    units = np.where(numbers.suffix == "", reading.bare, numbers.suffix)
    for unit in {str(u) for u in units[numbers.readable] if u}:
        found = conversion(unit, reading.unit, reading.analyte) if reading.unit else None
        here = (units == unit) & numbers.readable
        if found is None:
            unknown |= here
        elif (found.scale, found.offset) != (1.0, 0.0):
            value[here] = found(value[here])
            converted |= here
    return value, converted, unknown


def write_number(value: float, column: Column) -> str:
    """Write a number, in the column's unit, as the column's cells are written: what reads it back is the same number.

    >>> from medcore.data.cohort import Column
    >>> write_number(2.125, Column(name="lactate", kind="numeric", reading=Reading(decimal=",")))
    '2,125'
    """
    text, reading = f"{value:.12g}", column.reading
    if reading is None:
        return text
    if reading.notation == "titre":
        return f"1:{text}"
    text = text.replace(".", reading.decimal)
    return f"{text} {reading.unit}" if reading.bare else text


def means_nothing(texts: pa.Array) -> Bools:
    """Mark the texts that say in words that nothing was recorded; among numbers and dates no word means anything else."""
    nothing = np.asarray(
        pc.is_in(pc.utf8_lower(texts), value_set=_nothing_as(texts.type)).to_numpy(zero_copy_only=False)
    )
    plain = pc.fill_null(
        pc.match_substring_regex(texts, "[0-9A-Za-z]"), True
    )  # all others are few, and looked at one by one
    for at in np.flatnonzero(~plain.to_numpy(zero_copy_only=False).astype(bool) & ~nothing):
        nothing[at] = NO_LETTER.match(texts[int(at)].as_py()) is not None
    return nothing


@cache
def _nothing_as(kind: pa.DataType) -> pa.Array:
    return pa.array(sorted(MISSING_WORDS | AMBIGUOUS_MISSING | NO_RESULT), type=kind)


def _numbers(
    texts: pa.Array, column: Column, decimal: str | None, status: NDArray[np.int8]
) -> tuple[NDArray[Any], dict[str, Bools]]:
    reading = column.reading
    numbers = parse_numbers(texts, decimal=decimal, reading=reading, measured=True)
    if reading is None:
        status[~numbers.readable] = UNREADABLE
        return numbers.value, {}
    value, converted, unknown = convert(numbers, reading)
    status[np.isnan(value)] = UNREADABLE
    status[unknown] = UNKNOWN_UNIT
    status[np.isnan(value) & means_nothing(texts)] = WORDED
    return value, {
        "limit": numbers.bounded,
        "range": numbers.between & numbers.readable,
        "mark": numbers.marked,
        "unit": converted,
    }


def _dates(texts: pa.Array, column: Column, status: NDArray[np.int8]) -> tuple[NDArray[Any], dict[str, Bools]]:
    reading = column.reading
    dates = parse_dates(texts, reading=reading, named=True)
    value = dates.value.copy()
    bad = np.isnat(value)
    if reading is not None:
        bad |= _other_zone(dates, reading)
    status[bad] = UNREADABLE
    if reading is not None:
        status[bad & means_nothing(texts)] = WORDED
    return value, {"serial": dates.serial, "era": dates.era}


def _other_zone(dates: Dates, reading: Reading) -> Bools:
    """Mark times with a zone among times without, and the other way round: hours lie between the two."""
    if reading.zones == "mixed":
        return np.zeros(len(dates.value), bool)
    return dates.timed & (dates.zoned if reading.zones == "none" else ~dates.zoned)


def _words(texts: pa.Array, column: Column) -> tuple[NDArray[Any], dict[str, Bools]]:
    words = [str(w) for w in texts.to_pylist()]
    if len(column.levels) == 2 and (column.kind == "boolean" or are_sexes(column.levels)):
        spelled = [_level(word, column) for word in words]
    else:
        width = column.reading.width if column.reading is not None else 0
        spelled = [word.zfill(width) if word.isdigit() else word for word in words] if width else words
        if column.levels and column.kind == "category":
            spelled = [spelled_as(word, column.levels) for word in spelled]
    if spelled is words:
        return np.array(words, dtype=object), {}
    changed = np.array([a != b for a, b in zip(spelled, words, strict=True)], dtype=bool)
    return np.array(spelled, dtype=object), {"spelling": changed}


def _level(word: str, column: Column) -> str:
    levels = column.levels
    if word in levels:
        return word
    plain = without_sign(word)
    side = boolean_side(plain) if column.reading is None else same_side(plain, levels)
    return word if side is None else levels[side]
