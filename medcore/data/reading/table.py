"""A file becomes a Cohort."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from medcore.data.cohort import Cohort, Schema, Source
from medcore.data.long import Pivot
from medcore.data.quantities.ranges import unit_in_name
from medcore.data.reading.beside.codebooks import Beside, files_beside
from medcore.data.reading.beside.joined import FEWEST, ONE, join
from medcore.data.reading.beside.together import (
    TOGETHER,
    WHERE,
    TablePart,
    nothing_together,
    put_together,
    without_others,
)
from medcore.data.reading.dialect import Dialect, detect_dialect
from medcore.data.reading.encodings import detect_encoding
from medcore.data.reading.layout.aside import Aside, find_aside, repeats
from medcore.data.reading.layout.turned import lies, turn
from medcore.data.reading.long.pivot import Wide, pivot_rows
from medcore.data.reading.repairs import (
    Lines,
    ditto,
    fill_down,
    layout_repairs,
    numbering,
    row_repairs,
    skipped,
    storeys,
    text_repairs,
    trim,
    unwrap,
)
from medcore.data.reading.returns import settled
from medcore.data.reading.rows import RowCounts, read_rows
from medcore.data.reading.said import MAX_LABEL, Said, described
from medcore.data.reading.signatures import file_format
from medcore.data.reading.text import RawFile, Text, unpack
from medcore.data.reading.typed.formats import read_typed
from medcore.data.schema.dictionaries.codebook import Rows, apply_codebook
from medcore.data.schema.dictionaries.meant import in_known_codes
from medcore.data.schema.inference import infer_schema
from medcore.data.schema.names import may_share
from medcore.data.values.folding import text_array
from medcore.data.values.names import clean_name, clean_names
from medcore.errors import SettingsError, UnreadableFileError
from medcore.i18n import N_, Message

MAX_COLUMNS = 5_000
FEWEST_COLUMNS = 3
"""Columns of a sheet from which on it is read for its patients, before a larger one with several rows of each."""
RowsOf = Literal["patients", "measurements"]


def read_table(
    source: Path | str | tuple[str, bytes],
    *,
    overrides: Mapping[str, Any] | None = None,
    like: Schema | None = None,
    progress: Callable[[float], None] | None = None,
    beside: Sequence[tuple[str, Rows]] = (),
    rows_of: RowsOf = "patients",
    columns: Collection[str] = (),
) -> Cohort:
    """Read a table as a hospital exports it, and say what every column is.

    ``source`` is a path, or a file name with its bytes. Encoding, delimiter,
    header and decimal mark are detected; ``overrides`` (fields of Source) are
    taken instead. ``like`` is the schema that a model was trained under: where that
    was made of rows of results, a table of such rows is made one of patients in the
    same way. ``beside`` are the rows of files that came with it, in which a codebook may be; ``rows_of`` says of which
    sheets or files one is taken, that of patients or that of measurements, and ``columns`` which it has. ``progress`` is
    told the share read, 0–1. Everything that was mended on the way is in ``Cohort.repairs``; no row is left out uncounted.
    Raises UnreadableFileError with one clear sentence.
    """
    given = _check(overrides or {})
    packed = RawFile.of(source)
    packed = replace(packed, name=clean_name(packed.name) or "table")
    if given.get("pivot") or (like is not None and like.pivot is not None):
        rows_of = "measurements"
    among = {"wanted": frozenset(columns) or _wanted(like), "tallest": rows_of == "measurements"}
    whole = _read(packed, given | among, progress, rows_of)
    frame, found, repairs, said = whole.frame, whole.found, whole.repairs, whole.said
    _check_width(packed.name, frame.shape[1])
    frame, found, said, turned = _turned(frame, found, said, given, like)
    frame, filled = fill_down(frame, given.get("fill_down", ()))
    found = replace(found, every_row=bool(given.get("every_row")), fill_down=tuple(given.get("fill_down", ())))
    frame, found, said, pivoted = _pivoted(frame, found, said, given, like)
    books = Beside.of(frame, (*whole.others, *beside))
    schema = described(infer_schema(frame, units=books.units() | dict(said.units)), said)
    schema = apply_codebook(schema, frame, books.entries)
    frame, recoded = in_known_codes(frame, books.entries, like) if like is not None else (frame, ())
    if found.pivot:
        schema = replace(schema, pivot=Pivot.from_dict(found.pivot))
    if whole.beside in schema.names:
        schema = schema.change(whole.beside, kind="category", role="ignored", reason=Message(WHERE), confidence=1.0)
    if progress:
        progress(1.0)
    return Cohort(
        frame,
        schema,
        packed.sha256,
        packed.name,
        replace(found, n_bytes=packed.n_bytes),
        (*books.told(), *recoded, *without_others(repairs, books.names), *turned, *filled, *pivoted),
    )


def _wanted(like: Schema | None) -> frozenset[str]:
    """Return the columns by which a model's table is known among sheets."""
    if like is None:
        return frozenset()
    return frozenset(like.pivot.columns if like.pivot else (column.name for column in like.predictors))


