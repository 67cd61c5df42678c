"""Which rows of a table are no patients: units and labels under the names, names again, summaries, notes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from medcore.data.reading.layout.headers import Row, is_measured_column
from medcore.data.reading.layout.marks import is_absent, is_measured, is_options, is_summary, is_unit, shape, unit_text
from medcore.i18n import N_, Message

Rows = Callable[[Sequence[int]], list[list[str]]]
N_LOOKED_AT = 300
"""Rows at the beginning, and again at the end, by which a row is judged to be like the others or not."""
MOST_UNDER_NAMES, MOST_FOOTERS, MOST_NOTES = 4, 40, 2000
NOTE_SHARE = 0.34
"""A note fills at most this share of a row's cells; a patient of whom so little is known looks like the others."""
FEWEST_LIKE, FEWEST_WHOLE, STRANGE = 5, 30, 2
"""Patients' rows by which a note is known; whole numbers from which on a column is one of whole numbers; strange cells that make a row a summary."""


@dataclass(slots=True)
class Aside:
    """Rows that are no patients, by what they are, and what the rows under the names say of each column."""

    units: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    footers: list[int] = field(default_factory=list)
    ruled: list[int] = field(default_factory=list)
    blank: list[int] = field(default_factory=list)
    unit_of: dict[int, str] = field(default_factory=dict)
    label_of: dict[int, str] = field(default_factory=dict)

    @property
    def rows(self) -> list[int]:
        """Every row that is set aside, in order."""
        return sorted({*self.units, *self.labels, *self.repeated, *self.footers, *self.ruled, *self.blank})

    def counts(self, n_storeys: int) -> dict[str, int]:
        """Return how many rows there are of each sort, titles above the names too, without those of which there are none."""
        sorts = {
            name: len(getattr(self, name)) for name in ("units", "labels", "repeated", "footers", "ruled", "blank")
        }
        return {name: n for name, n in {"titles": n_storeys - 1, **sorts}.items() if n > 0}

    def repairs(self, lines: np.ndarray[Any, np.dtype[np.int64]]) -> list[Message]:
        """Say what was set aside, and where; ``lines`` are the rows' numbers in the file."""
        said = (
            (self.units, N_("{n} row(s) of units under the column names are no patients: the units went to their columns.")),
            (self.labels, N_("{n} row(s) of labels under the column names are no patients: the labels went to their columns.")),
            (self.repeated, N_("{n} row(s) repeat the column names and were left out (first at row(s) {rows}).")),
            (self.footers, N_("{n} row(s) below or between the patients hold totals or notes and were left out (first at row(s) {rows}).")),
            (self.ruled, N_("{n} row(s) of dashes under the column names are no patients and were left out.")),
            (self.blank, N_("{n} row(s) without any value between the others were left out (first at row(s) {rows}).")),
        )  # fmt: skip
        return [
            Message(template, {"n": len(rows), "rows": [int(lines[r]) for r in sorted(rows)[:5]]})
            for rows, template in said
            if rows
        ]


def find_aside(
    names: Sequence[str],
    n_rows: int,
    rows_at: Rows,
    *,
    repeated: Sequence[int],
    blank: Sequence[int] = (),
    sparse: Sequence[int] = (),
) -> Aside:
    """Find the rows that are no patients.

    ``rows_at`` gives rows as texts ("" where empty) by their numbers from 0; ``repeated``
    are the rows equal to the names, ``blank`` those without any value, ``sparse``
    those with only one.
    """
    aside = Aside(repeated=list(repeated), blank=list(blank))
    if n_rows == 0 or len(names) < 2:
        return Aside()
    out = {*repeated, *blank}
    sample = sorted({*range(min(N_LOOKED_AT, n_rows)), *range(max(0, n_rows - N_LOOKED_AT), n_rows)} - out)
    usual = dict(zip(sample, rows_at(sample), strict=True))
    _under_names(aside, len(names), usual)
    for end in [*sorted(aside.repeated), n_rows]:
        _above(aside, end, n_rows, len(names), usual, rows_at)
    _again(aside, usual)
    _between(aside, [i for i in sparse if i not in {*aside.rows}][:MOST_NOTES], len(names), usual, rows_at)
    aside.blank = _beside_others(aside)
    return aside


