"""Champion against challenger: the version in use and the run at hand, on the same patients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from medcore import jobs
from medcore.data.cohort import Schema
from medcore.data.preparation.recipe import Recipe, required_columns
from medcore.evaluation import Estimate, compare, compare_at_horizon, compare_numbers
from medcore.evaluation.figures.estimates import Floats
from medcore.explanation.patient import worker_queries
from medcore.i18n import N_, _
from medcore.models.run.any_results import AnyResults
from medcore.models.run.number.results import NumberPatients, NumberResults
from medcore.models.run.results import Patients
from medcore.models.run.timed.results import TimedPatients, TimedResults
from medcore.studies.records import RunRecord, StudyRecord
from medcore.studies.use_records import PredictionRecord, Release
from medcore.targets import EventTime
from medcore.ui.evaluate.question import unlocked
from medcore.ui.evaluate.rates import signed
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components
from medcore.ui.patients.asking import as_table

FEWEST = 20
"""Predictions with an outcome below which nothing is compared: intervals of so few say nothing."""
DIFFERENCES = {
    "auroc": N_("AUROC (more is better)"),
    "brier": N_("Brier score (less is better)"),
    "mae": N_("Mean absolute error (less is better)"),
    "rmse": N_("Root mean squared error (less is better)"),
}


def show(study: StudyRecord, run: RunRecord, results: AnyResults, threshold: float | None) -> None:
    """Compare the run at hand with the newest version of another run; nothing where there is none."""
    released = cache.store().releases(study.owner, study_id=study.id)
    others = [r for r in released if r.run_id != run.id and r.withdrawn_at is None]
    version = max(others, key=lambda r: r.released_at, default=None)
    if version is None:
        return
    components.section(
        _("Run {number} against {model} {version}", number=run.number, model=version.model, version=version.version),
        _("On the same patients: run {number} less that version, with 95 % intervals.", number=run.number),
    )
    if results.target.many:
        components.note(_("Models of more than two classes are not compared here."))
        return
    with components.errors_shown():
        _register(study, run, version, threshold)
    with components.errors_shown():
        _locked(study, run, results, version)


def _register(study: StudyRecord, run: RunRecord, version: Release, threshold: float | None) -> None:
    """Compare both on the register's patients whose outcome is known, where each has or lacks one event, or has a number."""
    target = cache.any_results(run).target
    if target.many or isinstance(target, EventTime):
        components.caption(_("By when, and of several classes, both are compared on the locked test set alone."))
        return
    kept = cache.store().predictions(study.owner, version.model)
    known = [p for p in kept if p.outcome is not None and p.patient_id is not None]
    if len(known) < FEWEST:
        said = N_("{n} predictions of the register have an outcome; from {fewest} on, both are compared on them.")
        components.note(_(said, n=len(known), fewest=FEWEST))
        return
    theirs = cache.store().get_run(study.owner, version.run_id)
    challenger, champion = (_predicted(study.owner, one, known) for one in (run, theirs))
    if challenger is None or champion is None:
        return
    outcome = np.array([p.outcome for p in known], dtype=float)
    groups = np.unique([p.patient_id or "" for p in known], return_inverse=True)[1].astype(np.int64)
    if cache.of_number(run):
        numbers = compare_numbers(outcome, challenger, champion, groups=groups)
        found = {"mae": numbers.mae, "rmse": numbers.rmse}
    else:
        paired = compare(outcome, challenger, champion, groups=groups, threshold=threshold)
        found = {name: paired.differences[name] for name in ("auroc", "brier")}
    _table(_("Register: {n} predictions with an outcome", n=f"{len(known):,}"), found)


def _predicted(person: str, run: RunRecord, known: Sequence[PredictionRecord]) -> Floats | None:
    """Ask a run's model about the values of predictions (n,); ``None`` as yet."""
    manifest = cache.any_results(run).manifest
    schema, recipe = Schema.from_dict(manifest["schema"]), Recipe.from_dict(manifest["recipe"])
    frame, model = as_table(required_columns(schema, recipe), known), _asked(person, run)
    found = components.waited(
        lambda task: jobs.call(worker_queries.predict_table, model, frame, stop=task.stop),
        *("release.compared", run.id, hash(tuple(p.id for p in known))),
        key=f"evaluate.release.compared.{run.number}",
        doing=_("Both models are asked about the same patients."),
    )
    if found is None:
        return None
    column = "predicted" if schema.number is not None else f"risk_{manifest['classes'][1]}"
    return np.asarray(found[column].to_numpy(), dtype=float)


def _asked(person: str, run: RunRecord) -> jobs.ResultOf:
    return jobs.ResultOf(cache.store().settings, person, run.id)


def _locked(study: StudyRecord, run: RunRecord, results: AnyResults, version: Release) -> None:
    """Compare both on the locked test set, where it is the same; it is asked for and counted as any look is."""
    theirs = cache.any_results(cache.store().get_run(study.owner, version.run_id))
    same = (
        results.test is not None
        and theirs.test is not None
        and type(results) is type(theirs)
        and results.target == theirs.target
        and results.classes == theirs.classes
        and np.array_equal(results.test.rows, theirs.test.rows)
    )
    if not same:
        components.caption(_("The two were not judged on the same locked test set."))
    elif unlocked(study, run):
        found = on_locked(results, theirs)
        _table(_("Locked test set: {n} rows", n=f"{len(theirs.test.rows) if theirs.test else 0:,}"), found)


def on_locked(results: AnyResults, theirs: AnyResults) -> dict[str, Estimate]:
    """Return what one run differs by from another on their common locked test set."""
    a, b = results.test, theirs.test
    if isinstance(a, NumberPatients) and isinstance(b, NumberPatients) and isinstance(results, NumberResults):
        numbers = compare_numbers(a.value, a.predicted, b.predicted, groups=a.groups)
        return {"mae": numbers.mae, "rmse": numbers.rmse}
    if isinstance(a, TimedPatients) and isinstance(b, TimedPatients) and isinstance(results, TimedResults):
        risks, horizon = (a.risk[:, 1], b.risk[:, 1]), results.target.main
        at = compare_at_horizon(a.duration, a.event, *risks, horizon, groups=a.groups)
        return {"auroc": at.auroc, "brier": at.brier}
    assert isinstance(a, Patients) and isinstance(b, Patients)
    outcome = (a.outcome == 1).astype(float)
    paired = compare(outcome, a.risk[:, 1], b.risk[:, 1], groups=a.groups)
    return {name: paired.differences[name] for name in ("auroc", "brier")}


def _table(title: str, found: dict[str, Estimate]) -> None:
    st.caption(title)
    components.table(
        [
            {_("Measure"): _(DIFFERENCES[name]), _("Difference (95 % interval)"): signed(value)}
            for name, value in found.items()
        ],
        alt=title,
    )
