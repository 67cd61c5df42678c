"""Small mends on the way from a file to a table, each told and counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from medcore.data.reading.dialect import Dialect
from medcore.data.reading.rows import MOST_NAMED, RowCounts
from medcore.data.reading.text import Text
from medcore.data.values.folding import text_array
from medcore.errors import MissingColumnsError
from medcore.i18n import N_, Message

Lines = np.ndarray[Any, np.dtype[np.int64]]
"""The number of each row in the file, as a spreadsheet shows it."""
MOST_STARTS = 20_000
"""Gaps between a file's rows beyond which their numbers are not kept."""
_DITTO = frozenset(['"', "〃", "″", "”", "“", "''", "同上", "ditto", "Ditto", "dito"])
_AS_TEXT = r'^=\s*"(.*)"$'
_QUOTED = r'^"([^"]*[0-9][^"]*)"$'
_APOSTROPHE = r"^'([-+=@0-9.,].*)$"


def unwrap(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Message]]:
    """Take cells out of the marks by which a spreadsheet is told that they are text: ``="12.5"``, ``'12.5`` and ``"12.5"``."""
    changed, n_cells = {}, 0
    for name in frame.columns:
        cells = pa.array(frame[name].array, type=pa.large_string(), from_pandas=True)
        for mark, pattern in (("=", _AS_TEXT), ("'", _APOSTROPHE), ('"', _QUOTED)):
            if not pc.any(pc.starts_with(cells, mark)).as_py():
                continue
            n = int(pc.sum(pc.match_substring_regex(cells, pattern)).as_py() or 0)
            if n and (pattern == _AS_TEXT or 2 * n >= len(cells) - cells.null_count):
                cells = pc.replace_substring_regex(cells, pattern, r"\1")
                changed[name], n_cells = cells, n_cells + n
    if not changed:
        return frame, []
    frame = frame.copy(deep=False)
    for name, cells in changed.items():
        cells = pc.if_else(pc.equal(cells, ""), pa.scalar(None, cells.type), cells)
        frame[name] = pd.Series(pd.array(cells, dtype="str"), index=frame.index)
    return frame, [
        Message(
            N_('{n} cell(s) were written as text for a spreadsheet, such as ="12.5"; their contents were read.'),
            {"n": n_cells},
        )
    ]


def ditto(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Message]]:
    """Give cells that hold a ditto mark the value above it, which is what the mark says."""
    changed, n_cells = {}, 0
    for name in frame.columns:
        if not isinstance(frame[name].dtype, pd.StringDtype):
            continue
        cells = text_array(frame[name])
        marked = pc.is_in(cells, value_set=pa.array(sorted(_DITTO), type=cells.type))
        if not pc.any(marked).as_py():
            continue
        marked = np.asarray(marked.to_numpy(zero_copy_only=False), dtype=bool)
        above = np.maximum.accumulate(np.where(marked, -1, np.arange(len(frame))))
        known = marked & (above >= 0)
        changed[name] = frame[name].where(~known, frame[name].take(np.maximum(above, 0)).set_axis(frame.index))
        n_cells += int(known.sum())
    if not n_cells:
        return frame, []
    said = N_("{n} cell(s) hold a ditto mark, such as 〃 or 同上, and took the value above them, in {columns}.")
    return frame.assign(**changed), [Message(said, {"n": n_cells, "columns": list(changed)})]


def fill_down(frame: pd.DataFrame, names: Sequence[str]) -> tuple[pd.DataFrame, list[Message]]:
    """Give the empty cells of columns the value above them, as merged cells mean it."""
    lacking = [name for name in names if name not in frame.columns]
    if lacking:
        raise MissingColumnsError.between(wanted=lacking, got=[str(c) for c in frame.columns], table="The table")
    repairs = []
    for name in names:
        n = int(frame[name].isna().sum())
        frame = frame.assign(**{name: frame[name].ffill()})
        repairs.append(
            Message(
                N_("{n} empty cell(s) of “{column}” took the value above them."),
                {"n": n - int(frame[name].isna().sum()), "column": name},
            )
        )
    return frame, repairs


