"""Where a table begins: the row of column names, and names in two or more storeys."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from medcore.data.reading.layout.marks import is_absent, is_measured, is_number, is_unit, is_year

Row = Sequence[str]
MOST_ABOVE = 60
"""Rows above the column names (titles, notes) that are looked through."""
MOST_STOREYS = 4
N_BELOW = 80
"""Rows below a row that say whether it is like them."""


@dataclass(frozen=True, slots=True)
class Header:
    """The column names: in which rows they are, and the group's title over each column ("" where none).

    ``first`` and ``last`` point into the rows; ``named`` is False for a table that begins with its data;
    ``lowest`` is the lowest row of names as it is written.
    """

    first: int
    last: int
    names: tuple[str, ...]
    groups: tuple[str, ...]
    named: bool = True
    lowest: tuple[str, ...] = ()

    @property
    def n_storeys(self) -> int:
        """Number of rows that the names take."""
        return self.last - self.first + 1


def find_header(rows: Sequence[Row], *, at: int | None = None) -> Header:
    """Find the row of column names in a grid of texts: where the table begins, below any title.

    ``at`` says in which row the names begin. Names in two or more storeys, as merged
    cells leave them, are those of the lowest; where these repeat, the group's title
    goes before them.

    >>> find_header([["Blood", "", "Urine", ""], ["Na", "K", "Na", "K"], ["140", "4", "80", "31"]]).names
    ('Blood Na', 'Blood K', 'Urine Na', 'Urine K')
    """
    width = usual_width(rows)
    lead = _blank_columns(rows, width)
    given = at is not None
    if at is None:
        at = _header_at([row[lead:] for row in rows], width - lead - _blank_columns([row[::-1] for row in rows], width))
    if not rows or looks_like_data(rows[at]):
        return Header(at, at - 1, ("",) * width, ("",) * width, named=False)
    last = at
    while last - at + 1 < MOST_STOREYS and _another_storey(rows, last):
        last += 1
    first = at if given else _first_storey(rows, at)
    return _named(rows, first, last, width)


def usual_width(rows: Sequence[Row]) -> int:
    """Return the number of fields that most rows have."""
    widths = Counter(len(row) for row in rows)
    return max(widths, key=lambda w: (widths[w] * (1 if w > 1 else 0.5), w)) if widths else 0


def looks_like_data(header: Row) -> bool:
    """Say whether a first line is a patient's and not a header: every cell a number and no year."""
    filled = [h for h in header if h.strip()]
    return len(filled) > 1 and all(is_number(h) for h in filled) and not all(is_year(h) for h in filled)


def is_measured_column(rows: Sequence[Row], j: int) -> bool:
    """Say whether a column's cells are numbers or dates in the main."""
    cells = [row[j] for row in rows if j < len(row) and row[j].strip() and not is_absent(row[j])]
    return bool(cells) and sum(map(is_measured, cells)) >= 0.8 * len(cells)


def _blank_columns(rows: Sequence[Row], width: int) -> int:
    """Count the empty columns before the first one with a value, in the rows of the usual width."""
    whole = [row for row in rows if len(row) == width]
    lead = 0
    while whole and lead < width - 1 and not any(row[lead].strip() for row in whole):
        lead += 1
    return lead


def _header_at(rows: Sequence[Row], width: int) -> int:
    """Find the header: the first record about as wide as the rows with most of its cells filled."""
    for i, fields in enumerate(rows[:MOST_ABOVE]):
        filled = sum(1 for f in fields if f.strip())
        comment = fields and fields[0].lstrip().startswith("#") and len(fields) < width
        if (
            len(fields) >= max(1, width - 1)
            and filled * 2 > len(fields)
            and not comment
            and len(fields) > (1 if width > 2 else 0)
        ):
            return i
    return 0


