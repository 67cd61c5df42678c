"""Evaluate a model of a number: the verdict, then the pictures and figures that bear it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from medcore.charts import numbers as charts
from medcore.data.cohort import Schema
from medcore.data.shown import Shown
from medcore.evaluation import Estimate, number_calibration
from medcore.evaluation.figures.words import IN_ITS_UNIT
from medcore.evaluation.number.intervals import COVERAGE
from medcore.evaluation.number.performance import FIGURES
from medcore.evaluation.verdict import Answer
from medcore.explanation.patient.wording import Measure
from medcore.i18n import N_, _, current_language, number, percent
from medcore.models.deployed.versions import judge_saved_numbers
from medcore.models.run.number.results import NumberResults
from medcore.studies.records import RunRecord, StudyRecord
from medcore.ui.evaluate.new_patients.external import choose_recalibration
from medcore.ui.evaluate.new_patients.newcomers import counted, judged_table
from medcore.ui.evaluate.question import SIDES, beside, unlocked
from medcore.ui.evaluate.report import report
from medcore.ui.evaluate.stability import repeated
from medcore.ui.evaluate.verdict import tile
from medcore.ui.kit import cache
from medcore.ui.kit.shown import components
from medcore.ui.kit.thresholds import threshold_of
from medcore.ui.kit.words import model_name
from medcore.ui.number.views import NumberJudged, compared, errors, groups
from medcore.ui.release.view import show as release

AFTER_RECALIBRATION = (*FIGURES, "coverage", "interval_width")
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


def show(study: StudyRecord, run: RunRecord) -> None:
    """Ask what to look at and on whom, then judge."""
    results = cache.number_results(run)
    view = components.choice(
        _("Look at"), list(VIEWS), key="evaluate.number.view", show=lambda v: _(VIEWS[v]), link="view"
    )
    if view == "report":
        report(study, run, threshold_of(study, run, results, 0))
        return
    if view == "release":
        release(study, run, results, 0)
        return
    if view == "external":
        _new_patients(study, run, results)
        return
    judged = _choose(study, run, results)
    _who(judged)
    schema = Schema.from_dict(results.manifest["schema"])
    components.mends(cache.model_mends(cache.cohort(study), run, schema), naming=study.schema.shown)
    if view == "compare":
        compared(judged)
    elif view == "groups":
        groups(judged, study.schema.shown)
    elif view == "errors":
        errors(judged, study)
    elif view == "stability":
        repeated(run, results, 0, measure=judged.measure)
    else:
        with st.container(key="evaluate-overview"):
            _shown(judged, study.schema.shown(results.name), results)


def _choose(study: StudyRecord, run: RunRecord, results: NumberResults) -> NumberJudged:
    """Ask on which patients, and beside which model; the locked test set only after a word."""
    left, right = st.columns(2)
    with left:
        sides = list(SIDES) if results.test is not None else ["training"]
        side = components.choice(_("Patients"), sides, key="evaluate.side", show=lambda s: _(SIDES[s]), link="side")
    with right:
        other = beside(run, [name for name in results.names if name != results.model])
    if side == "test" and not unlocked(study, run):
        st.stop()
    measure = Measure(study.schema.shown(results.name).words, results.unit, results.cross_validated.sd)
    locked = side == "test" and results.test is not None and results.tested is not None
    patients = results.test if locked and results.test is not None else results.training
    own = results.tested if locked and results.tested is not None else results.cross_validated
    limits = results.tested_agreement if locked and results.tested_agreement is not None else results.agreement
    performances, predictions = {model_name(results.model): own}, {model_name(results.model): patients.predicted}
    candidate = results.candidate(other) if other else None
    if candidate is not None:
        name = model_name(candidate.name)
        theirs, figures = (
            (candidate.test_risk, candidate.test) if locked else (candidate.oof, candidate.cross_validated)
        )
        if theirs is not None and figures is not None:
            performances[name], predictions[name] = figures, theirs[:, 0]
    return NumberJudged(
        run_id=run.id,
        side=side,
        value=patients.value,
        predictions=predictions,
        groups=patients.groups,
        folds=None if locked else results.folds,
        rows=patients.rows,
        sensitive=patients.sensitive,
        performances=performances,
        limits=limits,
        measure=measure,
    )


def _new_patients(study: StudyRecord, run: RunRecord, results: NumberResults) -> None:
    """Ask for a table of new patients, judge the model as it is, and show what recalibration would give."""
    components.section(
        _("How good is it on other patients?"),
        _("The model stays as it is. The table needs the columns of training, the outcome included; it is not stored."),
    )
    brought = judged_table(study, run, results.manifest, judge_saved_numbers)
    if brought is None:
        return
    cohort, (found, offered) = brought
    counted(found, len(found.value))
    if found.same_table:
        return
    name = model_name(results.model)
    judged = NumberJudged(
        run_id=run.id,
        side=cohort.sha256,
        value=found.value,
        predictions={name: found.predicted},
        groups=found.groups,
        folds=None,
        rows=found.rows,
        performances={name: found.performance},
        limits=found.agreement,
        measure=Measure(study.schema.shown(results.name).words, results.unit, results.cross_validated.sd),
    )
    _who(judged)
    with st.container(key="evaluate-overview"):
        _shown(judged, study.schema.shown(results.name), results)
    components.section(
        _("What recalibration would give"),
        _(
            "Judged by cross-validation: each patient's number was recalibrated on other patients. The order of "
            "patients does not change; if it is poor here, train again with these patients."
        ),
    )
    after: dict[str, Mapping[str, Estimate]] = {r.strength: r.performance.metrics for r in offered}
    digits = _digits(judged.measure)
    choose_recalibration(run, found, offered, found.performance.metrics, after, AFTER_RECALIBRATION, own_digits=digits)


def _digits(measure: Measure) -> dict[str, int]:
    """Return how many decimals figures in the number's own unit are written with."""
    return dict.fromkeys(IN_ITS_UNIT, measure.decimals + 1)


