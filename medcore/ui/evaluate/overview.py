"""The first view of the Evaluate page: what a threshold does, and whether predicted risks come true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from medcore.charts import calibration, discrimination, utility
from medcore.charts.drawing.marks import Mark
from medcore.evaluation.curves.calls import CALL_RULES, CallRule
from medcore.evaluation.verdict import verdict
from medcore.i18n import N_, _, running
from medcore.models.run.results import Results
from medcore.reporting.classes.ordered import question_name
from medcore.studies.records import StudyRecord
from medcore.ui.evaluate import judging, rates
from medcore.ui.evaluate.confusion import confusion_table
from medcore.ui.evaluate.judging import Judged
from medcore.ui.evaluate.threshold import ask_threshold, keep_threshold
from medcore.ui.evaluate.verdict import verdict_html
from medcore.ui.kit.shown import components
from medcore.ui.kit.shown.tables import explained_html, take_along

POOLED_FOLDS = N_(
    "The risks of all folds are judged together, as if their models were one. Where the mean over the folds' AUROCs "
    "is another, it stands beside."
)

CALL_WORDS: Mapping[CallRule, str] = {
    "likeliest": N_("the likeliest class"),
    "beside_share": N_("the class whose risk most exceeds its share"),
}
STEP_METRICS = ("auroc", "brier", "calibration_slope", "calibration_intercept", "o_e_ratio", "ici")


def overview(study: StudyRecord, results: Results, judged: Judged, default: float) -> None:
    """Open with the verdict; then the curves in the order of the questions they answer."""
    if judged.target.many:
        all_classes(judged)
        others = _("{name} against lower: what a threshold does", name=judged.positive)
        if judged.class_index not in judged.target.cuts:
            others = _("{name} against all others: what a threshold does", name=judged.positive)
        components.section(others)
    opening = st.empty()
    components.section(_("Does it tell patients apart?"))
    left, right = st.columns(2)
    with left:
        chart = judged.drawn("roc", lambda: discrimination.roc(judging.roc_curves(judged)))
        roc = components.marked_figure(chart, key="evaluate.roc")
    with right:
        chart = judged.drawn(
            "distribution",
            lambda: discrimination.risk_distribution(judging.distribution(judged), positive=judged.positive),
        )
        distribution = components.marked_figure(chart, key="evaluate.distribution")
    components.section(_("Do predicted risks come true?"))
    left, right = st.columns(2)
    with left:
        chart = judged.drawn(
            "calibration", lambda: calibration.calibration(judging.calibration_curves(judged), judged.metrics)
        )
        components.figure(chart, key="evaluate.calibration")
    with right:
        components.metric_table(judged.metrics)
        if judged.side == "training":
            components.caption(running([_(POOLED_FOLDS), judged.evaluation.delivered() or ""]))
    components.section(_("Does acting on it help?"))
    asked, right = st.columns(2)
    with right:
        chart = judged.drawn("decision", lambda: utility.decision_curve(judging.decision_curves(judged)))
        decision = components.marked_figure(chart, key="evaluate.decision")
        with st.container(key="evaluate.rates"):
            shares = st.empty()
    components.section(_("How much work is it to find them?"))
    left, right = st.columns(2)
    with left:
        chart = judged.drawn(
            "precision", lambda: discrimination.precision_recall(judging.precision_recall_curves(judged))
        )
        precision = components.marked_figure(chart, key="evaluate.precision_recall")
    with right:
        chart = judged.drawn("gain", lambda: discrimination.gain(judging.gain_curves(judged)))
        components.figure(chart, key="evaluate.gain")
    with asked:
        linked = MarkedCharts(opening, shares, decision, distribution, roc, precision)
        components.fragment(at_threshold)(study, results, judged, default, linked)


def all_classes(judged: Judged) -> None:
    """Show the whole first: who is called what, and the figures over all outcomes."""
    components.section(_("All outcomes together"))
    left, right = st.columns([3, 2])
    with left:
        components.fragment(who_is_called_what)(judged)
    with right:
        components.metric_table({_("All classes"): judged.evaluation.metrics})
    if judged.target.ordered:
        steps(judged)


def who_is_called_what(judged: Judged) -> None:
    """Ask by which rule patients are called, and show the counts and what the rule is worth."""
    asked = components.choice(
        _("A patient is called"), CALL_RULES, key="evaluate.calls", show=lambda rule: _(CALL_WORDS[rule])
    )
    found = judging.class_calls(judged, asked)
    components.figure(utility.class_table(found.table, judged.names, rule=found.rule), key="evaluate.classes")
    components.caption(
        _(
            "Right calls {accuracy}; mean sensitivity of the classes {sensitivity}; macro-F1 {f1}.",
            accuracy=components.with_interval(found.accuracy),
            sensitivity=components.with_interval(found.mean_sensitivity),
            f1=components.with_interval(found.macro_f1),
        )
    )
    if found.rule == "beside_share":
        components.caption(
            _(
                "The risks stay as they are. This rule finds the most of each class on average: to miss a patient counts the more the rarer the class is among the training patients."
            )
        )


def steps(judged: Judged) -> None:
    """Show for each cut of an ordered outcome in two how well being at or above it is told and calibrated."""
    components.section(
        _("At or above each class"),
        _("The classes stand in this order, lowest first: {order}.", order=" < ".join(judged.names)),
    )
    columns = {
        question_name(judged.target, judged.names, cut): judged.evaluation.cumulative[
            judged.classes[judged.target.lowest(cut)]
        ]
        for cut in judged.target.cuts
    }
    components.metric_table(columns, metrics=STEP_METRICS)
    with st.columns(2)[0]:
        title = _("Being at or above each class: predicted and observed")
        chart = calibration.calibration(judging.step_curves(judged), columns, title=title)
        components.figure(chart, key="evaluate.steps")


@dataclass(frozen=True, slots=True)
class MarkedCharts:
    """The verdict, and the charts on which the threshold is marked."""

    opening: Any
    shares: Any
    decision: components.MarkedFigure
    distribution: components.MarkedFigure
    roc: components.MarkedFigure
    precision_recall: components.MarkedFigure


def at_threshold(study: StudyRecord, results: Results, judged: Judged, default: float, linked: MarkedCharts) -> None:
    """Ask for the threshold and move what depends on it; meant as a fragment."""
    choice = ask_threshold(study, judged, default, results.manifest)
    threshold = choice.threshold
    confusions = judging.confusions(judged, threshold)
    confusions[judged.name] = judged.knowing_the_choice(confusions[judged.name], choice)
    with st.container(key="evaluate.confusion"):
        negative = judged.negative or _("any other class")
        confusion_table(confusions[judged.name], positive=judged.positive, negative=negative)
    mark(judged, threshold, linked)
    rows, why = rates.rates(confusions, judging.confusions(judged, threshold, at_prevalence=prevalence(judged)))
    linked.shares.html(explained_html(rows, why))
    take_along(rows)
    keep_threshold(study, judged.run_id, results.model, choice)
    components.last_change(study, where="evaluate.choice")


def mark(judged: Judged, threshold: float, linked: MarkedCharts) -> None:
    """Mark the threshold on every chart that is linked to it."""
    curves, line = judging.decision_curves(judged), [Mark(threshold)]
    here, locked = judging.benefit_at(judged, threshold), judged.side == "test"
    found = verdict(judged.metrics[judged.name], curves[judged.name], threshold, locked=locked, here=here)
    linked.opening.html(verdict_html(judged.metrics[judged.name], found))
    linked.decision.mark(line, str(here.reading(threshold)))
    words = _("◆ Threshold {percent} %", percent=f"{100 * threshold:.3g}")
    linked.distribution.mark(line, _("┆ Threshold {percent} %", percent=f"{100 * threshold:.3g}"))
    linked.roc.mark(discrimination.roc_marks(judging.roc_curves(judged), threshold), words)
    points = discrimination.precision_recall_marks(judging.precision_recall_curves(judged), threshold)
    linked.precision_recall.mark(points, words)


def prevalence(judged: Judged) -> float:
    """Ask how common the outcome is where the model will be used: predictive values depend on it."""
    here = round(100 * float(judged.outcome.mean()), 1)
    key = f"evaluate.prevalence.{judged.run_id}.{judged.class_index}"
    label = _("Share with the outcome where the model will be used (%); here {here} %", here=here)
    typed = st.number_input(
        label, 0.1, 99.9, min(99.9, max(0.1, here)), 0.1, format="%.1f", key=key, persist_state="session"
    )
    return float(typed) / 100
