"""One or several files become a cohort: which of them is the patients' table, and what lies beside it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from medcore.data.attachments import Attachments
from medcore.data.cohort import Cohort
from medcore.data.reading.archive import MAX_TOTAL, is_archive, read_archive
from medcore.data.reading.beside.codebooks import as_rows
from medcore.data.reading.beside.together import TOGETHER
from medcore.data.reading.signatures import file_format
from medcore.data.reading.table import read_table
from medcore.data.reading.text import RawFile, unpack
from medcore.data.schema.dictionaries.codebook import Rows, find_codebook
from medcore.data.values.names import clean_name
from medcore.errors import InputError, UnreadableFileError
from medcore.i18n import N_

File = Path | str | tuple[str, bytes]
TABLES = (
    ".csv",
    ".tsv",
    ".txt",
    ".xlsx",
    ".xls",
    ".ods",
    ".parquet",
    ".feather",
    ".dta",
    ".sav",
    ".sas7bdat",
    ".xpt",
    ".json",
    ".jsonl",
    ".ndjson",
)
"""How tables end; another file that could be read as text is a note."""
MANY = 20
"""More files of one ending than this are notes, a file a patient, and no tables."""


def open_cohort(
    files: File | Sequence[File], *, table: str | None = None, overrides: Mapping[str, Any] | None = None
) -> Cohort:
    """Read one or several files as a cohort: the patients' table, and the others as attachments.

    A file is a path, or a name with its bytes. Archives (zip) are unpacked. Of
    several tables with the same columns all are the patients' (see :mod:`~medcore.data.reading.beside.together`); else it is the one with one row for each value of a column
    that all of them have; ``table`` names it where that is not clear. A single table,
    packed or not, is read as :func:`~medcore.data.reading.table.read_table` reads it,
    and keeps its identity; with attachments the identity stands for all files.

    Raises:
        UnreadableFileError: a file or an archive cannot be read, or not safely; it names the limit.
        InputError: no file is a table, or it is not clear which is the patients'.

    """
    given = _listed(files)
    raws = [RawFile.of(file) for file in given]
    if len(raws) == 1 and not _holds_more(raws[0]):
        return read_table(given[0], overrides=overrides)
    members = _members(raws)
    tables = _tables(members)
    names, cohort = _patients(tables, members, table, overrides)
    attachments = Attachments.of([(other, data) for other, data in members.items() if other not in names])
    return replace(cohort, sha256=attachments.identity(cohort.sha256), attachments=attachments)


def _listed(files: File | Sequence[File]) -> list[File]:
    if isinstance(files, (str, Path)):
        return [files]
    name, *rest = files
    if len(rest) == 1 and isinstance(name, str) and isinstance(rest[0], bytes):
        return [(name, rest[0])]
    return [file for file in files if not isinstance(file, bytes)]


def _holds_more(raw: RawFile) -> bool:
    """Say whether a single file is an archive with more in it than tables to choose from."""
    if not is_archive(raw):
        return False
    _inner, names = unpack(raw)
    return not all(name.lower().endswith(TABLES) for name in names) or len(names) > MANY


def _members(raws: Sequence[RawFile]) -> dict[str, bytes]:
    """Return every file by name, those of archives in place of the archives."""
    members: dict[str, bytes] = {}
    total = 0
    for raw in raws:
        found = read_archive(raw) if is_archive(raw) else [(clean_name(raw.name) or "table", _whole(raw))]
        for name, data in found:
            if name in members:
                raise InputError(N_("Two files have the same name: give each its own name and upload them again."))
            members[name] = data
            total += len(data)
        if total > MAX_TOTAL:
            raise UnreadableFileError(
                N_("The files together are larger than {n} GB. Leave some out, or make them smaller."),
                n=MAX_TOTAL >> 30,
            )
    return members


def _whole(raw: RawFile) -> bytes:
    with closing(raw.open()) as file:
        return file.read()


def _tables(members: Mapping[str, bytes]) -> list[str]:
    """Return the names of the files that are tables."""
    endings = [Path(name).suffix.lower() for name in members]
    found = []
    for name, ending in zip(members, endings, strict=True):
        if ending not in TABLES or endings.count(ending) > MANY:
            continue
        try:
            file_format(RawFile.of((name, members[name])))
        except UnreadableFileError:
            continue
        found.append(name)
    return found


def _patients(
    tables: Sequence[str],
    members: Mapping[str, bytes],
    table: str | None,
    overrides: Mapping[str, Any] | None,
    books: Sequence[tuple[str, Rows]] = (),
) -> tuple[tuple[str, ...], Cohort]:
    """Choose and read the patients' table, or the several that are one; ``books`` are the rows of codebooks beside them."""
    if table is not None:
        name = clean_name(table)
        if name not in members:
            raise InputError(
                N_("None of the {n} files has the name that was given for the patients' table."), n=len(members)
            )
        read = {name: read_table((name, members[name]), overrides=overrides)}
        books = _codebooks(read, {other: members[other] for other in tables if other != name})
        with_books = read_table((name, members[name]), overrides=overrides, beside=books) if books else read[name]
        return (name, *(book for book, _rows in books)), with_books
    if not tables:
        raise InputError(
            N_(
                "None of the {n} files is a table. Upload the patients' table, with one row a patient, as CSV or Excel beside them."
            ),
            n=len(members),
        )
    if len(tables) == 1:
        return tuple(tables), read_table((tables[0], members[tables[0]]), overrides=overrides, beside=books)
    read = {name: read_table((name, members[name])) for name in tables}
    if not books and (books := _codebooks(read, {name: members[name] for name in tables})):
        rest = [name for name in tables if name not in {book for book, _rows in books}]
        names, cohort = _patients(rest, members, table, overrides, books)
        return (*names, *(book for book, _rows in books)), cohort
    if len({frozenset(c.casefold() for c in cohort.frame.columns) for cohort in read.values()}) == 1:
        packed = _packed({name: members[name] for name in tables})
        return tuple(tables), read_table(packed, overrides=overrides, beside=books)
    shared = set.intersection(*({name.casefold() for name in cohort.frame.columns} for cohort in read.values()))
    single = [n for n, cohort in read.items() if any(_one_each(cohort, column) for column in shared)]
    if len(single) > 1:
        packed = _packed({name: members[name] for name in single})
        cohort = read_table(packed, overrides=overrides, beside=books)
        if cohort.source.sheet == TOGETHER:
            return tuple(single), cohort
    if len(single) != 1:
        raise InputError(
            N_(
                "It is not clear which of the {n} tables is the patients': none, or more than one, has one row for each value of a column that all share. Upload one table with one row a patient, and long tables with the same identifier."
            ),
            n=len(tables),
        )
    name = single[0]
    again = overrides or books
    return (name,), read_table((name, members[name]), overrides=overrides, beside=books) if again else read[name]


def _codebooks(read: Mapping[str, Cohort], files: Mapping[str, bytes]) -> list[tuple[str, Rows]]:
    """Return the rows of those files that say what the columns of a table that was read are."""
    found = []
    for name, data in files.items():
        sheets = list(as_rows(RawFile.of((name, data))))
        others = [cohort.frame for other, cohort in read.items() if other != name]
        found += [(name, rows) for _sheet, rows in sheets if any(find_codebook(rows, frame) for frame in others)]
    return found


def _packed(tables: Mapping[str, bytes]) -> tuple[str, bytes]:
    """Put tables into one archive, in which they are read together."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in tables.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return "tables.zip", file.getvalue()


def _one_each(cohort: Cohort, column: str) -> bool:
    values = cohort.frame[next(name for name in cohort.frame.columns if name.casefold() == column)]
    return bool(values.notna().all() and values.is_unique)
