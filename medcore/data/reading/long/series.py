"""A second, long table of measurements over time beside the patients' table: summaries of each patient's series."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pandas as pd

from medcore.data.cohort import Cohort, Column, Schema
from medcore.data.long import FROM_FILE, Pivot
from medcore.data.reading.long.measured import attached
from medcore.data.reading.long.pivot import Wide, learnt_times, pivot_rows
from medcore.data.reading.long.visits import results_of_visits
from medcore.data.schema.inference import infer_schema
from medcore.data.schema.names import folded
from medcore.data.values.folding import distinct
from medcore.data.values.typed import typed
from medcore.errors import InputError, MissingColumnsError
from medcore.i18n import N_, Message


def with_series(
    cohort: Cohort,
    long: Cohort,
    pivot: Pivot,
    *,
    like: Schema | None = None,
    keep: bool = False,
) -> Cohort:
    """Return a cohort with columns that sum up each patient's measurements.

    ``long`` is the table of measurements as it was read; the identity stands for both. ``pivot``
    says who, what, how much and when; its ``windows`` (days) cut what is not yet known, its
    ``index`` is a date in either table, or empty where times count from it already. ``like`` is
    the schema of a model by which new patients are read. With ``keep`` the measurements themselves, up to the end of the
    window, are attached to the cohort (:mod:`~medcore.data.reading.long.measured`), so that a patient's can be drawn;
    they do not change what identifies it. What did not match is told in ``repairs``.

    Raises:
        MissingColumnsError: a column of the pivot is in neither table.
        InputError: no patient has a measurement.

    """
    lines, told = _of_patients(cohort, long.frame, pivot, like)
    if not pivot.written:
        pivot = replace(pivot, written=learnt_times(lines, pivot).to_dict())
    results, by = lines, pivot
    if pivot.by_visit:
        results, by, said = results_of_visits(lines, pivot, long.schema, aside=cohort.frame.columns)
        told += said
    wide = pivot_rows(results, by, like=like) if len(results) else Wide(lines[[pivot.patient]], {}, ())
    rows = pd.Index(wide.frame[pivot.patient]).get_indexer(_names(cohort.frame[named_by(cohort.schema, pivot)]))
    new = [name for name in wide.results if name not in cohort.frame.columns]
    made = {name: _at(wide.frame[name], rows, none=name in wide.counts) for name in new}
    joined = pd.DataFrame(made, index=cohort.frame.index)
    for name in like.names if like is not None else ():
        if pivot.summarises(name) and name not in joined.columns:
            joined[name] = 0.0 if name.endswith(" count") else np.nan
    frame = pd.concat([cohort.frame, joined], axis=1)
    frame.attrs = dict(cohort.frame.attrs)
    names = [str(name) for name in joined]
    sequences = [name for name in names if pivot.is_sequence(name)]
    schema = infer_schema(joined.drop(columns=sequences), units=wide.units)
    known = {column.name: _sparing(column, wide) for column in schema.columns}
    known |= {name: _over_time(name, wide) for name in sequences}
    columns = [known[name] for name in names]
    without = int((rows < 0).sum())
    until = max((high for _low, high in pivot.windows if high is not None), default=np.inf)
    return replace(
        cohort,
        frame=frame,
        schema=replace(cohort.schema, columns=(*cohort.schema.columns, *columns), series=pivot),
        sha256=joined_identity(cohort.sha256, long.sha256, pivot),
        attachments=attached(wide.series, rows, until) if keep else cohort.attachments,
        repairs=(*cohort.repairs, *long.repairs, *told, *wide.repairs, *_without(without, len(rows))),
    )


def named_by(patients: Schema, pivot: Pivot) -> str:
    """Return the column of the patients' table that names them: as the measurements call it, or as is said.

    Raises MissingColumnsError.
    """
    wanted = pivot.known_as or pivot.patient
    if wanted in patients.names:
        return wanted
    alike = [name for name in patients.names if folded(name) == folded(wanted)]
    if len(alike) != 1:
        raise MissingColumnsError.between(wanted=[wanted], got=patients.names, table="The patients' table")
    return alike[0]


def joined_identity(patients: str, measurements: str, pivot: Pivot) -> str:
    """Return what identifies both tables, by their SHA-256, and how they were joined; how times are written follows from them."""
    asked = {name: value for name, value in pivot.to_dict().items() if name != "written"}
    return hashlib.sha256(json.dumps([patients, measurements, asked], sort_keys=True).encode()).hexdigest()


def _of_patients(
    cohort: Cohort, frame: pd.DataFrame, pivot: Pivot, like: Schema | None
) -> tuple[pd.DataFrame, list[Message]]:
    """Return the measurements of the table's own patients, with the index date where only that table has it."""
    ours_by = named_by(cohort.schema, pivot)
    if FROM_FILE in frame.columns:
        a_file_a_patient = pivot.patient not in frame.columns
        frame = frame.rename(columns={FROM_FILE: pivot.patient}) if a_file_a_patient else frame.drop(columns=FROM_FILE)
    lacking = [c for c in pivot.columns if c not in frame.columns and c != pivot.index]
    if lacking:
        raise MissingColumnsError.between(
            wanted=lacking, got=[str(c) for c in frame.columns], table="The table of measurements"
        )
    known = _names(cohort.frame[ours_by])
    frame = frame.assign(**{pivot.patient: _names(frame[pivot.patient])})
    ours = frame[pivot.patient].isin(set(known.dropna())).to_numpy(bool)
    if not ours.any() and like is None:
        raise InputError(
            N_(
                "No measurement is of a patient of the table: “{column}” has no value in common in the two files. Check that both name patients in the same way."
            ),
            column=pivot.patient,
        )
    told = Message(
        N_("{n} measurement(s) are of nobody in the patients' table and were left out."), {"n": int((~ours).sum())}
    )
    lines = frame[ours]
    if pivot.index and pivot.index not in frame.columns:
        if pivot.index not in cohort.frame.columns:
            raise MissingColumnsError.between(
                wanted=[pivot.index], got=[str(c) for c in cohort.frame.columns], table="The patients' table"
            )
        column = (like or cohort.schema)[pivot.index]
        begun = typed(cohort.frame[[pivot.index]], Schema((column,)))[pivot.index].astype("str")
        dates = pd.Series(begun.to_numpy(object), index=known.to_numpy(object))
        lines = lines.assign(**{pivot.index: lines[pivot.patient].map(dates[~dates.index.duplicated()]).astype("str")})
    return lines.reset_index(drop=True), [] if ours.all() else [told]


