"""JSON: objects of one level, as rows."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pandas as pd

from medcore.data.reading.limits import check_cells
from medcore.data.reading.text import RawFile
from medcore.data.reading.typed.found import TypedTable, cell_text
from medcore.errors import UnreadableFileError
from medcore.i18n import N_


def read_objects(raw: RawFile) -> TypedTable:
    """Read objects of one level, all in a list or one a line, as rows; numbers keep the digits they are written with."""
    with closing(raw.open()) as file:
        text = file.read().decode("utf-8-sig").strip()
    read = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=lambda _word: None)
    try:
        found = read.decode(text)
    except json.JSONDecodeError:
        found = [read.decode(line) for line in text.splitlines() if line.strip()]
    rows = _rows_of(raw.name, found)
    names = list(dict.fromkeys(name for row in rows for name in row))
    check_cells(raw.name, len(rows), len(names))
    return TypedTable(names, [pd.Series([cell_text(row.get(name)) for row in rows], dtype="str") for name in names])


def _rows_of(name: str, found: Any) -> list[dict[str, Any]]:
    """Return the rows: the objects of a list, or of the only list that an object holds; whole cells only."""
    if isinstance(found, dict) and "resourceType" not in found:
        lists = [value for value in found.values() if isinstance(value, list) and value]
        found = lists[0] if len(lists) == 1 else [found]
    flat = isinstance(found, list) and all(
        isinstance(row, dict) and not any(isinstance(cell, dict | list) for cell in row.values()) for row in found
    )
    if not flat:
        raise UnreadableFileError(
            N_(
                "The file {name} is JSON with objects or lists inside its rows, so it is no table. Export a table: one row a patient, one value a cell."
            ),
            name=name,
        )
    return [row for row in found if row]
