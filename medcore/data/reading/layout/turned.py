"""Tables that lie on their side: a patient in each column, and what was measured in each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from medcore.data.reading.layout.marks import is_absent, is_measured, is_unit, shape
from medcore.data.values.folding import text_array
from medcore.data.values.names import clean_names
from medcore.i18n import N_, Message

FEWEST_ROWS, FEWEST_COLUMNS, MOST_ROWS = 3, 8, 5_000
"""Fewer tell nothing; a table of more rows has no room for them as columns."""
LOOKED_AT, SOME = 60, 20
"""Rows and columns, spread over the table, by which it is judged first; and columns of all its rows where these look so."""
PURE, MOST = 0.9, 2 / 3
"""Share of a row's known cells that are of one sort, and share of the rows of which that is so, where patients stand in
columns; of the others cells are written in several ways, as 3天 and 半月 are."""
ALIKE = 0.9
"""Share of names that are of one make."""
MOST_LEVELS = 0.5
"""Share of a row's words that are different, at most, where they are what was found; else they may be labels of columns."""


def lies(frame: pd.DataFrame, wanted: str | None) -> bool:
    """Say whether a table is to be turned: as it is asked for ("rows" or "columns"), else as it looks."""
    return wanted == "columns" or (not wanted and patients_in_columns(frame))


def patients_in_columns(frame: pd.DataFrame) -> bool:
    """Say whether what was measured stands in rows: each row holds numbers or words, and some rows these, some those.

    Where patients stand in rows, each holds both, or none holds words. The first column must name the rows, each once, in words;
    and a row of words must say one thing of several patients and another of others: units and labels under the names
    of columns do not, nor does a patient of whom nothing could be measured.

    >>> lying = {"id": ["age", "sex", "died"]} | {f"P{i}": [str(40 + i), "fm"[i % 2], "no"] for i in range(9)}
    >>> patients_in_columns(pd.DataFrame(lying)), patients_in_columns(pd.DataFrame(lying).T.reset_index())
    (True, False)
    """
    if not (FEWEST_ROWS <= len(frame) <= MOST_ROWS and frame.shape[1] > FEWEST_COLUMNS):
        return False
    names = [name.strip() for name in _texts(frame.iloc[:, 0])]
    if not all(names) or len(set(names)) < len(names) or any(is_measured(n) or is_absent(n) for n in names):
        return False
    if _numbered_alike(names) and not _numbered_alike([str(name) for name in frame.columns[1:]]):
        return False  # patients stand in rows, by number
    first, columns = (frame.iloc[:, _spread(frame.shape[1], 1, most)] for most in (LOOKED_AT, SOME))
    if not _mostly_of_a_sort(_rows(first.iloc[_spread(len(frame), 0, LOOKED_AT)])):
        return False
    rows = _rows(columns)
    return (
        _mostly_of_a_sort(rows)
        and any(row.numbers > row.words for row in rows)
        and any(row.says_of_several for row in rows)
    )


def _numbered_alike(names: Sequence[str]) -> bool:
    """Whether nearly all names are of one make and hold a number, as P0001 does."""
    (commonest, n), *_others = Counter(map(shape, names)).most_common(1)
    return "9" in commonest and n >= ALIKE * len(names)


def _rows(cells: pd.DataFrame) -> list[_Line]:
    return [_Line.of(row) for row in zip(*(_texts(cells[name]) for name in cells.columns), strict=True)]


def _mostly_of_a_sort(rows: Sequence[_Line]) -> bool:
    of_a_sort = sum(max(row.numbers, row.words) >= PURE * (row.numbers + row.words) for row in rows)
    return of_a_sort >= MOST * len(rows)


@dataclass(frozen=True, slots=True)
class _Line:
    """How many cells of a row are numbers or dates, how many are words, how many different ones, and how many of these are units."""

    numbers: int
    words: int
    n_different: int
    n_units: int

    @classmethod
    def of(cls, cells: Sequence[str]) -> _Line:
        known = [cell for cell in cells if cell.strip() and not is_absent(cell)]
        words = [cell for cell in known if not is_measured(cell)]
        return cls(len(known) - len(words), len(words), len(set(words)), sum(len(w) > 1 and is_unit(w) for w in words))

    @property
    def says_of_several(self) -> bool:
        """Whether it is of words that come again, several of them, and are no units; F and M are none."""
        mostly = self.words >= PURE * (self.numbers + self.words) and self.words > max(1, 2 * self.n_units)
        return mostly and 2 <= self.n_different <= MOST_LEVELS * self.words


def turn(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Message]]:
    """Stand a table up: its first column's cells are the names, and each other column becomes a row, all as texts.

    The names of the patients' columns stand first, under the name of the first column.
    """
    names, repairs = clean_names([str(frame.columns[0]), *_texts(frame.iloc[:, 0])])
    patients = [[str(column), *text_array(frame[column]).to_pylist()] for column in frame.columns[1:]]
    columns = (pd.array(list(cells), dtype="str") for cells in zip(*patients, strict=True))
    turned = pd.DataFrame(dict(zip(names, columns, strict=True)))
    turned.attrs.update(frame.attrs)
    said = N_("The patients stood in columns and what was measured of them in rows: the table was turned, {n} rows.")
    return turned, [Message(said, {"n": len(turned)}), *repairs]


def _spread(n: int, first: int, most: int) -> list[int]:
    return sorted({*np.linspace(first, n - 1, min(most, n - first)).round().astype(int).tolist()})


def _texts(cells: pd.Series[Any]) -> list[str]:
    return [str(cell or "") for cell in text_array(cells).to_pylist()]
