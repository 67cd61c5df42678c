"""A table of one row a result becomes one of one row a patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from medcore.data.cohort import Column, Schema
from medcore.data.long import Form, Pivot, Window
from medcore.data.reading.long.results import ResultsTable, Tally, read_results
from medcore.data.schema.inference import infer_schema
from medcore.data.values.names import clean_names
from medcore.data.values.spans import unit_of_time
from medcore.data.values.typed import Distinct, distinct, typed
from medcore.data.values.units import conversion
from medcore.errors import MissingColumnsError, SettingsError
from medcore.i18n import N_, Message

MOST_COLUMNS = 3000
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Wide:
    """One row a patient: the table, the unit of each column of results, and what was done and left out.

    ``results`` names the columns of results, ``counts`` those that count them, ``codes`` says
    which of their values stand for nothing measured.
    """

    frame: pd.DataFrame = field(repr=False)
    units: Mapping[str, str]
    repairs: tuple[Message, ...]
    results: tuple[str, ...] = ()
    counts: frozenset[str] = frozenset()
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def pivot_rows(frame: pd.DataFrame, pivot: Pivot, *, like: Schema | None = None) -> Wide:
    """Make one row of each patient's results, patients in the order in which they come first.

    Columns that are the same in all rows of each patient are kept; others are left out
    and told. ResultsTable of one analyte in several units are brought to that of most, or to
    that of ``like``, the schema a model was trained under. A result that is no number
    stays as it is written where the first or last is taken.

    Raises MissingColumnsError for a column that is not there, SettingsError for dates that are none.
    """
    lacking = [c for c in pivot.columns if c not in frame.columns]
    if lacking:
        raise MissingColumnsError.between(wanted=lacking, got=[str(c) for c in frame.columns], table="The table")
    n_lines = len(frame)
    frame = frame[(frame[pivot.patient].notna() & frame[pivot.analyte].notna()).to_numpy(bool)].reset_index(drop=True)
    if frame.empty:
        raise SettingsError(N_("No row names both a patient and what was measured; check the columns of the pivot."))
    table = _Long.of(frame, pivot)
    tally = Tally(n_nameless=n_lines - len(frame), n_dateless=table.n_dateless)
    kept, left = _carried(frame, pivot, table.patients, len(table.who))
    columns = _columns(table, pivot, like, tally)
    if len(columns) > MOST_COLUMNS:
        raise SettingsError(
            N_(
                "The results would become {n} columns; at most {most} can be used. Choose fewer forms, or fewer analytes."
            ),
            n=len(columns),
            most=MOST_COLUMNS,
        )
    names, _repairs = clean_names([pivot.patient, *kept, *columns])
    results = [made.values for made in columns.values()]
    wide = pd.DataFrame(dict(zip(names, [table.who, *kept.values(), *results], strict=True)))
    wide.attrs.update(frame.attrs)
    made = dict(zip(names[1 + len(kept) :], columns.values(), strict=True))
    repairs = (
        Message(
            N_("{lines} rows of results became {patients} rows, one a patient, with {columns} columns of results."),
            {"lines": n_lines, "patients": len(table.who), "columns": len(columns)},
        ),
        *tally.repairs(),
        *_left_out(left),
    )
    return Wide(
        wide,
        {name: column.unit for name, column in made.items() if column.unit},
        repairs,
        tuple(made),
        frozenset(name for name, column in made.items() if column.form == "count"),
        {name: column.codes for name, column in made.items() if column.codes},
    )


def column_name(analyte: str, form: Form, window: Window, pivot: Pivot) -> str:
    """Name the column of an analyte: by itself, and with form and days where there are several."""
    parts = [analyte]
    if len(pivot.forms) > 1 or pivot.beside or form in ("count", "slope", "since"):
        parts.append(form)
    if len(pivot.windows) > 1:
        parts.append("..".join("" if d is None else f"{d:g}" for d in window))
    return " ".join(parts)


@dataclass(frozen=True, slots=True)
class _Long:
    """The long table by numbers: whose each row is (n), what it names, when it was (days, NaN unknown)."""

    who: pd.Series
    patients: Ints
    analytes: Distinct
    values: Distinct
    units: Distinct | None
    when: Floats | None
    since: Floats | None
    decimal: str | None

    @classmethod
    def of(cls, frame: pd.DataFrame, pivot: Pivot) -> _Long:
        patients, who = pd.factorize(frame[pivot.patient])
        when, since = _times(frame, pivot) if pivot.when else (None, None)
        return cls(
            pd.Series(np.asarray(who, dtype=object), dtype="str").rename(pivot.patient),
            patients.astype(np.int64),
            distinct(frame[pivot.analyte]),
            distinct(frame[pivot.value]),
            distinct(frame[pivot.unit]) if pivot.unit else None,
            when,
            since,
            frame.attrs.get("decimal"),
        )

    @property
    def n_dateless(self) -> int:
        """Rows whose date cannot be read where it is needed."""
        return 0 if self.when is None else int(np.isnan(self.when).sum())


def _times(frame: pd.DataFrame, pivot: Pivot) -> tuple[Floats, Floats | None]:
    """Return when each result was, in days, and how long after the index; None where windows do not count from one."""
    column = learnt_times(frame, pivot)
    unit = pivot.when_unit or column.unit or unit_of_time(pivot.when)
    if column.kind == "numeric" and unit:
        times = typed(frame[[pivot.when]], Schema((column,)))[pivot.when].to_numpy(np.float64)
        factor = conversion(unit, "d")
        if factor is None:
            raise SettingsError(N_("“{unit}” is no unit of time; write s, min, h or d."), unit=unit)
        return times * factor.scale, times * factor.scale
    if column.kind == "numeric" and not pivot.index:
        raise SettingsError(
            N_("The column “{column}” holds numbers without a unit; say whether they are min, h or d."),
            column=pivot.when,
        )
    when = _dates(frame, column)
    if pivot.index:
        return when, when - _dates(frame, infer_schema(frame[[pivot.index]])[pivot.index])
    if pivot.windows:
        raise SettingsError(
            N_("Days before an index date need both dates: name the date of the result and the index date.")
        )
    return when, None


def learnt_times(frame: pd.DataFrame, pivot: Pivot) -> Column:
    """Return how the times of results are written, as the pivot knows or the table shows."""
    return Column.from_dict(pivot.written) if pivot.written else infer_schema(frame[[pivot.when]])[pivot.when]


def _dates(frame: pd.DataFrame, column: Column) -> Floats:
    """Return the dates of a column as days."""
    if column.kind != "date":
        raise SettingsError(
            N_("The column “{column}” does not hold dates; name another one for the pivot."), column=column.name
        )
    stamps = typed(frame[[column.name]], Schema((column,)))[column.name].to_numpy("datetime64[us]")
    days = stamps.astype("int64") / 86_400e6
    days[np.isnat(stamps)] = np.nan
    return np.asarray(days, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Made:
    """A column of results: its values, what was taken, its unit, and its values that stand for nothing measured."""

    values: pd.Series
    form: Form
    unit: str
    codes: tuple[str, ...] = ()


def _columns(table: _Long, pivot: Pivot, like: Schema | None, tally: Tally) -> dict[str, _Made]:
    """Make a column of each analyte, form and window, in the order in which the analytes come."""
    columns: dict[str, _Made] = {}
    order = np.lexsort((np.nan_to_num(table.when), table.patients)) if table.when is not None else None
    order = np.argsort(table.patients, kind="stable") if order is None else order
    order = order[np.argsort(table.analytes.codes[order], kind="stable")]
    bounds = np.searchsorted(table.analytes.codes[order], np.arange(len(table.analytes.texts) + 1))
    windows: tuple[Window, ...] = pivot.windows or ((None, None),)
    for k, word in enumerate(table.analytes.words()):
        rows = order[bounds[k] : bounds[k + 1]]
        rows = rows[table.values.codes[rows] >= 0]
        known = _known(like, [column_name(word, f, w, pivot) for f in pivot.forms for w in windows])
        results = read_results(word, table.values, table.units, rows, table.decimal, known, tally)
        if pivot.windows:
            used = np.logical_or.reduce([_inside(table, rows, window) for window in windows])
            tally.n_outside += int((~used & ~np.isnan(table.when[rows])).sum()) if table.when is not None else 0
        for window in windows:
            inside = _inside(table, rows, window)
            for form in pivot.forms:
                name = column_name(word, form, window, pivot)
                if not results.numeric and form not in ("first", "last", "count", "since"):
                    continue
                values = _taken(results, form, inside, table, rows, window)
                codes = results.codes if form in ("first", "last", "minimum", "maximum") else ()
                columns[name] = _Made(values, form, _unit_after(form, results.unit), codes)
    return columns


def _known(like: Schema | None, names: Sequence[str]) -> Column | None:
    """Return what a schema knows of an analyte's column, a form of it in its own unit."""
    return (
        next((like[n] for n in names if n in like.names and not n.endswith((" count", " slope", " since"))), None)
        if like
        else None
    )


