"""Checks of columns by themselves: those that say nothing, too much, or the same twice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from medcore.data.cohort import Column
from medcore.data.findings import Fix
from medcore.data.quality.checking.boxes import ticked_or_empty
from medcore.data.quality.checking.catalogue import MOST_NAMED, Hit, check, ignore, named
from medcore.data.quality.checking.view import Levels, View
from medcore.i18n import N_, Message

NEAR_CONSTANT = 0.99
MANY_LEVELS = 30
CORRELATED = 0.95
ROWS_FOR_CORRELATION = 5000
PAIRS_NAMED = 5


@check(
    "columns.constant",
    "warning",
    why=N_("A column with one value cannot tell patients apart."),
    remedy=N_("Leave it out, or find out why the file holds one value only."),
)
def constant(view: View) -> Iterator[Hit]:
    """Columns that are empty or have one value."""
    empty = [c.name for c in view.predictors if view.levels(c.name).n == 0]
    ticked = ticked_or_empty(view)
    one = [c.name for c in view.predictors if view.levels(c.name).n == 1 and c.name not in ticked]
    unused = [c.name for c in view.schema.with_role("ignored") if c.name in view.frame and not view.levels(c.name).n]
    if unused:
        yield Hit(
            message=Message(
                N_("{n} column(s) are empty and not used: {columns}."), {"n": len(unused), "columns": named(unused)}
            ),
            columns=tuple(unused),
            severity="info",
        )
    if empty:
        yield Hit(
            message=Message(N_("{n} column(s) are empty: {columns}."), {"n": len(empty), "columns": named(empty)}),
            columns=tuple(empty),
            fix=ignore(empty),
        )
    if one:
        yield Hit(
            message=Message(
                N_("{n} column(s) have one value in every row: {columns}."), {"n": len(one), "columns": named(one)}
            ),
            columns=tuple(one),
            fix=ignore(one),
        )


@check(
    "columns.boxes",
    "warning",
    why=N_(
        "An empty box says no; read as missing, it says that nobody asked, and half the table seems not to have been recorded."
    ),
    remedy=N_("Read an empty cell as no, if the question was put to every patient; new patients are read so too."),
)
def boxes(view: View) -> Iterator[Hit]:
    """Columns that hold one word or nothing, as boxes do that are ticked or left empty."""
    found = ticked_or_empty(view)
    if found:
        n = max(int(view.levels(name).missing.sum()) for name in found)
        yield Hit(
            message=Message(
                N_("{n} column(s) hold one word or nothing, as a box that is ticked or left empty: {columns}."),
                {"n": len(found), "columns": named(found)},
            ),
            columns=tuple(found),
            n_rows=n,
            fix=Fix(
                label=Message(N_("Read an empty cell as no")),
                action="empty_is_no",
                columns=tuple(found),
                values={"words": found},
                option=f'--empty-is-no "{",".join(found)}"',
                each=len(found) <= MOST_NAMED,
            ),
        )


@check(
    "columns.near_constant",
    "info",
    why=N_("A few patients carry all that such a column can say; what is learnt from them is mostly chance."),
    remedy=N_("Keep it when the rare value matters clinically; leave it out otherwise."),
)
def near_constant(view: View) -> Iterator[Hit]:
    """Predictors of which nearly all rows have one value."""
    found = []
    for column in view.predictors:
        counts = view.levels(column.name).counts
        if len(counts) >= 2 and counts.max() >= NEAR_CONSTANT * counts.sum():
            found.append(column.name)
    if found:
        yield Hit(
            message=Message(
                N_("{n} column(s) have one value in at least 99 % of rows: {columns}."),
                {"n": len(found), "columns": named(found)},
            ),
            columns=tuple(found),
            fix=ignore(found),
        )


@check(
    "columns.many_levels",
    "warning",
    why=N_(
        "Each category becomes its own column in the model; with few patients each, the model learns them by heart."
    ),
    remedy=N_("Group the categories clinically before upload, or leave the column out."),
)
def many_levels(view: View) -> Iterator[Hit]:
    """Categories of very many different values."""
    found = {c.name: view.levels(c.name).n for c in view.predictors if c.kind == "category"}
    found = {name: n for name, n in found.items() if n > MANY_LEVELS}
    if found:
        yield Hit(
            message=Message(
                N_("{n} column(s) have more than {most} categories, up to {levels}: {columns}."),
                {"n": len(found), "most": MANY_LEVELS, "levels": max(found.values()), "columns": named(found)},
            ),
            columns=tuple(found),
        )


@check(
    "columns.identifier",
    "warning",
    why=N_(
        "A number that names a patient or a visit follows the order of admission, and means nothing in a new patient."
    ),
    remedy=N_("Mark it as an identifier; it is then not used as a predictor."),
)
def identifier(view: View) -> Iterator[Hit]:
    """Predictors that have a different value in every row, as names and running numbers do."""
    found = [c.name for c in view.predictors if _names_rows(c, view.levels(c.name), view.n)]
    if found:
        yield Hit(
            message=Message(
                N_("{n} predictor(s) look like an identifier, a different value in every row: {columns}."),
                {"n": len(found), "columns": named(found)},
            ),
            columns=tuple(found),
            n_rows=view.n,
            fix=Fix(
                label=Message(N_("Mark as identifier")),
                action="set_column",
                columns=tuple(found),
                values={"role": "identifier"},
            ),
        )


@check(
    "columns.date",
    "info",
    why=N_("A calendar date does not come back in new patients; a model would learn the calendar."),
    remedy=N_(
        "Intervals between dates are used where there are two or more; give the column the role “time” to split by it."
    ),
)
def date(view: View) -> Iterator[Hit]:
    """Dates among the predictors."""
    found = [c.name for c in view.predictors if c.kind == "date"]
    if found:
        yield Hit(
            message=Message(
                N_("{n} date(s) are among the predictors: {columns}."), {"n": len(found), "columns": named(found)}
            ),
            columns=tuple(found),
            fix=ignore(found),
        )


@check(
    "columns.correlated",
    "info",
    why=N_("Columns that say the same share their weight arbitrarily: contributions and coefficients become unstable."),
    remedy=N_("Keep the one that is measured most reliably, or read their contributions together."),
)
def correlated(view: View) -> Iterator[Hit]:
    """Pairs of numeric predictors of nearly the same rank order (Spearman)."""
    columns = [c for c in view.predictors if c.kind == "numeric" and view.levels(c.name).n > 2]
    if len(columns) < 2:
        return
    pairs = _correlated_pairs(view, columns)
    if pairs:
        members = sorted({name for pair in pairs for name in pair})
        yield Hit(
            message=Message(
                N_("{n} pair(s) of columns rise and fall together (rank correlation above 0.95), such as {pairs}."),
                {"n": len(pairs), "pairs": [f"{a} – {b}" for a, b in pairs[:PAIRS_NAMED]]},
            ),
            columns=tuple(members),
        )


def _correlated_pairs(view: View, columns: list[Column]) -> list[tuple[str, str]]:
    rows = np.arange(view.n)
    if view.n > ROWS_FOR_CORRELATION:
        rows = np.sort(np.random.default_rng(0).choice(view.n, ROWS_FOR_CORRELATION, replace=False))
    ranks = np.stack([_ranks(view.levels(c.name), rows) for c in columns])
    here = ~np.isnan(ranks)
    centred = np.where(here, ranks - np.nanmean(np.where(here.any(axis=1)[:, None], ranks, 0), axis=1)[:, None], 0)
    both = here.astype(float) @ here.T.astype(float)
    squares = (centred**2) @ here.T.astype(float)
    scale = np.sqrt(squares * squares.T)
    r = np.divide(centred @ centred.T, scale, out=np.zeros_like(scale), where=scale > 0)
    left, right = np.where((np.abs(np.triu(r, 1)) > CORRELATED) & (both >= 30))
    order = np.argsort(-np.abs(r[left, right]), kind="stable")
    return [(columns[left[i]].name, columns[right[i]].name) for i in order]


def _ranks(levels: Levels, rows: np.ndarray) -> np.ndarray:
    """Return mid-ranks of the chosen rows, NaN where missing."""
    codes = levels.codes[rows]
    counts = np.bincount(codes[codes >= 0], minlength=levels.n)
    middle = np.cumsum(counts) - (counts - 1) / 2
    return np.asarray(np.append(middle, np.nan)[codes])


def _names_rows(column: Column, levels: Levels, n: int) -> bool:
    if n < 20 or levels.missing.any():
        return False
    if column.kind in ("category", "text"):
        return levels.n == n and column.kind == "category"
    if column.kind != "numeric" or levels.numbers is None or levels.n < n:
        return False
    whole = bool((levels.numbers == np.round(levels.numbers)).all())
    steps = np.diff(levels.codes)
    return whole and bool((steps > 0).mean() > 0.95 or levels.numbers.max() >= 1e5)
