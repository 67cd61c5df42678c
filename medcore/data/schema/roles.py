"""What each column does: identifier, patient group, site, time, or predictor."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from medcore.data.cohort import Column
from medcore.data.parts import are_joined
from medcore.data.schema.dictionaries.redcap import own_columns
from medcore.data.schema.names import says, spoken
from medcore.data.schema.patients import patient_part
from medcore.data.values.typed import Distinct
from medcore.i18n import N_, Message

MANY_LEVELS = 50
HEAD = 1_000
"""Cells by which a column of pairs is known."""
MOST_SITES = 1000
MOST_DIGITS = 18
"""Digits of the longest number that a list or a register counts up to."""
CODE_DIGITS = 5
ROUNDED = re.compile(r"^[0-9](?:[.,][0-9]+)?[eE]\+?[12][0-9]$")
MOSTLY_DIFFERENT = 0.9
"""Share of different texts below which a column holds no names of single records."""
FEWEST_COUNTED = 10
"""Rows from which on numbers that rise by one a row are taken for the rows' own."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many cells of a column hold a value, how many different ones, and what these look like.

    ``whole_numbers`` says that all are, ``codes`` that they look handed out and not measured: of one
    length of at least :data:`CODE_DIGITS` digits, or counted up without a gap; ``rounded`` that a spreadsheet
    has written them as ``2.02E+16``.
    """

    n: int
    k: int
    whole_numbers: bool
    codes: bool = False
    rounded: bool = False

    @classmethod
    def of(cls, cells: Distinct) -> Size:
        """Measure a column; whole numbers are judged by the first thousand values."""
        head = cells.texts.slice(0, 1000).to_pylist()
        whole = all(str(w).isdigit() for w in head)
        return cls(
            int(cells.counts.sum()),
            len(cells.texts),
            whole,
            codes=whole and _handed_out([str(w) for w in head]),
            rounded=bool(head) and all(ROUNDED.match(str(w)) for w in head),
        )


def _handed_out(words: Sequence[str]) -> bool:
    if not words:
        return False
    if len({len(w) for w in words}) == 1 and len(words[0]) >= CODE_DIGITS:
        return True
    if max(map(len, words)) > MOST_DIGITS:
        return False
    numbers = [int(w) for w in words]
    without_gaps = max(numbers) - min(numbers) + 1 == len(numbers) > 1
    return without_gaps and (min(numbers) <= 1 or numbers == sorted(numbers))


def assign_roles(columns: Sequence[Column], cells: Sequence[Size], frame: pd.DataFrame) -> tuple[Column, ...]:
    """Give every column its role; at most one each of group, site and time."""
    with_roles = [_identity(c, d, frame) for c, d in zip(columns, cells, strict=True)]
    with_roles = _only_one(with_roles, cells, "group")
    with_roles = _site(with_roles, cells)
    return own_columns(_time(with_roles), repeated=bool(cells) and cells[0].k < cells[0].n)


def _identity(column: Column, cells: Size, frame: pd.DataFrame) -> Column:
    n, k = cells.n, cells.k
    unique = k / n if n else 0.0
    if n == 0 or column.kind == "date" or (cells.rounded and column.kind != "numeric"):
        return replace(column, role="ignored")
    if column.kind == "text" and are_joined(frame[column.name].dropna().head(HEAD)):
        return replace(column, role="ignored")  # measurements in a cell differ from row to row and name nobody
    if (
        column.kind in ("text", "category")
        and unique > MOSTLY_DIFFERENT
        and patient_part(frame[column.name]) is not None
    ):
        return _as(column, "group", 0.9, N_("The patient is a part of its text; rows of one patient belong together."))
    if says(column.name, "patient") and k >= 2:
        if unique < 0.98 and k > 10:
            return _as(column, "group", 0.9, N_("Its name says patient, and patients come back in several rows."))
        if unique >= 0.98:
            return _as(column, "identifier", 0.95, N_("Its name says patient, and every row has another one."))
    if _counts_rows(column, cells, frame):
        return _as(column, "identifier", 0.95, N_("Counts the rows: 0, 1, 2 and so on, in the order of the file."))
    if _is_identifier(column, cells, unique):
        return _as(column, "identifier", 0.9, N_("Names a row rather than measuring anything."))
    if column.kind == "text":
        return replace(column, role="ignored")
    return column


def _counts_rows(column: Column, cells: Size, frame: pd.DataFrame) -> bool:
    """Say whether a column numbers the rows one by one, as a row's index does when it is saved with the table."""
    n = len(frame)
    if column.kind != "numeric" or column.low is not None or n < FEWEST_COUNTED or cells.k < n:
        return False
    if not frame.index.equals(pd.RangeIndex(n)):
        return False
    numbers = pd.to_numeric(frame[column.name], errors="coerce").to_numpy(dtype=float)
    return bool(numbers[0] in (0, 1) and (np.diff(numbers) == 1).all())


