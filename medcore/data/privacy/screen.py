"""Look for identifiers in names, values and free text, before anything else sees the rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from medcore.data.cohort import Column, Schema
from medcore.data.findings import Finding, Fix, Severity
from medcore.data.parts import are_joined
from medcore.data.privacy.kinds import IDENTIFIERS, Identifier
from medcore.data.schema.names import says, spoken
from medcore.data.values.numbers import parse_numbers
from medcore.data.values.typed import Distinct, distinct
from medcore.i18n import N_, Message

# A whole column is of a kind when this share of its cells is; a single cell may be chance.
MOST_CELLS = 0.3
SOME_CELLS = 0.01
HEAD = 1_000
"""Distinct texts by which a column of pairs is known."""
MANY_NAMES = 0.5
VARIOUS = 0.2  # of 500 patients, even where a third share one of ten surnames, a fifth have one that nobody else has
OLD_AGE = 89
FEW_TEXTS = 5_000
"""Different texts up to which they are matched one by one, which costs less than making a pattern ready for all at once."""
LONG_TEXT = 18
LEAST_LONG_NUMBER, MOST_LONG_NUMBER = 1e9, 1e18
# What any identifier inside a text has somewhere; looked for first, because it is quick.
WORTH_A_LOOK = r"[0-9]{3}.*[0-9]{4}|@|://|(?i:\b(mr|mrs|ms|miss)\b)|患者|姓名|省|市|区|县|[0-9] [A-Z]"
# Whole cells that are of any kind: most columns have none, and are not looked through for each.
_ANY_OF_THEM = "|".join(f"(?:{i.values})" for i in IDENTIFIERS if i.values is not None and not i.various)

_NOT_USED = N_("Drop the column; free text is not used as a predictor.")
_KEPT_WORDS = N_(
    "Take names and numbers out before upload. A model keeps no note, only counts of words that at least five training patients have; BERT over notes keeps some patients’ notes."
)
_WHY = Message(N_("It can tell who the patient is; the model does not need it."))
_REMEDY = Message(N_("Drop the column, or replace it by a pseudonym. Keeping it needs a reason, which is recorded."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Why a column is thought to identify people: by its name, its values, or within its text."""

    identifier: Identifier
    by_name: bool
    n_rows: int
    inside: bool = False


def screen(
    frame: pd.DataFrame, schema: Schema, *, cells: Callable[[str], Distinct] | None = None
) -> tuple[Finding, ...]:
    """Find what may tell who the patients are; passing is no proof that nothing does.

    A direct identifier is an error, a record's code, a date or an age over 89 a
    warning. No finding shows a value. ``cells`` may give columns already read.
    """
    read = cells or (lambda name: distinct(frame[name]))
    found: list[Finding] = []
    for column in schema.columns:
        if column.name in frame.columns and column.role != "outcome":
            values = frame[column.name]
            written = distinct(values.astype("Int64")) if _long_numbers(values) else read(column.name)
            found.extend(_column(column, written, values.dtype.kind))
    return tuple(sorted(found, key=lambda f: f.severity != "error"))


def _long_numbers(values: pd.Series) -> bool:
    """Tell whether a spreadsheet made long whole numbers of telephone or identity numbers."""
    if values.dtype.kind != "f":
        return False
    known = values.dropna()
    return (
        bool(len(known))
        and bool(known.between(LEAST_LONG_NUMBER, MOST_LONG_NUMBER).all())
        and bool((known % 1 == 0).all())
    )


def _column(column: Column, cells: Distinct, dtype_kind: str) -> Iterator[Finding]:
    if not len(cells.texts):
        return
    evidence = _direct(column, cells, dtype_kind)
    if evidence is not None:
        yield _direct_finding(column, evidence)
        return
    if column.role in ("identifier", "group") and _is_code(column, cells):
        yield _finding(
            "privacy.record_code",
            "warning" if column.role == "group" else "info",
            Message(N_("“{column}” holds a code that names patients or records."), {"column": column.name}),
            column,
            int(cells.counts.sum()),
            remedy=Message(
                N_("Replace it by a pseudonym when the code is used outside this table; it is not a predictor.")
            ),
        )
    if column.kind == "date":
        yield _finding(
            "privacy.date",
            "info",
            Message(N_("“{column}” holds dates more exact than a year."), {"column": column.name}),
            column,
            int(cells.counts.sum()),
            remedy=Message(N_("Dates leave the model as intervals; drop the column if it is not needed.")),
        )
    if column.kind in ("numeric", "category") and says(column.name, "age"):
        yield from _old_age(column, cells)
    if column.free_text and column.role not in ("identifier", "group") and not _of_pairs(cells):
        yield _finding(
            "privacy.free_text",
            "warning",
            Message(N_("“{column}” is free text, in which names and places may hide."), {"column": column.name}),
            column,
            int(cells.counts.sum()),
            remedy=Message(_KEPT_WORDS if column.kind == "note" else _NOT_USED),
            fix=_drop(column),
        )


def _of_pairs(cells: Distinct) -> bool:
    """Say whether a column's cells are measurements with strokes between, as blood pressures are, in which no name hides."""
    return are_joined(cells.texts.slice(0, HEAD).to_pylist())


