"""A table of measurements over time: one file, or a zip archive of many that continue one another."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path, PurePosixPath

from medcore.data.cohort import Cohort
from medcore.data.long import FROM_FILE, Pivot
from medcore.data.reading.archive import is_archive, read_archive
from medcore.data.reading.dialect import detect_dialect
from medcore.data.reading.encodings import detect_encoding
from medcore.data.reading.table import read_table
from medcore.data.reading.text import HEAD, RawFile
from medcore.errors import InputError, UnreadableFileError
from medcore.i18n import N_, Message

TEXTS = (".csv", ".tsv", ".txt")


def read_measurements(source: Path | str | tuple[str, bytes], *, pivot: Pivot | None = None, sheet: str = "") -> Cohort:
    """Read a table of measurements; text files of one archive are read one below the other.

    Each has its own encoding and delimiter; their first lines must name the same columns. The column
    :data:`~medcore.data.long.FROM_FILE` has each row's file, without folder and ending. Of a workbook the sheet with
    most rows is read, or the one that has the columns of ``pivot``; ``sheet`` names it, or one file of an archive.

    Raises:
        InputError: two files of the archive have other columns, or one of them is no text file; it is named by its place.
        UnreadableFileError: the file or archive cannot be read, or not safely.

    """
    if sheet:
        return read_table(source, overrides={"sheet": sheet}, rows_of="measurements")
    if pivot is not None and pivot.sheet:
        with suppress(UnreadableFileError):  # these patients' measurements may be in a file of another make
            return read_measurements(source, sheet=pivot.sheet)
    raw = RawFile.of(source)
    members = sorted(read_archive(raw)) if is_archive(raw) else []
    if len(members) < 2:
        return read_table(source, rows_of="measurements", columns=pivot.columns if pivot else ())
    if other := [k for k, (name, _data) in enumerate(members) if not name.lower().endswith(TEXTS)]:
        raise InputError(
            N_(
                "File {k} of {n} in the archive (by name) is no text file. Put only CSV or text files of measurements into it, or upload one table."
            ),
            k=other[0] + 1,
            n=len(members),
        )
    encodings: Counter[str] = Counter()
    rows = list(_rows(members, encodings))
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    cohort = read_table((f"{raw.name}.csv", out.getvalue().encode()))
    return replace(cohort, repairs=(_told(len(members), encodings), *cohort.repairs))


def _rows(members: list[tuple[str, bytes]], encodings: Counter[str]) -> Iterator[list[str]]:
    """Give the rows of all files, the names of the columns once, each row with its file before it."""
    wanted: list[str] = []
    delimiter = ","
    for k, (name, data) in enumerate(members):
        encoding = detect_encoding(RawFile.of((name, data)))
        encodings[encoding] += 1
        try:
            text = data.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError:
            raise UnreadableFileError(
                N_("File {k} of {n} in the archive (by name) holds bytes that are no text in its encoding."),
                k=k + 1,
                n=len(members),
            ) from None
        if not wanted or _names(text, delimiter) != wanted:
            delimiter = detect_dialect(text[:HEAD], whole=len(text) <= HEAD).delimiter
        names = _names(text, delimiter)
        if not wanted:
            wanted = names
            yield [FROM_FILE, *names]
        if names != wanted:
            raise InputError(
                N_(
                    "The files of the archive have other columns: file 1 by name has {first}, file {k} of {n} has {other}. Give them the same first line."
                ),
                first=wanted[:12],
                other=names[:12],
                k=k + 1,
                n=len(members),
            )
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        stem = PurePosixPath(name).stem
        yield from ([stem, *row] for row in islice(lines, 1, None) if any(row))


def _names(text: str, delimiter: str) -> list[str]:
    """Return the cells of the first line."""
    return [cell.strip() for cell in next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])]


def _told(n: int, encodings: Counter[str]) -> Message:
    if len(encodings) == 1:
        said = N_("{n} files of the archive were read one below the other; the column “{column}” says which.")
        return Message(said, {"n": n, "column": FROM_FILE})
    several = N_(
        "{n} files of the archive were read one below the other, each in its own encoding ({encodings}); the column “{column}” says which."
    )
    named = [f"{encoding}: {count}" for encoding, count in encodings.most_common()]
    return Message(several, {"n": n, "column": FROM_FILE, "encodings": named})
