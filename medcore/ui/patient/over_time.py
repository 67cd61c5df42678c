"""By when: one patient's risk over time beside what was observed, and how the contributions change."""

from __future__ import annotations

import numpy as np
import streamlit as st

from medcore import jobs
from medcore.charts.survival.curves import patient_curve as draw_curve
from medcore.data.follow_up import UNIT_NAMES, shown_unit, span
from medcore.explanation.patient import wording, worker_queries
from medcore.explanation.patient.over_time import PatientCurve, patient_curve
from medcore.explanation.patient.worker_queries import PatientRisk
from medcore.explanation.shapley.results import Explanation
from medcore.i18n import _, number
from medcore.models.run.timed.results import TimedResults
from medcore.studies.records import RunRecord, StudyRecord
from medcore.targets.event_time import DAYS
from medcore.ui.kit import cache, links
from medcore.ui.kit.shown import components
from medcore.ui.kit.shown.waiting import SessionTask
from medcore.ui.patient.choice import Chosen
from medcore.ui.patient.explainer import Explainer
from medcore.ui.patient.open_run import open_explainer

LINK = "by"


def horizon_of(run: RunRecord) -> float | None:
    """Return by when, where the model says by when: as chosen last or linked to, else the main horizon."""
    if not cache.by_when(run):
        return None
    target, key = cache.timed_results(run).target, f"patient.horizon.{run.id}"
    links.take_up(LINK, key, target.horizons, usual=target.main)
    chosen: float | None = st.session_state.get(key)
    return target.main if chosen is None else chosen


def ask_horizon(run: RunRecord, *, labelled: bool = True) -> None:
    """Ask by when, where the model says by when."""
    if cache.by_when(run):
        target = cache.timed_results(run).target
        components.choice(
            _("By when"),
            sorted(target.horizons),
            usual=target.main,
            key=f"patient.horizon.{run.id}",
            show=lambda h: str(span(h, target.unit)),
            labelled=labelled,
            link=LINK,
        )


def show(study: StudyRecord, explainer: Explainer, chosen: Chosen, patient: PatientRisk) -> None:
    """Show the curve beside similar patients, the risks by every horizon, and contributions by each if asked for."""
    results = explainer.results
    assert isinstance(results, TimedResults)
    found = _curve(explainer, results, chosen, patient)
    if found is None:
        return
    unit, horizons = results.target.unit, results.target.horizons
    components.section(_("The risk of {who} over time", who=chosen.title))
    event, drawn_in = str(explainer.ends[1]), shown_unit(max(horizons), unit)
    chart = draw_curve(
        found,
        name=event,
        horizons=horizons,
        unit=_(UNIT_NAMES[drawn_in]),
        per=DAYS[drawn_in] / DAYS[unit],
    )
    left, right = st.columns([4, 1])
    with left:
        components.figure(chart, key="patient.curve")
    with right:
        components.facts(
            [
                (_("Within {horizon}", horizon=str(span(h, unit))), wording.percent(float(r), digits=1))
                for h, r in zip(horizons, np.interp(horizons, found.times, found.risk), strict=True)
            ]
        )
    if len(horizons) > 1 and st.toggle(
        _("Show how the contributions change over time"), key=f"patient.change.{explainer.run.id}"
    ):
        _contributions(study, explainer, results, chosen, patient)


def _curve(explainer: Explainer, results: TimedResults, chosen: Chosen, patient: PatientRisk) -> PatientCurve | None:
    training, model = results.training, explainer.model
    who = np.searchsorted(training.rows, explainer.reference.rows)
    expected, weights = training.curve[who, 0], explainer.weights(1)

    kept = explainer.first.curve(patient) if explainer.first is not None else None

    def compute(task: SessionTask) -> PatientCurve:
        own = kept
        if own is None:
            own = jobs.call(worker_queries.curve_of, model, patient.rows, results.times, stop=task.stop)[0]
        return patient_curve(explainer.reference, patient.rows, own, results.times, expected=expected, weights=weights)

    return components.waited(
        compute,
        *("patient.curve", explainer.run.id, chosen.key),
        key="patient.over_time",
        doing=_("The model is asked for the risk over time."),
    )


def _contributions(
    study: StudyRecord, explainer: Explainer, results: TimedResults, chosen: Chosen, patient: PatientRisk
) -> None:
    """Tell each column's contribution by every horizon."""
    found: dict[float, Explanation] = {}
    for horizon in results.target.horizons:
        asked = open_explainer(study, explainer.run, horizon=horizon)
        explained = asked.explanation_of(
            patient, chosen.key, class_index=1, scale="probability", background=explainer.backgrounds[0]
        )
        if explained is None:
            return
        found[horizon] = explained
    last = found[results.target.horizons[-1]]
    rows = []
    for contribution in last.largest(len(last.contributions)):
        row = {_("Column"): components.plain(explainer.shown(contribution.column))}
        for horizon, explanation in found.items():
            own = next(c for c in explanation.contributions if c.column == contribution.column)
            when = str(span(horizon, results.target.unit))
            row[_("Within {horizon}", horizon=when)] = f"{number(100 * own.contribution, '+.1f')} %"
        rows.append(row)
    components.table(rows)
