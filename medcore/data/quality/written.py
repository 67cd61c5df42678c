"""Checks of how cells are written: units, words among numbers, dates of two orders, pairs, lists, spoilt codes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from medcore.data.cohort import Column
from medcore.data.findings import Fix
from medcore.data.parts import JOINED, LETTERED, example_of, names_of_parts
from medcore.data.quality.checking.catalogue import Hit, check, named, set_column
from medcore.data.quality.checking.view import View
from medcore.data.schema.roles import ROUNDED
from medcore.data.values.column import CODED, UNKNOWN_UNIT, UNREADABLE
from medcore.data.values.numbers import learn_marks, parse_numbers
from medcore.i18n import N_, Message

FEWEST_ROWS_SHOWN = 5
"""Words of fewer rows are not shown: they may be a patient's own."""
NOTABLE_WORDS, MANY_LISTS, MOSTLY_PAIRS = 0.05, 0.1, 0.5
_LIST = r"^[A-Za-z]?[A-Za-z0-9][A-Za-z0-9.\-]*(?:\s*[;|]\s*[A-Za-z0-9.\-]+)+\s*;?$"


@check(
    "values.unknown_unit",
    "warning",
    why=N_("A number in a unit that cannot be converted is not used: 5 tablets are no number of milligrams."),
    remedy=N_("Write the column in one unit at the source."),
)
def unknown_unit(view: View) -> Iterator[Hit]:
    """Numbers with a unit that does not convert into the column's."""
    for column in _written(view, "numeric"):
        at = view.texts(column.name).status == UNKNOWN_UNIT
        if at.any():
            n = int(view.cells(column.name).counts[at].sum())
            yield Hit(
                message=Message(
                    N_("{n} cell(s) of “{column}” are in {units}, which cannot be converted into {unit}."),
                    {"n": n, "column": column.name, "units": _units(view, column, at), "unit": column.unit or "–"},
                ),
                columns=(column.name,),
                n_rows=n,
            )


@check(
    "values.converted",
    "info",
    why=N_("Values in several units are one measurement only once they are in one of them."),
    remedy=N_("Check that the unit in the column table is the one you mean; new patients are converted into it too."),
)
def converted(view: View) -> Iterator[Hit]:
    """Numbers whose unit stands in the cell and was converted."""
    for column in _written(view, "numeric"):
        at = view.texts(column.name).mended.get("unit")
        if at is not None and at.any():
            n = int(view.cells(column.name).counts[at].sum())
            yield Hit(
                message=Message(
                    N_("{n} cell(s) of “{column}” are in {units} and were converted into {unit}."),
                    {"n": n, "column": column.name, "units": _units(view, column, at), "unit": column.unit or "–"},
                ),
                columns=(column.name,),
                n_rows=n,
            )


@check(
    "values.words_among_numbers",
    "warning",
    why=N_("The words are no numbers, so the model fills these values in, though something was known of the patients."),
    remedy=N_(
        "If the words mean that nothing was measured, name them as codes for missing; if they are results, read the column as categories."
    ),
)
def words_among_numbers(view: View) -> Iterator[Hit]:
    """Columns of numbers in which many cells say something else."""
    for column in _written(view, "numeric"):
        cells, at = view.cells(column.name), view.texts(column.name).status == UNREADABLE
        n, total = int(cells.counts[at].sum()), int(cells.counts.sum())
        if n > NOTABLE_WORDS * total and n >= FEWEST_ROWS_SHOWN:
            words = [
                w
                for w, k in zip(cells.texts.filter(pa.array(at)).to_pylist(), cells.counts[at], strict=True)
                if k >= FEWEST_ROWS_SHOWN
            ]
            yield Hit(
                message=Message(
                    N_("“{column}” is read as numbers, but {n} of its {total} cells say something else: {words}."),
                    {"column": column.name, "n": n, "total": total, "words": named(words) or ["…"]},
                ),
                columns=(column.name,),
                n_rows=n,
                fix=set_column(column, N_("Read as categories"), kind="category", low=None, high=None),
            )


