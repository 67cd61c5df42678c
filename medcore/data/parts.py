"""Several measurements in one cell as columns of their own: ``120/80``, ``9/10/10``, ``E4V5M6``, ``G2P1``."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from medcore.data.notation import Reading

_NUMBER = r"[0-9]{1,4}(?:[.,][0-9]+)?"
JOINED = rf"^(?:[A-Za-z一-鿿]{{1,4}}(?:\s*[:=])?\s*)?{_NUMBER}%?(?:\s*/\s*{_NUMBER}%?){{1,3}}(?:\s*mm ?Hg)?\s*(?:\([^()0-9]{{1,8}}\))?$"
"""A word before them (BP 120/80) and a side behind (120/80(L)) say nothing of their own."""
LETTERED = r"^(?:[A-Za-z]{1,2}(?:\s*[:=])?\s*[0-9]{1,3}[\s,;/+]*){2,6}$"
_LETTERS = re.compile(r"([A-Za-z]{1,2})\s*[:=]?\s*([0-9]{1,3})")


def are_joined(texts: Iterable[object]) -> bool:
    """Say whether every text is two to four measurements with strokes between them.

    >>> are_joined(["120/80", "98 / 61 mmHg", "BP 96/70 (左)", "60%/30%"]), are_joined(["120/80", "12A"]), are_joined([])
    (True, False, False)
    """
    found = [bool(re.match(JOINED, _folded(text))) for text in texts]
    return bool(found) and all(found)


def parts_of(text: object) -> dict[str, str]:
    """Return the measurements of a cell by name, those between strokes numbered; empty where it is none or one.

    >>> parts_of("120/80 mmHg"), parts_of("E4 V5 M6"), parts_of("12"), parts_of("A1A2")
    ({'(1)': '120', '(2)': '80'}, {'E': '4', 'V': '5', 'M': '6'}, {}, {})
    """
    folded = _folded(text)
    if re.match(JOINED, folded):
        return {f"({n})": number for n, number in enumerate(re.findall(_NUMBER, folded), 1)}
    found = _LETTERS.findall(folded) if re.match(LETTERED, folded) else []
    named = {letters.upper(): number for letters, number in found}
    return named if len(named) == len(found) else {}


def names_of_parts(texts: Iterable[object], counts: Iterable[int] | None = None) -> tuple[str, ...]:
    """Name the parts that most cells have, texts weighed by ``counts``; empty where most cells have none.

    >>> names_of_parts(["E4V5M6", "E1V1M2", "E4VTM6"]), names_of_parts(["T2", "T3"])
    (('E', 'V', 'M'), ())
    """
    rows: Counter[tuple[str, ...]] = Counter()
    for text, n in zip(texts, counts, strict=True) if counts is not None else ((t, 1) for t in texts):
        rows[tuple(parts_of(text))] += int(n)
    names, n = rows.most_common(1)[0] if rows else ((), 0)
    return names if 2 * n > rows.total() else ()


def example_of(parts: Sequence[str]) -> str:
    """Return how a cell with such parts may look, made up.

    >>> example_of(("(1)", "(2)")), example_of(("E", "V", "M"))
    ('120/80', 'E1V2M3')
    """
    if parts[0].startswith("("):
        return {2: "120/80", 3: "9/10/10"}.get(len(parts), "1/2/3/4")
    return "".join(f"{name}{n}" for n, name in enumerate(parts, 1))


def with_parts(frame: pd.DataFrame, readings: Mapping[str, Reading]) -> pd.DataFrame:
    """Return a table with the columns that are parts of others; the same table if there are none.

    ``readings`` are those of columns by name. A cell without the part stands whole in its
    column, where it is reported as unreadable.
    """
    wanted = {n: r for n, r in readings.items() if r.part_of in frame.columns and n not in frame.columns}
    if not wanted:
        return frame
    made = frame.assign(
        **{name: _part(frame[r.part_of], r.part_name or f"({r.part + 1})") for name, r in wanted.items()}
    )
    made.attrs = dict(frame.attrs)
    return made


def _part(values: pd.Series, name: str) -> pd.Series:
    return (
        values.astype(object)
        .where(values.notna(), None)
        .map(lambda cell: parts_of(cell).get(name, _folded(cell)), na_action="ignore")
        .astype("str")
    )


def _folded(text: object) -> str:
    return unicodedata.normalize("NFKC", str(text)).strip()
