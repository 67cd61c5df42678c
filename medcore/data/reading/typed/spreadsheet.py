"""Spreadsheets: which sheet, where its table begins, merged cells, and the cells' own types."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from medcore.data.reading.layout.aside import Aside, find_aside, repeats
from medcore.data.reading.layout.headers import Header, find_header
from medcore.data.reading.layout.turned import lies
from medcore.data.reading.limits import check_spreadsheet
from medcore.data.reading.text import RawFile
from medcore.data.reading.typed.found import OTHERS, TypedTable, cell_text
from medcore.data.reading.typed.markup import read_markup
from medcore.data.reading.typed.workbook import Written
from medcore.data.schema.dictionaries.codebook import MOST_COLUMNS, MOST_ROWS, Rows, table_told_of
from medcore.data.schema.names import may_share
from medcore.data.values.names import clean_name
from medcore.errors import UnreadableFileError
from medcore.i18n import N_, Message

N_HEAD = 400
MOST_SHEETS = 50
FEW_ROWS, ROWS_A_COLUMN = 500, 20
"""A sheet of more rows, or more for each column of the table, is no codebook of it."""
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
Grid = list[list[Any]]


def read_spreadsheet(raw: RawFile, kind: str, given: Mapping[str, Any]) -> TypedTable:
    """Read one sheet of a workbook: the one that is named, or the largest that is not hidden, before it one with ``wanted`` columns.

    Where it is read ``alone``, as one more of a workbook that was looked at, nothing is found out of the others.
    """
    from python_calamine import CalamineWorkbook

    if not given.get("alone"):
        check_spreadsheet(raw)
    with closing(raw.open()) as file:
        data = file.read()
    if kind == "xls" and _ENCRYPTED in data:
        raise _protected(raw.name)
    book = _Book(CalamineWorkbook.from_filelike(io.BytesIO(data)))
    sheets = tuple(book.file.sheet_names)
    hidden = tuple(m.name for m in book.file.sheets_metadata if not str(m.visible).endswith(".Visible"))
    chosen = _chosen(raw.name, book, sheets, hidden, given)
    if given.get("sheet") is None:
        chosen = _told_of(book, chosen, [s for s in sheets if s not in hidden])
    sheet = book.sheet(chosen)
    table = _from_grid(raw.name, sheet.to_python(skip_empty_area=False), sheet, given)
    others = [s for s in sheets if s != chosen] if not given.get("alone") else []
    alike, linked = _related(book, table.names, [s for s in others if s not in hidden])
    few = max(FEW_ROWS, ROWS_A_COLUMN * len(table.names))
    small = tuple(_small(book, [s for s in others if s not in alike and int(book.sheet(s).height or 0) <= few]))
    table = replace(table, alike=alike, linked=linked, others=small)
    written = Written.of(data, sheets.index(chosen)) if kind == "xlsx" else Written()
    return _with_sheets(table, chosen, sheets, hidden, written)


def sheets_of(raw: RawFile) -> Iterator[tuple[str, Rows]]:
    """Give the sheets of a workbook that are small enough for a codebook, as rows of text."""
    from python_calamine import CalamineWorkbook

    check_spreadsheet(raw)
    with closing(raw.open()) as file:
        book = _Book(CalamineWorkbook.from_filelike(io.BytesIO(file.read())))
    yield from _small(book, book.file.sheet_names)


@dataclass(slots=True)
class _Book:
    """An open workbook, each of whose sheets is taken apart once."""

    file: Any
    _sheets: dict[str, Any] = field(default_factory=dict)

    def sheet(self, name: str) -> Any:
        """Return a sheet by its name."""
        if name not in self._sheets:
            self._sheets[name] = self.file.get_sheet_by_name(name)
        return self._sheets[name]


def _small(book: _Book, names: Sequence[str]) -> Iterator[tuple[str, Rows]]:
    for name in names[:MOST_SHEETS]:
        sheet = book.sheet(name)
        if 0 < int(sheet.width or 0) <= MOST_COLUMNS and int(sheet.height or 0) <= MOST_ROWS:
            yield name, [[cell_text(cell) or "" for cell in row] for row in sheet.to_python(skip_empty_area=False)]


@dataclass(frozen=True, slots=True)
class _OnlySheet:
    """The only sheet of a file that has none."""

    name: str


def read_page(raw: RawFile, given: Mapping[str, Any]) -> TypedTable:
    """Read the largest table of a web page as the sheet of a workbook is read."""
    return _from_grid(raw.name, read_markup(raw), _OnlySheet(raw.name), given)


def _with_sheets(
    table: TypedTable, chosen: str, sheets: tuple[str, ...], hidden: tuple[str, ...], written: Written
) -> TypedTable:
    """Say of a table which sheet it is, which others there are, and what it says beside its cells' values."""
    repairs = []
    others = [clean_name(s) for s in sheets if s != chosen and s not in hidden]
    if chosen in hidden:
        repairs.append(Message(N_("The sheet “{sheet}” is hidden in the file."), {"sheet": clean_name(chosen)}))
    if others:
        repairs.append(
            Message(
                OTHERS,
                {"sheet": clean_name(chosen), "others": others},
            )
        )
    left = [clean_name(s) for s in hidden if s != chosen]
    if left:
        repairs.append(Message(N_("Hidden sheets were not read: {sheets}."), {"sheets": left}))
    repairs += written.told(np.delete(table.lines, table.aside.rows), table.names)
    return replace(table, sheet=chosen, sheets=sheets, hidden=hidden, repairs=(*repairs, *table.repairs))


