"""Checks of free text: what may be read word by word, and what a note may give away."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import date

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from medcore.data.cohort import Column
from medcore.data.findings import Fix
from medcore.data.quality.checking.catalogue import MOST_NAMED, Hit, check, ignore
from medcore.data.quality.checking.view import Outcome, View
from medcore.data.values.notes import NOT, spans
from medcore.i18n import N_, Message

LONG = 100_000
"""Characters of some fifty pages: no note is so long, a file that slipped into a cell is."""
ROWS_READ = 2_000
"""Rows, evenly spaced, in whose notes the outcome is looked for."""
FEWEST = 5
"""Notes that have a word, from which it is named."""
SEPARATES, TOLD = 0.8, 0.2
"""By how much the share of notes with a word is higher in one class: for any word, and for one that means the outcome."""
_AFTERWARDS = re.compile(
    "^(died|dead|death|deceased|expired|autopsy|obituary|discharged?|readmitted|relapsed?|survived|死亡|去世|病故|出院|尸检|复发)$"
)
"""Words that are written when all is over."""
_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)[-/.年](\d{1,2})[-/.月](\d{1,2})(?!\d)")
PROSE = 0.9
"""How sure reading is of long texts, nearly all different."""


@check(
    "notes.offered",
    "info",
    why=N_("Notes often say what no other column does. They also hold names, and may hold the answer."),
    remedy=N_(
        "Make it a note, read by its words and phrases, if it was written before the outcome was known; else leave it out."
    ),
)
def offered(view: View) -> Iterator[Hit]:
    """Long free text that no model reads unless somebody says so."""
    for column in view.schema.columns:
        if column.kind == "text" and column.role == "ignored" and column.confidence >= PROSE:
            cells = view.cells(column.name)
            yield Hit(
                message=Message(
                    N_(
                        "“{column}” holds free text in {n} row(s) and is left out, for nobody has said that it be read."
                    ),
                    {"column": column.name, "n": int(cells.counts.sum())},
                ),
                columns=(column.name,),
                n_rows=int(cells.counts.sum()),
                fix=Fix(
                    label=Message(N_("Read it as notes")),
                    action="set_column",
                    columns=(column.name,),
                    values={"kind": "note", "role": "predictor"},
                ),
            )


@check(
    "notes.word_by_word",
    "info",
    why=N_(
        "Words are counted and phrases placed by their meaning; neither understands a story. Words up to five behind “no”, “denies” or “无” count "
        "as their negation; a longer reach, a suspicion or a relative’s disease is taken for the patient’s own."
    ),
    remedy=N_(
        "Look at the highlighted phrases of some patients before you trust the model, and compare it with one without the notes."
    ),
)
def word_by_word(view: View) -> Iterator[Hit]:
    """Say what reading word by word cannot see."""
    for column in view.predictors:
        if column.kind == "note":
            yield Hit(
                message=Message(N_("“{column}” is read by its words and phrases."), {"column": column.name}),
                columns=(column.name,),
            )


@check(
    "notes.unusable",
    "warning",
    why=N_("A cell that holds a whole file, or characters that could not be read, is not what the others are."),
    remedy=N_("Export the notes again as UTF-8, one note a cell. All that can be read is read; nothing is cut off."),
)
def unusable(view: View) -> Iterator[Hit]:
    """Count notes that are far too long, or have characters that could not be read."""
    for column in view.predictors:
        if column.kind != "note":
            continue
        cells = view.cells(column.name)
        long = pc.greater(pc.utf8_length(cells.texts), LONG).to_numpy(zero_copy_only=False).astype(bool)
        broken = pc.match_substring(cells.texts, "\ufffd").to_numpy(zero_copy_only=False).astype(bool)
        n_long, n_broken = int(cells.counts[long].sum()), int(cells.counts[broken].sum())
        if n_long or n_broken:
            yield Hit(
                message=Message(
                    N_(
                        "Of the notes in “{column}”, {long} are longer than {most} characters and {broken} have characters that cannot be read."
                    ),
                    {"column": column.name, "long": n_long, "most": LONG, "broken": n_broken},
                ),
                columns=(column.name,),
                n_rows=int(cells.counts[long | broken].sum()),
            )


@check(
    "notes.written_later",
    "error",
    why=N_(
        "A note written after the moment of prediction tells what happened since. For a new patient it is not there yet."
    ),
    remedy=N_(
        "Take only notes written by then, or leave the column out. Appointments named in a note count as well: look at some."
    ),
)
def written_later(view: View) -> Iterator[Hit]:
    """Count notes dated, by a column beside them or by a day that they name, after the column with the role of time."""
    index = [column for column in view.schema.columns if column.role == "time" and column.kind == "date"]
    for column in view.predictors if len(index) == 1 else ():
        if column.kind != "note" or index[0].name not in view.frame.columns:
            continue
        begun = _days(view, index[0])
        beside = [c for c in view.schema.columns if c.kind == "date" and _is_date_of(c.name, column.name)]
        late = np.zeros(view.n, dtype=bool)
        for dated in beside:
            late |= _days(view, dated) > begun
        cells = view.cells(column.name)
        latest = np.array([*map(_latest, cells.words()), np.datetime64("NaT")], dtype="datetime64[D]")
        late = (late | (latest[cells.codes] > begun)) & (cells.codes >= 0)
        if late.sum() >= (1 if beside else FEWEST):
            yield Hit(
                message=Message(
                    N_("{n} note(s) in “{column}” are dated, or name a day, after “{index}”."),
                    {"n": int(late.sum()), "column": column.name, "index": index[0].name},
                ),
                columns=(column.name, index[0].name),
                n_rows=int(late.sum()),
                fix=ignore([column.name]),
            )


def _days(view: View, column: Column) -> NDArray[np.datetime64]:
    """Return each row's day, NaT where none is read."""
    codes, days = view.cells(column.name).codes, view.dates(column).value.astype("datetime64[D]")
    return np.append(days, np.datetime64("NaT"))[codes]