def _beside_others(aside: Aside) -> list[int]:
    """Return the empty rows that part what is set aside from the patients.

    One with patients on both sides is a patient of whom nothing is known: left out, every
    prediction below it would stand beside the wrong row.
    """
    blank, others = {*aside.blank}, {*aside.rows} - {*aside.blank}
    kept: list[int] = []
    for step in (1, -1):
        for at in sorted(others):
            while (at := at + step) in blank:
                kept.append(at)
    return sorted({*kept})


def _between(aside: Aside, rows: Sequence[int], width: int, usual: Mapping[int, Row], rows_at: Rows) -> None:
    """Take notes and titles between the patients: rows of one cell that is unlike its column."""
    if not rows:
        return
    taken = {*aside.rows, *rows}
    judge = _Judge([row for i, row in usual.items() if i not in taken], width)
    aside.footers += [i for i, row in zip(rows, rows_at(rows), strict=True) if judge.is_note(row)]


def repeats(names: Sequence[str], columns: Sequence[pd.Series]) -> list[int]:
    """Find the rows whose cells are the names of their columns; ``columns`` hold texts, missing where empty."""
    named = [j for j, name in enumerate(names) if name.strip()]
    if len(named) < 2 or not len(columns[named[0]]):
        return []
    for j in named[:2]:
        found = np.flatnonzero((columns[j] == names[j]).fillna(False).to_numpy(dtype=bool))
        if len(found):
            break
    most = max(2, 0.8 * len(named))
    return [int(i) for i in found if sum(1 for j in named if _same(columns[j].iloc[i], names[j])) >= most]


def _same(cell: object, name: str) -> bool:
    return isinstance(cell, str) and cell.strip() == name.strip()


def _under_names(aside: Aside, width: int, usual: Mapping[int, Row]) -> None:
    """Take the rows of units and labels directly under the names."""
    for at in range(MOST_UNDER_NAMES):
        if at in aside.blank:
            continue
        row = usual.get(at)
        if row is not None and _is_ruled(row):
            aside.ruled.append(at)
            continue
        below = [r for i, r in usual.items() if i > at]
        if row is None or not below or any(map(is_measured, row)):
            return
        filled = [(j, c.strip()) for j, c in enumerate(row) if c.strip()]
        if any(_recurs(j, c, below) for j, c in filled):
            return
        measured = [is_measured_column(below, j) for j in range(width)]
        said = [(j, c) for j, c in filled if measured[j] and not is_absent(c)]
        n_units = sum(1 for _, c in said if is_unit(c))
        if n_units and n_units >= 0.6 * sum(1 for _, c in said if is_unit(c) or not is_options(c)):
            aside.units.append(at)
            aside.unit_of |= {j: unit_text(c) for j, c in said if is_unit(c)}
        elif len(said) >= max(2, 0.6 * sum(measured)) and len(filled) >= 0.6 * width:
            aside.labels.append(at)
            aside.label_of |= {j: c for j, c in filled if not is_options(c)}
        else:
            return


def _is_ruled(row: Row) -> bool:
    """Say whether a row is a line drawn under the names, as SQL clients and Markdown draw one."""
    filled = [cell.strip() for cell in row if cell.strip()]
    return len(filled) > 1 and all(len(cell) > 2 and not cell.strip("-=+:|") for cell in filled)


def _recurs(j: int, cell: str, rows: Sequence[Row]) -> bool:
    return any(row[j].strip() == cell for row in rows)


def _again(aside: Aside, usual: Mapping[int, Row]) -> None:
    """Take the row of units that comes again under names that come again."""
    for at in aside.repeated:
        for under in (usual[i] for i in aside.units if i in usual):
            if usual.get(at + 1) == under and at + 1 not in aside.units:
                aside.units.append(at + 1)


