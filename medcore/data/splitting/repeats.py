"""Rows that are one record entered twice, told apart from patients who are alike by chance.

A copy of a row on the other side of a split lets a model recognise what it should
predict. Where a table can hold few different rows, though, equal rows are what one
expects, and keeping them together would take from every fold what it must learn. So
repeats are judged by how often chance would bring them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MOST_CHANCE = 0.02
"""Repeats that chance brings less often than this are one record: one pair in fifty may be a mistake, at little cost."""
MOST_LEVELS = 30
"""Different values of a column up to which its dependence upon another column is taken into account."""
LONG_NOTE = 60
"""Characters from which two equal notes are one that was copied."""
MOST_COPIES = 10
"""A text in more rows than this is a standard text that many patients get, and no copy."""
_ROWS_A_LEVEL = 20
_ROWS_TO_COMPARE = 5_000


@dataclass(frozen=True, slots=True)
class Repeats:
    """Which rows are copies: ``unit`` (n,) numbers what stays together; the counts are of rows that have a copy."""

    unit: Ints
    n_rows: int
    n_records: int


def repeats(columns: pd.DataFrame, outcome: Ints) -> Repeats | None:
    """Find rows equal in every column and the outcome that are too many for chance; None if there are none.

    How often chance makes a row is estimated from the table itself: each column given the
    column (or the outcome) it depends upon most (Chow & Liu 1968), so that columns that
    say the same are not counted twice; missing values prove nothing. With that
    probability, the number of rows equal to a given one is Poisson.
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
    copied = several[pdtrc(sizes[several] - 2, expected) < MOST_CHANCE]
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
    placed = [outcome]
    chance = np.bincount(outcome)[outcome[rows]] / n
    many: list[Ints] = []
    for codes in sorted(values, key=lambda c: int(c.max(initial=0))):
        known = codes >= 0
        n_levels = int(codes.max(initial=-1)) + 1
        if n_levels < 2:
            continue
        if n_levels <= few:
            given = placed[int(np.argmax([_shared(codes, other) for other in placed]))]
            placed.append(codes)
        elif n_levels <= n_records // 2 and any(_follows(codes, other) for other in many):
            continue
        else:
            given = np.zeros(n, dtype=np.int64)
            many += [codes] if n_levels <= n_records // 2 else []
        pair = (given + 1) * n_levels + codes
        both = np.bincount(pair[known], minlength=int(pair.max()) + 1)
        alone = np.bincount(given[known] + 1, minlength=int(given.max()) + 2)
        own = rows[known[rows]]
        chance[known[rows]] *= both[pair[own]] / alone[given[own] + 1]
    return np.asarray(chance)


def _shared(codes: Ints, other: Ints) -> float:
    """Return the mutual information of two columns, where both are known."""
    step = max(1, len(codes) // _ROWS_TO_COMPARE)
    a, b = codes[::step], other[::step]
    known = (a >= 0) & (b >= 0)
    if not known.any():
        return 0.0
    table = np.zeros((int(a.max()) + 1, int(b.max()) + 1))
    np.add.at(table, (a[known], b[known]), 1.0)
    table /= table.sum()
    expected = np.outer(table.sum(axis=1), table.sum(axis=0))
    there = table > 0
    return float((table[there] * np.log(table[there] / expected[there])).sum())


def _follows(codes: Ints, other: Ints) -> bool:
    """Whether a column is known from another: the same measurement in another unit, say."""
    pairs = len(np.unique(other * (int(codes.max()) + 2) + codes))
    return pairs == len(np.unique(other))
