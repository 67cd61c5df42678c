"""Text becomes rows: every line of the file is a row of the table, or is counted as something else."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from medcore.data.reading.dialect import Dialect, parse_line
from medcore.data.reading.text import Text
from medcore.errors import UnreadableFileError
from medcore.i18n import N_

BATCH = 20_000
MOST_NAMED = 5
"""Rows that a message names."""
MAX_QUOTED_LINES = 200
"""Lines that a quoted cell may span before its quote is taken to be left open."""


@dataclass(slots=True)
class RowCounts:
    """What became of the file's lines."""

    n_rows: int = 0
    n_short: int = 0
    n_long: int = 0
    n_blank: int = 0
    n_open_quotes: int = 0
    short: list[int] = field(default_factory=list)
    """The first rows, from 0 and as read, that had too few cells."""
    gaps: list[int] = field(default_factory=list)
    """For each empty line the number of rows above it."""
    shifted: list[int] = field(default_factory=list)
    """Rows, from 0 and as read, that had cells beyond the last column: their cells may stand in wrong columns."""


def read_rows(text: Text, dialect: Dialect, names: list[str]) -> tuple[pd.DataFrame, RowCounts]:
    """Read a text's rows as text cells, an empty cell missing.

    A row with too few fields is filled with missing cells, one with too many
    keeps the first ones; both are counted. Arrow's reader does the work; when
    quotes span lines or are left open, a slower reader that mends them does.
    """
    counts = RowCounts()
    quotes_span_lines, n_lines, gaps = _survey(text, dialect)
    if quotes_span_lines or dialect.in_runs:
        return _careful(text, dialect, names, counts), counts
    try:
        frame = _fast(text, dialect, names, counts)
        counts.n_blank = max(0, n_lines - counts.n_rows)
        counts.gaps = gaps
        return frame, counts
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowKeyError):
        counts = RowCounts()
        return _careful(text, dialect, names, counts), counts


class _Body(io.RawIOBase):
    """The text from the line on which the rows begin, as a stream of bytes."""

    def __init__(self, text: Text, first_line: int) -> None:
        super().__init__()
        self._blocks = body_blocks(text, first_line)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        parts, have = [self._rest], len(self._rest)
        while size < 0 or have < size:
            block = next(self._blocks, None)
            if block is None:
                break
            parts.append(block)
            have += len(block)
        data = b"".join(parts)
        self._rest = b"" if size < 0 else data[size:]
        return data if size < 0 else data[:size]


def body_blocks(text: Text, first_line: int) -> Iterator[bytes]:
    """Yield the text's UTF-8 blocks from a physical line on."""
    left = first_line
    for block in text.blocks():
        at = 0
        while left and at >= 0:
            at = block.find(b"\n", at) + 1
            if at == 0:
                break
            left -= 1
        else:
            yield block[at:]
            continue


def _survey(text: Text, dialect: Dialect) -> tuple[bool, int, list[int]]:
    """Say whether a quote is open at the end of some line, count the lines up to the last one with text, find empty ones."""
    gaps: list[int] = []
    mark = ord(dialect.quote) if dialect.quote else -1
    parity, n_ends, trailing, open_quote, any_text, at_start = 0, 0, 0, False, False, True
    for block in body_blocks(text.again(), dialect.body_line):
        if not block:
            continue
        data = np.frombuffer(block, dtype=np.uint8)
        ends = np.flatnonzero(data == 10)
        empty = np.flatnonzero(np.diff(ends, prepend=-1 if at_start else -2) == 1)
        gaps += [n_ends + int(place) - len(gaps) - number for number, place in enumerate(empty)]
        at_start = data[-1] == 10
        n_ends += len(ends)
        bare = len(block.rstrip(b"\n"))
        any_text = any_text or bare > 0
        trailing = len(block) - bare if bare else trailing + len(block)
        quotes = np.flatnonzero(data == mark)
        if not open_quote and (parity or len(quotes)):
            open_quote = bool(((np.searchsorted(quotes, ends) + parity) % 2).any())
        parity = (parity + len(quotes)) % 2
    return open_quote or bool(parity), (n_ends - trailing + 1 if any_text else 0), gaps


def _fast(text: Text, dialect: Dialect, names: list[str], counts: RowCounts) -> pd.DataFrame:
    odd: list[tuple[int, str]] = []

    def keep(row: pa_csv.InvalidRow) -> str:
        odd.append((row.number, row.text))
        return "skip"

    keys = [f"c{i}" for i in range(len(names))]
    reader = pa_csv.open_csv(
        pa.PythonFile(_Body(text, dialect.body_line), mode="r"),
        read_options=pa_csv.ReadOptions(use_threads=False, block_size=1 << 20, column_names=keys),
        parse_options=pa_csv.ParseOptions(
            delimiter=dialect.delimiter, quote_char=dialect.quote or False, invalid_row_handler=keep
        ),
        convert_options=pa_csv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(keys, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
        ),
    )
    table = reader.read_all()
    if odd:
        table = _put_back(table, odd, dialect, counts)
    counts.n_rows = table.num_rows
    columns = list(table.columns)
    del reader, table
    return _to_frame(columns, names)


