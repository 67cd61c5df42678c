"""What an .xlsx file says of its cells beside their values: formulas, errors, what is hidden, struck out, coloured, commented."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcore.i18n import N_, Message

MOST_BYTES = 256 << 20
"""Bytes of a sheet's own text that are looked through."""
MOST_COLOURED = 0.5
"""Share of the rows that may be coloured and still be told apart by it; beyond it colours are how the sheet looks."""
_NO_VALUE = re.compile(rb"<c\b[^>]*>\s*<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>")
_ERROR = re.compile(rb"<c\b[^>]*\bt=\"e\"")
_ROW = re.compile(rb"<row\b[^>]*>")
_COL = re.compile(rb"<col\b[^>]*>")
_CELL = re.compile(rb"<c\b([^>]*[^/>])>")
_HIDDEN = re.compile(rb'\bhidden="(?:1|true)"')
_PLACE = re.compile(rb'\br="[A-Z]{1,3}([0-9]+)"')
_STYLE = re.compile(rb'\bs="([0-9]+)"')
_COMMENT = re.compile(rb"<(?:\w+:)?comment\b")
_XF = re.compile(rb"<(?:\w+:)?xf\b[^>]*>")
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Written:
    """How a sheet is written: cells counted, rows by their numbers, hidden columns by their places from 0."""

    n_formulas: int = 0
    n_errors: int = 0
    n_comments: int = 0
    hidden: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    struck: frozenset[int] = frozenset()
    coloured: frozenset[int] = frozenset()

    @classmethod
    def of(cls, data: bytes, index: int) -> Written:
        """Look at a workbook's sheet; nothing is said of one that is built otherwise than usual, or too large."""
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                path = _path(archive, index)
                if archive.getinfo(path).file_size > MOST_BYTES:
                    return cls()
                text = archive.read(path)
                struck, coloured = _styles(archive)
                n_comments = _comments(archive, path)
        except (KeyError, IndexError, zipfile.BadZipFile, UnicodeDecodeError):
            return cls()
        return cls(
            len(_NO_VALUE.findall(text)) if b"<f" in text else 0,
            len(_ERROR.findall(text)),
            n_comments,
            frozenset(_number(tag, b"r") for tag in _ROW.findall(text) if _HIDDEN.search(tag)),
            frozenset(_hidden_columns(text)),
            *_styled(text, struck, coloured),
        )

    def told(self, lines: Rows, names: Sequence[str]) -> list[Message]:
        """Say what is not in the cells; ``lines`` are the numbers of the patients' rows, ``names`` the columns."""
        there = {int(line) for line in lines}
        hidden, struck, coloured = (len(rows & there) for rows in (self.hidden, self.struck, self.coloured))
        columns = [name for j, name in enumerate(names) if j in self.hidden_columns and name]
        told = [
            (self.n_formulas, _FORMULAS, {}),
            (self.n_errors, _ERRORS, {}),
            (hidden if hidden < len(there) else 0, _HIDDEN_ROWS, {}),
            (len(columns), _HIDDEN_COLUMNS, {"columns": columns}),
            (struck, _STRUCK, {}),
            (coloured if coloured <= MOST_COLOURED * len(there) else 0, _COLOURED, {}),
            (self.n_comments, _COMMENTED, {}),
        ]
        return [Message(template, {"n": n, **values}) for n, template, values in told if n]


_FORMULAS = N_(
    "{n} cell(s) hold a formula without its value and are empty here. Open the file in a spreadsheet, save it, and read it again."
)
_ERRORS = N_("{n} cell(s) hold an error of the spreadsheet, such as #N/A or #DIV/0!, and count as empty.")
_HIDDEN_ROWS = N_(
    "{n} row(s) are hidden in the file, by a filter perhaps, and were read like the others. Delete them there if they do not belong."
)
_HIDDEN_COLUMNS = N_("{n} column(s) are hidden in the file and were read like the others: {columns}.")
_STRUCK = N_(
    "{n} row(s) have cells that are struck out, and were read like the others. Delete them there if they do not count."
)
_COLOURED = N_("{n} row(s) are coloured. Colours are not read: what they mean belongs into a column of its own.")
_COMMENTED = N_(
    "{n} cell(s) have a comment, which is not read: what a model shall know belongs into a column of its own."
)


