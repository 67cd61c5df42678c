"""How a text table is laid out: delimiter, lines above the header, the header itself, decimal mark."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from medcore.data.reading.layout.headers import Header, Row, find_header, usual_width
from medcore.data.reading.layout.marks import is_number

DELIMITERS = (",", "\t", ";", "|")
_COMMA_DECIMAL = re.compile(r"^[+-]?(?:[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})|0,[0-9]+)$")
_COMMA_THOUSANDS = re.compile(r"^[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?$")
_POINT_DECIMAL = re.compile(r"^[+-]?[0-9]*\.(?:[0-9]{1,2}|[0-9]{4,})$")
N_RECORDS = 400
FEWEST_SPACED, MOST_NUMBERS = 2, 0.8
"""Rows by which spaces are known to part cells, and the share of numbers in one column of theirs."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """The layout of a text table; ``body_line`` is the physical line on which the rows begin."""

    delimiter: str
    quote: str
    skip_lines: int
    names: tuple[str, ...]
    body_line: int
    has_header: bool
    row_names: bool
    decimal: str
    thousands: str
    n_storeys: int = 1
    groups: tuple[str, ...] = ()
    lowest: tuple[str, ...] = ()
    trailing: bool = False
    in_runs: bool = False
    """Whether any number of spaces parts two cells, as in a table made for the eye or by R's write.table."""
    n_between: int = 0
    """Empty lines between the rows of the names."""


def detect_dialect(
    head: str, *, whole: bool, delimiter: str | None = None, quote: str | None = None, skip_lines: int | None = None
) -> Dialect:
    """Find the layout from the first part of a text; ``whole`` says that it is all there is.

    What is given is taken and not guessed.
    """
    lines = head.split("\n")
    if not whole and len(lines) > 1:
        lines = lines[:-1]
    marked = re.match(r"^sep=(.)$", lines[0].strip(" \"'")) if lines else None
    start = 1 if marked else 0
    if marked and delimiter is None:
        delimiter = marked.group(1)
    quote = '"' if quote is None else quote
    if skip_lines is not None:
        start = max(start, skip_lines)
    delimiter = delimiter or _best_delimiter(lines[start:], quote)
    records = _records(lines[start:], delimiter, quote)
    rows = [fields for _, _, fields in records]
    header = find_header(rows, at=0 if skip_lines is not None and rows else None)
    names, row_names, trailing = _all_columns(header, rows)
    first = records[header.first][0] if records else 0
    body = records[header.last][1] + 1 if records and header.named else first
    decimal, thousands = _marks(rows[header.last + 1 :])
    return Dialect(
        delimiter,
        quote,
        start + first,
        names,
        start + body,
        header.named,
        row_names,
        decimal,
        thousands,
        header.n_storeys,
        ("",) * row_names + header.groups,
        ("",) * row_names + header.lowest,
        trailing,
        delimiter == " " and any("  " in line.strip() or (quote and quote in line) for line in lines[start:]),
        _blank_between(records[header.first : header.last + 1]) if header.named else 0,
    )


def _blank_between(storeys: list[tuple[int, int, list[str]]]) -> int:
    """Count the empty lines between the rows of the names."""
    return sum(below - last - 1 for (_first, last, _row), (below, *_rest) in pairwise(storeys))


def _all_columns(header: Header, rows: list[list[str]]) -> tuple[tuple[str, ...], bool, bool]:
    """Give every column of the rows a name, also where the names are fewer than the cells.

    Where rows end with a delimiter and the names do not, the last column is empty and
    nameless; where one name too few is given otherwise, the first column holds the rows' own names.
    """
    body = rows[header.last + 1 :]
    width = usual_width(body)
    lacking = width - len(header.names)
    if header.named and lacking < 0 and not any(h.strip() for h in header.names[width:]):
        return header.names[:width], False, False
    if not header.named or lacking < 1 or len(header.names) < 2:
        return header.names, False, False
    whole = [row for row in body if len(row) == width]
    if len(whole) <= sum(1 for row in body if len(row) == len(header.names)):
        return header.names, False, False
    if not any(row[-1].strip() for row in whole):
        return header.names + ("",) * lacking, False, True
    if lacking == 1 and all(h.strip() for h in header.names):
        return ("row", *header.names), True, False
    return header.names + ("",) * lacking, False, False


