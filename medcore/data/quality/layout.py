"""Checks of what a row is: a patient, a result, or a line under a merged cell."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from medcore.data.cohort import Column
from medcore.data.findings import Fix
from medcore.data.quality.checking.catalogue import Hit, check
from medcore.data.quality.checking.view import View
from medcore.data.schema.long import propose_pivot
from medcore.data.schema.names import says
from medcore.i18n import N_, Message

LEAST_BLANK, FEWEST_RUNS = 0.2, 3
"""Share of rows without an identifier, and groups of such rows, from which on they may be under merged cells."""


@check(
    "table.long",
    "error",
    why=N_("The model would take each result for a patient, with the same patient on both sides of the split."),
    remedy=N_(
        "Make one row of each patient's results: choose what is taken of several (first, last, highest and so on)."
    ),
)
def long(view: View) -> Iterator[Hit]:
    """Tables of one row a result."""
    pivot = propose_pivot(view.frame, view.schema) if view.schema.pivot is None else None
    if pivot is None:
        return
    n_patients = int(view.frame[pivot.patient].nunique())
    yield Hit(
        message=Message(
            N_(
                "Each row is one result and no patient: “{analyte}” says what was measured, “{value}” the result, and {rows} rows are of {patients} patients."
            ),
            {"analyte": pivot.analyte, "value": pivot.value, "rows": view.n, "patients": n_patients},
        ),
        columns=pivot.columns,
        n_rows=view.n,
        fix=Fix(
            label=Message(N_("Make one row a patient")),
            action="read_again",
            values={"pivot": pivot.to_dict()},
            option=pivot.option(),
        ),
    )


@check(
    "patients.blank",
    "warning",
    why=N_(
        "Rows under a merged cell belong to the patient above; read alone, each is a new patient, on both sides of a split."
    ),
    remedy=N_(
        "If the rows without an identifier belong to the one above, let them take its value; else fill in the identifiers."
    ),
)
def blank(view: View) -> Iterator[Hit]:
    """Find identifiers that stand only in the first of a patient's rows."""
    for column in view.schema.columns:
        if column.name not in view.frame.columns or not _names_patients(column):
            continue
        cells = view.cells(column.name)
        empty = cells.codes < 0
        n_empty = int(empty.sum())
        if not len(empty) or empty[0] or n_empty < LEAST_BLANK * view.n or not _each_once(cells.counts):
            continue
        runs = int((np.diff(empty.astype(np.int8)) == 1).sum())
        if runs < FEWEST_RUNS or runs < 0.5 * (view.n - n_empty):
            continue
        yield Hit(
            message=Message(
                N_(
                    "“{column}” is empty in {n} of {total} rows, each time below a row that has it, as under merged cells."
                ),
                {"column": column.name, "n": n_empty, "total": view.n},
            ),
            columns=(column.name,),
            n_rows=n_empty,
            fix=Fix(
                label=Message(N_("Take the value above")),
                action="read_again",
                values={"fill_down": [column.name]},
                option=f'--fill-down "{column.name}"',
            ),
        )


def _names_patients(column: Column) -> bool:
    return column.role in ("identifier", "group") or says(column.name, "patient") or says(column.name, "identifier")


def _each_once(counts: np.ndarray) -> bool:
    return len(counts) > FEWEST_RUNS and float((counts == 1).mean()) > 0.95