def _is_identifier(column: Column, cells: Size, unique: float) -> bool:
    if column.low is not None or column.unit is not None or column.kind in ("boolean", "date"):
        return False
    n, k = cells.n, cells.k
    named = says(column.name, "identifier") and not says(column.name, "site")
    if column.kind == "category" and says(column.name, "coded"):
        return False
    if named and n >= 10 and unique > 0.8:
        if spoken(column.name).endswith("id"):
            return column.kind != "numeric" or cells.whole_numbers
        return cells.codes if column.kind == "numeric" or cells.whole_numbers else True
    if cells.whole_numbers and cells.codes and column.kind == "category" and n >= 20 and unique > 0.98:
        return True
    if named and k > MANY_LEVELS and spoken(column.name).endswith("id"):
        return True
    return column.kind == "text" and unique > 0.98 and n >= 20 and not _is_prose(column)


def _is_prose(column: Column) -> bool:
    return column.confidence >= 0.9


def _only_one(columns: list[Column], cells: Sequence[Size], role: str) -> list[Column]:
    """Keep the role at the column with most different patients; the others identify something else."""
    candidates = [i for i, c in enumerate(columns) if c.role == role]
    if len(candidates) < 2:
        return columns
    keep = min(candidates, key=lambda i: cells[i].k)
    return [replace(c, role="identifier") if i in candidates and i != keep else c for i, c in enumerate(columns)]


def _site(columns: list[Column], cells: Sequence[Size]) -> list[Column]:
    for i, (column, d) in enumerate(zip(columns, cells, strict=True)):
        n, k = d.n, d.k
        if (
            says(column.name, "site")
            and column.role in ("predictor", "identifier")
            and 2 <= k <= min(MOST_SITES, n / 2)
        ):
            site = _as(column, "site", 0.9, N_("Its name says site or hospital."))
            columns[i] = replace(site, kind="category", low=None, high=None)
            break
    return columns


def _time(columns: list[Column]) -> list[Column]:
    dates = [
        i for i, c in enumerate(columns) if c.kind == "date" and not says(c.name, "birth") and not says(c.name, "after")
    ]
    named = [i for i in dates if says(columns[i].name, "time")]
    for i in (named or dates)[:1]:
        columns[i] = _as(columns[i], "time", 0.8, N_("The date by which patients can be put in order of time."))
    for i, c in enumerate(columns):
        if c.kind == "date" and c.role == "ignored":
            columns[i] = replace(
                c,
                reason=Message(N_("A date is no predictor as it is; the time between two dates can be."), {}),
            )
    return columns


def _as(column: Column, role: str, confidence: float, template: str) -> Column:
    kind = "category" if role in ("identifier", "group") and column.kind == "numeric" else column.kind
    return replace(
        column,
        role=role,  # type: ignore[arg-type]
        kind=kind,
        confidence=min(column.confidence, confidence),
        reason=Message(template, {}),
        low=None if kind != column.kind else column.low,
        high=None if kind != column.kind else column.high,
        missing_codes=column.missing_codes,
        sensitive=False if role in ("identifier", "group") else column.sensitive,
    )