def _above(aside: Aside, end: int, n_rows: int, width: int, usual: Mapping[int, Row], rows_at: Rows) -> None:
    """Go up from the end of a block of rows over what stands below its patients."""
    look = range(max(0, end - MOST_FOOTERS), end)
    unseen = [i for i in look if i not in usual]
    block = {i: usual[i] for i in look if i in usual} | dict(
        zip(unseen, rows_at(unseen) if unseen else [], strict=True)
    )
    taken = {*aside.rows}
    others = [row for i, row in usual.items() if i not in taken and not look.start <= i < end]
    others += [row for i, row in block.items() if i not in taken]
    judge = _Judge(others, width)
    below = 0
    for at in reversed(look):
        if at in taken:
            below += at in aside.blank
            continue
        note = judge.is_note(block[at])
        if not (note or judge.is_summary(block[at]) or (judge.is_strange(block[at]) and (below or at == n_rows - 1))):
            return
        aside.footers.append(at)
        judge.forget(block[at])
        below += 1


class _Judge:
    """Says of a row whether it is like the patients' rows; what a column holds is looked at when it is first asked."""

    def __init__(self, rows: list[Row], width: int) -> None:
        self.most = max(1, min(4, NOTE_SHARE * width))
        self.rows = self.all_rows = [row for row in rows if sum(1 for c in row if c.strip()) > self.most]
        self.width = width
        self.measured = cache(lambda j: is_measured_column(self.all_rows, j))
        self.shapes = cache(lambda j: _shapes(self.all_rows, j))

    def forget(self, row: Row) -> None:
        """Leave a row out of those by which the others are judged."""
        self.rows = [r for r in self.rows if r is not row]

    def is_note(self, row: Row) -> bool:
        """Say whether a row has few cells, and these unlike their columns'."""
        filled = [(j, c.strip()) for j, c in enumerate(row) if c.strip()]
        if not filled or len(filled) > self.most or self.width < 3 or len(self.rows) < FEWEST_LIKE:
            return False
        alien = [self._is_alien(j, c) for j, c in filled]
        return any(alien) and all(a or is_measured(c) for a, (_, c) in zip(alien, filled, strict=True))

    def is_summary(self, row: Row) -> bool:
        """Say whether a row is named as a summary of those above and holds numbers else."""
        filled = [(j, c.strip()) for j, c in enumerate(row) if c.strip()]
        words = [(j, c) for j, c in filled if not is_measured(c) and not is_absent(c)]
        return bool(words) and is_summary(words[0][1]) and words[0][0] == filled[0][0] and self._is_alien(*words[0])

    def is_strange(self, row: Row) -> bool:
        """Say whether a row has numbers that no patient's can be, and nothing in the columns of words.

        Such are fractions where all others are whole numbers, and sums far beyond every other value.
        """
        if any(row[j].strip() and not self.measured(j) for j in range(self.width)):
            return False
        strange = 0
        for j in range(self.width):
            value = _number(row[j])
            if value is None:
                continue
            others = np.array([v for r in self.rows if r is not row and (v := _number(r[j])) is not None])
            if len(others) < FEWEST_WHOLE:
                continue
            fraction = value != round(value) and bool((others == np.round(others)).all())
            strange += fraction or bool(abs(value) > 5 * np.abs(others).max())
        return strange >= STRANGE

    def _is_alien(self, j: int, cell: str) -> bool:
        """Say whether a cell is a word among numbers, or a word of another make than all others of its column."""
        if is_measured(cell) or is_absent(cell):
            return False
        n_same = sum(1 for row in self.rows if row[j].strip() == cell)
        if n_same > 1:
            return False
        if self.measured(j):
            return True
        shapes = self.shapes(j)
        if is_summary(cell):
            return shapes.get(shape(cell), 0) <= max(1, 0.9 * sum(shapes.values()))
        many = len(shapes) > max(8, 0.2 * sum(shapes.values()))
        return not many and shapes.get(shape(cell), 0) <= 1 and len(cell) > 3


def _shapes(rows: Sequence[Row], j: int) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        if row[j].strip():
            key = shape(row[j])
            counts[key] = counts.get(key, 0) + 1
    return counts


def _number(cell: str) -> float | None:
    """Read a cell as a number; an infinite one is none that another could be far beyond."""
    try:
        value = float(cell.replace(",", ".")) if cell.strip() else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None