def _inside(table: _Long, rows: Ints, window: Window) -> Mask:
    """Mark the rows of a window; those without a date are in none where dates count."""
    inside = np.ones(len(rows), dtype=bool) if table.when is None else ~np.isnan(table.when[rows])
    if table.since is None:
        return inside
    low, high = window
    since = table.since[rows]
    if low is not None:
        inside &= since >= low
    if high is not None:
        inside &= since <= high
    return inside


def _taken(results: ResultsTable, form: Form, inside: Mask, table: _Long, rows: Ints, window: Window) -> pd.Series:
    """Take one form of each patient's results; ``rows`` are in the order of patients and time."""
    n = len(table.who)
    if form == "count":
        return pd.Series(np.bincount(table.patients[rows][inside], minlength=n).astype(np.float64))
    inside = inside & ~results.coded
    if form == "since":
        last = np.full(n, np.nan)
        used = np.flatnonzero(inside & ~results.absent)
        since = table.since if table.since is not None else np.full(len(table.patients), np.nan)
        last[table.patients[rows[used]]] = since[rows[used]]
        return pd.Series(24.0 * (np.nan if window[1] is None else window[1]) - 24.0 * last)
    if form in ("first", "last"):
        used = np.flatnonzero(inside & ~results.absent)
        out = np.full(n, None, dtype=object)
        mine = used[::-1] if form == "first" else used
        out[table.patients[rows][mine]] = results.texts[mine]
        return pd.Series(out, dtype="str")
    used = np.flatnonzero(inside & ~np.isnan(results.numbers))
    who, values = table.patients[rows][used], results.numbers[used]
    if form == "slope":
        when = table.when[rows][used] if table.when is not None else np.zeros(len(used))
        return pd.Series(_slope(who, when, values, n))
    count = np.bincount(who, minlength=n)
    if form == "mean":
        with np.errstate(invalid="ignore"):
            return pd.Series(np.bincount(who, weights=values, minlength=n) / count)
    out_numbers = np.full(n, np.inf if form == "minimum" else -np.inf)
    (np.minimum if form == "minimum" else np.maximum).at(out_numbers, who, values)
    return pd.Series(np.where(count > 0, out_numbers, np.nan))