def _who(judged: NumberJudged) -> None:
    """Say on whom which model is judged."""
    performance, measure = next(iter(judged.performances.values())), judged.measure
    components.facts(
        [
            (_("Model"), next(iter(judged.performances))),
            (_("Rows"), f"{performance.n:,}"),
            (
                _("Measured: mean (SD)"),
                f"{measure.bare(performance.mean, more=1)} ({measure.write(performance.sd, more=1)})",
            ),
            (_("Predicted: mean"), measure.write(performance.mean_predicted, more=1)),
        ]
    )


def _shown(judged: NumberJudged, outcome: Shown, results: NumberResults) -> None:
    """Open with the verdict; then the pictures, and every figure."""
    st.html(_verdict(judged.metrics, judged.measure))
    curve = cache.once(
        lambda: number_calibration(judged.value, judged.predicted, groups=judged.groups),
        *("number.curve", *judged.identity),
    )
    components.section(_("Do predictions come true?"))
    left, right = st.columns(2)
    language = current_language()
    with left:
        chart = cache.once(
            lambda: charts.predicted_and_measured(
                curve, judged.metrics, judged.value, judged.predicted, outcome=outcome, measure=judged.measure
            ),
            *("number.calibration", *judged.identity, language),
        )
        components.figure(chart, key="evaluate.number.calibration")
    with right:
        chart = cache.once(
            lambda: charts.limits_of_agreement(
                judged.limits, judged.value, judged.predicted, outcome=outcome, measure=judged.measure
            ),
            *("number.agreement", *judged.identity, language),
        )
        components.figure(chart, key="evaluate.number.agreement")
    components.section(_("Every figure"))
    figures = {name: p.metrics for name, p in judged.performances.items()}
    components.metric_table(figures, own_digits=_digits(judged.measure))
    components.caption(
        _(
            "Errors and widths are in {unit}. Prediction intervals come from errors outside each training fold (cross-conformal).",
            unit=results.unit or _("the outcome’s own unit"),
        )
    )


def _verdict(metrics: Mapping[str, Estimate], measure: Measure) -> str:
    """Write three figures, one sentence, and what to do next."""
    r2, mae, half = metrics["r2"], metrics["mae"], metrics["median_ae"]
    large, slope, covered = metrics["calibration_intercept"], metrics["calibration_slope"], metrics["coverage"]
    off = f"{measure.bare(large.value, signed=True, more=1)} {measure.unit}".strip()
    useful: Answer = "yes" if r2.low > 0 else "no" if r2.high < 0 else "unclear"
    true: Answer = "yes" if _holds(slope, 1.0) and _holds(large, 0.0) else "no"
    kept: Answer = "yes" if covered.high >= COVERAGE else "no"
    tiles = (
        tile(
            _("Is it closer than the mean?"),
            useful,
            f"± {measure.write(mae.value, more=1)}",
            _("mean error; half of the patients are off by less than {half}", half=measure.write(half.value, more=1)),
        ),
        tile(
            _("Do its numbers come true?"),
            true,
            number(slope.value, ".2f") if slope.exists else "–",
            _("calibration slope, 1 is perfect; off by {large} on average", large=off),
        ),
        tile(
            _("Do its intervals hold?"),
            kept,
            _("{n} of 100 patients", n=round(100 * covered.value)),
            _(
                "are inside their interval; 90 should be; mean width {width}",
                width=measure.write(metrics["interval_width"].value, more=1),
            ),
        ),
    )
    sentence = _(
        "A typical prediction is off by {error}; the model explains {share} of the differences between patients.",
        error=measure.write(mae.value, more=1),
        share=percent(max(r2.value, 0.0), 0),
    )
    level, step = ("success", _("Look at the pictures below, then at new patients of your own."))
    if useful != "yes":
        level, step = "error", _("It cannot be shown to be closer than the mean of all patients: do not decide by it.")
    elif true == "no" or kept == "no":
        level, step = "warning", _("Mind what the pictures below show before its numbers are used.")
    return (
        f'<section class="mc-verdict mc-{level}"><div>{"".join(tiles)}</div>'
        f"<h2>{components.markup(sentence)}</h2><p>{components.markup(step)}</p></section>"
    )


def _holds(estimate: Estimate, value: float) -> bool:
    return bool(estimate.low <= value <= estimate.high)
