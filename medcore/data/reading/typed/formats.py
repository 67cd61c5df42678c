"""Which reader reads which typed format, and what is said of a file that none can read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medcore.data.reading.text import RawFile
from medcore.data.reading.typed.arrow import read_arrow
from medcore.data.reading.typed.found import TypedTable
from medcore.data.reading.typed.objects import read_objects
from medcore.data.reading.typed.spreadsheet import read_page, read_spreadsheet
from medcore.data.reading.typed.statistical import read_statistical
from medcore.errors import UnreadableFileError
from medcore.i18n import N_

SPREADSHEETS = ("xlsx", "xls", "ods")


def read_typed(raw: RawFile, kind: str, given: Mapping[str, Any]) -> TypedTable:
    """Read a file of a typed format; raises UnreadableFileError when it is damaged or protected.

    ``given`` are fields of Source that are taken instead of what would be found.
    """
    try:
        if kind in SPREADSHEETS:
            return read_spreadsheet(raw, kind, given)
        if kind in ("parquet", "feather"):
            return read_arrow(raw, kind)
        if kind == "html":
            return read_page(raw, given)
        if kind == "json":
            return read_objects(raw)
        return read_statistical(raw, kind)
    except UnreadableFileError:
        raise
    except Exception as error:  # the readers' own errors are many, and all mean that the file is at fault
        raise _unreadable(raw.name, kind, error) from None


def _unreadable(name: str, kind: str, error: Exception) -> UnreadableFileError:
    if any(word in str(error).lower() for word in ("password", "encrypt", "workbook stream")):
        return UnreadableFileError(
            N_("The file {name} is protected by a password. Save it without one and upload it again."), name=name
        )
    return UnreadableFileError(
        N_("The file {name} is damaged, or is no {kind} file. Save it again, or save the table as CSV."),
        name=name,
        kind=kind,
    )