def _slope(who: Ints, when: Floats, values: Floats, n: int) -> Floats:
    """Return the least-squares slope of each patient's values over days; NaN with fewer than two times."""
    count = np.bincount(who, minlength=n)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle_t = np.bincount(who, weights=when, minlength=n) / count
        middle_v = np.bincount(who, weights=values, minlength=n) / count
        off = when - middle_t[who]
        top = np.bincount(who, weights=off * (values - middle_v[who]), minlength=n)
        below = np.bincount(who, weights=off * off, minlength=n)
        return np.where(below > 1e-12, top / below, np.nan)


def _unit_after(form: Form, unit: str) -> str:
    if form == "since":
        return "h"
    if form == "count" or not unit:
        return ""
    return f"{unit}/d" if form == "slope" else unit


def _carried(frame: pd.DataFrame, pivot: Pivot, patients: Ints, n: int) -> tuple[dict[str, pd.Series], list[str]]:
    """Return the columns that are the same in all rows of each patient, one value each, and the names of the others."""
    kept: dict[str, pd.Series] = {}
    left: list[str] = []
    for name in frame.columns:
        if name in (pivot.patient, pivot.analyte, pivot.value, pivot.unit, pivot.when):
            continue
        codes, values = pd.factorize(frame[name])
        here = np.flatnonzero(codes >= 0)
        low, high = np.full(n, len(values)), np.full(n, -1)
        np.minimum.at(low, patients[here], codes[here])
        np.maximum.at(high, patients[here], codes[here])
        if bool((low[high >= 0] != high[high >= 0]).any()):
            left.append(str(name))
            continue
        kept[str(name)] = (
            frame[name].iloc[:0].reindex(range(n)) if not len(values) else _pick(values, high, frame[name])
        )
    return kept, left


def _pick(values: pd.Index, codes: Ints, like: pd.Series) -> pd.Series:
    found = pd.Series(values).take(np.where(codes < 0, 0, codes)).reset_index(drop=True)
    found = found.where(codes >= 0, other=None if found.dtype == object else np.nan)
    return found.astype(like.dtype) if isinstance(like.dtype, pd.StringDtype) else found


def _left_out(names: list[str]) -> list[Message]:
    if not names:
        return []
    return [
        Message(
            N_("{n} column(s) differ between the rows of a patient and were left out: {names}."),
            {"n": len(names), "names": names[:12]},
        )
    ]
