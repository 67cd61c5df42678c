"""The view of the Evaluate page that judges the frozen model on new patients."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from medcore import jobs
from medcore.charts import calibration as calibration_charts
from medcore.charts import utility
from medcore.data.reading import read_table
from medcore.evaluation import Estimate, calibration_curve, decision_curve, evaluate
from medcore.evaluation.estimates import Floats
from medcore.evaluation.recalibration import Update, update
from medcore.i18n import _
from medcore.models.external import ExternalValidation
from medcore.models.versions import judge_saved
from medcore.studies.records import RunRecord, StudyRecord
from medcore.ui import cache
from medcore.ui.figures import figure
from medcore.ui.judging import Judged
from medcore.ui.layout import facts, note, section
from medcore.ui.tables import metric_table, table
from medcore.ui.text import plain


def external(study: StudyRecord, run: RunRecord, judged: Judged) -> None:
    """Ask for a table of new patients with known outcomes and judge the model as it is."""
    section(
        _("How good is it on other patients?"),
        _("The model stays as it is. The table needs the columns of training, the outcome included; it is not stored."),
    )
    file = st.file_uploader(_("Table of new patients with their outcomes"), key=f"evaluate.external.{run.id}")
    if file is None:
        return
    cohort = read_table((file.name, file.getvalue()))
    outcome = study.schema.outcome
    target = outcome.name if outcome is not None else None
    if target not in cohort.frame.columns:
        target = st.selectbox(
            _("Which column is the outcome?"),
            list(cohort.frame.columns),
            index=None,
            format_func=plain,
            key="evaluate.target",
        )
        if target is None:
            return
    folder = cache.store().result_folder(run.owner, run.id)
    found = cache.once(
        lambda: jobs.call(judge_saved, folder, cohort, target=target).validation,
        "external",
        run.id,
        cohort.sha256,
        target,
    )
    _judged(found, judged)
    if len(judged.classes) == 2:
        _updates(found)
    _case_mix(found)


def _judged(found: ExternalValidation, judged: Judged) -> None:
    pairs = [(_("Patients judged"), f"{found.n_patients:,}")]
    if found.n_without_outcome:
        pairs.append((_("Left out, no outcome"), f"{found.n_without_outcome:,}"))
    facts(pairs)
    new, old = _("New patients"), _("Out of fold")
    if len(judged.classes) > 2:
        metric_table({new: found.evaluation.metrics, old: judged.evaluation.metrics})
        return
    event, risk = (found.outcome == 1).astype(np.float64), found.risk[:, 1]
    left, right = st.columns(2)
    with left:
        chart = calibration_charts.calibration({new: calibration_curve(event, risk)}, {new: found.evaluation.metrics})
        figure(chart, key="evaluate.external.calibration")
    with right:
        metric_table({new: found.evaluation.metrics, old: judged.metrics[judged.name]})
        threshold = found.confusion.threshold if found.confusion else None
        curves = {new: decision_curve(event, risk)}
        figure(utility.decision_curve(curves, threshold=threshold), key="evaluate.external.decision")


def _updates(found: ExternalValidation) -> None:
    """Show what recalibration to the new patients would give, in rising strength."""
    section(
        _("What recalibration would give"),
        _(
            "Shifting the risks mends an average that is off; stretching them mends risks too extreme or too timid; "
            "neither changes who ranks above whom. If ranking is poor here, train again with these patients. The "
            "figures are of the same patients to whom the change was fitted."
        ),
    )
    event, risk = (found.outcome == 1).astype(np.float64), found.risk[:, 1]
    columns: dict[str, Mapping[str, Estimate]] = {_("As it is"): found.evaluation.metrics}
    changes = {_("Shifted"): update(event, risk), _("Shifted and stretched"): update(event, risk, slope=True)}
    for name, change in changes.items():
        if change is not None:
            columns[_label(name, change)] = _metrics(found, change.apply(risk))
    if len(columns) == 1:
        note(_("These patients do not allow a recalibration: too few have, or lack, the outcome."), look="warning")
        return
    metric_table(
        columns, metrics=("brier", "log_loss", "calibration_slope", "calibration_intercept", "o_e_ratio", "ici")
    )


def _metrics(found: ExternalValidation, risk: Floats) -> Mapping[str, Estimate]:
    both = np.column_stack([1 - risk, risk])
    return evaluate(found.outcome, both, found.evaluation.classes, n_boot=300).metrics


def _label(name: str, change: Update) -> str:
    slope = "" if change.slope == 1 else f" × {change.slope:.2f}"
    return f"{name} ({change.intercept:+.2f}{slope})"


def _case_mix(found: ExternalValidation) -> None:
    section(
        _("How these patients differ from those of training"),
        _("Above 0.2 is a notable difference: standard deviations for numbers, shares that moved for categories."),
    )
    ordered = sorted(found.differences, key=lambda d: -(d.difference or 0.0))
    table(
        [
            {
                _("Column"): plain(d.column),
                _("Difference"): "–" if d.difference is None else f"{d.difference:.2f}",
                _("Missing (training)"): f"{d.missing:.0%} ({d.missing_training:.0%})",
                _("Never seen in training"): str(d.unseen),
            }
            for d in ordered
        ]
    )
