"""Two measurements in one cell, such as a blood pressure of 120/80, as two columns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

import pandas as pd

from medcore.data.notation import Reading

PAIR = r"^[0-9]{1,4}(?:[.,][0-9]+)?\s*/\s*[0-9]{1,4}(?:[.,][0-9]+)?(?:\s*mm ?Hg)?$"
_PARTS = re.compile(r"^([0-9.,]+)\s*/\s*([0-9.,]+)(\s*mm ?Hg)?$", re.I)


def are_pairs(texts: Iterable[object]) -> bool:
    """Say whether every text is a pair of measurements.

    >>> are_pairs(["120/80", "98 / 61 mmHg"]), are_pairs(["120/80", "12A"]), are_pairs([])
    (True, False, False)
    """
    found = [bool(re.match(PAIR, unicodedata.normalize("NFKC", str(text)).strip())) for text in texts]
    return bool(found) and all(found)


def with_parts(frame: pd.DataFrame, readings: Mapping[str, Reading]) -> pd.DataFrame:
    """Return a table with the columns that are parts of others; the same table if there are none.

    ``readings`` are those of columns by name. A cell that is no pair of numbers stands
    whole in both parts, where it is reported as unreadable.
    """
    wanted = {n: r for n, r in readings.items() if r.part_of in frame.columns and n not in frame.columns}
    if not wanted:
        return frame
    made = frame.assign(**{name: _part(frame[r.part_of], r.part) for name, r in wanted.items()})
    made.attrs = dict(frame.attrs)
    return made


def _part(values: pd.Series, part: int) -> pd.Series:
    return (
        values.astype(object)
        .where(values.notna(), None)
        .map(lambda cell: _piece(cell, part), na_action="ignore")
        .astype("str")
    )


def _piece(cell: object, part: int) -> str:
    text = unicodedata.normalize("NFKC", str(cell)).strip()
    found = _PARTS.match(text)
    return found[part + 1] if found else text