@check(
    "values.unclear_marks",
    "info",
    why=N_("1,234 may be one thousand or a little more than one; nothing in this column tells which."),
    remedy=N_("Say which mark is the decimal one if the numbers look wrong."),
)
def unclear_marks(view: View) -> Iterator[Hit]:
    """Numbers of three digits behind a mark that nothing proves to be one of thousands."""
    for column in _written(view, "numeric"):
        reading = column.reading
        if reading is None or not reading.thousands:
            continue
        texts = view.cells(column.name).texts
        at = np.asarray(pc.match_substring_regex(texts, rf"^[1-9][0-9]{{0,2}}[{reading.thousands}][0-9]{{3}}$"))
        if learn_marks(texts).certain or not at.any():
            continue
        n = int(view.cells(column.name).counts[at].sum())
        yield Hit(
            message=Message(
                N_("{n} cell(s) of “{column}” are read as thousands, such as 1{mark}234 as 1234."),
                {"n": n, "column": column.name, "mark": reading.thousands},
            ),
            columns=(column.name,),
            n_rows=n,
            fix=set_column(
                column,
                N_("Read the mark as the decimal mark"),
                reading=replace(reading, decimal=reading.thousands, thousands=""),
            ),
        )


@check(
    "columns.rounded_codes",
    "error",
    why=N_("A spreadsheet has rounded these long numbers: different patients now have the same one."),
    remedy=N_("Export the table again with this column as text; what was rounded cannot be restored."),
)
def rounded_codes(view: View) -> Iterator[Hit]:
    """Codes such as 2.02E+16 that a spreadsheet has spoilt."""
    for column in view.schema.columns:
        if column.name not in view.frame.columns or column.kind not in ("category", "text"):
            continue
        cells = view.cells(column.name)
        words = [str(w) for w in cells.texts.slice(0, 200).to_pylist()]
        if words and all(ROUNDED.match(w) for w in words):
            yield Hit(
                message=Message(
                    N_(
                        "“{column}” holds long numbers rounded by a spreadsheet; {n} rows have only {k} different ones."
                    ),
                    {"column": column.name, "n": int(cells.counts.sum()), "k": len(cells.texts)},
                ),
                columns=(column.name,),
                n_rows=int(cells.counts.sum()),
            )


@check(
    "columns.pairs",
    "warning",
    why=N_("Several measurements in one cell are no number: the model sees a word, or nothing."),
    remedy=N_("Split the column, one for each measurement; new patients are split in the same way."),
)
def pairs(view: View) -> Iterator[Hit]:
    """Columns whose cells hold several numbers, such as a blood pressure of 120/80 or a coma scale of E4V5M6."""
    for column in view.schema.columns:
        if column.kind not in ("category", "text") or column.role not in ("predictor", "ignored", "sensitive"):
            continue
        if column.name not in view.frame.columns or any(_is_part(c, column.name) for c in view.schema.columns):
            continue
        cells = view.cells(column.name)
        several = pc.match_substring_regex(cells.texts, f"{JOINED}|{LETTERED}")
        at = np.asarray(several.to_numpy(zero_copy_only=False), dtype=bool)
        n, total = int(cells.counts[at].sum()), int(cells.counts.sum())
        if n <= MOSTLY_PAIRS * total or int(at.sum()) <= 2:
            continue
        parts = names_of_parts(cells.texts.filter(several).to_pylist(), cells.counts[at].tolist())
        if parts:
            yield Hit(
                message=Message(
                    N_("{n} cell(s) of “{column}” hold {k} numbers, as in {example}; they are not used as numbers."),
                    {"n": n, "column": column.name, "k": len(parts), "example": example_of(parts)},
                ),
                columns=(column.name,),
                n_rows=n,
                fix=Fix(
                    label=Message(N_("Split into {k} columns"), {"k": len(parts)}),
                    action="split_column",
                    columns=(column.name,),
                    values={"parts": parts},
                ),
            )