def _protected(name: str) -> UnreadableFileError:
    return UnreadableFileError(
        N_("The file {name} is protected by a password. Save it without one and upload it again."), name=name
    )


def _chosen(
    name: str,
    book: _Book,
    sheets: tuple[str, ...],
    hidden: tuple[str, ...],
    given: Mapping[str, Any],
) -> str:
    asked: str | None = given.get("sheet")
    if asked is not None and asked not in sheets:
        raise UnreadableFileError(
            N_("The file {name} has no sheet {sheet}. Its sheets are: {sheets}."),
            name=name,
            sheet=asked,
            sheets=list(sheets),
        )
    if asked is not None:
        return asked
    sizes = {s: _size(book.sheet(s)) for s in sheets}
    shown = [s for s in sheets if s not in hidden and sizes[s]]
    wanted = {*given.get("wanted", ())}
    if given.get("tallest"):
        sizes |= {s: int(book.sheet(s).height or 0) for s in shown}
    known = {s: len(wanted & {*_names(book, s)}) for s in shown[:MOST_SHEETS]} if wanted else {}
    best = max(shown or sheets, key=lambda s: (known.get(s, 0), sizes[s]), default=None)
    if best is None:
        raise UnreadableFileError(N_("The file {name} has no sheet with a table."), name=name)
    return best


def _told_of(book: _Book, chosen: str, shown: Sequence[str]) -> str:
    """Return the sheet whose columns the largest one tells of, where that is a codebook; else the largest."""
    rows = next(iter(_small(book, [chosen])), (chosen, []))[1]
    others = [sheet for sheet in shown if sheet != chosen][:MOST_SHEETS]
    return (
        table_told_of(rows, {other: _names(book, other) for other in others}) if rows and others else None
    ) or chosen