def _names(values: pd.Series) -> pd.Series:
    """Return identifiers as they are compared: 7, 7.0 and a full-width 7 are one patient."""
    cells = distinct(values)
    words = np.array([*cells.words(), None], dtype=object)
    return pd.Series(words[cells.codes], dtype="str", index=values.index)


def _sparing(column: Column, wide: Wide) -> Column:
    """Return a summary's column: codes for missing are those of its measurement, its range is asked of the extremes."""
    name = column.name
    column = replace(column, missing_codes=wide.codes.get(name, ()), summary=wide.summarised.get(name))
    return column if name.endswith((" minimum", " maximum")) else replace(column, low=None, high=None)


def _over_time(name: str, wide: Wide) -> Column:
    """Return the column of results in steps of time, of which nothing is to be guessed."""
    return Column(name=name, kind="series", unit=wide.units.get(name) or None, summary=wide.summarised.get(name))


def _at(values: pd.Series, rows: np.ndarray, *, none: bool) -> pd.Series:
    """Return each patient's value; of those without a series a count is none, all else missing."""
    taken = values.reindex(rows).reset_index(drop=True)
    return taken.fillna(0.0) if none else taken


def _without(n: int, n_patients: int) -> list[Message]:
    said = N_("{n} of {patients} patients have no measurement in the second file; their summaries are missing.")
    return [Message(said, {"n": n, "patients": n_patients})] if n else []