def _is_date_of(name: str, note: str) -> bool:
    """Whether a column's name begins with that of a note: note_date, note time, 病程记录日期."""
    return name != note and name.casefold().startswith(note.casefold())


def _latest(note: str) -> np.datetime64[date | None]:
    """Return the last day that a note names, year first; NaT where it names none."""
    named = []
    for year, month, day in _DAY.findall(note[:LONG]):
        with suppress(ValueError):
            named.append(date(int(year), int(month), int(day)))
    return np.datetime64(max(named)) if named else np.datetime64("NaT")


@check(
    "notes.tells_outcome",
    "error",
    why=N_("A note written when the outcome was known tells it. For a new patient nobody can have written it yet."),
    remedy=N_("Use only what was written before, take these sentences out of the notes, or leave the column out."),
)
def tells_outcome(view: View) -> Iterator[Hit]:
    """Words that separate the classes by themselves, or that mean the outcome and go with it."""
    if view.outcome is None:
        return
    for column in view.predictors:
        words = _telling(view, column, view.outcome) if column.kind == "note" else []
        if words:
            yield Hit(
                message=Message(
                    N_("Words in “{column}” tell “{outcome}”: {words}."),
                    {"column": column.name, "outcome": view.outcome.name, "words": words[:MOST_NAMED]},
                ),
                columns=(column.name,),
                fix=ignore([column.name]),
            )


def _telling(view: View, column: Column, outcome: Outcome) -> list[str]:
    """Return the words that tell the outcome, the strongest first."""
    rows = np.flatnonzero((outcome.codes >= 0) & (view.cells(column.name).codes >= 0))
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), ROWS_READ)).astype(np.int64)] if len(rows) else rows
    having = [Counter[str]() for _class in outcome.classes]
    notes = view.frame[column.name].iloc[rows]
    for code, note in zip(outcome.codes[rows], notes, strict=True):
        having[code].update({term for term, _start, _end in spans(str(note)[:LONG])})
    sizes = np.bincount(outcome.codes[rows], minlength=len(outcome.classes))
    meant = {term for name in (outcome.name, *outcome.classes) for term, _s, _e in spans(name.replace("_", " "))}
    meant -= {"yes", "no", "true", "false"}
    found: dict[str, float] = {}
    for code, counts in enumerate(having):
        others = sum((c for k, c in enumerate(having) if k != code), Counter[str]())
        for term, n in counts.items():
            word = term.removeprefix(NOT)
            least = TOLD if word in meant or _AFTERWARDS.match(word) else SEPARATES
            more = n / sizes[code] - others[term] / max(1, len(rows) - sizes[code])
            if n >= FEWEST and more >= least:
                found[word] = max(more, found.get(word, 0.0))
    return sorted(found, key=lambda word: (-found[word], word))
