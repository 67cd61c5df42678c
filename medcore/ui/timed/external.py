"""The frozen model on new patients whose status and follow-up are known."""

from __future__ import annotations

from collections.abc import Mapping

from medcore.data.follow_up import span
from medcore.evaluation import Estimate
from medcore.i18n import _
from medcore.models.deployed.timed import TimedValidation
from medcore.models.deployed.timed_recalibration import TimedRecalibration
from medcore.models.deployed.versions import judge_saved_by_when
from medcore.models.run.timed.results import TimedResults
from medcore.studies.records import RunRecord, StudyRecord
from medcore.ui.evaluate.new_patients.external import choose_recalibration
from medcore.ui.evaluate.new_patients.newcomers import counted, judged_table
from medcore.ui.kit.shown import components
from medcore.ui.timed.judged import TimedJudged, judge_new

AFTER_RECALIBRATION = ("auroc", "brier", "calibration_slope", "calibration_intercept", "o_e_ratio", "ici")
Offered = tuple[TimedValidation, tuple[TimedRecalibration, ...]]


def new_patients(study: StudyRecord, run: RunRecord, results: TimedResults) -> tuple[TimedJudged, Offered] | None:
    """Ask for a table of new patients and by when, and judge the model as it is; None until there is something to show."""
    components.section(
        _("How good is it on other patients?"),
        _(
            "The model stays as it is. The table needs the columns of training, status and follow-up included; it is not stored."
        ),
    )
    brought = judged_table(study, run, results.manifest, judge_saved_by_when)
    if brought is None:
        return None
    cohort, offered = brought
    found = offered[0]
    counted(found, len(found.event))
    if found.same_table:
        return None
    _beyond(found, results)
    unit, main = results.target.unit, results.target.main
    horizon = components.choice(
        _("By when"),
        sorted(found.judged),
        usual=main if main in found.judged else None,
        key=f"evaluate.timed.new.{run.id}.{cohort.sha256[:12]}",
        show=lambda h: str(span(h, unit)),
    )
    return judge_new(results, found, horizon, side=cohort.sha256, run_id=run.id), offered


def recalibrations(run: RunRecord, judged: TimedJudged, offered: Offered) -> None:
    """Show what recalibration to the new patients would give by the horizon, and keep one as a new version."""
    validation, changes = offered
    components.section(
        _("What recalibration would give"),
        _(
            "Judged by cross-validation: each patient's risk was recalibrated on other patients. The ranking of "
            "patients hardly changes; if it is poor here, train again with these patients."
        ),
    )
    after: dict[str, Mapping[str, Estimate]] = {r.strength: r.performance.by(judged.horizon).metrics for r in changes}
    choose_recalibration(run, validation, changes, judged.at.metrics, after, AFTER_RECALIBRATION)


def _beyond(found: TimedValidation, results: TimedResults) -> None:
    """Say which horizons none of these patients was followed to."""
    unit = results.target.unit
    beyond = [str(span(h, unit)) for h in results.target.horizons if h not in found.judged]
    if beyond:
        components.note(
            _("None of these patients was followed for {horizons}, so risks by then are not judged.", horizons=beyond),
            look="warning",
        )