def _read(
    packed: RawFile,
    given: Mapping[str, Any],
    progress: Callable[[float], None] | None,
    rows_of: RowsOf,
    first: str | None = None,
) -> TablePart:
    """Read a file, one of an archive, or a sheet, and with it those that have the same columns; begin with ``first``, or the largest."""
    asked = given.get("sheet")
    if asked == TOGETHER:
        given = {**given, "sheet": None}
    part, members = _read_part(packed, {**given, "sheet": first} if first else given, progress)
    if members:
        part = replace(part, others=tuple(files_beside(packed, members, str(part.found.sheet))))
    if asked not in (None, TOGETHER) or not part.found.sheets:
        return part

    def read(name: str, *, all_columns: bool) -> TablePart | None:
        try:
            wanted = not members or _may_belong(packed, name, given, part, all_columns=all_columns)
            return _read_part(packed, {**given, "sheet": name, "alone": True}, None)[0] if wanted else None
        except UnreadableFileError:
            return None

    whole = put_together(part, members, partial(read, all_columns=True), asked=asked == TOGETHER)
    if rows_of == "patients" and whole.found.sheet != TOGETHER:
        others = [name for name in members if name != part.found.sheet] if members else whole.linked
        fewest = ONE if given.get("wanted") else FEWEST
        whole = join(whole, others, partial(read, all_columns=False), fewest=fewest)
    of_patients = _read(packed, given, progress, rows_of, whole.single[0]) if whole.single and first is None else whole
    if len(of_patients.frame.columns) >= FEWEST_COLUMNS:
        whole = of_patients
    if asked == TOGETHER and whole.found.sheet != TOGETHER:
        raise nothing_together(whole)
    return whole


def _may_belong(packed: RawFile, name: str, given: Mapping[str, Any], part: TablePart, *, all_columns: bool) -> bool:
    """Look at the first lines of a table in an archive: whether it is worth reading for having a table's columns, or some."""
    raw, _members = unpack(packed, name)
    if file_format(raw) not in ("csv", "tsv"):
        return not all_columns or part.found.format not in ("csv", "tsv")
    text = settled(Text(raw, _encoding(raw, given.get("encoding"))))
    names, _repairs = clean_names(detect_dialect(text.head(), whole=len(raw.head()) == raw.n_bytes).names)
    if not all_columns:
        return may_share(names, map(str, part.frame.columns))
    return {str(n).casefold() for n in part.frame.columns} <= {n.casefold() for n in names}


def _read_part(
    packed: RawFile, given: Mapping[str, Any], progress: Callable[[float], None] | None
) -> tuple[TablePart, tuple[str, ...]]:
    raw, members = unpack(packed, given.get("sheet"))
    raw = replace(raw, name=clean_name(raw.name) or "table")
    kind = given.get("format") or file_format(raw)
    part = _read_text(raw, given, progress) if kind in ("csv", "tsv") else _read_typed(raw, kind, given)
    if members:
        part = replace(part, found=replace(part.found, sheet=raw.member, sheets=members))
    return part, members


def reshape(cohort: Cohort, *, fill_down_of: Sequence[str] = (), pivot: Pivot | None = None) -> Cohort:
    """Return a table as it would be read with these choices, without its file: the schema is inferred anew.

    Raises MissingColumnsError and SettingsError as :func:`read_table` does.
    """
    frame, filled = fill_down(cohort.frame, fill_down_of)
    said = Said(
        {c.name: c.unit for c in cohort.schema.columns if c.unit},
        {c.name: c.label for c in cohort.schema.columns if c.label},
        {c.name: c.description for c in cohort.schema.columns if c.description},
    )
    found = replace(cohort.source, fill_down=(*cohort.source.fill_down, *fill_down_of))
    given = {"pivot": pivot.to_dict()} if pivot else {}
    frame, found, said, pivoted = _pivoted(frame, found, said, given, None)
    schema = described(infer_schema(frame, units=said.units), said)
    return replace(
        cohort,
        frame=frame,
        schema=replace(schema, pivot=pivot or cohort.schema.pivot),
        source=found,
        repairs=(*cohort.repairs, *filled, *pivoted),
    )


def _check(overrides: Mapping[str, Any]) -> dict[str, Any]:
    known = {f.name for f in fields(Source)}
    unknown = sorted(set(overrides) - known)
    if unknown:
        raise SettingsError(
            N_("There is no reading option {unknown}. The options are: {known}."), unknown=unknown, known=sorted(known)
        )
    return {k: v for k, v in overrides.items() if v is not None}