def _another_storey(rows: Sequence[Row], last: int) -> bool:
    """Say whether the row below the last known storey holds names too: those under merged or repeated titles."""
    if last + 2 >= len(rows):
        return False
    upper, lower = rows[last], rows[last + 1]
    if not _completes(upper, lower):
        return False
    filled = [(j, c) for j, c in enumerate(lower) if c.strip()]
    below = rows[last + 2 : last + 2 + N_BELOW]
    if any(is_measured(c) or is_absent(c) for _, c in filled) or _recurs(filled, below):
        return False
    if sum(1 for _, c in filled if is_unit(c)) > 0.5 * len(filled):
        return False
    measured = [is_measured_column(below, j) for j in range(len(lower))]
    return any(measured[j] for j, _ in filled) or (not any(measured) and _comes_back(below, len(lower)) >= 2)


def _completes(upper: Row, lower: Row) -> bool:
    """Say whether a row gives a name to columns that the one above leaves nameless, or names alike."""
    names = Counter(c.strip() for c in upper if c.strip())
    open_ = [j for j in range(len(lower)) if j >= len(upper) or not upper[j].strip() or names[upper[j].strip()] > 1]
    under = [lower[j].strip() for j in open_ if lower[j].strip()]
    return bool(under) and 2 * len(under) > len(open_) and sum(1 for c in lower if c.strip()) >= 2


def _recurs(cells: Sequence[tuple[int, str]], below: Sequence[Row]) -> bool:
    return any(cell.strip() == row[j].strip() for j, cell in cells for row in below if j < len(row))


def _comes_back(rows: Sequence[Row], width: int) -> int:
    """Count the columns in which most values come more than once."""
    n = 0
    for j in range(width):
        cells = [row[j] for row in rows if j < len(row) and row[j].strip()]
        n += len(cells) >= 10 and len(set(cells)) <= len(cells) / 3
    return n


def _first_storey(rows: Sequence[Row], at: int) -> int:
    """Go up over titles of groups: rows as wide as the names, with several titles and gaps between them."""
    first = at
    while first > 0 and at - first + 1 < MOST_STOREYS:
        above = rows[first - 1]
        titles = [c for c in above if c.strip()]
        places = [j for j, c in enumerate(above) if c.strip()]
        gaps = len(places) >= 2 and any(b - a > 1 for a, b in pairwise(places))
        if not gaps or any(map(is_measured, titles)):
            break
        if any(re.search(r"[:：=]\s*\S|[:：=]\s*$", c) for c in titles):
            break
        first -= 1
    return first


def _named(rows: Sequence[Row], first: int, last: int, width: int) -> Header:
    width = max(width, *(len(row) for row in rows[first : last + 1]))
    storeys = [[row[j].strip() if j < len(row) else "" for j in range(width)] for row in rows[first : last + 1]]
    titles = [_carried(storey, storeys[:i]) for i, storey in enumerate(storeys[:-1])]
    names, groups = [], []
    for j in range(width):
        column = [storey[j] for storey in storeys]
        at = max((i for i, c in enumerate(column) if c), default=len(column) - 1)
        names.append(column[at])
        over = [titles[i][j] for i in range(min(at, len(titles))) if titles[i][j]]
        groups.append(" ".join(dict.fromkeys(over)))
    if first == last:
        names, groups = list(rows[last]), [""] * len(rows[last])
    twice = {name for name, n in Counter(names).items() if n > 1 and name}
    joined = [f"{g} {n}".strip() if n in twice else n for n, g in zip(names, groups, strict=True)]
    return Header(first, last, tuple(joined), tuple(groups), lowest=tuple(rows[last]))


def _carried(storey: Sequence[str], above: Sequence[Sequence[str]]) -> list[str]:
    """Carry each title to the columns on its right that it stands over, up to the next title."""
    carried, title = [], ""
    for j, cell in enumerate(storey):
        begins = any(upper[j] for upper in above)
        title = cell or ("" if begins else title)
        carried.append(title)
    return carried
