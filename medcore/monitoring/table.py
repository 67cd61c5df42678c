"""A table of past patients, as a model sees them, made into what is watched."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medcore.data.cohort import Cohort, Column, Schema
from medcore.data.preparation.follow_up import event_times
from medcore.data.preparation.given import unused_values
from medcore.data.preparation.number import read_number
from medcore.data.preparation.outcomes import class_text
from medcore.data.preparation.replay import outcome_codes
from medcore.data.schema.class_names import class_names
from medcore.data.schema.targets import absence
from medcore.data.values.typed import typed
from medcore.errors import InputError, MissingColumnsError
from medcore.features import Rows
from medcore.i18n import N_
from medcore.models.bundle.bundle import Bundle
from medcore.models.contract.task import Risk
from medcore.models.deployed.external import new_schema
from medcore.monitoring.watched import Inputs, Predicts, Watched
from medcore.statistics.arrays import Floats


def watched_table(
    bundle: Bundle,
    cohort: Cohort,
    *,
    time: str,
    target: str | None = None,
    known: str | None = None,
    site: str | None = None,
    groups: Sequence[str] = (),
) -> Watched:
    """Predict for the patients of a table, and make of them what is watched.

    ``time`` names the column of the prediction's date, ``known`` that of the day on which the outcome was known, ``site`` and
    ``groups`` the columns by which patients are watched apart. Without the outcome's column, or where it is empty, no outcome is
    known. Rows without a date are left out by :meth:`Watched.in_order`.

    Raises:
        MissingColumnsError: the table lacks a column that is named or that the model needs.
        InputError: the column of time holds no date, or the outcome has a class the model does not know.

    """
    rows = bundle.encode(cohort.frame)
    places = {
        name: _values(bundle.schema, cohort, name, text=name == site) for name in (*([site] if site else []), *groups)
    }
    risk = bundle.risk(rows)
    outcome, duration = _outcome(bundle, cohort, target)
    return Watched(
        time=_dates(bundle.schema, cohort, time),
        risk=risk,
        predicts=predicts(bundle),
        interval=interval(bundle, risk),
        outcome=outcome,
        duration=duration,
        known=None if known is None else _dates(bundle.schema, cohort, known),
        inputs=inputs_of(bundle, cohort.frame, rows),
        places=pd.DataFrame(places, index=range(cohort.n_rows)) if places else pd.DataFrame(),
        site=site,
        patient=_patients(bundle.schema, cohort.frame),
        version=str(bundle.manifest.get("created", "")),
    )


def inputs_of(bundle: Bundle, frame: pd.DataFrame, rows: Rows) -> Inputs:
    """Return the values of a table as it was read, and as the model reads it (``rows``, n, P), with what is remarkable about them."""
    book, nothing = bundle.codebook, np.zeros(rows.shape, dtype=bool)
    cautions, reasons = book.cautions(rows), unused_values(frame, bundle.schema, bundle.recipe).reasons
    unused = nothing.copy()
    for place, name in enumerate(book.columns):
        if name in reasons:
            unused[:, place] = (reasons[name] != "") & np.isnan(rows.codes[:, place])
    return Inputs(
        columns=book.columns,
        codes=rows.codes,
        ordered=book.ordered,
        categories=np.array([bool(levels) for levels in book.categories], dtype=bool),
        unused=unused,
        unseen=cautions.get("unseen_category", nothing),
        outside=cautions.get("out_of_range", nothing),
        training=bundle.background.codes,
    )


def predicts(bundle: Bundle) -> Predicts:
    """Return what a bundle predicts."""
    names = tuple(map(str, class_names(bundle.classes, bundle.schema.outcome)))
    return Predicts(bundle.target, names, absence(bundle.classes, bundle.schema.absence))


def interval(bundle: Bundle, risk: Risk) -> tuple[Floats, Floats] | None:
    """Return the ends (n,) of the prediction intervals of numbers (n, 1); None where risks are predicted."""
    return None if bundle.intervals is None else bundle.intervals.around(risk[:, 0])


def _outcome(bundle: Bundle, cohort: Cohort, target: str | None) -> tuple[Floats, Floats | None]:
    """Return each row's class, cause or number, NaN where nothing is known, and how long patients were followed where that is told."""
    outcome = bundle.schema.outcome
    if target is None and (outcome is None or outcome.name not in cohort.frame.columns):
        blank = np.full(cohort.n_rows, np.nan)
        return blank, None if bundle.schema.follow_up is None else blank
    schema = new_schema(bundle.schema, cohort, target)
    if schema.follow_up is not None:
        times = event_times(cohort, schema)
        return np.where(times.known, times.event, np.nan), times.duration
    if schema.number is not None:
        return read_number(cohort, schema)[0], None
    codes = outcome_codes(cohort.frame, schema, bundle.recipe, bundle.classes)
    return np.where(codes < 0, np.nan, codes), None


def _patients(schema: Schema, frame: pd.DataFrame) -> NDArray[np.int64] | None:
    """Return who (n,) is the same patient, where the model knows a column that says so and the table has it."""
    name = next((c.name for c in schema.columns if c.role == "group" and c.name in frame.columns), None)
    return None if name is None else pd.factorize(frame[name])[0].astype(np.int64)


def _values(schema: Schema, cohort: Cohort, name: str, *, text: bool = False) -> pd.Series:
    """Return a column as it is read: as the model reads it where it knows it, else as the table looks."""
    if name not in cohort.frame.columns:
        raise MissingColumnsError.between(wanted=[name], got=cohort.frame.columns, table=cohort.name)
    column = cohort.schema[name]
    if name in schema.names and schema[name].kind == column.kind:
        column = schema[name]
    values = column_of(cohort.frame, column)
    return values.map(class_text, na_action="ignore").astype(object) if text else values


def column_of(frame: pd.DataFrame, column: Column) -> pd.Series:
    """Return one column of a table as it was read, as values."""
    return typed(frame[[column.name]], Schema((column,)))[column.name].reset_index(drop=True)


def _dates(schema: Schema, cohort: Cohort, name: str) -> NDArray[np.datetime64]:
    """Return a column of dates; raise InputError where it holds none."""
    values = _values(schema, cohort, name)
    if values.dtype.kind != "M":
        raise InputError(
            N_(
                "{table}: the column {column} holds no dates, so it cannot say when a prediction was made. Name another."
            ),
            table=cohort.name,
            column=name,
        )
    return moments(values)


def moments(values: pd.Series) -> NDArray[np.datetime64]:
    """Return dates or moments as datetime64 to the second, in universal time where they have a zone."""
    plain = values.dt.tz_convert("UTC").dt.tz_localize(None) if values.dt.tz else values
    return plain.to_numpy(dtype="datetime64[s]")
