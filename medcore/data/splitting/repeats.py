"""Rows that are one record entered twice, told apart from patients who are alike by chance.

A copy of a row on the other side of a split lets a model recognise what it should
predict. Where a table can hold few different rows, though, equal rows are what one
expects, and keeping them together would take from every fold what it must learn. So
repeats are judged by how often chance would bring them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MOST_CHANCE = 0.02
"""Repeats that chance brings less often than this are one record: one pair in fifty may be a mistake, at little cost."""
MOST_ALIKE = 0.2
"""Share of the rows equal to a record that chance may be expected to bring: where it is more, most are patients who are
alike, and to keep them all together would take from every fold what it must learn."""
MOST_LEVELS = 30
"""Different values of a column up to which its dependence upon another column is taken into account."""
LONG_NOTE = 60
"""Characters from which two equal notes are one that was copied."""
MOST_COPIES = 10
"""A text in more rows than this is a standard text that many patients get, and no copy."""
_ROWS_A_LEVEL = 20
_ROWS_A_CELL = 5
"""Rows for each pair of values from which a column of many values is looked at beside another: of fewer a copy tells itself."""
_ROWS_TO_COMPARE = 5_000
_SURELY = 10
"""Expected rows of which none is there by chance once in 20,000 times."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """Which rows are copies: ``unit`` (n,) numbers what stays together; the counts are of rows that have a copy."""

    unit: Ints
    n_rows: int
    n_records: int


def repeats(columns: pd.DataFrame, outcome: Ints) -> Repeats | None:
    """Find rows equal in every column and the outcome that are too many for chance; None if there are none.

    How often chance makes a row is estimated from the table itself: each column given the
    column (or the outcome) it depends upon most, by the tree of the most mutual information
    (Chow & Liu 1968), so that columns that say the same are not counted twice; missing
    values prove nothing. With that probability, the number of rows equal to a given one is
    Poisson. What it falls short by is a factor where columns depend upon several others, so
    that many equal rows must also be several times what chance brings.
    """
    values = [pd.factorize(columns[name])[0].astype(np.int64) for name in columns]
    record = _records(values, outcome)
    sizes = np.bincount(record)
    if sizes.max(initial=0) < 2:
        return None
    from scipy.special import pdtrc

    first = np.unique(record, return_index=True)[1]
    several = np.flatnonzero(sizes > 1)
    expected = (len(outcome) - 1) * _chances(values, outcome, first[several], len(sizes))
    others = sizes[several] - 1
    copied = several[(pdtrc(others - 1, expected) < MOST_CHANCE) & (expected <= MOST_ALIKE * others)]
    if not len(copied):
        return None
    is_copy = np.isin(record, copied)
    unit = np.where(is_copy, record, len(sizes) + np.arange(len(record)))
    return Repeats(np.unique(unit, return_inverse=True)[1].astype(np.int64), int(is_copy.sum()), len(copied))


def copied_notes(notes: pd.Series) -> Repeats | None:
    """Find notes copied to another row, whole or as the beginning of a longer one; None if there are none.

    Case and spaces do not count. Short notes are equal by chance, and one in many rows is a
    standard text: neither is a copy.
    """
    texts = notes.fillna("").astype(str).str.split().str.join(" ").str.casefold()
    unit, distinct = pd.factorize(texts)
    order = np.argsort(distinct.to_numpy(dtype=object), kind="stable")
    ranked = [str(distinct[place]) for place in order]
    chain = np.arange(len(distinct))
    for at in range(1, len(ranked)):
        if len(ranked[at - 1]) >= LONG_NOTE and ranked[at].startswith(ranked[at - 1]):
            chain[order[at]] = chain[order[at - 1]]
    unit = chain[unit].astype(np.int64)
    sizes = np.bincount(unit)
    copied = (sizes > 1) & (sizes <= MOST_COPIES)
    is_copy = copied[unit] & (texts.str.len().to_numpy() >= LONG_NOTE)
    if not is_copy.any():
        return None
    alone = np.where(is_copy, unit, len(sizes) + np.arange(len(unit)))
    return Repeats(np.unique(alone, return_inverse=True)[1].astype(np.int64), int(is_copy.sum()), int(copied.sum()))


def joined(unit: Ints, groups: Ints | None) -> Ints:
    """Join what stays together as a copy with what stays together as a patient; return one number for each whole."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if groups is None:
        return unit
    patient = np.unique(groups, return_inverse=True)[1] + unit.max() + 1
    n = int(patient.max()) + 1
    edges = coo_array((np.ones(len(unit)), (unit, patient)), shape=(n, n))
    return np.asarray(connected_components(edges, directed=False)[1][unit], dtype=np.int64)


