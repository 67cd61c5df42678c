"""How a text table is laid out: delimiter, lines above the header, the header itself, decimal mark."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass

DELIMITERS = (",", "\t", ";", "|")
_NUMBER = re.compile(r"^\s*[+-]?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?\s*$")
_YEAR = re.compile(r"^\s*(?:19|20)[0-9]{2}\s*$")
_COMMA_DECIMAL = re.compile(r"^[+-]?(?:[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})|0,[0-9]+)$")
_COMMA_THOUSANDS = re.compile(r"^[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?$")
_POINT_DECIMAL = re.compile(r"^[+-]?[0-9]*\.(?:[0-9]{1,2}|[0-9]{4,})$")
N_RECORDS = 400


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
    width = _usual_width(records)
    at = 0 if skip_lines is not None else _header_at(records, width)
    first_line, last_line, header = records[at] if records else (0, 0, [])
    named = not _looks_like_data(header)
    row_names = named and len(header) == width - 1 and width > 2 and all(h.strip() for h in header)
    names = header if named else [""] * len(header)
    if row_names:
        names = ["row", *names]
    decimal, thousands = _marks(records[at + named :])
    return Dialect(
        delimiter,
        quote,
        start + first_line,
        tuple(names),
        start + (last_line + 1 if named else first_line),
        named,
        row_names,
        decimal,
        thousands,
    )


def find_header(rows: list[list[str]]) -> int:
    """Find the row of column names in a grid of texts: where the table begins, below any title."""
    records = [(i, i, row) for i, row in enumerate(rows)]
    return _header_at(records, _usual_width(records))


def parse_line(line: str, delimiter: str, quote: str) -> list[str]:
    """Split one record into its fields; an unreadable one is split at every delimiter."""
    try:
        rows = list(
            csv.reader(
                line.splitlines(keepends=True),
                delimiter=delimiter,
                quotechar=quote or None,
                quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
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
    return " " if _is_spaced(sample) else ","


def _is_spaced(lines: list[str]) -> bool:
    """Say whether lines are numbers, mostly, with one space between: the old archives' tables."""
    rows = [line.split(" ") for line in lines]
    cells = [cell for row in rows[1:] for cell in row]
    same = len({len(row) for row in rows}) == 1 and len(rows[0]) > 2 and all(all(row) for row in rows)
    return same and sum(1 for c in cells if _NUMBER.match(c)) > 0.5 * len(cells) > 0


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
    words = sum(1 for h in header if h.strip() and not _NUMBER.match(h)) / width
    return float(share * fits * (0.5 + 0.5 * words) * (1 - 1 / width) ** 0.25)


def _usual_width(records: list[tuple[int, int, list[str]]]) -> int:
    widths = Counter(len(r[2]) for r in records)
    return max(widths, key=lambda w: (widths[w] * (1 if w > 1 else 0.5), w)) if widths else 0


def _header_at(records: list[tuple[int, int, list[str]]], width: int) -> int:
    """Find the header: the first record about as wide as the rows with most of its cells filled."""
    for i, (_, _, fields) in enumerate(records[:60]):
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


def _looks_like_data(header: list[str]) -> bool:
    """Say whether a first line is a patient's and not a header: every cell a number and no year."""
    filled = [h for h in header if h.strip()]
    return len(filled) > 1 and all(_NUMBER.match(h) for h in filled) and not all(_YEAR.match(h) for h in filled)


def _marks(records: list[tuple[int, int, list[str]]]) -> tuple[str, str]:
    cells = [f.strip() for _, _, fields in records for f in fields if f]
    if sum(1 for c in cells if _COMMA_DECIMAL.match(c)) > sum(1 for c in cells if _POINT_DECIMAL.match(c)):
        return ",", "."
    return ".", "," if any(_COMMA_THOUSANDS.match(c) for c in cells) else ""
