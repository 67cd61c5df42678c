"""Checks of single values: impossible ones, unreadable ones, one thing in many spellings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from medcore.data.cohort import Column, Schema
from medcore.data.findings import Fix
from medcore.data.preparation.cells import tidy_text
from medcore.data.quality.checking.catalogue import MOST_NAMED, Hit, check, named, switch_on
from medcore.data.quality.checking.view import View
from medcore.data.quantities.ranges import mixed_units
from medcore.data.values.column import UNREADABLE
from medcore.data.values.numbers import parse_numbers
from medcore.data.values.typed import code_matches, read_values
from medcore.i18n import N_, Message

FAR = 20.0
FEWEST_VALUES_FOR_UNITS = 5
GAP_BETWEEN_UNITS = 1.3
FEWEST_MEASURED, MEASURED = 6, 0.3
"""So many different numbers, in such a share of its cells, make a column of categories look like a measurement."""
_CODE = r"^[A-Za-z]{1,2}[0-9]"


@check(
    "values.implausible",
    "warning",
    why=N_("A value that no living patient has is a typing error or another unit, and pulls the whole model."),
    remedy=N_(
        "Correct it at the source, or let it be treated as missing; widen the range in the column table if it is right."
    ),
)
def implausible(view: View) -> Iterator[Hit]:
    """Numbers outside a column's plausible range."""
    for column in view.schema.columns:
        if column.kind != "numeric" or column.name not in view.frame.columns:
            continue
        n = _n_outside(view, column)
        if n:
            yield Hit(
                message=Message(
                    N_("{n} value(s) of “{column}” lie outside the plausible range {low} to {high}."),
                    {"n": n, "column": column.name, "low": _bound(column.low), "high": _bound(column.high)},
                ),
                columns=(column.name,),
                n_rows=n,
                fix=None
                if view.recipe.is_on("implausible_values")
                else switch_on("implausible_values", N_("Treat them as missing")),
            )


@check(
    "values.mixed_units",
    "warning",
    why=N_("A value in another unit is many times too large or too small: the model reads it as an extreme patient."),
    remedy=N_("Convert these values at the source, where it is known which unit each was measured in."),
)
def in_two_units(view: View) -> Iterator[Hit]:
    """Values that are usual in another unit of the quantity that the column's name says."""
    for column in view.predictors:
        levels = view.levels(column.name)
        if column.kind != "numeric" or levels.numbers is None or levels.n < FEWEST_VALUES_FOR_UNITS:
            continue
        values = np.append(levels.numbers, np.nan)[levels.codes]
        found = mixed_units(column.name, values, unit=column.unit)
        if found is not None and _stand_apart(values, found.mask):
            n = int(found.mask.sum())
            yield Hit(
                message=Message(
                    N_("{n} value(s) of “{column}” look as if measured in {other} among values in {unit}."),
                    {"n": n, "column": column.name, "other": found.other.unit, "unit": found.main.unit},
                ),
                columns=(column.name,),
                n_rows=n,
            )


@check(
    "values.far_out",
    "info",
    why=N_("A value far from all others is often a typing error or another unit, sometimes the sickest patient."),
    remedy=N_("Look at these rows at the source. If they are errors, set a plausible range in the column table."),
)
def far_out(view: View) -> Iterator[Hit]:
    """Numbers far from the middle half, in columns without a plausible range."""
    found: dict[str, int] = {}
    for column in view.predictors:
        if column.kind == "numeric" and column.low is None and column.high is None:
            n = _n_far_out(view, column)
            if n:
                found[column.name] = n
    if found:
        yield Hit(
            message=Message(
                N_("{n} value(s) lie very far from all others, in {columns}."),
                {"n": sum(found.values()), "columns": named(found)},
            ),
            columns=tuple(found),
            n_rows=sum(found.values()),
        )


