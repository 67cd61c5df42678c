"""A file becomes a Cohort."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from medcore.data.cohort import Cohort, Source
from medcore.data.reading.binary import read_typed
from medcore.data.reading.dialect import Dialect, detect_dialect
from medcore.data.reading.rows import RowCounts, read_rows
from medcore.data.reading.signatures import file_format
from medcore.data.reading.text import RawFile, Text, detect_encoding, unpack
from medcore.data.schema.inference import infer_schema
from medcore.data.values.names import clean_name, clean_names
from medcore.errors import SettingsError, UnreadableFileError
from medcore.i18n import N_, Message

MAX_COLUMNS = 5_000
MAX_LABEL = 300


def read_table(
    source: Path | str | tuple[str, bytes],
    *,
    overrides: Mapping[str, Any] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Cohort:
    """Read a table as a hospital exports it, and say what every column is.

    ``source`` is a path, or a file name with its bytes. Encoding, delimiter,
    header and decimal mark are detected; ``overrides`` (fields of Source) are
    taken instead. ``progress`` is told the share read, 0–1. Everything that was
    mended on the way is in ``Cohort.repairs``; no row is left out uncounted.
    Raises UnreadableFileError with one clear sentence.
    """
    given = _check(overrides or {})
    packed = RawFile.of(source)
    packed = replace(packed, name=clean_name(packed.name) or "table")
    raw, members = unpack(packed, given.get("sheet"))
    raw = replace(raw, name=clean_name(raw.name) or "table")
    kind = given.get("format") or file_format(raw)
    if kind in ("csv", "tsv"):
        frame, found, repairs = _read_text(raw, given, progress)
        labels: Mapping[str, str] = {}
    else:
        frame, found, repairs, labels = _read_typed(raw, kind, given)
    if members:
        found = replace(
            found, sheets=members, sheet=given.get("sheet") if given.get("sheet") in members else members[0]
        )
    schema = infer_schema(frame)
    for name, label in labels.items():
        schema = schema.change(name, description=label)
    if progress:
        progress(1.0)
    return Cohort(frame, schema, packed.sha256, packed.name, replace(found, n_bytes=packed.n_bytes), tuple(repairs))


def _check(overrides: Mapping[str, Any]) -> dict[str, Any]:
    known = {f.name for f in fields(Source)}
    unknown = sorted(set(overrides) - known)
    if unknown:
        raise SettingsError(
            N_("There is no reading option {unknown}. The options are: {known}."), unknown=unknown, known=sorted(known)
        )
    return {k: v for k, v in overrides.items() if v is not None}


def _read_text(
    raw: RawFile, given: Mapping[str, Any], progress: Callable[[float], None] | None
) -> tuple[pd.DataFrame, Source, list[Message]]:
    text = Text(raw, _encoding(raw, given.get("encoding")), progress)
    head = text.head()
    dialect = detect_dialect(
        head,
        whole=len(raw.head()) == raw.n_bytes,
        delimiter=given.get("delimiter"),
        quote=given.get("quote"),
        skip_lines=given.get("skip_lines"),
    )
    _check_width(raw.name, len(dialect.names))
    names, repairs = clean_names(dialect.names)
    frame, counts = read_rows(text, dialect, names)
    frame, dropped = _trim(frame, dialect.names if dialect.has_header else [])
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
    )
    return frame, found, [*_layout_repairs(dialect), *repairs, *_row_repairs(counts), *dropped, *_text_repairs(text)]


def _read_typed(
    raw: RawFile, kind: str, given: Mapping[str, Any]
) -> tuple[pd.DataFrame, Source, list[Message], dict[str, str]]:
    table = read_typed(raw, kind, sheet=given.get("sheet"), skip_lines=given.get("skip_lines"))
    _check_width(raw.name, len(table.names))
    names, repairs = clean_names(table.names)
    frame = pd.DataFrame(dict(zip(names, table.columns, strict=True)))
    frame, dropped = _trim(frame, table.names)
    if frame.empty:
        raise _no_rows(raw.name)
    found = Source(
        format=kind, encoding="", delimiter="", sheet=table.sheet, sheets=table.sheets, skip_lines=table.skip_lines
    )
    labels = {names[i]: " ".join(text.split())[:MAX_LABEL] for i, text in table.labels.items() if names[i] in frame}
    return frame, found, [*_skipped(table.skip_lines), *repairs, *dropped], labels


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


def _trim(frame: pd.DataFrame, raw_names: Sequence[str]) -> tuple[pd.DataFrame, list[Message]]:
    """Drop rows without any value at the end of the table, and nameless columns without any value."""
    repairs = []
    empty_names = [
        name
        for name, raw in zip(frame.columns, raw_names, strict=False)
        if not raw.strip() and frame[name].isna().all()
    ]
    if empty_names:
        frame = frame.drop(columns=empty_names)
        repairs.append(Message(N_("{n} column(s) without name and values were left out."), {"n": len(empty_names)}))
    filled = frame.notna().any(axis=1).to_numpy()
    n_rows = int(filled.nonzero()[0][-1]) + 1 if filled.any() else 0
    if n_rows < len(frame):
        repairs.append(
            Message(N_("{n} row(s) without any value at the end were left out."), {"n": len(frame) - n_rows})
        )
        frame = frame.iloc[:n_rows].reset_index(drop=True)
    return frame, repairs


def _layout_repairs(dialect: Dialect) -> list[Message]:
    repairs = _skipped(dialect.skip_lines)
    if not dialect.has_header:
        repairs.append(Message(N_("The file has no line of column names; the columns were numbered."), {}))
    if dialect.row_names:
        repairs.append(Message(N_("The first column had no name and was called row."), {}))
    return repairs


def _skipped(n: int) -> list[Message]:
    return [Message(N_("{n} line(s) above the column names were left out."), {"n": n})] if n else []


def _row_repairs(counts: RowCounts) -> list[Message]:
    said = (
        (
            counts.n_short,
            N_("{n} row(s) had too few cells; the lacking ones count as missing (first at row(s) {rows})."),
        ),
        (
            counts.n_long,
            N_("{n} row(s) had too many cells; those beyond the last column were left out (first at row(s) {rows})."),
        ),
        (
            counts.n_open_quotes,
            N_("{n} line(s) held a quotation mark that was never closed; they were read without it."),
        ),
        (counts.n_blank, N_("{n} empty line(s) were left out.")),
    )
    return [Message(template, {"n": n, "rows": counts.lines}) for n, template in said if n]


def _text_repairs(text: Text) -> list[Message]:
    repairs = []
    if text.stats.n_undecodable:
        repairs.append(
            Message(
                N_(
                    "{n} character(s) could not be read as {encoding} and are shown as �. Choose another encoding if they matter."
                ),
                {"n": text.stats.n_undecodable, "encoding": text.encoding},
            )
        )
    if text.stats.n_nul:
        repairs.append(Message(N_("{n} null character(s) were removed."), {"n": text.stats.n_nul}))
    return repairs
