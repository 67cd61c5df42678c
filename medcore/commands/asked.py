"""The options that say how a table is to be read and what its columns are, as the pages ask it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast, get_args

import pandas as pd

from medcore.commands.series import SeriesAsked
from medcore.data.cohort import KINDS, ROLES, Cohort, Schema
from medcore.data.long import read_pivot
from medcore.data.notation import DateOrder, Reading
from medcore.data.preparation.event_time import choose_event_time
from medcore.data.preparation.fixes import change_column, read_empty_as_no
from medcore.data.preparation.number import choose_number
from medcore.data.reading.beside.codebooks import apply_file
from medcore.data.reading.notes import read_note_files, with_notes
from medcore.data.reading.table import read_table
from medcore.data.schema.class_names import name_classes
from medcore.data.values.typed import words_said
from medcore.errors import MissingColumnsError, SettingsError
from medcore.i18n import N_

DATE_ORDERS: tuple[DateOrder, ...] = get_args(DateOrder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a table is to be read.

    ``reading`` are fields of Source. ``dictionary`` is a data dictionary's file;
    ``missing`` and the others are "column=what it is" as they are written on the command
    line; ``empty_is_no`` are columns of boxes that are ticked or empty; ``notes`` are columns of free text to be read by words and phrases, ``note_files`` an archive of text files
    of patients, named as in the column ``note_id``; ``dates`` is an order of day and month, or "column=order". ``class_names``
    are "class=what it is called" of the outcome, ``absence`` its class that means "none of these".
    """

    reading: Mapping[str, Any] = field(default_factory=dict)
    dictionary: Path | None = None
    missing: Sequence[str] = ()
    kinds: Sequence[str] = ()
    notes: Sequence[str] = ()
    note_files: Path | None = None
    note_id: str | None = None
    roles: Sequence[str] = ()
    dates: Sequence[str] = ()
    empty_is_no: Sequence[str] = ()
    class_names: Sequence[str] = ()
    absence: str | None = None
    series: SeriesAsked = field(default_factory=SeriesAsked)

    def named(self, schema: Schema, frame: pd.DataFrame) -> Schema:
        """Return a schema whose outcome's classes are called as the options say."""
        if not (self.class_names or self.absence):
            return schema
        pairs = [text.partition("=") for text in self.class_names]
        for text, (code, _equals, name) in zip(self.class_names, pairs, strict=True):
            if not (code.strip() and name.strip()):
                raise SettingsError(
                    N_("--class-name takes a class and what it is called, 1=heart disease; it was given {text}."),
                    text=text,
                )
        names = {code.strip(): name.strip() for code, _equals, name in pairs}
        return name_classes(schema, frame, names, absence=self.absence)

    def read(self, data: Path, *, like: Schema | None = None) -> Cohort:
        """Read a table so, and say what its columns are; for a model's new patients only the file is read so."""
        cohort = self.series.joined(read_table(data, overrides=self.reading, like=like), data, like=like)
        if self.note_files is not None:
            cohort = with_notes(cohort, read_note_files(self.note_files), patient=self.note_id, like=like)
        if like is not None:
            mark = self.reading.get("decimal")
            return replace(cohort, frame=_in_marks_of(like, cohort.frame, mark)) if mark else cohort
        return cohort.with_schema(self._with_boxes(self.applied(cohort.schema, cohort.frame), cohort.frame))

    def _with_boxes(self, schema: Schema, frame: pd.DataFrame) -> Schema:
        for name in columns_named(self.empty_is_no, schema.names):
            column = schema[name]
            words = column.levels[1:] if column.kind == "boolean" else words_said(frame[name], column)
            if len(words) != 1:
                raise SettingsError(
                    N_(
                        "“{column}” holds {n} different words: an empty cell says no only where there is one, or yes and no."
                    ),
                    column=name,
                    n=len(words),
                )
            schema = read_empty_as_no(schema, name, words[0])
        return schema

    def applied(self, schema: Schema, frame: pd.DataFrame) -> Schema:
        """Return a schema as the dictionary and then the options say; raise InputError for what cannot be."""
        if self.dictionary is not None:
            schema = apply_file(schema, frame, self.dictionary)
        for text in self.dates:
            schema = _with_dates(schema, text)
        for text in self.missing:
            name, value = pair(text, schema.names, "--missing")
            schema = change_column(schema, name, missing_codes=tuple(parts(value)))
        for name in self.notes:
            schema = change_column(schema, name, kind="note", role="predictor", levels=())
        for text in self.kinds:
            name, value = pair(text, schema.names, "--kind")
            schema = change_column(schema, name, kind=_one_of(value, KINDS, "--kind"), levels=())
        for text in self.roles:
            name, value = pair(text, schema.names, "--role")
            schema = change_column(schema, name, role=_one_of(value, ROLES, "--role"))
        return schema


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """How an outcome comes with its time, as the options say it: see :func:`choose_event_time`."""

    duration: str | None = None
    start: str | None = None
    end: str | None = None
    study_end: str | None = None
    event: str | None = None
    competing: Sequence[str] = ()
    censored: Sequence[str] | None = None
    horizons: Sequence[str] = ()
    unit: str | None = None

    def schema(self, cohort: Cohort, status: str) -> Schema:
        """Return the cohort's schema with this outcome."""
        when: str | tuple[str, str] | tuple[str, str, str]
        if self.duration is not None:
            when = self.duration
        elif self.study_end is not None:
            when = (str(self.start), self.end or status, self.study_end)
        else:
            when = (str(self.start), str(self.end))
        return choose_event_time(
            cohort,
            status,
            when=when,
            event=self.event,
            competing=self.competing,
            censored=self.censored,
            horizons=self.horizons,
            unit=self.unit,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AsNumber:
    """How an outcome is predicted as a number, as the options say it: see :func:`choose_number`."""

    log: bool | None = None
    low: float | None = None
    high: float | None = None

    def schema(self, cohort: Cohort, target: str) -> Schema:
        """Return the cohort's schema with this outcome."""
        return choose_number(cohort, target, log=self.log, low=self.low, high=self.high)


def reading_of(
    *,
    sheet: str | None,
    decimal: str | None,
    encoding: str | None,
    every_row: bool,
    fill_down: Sequence[str],
    pivot: str | None,
    patients_in: str | None,
) -> dict[str, Any]:
    """Put the options about the file together as fields of Source; raise SettingsError for what cannot be."""
    if decimal not in (None, ".", ","):
        raise SettingsError(N_("--decimal is a point or a comma; it was given {got}."), got=decimal)
    chosen = {
        "sheet": sheet,
        "decimal": decimal,
        "encoding": encoding,
        "every_row": every_row or None,
        "fill_down": tuple(fill_down) or None,
        "pivot": read_pivot(pivot).to_dict() if pivot else None,
        "patients_in": patients_in,
    }
    return {name: value for name, value in chosen.items() if value is not None}


def columns_named(texts: Sequence[str], names: Sequence[str]) -> list[str]:
    """Find the columns that options name: a name with commas is one column where there is such, else a list.

    Raises MissingColumnsError, which says which columns are meant.

    >>> columns_named(["age,sex", "CRP, high sensitivity"], ["age", "sex", "CRP, high sensitivity"])
    ['age', 'sex', 'CRP, high sensitivity']
    """
    found = []
    for text in texts:
        pieces = [text.strip()] if text.strip() in names else _known_pieces(text, names)
        lacking = [piece for piece in pieces if piece not in names]
        if lacking:
            raise MissingColumnsError.between(wanted=lacking, got=names)
        found += pieces
    return found


def pair(text: str, names: Sequence[str], option: str) -> tuple[str, str]:
    """Split "column=value" where the left side is a column; a name may hold "=".

    Raises SettingsError for text without "=", MissingColumnsError for a column that is not there.
    """
    places = [i for i, letter in enumerate(text) if letter == "="]
    for at in places:
        if text[:at].strip() in names:
            return text[:at].strip(), text[at + 1 :].strip()
    if not places:
        raise SettingsError(
            N_("{option} takes a column and what it is, COL=VALUE; it was given {text}."), option=option, text=text
        )
    raise MissingColumnsError.between(wanted=[text[: places[0]].strip()], got=names)


def parts(text: str) -> list[str]:
    """Split a list at its commas; a part with a comma stands in quotation marks."""
    row = next(csv.reader([text], skipinitialspace=True), [])
    return [piece.strip() for piece in row if piece.strip()]


def _known_pieces(text: str, names: Sequence[str]) -> list[str]:
    """Split a list of columns at commas, keeping together what is one column's name."""
    pieces = parts(text) if '"' in text else [p.strip() for p in text.split(",") if p.strip()]
    known: list[str] = []
    at = 0
    while at < len(pieces):
        ends = (end for end in range(len(pieces), at, -1) if _joined(pieces[at:end], names))
        end = next(ends, at + 1)
        known.append(_joined(pieces[at:end], names) or pieces[at])
        at = end
    return known


def _joined(pieces: Sequence[str], names: Sequence[str]) -> str | None:
    wanted = ",".join(pieces).replace(" ", "")
    return next((name for name in names if name.replace(" ", "") == wanted), None)


def _with_dates(schema: Schema, text: str) -> Schema:
    order, wanted = text.strip(), [c.name for c in schema.columns if c.kind == "date"]
    if order not in DATE_ORDERS:
        name, order = pair(text, schema.names, "--dates")
        wanted = [name]
    _one_of(order, DATE_ORDERS, "--dates")
    for name in wanted:
        reading = schema[name].reading or Reading()
        reading = replace(reading, dates=cast(DateOrder, order))
        schema = schema.change(name, kind="date", reading=reading, confidence=1.0)
    return schema


def _one_of(value: str, choices: Sequence[str], option: str) -> str:
    if value not in choices:
        raise SettingsError(
            N_("{option} was given {got}; it can be: {choices}."), option=option, got=value, choices=list(choices)
        )
    return value


def _in_marks_of(schema: Schema, frame: pd.DataFrame, mark: str) -> pd.DataFrame:
    """Write a new table's numbers with the decimal mark that the model's schema reads."""
    changed: dict[str, Callable[..., Any] | pd.Series] = {}
    other = "," if mark == "." else "."
    for column in schema.columns:
        known = (column.reading or Reading()).decimal
        if column.kind == "numeric" and column.name in frame.columns and known != mark:
            cells = frame[column.name]
            if isinstance(cells.dtype, pd.StringDtype):
                plain = cells.str.replace(other, "", regex=False)
                changed[column.name] = plain.str.replace(mark, known, regex=False)
    return frame.assign(**changed)
