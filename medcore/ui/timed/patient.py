"""Patients of a model that says by when: who is at what risk by a horizon, the patient's curve, and why."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from medcore import jobs
from medcore.charts.explanation import waterfall
from medcore.charts.survival_curves import patient_curve as draw_curve
from medcore.data.cohort import Schema
from medcore.data.follow_up import UNIT_NAMES, span
from medcore.data.preparation.recipe import Recipe, required_columns
from medcore.data.schema.class_names import class_names
from medcore.errors import MissingColumnsError
from medcore.explanation.patient import timed_queries, wording
from medcore.explanation.patient.over_time import patient_curve
from medcore.explanation.patient.reference import Reference
from medcore.explanation.shapley.results import CAPTION, Explanation
from medcore.i18n import N_, _
from medcore.jobs.web.uploads import read_upload
from medcore.models.bundle.bundle import flag_message
from medcore.models.run.timed_results import TimedPatients, TimedResults
from medcore.studies.records import RunRecord, StudyRecord
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components
from medcore.ui.kit.shown.noted import note_view
from medcore.ui.kit.words import row_name

SOURCES = {"test": N_("Locked test set"), "training": N_("Training patients"), "table": N_("New table")}
MOST_LISTED = 200
COLUMNS_DRAWN = 8


@dataclass(frozen=True, slots=True)
class _List:
    """Patients with their risks of the event by each horizon (n, H), the main horizon's place, and their rows in the file."""

    identity: str
    frame: pd.DataFrame = field(repr=False)
    lines: NDArray[np.int64] = field(repr=False)
    risk: NDArray[np.float64] = field(repr=False)

    def order(self, horizon: int) -> list[int]:
        """Return the places of the patients, the highest risk by a horizon first."""
        return [int(place) for place in np.argsort(-self.risk[:, horizon], kind="stable")[:MOST_LISTED]]


def show(study: StudyRecord, run: RunRecord) -> None:
    """Ask whose patients, list them by risk, and show the one that is chosen."""
    results = cache.timed_results(run)
    schema = Schema.from_dict(results.manifest["schema"])
    left, right = st.columns(2)
    with left:
        ways = [s for s in SOURCES if s != "test" or results.test is not None]
        way = components.choice(_("Who"), ways, key="patient.timed.way", show=lambda w: _(SOURCES[w]))
    horizons, unit = results.target.horizons, results.target.unit
    with right:
        main = horizons.index(results.target.main)
        asked = [results.target.main, *(h for h in horizons if h != results.target.main)]
        horizon = components.choice(
            _("By when"), asked, key=f"patient.timed.horizon.{run.id}", show=lambda h: str(span(h, unit))
        )
        main = horizons.index(horizon)
    found = _table(study, run, results, schema) if way == "table" else _known(study, results, schema, way)
    if found is None:
        return
    if way == "training":
        components.note(_("Risks of training patients are from models that had not seen the patient."))
    note_view(study, "patients.listed", found.identity, run=run, n=len(found.lines))
    order = found.order(main)
    place = st.selectbox(
        _("Patient, the highest risk first"),
        order,
        format_func=lambda p: _(
            "{row}: {risk} within {horizon}",
            row=row_name(int(found.lines[p])),
            risk=wording.percent(float(found.risk[p, main]), digits=1),
            horizon=str(span(horizon, unit)),
        ),
        key=f"patient.timed.who.{run.id}.{found.identity}.{horizon}",
    )
    if len(found.lines) > len(order):
        components.caption(
            _("The {n} of {total} with the highest risk are listed.", n=len(order), total=len(found.lines))
        )
    if place is not None:
        _patient(study, run, results, found, int(place), horizon)


def _known(study: StudyRecord, results: TimedResults, schema: Schema, way: str) -> _List:
    """Return the patients of the test set or of training; the risks of the latter are out of fold."""
    patients: TimedPatients | None = results.test if way == "test" else results.training
    assert patients is not None
    cohort = cache.cohort(study)
    frame = cohort.frame.iloc[patients.rows]
    places = [results.by(h) for h in results.target.horizons]
    columns = list(required_columns(schema, Recipe.from_dict(results.manifest["recipe"])))
    return _List(way, frame[columns], cohort.source.rows_in_file(patients.rows), patients.curve[:, 0, places])