def _read_text(raw: RawFile, given: Mapping[str, Any], progress: Callable[[float], None] | None) -> TablePart:
    text = replace(settled(Text(raw, _encoding(raw, given.get("encoding")))), progress=progress)
    dialect = detect_dialect(
        text.head(),
        whole=len(raw.head()) == raw.n_bytes,
        delimiter=given.get("delimiter"),
        quote=given.get("quote"),
        skip_lines=given.get("skip_lines"),
    )
    _check_width(raw.name, len(dialect.names))
    names, repairs = clean_names(dialect.names)
    frame, counts = read_rows(text, dialect, names)
    counts.n_blank += dialect.n_between
    frame, unwrapped = unwrap(frame)
    lines = _lines_of(len(frame), dialect.body_line, counts.gaps)
    frame, aside, shifted = _sift(frame, dialect, counts, given)
    frame, repeated = ditto(frame)
    frame, dropped = trim(frame, dialect.names if dialect.has_header else [])
    if frame.empty:
        raise _no_rows(raw.name)
    decimal = str(given.get("decimal") or dialect.decimal)
    if "decimal" in given or decimal == ",":
        frame.attrs["decimal"] = decimal
    found = Source(
        format="tsv" if dialect.delimiter == "\t" else "csv",
        encoding=text.encoding,
        delimiter=dialect.delimiter,
        quote=dialect.quote,
        decimal=decimal,
        thousands=str(given.get("thousands") or dialect.thousands),
        skip_lines=dialect.skip_lines,
        aside=aside.counts(dialect.n_storeys),
        shifted=shifted,
        numbering=numbering(np.delete(lines, aside.rows)[: len(frame)]),
    )
    told = [
        *layout_repairs(dialect),
        *repairs,
        *unwrapped,
        *row_repairs(counts, lines),
        *aside.repairs(lines),
        *repeated,
        *dropped,
    ]
    return TablePart(frame, found, (*told, *text_repairs(text)), Said.of(frame, names, dialect.groups, aside))


def _lines_of(n_rows: int, body_line: int, gaps: Sequence[int]) -> Lines:
    """Return the rows' numbers in a spreadsheet, which shows the lines above the names and the empty ones."""
    rows = np.arange(n_rows, dtype=np.int64)
    return np.asarray(rows + body_line + 1 + np.searchsorted(gaps, rows, side="right"))


def _sift(
    frame: pd.DataFrame, dialect: Dialect, counts: RowCounts, given: Mapping[str, Any]
) -> tuple[pd.DataFrame, Aside, tuple[int, ...]]:
    """Set aside the rows of a text table that are no patients."""
    if given.get("every_row"):
        return frame, Aside(), tuple(counts.shifted)
    written = (dialect.lowest + ("",) * len(frame.columns))[: len(frame.columns)]
    again = repeats(written, [frame.iloc[:, j] for j in range(len(frame.columns))]) if dialect.has_header else []

    def rows_at(rows: Sequence[int]) -> list[list[str]]:
        texts = (text_array(frame.iloc[:, j].take(list(rows))).fill_null("") for j in range(frame.shape[1]))
        return [list(row) for row in zip(*(cells.to_pylist() for cells in texts), strict=True)]

    n_filled = frame.notna().sum(axis=1).to_numpy()
    last = int(np.flatnonzero(n_filled)[-1]) + 1 if n_filled.any() else 0
    aside = find_aside(
        dialect.names if dialect.has_header else [],
        last,
        rows_at,
        repeated=again,
        blank=np.flatnonzero(n_filled[:last] == 0).tolist(),
        sparse=np.flatnonzero(n_filled[:last] == 1).tolist(),
    )
    if aside.rows and lies(frame, given.get("patients_in")):
        aside = Aside()  # a row of what lies on its side is what was measured of all patients
    gone = aside.rows
    if gone:
        frame = frame.drop(index=gone).reset_index(drop=True)
    before = np.searchsorted(gone, counts.shifted)
    return frame, aside, tuple(int(r - n) for r, n in zip(counts.shifted, before, strict=True) if r not in set(gone))


