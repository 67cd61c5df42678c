"""How large a table may be, measured before anything of it is unfolded in memory.

A spreadsheet of 6 kB may claim a cell in its last row and column, and readers then
ask for 512 GB at once; a Parquet file of 3 MB may hold 600 million equal cells. What
a file would become is read off its own directory first, in little memory; what
cannot be told so is bounded by the process that reads uploads (``jobs.web.uploads``).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import closing

from medcore.data.reading.text import BLOCK, RawFile
from medcore.errors import UnreadableFileError
from medcore.i18n import N_

MAX_CELLS = 200_000_000
"""Cells of a table: 1.6 GB as numbers. A million patients of 200 columns."""
MAX_SHEET_CELLS = 20_000_000
"""Cells of a sheet, the empty ones between filled ones too; each takes some 100 bytes while it is read."""
MAX_SHEET_BYTES = 2 << 30
"""Bytes to which the parts of a spreadsheet may unpack."""

_CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})(\d{1,7})"[^>]*(?<!/)>')
"""A cell with something in it; one that is only coloured closes itself and takes no room."""
_KEEP = 256
"""Bytes of one block that are looked at again with the next, so that no tag is cut in two."""


def check_cells(name: str, n_rows: int, n_columns: int, *, most: int | None = None) -> None:
    """Refuse a table of more cells than may be read (``MAX_CELLS`` unless told otherwise), and name both numbers."""
    most = MAX_CELLS if most is None else most
    if n_rows * n_columns > most:
        raise UnreadableFileError(
            N_(
                "The table {name} reaches over {rows} rows and {columns} columns, which is {n} million cells; at most {most} million are read. Keep the rows and columns that matter, or delete stray cells far from the table."
            ),
            name=name,
            rows=n_rows,
            columns=n_columns,
            n=n_rows * n_columns // 1_000_000,
            most=most // 1_000_000,
        )


def check_spreadsheet(raw: RawFile) -> None:
    """Refuse a spreadsheet that unpacks to too much or reaches too far; damaged ones are left to the reader."""
    try:
        with closing(raw.open()) as file, zipfile.ZipFile(file) as archive:
            size = sum(info.file_size for info in archive.infolist())
            _check_unpacked(raw.name, size)
            for info in archive.infolist():
                if re.fullmatch(r"xl/worksheets/[^/]+\.xml", info.filename):
                    check_cells(raw.name, *_reach(archive, info), most=MAX_SHEET_CELLS)
    except (zipfile.BadZipFile, OSError, RuntimeError):
        return


def _check_unpacked(name: str, size: int) -> None:
    if size > MAX_SHEET_BYTES:
        raise UnreadableFileError(
            N_("The spreadsheet {name} grows beyond {n} GB when unpacked. Save the table alone, or as CSV."),
            name=name,
            n=MAX_SHEET_BYTES >> 30,
        )


def _reach(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[int, int]:
    """Return how many rows and columns lie between the first and the last cell that a sheet names."""
    rows, columns = [10**9, 0], [10**9, 0]
    for block in _blocks(archive, info):
        for column, row in set(_CELL.findall(block)):
            at_row, at_column = int(row), _column_number(column)
            rows = [min(rows[0], at_row), max(rows[1], at_row)]
            columns = [min(columns[0], at_column), max(columns[1], at_column)]
    return max(0, rows[1] - rows[0] + 1), max(0, columns[1] - columns[0] + 1)


def _blocks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a part of an archive in pieces that overlap a little."""
    unpacked, rest = 0, b""
    with archive.open(info) as part:
        while data := part.read(BLOCK):
            unpacked += len(data)
            _check_unpacked(info.filename, unpacked)
            yield rest + data
            rest = data[-_KEEP:]


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number
