"""A finished run opened for looking at single patients, once a session."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from medcore import jobs
from medcore.data.cohort import Schema
from medcore.data.preparation.recipe import Recipe
from medcore.explanation.model.first_patients import FirstPatients
from medcore.explanation.patient.conformal import ConformalSets
from medcore.explanation.patient.reference import Reference, reference_rows
from medcore.features import Rows
from medcore.i18n import _
from medcore.models.bundle.files import bundle_hash
from medcore.models.run.any_results import AnyResults
from medcore.models.run.results import Results
from medcore.models.run.timed.results import TimedResults
from medcore.sealing import Folder
from medcore.studies.records import RunRecord, StudyRecord
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components
from medcore.ui.patient.explainer import Explainer

READING_SECONDS = 600.0
"""Within which a worker has read the notes of all training patients: 5,000 of ten phrases take 200 s."""


def open_explainer(study: StudyRecord, run: RunRecord, *, horizon: float | None = None) -> Explainer:
    """Open a finished run of a study; one that says by when about its main horizon, or another."""
    results = _results(run, horizon)
    patients = _read_by_a_worker(study, run, results)
    found: Explainer = cache.once(lambda: _open(study, run, results, patients), "patient.explainer", run.id, horizon)
    return replace(found, results=results, labels=study.schema)


def _results(run: RunRecord, horizon: float | None) -> AnyResults:
    found = cache.any_results(run)
    if horizon is None or not isinstance(found, TimedResults):
        return found
    return cache.once(lambda: found.about(horizon), "patient.about", run.id, horizon)


def _read_by_a_worker(study: StudyRecord, run: RunRecord, results: AnyResults) -> Rows | None:
    """Return the training patients where notes are read by a sentence encoder, once a worker has read them; else None.

    The web process does without the encoder; until the notes are read the page says so, and ends there.
    """
    if not any(encoder.get("encoder") for encoder in results.manifest["codebook"].get("encoders", ())):
        return None
    manifest, frame = results.manifest, cache.cohort(study).frame
    found = components.waited(
        lambda task: jobs.call(reference_rows, manifest, results, frame, stop=task.stop, timeout=READING_SECONDS),
        *("patient.notes", run.id),
        key="patient.notes",
        doing=_("The training patients’ notes are read."),
    )
    if found is None:
        st.stop()
    return found


def _open(study: StudyRecord, run: RunRecord, results: AnyResults, patients: Rows | None) -> Explainer:
    folder = cache.store().result_folder(run.owner, run.id)
    cohort = cache.cohort(study)
    frame = cohort.frame
    reference = Reference.of(results.manifest, results, frame, patients=patients)
    sets = None
    if isinstance(results, Results):
        sets = ConformalSets.fit(results.training.outcome, results.training.risk, results.classes)
    return Explainer(
        run=run,
        folder=folder,
        results=results,
        frame=frame,
        schema=Schema.from_dict(results.manifest["schema"]),
        recipe=Recipe.from_dict(results.manifest["recipe"]),
        reference=reference,
        sets=sets,
        source=cohort.source,
        labels=study.schema,
        first=_first(run, folder, reference),
    )


def _first(run: RunRecord, folder: Folder, reference: Reference) -> FirstPatients | None:
    """Return what was answered when training ended, if it is of this model and the present code."""
    data = cache.store().first_patients(run.owner, run.id)
    found = FirstPatients.from_bytes(data) if data is not None else None
    horizon = reference.followed.horizon if reference.followed else None
    return found if found is not None and found.of(bundle_hash(folder), horizon) else None
