"""Boxes that are ticked or left empty: columns with one word, or nothing."""

from __future__ import annotations

from medcore.data.quality.checking.view import View
from medcore.data.values.typed import words_said

FEWEST_EMPTY, FEWEST_TICKED = 0.1, 2
"""Share of rows that must be empty, and rows that must be ticked: a few gaps in a column of one value say nothing."""
LONGEST = 40
ROLES, KINDS = ("predictor", "outcome", "sensitive"), ("category", "boolean", "numeric")


def ticked_or_empty(view: View) -> dict[str, str]:
    """Return the columns with one word or nothing, and the word of each.

    Of a typed file only texts and yes or no are such: its numbers are measurements.
    """
    found = {}
    for column in view.schema.columns:
        if column.role not in ROLES or column.kind not in KINDS:
            continue
        if column.name not in view.frame.columns or view.is_typed(column):
            continue
        levels = view.levels(column.name)
        if levels.n != 1 or not FEWEST_EMPTY <= levels.missing.mean() < 1:
            continue
        words = words_said(view.frame[column.name], column)
        if len(words) == 1 and len(words[0]) <= LONGEST and int((~levels.missing).sum()) >= FEWEST_TICKED:
            found[column.name] = words[0]
    return found