def _related(book: _Book, names: Sequence[str], others: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the sheets whose columns have the same names, in whatever order, and those that have some of the names."""
    wanted = {name.strip().casefold() for name in names if name.strip()}
    named = {sheet: {name.casefold() for name in _names(book, sheet)} for sheet in others[:MOST_SHEETS]}
    alike = tuple(sheet for sheet, of in named.items() if of == wanted)
    return alike, tuple(sheet for sheet, of in named.items() if sheet not in alike and may_share(of, names))


def _names(book: _Book, sheet: str) -> list[str]:
    """Return the names of a sheet's columns; none where it names none."""
    rows = book.sheet(sheet).to_python(skip_empty_area=False, nrows=N_HEAD)
    filled = [i for i, row in enumerate(rows) if any(c not in ("", None) for c in row)]
    head = _header(rows, filled, None)[0] if filled else None
    return [name.strip() for name in head.names if name.strip()] if head is not None and head.named else []


def _size(sheet: Any) -> int:
    return int(sheet.height or 0) * int(sheet.width or 0)


def _from_grid(name: str, rows: Grid, sheet: Any, given: Mapping[str, Any]) -> TypedTable:
    filled = [i for i, row in enumerate(rows) if any(c not in ("", None) for c in row)]
    if not filled:
        raise UnreadableFileError(N_("The sheet {sheet} of {name} is empty."), sheet=clean_name(sheet.name), name=name)
    header, begin, body_at = _header(rows, filled, given.get("skip_lines"))
    body = rows[body_at:]
    width = max((max((j for j, c in enumerate(r) if c not in ("", None)), default=-1) + 1 for r in body), default=0)
    names = [*header.names, *[""] * (width - len(header.names))] if header.named else [""] * width
    width = len(names)
    body = [[*row[:width], *[""] * (width - len(row))] for row in body]
    repairs = _unmerge(body, body_at, sheet)
    while body and all(c in ("", None) for c in body[-1]):
        body.pop()
    aside = Aside() if given.get("every_row") else _aside(names, header, body)
    if aside.rows and lies(_as_texts(body), given.get("patients_in")):
        aside = Aside()
    gone = set(aside.rows)
    kept = [row for i, row in enumerate(body) if i not in gone]
    columns = [_column([row[j] for row in kept]) for j in range(width)]
    groups = (*header.groups, *[""] * (width - len(header.groups)))
    return TypedTable(
        names,
        columns,
        skip_lines=begin,
        groups=groups,
        n_storeys=header.n_storeys,
        aside=aside,
        repairs=tuple(repairs),
        lines=np.arange(len(body), dtype=np.int64) + body_at + 1,
    )


def _as_texts(body: Grid) -> pd.DataFrame:
    """Return the rows as columns of texts."""
    cells = zip(*([cell_text(cell) or None for cell in row] for row in body), strict=True)
    return pd.DataFrame({j: pd.array(list(column), dtype="str") for j, column in enumerate(cells)})


def _header(rows: Grid, filled: list[int], skip_lines: int | None) -> tuple[Header, int, int]:
    """Find the column names, the row in which they begin, and the one in which the patients do."""
    below = filled if skip_lines is None else [i for i in filled if i >= skip_lines] or filled[:1]
    head = [_trimmed([cell_text(c) or "" for c in rows[i]]) for i in below[:N_HEAD]]
    header = find_header(head, at=None if skip_lines is None else 0)
    begin = below[header.first]
    return header, begin, below[header.last] + 1 if header.named else begin


def _trimmed(row: list[str]) -> list[str]:
    while row and not row[-1].strip():
        row = row[:-1]
    return row


def _unmerge(body: Grid, body_at: int, sheet: Any) -> list[Message]:
    """Give each row of a merged cell its value: a patient's number that stands beside all visits."""
    n = 0
    for (top, left), (bottom, right) in getattr(sheet, "merged_cell_ranges", None) or ():
        if top < body_at or bottom == top or right != left:
            continue
        at = top - body_at
        if at >= len(body) or left >= len(body[at]):
            continue
        for row in body[at + 1 : bottom - body_at + 1]:
            if row[left] in ("", None):
                row[left] = body[at][left]
                n += 1
    return (
        [Message(N_("{n} cell(s) under merged cells took the value that is merged over them."), {"n": n})] if n else []
    )


def _aside(names: Sequence[str], header: Header, body: Grid) -> Aside:
    if not header.named or not body:
        return Aside()
    written = (*header.lowest, *[""] * (len(names) - len(header.lowest)))
    columns = [
        pd.Series([c if isinstance(c, str) else None for c in col], dtype=object) for col in zip(*body, strict=True)
    ]
    n_filled = [sum(1 for c in row if c not in ("", None)) for row in body]
    return find_aside(
        names,
        len(body),
        lambda rows: [[cell_text(c) or "" for c in body[i]] for i in rows],
        repeated=repeats(written, columns),
        blank=[i for i, n in enumerate(n_filled) if n == 0],
        sparse=[i for i, n in enumerate(n_filled) if n == 1],
    )


def _column(cells: Sequence[Any]) -> pd.Series:
    """Give a spreadsheet's column one type: numbers, dates or truth values throughout, else text."""
    kinds = {type(c) for c in cells if c not in ("", None)}
    if kinds and kinds <= {int, float}:
        return pd.Series([np.nan if c in ("", None) else float(c) for c in cells], dtype="float64")
    if kinds and kinds <= {dt.date, dt.datetime}:
        stamps = [None if c in ("", None) else pd.Timestamp(c) for c in cells]
        return pd.Series(pd.to_datetime(pd.Series(stamps), errors="coerce")).astype("datetime64[us]")
    return pd.Series([cell_text(c) for c in cells], dtype="str")