def _direct(column: Column, cells: Distinct, dtype_kind: str) -> Evidence | None:
    """Return the strongest evidence that a column is a direct identifier."""
    words = spoken(column.name)
    written = dtype_kind != "b" and len(cells.texts) > 0 and _matches(_ANY_OF_THEM, cells).any()
    for identifier in IDENTIFIERS:
        by_name = identifier.names is not None and bool(identifier.names.search(words))
        if by_name and identifier.named_enough:
            return Evidence(identifier=identifier, by_name=True, n_rows=int(cells.counts.sum()))
        looked_for = identifier.values is not None and (by_name if identifier.various else written)
        n = _n_matching(identifier, cells) if looked_for else 0
        if _enough(identifier, n, cells, by_name=by_name):
            return Evidence(identifier=identifier, by_name=by_name, n_rows=n)
    return _inside_text(column, cells)


def _matches(pattern: str, cells: Distinct) -> NDArray[np.bool_]:
    """Mark the texts in which a pattern is found: of few by a pattern that is kept, of many all at once."""
    if len(cells.texts) <= FEW_TEXTS and r"\p{" not in pattern:
        search = re.compile(pattern).search
        return np.array([search(text) is not None for text in cells.texts.to_pylist()], dtype=bool)
    return np.asarray(pc.match_substring_regex(cells.texts, pattern).to_numpy(zero_copy_only=False), dtype=bool)


def _n_matching(identifier: Identifier, cells: Distinct) -> int:
    """Count the rows whose whole cell is of a kind, the check digit included."""
    hits = np.flatnonzero(_matches(identifier.values or "", cells))
    if identifier.proves is not None and len(hits):
        texts = cells.texts.take(pa.array(hits)).to_pylist()
        hits = hits[[identifier.proves(str(t)) for t in texts]]
    return int(cells.counts[hits].sum())


def _enough(identifier: Identifier, n: int, cells: Distinct, *, by_name: bool) -> bool:
    total = int(cells.counts.sum())
    if n == 0:
        return False
    if identifier.various:
        return by_name and n >= MANY_NAMES * total and len(cells.texts) >= VARIOUS * total
    if identifier.code == "name":
        return n >= MANY_NAMES * total and (by_name or len(cells.texts) > MANY_NAMES * total)
    if identifier.proves is not None:
        return n >= SOME_CELLS * total
    return n >= MOST_CELLS * total


def _inside_text(column: Column, cells: Distinct) -> Evidence | None:
    if column.kind != "category" and not column.free_text:
        return None
    long = pc.greater(pc.utf8_length(cells.texts), LONG_TEXT).to_numpy(zero_copy_only=False).astype(bool)
    long &= pc.match_substring_regex(cells.texts, WORTH_A_LOOK).to_numpy(zero_copy_only=False).astype(bool)
    if not long.any():
        return None
    texts = [str(t) for t in cells.texts.filter(pa.array(long)).to_pylist()]
    counts = cells.counts[long]
    for identifier in IDENTIFIERS:
        if identifier.inside is None:
            continue
        hits = [_proved(identifier, text) for text in texts]
        n = int(counts[hits].sum())
        if n:
            return Evidence(identifier=identifier, by_name=False, n_rows=n, inside=True)
    return None


def _proved(identifier: Identifier, text: str) -> bool:
    assert identifier.inside is not None
    return any(identifier.proves is None or identifier.proves(m.group(0)) for m in identifier.inside.finditer(text))


def _direct_finding(column: Column, evidence: Evidence) -> Finding:
    message = Message(evidence.identifier.sentence, {"column": column.name, "n": evidence.n_rows})
    if evidence.inside:
        why = Message(N_("It was found inside the text. It can tell who the patient is; the model does not need it."))
    elif evidence.by_name:
        why = Message(N_("The column's name says so. It can tell who the patient is; the model does not need it."))
    else:
        why = Message(N_("The values are written so. They can tell who the patient is; the model does not need them."))
    return _finding(
        f"privacy.{evidence.identifier.code}",
        evidence.identifier.severity,
        message,
        column,
        evidence.n_rows,
        why=why,
        fix=_drop(column),
    )


def _old_age(column: Column, cells: Distinct) -> Iterator[Finding]:
    ages = parse_numbers(cells.texts, decimal=None).value
    n = int(cells.counts[(ages > OLD_AGE) & (ages < 130)].sum())
    if n:
        yield _finding(
            "privacy.old_age",
            "warning",
            Message(N_("“{column}” holds {n} age(s) over 89."), {"column": column.name, "n": n}),
            column,
            n,
            remedy=Message(N_("Very old patients are few and can be recognised: make these ages 90.")),
            fix=Fix(label=Message(N_("Make them 90")), action="step_on", values={"step": "cap_ages"}),
        )


def _is_code(column: Column, cells: Distinct) -> bool:
    return column.kind in ("numeric", "text", "category") and len(cells.texts) > 1


def _drop(column: Column) -> Fix:
    return Fix(
        label=Message(N_("Leave the column out")),
        action="set_column",
        columns=(column.name,),
        values={"role": "ignored"},
    )


def _finding(
    code: str,
    severity: Severity,
    message: Message,
    column: Column,
    n_rows: int,
    *,
    why: Message = _WHY,
    remedy: Message = _REMEDY,
    fix: Fix | None = None,
) -> Finding:
    return Finding(
        code=code,
        severity=severity,
        message=message,
        why=why,
        remedy=remedy,
        columns=(column.name,),
        n_rows=n_rows,
        fix=fix,
    )
