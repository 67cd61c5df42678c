"""The results of one analyte in a long table: numbers in one unit, or words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from medcore.data.cohort import Column
from medcore.data.notation import Reading
from medcore.data.quantities.decimals import usual_decimals
from medcore.data.quantities.ranges import find_quantity
from medcore.data.quantities.units import fold_unit
from medcore.data.schema.learning import learn_notation, learn_units
from medcore.data.schema.missing import missing_numbers
from medcore.data.values.column import convert, means_nothing
from medcore.data.values.numbers import Numbers, parse_numbers
from medcore.data.values.typed import Distinct
from medcore.i18n import N_, Message

NUMERIC_SHARE = 0.8
"""Share of an analyte's results that must be numbers for it to be one of numbers."""
Ints = npt.NDArray[np.int64]


@dataclass(slots=True)
class Tally:
    """What happened to results on the way."""

    n_nameless: int = 0
    n_dateless: int = 0
    n_unreadable: int = 0
    n_converted: int = 0
    n_foreign: int = 0
    foreign: list[str] = field(default_factory=list)
    n_coded: int = 0
    n_outside: int = 0
    n_before: int = 0
    coded: dict[str, None] = field(default_factory=dict)

    def add(
        self,
        analyte: str,
        counts: Ints,
        *,
        converted: npt.NDArray[np.bool_],
        unreadable: npt.NDArray[np.bool_],
        foreign: npt.NDArray[np.bool_],
        coded: npt.NDArray[np.bool_],
    ) -> None:
        """Count what happened to an analyte's different results, each of which is in so many rows (``counts``)."""
        self.n_converted += int(counts[converted].sum())
        self.n_unreadable += int(counts[unreadable].sum())
        self.n_foreign += int(counts[foreign].sum())
        self.foreign += [analyte] * bool(foreign.any())
        self.n_coded += int(counts[coded].sum())

    def repairs(self) -> list[Message]:
        """Say it, each with its count."""
        said = (
            (self.n_nameless, N_("{n} row(s) name no patient or no analyte and were left out.")),
            (self.n_dateless, N_("{n} row(s) have no readable date of the result and were left out.")),
            (self.n_converted, N_("{n} result(s) were converted to the unit of most results of their analyte.")),
            (
                self.n_unreadable,
                N_("{n} result(s) are no numbers; they count only where the first or the last result is taken."),
            ),
            (self.n_outside, N_("{n} result(s) lie outside the window of time and were left out.")),
            (self.n_before, N_("{n} result(s) were measured before the index date; they are used.")),
            (self.n_coded, N_("{n} result(s) are {codes}, which stands for not measured, and were left out.")),
            (
                self.n_foreign,
                N_("{n} result(s) are in a unit that cannot be converted, of {analytes}; their numbers are not used."),
            ),
        )
        told = {"analytes": self.foreign[:8], "codes": list(self.coded)[:8]}
        return [Message(template, {"n": n} | told) for n, template in said if n]


@dataclass(frozen=True, slots=True)
class ResultsTable:
    """One analyte's results, a row each: as text, as numbers in ``unit`` (NaN where none), and where nothing was measured.

    ``coded`` marks those whose number stands for nothing measured, one of ``codes``.
    """

    texts: npt.NDArray[np.object_]
    numbers: npt.NDArray[np.float64]
    absent: npt.NDArray[np.bool_]
    unit: str
    numeric: bool
    coded: npt.NDArray[np.bool_]
    codes: tuple[str, ...]

    @property
    def decimals(self) -> int:
        """With how many decimals most were measured."""
        return usual_decimals(self.numbers)