@check(
    "values.unreadable",
    "warning",
    why=N_("A cell that is no number among numbers, or no date among dates, cannot be used: the model fills it in."),
    remedy=N_("Correct the cells at the source, name the text as a code for missing, or make the column a category."),
)
def unreadable(view: View) -> Iterator[Hit]:
    """Texts among numbers or dates that are neither such a value nor a code for missing."""
    found: dict[str, int] = {}
    for column in view.schema.columns:
        if column.kind in ("numeric", "date") and column.name in view.frame.columns:
            n = _n_unreadable(view, column)
            if n:
                found[column.name] = n
    if found:
        yield Hit(
            message=Message(
                N_("{n} cell(s) among numbers or dates cannot be read as such, in {columns}."),
                {"n": sum(found.values()), "columns": named(found)},
            ),
            columns=tuple(found),
            n_rows=sum(found.values()),
        )


@check(
    "categories.untidy",
    "info",
    why=N_("A space, a tab or a full-width character makes two categories of one."),
    remedy=N_("They are tidied when the table is read; mend the source if you can."),
)
def untidy(view: View) -> Iterator[Hit]:
    """Cells with stray spaces, tabs or full-width characters in categories."""
    found: dict[str, int] = {}
    for column in _worded(view):
        cells = view.cells(column.name)
        bad = [tidy_text(text) not in (text, "") for text in cells.raw.to_pylist()]
        if any(bad):
            found[column.name] = int(cells.raw_counts[bad].sum())
    if found:
        yield Hit(
            message=Message(
                N_("{n} cell(s) have stray spaces, tabs or full-width characters, in {columns}."),
                {"n": sum(found.values()), "columns": named(found)},
            ),
            columns=tuple(found),
            n_rows=max(found.values()),
        )


@check(
    "categories.same_word",
    "warning",
    why=N_("Categories that differ only in capital letters are most likely one."),
    remedy=N_("Let capital letters be ignored, unless they mean something here."),
)
def same_word(view: View) -> Iterator[Hit]:
    """Categories that differ only in capital letters."""
    found = []
    for column in _worded(view):
        seen = Counter(word.casefold() for word in view.cells(column.name).words())
        if any(n > 1 for n in seen.values()):
            found.append(column.name)
    if found:
        yield Hit(
            message=Message(
                N_("{n} column(s) have categories that differ only in capital letters: {columns}."),
                {"n": len(found), "columns": named(found)},
            ),
            columns=tuple(found),
            fix=None if view.recipe.is_on("same_case") else switch_on("same_case", N_("Ignore capital letters")),
        )


@check(
    "categories.numbers",
    "info",
    why=N_("Numbers that stand for categories have no order; reading them as amounts would invent one."),
    remedy=N_("Keep it a category, or make it numeric in the column table if the numbers are amounts."),
)
def numbers(view: View) -> Iterator[Hit]:
    """Categories written as numbers that were read with little confidence."""
    found = [c.name for c in view.predictors if c.kind == "category" and c.confidence < 0.8 and _all_numbers(view, c)]
    if found:
        yield Hit(
            message=Message(
                N_("{n} column(s) of numbers are read as categories: {columns}."),
                {"n": len(found), "columns": named(found)},
            ),
            columns=tuple(found),
            fix=Fix(
                label=Message(N_("Read as numbers")),
                action="set_column",
                columns=tuple(found),
                values={"kind": "numeric"},
                each=len(found) <= MOST_NAMED,
            ),
        )


@check(
    "categories.amounts",
    "info",
    why=N_("If the numbers are codes, an amount makes a step from 1 to 2 count as much as one from 2 to 3."),
    remedy=N_("Make those that are codes categories; counts and grades stay numbers."),
)
def amounts(view: View) -> Iterator[Hit]:
    """Few different whole numbers that were read as amounts."""
    found = [c.name for c in view.predictors if c.maybe_codes]
    if found:
        yield Hit(
            message=Message(
                N_("{n} column(s) of a few whole numbers are read as amounts: {columns}."),
                {"n": len(found), "columns": named(found)},
            ),
            columns=tuple(found),
            fix=Fix(
                label=Message(N_("Read as categories")),
                action="set_column",
                columns=tuple(found),
                values={"kind": "category"},
                each=len(found) <= MOST_NAMED,
            ),
        )


