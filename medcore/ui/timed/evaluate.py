"""Evaluate a model that says by when: the verdict at a horizon, then the figures and curves that bear it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from medcore.charts.survival import horizons as charts
from medcore.data.follow_up import span
from medcore.data.schema.class_names import class_names
from medcore.evaluation import (
    DecisionCurve,
    calibration_curve_at_horizon,
    decision_curve_at_horizon,
    incidence_by_risk,
    round_times,
)
from medcore.evaluation.curves.thresholds import BY_HAND, ThresholdChoice
from medcore.evaluation.verdict import verdict
from medcore.i18n import N_, Message, _, number
from medcore.models.run.timed.results import TimedResults
from medcore.studies.records import RunRecord, StudyRecord
from medcore.ui.evaluate.question import SIDES, beside, unlocked
from medcore.ui.evaluate.report import report
from medcore.ui.evaluate.stability import repeated
from medcore.ui.evaluate.threshold import keep_threshold
from medcore.ui.evaluate.verdict import verdict_html
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components
from medcore.ui.kit.thresholds import about_the_run, remember, threshold_key, threshold_of
from medcore.ui.kit.words import endings
from medcore.ui.release.view import show as release
from medcore.ui.timed.external import new_patients, recalibrations
from medcore.ui.timed.groups import compared, errors, groups
from medcore.ui.timed.judged import TimedJudged, judge

VIEWS = {
    "overview": N_("Overview"),
    "compare": N_("Two models compared"),
    "groups": N_("Groups of patients"),
    "errors": N_("Errors"),
    "stability": N_("Stability"),
    "external": N_("New patients"),
    "report": N_("Report"),
    "release": N_("Release"),
}
DELIVERED = N_(
    "Risks come from models that had not seen the patient; intervals are meant for the model trained on all patients."
)
DEFINED = N_(
    "Who had another event first did not have the event in question. Observed shares are Kaplan–Meier’s, or Aalen–Johansen’s "
    "where events compete; AUROC, Brier score and Uno’s C are weighted for censoring."
)


def show(study: StudyRecord, run: RunRecord) -> None:
    """Ask on whom and by when, then judge."""
    results = cache.timed_results(run)
    view = components.choice(
        _("Look at"), list(VIEWS), key="evaluate.timed.view", show=lambda v: _(VIEWS[v]), link="view"
    )
    if view == "report":
        report(study, run, threshold_of(study, run, results, 1))
        return
    if view == "release":
        release(study, run, results, 1)
        return
    if view == "external":
        found = new_patients(study, run, results)
        if found is not None:
            with st.container(key="evaluate-overview"):
                _shown(study, run, results, found[0])
            recalibrations(run, *found)
        return
    judged = _choose(study, run, results)
    if view == "compare":
        compared(judged)
    elif view == "groups":
        groups(judged, study.schema.shown)
    elif view == "stability":
        told = _("The risk within {when}; another time is chosen above.", when=judged.when)
        repeated(run, results, results.target.horizons.index(judged.horizon), told)
    elif view == "errors":
        names = list(map(str, class_names(results.classes, study.schema.outcome)))
        errors(judged, study, endings(judged.event, judged.duration, names, results.target.unit))
    else:
        with st.container(key="evaluate-overview"):
            _shown(study, run, results, judged)


def _shown(study: StudyRecord, run: RunRecord, results: TimedResults, judged: TimedJudged) -> None:
    """Open with the verdict; then the curves in the order of the questions they answer."""
    at, performance = judged.at, judged.performances[judged.name]
    pairs = [
        (_("Model"), judged.name),
        (_("Rows"), f"{performance.n:,}"),
        (_("Event within {when}", when=judged.when), f"{at.n_events:,}"),
        *([(_("Another event first"), f"{at.n_competing:,}")] if judged.competing else []),
        (_("Followed so long without"), f"{at.n_free:,}"),
        (_("Followed for less"), f"{at.n_unknown:,}"),
        (_("Median follow-up"), judged.follow_up),
    ]
    components.facts(pairs)
    opening = st.empty()
    _discrimination(judged)
    _calibration(judged)
    threshold = _utility(study, run, results, judged)
    found = verdict(
        at.metrics,
        _decision_curves(judged)[judged.name],
        threshold,
        locked=judged.side != "training",
    )
    opening.html(verdict_html(at.metrics, found))


def _choose(study: StudyRecord, run: RunRecord, results: TimedResults) -> TimedJudged:
    """Ask on which patients, beside which model, and by when; the locked test set only after a word."""
    left, middle, right = st.columns(3)
    target = results.target
    with left:
        sides = list(SIDES) if results.test is not None else ["training"]
        side = components.choice(_("Patients"), sides, key="evaluate.side", show=lambda s: _(SIDES[s]), link="side")
    with middle:
        other = beside(run, [c.name for c in results.candidates if c.name != results.model])
    with right:
        horizon = components.choice(
            _("By when"),
            sorted(target.horizons),
            usual=target.main,
            key=f"evaluate.horizon.{run.id}",
            show=lambda h: str(span(h, target.unit)),
            link="by",
        )
    if side == "test" and not unlocked(study, run):
        st.stop()
    return judge(results, run.id, side, horizon, other)


def _discrimination(judged: TimedJudged) -> None:
    components.section(_("Does it tell patients apart?"))
    left, right = st.columns(2)
    with left:
        curves = judged.known(
            "incidence",
            lambda: incidence_by_risk(
                judged.duration,
                judged.event,
                judged.risks[judged.name],
                judged.horizon,
                groups=judged.groups,
                ticks=round_times(float(judged.duration.max()), judged.per),
            ),
        )
        chart = judged.drawn(
            "incidence_chart",
            lambda: charts.incidence_by_risk(
                curves, when=judged.when, unit=judged.unit, competing=judged.competing, per=judged.per
            ),
        )
        components.figure(chart, key="evaluate.timed.incidence")
    with right:
        chart = judged.drawn(
            "auroc", lambda: charts.auroc_over_time(judged.performances, measured_in=judged.measured_in)
        )
        components.figure(chart, key="evaluate.timed.auroc")
        overall = {name: p.overall for name, p in judged.performances.items()}
        components.metric_table(overall, metrics=("integrated_brier", "integrated_scaled_brier"))


def _calibration(judged: TimedJudged) -> None:
    components.section(_("Do predicted risks come true?"))
    left, right = st.columns(2)
    metrics = {name: p.by(judged.horizon).metrics for name, p in judged.performances.items()}
    with left:
        curves = judged.known(
            "calibration",
            lambda: {
                name: calibration_curve_at_horizon(
                    judged.duration, judged.event, risk, judged.horizon, groups=judged.groups
                )
                for name, risk in judged.risks.items()
            },
        )
        chart = judged.drawn(
            "calibration_chart", lambda: charts.calibration_at_horizon(curves, metrics, when=judged.when)
        )
        components.figure(chart, key="evaluate.timed.calibration")
    with right:
        components.metric_table(metrics)
        components.caption(_(DEFINED))
        if judged.side == "training":
            components.caption(_(DELIVERED))


def _utility(study: StudyRecord, run: RunRecord, results: TimedResults, judged: TimedJudged) -> float:
    """Show what acting on the risks is worth, and return the threshold asked for; it may be kept with the study."""
    components.section(_("Does acting on it help?"))
    left, right = st.columns(2)
    about = results.about(judged.horizon)
    usual = float(np.clip(round(100 * threshold_of(study, run, about, 1)), 1, 99))
    with left:
        typed = st.number_input(
            _("Risk within {when} from which on to act (%)", when=judged.when),
            1.0,
            99.0,
            usual,
            1.0,
            format="%.0f",
            key=f"evaluate.timed.threshold.{judged.run_id}.{judged.horizon}",
            persist_state="session",
        )
        components.caption(
            _(
                "At a threshold of {percent} %, one missed patient weighs as much as {n} unnecessary treatments. It begins at the "
                "observed share.",
                percent=f"{typed:.0f}",
                n=number((100 - typed) / typed, ".1f"),
            )
        )
        threshold = float(typed) / 100
        remember(threshold_key(run.id, 1, about.target), threshold)
        if about_the_run(about):
            by_hand = ThresholdChoice(threshold=threshold, rule="by_hand", target=threshold, rationale=Message(BY_HAND))
            keep_threshold(study, run.id, results.model, by_hand)
    with right:
        chart = judged.drawn(
            f"decision.{threshold}",
            lambda: charts.decision_at_horizon(_decision_curves(judged), when=judged.when, threshold=threshold),
        )
        components.figure(chart, key="evaluate.timed.decision")
    return threshold


def _decision_curves(judged: TimedJudged) -> dict[str, DecisionCurve]:
    """Return the decision curves by model; intervals of out-of-fold risks are for the delivered model."""
    return judged.known(
        "decision",
        lambda: {
            name: decision_curve_at_horizon(
                judged.duration,
                judged.event,
                risk,
                judged.horizon,
                groups=judged.groups,
                folds=judged.folds,
            )
            for name, risk in judged.risks.items()
        },
    )