def read_results(
    analyte: str,
    values: Distinct,
    units: Distinct | None,
    rows: Ints,
    decimal: str | None,
    known: Column | None,
    tally: Tally,
) -> ResultsTable:
    """Read an analyte's results; ``known`` is the column of a schema by which they are to be read.

    ResultsTable in another unit than most, or than ``known`` has, are converted where that can be.
    """
    cells = _cells(values, units, rows, known)
    reading = known.reading if known is not None and known.reading is not None else None
    if reading is None:
        reading = learn_notation(analyte, cells.distinct, decimal)
    reading = replace(reading, unit=cells.unit or reading.unit)
    numbers = parse_numbers(cells.distinct.texts, reading=reading)
    if known is None:
        reading = learn_units(analyte, numbers, cells.counts, reading)
    found, converted, foreign = convert(numbers, reading)
    found[foreign] = np.nan
    absent = means_nothing(cells.distinct.texts) & np.isnan(found)
    numeric = _is_numeric(known, cells.counts, numbers.readable, absent)
    codes: tuple[str, ...] = known.missing_codes if known is not None else ()
    if numeric and known is None:
        codes = _codes(analyte, cells, replace(numbers, value=found), reading)
    texts = cells.texts
    coded = np.isin(np.array(texts, dtype=object), codes)
    if numeric:
        unreadable = ~numbers.readable & ~absent
        tally.add(analyte, cells.counts, converted=converted, unreadable=unreadable, foreign=foreign, coded=coded)
        tally.coded |= dict.fromkeys(codes)
        found[coded] = np.nan
        mark = reading.decimal or "."
        for at in np.flatnonzero(converted):
            texts[at] = f"{found[at]:.12g}".replace(".", mark)
    else:
        texts = cells.written
    inverse = cells.inverse
    return ResultsTable(
        np.array(texts, dtype=object)[inverse],
        found[inverse],
        absent[inverse],
        reading.unit if numeric else "",
        numeric,
        coded[inverse],
        codes,
    )


@dataclass(frozen=True, slots=True)
class _Cells:
    """The different results of an analyte, each with its unit where that is another than most have (``texts``), or without.

    ``counts`` says in how many rows each is, ``inverse`` (n,) which one a row has.
    """

    texts: list[str]
    written: list[str]
    unit: str
    distinct: Distinct
    counts: Ints
    inverse: Ints


def _cells(values: Distinct, units: Distinct | None, rows: Ints, known: Column | None) -> _Cells:
    """Put each result of some rows beside its unit."""
    unit_of = units.codes[rows] if units is not None else np.full(len(rows), -1, dtype=np.int64)
    n_units = len(units.texts) if units is not None else 0
    key, inverse = np.unique(values.codes[rows] * (n_units + 1) + unit_of + 1, return_inverse=True)
    counts = np.bincount(inverse, minlength=len(key)).astype(np.int64)
    words, unit_words = values.texts, [""] + (units.words() if units is not None else [])
    written = [str(w) for w in words.take(pa.array(key // (n_units + 1))).to_pylist()]
    in_unit = [unit_words[int(k)] for k in key % (n_units + 1)]
    unit = _main_unit(in_unit, counts, known)
    texts = [
        w if not u or fold_unit(u) == fold_unit(unit) else f"{w} {u}" for w, u in zip(written, in_unit, strict=True)
    ]
    words = pa.array(texts, type=pa.large_string())
    inverse = inverse.astype(np.int64)
    return _Cells(texts, written, unit, Distinct(words, counts, inverse, words, counts), counts, inverse)


def _codes(analyte: str, cells: _Cells, numbers: Numbers, reading: Reading) -> tuple[str, ...]:
    """Return the numbers that stand for nothing measured, as they are written."""
    by_row = np.repeat(numbers.value, cells.counts)
    quantity = find_quantity(analyte, by_row[~np.isnan(by_row) & (by_row != 0)], unit=reading.unit or None)
    return missing_numbers(numbers, cells.counts, cells.distinct.texts, quantity).codes


def _main_unit(units: list[str], counts: Ints, known: Column | None) -> str:
    """Return the unit of most rows, or that which is known."""
    if known is not None and known.unit:
        return known.unit
    rows: Counter[str] = Counter()
    spelled: dict[str, str] = {}
    for unit, n in zip(units, counts, strict=True):
        if unit:
            rows[fold_unit(unit)] += int(n)
            spelled.setdefault(fold_unit(unit), unit)
    return spelled[rows.most_common(1)[0][0]] if rows else ""


def _is_numeric(
    known: Column | None, counts: Ints, readable: npt.NDArray[np.bool_], absent: npt.NDArray[np.bool_]
) -> bool:
    if known is not None:
        return known.kind == "numeric"
    given = int(counts[~absent].sum())
    return given > 0 and int(counts[readable & ~absent].sum()) >= NUMERIC_SHARE * given
