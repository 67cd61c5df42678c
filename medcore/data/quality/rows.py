"""Checks of rows: the same row twice, the same patient in several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from medcore.data.findings import Fix
from medcore.data.quality.checking.catalogue import Hit, check, switch_on
from medcore.data.quality.checking.view import View
from medcore.data.schema.patients import patient_codes, patient_part
from medcore.data.splitting.repeats import repeats
from medcore.i18n import N_, Message

FEWEST_ROWS = 20
"""Ten folds with one row of each of two classes: with fewer rows, cross-validation is no longer possible."""
WIDER_THAN_LONG = 3
"""So many times more columns than rows, where the rows are that few: patients may stand in columns."""


@check(
    "rows.duplicate",
    "warning",
    why=N_(
        "A row that comes twice may be on both sides of a split, and the test then looks too good. Or they are two patients alike."
    ),
    remedy=N_("Look at the source: drop the repeats only if they are the same record; otherwise keep them."),
)
def duplicate(view: View) -> Iterator[Hit]:
    """Rows equal to an earlier one in every column, where chance does not explain it."""
    n = _n_copies(view, list(view.frame.columns))
    if n:
        yield Hit(
            message=Message(
                N_("{n} of {total} rows are equal to an earlier row in every column."), {"n": n, "total": view.n}
            ),
            n_rows=n,
            fix=switch_on("drop_duplicate_rows", N_("Drop the repeats")),
        )


@check(
    "rows.hardly_any",
    "error",
    why=N_(
        "From so few patients nothing can be learnt or judged; often a file was read wrongly, or only its first rows were exported."
    ),
    remedy=N_(
        "Look at the table itself: does it hold what you exported? Bring a table of at least some hundred patients."
    ),
)
def hardly_any(view: View) -> Iterator[Hit]:
    """Fewer rows than each of ten folds could hold one of each of two classes."""
    if view.n < FEWEST_ROWS:
        fix = Fix(
            label=Message(N_("Turn the table: patients stand in columns")),
            action="read_again",
            values={"patients_in": "columns"},
            option="--patients-in columns",
        )
        wide = view.frame.shape[1] > WIDER_THAN_LONG * view.n and not view.cohort.source.patients_in
        message = Message(N_("The table holds only {n} row(s)."), {"n": view.n})
        yield Hit(message=message, n_rows=view.n, fix=fix if wide else None)


@check(
    "rows.same_values",
    "info",
    why=N_("Different identifiers with the same values in all other columns may be one patient who was entered twice."),
    remedy=N_("Look at the source of these rows; mend the identifiers or leave the repeats out of the file."),
)
def same_values(view: View) -> Iterator[Hit]:
    """Rows equal in everything but identifiers, where chance does not explain it."""
    naming = {c.name for c in view.schema.columns if c.role in ("identifier", "group")}
    others = [str(c) for c in view.frame.columns if str(c) not in naming]
    if not naming or len(others) < 6:
        return
    n = _n_copies(view, others) - _n_copies(view, list(view.frame.columns))
    if n > 0:
        yield Hit(
            message=Message(N_("{n} rows equal an earlier row in everything but the identifier."), {"n": n}),
            n_rows=n,
        )


STAY_TOGETHER = N_("Nothing to do: rows of one patient stay on one side of the split, and intervals go by patient.")


@check(
    "patients.repeated",
    "warning",
    why=N_(
        "The same patient in training and test lets the model recognise instead of predict; intervals become too narrow too."
    ),
    remedy=N_("Give the column that names the patient the role “group”: splits and intervals then go by patient."),
)
def repeated(view: View) -> Iterator[Hit]:
    """Patients with several rows, by a column that names them or by part of its text."""
    group = view.schema.only("group")
    candidates = [group.name] if group else [c.name for c in view.schema.with_role("identifier")]
    for name in candidates:
        if name not in view.frame.columns:
            continue
        inside = patient_part(view.frame[name]) is not None
        hit = _repeated_hit(view, name, inside=inside, handled=group is not None)
        if hit:
            yield hit
    if group is None and not candidates:
        yield from _inside_text(view)


def _inside_text(view: View) -> Iterator[Hit]:
    for column in view.schema.columns:
        if column.kind in ("text", "category") and column.name in view.frame.columns:
            if patient_part(view.frame[column.name]) is None:
                continue
            hit = _repeated_hit(view, column.name, inside=True, handled=False)
            if hit:
                yield hit


def _repeated_hit(view: View, name: str, *, inside: bool, handled: bool) -> Hit | None:
    codes = patient_codes(view.frame[name])
    sizes = np.bincount(codes)
    n_repeated = int((sizes > 1).sum())
    if not n_repeated:
        return None
    values = {"column": name, "patients": len(sizes), "total": view.n, "n": n_repeated, "most": int(sizes.max())}
    if inside:
        message = Message(
            N_(
                "The patient is inside the text of “{column}”: {total} rows are of {patients} patients, {n} of them with several rows, up to {most}."
            ),
            values,
        )
    else:
        message = Message(
            N_("“{column}” names {patients} patients in {total} rows; {n} of them have several rows, up to {most}."),
            values,
        )
    return Hit(
        message=message,
        columns=(name,),
        n_rows=int(sizes[sizes > 1].sum()),
        severity="info" if handled else "warning",
        remedy=Message(STAY_TOGETHER) if handled else None,
        fix=None
        if handled
        else Fix(
            label=Message(N_("Split by this patient")),
            action="set_column",
            columns=(name,),
            values={"role": "group"},
        ),
    )


def _n_copies(view: View, columns: Sequence[str]) -> int:
    """Count rows equal to an earlier one, if they are too many for chance: in a table of two categories all have a like."""
    if not _n_repeats(view, columns):
        return 0
    outcome = view.schema.outcome
    name = outcome.name if outcome is not None and outcome.name in columns else None
    codes = np.zeros(view.n, dtype=np.int64) if name is None else view.cells(name).codes.astype(np.int64)
    found = repeats(view.frame[[c for c in columns if c != name]], codes - codes.min())
    return 0 if found is None else found.n_rows - found.n_records


def _n_repeats(view: View, columns: Sequence[str]) -> int:
    """Count rows equal to an earlier one, by 64-bit sums of a random number for each value."""
    if view.n < 2 or not columns:
        return 0
    rng = np.random.default_rng(0)
    key = np.zeros(view.n, dtype=np.uint64)
    for name in columns:
        cells = view.cells(str(name))
        weights = rng.integers(1, np.iinfo(np.int64).max, len(cells.texts) + 1, dtype=np.int64).astype(np.uint64)
        key += weights[cells.codes]
    return int(pd.Series(key).duplicated().sum())