def storeys(n: int) -> list[Message]:
    """Say that the names take several rows."""
    if n < 2:
        return []
    return [
        Message(
            N_(
                "The column names stand in {n} rows, titles of groups above them; the titles were kept as descriptions."
            ),
            {"n": n},
        )
    ]


def trim(frame: pd.DataFrame, raw_names: Sequence[str]) -> tuple[pd.DataFrame, list[Message]]:
    """Drop rows without any value at the end of the table, and nameless columns without any value; tell of the others."""
    repairs = []
    nameless = [name for name, raw in zip(frame.columns, raw_names, strict=False) if not raw.strip()]
    empty_names = [name for name in nameless if frame[name].isna().all()]
    if n := len(nameless) - len(empty_names):
        repairs.append(Message(N_("{n} column(s) had no name and were named by their position."), {"n": n}))
    if empty_names:
        frame = frame.drop(columns=empty_names)
        repairs.append(Message(N_("{n} column(s) without name and values were left out."), {"n": len(empty_names)}))
    filled = frame.notna().any(axis=1).to_numpy()
    n_rows = int(filled.nonzero()[0][-1]) + 1 if filled.any() else 0
    if n_rows < len(frame):
        repairs.append(
            Message(N_("{n} row(s) without any value at the end were left out."), {"n": len(frame) - n_rows})
        )
        frame = frame.iloc[:n_rows].reset_index(drop=True)
    return frame, repairs


def numbering(lines: Lines) -> tuple[int, ...]:
    """Write the rows' numbers in the file as :class:`Source` keeps them: where they do not count up one by one.

    >>> numbering(np.array([4, 5, 9, 10])), numbering(np.array([2, 3]))
    ((0, 4, 2, 9), ())
    """
    starts = np.flatnonzero(np.diff(lines, prepend=lines[:1] - 2) != 1)
    pairs = tuple(int(n) for start in starts for n in (start, lines[start]))
    return () if pairs == (0, 2) or len(starts) > MOST_STARTS else pairs


def layout_repairs(dialect: Dialect) -> list[Message]:
    """Say what was unusual above and beside the rows."""
    repairs = [*skipped(dialect.skip_lines), *storeys(dialect.n_storeys)]
    if dialect.trailing:
        repairs.append(
            Message(N_("Every row ends with a separator that the column names lack; no column was shifted."), {})
        )
    if not dialect.has_header:
        repairs.append(Message(N_("The file has no line of column names; the columns were numbered."), {}))
    if dialect.row_names:
        repairs.append(Message(N_("The first column had no name and was called row."), {}))
    return repairs


def skipped(n: int) -> list[Message]:
    """Say how many lines stand above the names."""
    return [Message(N_("{n} line(s) above the column names were left out."), {"n": n})] if n else []


def row_repairs(counts: RowCounts, lines: Lines) -> list[Message]:
    """Say which rows were not as wide as the names; ``lines`` are the rows' numbers in the file."""
    said = (
        (
            counts.n_short,
            counts.short,
            N_("{n} row(s) had too few cells; the lacking ones count as missing (first at row(s) {rows})."),
        ),
        (
            counts.n_long,
            counts.shifted[:MOST_NAMED],
            N_("{n} row(s) had too many cells; those beyond the last column were left out (first at row(s) {rows})."),
        ),
        (
            counts.n_open_quotes,
            (),
            N_("{n} line(s) held a quotation mark that was never closed; they were read without it."),
        ),
        (counts.n_blank, (), N_("{n} empty line(s) were left out.")),
    )
    return [Message(template, {"n": n, "rows": [int(lines[r]) for r in rows]}) for n, rows, template in said if n]


def text_repairs(text: Text) -> list[Message]:
    """Say which characters could not be read."""
    repairs = []
    if text.stats.n_undecodable:
        repairs.append(
            Message(
                N_(
                    "{n} character(s) could not be read as {encoding} and are shown as �. Choose another encoding if they matter."
                ),
                {"n": text.stats.n_undecodable, "encoding": text.encoding},
            )
        )
    if text.stats.n_returns and text.lone == " ":
        repairs.append(Message(N_("{n} line break(s) inside cells became spaces."), {"n": text.stats.n_returns}))
    if text.stats.n_nul:
        repairs.append(Message(N_("{n} null character(s) were removed."), {"n": text.stats.n_nul}))
    return repairs