def parse_line(line: str, delimiter: str, quote: str) -> list[str]:
    """Split one record into its fields; an unreadable one is split at every delimiter. Any run of spaces is one space."""
    line = line.strip(" ") if delimiter == " " else line
    try:
        rows = list(
            csv.reader(
                line.splitlines(keepends=True),
                delimiter=delimiter,
                quotechar=quote or None,
                quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
                skipinitialspace=delimiter == " ",
            )
        )
    except csv.Error:
        return line.rstrip("\n").split(delimiter)
    return rows[0] if len(rows) == 1 else line.rstrip("\n").split(delimiter)


def _records(lines: list[str], delimiter: str, quote: str) -> list[tuple[int, int, list[str]]]:
    """Return (first line, last line, fields) of each record that is not blank."""
    records: list[tuple[int, int, list[str]]] = []
    i = 0
    while i < len(lines) and len(records) < N_RECORDS:
        j = i
        text = lines[i]
        while quote and text.count(quote) % 2 and j + 1 < min(len(lines), i + 20):
            j += 1
            text += "\n" + lines[j]
        if quote and text.count(quote) % 2:
            j, text = i, lines[i]
        if text.strip():
            records.append((i, j, parse_line(text, delimiter, quote)))
        i = j + 1
    return records


def _best_delimiter(lines: list[str], quote: str) -> str:
    sample = [line for line in lines if line.strip()][:N_RECORDS]
    scores = {d: _score([r[2] for r in _records(sample, d, quote)]) for d in DELIMITERS}
    best = max(scores, key=lambda d: scores[d])
    if scores[best] > 0:
        return best
    return " " if _is_spaced(sample, quote) else ","


def _is_spaced(lines: list[str], quote: str) -> bool:
    """Say whether spaces part the cells: as many in every line (the names may lack one), and numbers among them.

    So old archives, R's ``write.table`` and listings of statistics programs write tables; prose has no such lines.
    """
    names, *rows = [parse_line(line, " ", quote) for line in lines] or [[]]
    widths = {len(row) for row in rows}
    if len(rows) < FEWEST_SPACED or len(widths) != 1 or len(names) < 3 or len(rows[0]) - len(names) not in (0, 1):
        return False
    columns = list(zip(*rows, strict=True))
    numbers = (sum(map(is_number, column)) for column in columns)
    return any(n >= MOST_NUMBERS * len(rows) for n in numbers) and not all(map(is_number, names))


def _score(records: list[list[str]]) -> float:
    """Prefer the delimiter that gives most lines, the header among them, the same number of fields."""
    widths = Counter(len(r) for r in records)
    widths.pop(1, None)
    if not widths:
        return 0.0
    width = max(widths, key=lambda w: (widths[w], w))
    share = widths[width] / len(records)
    header = next((r for r in records if len(r) == width), [])
    lead = records[0]
    fits = 1.0 if len(lead) == width else 0.7
    words = sum(1 for h in header if h.strip() and not is_number(h)) / width
    return float(share * fits * (0.5 + 0.5 * words) * (1 - 1 / width) ** 0.25)


def _marks(rows: Sequence[Row]) -> tuple[str, str]:
    cells = [f.strip() for fields in rows for f in fields if f]
    if sum(1 for c in cells if _COMMA_DECIMAL.match(c)) > sum(1 for c in cells if _POINT_DECIMAL.match(c)):
        return ",", "."
    return ".", "," if any(_COMMA_THOUSANDS.match(c) for c in cells) else ""