def _table(study: StudyRecord, run: RunRecord, results: TimedResults, schema: Schema) -> _List | None:
    """Ask for a table of new patients and predict for all of them at once; it is not stored."""
    file = st.file_uploader(
        _("Table of new patients, with the same columns as the training table"), key=f"patient.timed.file.{run.id}"
    )
    columns = list(required_columns(schema, Recipe.from_dict(results.manifest["recipe"])))
    if file is None:
        components.caption(
            _("It needs these columns: {columns}.", columns=[components.plain(study.schema.shown(c)) for c in columns])
        )
        return None
    cohort = cache.once(
        lambda: read_upload(file.name, file.getvalue(), like=schema), "patient.table", run.id, file.file_id
    )
    if not set(columns) <= set(cohort.frame.columns):
        raise MissingColumnsError.between(wanted=columns, got=cohort.frame.columns, table=file.name)
    components.mends(cache.model_mends(cohort, run, schema), naming=study.schema.shown)
    frame = cohort.frame[columns]
    risk: NDArray[np.float64] = cache.once(
        lambda: jobs.call(timed_queries.risks_by, _model(run), frame, results.target.horizons),
        *("patient.timed.risks", run.id, cohort.sha256),
    )
    return _List(cohort.sha256, frame, cohort.source.rows_in_file(range(len(frame))), risk)


def _model(run: RunRecord) -> jobs.ResultOf:
    return jobs.ResultOf(cache.store().settings, run.owner, run.id)


def _patient(
    study: StudyRecord,
    run: RunRecord,
    results: TimedResults,
    found: _List,
    place: int,
    horizon: float,
) -> None:
    """Show one patient: risks in natural frequencies, the curve beside similar patients, and what the model used."""
    line, one = int(found.lines[place]), found.frame.iloc[[place]]
    viewed = "newcomer.viewed" if found.identity not in SOURCES else "patient.viewed"
    note_view(study, viewed, found.identity, line, run=run, **({"row": line} if viewed == "patient.viewed" else {}))
    key = ("patient.timed", run.id, found.identity, place)
    patient: timed_queries.TimedRisk = cache.once(
        lambda: jobs.call(timed_queries.read_timed_risk, _model(run), one), *key, "risk"
    )
    unit = results.target.unit
    name = str(class_names(results.classes, study.schema.outcome)[1])
    components.section(row_name(line))
    risks = {h: float(patient.curve[results.by(h)]) for h in results.target.horizons}
    _say(results, risks, horizon, name)
    for flag in patient.flags:
        components.note(str(flag_message(flag)), look="warning")
    reference = cache.once(
        lambda: Reference.of(results.manifest, results, cache.cohort(study).frame), "patient.timed.reference", run.id
    )
    who = np.searchsorted(results.training.rows, reference.rows)
    curve = cache.once(
        lambda: patient_curve(
            reference,
            patient.rows,
            patient.curve,
            results.times,
            duration=results.training.duration[who],
            event=results.training.event[who],
            weights=patient.weights,
        ),
        *key,
        "curve",
    )
    components.figure(
        draw_curve(curve, name=name, horizons=results.target.horizons, unit=_(UNIT_NAMES[unit])),
        key="patient.timed.curve",
    )
    components.section(_("What the model used for the risk within {horizon}", horizon=str(span(horizon, unit))))
    why: Explanation = cache.once(
        lambda: jobs.call(timed_queries.explain_by, _model(run), patient, horizon), *key, "why", horizon
    )
    why = replace(why, class_name=name)
    components.figure(waterfall(why, n_shown=COLUMNS_DRAWN, naming=study.schema.shown), key="patient.timed.waterfall")
    components.caption(_(CAPTION))
    if len(results.target.horizons) > 1 and st.toggle(
        _("Show how the contributions change over time"), key=f"patient.timed.change.{run.id}"
    ):
        _over_time(study, run, results, patient, key)


def _say(results: TimedResults, risks: dict[float, float], horizon: float, name: str) -> None:
    """Say the risk by the horizon in question in words, and those by the others."""
    unit, judged = results.target.unit, results.cross_validated
    components.note(
        _(
            "{frequency} have had it within {horizon}: {name}. Of all training patients {base} had (Kaplan–Meier, or Aalen–Johansen where events compete).",
            frequency=str(wording.frequency(risks[horizon])),
            horizon=str(span(horizon, unit)),
            name=name,
            base=wording.percent(judged.by(horizon).observed.value),
        )
    )
    components.facts(
        [
            (_("Within {horizon}", horizon=str(span(h, unit))), wording.percent(risk, digits=1))
            for h, risk in risks.items()
        ]
    )


def _over_time(
    study: StudyRecord, run: RunRecord, results: TimedResults, patient: timed_queries.TimedRisk, key: tuple[object, ...]
) -> None:
    """Tell each column's contribution by every horizon."""
    found: dict[float, Explanation] = {
        h: cache.once(lambda h=h: jobs.call(timed_queries.explain_by, _model(run), patient, h), *key, "why", h)  # type: ignore[misc]
        for h in results.target.horizons
    }
    last = found[results.target.horizons[-1]]
    rows = []
    for contribution in last.largest(len(last.contributions)):
        row = {_("Column"): components.plain(study.schema.shown(contribution.column))}
        for h, explanation in found.items():
            own = next(c for c in explanation.contributions if c.column == contribution.column)
            row[_("Within {horizon}", horizon=str(span(h, results.target.unit)))] = f"{100 * own.contribution:+.1f} %"
        rows.append(row)
    components.table(rows)
