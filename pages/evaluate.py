"""Evaluate: can these risks be trusted, and is acting on them better than not."""

from __future__ import annotations

import streamlit as st

from medcore.data.cohort import Schema
from medcore.i18n import N_, _, percent
from medcore.models.run.results import Results
from medcore.studies.records import RunRecord, StudyRecord
from medcore.ui.evaluate import comparison, groups, overview, report, stability, written
from medcore.ui.evaluate.judging import Judged
from medcore.ui.evaluate.new_patients import external
from medcore.ui.evaluate.question import choose, choose_run
from medcore.ui.kit import cache, guards
from medcore.ui.kit.shown import components
from medcore.ui.kit.thresholds import threshold_of
from medcore.ui.number import evaluate as of_number
from medcore.ui.release import view as release
from medcore.ui.timed import evaluate as timed

VIEWS = {
    "overview": N_("Overview"),
    "compare": N_("Two models compared"),
    "groups": N_("Groups of patients"),
    "errors": N_("Errors"),
    "stability": N_("Stability"),
    "external": N_("New patients"),
    "model": N_("The model itself"),
    "report": N_("Report"),
    "release": N_("Release"),
}


def page() -> None:
    components.header(_("Evaluate"), _("Can what the model predicts be trusted, and is it worth acting on?"))
    study = guards.require_outcome()
    run = choose_run(study)
    if cache.by_when(run):
        with components.errors_shown():
            timed.show(study, run)
        return
    if cache.of_number(run):
        with components.errors_shown():
            of_number.show(study, run)
        return
    results = cache.results(run)
    judged = choose(study, run, results)
    who(judged)
    schema = Schema.from_dict(results.manifest["schema"])
    components.mends(cache.model_mends(cache.cohort(study), run, schema), naming=study.schema.shown)
    view = components.choice(_("Look at"), list(VIEWS), key="evaluate.view", show=lambda v: _(VIEWS[v]), link="view")
    threshold = threshold_of(study, run, results, judged.class_index)
    with components.errors_shown():
        show(view, study, run, results, judged, threshold)


def show(view: str, study: StudyRecord, run: RunRecord, results: Results, judged: Judged, threshold: float) -> None:
    """Draw one of the views."""
    if view == "overview":
        with st.container(key="evaluate-overview"):
            overview.overview(study, results, judged, threshold)
    elif view == "compare":
        comparison.compared(judged, results, threshold)
    elif view == "groups":
        groups.groups(judged, results, threshold, study.schema.shown)
    elif view == "errors":
        groups.errors(judged, study)
    elif view == "stability":
        stability.stability(run, results, judged)
    elif view == "external":
        external.external(run, results, judged, threshold, study.schema.shown)
    elif view == "model":
        written.written(run, results, study.schema.shown)
    elif view == "release":
        release.show(study, run, results, judged.class_index)
    else:
        report.report(study, run, threshold)


def who(judged: Judged) -> None:
    evaluation, outcome = judged.evaluation, judged.outcome
    pairs = [(_("Model"), judged.name), (_("Rows"), f"{evaluation.n:,}")]
    if evaluation.n_patients is not None and evaluation.n_patients != evaluation.n:
        pairs.append((_("Patients"), f"{evaluation.n_patients:,}"))
    pairs += [
        (_("With {outcome}", outcome=judged.positive), f"{int(outcome.sum()):,} ({percent(outcome.mean())})"),
        (_("Risks come from"), _("models that had not seen the patient")),
    ]
    components.facts(pairs)


page()
