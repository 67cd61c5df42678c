"""Codebooks that come with a table: another sheet of its workbook, or another file of its archive or upload."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from medcore.data.cohort import Schema
from medcore.data.reading.dialect import detect_dialect
from medcore.data.reading.encodings import detect_encoding
from medcore.data.reading.signatures import file_format
from medcore.data.reading.text import RawFile, Text, member_sizes, unpack
from medcore.data.reading.typed.spreadsheet import sheets_of
from medcore.data.schema.dictionaries.codebook import CodebookEntry, Rows, apply_codebook, find_codebook
from medcore.data.schema.dictionaries.dictionary import FIELDS, load_dictionary
from medcore.data.schema.dictionaries.redcap import is_dictionary
from medcore.data.values.names import clean_name
from medcore.errors import InputError, UnreadableFileError
from medcore.i18n import N_, Message

MOST_BYTES = 4 << 20
"""A larger text file is a table of patients."""
MOST_FILES = 50
"""Files of an archive that are looked at for a codebook."""


def as_rows(raw: RawFile) -> Iterator[tuple[str, Rows]]:
    """Give each sheet of a workbook, or a text file itself, as rows of text; nothing for what is neither or too large.

    Raises UnreadableFileError where it is damaged.
    """
    kind = file_format(raw)
    if kind in ("csv", "tsv") and raw.n_bytes <= MOST_BYTES:
        text = Text(raw, detect_encoding(raw)).head(MOST_BYTES)
        dialect = detect_dialect(text, whole=True)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=dialect.delimiter or ",", skipinitialspace=True)
        try:
            yield raw.name, list(reader)
        except csv.Error:
            return
    elif kind in ("xlsx", "xls", "ods"):
        yield from sheets_of(raw)


def files_beside(packed: RawFile, members: Sequence[str], chosen: str) -> Iterator[tuple[str, Rows]]:
    """Give the rows of an archive's other files that are small enough for a codebook."""
    sizes = member_sizes(packed)
    for name in [name for name in members if name != chosen and sizes[name] <= MOST_BYTES][:MOST_FILES]:
        with suppress(UnreadableFileError):
            yield from as_rows(unpack(packed, name)[0])


@dataclass(frozen=True, slots=True)
class Beside:
    """What codebooks beside a table say of its columns, and the names of the sheets or files that are such."""

    entries: Mapping[str, CodebookEntry] = field(default_factory=dict)
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, frame: pd.DataFrame, sheets: Iterable[tuple[str, Rows]]) -> Beside:
        """Find them among other sheets or files; what the first says of a column goes before what the next one does."""
        entries: dict[str, CodebookEntry] = {}
        names = []
        for name, rows in sheets:
            found = find_codebook(rows, frame)
            entries |= {column: entry.and_then(entries.get(column)) for column, entry in found.items()}
            names += [name] if found else []
        return cls(entries, tuple(names))

    def units(self) -> dict[str, str]:
        """Return the units that they state."""
        return {column: entry.unit for column, entry in self.entries.items() if entry.unit}

    def told(self) -> tuple[Message, ...]:
        """Say what was taken from them."""
        if not self.names:
            return ()
        counts = {
            "labels": sum(1 for entry in self.entries.values() if entry.label),
            "units": len(self.units()),
            "codes": sum(1 for entry in self.entries.values() if entry.words or entry.missing),
        }
        return (
            Message(
                N_(
                    "{sheets}: this codebook was read. Taken from it: the labels of {labels} columns, the units of {units}, what the codes of {codes} mean."
                ),
                {"sheets": [clean_name(name) for name in self.names], **counts},
            ),
        )


def apply_file(schema: Schema, frame: pd.DataFrame, file: Path | str | tuple[str, bytes]) -> Schema:
    """Apply what a file says of a table's columns: a data dictionary, REDCap's, or a codebook in a form of its own.

    ``file`` is text or a workbook. Raises InputError where it says nothing of these columns, and what
    :func:`~medcore.data.schema.dictionaries.dictionary.load_dictionary` raises.
    """
    raw = RawFile.of(file)
    sheets = list(as_rows(raw))
    for _sheet, rows in sheets:
        headers = rows[0] if rows else []
        if is_dictionary(headers) or ("name" in headers and len({*headers} & {*FIELDS}) > 1):
            return load_dictionary(schema, _as_csv(rows))
    found = Beside.of(frame, sheets)
    if not found.names:
        raise InputError(
            N_(
                "The file {name} says nothing of this table's columns. A codebook has a column with the names of the table's columns, and beside it what they are, their units or codes (1 = male; 2 = female)."
            ),
            name=clean_name(raw.name),
        )
    return apply_codebook(schema, frame, found.entries, asked=True)


def _as_csv(rows: Rows) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