def _records(values: list[Ints], outcome: Ints) -> Ints:
    """Give equal rows, and only them, the same number."""
    record = np.unique(outcome, return_inverse=True)[1].astype(np.int64)
    for codes in values:
        record = pd.factorize(record * (codes.max(initial=0) + 2) + codes + 1)[0].astype(np.int64)
        if record.max(initial=0) == len(record) - 1:
            break  # all are different already
    return record


def _chances(values: list[Ints], outcome: Ints, rows: Ints, n_records: int) -> Floats:
    """Return for some rows the probability that another patient has the same values."""
    n = len(outcome)
    few = min(MOST_LEVELS, n // _ROWS_A_LEVEL)
    values = [codes for codes in values if codes.max(initial=-1) >= 1]
    chance = np.bincount(outcome)[outcome[rows]] / n
    wholes = _wholes([codes for codes in values if codes.max() < few], few)
    for codes, given in _depending(wholes, outcome):
        chance *= _share_alike(codes, given, rows)
    many: list[Ints] = []
    for codes in sorted((codes for codes in values if codes.max() >= few), key=lambda c: int(c.max())):
        repeated = codes.max() < n_records // 2
        if repeated and any(_follows(codes, other) for other in many):
            continue
        many += [codes] if repeated else []
        alone = np.zeros(n, dtype=np.int64)
        few_enough = [w for w in (outcome, *wholes) if _ROWS_A_CELL * (codes.max() + 1) * (w.max() + 1) <= n]
        given = max((alone, *few_enough), key=lambda other: _shared(codes, other))
        chance *= _share_alike(codes, given, rows)
    return np.asarray(chance)


def _wholes(columns: list[Ints], few: int) -> list[Ints]:
    """Make one column of those of which some values never come together though chance would bring them: dummy columns of a category."""
    wholes: list[Ints] = []
    for codes in columns:
        for place, other in enumerate(wholes):
            if min(codes.min(), other.min()) >= 0 and _exclude(codes, other):
                both = pd.factorize(other * (int(codes.max()) + 1) + codes)[0].astype(np.int64)
                if both.max() < few:
                    wholes[place] = both
                    break
        else:
            wholes.append(codes)
    return wholes


def _exclude(codes: Ints, other: Ints) -> bool:
    """Whether two columns without missing cells have values that never come together where chance would bring ``_SURELY`` rows."""
    table = _counts(codes, other)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / len(codes)
    return bool(((table == 0) & (expected >= _SURELY)).any())


def _counts(codes: Ints, other: Ints) -> Ints:
    n_levels = int(other.max()) + 1
    return np.bincount(codes * n_levels + other, minlength=(int(codes.max()) + 1) * n_levels).reshape(-1, n_levels)


def _depending(columns: list[Ints], outcome: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Give every column with the one, or the outcome, it depends upon: the tree with the most mutual information, from the outcome on."""
    left = [(_shared(codes, outcome), place, outcome) for place, codes in enumerate(columns)]
    while left:
        best = max(left, key=lambda each: (each[0], -each[1]))
        codes = columns[best[1]]
        yield codes, best[2]
        others = [each for each in left if each is not best]
        left = [max(each, (_shared(columns[each[1]], codes), each[1], codes), key=lambda e: e[0]) for each in others]


def _share_alike(codes: Ints, given: Ints, rows: Ints) -> Floats:
    """Return what share of the patients who are like each of some rows in ``given`` are so in ``codes``, too; 1 where it is missing."""
    known, n_levels = codes >= 0, int(codes.max()) + 1
    pair = (given + 1) * n_levels + codes
    both = np.bincount(pair[known], minlength=int(pair.max()) + 1)
    alone = np.bincount(given[known] + 1, minlength=int(given.max()) + 2)
    own, found = rows[known[rows]], np.ones(len(rows))
    found[known[rows]] = both[pair[own]] / alone[given[own] + 1]
    return found


def _shared(codes: Ints, other: Ints) -> float:
    """Return the mutual information of two columns, where both are known, less what chance makes of it (Miller 1955)."""
    step = max(1, len(codes) // _ROWS_TO_COMPARE)
    a, b = codes[::step], other[::step]
    known = (a >= 0) & (b >= 0)
    if not known.any():
        return 0.0
    table = _counts(a[known], b[known]) / int(known.sum())
    expected = np.outer(table.sum(axis=1), table.sum(axis=0))
    there = table > 0
    by_chance = (len(table) - 1) * (table.shape[1] - 1) / (2 * int(known.sum()))
    return float((table[there] * np.log(table[there] / expected[there])).sum() - by_chance)


def _follows(codes: Ints, other: Ints) -> bool:
    """Whether a column is known from another: the same measurement in another unit, say."""
    pairs = len(np.unique(other * (int(codes.max()) + 2) + codes))
    return pairs == len(np.unique(other))
