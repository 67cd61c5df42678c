"""What was mended between a file and its numbers: each repair, with the cells and rows it touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from medcore.data.cohort import Cohort, Schema
from medcore.data.parts import with_parts
from medcore.data.values.column import CODED, UNUSED, WORDED
from medcore.data.values.typed import Typed, read_values
from medcore.i18n import N_, Message

Rows = np.ndarray[Any, np.dtype[np.bool_]]
MOST_NAMED = 8
_SAID: Mapping[str, str] = {
    "unit": N_("{cells} cell(s) in {rows} row(s) were in another unit and were converted, in {columns}."),
    "limit": N_(
        "{cells} cell(s) in {rows} row(s) give a limit or an approximate value, as <0.1, 90+ or ca. 5 do, and count as the number they name, in {columns}."
    ),
    "range": N_("{cells} cell(s) in {rows} row(s) give a range, as 30-35 does, and count as its middle, in {columns}."),
    "mark": N_(
        "{cells} cell(s) in {rows} row(s) carry a footnote, a flag, a range of reference or a minus behind, in {columns}."
    ),
    "serial": N_(
        "{cells} cell(s) in {rows} row(s) are a spreadsheet's day numbers, or seconds since 1970, read as dates, in {columns}."
    ),
    "era": N_(
        "{cells} cell(s) in {rows} row(s) have years of another era, as 民國112年 does, and were converted, in {columns}."
    ),
    "spelling": N_("{cells} cell(s) in {rows} row(s) are spelled as the column's other cells are, in {columns}."),
    "empty": N_("{cells} cell(s) in {rows} row(s) are empty and count as no, in {columns}."),
    "missing": N_("{cells} cell(s) in {rows} row(s) say that nothing was recorded and count as missing, in {columns}."),
    "unused": N_("{cells} cell(s) in {rows} row(s) were given and cannot be used, in {columns}."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """One kind of repair: what was done, in how many cells and rows, in which columns.

    ``kind`` is ``table`` for what was done to the file's layout, whose message has its own counts.
    ``rows`` (n,) marks the rows that were touched, where they are those of the table as it was read.
    """

    kind: str
    message: Message
    n_cells: int = 0
    n_rows: int = 0
    columns: tuple[str, ...] = ()
    rows: Rows | None = field(default=None, repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form with the sentence in the current language."""
        return {
            "kind": self.kind,
            "message": str(self.message),
            "n_cells": self.n_cells,
            "n_rows": self.n_rows,
            "columns": list(self.columns),
        }


def total(mends: Sequence[Mend]) -> tuple[int, int]:
    """Count the cells that were mended, and the rows that hold at least one of them."""
    masks = [m.rows for m in mends if m.rows is not None]
    rows = int(np.logical_or.reduce(masks).sum()) if masks else 0
    return sum(m.n_cells for m in mends), rows


def mended(cohort: Cohort, schema: Schema | None = None) -> tuple[Mend, ...]:
    """Say what was mended in a table: its layout, then its cells as ``schema`` (that of a model, say) reads them."""
    schema = cohort.schema if schema is None else schema
    used = Schema(tuple(c for c in schema.columns if c.role not in ("ignored", "identifier")))
    read = read_values(with_parts(cohort.frame, schema.readings), used)
    table = (Mend(kind="table", message=message) for message in cohort.repairs)
    return (*table, *(_mend(kind, read) for kind in _SAID if _touched(kind, read)))


def mended_of(cohort: Cohort, model: Schema) -> tuple[Mend, ...]:
    """Say what was mended in a table of new patients in the columns that a model reads."""
    wanted = tuple(c for c in model.columns if c.role in ("predictor", "outcome", "time"))
    return mended(cohort, Schema(wanted))


def _touched(kind: str, read: Typed) -> dict[str, Rows]:
    if kind == "missing":
        found = {name: np.isin(status, (CODED, WORDED)) for name, status in read.status.items()}
    elif kind == "unused":
        found = {name: np.isin(status, list(UNUSED)) for name, status in read.status.items()}
    else:
        found = {name: masks[kind] for name, masks in read.mended.items() if kind in masks}
    return {name: mask for name, mask in found.items() if mask.any()}


def _mend(kind: str, read: Typed) -> Mend:
    found = _touched(kind, read)
    cells = sum(int(mask.sum()) for mask in found.values())
    touched: Rows = np.logical_or.reduce(list(found.values()))
    rows = int(touched.sum())
    names = list(found)
    shown = names if len(names) <= MOST_NAMED else [*names[:MOST_NAMED], "…"]
    message = Message(_SAID[kind], {"cells": cells, "rows": rows, "columns": shown})
    return Mend(kind=kind, message=message, n_cells=cells, n_rows=rows, columns=tuple(names), rows=touched)
