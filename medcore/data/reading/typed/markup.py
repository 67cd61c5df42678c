"""Tables of web pages, and of Excel's XML of 2003: what many hospital systems give out under the name of a spreadsheet."""

from __future__ import annotations

from contextlib import closing
from html.parser import HTMLParser

from medcore.data.reading.encodings import detect_encoding
from medcore.data.reading.limits import MAX_SHEET_CELLS, check_cells
from medcore.data.reading.text import RawFile
from medcore.data.reading.typed.records import read_records
from medcore.errors import UnreadableFileError
from medcore.i18n import N_

_ROWS = frozenset({"tr", "row", "ss:row"})
_CELLS = frozenset({"td", "th", "cell", "ss:cell"})
_BLOCKS = frozenset({"br", "p", "div", "li"})
_SILENT = frozenset({"script", "style"})
MOST_SPAN = 1_000
"""Columns that one cell may claim."""


def read_markup(raw: RawFile) -> list[list[str]]:
    """Return the rows of the largest table that a page holds, or of XML's records, "" where a cell is empty.

    Nothing of it is fetched or run.

    Raises UnreadableFileError where there is no table, or a larger one than may be read.
    """
    with closing(raw.open()) as file:
        data = file.read()
    text = data.decode(detect_encoding(raw), "replace")
    page = _Page(raw.name)
    page.feed(text)
    page.close()
    found = max(page.tables, key=_size, default=[])
    if _size(found) < 2:
        found = read_records(raw.name, text)
    if _size(found) < 2:
        raise UnreadableFileError(
            N_(
                "The file {name} is a web page or XML without a table. Open it in a spreadsheet and save it as CSV or Excel."
            ),
            name=raw.name,
        )
    return found


def _size(table: list[list[str]]) -> int:
    return sum(1 for row in table for cell in row if cell)


class _Page(HTMLParser):
    """Collects the rows of every table; one inside a cell of another is a table of its own."""

    def __init__(self, name: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self._name = name
        self._open: list[list[list[str]]] = []
        self._cell: list[str] | None = None
        self._span = 1
        self._silent = 0
        self._n_cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self._silent += tag in _SILENT
        if tag in ("table", "ss:table"):
            self._end_cell()
            self._open.append([])
            self.tables.append(self._open[-1])
        elif tag in _ROWS and self._open:
            self._end_cell()
            self._pad(len(self._open[-1]) + 1, said.get("ss:index", ""), of_rows=True)
            self._open[-1].append([])
        elif tag in _CELLS and self._open:
            self._end_cell()
            if not self._open[-1]:
                self._open[-1].append([])
            self._pad(len(self._open[-1][-1]) + 1, said.get("ss:index", ""), of_rows=False)
            more = _whole(said.get("ss:mergeacross", ""))
            self._cell, self._span = [], min(MOST_SPAN, max(1, _whole(said.get("colspan", "")), more + 1))
        elif tag in _BLOCKS and self._cell is not None:
            self._cell.append(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in _SILENT))
        if tag in _CELLS or tag in _ROWS:
            self._end_cell()
        elif tag in ("table", "ss:table") and self._open:
            self._end_cell()
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._silent:
            self._cell.append(data)

    def _pad(self, at: int, index: str, *, of_rows: bool) -> None:
        """Leave out the cells or rows that Excel's XML skips by naming the place of the next."""
        missing = min(_whole(index) - at, MAX_SHEET_CELLS)
        if missing > 0:
            self._count(missing)
            if of_rows:
                self._open[-1].extend([] for _ in range(missing))
            else:
                self._open[-1][-1].extend([""] * missing)

    def _end_cell(self) -> None:
        if self._cell is None or not self._open or not self._open[-1]:
            self._cell = None
            return
        self._count(self._span)
        self._open[-1][-1].extend([" ".join("".join(self._cell).split()), *[""] * (self._span - 1)])
        self._cell = None

    def _count(self, n: int) -> None:
        self._n_cells += n
        check_cells(self._name, self._n_cells, 1, most=MAX_SHEET_CELLS)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
