"""Two views of the Evaluate page: groups of patients, and where the model fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from medcore.charts import subgroups as charts
from medcore.data.cohort import Schema
from medcore.data.shown import Naming, Shown
from medcore.evaluation.figures.estimates import Estimate
from medcore.evaluation.groups.grouping import GroupKey
from medcore.evaluation.groups.mistakes import DESCRIBES, Mistakes, Region
from medcore.evaluation.groups.mitigation import NEVER_SILENT, Remedy
from medcore.evaluation.groups.subgroups import MEANING, Breakdown, Subgroup
from medcore.explanation.patient import wording
from medcore.i18n import N_, _, number, percent
from medcore.models.run.results import Results
from medcore.studies.records import StudyRecord
from medcore.ui.evaluate import judging, sites
from medcore.ui.evaluate.judging import Judged
from medcore.ui.evaluate.rates import per_hundred
from medcore.ui.kit.cache import cohort, store
from medcore.ui.kit.layout import facts, note, section
from medcore.ui.kit.navigation import go, link
from medcore.ui.kit.shown.figures import figure
from medcore.ui.kit.shown.inputs import choice
from medcore.ui.kit.shown.noted import note_view
from medcore.ui.kit.shown.tables import table, with_interval
from medcore.ui.kit.state import ask_for_patient
from medcore.ui.kit.text import one_line, plain
from medcore.ui.kit.words import row_name
from medcore.ui.patient.similar import hidden

REMEDIES = {
    "equal_sensitivity": N_("A threshold for each group, for equal sensitivity"),
    "recalibrated": N_("Recalibration within each group"),
}


def groups(judged: Judged, results: Results, threshold: float, naming: Naming) -> None:
    """Judge the model by any sensitive column and by intersections."""
    section(
        _("Is it as good for every kind of patient?"),
        _("At a threshold of {percent} %.", percent=f"{100 * threshold:.1f}"),
    )
    sites.sites(judged, results)
    site = Schema.from_dict(results.manifest["schema"]).only("site")
    split = results.manifest["split"]["kind"]
    columns = list(map(str, judged.patients.sensitive.columns))
    first = site.name if site is not None and split == "site" else None
    picked = pick_columns(columns, naming, key=f"evaluate.groups.{judged.run_id}", first=first)
    if not picked:
        return
    found = judging.breakdown_of(judged, picked, threshold)
    shown = found.shown(naming)
    for warning in shown.warnings():
        note(str(warning), look="warning")
    measure = choice(
        _("Measure"), list(charts.MEASURES), key="evaluate.measure", show=lambda m: _(charts.MEASURES[m][0])
    )
    figure(charts.forest(found, measure=measure, naming=naming), key="evaluate.forest")
    table([_row(g) for g in shown.groups])
    _fairness(found)
    _remedies(judged, found, [naming(c) for c in picked])


def pick_columns(columns: list[str], naming: Naming, *, key: str, first: str | None = None) -> list[str]:
    """Ask by which sensitive columns patients are grouped; says where none is marked."""
    if not columns:
        note(_("No column is marked as sensitive. Mark age, sex or site on the Data page, then train again."))
        link("data", _("Mark columns on the Data page"), icon=":material/arrow_back:")
        return []
    return st.multiselect(
        _("Groups by (two or three give their intersections)"),
        columns,
        default=[first] if first is not None else columns[:1],
        max_selections=3,
        format_func=lambda c: one_line(naming(c)),
        key=key,
        persist_state="session",
        placeholder=_("Choose a column"),
    )


def errors(judged: Judged, study: StudyRecord) -> None:
    """Show the kinds of patients and the patients for whom the risks were furthest off."""
    found = judging.mistakes_of(judged, study)
    failing(study, found, per_cent(_("Log loss (all: {loss})", loss=f"{found.mean_loss:.2f}")))

    def said(place: int) -> dict[str, str]:
        happened = judged.names[int(judged.patients.outcome[place])]
        return {
            _("Predicted risk"): wording.percent(float(judged.risk[place]), digits=1),
            _("What happened"): plain(happened),
        }

    worst(study, judged.run_id, judged.patients.rows, found, said)


def failing(study: StudyRecord, found: Mistakes, cells: Callable[[Region], dict[str, str]]) -> None:
    """Show the kinds of patients for whom predictions are furthest off, ``cells`` being the figures of each."""
    section(_("Where does it fail?"), _(DESCRIBES))
    if len(found.regions) == 1:
        note(_("No kind of patient stands out: the errors do not follow the predictors."), look="success")
    naming = study.schema.shown
    table(
        [
            {
                _("Patients"): plain(" · ".join(str(c.shown(naming)) for c in r.conditions) or _("all"), limit=160),
                _("Share"): f"{percent(r.share, 0)} ({r.n})",
                **cells(r),
            }
            for r in found.regions
        ]
    )


def per_cent(loss: str) -> Callable[[Region], dict[str, str]]:
    """Return what is told of a region of risks, its mean loss under its own heading."""
    return lambda r: {
        _("Mean risk"): percent(r.mean_risk),
        _("Observed"): percent(r.observed) if r.gap.exists else "–",
        _("Observed less predicted (95 % interval)"): f"{r.gap.times(100):+.1f}" if r.gap.exists else "–",
        loss: f"{r.loss:.2f}",
    }


def worst(
    study: StudyRecord,
    run_id: str,
    rows: NDArray[np.integer],
    found: Mistakes,
    said: Callable[[int], dict[str, str]],
) -> None:
    """List the patients who were missed by most, ``said`` of each by place, and offer to open each of them."""
    section(
        _("Patients with the largest errors"),
        _("Look at each on the Patient page: wrong data, an unusual patient, or something the model cannot know?"),
    )
    if reason := hidden(study):
        note(reason)
        return
    run = store().get_run(study.owner, run_id)
    note_view(study, "patients.listed", "worst", run=run, n=len(found.worst))
    lines = dict(zip(found.worst, cohort(study).source.rows_in_file(rows[list(found.worst)]).tolist(), strict=True))
    table([{_("Row of the spreadsheet"): str(lines[i]), **said(i)} for i in found.worst])
    st.caption(_("Open on the Patient page:"))
    with st.container(horizontal=True):
        for i in found.worst:
            row = int(rows[i])
            key = f"evaluate.open.{run_id}.{row}"
            if st.button(row_name(lines[i]), key=key, icon=":material/person_search:"):
                open_patient(run_id, row)


def open_patient(run_id: str, row: int) -> NoReturn:
    """Leave for the Patient page with one patient chosen; the row is in the session, never in the address."""
    ask_for_patient(run_id, row)
    go("patient")


def _row(group: Subgroup) -> dict[str, str]:
    c = group.confusion
    return {
        _("Group"): plain(group.name),
        _("Rows"): str(group.n),
        _("With the outcome"): str(group.n_events),
        _("AUROC"): with_interval(group.auroc, digits=2),
        _("Calibration in the large"): with_interval(group.calibration_intercept, digits=2),
        _("Sensitivity (%)"): per_hundred(c.sensitivity),
        _("Positive predictive value (%)"): per_hundred(c.ppv),
        _("Alerts (%)"): per_hundred(c.alert_rate),
        _("Net benefit per 100"): f"{group.net_benefit.times(100):+.1f}",
    }


def _fairness(found: Breakdown) -> None:
    section(_("Gaps between groups"), _(MEANING))
    gaps = found.fairness
    if len(gaps.groups) < 2:
        note(_("Fewer than two groups are large enough to compare."))
        return
    facts(
        [
            (_("Alerts (demographic parity)"), _per_hundred_gap(gaps.demographic_parity)),
            (_("Sensitivity (equal opportunity)"), _per_hundred_gap(gaps.equal_opportunity)),
            (_("False alarms"), _per_hundred_gap(gaps.false_alarms)),
            (_("Observed less predicted risk (calibration)"), _per_hundred_gap(gaps.calibration)),
        ]
    )


def _remedies(judged: Judged, found: Breakdown, columns: list[Shown]) -> None:
    if len(found.fairness.groups) < 2:
        return
    section(_("What would it cost to treat groups more alike?"), _(NEVER_SILENT))
    kind = choice(_("Change"), list(REMEDIES), key="evaluate.remedy", show=lambda k: _(REMEDIES[k]))
    remedy = judging.remedy_of(judged, found, kind)
    note(str(remedy.price()))
    shown = {group.key for group in found.groups}
    table(
        [
            {
                _("Group"): plain(str(key.shown(columns))),
                _("What changes"): _change(remedy, key),
                _(
                    "Sensitivity (%)"
                ): f"{per_hundred(before.sensitivity)} → {per_hundred(remedy.after[key].sensitivity)}",
                _("Alerts (%)"): f"{per_hundred(before.alert_rate)} → {per_hundred(remedy.after[key].alert_rate)}",
            }
            for key, before in remedy.before.items()
            if key in shown
        ]
    )


def _change(remedy: Remedy, key: GroupKey) -> str:
    if key in remedy.thresholds:
        return _("threshold {percent} %", percent=f"{100 * remedy.thresholds[key]:.1f}")
    if key in remedy.updates:
        return _("log odds {shift}", shift=number(remedy.updates[key].intercept, "+.2f"))
    return _("nothing: too few patients")


def _per_hundred_gap(gap: Estimate) -> str:
    return _("{value} of 100", value=f"{gap.times(100):.1f}") if gap.exists else "–"