@check(
    "categories.measured",
    "warning",
    why=N_(
        "As categories, 93 and 94 have nothing to do with each other: a measurement is lost because some of its cells are written otherwise."
    ),
    remedy=N_("Read it as numbers; the cells that are none are then counted and shown, and nothing else changes."),
)
def measured(view: View) -> Iterator[Hit]:
    """Categories of which many are different numbers: a measurement with other ways of writing among it."""
    for column in view.predictors:
        levels = view.levels(column.name)
        guessed = column.kind == "category" and column.confidence < 1
        if not guessed or levels.n < FEWEST_MEASURED or _all_numbers(view, column):
            continue
        cells = view.cells(column.name)
        readable = parse_numbers(cells.texts).readable
        codes = pc.match_substring_regex(cells.texts, _CODE).to_numpy(zero_copy_only=False).astype(bool)
        if (
            readable.sum() < FEWEST_MEASURED
            or (codes & ~readable).any()
            or cells.counts[readable].sum() < MEASURED * cells.counts.sum()
        ):
            continue
        n, total = int(cells.counts[readable].sum()), int(cells.counts.sum())
        yield Hit(
            message=Message(
                N_("“{column}” is read as categories, but {n} of its {total} cells are numbers, {k} different ones."),
                {"column": column.name, "n": n, "total": total, "k": int(readable.sum())},
            ),
            columns=(column.name,),
            n_rows=total - n,
            fix=Fix(
                label=Message(N_("Read as numbers")),
                action="set_column",
                columns=(column.name,),
                values={"kind": "numeric"},
            ),
        )


def _worded(view: View) -> list[Column]:
    kinds = ("category", "boolean")
    return [
        c for c in view.schema.columns if c.kind in kinds and c.role != "identifier" and c.name in view.frame.columns
    ]


def _n_outside(view: View, column: Column) -> int:
    levels = view.levels(column.name)
    if levels.numbers is None or (column.low is None and column.high is None):
        return 0
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    outside = (levels.numbers < low) | (levels.numbers > high)
    return int(levels.counts[outside].sum())


def _n_far_out(view: View, column: Column) -> int:
    levels = view.levels(column.name)
    if levels.numbers is None or levels.n < 20:
        return 0
    counts = levels.counts
    cumulative = np.cumsum(counts) / counts.sum()
    low, high = (levels.numbers[np.searchsorted(cumulative, q)] for q in (0.05, 0.95))
    spread = high - low
    if spread <= 0:
        return 0
    far = (levels.numbers < low - FAR * spread) | (levels.numbers > high + FAR * spread)
    return int(counts[far].sum())


def _n_unreadable(view: View, column: Column) -> int:
    if view.is_typed(column):
        status = read_values(view.frame[[column.name]], Schema((column,))).status[column.name]
        return int((status == UNREADABLE).sum())
    return int(view.cells(column.name).counts[view.texts(column.name).status == UNREADABLE].sum())


def _stand_apart(values: npt.NDArray[np.float64], foreign: npt.NDArray[np.bool_]) -> bool:
    """Tell whether the foreign values leave a gap to the others, as two units do and a wide distribution does not."""
    strange, others = values[foreign], values[~foreign & (values > 0)]
    above, below = others[others > strange.max()], others[others < strange.min()]
    if np.median(strange) < np.median(others):
        return bool(above.min(initial=np.inf) >= GAP_BETWEEN_UNITS * strange.max())
    return bool(below.max(initial=0.0) * GAP_BETWEEN_UNITS <= strange.min())


def _all_numbers(view: View, column: Column) -> bool:
    cells = view.cells(column.name)
    values = parse_numbers(cells.texts, decimal=None).value
    readable = ~np.isnan(values) | code_matches(column, cells.texts)
    return len(values) > 2 and bool(readable.all())


def _bound(value: float | None) -> str:
    return "−∞/∞" if value is None else f"{value:g}"
