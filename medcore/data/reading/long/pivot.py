"""A table of one row a result becomes one of one row a patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from medcore.data.cohort import Column, Schema
from medcore.data.long import Form, Pivot, Summarised
from medcore.data.quantities.units import conversion
from medcore.data.reading.long.results import ResultsTable, Tally, read_results
from medcore.data.reading.long.summaries import OF_WORDS, OTHER_SCALE, AnalyteSeries, Summary, summaries_of
from medcore.data.schema.inference import infer_schema
from medcore.data.values.names import clean_names
from medcore.data.values.time.spans import unit_of_time
from medcore.data.values.typed import Distinct, distinct, typed
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
    which of their values stand for nothing measured, ``summarised`` what columns named by their form sum up.
    ``series`` are the results themselves, by analyte.
    """

    frame: pd.DataFrame = field(repr=False)
    units: Mapping[str, str]
    repairs: tuple[Message, ...]
    results: tuple[str, ...] = ()
    counts: frozenset[str] = frozenset()
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    summarised: Mapping[str, Summarised] = field(default_factory=dict)
    series: tuple[tuple[str, AnalyteSeries], ...] = field(default=(), repr=False)


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
    columns, series = _columns(table, pivot, like, tally)
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
        {name: column.summary for name, column in made.items() if column.summary},
        series,
    )


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

    def series(self, results: ResultsTable, rows: Ints) -> AnalyteSeries:
        """Return the results of one analyte, which are in these ``rows``."""
        when, since = (None if times is None else times[rows] for times in (self.when, self.since))
        return AnalyteSeries(results, self.patients[rows], len(self.who), when, since)

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
    summary: Summarised | None = None


def _columns(
    table: _Long, pivot: Pivot, like: Schema | None, tally: Tally
) -> tuple[dict[str, _Made], tuple[tuple[str, AnalyteSeries], ...]]:
    """Make a column of each analyte, form and window, in the order in which the analytes come; return the series too."""
    columns: dict[str, _Made] = {}
    found: list[tuple[str, AnalyteSeries]] = []
    order = np.lexsort((np.nan_to_num(table.when), table.patients)) if table.when is not None else None
    order = np.argsort(table.patients, kind="stable") if order is None else order
    order = order[np.argsort(table.analytes.codes[order], kind="stable")]
    bounds = np.searchsorted(table.analytes.codes[order], np.arange(len(table.analytes.texts) + 1))
    summaries = list(summaries_of(pivot))
    for k, word in enumerate(table.analytes.words()):
        rows = order[bounds[k] : bounds[k + 1]]
        rows = rows[table.values.codes[rows] >= 0]
        known = _known(like, word, summaries, pivot)
        results = read_results(word, table.values, table.units, rows, table.decimal, known, tally)
        series = table.series(results, rows)
        found.append((word, series))
        if pivot.windows and series.when is not None:
            used = np.logical_or.reduce([series.inside(window) for window in pivot.windows])
            tally.n_outside += int((~used & ~np.isnan(series.when)).sum())
            if (
                pivot.beside and series.since is not None
            ):  # a window before the index is asked for in its own table only
                tally.n_before += int((used & (series.since < 0)).sum())
        for summary in summaries:
            if not results.numeric and summary.form not in OF_WORDS:
                continue
            codes = results.codes if summary.form not in OTHER_SCALE else ()
            columns[summary.name(word, pivot)] = _Made(
                series.taken(summary),
                summary.form,
                summary.unit(results.unit),
                codes,
                summary.of(word, pivot, results.decimals),
            )
    return columns, tuple(found)


def _known(like: Schema | None, analyte: str, summaries: Sequence[Summary], pivot: Pivot) -> Column | None:
    """Return what a schema knows of an analyte's column, a form of it in its own unit."""
    names = [summary.name(analyte, pivot) for summary in summaries if summary.form not in OTHER_SCALE]
    return next((like[name] for name in names if name in like.names), None) if like else None


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