@check(
    "columns.lists",
    "warning",
    why=N_("Each combination of codes is a category of its own, so that one disease is many categories."),
    remedy=N_("Make a yes-or-no column of each code that matters before upload, or leave the column out."),
)
def lists(view: View) -> Iterator[Hit]:
    """Columns whose cells list several codes."""
    for column in view.predictors:
        if column.kind not in ("category", "text"):
            continue
        cells = view.cells(column.name)
        at = np.asarray(pc.match_substring_regex(cells.texts, _LIST).to_numpy(zero_copy_only=False), dtype=bool)
        n, total = int(cells.counts[at].sum()), int(cells.counts.sum())
        if n > MANY_LISTS * total:
            yield Hit(
                message=Message(
                    N_("{n} cell(s) of “{column}” list several codes; each list is read as one category."),
                    {"n": n, "column": column.name},
                ),
                columns=(column.name,),
                n_rows=n,
                fix=set_column(column, N_("Leave out of the model"), role="ignored"),
            )


NAME_WHAT_ENDED = N_(
    "Leave them out if nothing is known of them; if these patients were followed, say what ended it: name the value as an event, a competing event, or that no event was seen (--event, --competing, --censored)."
)


@check(
    "outcome.words",
    "warning",
    why=N_("Patients whose outcome is unknown are neither events nor others; leaving them out may bias the results."),
    remedy=N_(
        "Leave them out if the word means that the outcome is not known; count it as a class if it is an answer."
    ),
)
def outcome_words(view: View) -> Iterator[Hit]:
    """Rows left out because the outcome's word says that it is not known."""
    column = view.schema.outcome
    if column is None or column.name not in view.frame.columns or not column.missing_codes or view.is_typed(column):
        return
    cells, at = view.cells(column.name), view.texts(column.name).status == CODED
    n, timed = int(cells.counts[at].sum()), view.schema.follow_up is not None
    if n:
        yield Hit(
            message=Message(
                N_("{n} row(s) whose outcome “{outcome}” says {words} are left out as without an outcome."),
                {"n": n, "outcome": column.name, "words": named(column.missing_codes)},
            ),
            columns=(column.name,),
            n_rows=n,
            fix=None if timed else set_column(column, N_("Count these words as a class"), missing_codes=()),
            remedy=Message(NAME_WHAT_ENDED) if timed else None,
        )


@check(
    "outcome.event_assumed",
    "warning",
    why=N_("Every risk is the risk of the event: if the other class is meant, every figure is upside down."),
    remedy=N_("Check which class is the event, and choose the other one if it is wrong."),
)
def event_assumed(view: View) -> Iterator[Hit]:
    """Find an event that was chosen without a word that says so."""
    column, outcome = view.schema.outcome, view.outcome
    if column is None or outcome is None or outcome.target.event is None or view.schema.positive is None:
        return
    if sorted(outcome.classes) == ["1", "2"] and not {"1", "2"} <= set(column.level_labels):
        yield Hit(
            message=Message(
                N_("“{outcome}” is written as 1 and 2; {event} is taken as the event, as in survival data."),
                {"outcome": column.name, "event": view.schema.positive},
            ),
            columns=(column.name,),
        )


def _written(view: View, kind: str) -> Iterator[Column]:
    """Give the columns of a kind whose cells are texts."""
    for column in view.schema.columns:
        if column.kind == kind and column.name in view.frame.columns and not view.is_typed(column):
            yield column


def _units(view: View, column: Column, at: npt.NDArray[np.bool_]) -> list[str]:
    suffixes = parse_numbers(view.cells(column.name).texts.filter(pa.array(at)), reading=column.reading).suffix
    bare = column.reading.bare if column.reading else ""
    return named(dict.fromkeys(str(s) or bare or "–" for s in suffixes))


def _is_part(column: Column, name: str) -> bool:
    return column.reading is not None and column.reading.part_of == name