def _put_back(table: pa.Table, odd: list[tuple[int, str]], dialect: Dialect, counts: RowCounts) -> pa.Table:
    rows = [_fit(parse_line(text, dialect.delimiter, dialect.quote), table.num_columns, counts, n) for n, text in odd]
    mended = _as_table(rows, table.column_names)
    total = table.num_rows + len(odd)
    order = np.empty(total, dtype=np.int64)
    is_odd = np.zeros(total, dtype=bool)
    is_odd[np.array([n for n, _ in odd]) - 1] = True
    order[~is_odd] = np.arange(table.num_rows)
    order[is_odd] = np.arange(len(odd)) + table.num_rows
    return pa.concat_tables([table, mended]).take(pa.array(order))


def _fit(fields: list[str], width: int, counts: RowCounts, line: int) -> list[str | None]:
    cells: list[str | None] = [f or None for f in fields]
    if len(cells) < width:
        counts.n_short += 1
        if len(counts.short) < MOST_NAMED:
            counts.short.append(line - 1)
        return cells + [None] * (width - len(cells))
    if any(cells[width:]):
        counts.n_long += 1
        counts.shifted.append(line - 1)
    return cells[:width]


def _as_table(rows: list[list[str | None]], keys: list[str]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ([] for _ in keys)
    return pa.table([pa.array(list(c), type=pa.string()) for c in columns], names=keys)


def _to_frame(chunks: list[pa.ChunkedArray], names: list[str]) -> pd.DataFrame:
    """Turn Arrow columns into pandas ones, taking each out of the list, so that memory never holds the table twice."""
    columns: list[pd.Series] = []
    chunks.reverse()
    while chunks:
        columns.append(pd.Series(pd.array(chunks.pop(), dtype="str"), copy=False))
        pa.default_memory_pool().release_unused()
    frame = pd.DataFrame(dict(enumerate(columns)), copy=False)
    frame.columns = pd.Index(names, dtype="str")
    return frame


def _careful(text: Text, dialect: Dialect, names: list[str], counts: RowCounts) -> pd.DataFrame:
    keys = [f"c{i}" for i in range(len(names))]
    tables: list[pa.Table] = []
    batch: list[list[str | None]] = []
    for number, fields in enumerate(_records(text, dialect, len(names), counts), start=1):
        if dialect.in_runs and len(fields) != len(names):
            raise _of_another_width(text.raw.name, number + dialect.body_line, len(fields), len(names))
        batch.append(_fit(fields, len(names), counts, number))
        if len(batch) == BATCH:
            tables.append(_as_table(batch, keys))
            batch = []
    tables.append(_as_table(batch, keys))
    table = pa.concat_tables(tables)
    counts.n_rows = table.num_rows
    return _to_frame(list(table.columns), names)


def _of_another_width(name: str, line: int, n_cells: int, n_columns: int) -> UnreadableFileError:
    """Say that nobody can tell which cell is empty where spaces part the cells."""
    return UnreadableFileError(
        N_(
            "In {name} spaces part the cells, and about line {line} there are {n} cells for {columns} columns: which one is empty cannot be told. Save the table as CSV."
        ),
        name=name,
        line=line,
        n=n_cells,
        columns=n_columns,
    )


def _lines(text: Text, first_line: int) -> Iterator[str]:
    rest = b""
    for block in body_blocks(text, first_line):
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace")
    if rest:
        yield rest.decode("utf-8", "replace")


def _records(text: Text, dialect: Dialect, width: int, counts: RowCounts) -> Iterator[list[str]]:
    lines = _lines(text, dialect.body_line)
    waiting: list[str] = []
    n_blank = n_records = 0
    gaps: list[int] = []
    csv.field_size_limit(1 << 30)
    while True:
        line = waiting.pop() if waiting else next(lines, None)
        if line is None:
            return
        if not line:
            n_blank += 1
            gaps.append(n_records)
            continue
        counts.n_blank, counts.gaps = n_blank, gaps
        n_records += 1
        joined = [line]
        n_quotes = line.count(dialect.quote)
        while n_quotes % 2 and len(joined) < MAX_QUOTED_LINES:
            more = waiting.pop() if waiting else next(lines, None)
            if more is None:
                break
            joined.append(more)
            n_quotes += more.count(dialect.quote)
        if _is_one_record(joined, n_quotes, dialect.delimiter, width):
            yield parse_record("\n".join(joined), dialect)
            continue
        waiting.extend(reversed(joined[1:]))
        fields = line.split(dialect.delimiter)
        alone = [f.strip() == dialect.quote for f in fields]  # a ditto mark
        counts.n_open_quotes += line.count(dialect.quote) > sum(alone)
        yield [f if mark else f.replace(dialect.quote, "") for f, mark in zip(fields, alone, strict=True)]


def _is_one_record(joined: list[str], n_quotes: int, delimiter: str, width: int) -> bool:
    """Say whether lines joined by an open quote are one record, and not rows swallowed by a stray quote."""
    if n_quotes % 2:
        return False
    return len(joined) == 1 or width < 2 or any(line.count(delimiter) + 1 != width for line in joined)


def parse_record(record: str, dialect: Dialect) -> list[str]:
    """Split a record that may span lines into its fields."""
    if dialect.in_runs:
        return parse_line(record, dialect.delimiter, dialect.quote)
    rows = list(csv.reader(io.StringIO(record, newline=""), delimiter=dialect.delimiter, quotechar=dialect.quote))
    return rows[0] if len(rows) == 1 else record.replace(dialect.quote, "").split(dialect.delimiter)
