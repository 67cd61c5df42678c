"""Cells read once: what a text means in a column never changes, and most texts came before.

Reading a table costs 15 ms however few rows it has, most of it between one column and the next; a text that
came before costs a look into a dictionary. Texts that did not come before are read as ever, those of their
columns side by side, so that there is one reading and this file knows nothing of it.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from medcore.data.cohort import Column
from medcore.data.preparation.given import Unused
from medcore.data.preparation.replay import needed_columns
from medcore.features import Rows
from medcore.models.bundle.bundle import Bundle

MOST_KNOWN = 5_000
"""Texts of one column that are kept; where there are more, they are forgotten and read again (some 1 MB a column)."""
MOST_ROWS = 1_000
"""More rows than this are read as a table, whose cost by the row is less."""
APART = frozenset({"numeric", "category", "boolean"})
"""Kinds of columns whose cells are read each for itself: dates are counted from another column, notes and series are long."""

_Text = str | None
_Read = tuple[float, str]
"""The code of a cell, and why what was given was not used; empty where it was."""


class CellReader:
    """Reads the cells of new patients as a bundle does; safe to share between threads."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._names = needed_columns(bundle.schema, bundle.recipe)
        columns = [bundle.schema[name] for name in self._names]
        self._apart = set(self._names) == set(bundle.predictors) and all(map(_reads_cell_by_cell, columns))
        self._known: dict[str, dict[_Text, _Read]] = {name: {} for name in self._names}
        self._reading = threading.Lock()

    def read(self, cells: Mapping[str, Sequence[_Text]]) -> tuple[Rows, list[tuple[str, ...]]]:
        """Return rows ``(n, P)`` and flags of cells by column, as :meth:`Bundle.encode_flagged` does of their table."""
        n = len(next(iter(cells.values())))
        if not self._apart or n > MOST_ROWS:
            return self._bundle.encode_flagged(_table(cells))
        with self._reading:
            self._learn({name: self._unknown(name, set(cells[name])) for name in self._names})
            found = {name: [self._known[name][text] for text in cells[name]] for name in self._names}
        codes = np.array([[code for code, _why in found[name]] for name in self._bundle.predictors]).T
        reasons = {name: [why for _code, why in read] for name, read in found.items()}
        unused = {name: np.array(why, dtype=object) for name, why in reasons.items() if any(why)}
        rows = Rows.of(codes)
        return rows, self._bundle.flags_of(rows, Unused(unused))

    def _unknown(self, name: str, texts: set[_Text]) -> list[_Text]:
        """Return which texts of a column are still to be read; where too many are known they are forgotten."""
        known = self._known[name]
        if len(known) + len(texts) > MOST_KNOWN:
            known.clear()
        return [text for text in texts if text not in known]

    def _learn(self, unknown: Mapping[str, Sequence[_Text]]) -> None:
        """Read texts that did not come before; those of different columns stand in one row, and do not know one another."""
        n = max(map(len, unknown.values()))
        if not n:
            return
        bundle = self._of_columns({name for name, texts in unknown.items() if texts})
        texts = {name: [*unknown[name], *[None] * (n - len(unknown[name]))] for name in bundle.predictors}
        found = bundle.read(_table(texts))
        for place, name in enumerate(bundle.predictors):
            codes = found.rows.codes[:, place].tolist()
            read = {text: (codes[row], found.unused.reason(name, row)) for row, text in enumerate(unknown[name])}
            self._known[name].update(read)

    def _of_columns(self, names: Collection[str]) -> Bundle:
        """Return a bundle that reads some of the columns and nothing else: reading takes a millisecond a column."""
        codebook = self._bundle.codebook.only(np.isin(self._bundle.predictors, list(names)))
        columns = tuple(column for column in self._bundle.schema.columns if column.name in names)
        return replace(self._bundle, codebook=codebook, schema=replace(self._bundle.schema, columns=columns))


def _reads_cell_by_cell(column: Column) -> bool:
    reading = column.reading
    return column.kind in APART and reading is not None and not reading.part_of


def _table(cells: Mapping[str, Sequence[_Text]]) -> pd.DataFrame:
    return pd.DataFrame(dict(cells), dtype="str")