def _read_typed(raw: RawFile, kind: str, given: Mapping[str, Any]) -> TablePart:
    table = read_typed(raw, kind, given)
    _check_width(raw.name, len(table.names))
    names, repairs = clean_names(table.names)
    frame = pd.DataFrame(dict(zip(names, table.columns, strict=True)))
    frame, again = ditto(frame)
    frame, dropped = trim(frame, table.names)
    if frame.empty:
        raise _no_rows(raw.name)
    found = Source(
        format=kind,
        encoding="",
        delimiter="",
        sheet=table.sheet,
        sheets=table.sheets,
        hidden_sheets=table.hidden,
        skip_lines=table.skip_lines,
        aside=table.aside.counts(table.n_storeys),
        numbering=numbering(np.delete(table.lines, table.aside.rows)[: len(frame)]) if len(table.lines) else (),
    )
    said = Said.of(frame, names, table.groups, table.aside)
    labels = {names[i]: " ".join(text.split())[:MAX_LABEL] for i, text in table.labels.items() if names[i] in frame}
    written = {name: unit for name, text in labels.items() if (unit := unit_in_name(text)) and not unit_in_name(name)}
    levels = {names[i]: order for i, order in table.levels.items() if names[i] in frame}
    said = replace(said, labels={**said.labels, **labels}, units=written | dict(said.units), levels=levels)
    told = [
        *skipped(table.skip_lines),
        *storeys(table.n_storeys),
        *repairs,
        *table.repairs,
        *table.aside.repairs(table.lines),
    ]
    return TablePart(
        frame, found, (*told, *again, *dropped), said, table.alike, linked=table.linked, others=table.others
    )


def _turned(
    frame: pd.DataFrame, found: Source, said: Said, given: Mapping[str, Any], like: Schema | None
) -> tuple[pd.DataFrame, Source, Said, list[Message]]:
    """Stand a table up whose patients are in columns, as is asked for, as it looks, or as a model's names stand in it."""
    wanted = given.get("patients_in")
    if wanted not in (None, "", "rows", "columns"):
        raise SettingsError(N_("Patients stand in rows or in columns; it was given {got}."), got=str(wanted))
    turns = lies(frame, wanted) or (not wanted and _named_by_rows(frame, like))
    if not turns or frame.shape[1] < 2:
        return frame, replace(found, patients_in="rows" if wanted else ""), said, []
    frame, repairs = turn(frame)
    _check_width(found.format, frame.shape[1])
    return frame, replace(found, patients_in="columns", shifted=(), numbering=()), Said(), repairs


def _named_by_rows(frame: pd.DataFrame, like: Schema | None) -> bool:
    """Say whether a model's predictors are named by the first column's cells and not by the columns: of one patient, say."""
    wanted = {c.name for c in like.predictors} if like is not None and like.pivot is None else set()
    if not wanted or wanted & {*frame.columns}:
        return False
    return wanted <= {clean_name(str(cell)) for cell in text_array(frame.iloc[:, 0]).to_pylist() if cell is not None}


def _pivoted(
    frame: pd.DataFrame, found: Source, said: Said, given: Mapping[str, Any], like: Schema | None
) -> tuple[pd.DataFrame, Source, Said, tuple[Message, ...]]:
    """Make rows of results rows of patients, as is asked for or as the model's own table was."""
    pivot = Pivot.from_dict(given["pivot"]) if given.get("pivot") else None
    if pivot is None and like is not None and like.pivot is not None:
        pivot = like.pivot if {like.pivot.patient, like.pivot.analyte, like.pivot.value} <= {*frame.columns} else None
    if pivot is None:
        return frame, found, said, ()
    wide = pivot_rows(frame, pivot, like=like)
    kept = {name: unit for name, unit in said.units.items() if name in wide.frame.columns}
    return (
        wide.frame,
        replace(found, pivot=pivot.to_dict(), shifted=(), numbering=()),
        replace(
            said,
            units=kept | dict(wide.units),
            labels=_there(said.labels, wide),
            groups=_there(said.groups, wide),
            levels={},
            summaries=wide.summarised,
        ),
        wide.repairs,
    )


def _there(said: Mapping[str, str], wide: Wide) -> dict[str, str]:
    return {name: text for name, text in said.items() if name in wide.frame.columns}


def _check_width(name: str, n_columns: int) -> None:
    if n_columns == 0:
        raise UnreadableFileError(
            N_("No columns were found in {name}. Check that it is a table with a line of column names."), name=name
        )
    if n_columns > MAX_COLUMNS:
        raise UnreadableFileError(
            N_(
                "The file {name} has {n} columns; at most {most} can be read. Keep one row a patient, and the columns that matter."
            ),
            name=name,
            n=n_columns,
            most=MAX_COLUMNS,
        )


def _no_rows(name: str) -> UnreadableFileError:
    return UnreadableFileError(
        N_("The file {name} has a header and no rows. Export it again with the patients' rows."), name=name
    )


def _encoding(raw: RawFile, given: str | None) -> str:
    if given is None:
        return detect_encoding(raw)
    import codecs

    try:
        return codecs.lookup(given).name
    except LookupError:
        raise SettingsError(
            N_("There is no encoding {encoding}. Common ones are utf-8, gb18030, utf-16 and cp1252."), encoding=given
        ) from None