def _path(archive: zipfile.ZipFile, index: int) -> str:
    """Return where in the file a sheet is."""
    book, links = archive.read("xl/workbook.xml"), archive.read("xl/_rels/workbook.xml.rels")
    wanted = re.findall(rb"<(?:\w+:)?sheet\b[^>]*?\br:id=\"([^\"]+)\"", book)[index]
    targets = {
        _attribute(tag, b"Id"): _attribute(tag, b"Target") for tag in re.findall(rb"<Relationship\b[^>]*>", links)
    }
    path = targets[wanted].decode().lstrip("/")
    return path if path.startswith("xl/") else f"xl/{path}"


def _comments(archive: zipfile.ZipFile, path: str) -> int:
    """Count a sheet's comments; a thread of them is one."""
    folder, _slash, name = path.rpartition("/")
    links = f"{folder}/_rels/{name}.rels"
    if links not in archive.namelist():
        return 0
    found = [_attribute(tag, b"Target").decode() for tag in re.findall(rb"<Relationship\b[^>]*>", archive.read(links))]
    parts = [part for part in found if re.search(r"/comments?[0-9]*\.xml$|^comments[0-9]*\.xml$|/comments/", part)]
    return sum(len(_COMMENT.findall(archive.read(_joined(folder, part)))) for part in parts)


def _joined(folder: str, part: str) -> str:
    if part.startswith("/"):
        return part.lstrip("/")
    while part.startswith("../"):
        folder, part = folder.rpartition("/")[0], part[3:]
    return f"{folder}/{part}"


def _styles(archive: zipfile.ZipFile) -> tuple[frozenset[int], frozenset[int]]:
    """Return the styles of cells that strike out, and those that fill with a colour."""
    if "xl/styles.xml" not in archive.namelist():
        return frozenset(), frozenset()
    text = archive.read("xl/styles.xml")
    fonts = re.findall(rb"<font\b[^>]*/>|<font\b[^>]*>.*?</font>", _part(text, b"fonts"), re.S)
    fills = re.findall(rb"<fill\b[^>]*/>|<fill\b[^>]*>.*?</fill>", _part(text, b"fills"), re.S)
    striking = {i for i, font in enumerate(fonts) if re.search(rb'<strike\s*/>|<strike val="(?:1|true)"', font)}
    filling = {
        i
        for i, fill in enumerate(fills)
        if b'patternType="solid"' in fill and not re.search(rb"(?i)fgColor rgb=\"FFFFFFFF\"", fill)
    }
    styles = _XF.findall(_part(text, b"cellXfs"))
    return (
        frozenset(i for i, tag in enumerate(styles) if _number(tag, b"fontId") in striking),
        frozenset(i for i, tag in enumerate(styles) if _number(tag, b"fillId") in filling),
    )


def _part(text: bytes, name: bytes) -> bytes:
    begin, end = text.find(b"<" + name), text.find(b"</" + name + b">")
    return text[begin:end] if 0 <= begin < end else b""


def _styled(text: bytes, struck: frozenset[int], coloured: frozenset[int]) -> tuple[frozenset[int], frozenset[int]]:
    """Return the rows that have a cell with a value in one of the styles."""
    found: tuple[set[int], set[int]] = set(), set()
    if not struck and not coloured:
        return frozenset(), frozenset()
    for attributes in _CELL.findall(text):
        style, place = _STYLE.search(attributes), _PLACE.search(attributes)
        if style and place:
            for rows, styles in zip(found, (struck, coloured), strict=True):
                if int(style[1]) in styles:
                    rows.add(int(place[1]))
    return frozenset(found[0]), frozenset(found[1])


def _hidden_columns(text: bytes) -> list[int]:
    tags = [tag for tag in _COL.findall(text[: text.find(b"<sheetData")]) if _HIDDEN.search(tag)]
    return [j for tag in tags for j in range(_number(tag, b"min") - 1, min(_number(tag, b"max"), 5_000))]


def _attribute(tag: bytes, name: bytes) -> bytes:
    found = re.search(rb"\b" + name + rb'="([^"]*)"', tag)
    return found.group(1) if found else b""


def _number(tag: bytes, name: bytes) -> int:
    value = _attribute(tag, name)
    return int(value) if value.isdigit() else -1
