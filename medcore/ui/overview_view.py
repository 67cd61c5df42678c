"""The first view of the Evaluate page: what a threshold does, and whether predicted risks come true."""

from __future__ import annotations

import streamlit as st

from medcore.charts import calibration, discrimination, utility
from medcore.i18n import _
from medcore.models.results import Results
from medcore.studies.records import StudyRecord
from medcore.ui import components, judgement_tables, judging, threshold_form
from medcore.ui.judging import Judged


def overview(study: StudyRecord, results: Results, judged: Judged, default: float) -> None:
    """Draw everything that moves with the threshold, then what does not."""
    components.fragment(at_threshold)(study, results, judged, default)
    components.section(_("Do predicted risks come true?"))
    left, right = st.columns(2)
    with left:
        curves = judging.calibration_curves(judged)
        components.figure(calibration.calibration(curves, judged.metrics), key="evaluate.calibration")
    with right:
        components.metric_table(judged.metrics)
        if len(judged.classes) > 2:
            components.metric_table({_("All classes"): judged.evaluation.metrics})
        else:
            components.figure(discrimination.gain(judging.gain_curves(judged)), key="evaluate.gain")
    if len(judged.classes) > 2:
        chart = utility.class_table(judged.evaluation.table, judged.classes)
        components.figure(chart, key="evaluate.classes")


def at_threshold(study: StudyRecord, results: Results, judged: Judged, default: float) -> None:
    """Ask for the threshold and redraw what depends on it; meant as a fragment."""
    components.section(_("What a threshold does"))
    choice = threshold_form.ask_threshold(judged, default)
    threshold = choice.threshold
    confusions = judging.confusions(judged, threshold)
    negative = judged.negative or _("any other class")
    left, right = st.columns(2)
    with left:
        chart = utility.confusion_matrix(confusions[judged.name], positive=judged.positive, negative=negative)
        components.figure(chart, key="evaluate.confusion")
        judgement_tables.rates(confusions, judging.confusions(judged, threshold, at_prevalence=prevalence(judged)))
        threshold_form.keep(judged, study.owner, study.id, results.model, choice)
    with right:
        chart = utility.decision_curve(judging.decision_curves(judged), threshold=threshold)
        components.figure(chart, key="evaluate.decision")
        chart = discrimination.risk_distribution(
            judging.distribution(judged), positive=judged.positive, threshold=threshold
        )
        components.figure(chart, key="evaluate.distribution")
    left, right = st.columns(2)
    with left:
        chart = discrimination.roc(judging.roc_curves(judged), threshold=threshold)
        components.figure(chart, key="evaluate.roc")
    with right:
        chart = discrimination.precision_recall(judging.precision_recall_curves(judged), threshold=threshold)
        components.figure(chart, key="evaluate.precision_recall")


def prevalence(judged: Judged) -> float:
    """Ask how common the outcome is where the model will be used: predictive values depend on it."""
    here = round(100 * float(judged.outcome.mean()), 1)
    key = f"evaluate.prevalence.{judged.run_id}.{judged.class_index}"
    label = _("Share with the outcome where the model will be used (%); here {here} %", here=here)
    typed = st.number_input(
        label, 0.1, 99.9, min(99.9, max(0.1, here)), 0.1, format="%.1f", key=key, persist_state="session"
    )
    return float(typed) / 100
