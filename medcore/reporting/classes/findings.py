"""The parts of a report that say how good the model is, and how far that goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from medcore.charts import calibration as calibration_charts
from medcore.charts import discrimination, utility
from medcore.data.describe.small_cells import FEWEST_TOLD, HIDDEN
from medcore.evaluation import (
    Evaluation,
    calibration_curve,
    confusion,
    decision_curve,
    precision_recall,
    risk_distribution,
    roc,
)
from medcore.evaluation.curves.thresholds import FROM_OUTCOMES, SAME_ROWS, Rule, across_folds, knowing_the_choice
from medcore.evaluation.curves.utility import thresholds_with
from medcore.evaluation.figures.estimates import METHODS, Floats
from medcore.evaluation.figures.resampling import Ints
from medcore.evaluation.figures.words import METRICS, short, with_interval
from medcore.i18n import _, bracketed, listed, number, parted, running
from medcore.models.contract.titles import title
from medcore.models.deployed.external import ExternalValidation
from medcore.models.deployed.recalibration import Recalibration
from medcore.models.run.results import Patients
from medcore.reporting.classes.ordered import of_order, step_charts, steps
from medcore.reporting.clusters import over_sites
from medcore.reporting.formats.document import Block, Bullets, Heading, Paragraph, Picture, Table
from medcore.reporting.inputs import ReportInputs, events_and_risks
from medcore.reporting.methods import missing_share
from medcore.reporting.standards.tripod import part


def measures(inputs: ReportInputs) -> list[Block]:
    """Say how performance was measured, by the methods that these figures were really found with."""
    judged = inputs.results.cross_validated
    by_method: dict[str, list[str]] = {}
    for name, label in METRICS.items():
        if name in judged.metrics and judged.metrics[name].exists:
            by_method.setdefault(judged.metrics[name].method, []).append(short(_(label)))
    methods = [
        _("{figures}: {method}", figures=figures, method=_(METHODS[method])) for method, figures in by_method.items()
    ]
    lines = [
        _("Risks of all folds, each of a model that had not seen the patient, were pooled and judged together."),
        _(
            "Pooling takes the risks of the folds' models to mean the same; where the mean over the folds' AUROCs is another, it stands beside."
        ),
        _("Intervals are of 95 %. {methods}.", methods=parted(methods)),
        *([str(delivered)] if (delivered := judged.delivered()) else []),
        _("The bootstrap drew {n} tables (seed {seed}).", n=judged.n_boot, seed=judged.seed),
        _(
            "Calibration slope and calibration in the large: logistic regression of the outcome on the log-odds of the risk."
        ),
        *_of_classes(inputs, judged),
        _("No Hosmer–Lemeshow test was made."),
    ]
    return [Heading(part("measures"), 2), Paragraph(running(lines))]


def _of_classes(inputs: ReportInputs, judged: Evaluation) -> list[str]:
    """Say what a figure is of: a class against the rest, or the positive class at the threshold."""
    if inputs.target.event is None:
        return [
            _(
                "Figures are means over the classes, each against the rest; the Brier score is the sum over the classes, and the log loss that of all classes at once."
            ),
            *of_order(inputs, judged),
        ]
    words = [_("Shares at the threshold: Wilson score.")]
    if inputs.rule in FROM_OUTCOMES:
        words = [_("Shares at the threshold: basic bootstrap, the threshold chosen anew each time.")]
    if judged.n_patients is not None:
        words.append(_("There, too, a patient's rows count together: by their effective number of patients."))
    return words


def performance(inputs: ReportInputs) -> list[Block]:
    """Print every figure with its interval, then the charts, out of fold first."""
    results = inputs.results
    columns: dict[str, Evaluation] = {_("Cross-validated"): results.cross_validated}
    if inputs.tested:
        columns[_("Locked test set")] = inputs.tested
    if inputs.new_patients:
        columns[_("New patients")] = inputs.new_patients
    blocks: list[Block] = [Heading(part("results"), 1), *_first_by_site(inputs), _metrics(columns), *_why_none(columns)]
    if inputs.looks and inputs.tested:
        blocks.append(Paragraph(_("The locked test set has been looked at {n} time(s).", n=inputs.looks)))
    elif results.tested and not inputs.tested:
        blocks.append(
            Paragraph(_("The locked test set has not been looked at yet, so its figures are not in this report."))
        )
    if inputs.target.event is None:
        blocks += [*_per_class(inputs, results.cross_validated), *steps(inputs, results.cross_validated)]
    blocks.append(Heading(_("Out of fold"), 2))
    blocks += _charts(inputs, results.training, results.cross_validated, who=_("out of fold"))
    blocks += _candidates(inputs)
    return blocks


def _first_by_site(inputs: ReportInputs) -> list[Block]:
    """Say the mean over sites before the pooled figures, where sites were left out."""
    sentence = over_sites(inputs.results)
    if not sentence:
        return []
    pooled = _("The figures below pool the patients of all sites, whose risks come from different models.")
    return [Paragraph(running((sentence, pooled)))]


def _label(name: str, columns: Mapping[str, Evaluation]) -> str:
    """Name a figure; the AUROC of more than two classes by what it is a mean of."""
    if name == "auroc" and all(e.target.many for e in columns.values()):
        return _("AUROC, mean of each class against the rest (0.5 is chance)")
    return _(METRICS[name])


def _metrics(columns: Mapping[str, Evaluation], *, title: str | None = None) -> Table:
    rows = [
        (
            _label(name, columns),
            *(with_interval(e.metrics[name]) if name in e.metrics else "–" for e in columns.values()),
        )
        for name in METRICS
        if any(name in e.metrics for e in columns.values())
    ]
    return Table.of(title or _("Performance with 95 % intervals"), (_("Measure"), *columns), rows)


def _why_none(columns: Mapping[str, Evaluation]) -> list[Block]:
    """Say why figures have no value or no interval; of calibration errors it stands under the measures."""
    reasons: dict[str, list[str]] = {}
    for where, judged in columns.items():
        for name, figure in judged.metrics.items():
            if name in METRICS and name not in ("ici", "ici_chance") and figure.reason is not None:
                reasons.setdefault(str(figure.reason), []).append(bracketed(short(_(METRICS[name])), where))
    if not reasons:
        return []
    return [
        Bullets(tuple(_("{figures}: {reason}", figures=listed(names), reason=why) for why, names in reasons.items()))
    ]


def _per_class(inputs: ReportInputs, evaluation: Evaluation) -> list[Block]:
    names = ("auroc", "auprc", "brier", "calibration_slope", "calibration_intercept")
    called = dict(zip(inputs.results.classes, inputs.class_names, strict=True))
    sizes = dict(zip(evaluation.classes, inputs.class_counts(evaluation), strict=True))
    rows = [
        (called.get(c, c), sizes[c], *(with_interval(figures[m]) for m in names))
        for c, figures in evaluation.per_class.items()
    ]
    head = (_("Class"), _("Rows"), *(short(_(METRICS[m])) for m in names))
    return [Table.of(_("Each class against the rest, out of fold"), head, rows)]


def _charts(
    inputs: ReportInputs, patients: Patients, evaluation: Evaluation, *, who: str, weights: Floats | None = None
) -> list[Block]:
    """Draw what can be drawn; of weighted patients no curve that would count them all alike."""
    if inputs.target.event is None:
        curves = {
            name: roc(
                (patients.outcome == k).astype(np.float64),
                patients.risk[:, k],
                groups=patients.groups,
                area=evaluation.per_class[inputs.results.classes[k]]["auroc"],
            )
            for k, name in enumerate(inputs.class_names)
            if (patients.outcome == k).any()
        }
        return [
            *([Picture(discrimination.roc(curves))] if curves and weights is None else []),
            *([_calibrated(inputs, patients, evaluation)] if curves and weights is None else []),
            *(step_charts(inputs, evaluation, patients) if weights is None else []),
            Picture(utility.class_table(evaluation.table, inputs.class_names)),
        ]
    outcome, risk = events_and_risks(patients)
    groups, found = patients.groups, evaluation.metrics
    name, limit = _("Model"), inputs.threshold
    negative, positive = inputs.class_names
    counts = confusion(outcome, risk, limit, groups=groups, weights=weights)
    if patients is inputs.results.training and inputs.rule in FROM_OUTCOMES:
        bounds = knowing_the_choice(outcome, risk, inputs.rule, target=inputs.rule_target, groups=groups)
        counts = replace(counts, bounds=bounds)
    smooth = calibration_curve(outcome, risk, groups=groups, weights=weights)
    folds = inputs.results.folds if patients is inputs.results.training else None
    grid = thresholds_with(limit)
    benefit = decision_curve(outcome, risk, thresholds=grid, groups=groups, weights=weights, folds=folds)
    figures = [
        calibration_charts.calibration({name: smooth}, {name: found}),
        utility.decision_curve({name: benefit}, threshold=limit),
        utility.confusion_matrix(counts, positive=positive, negative=negative),
    ]
    if weights is None and evaluation.n_events not in (0, evaluation.n):
        areas = {name: roc(outcome, risk, groups=groups, area=found["auroc"])}
        precision = {name: precision_recall(outcome, risk, groups=groups, area=found["auprc"])}
        figures[:0] = [discrimination.roc(areas, threshold=limit)]
        figures[3:3] = [
            discrimination.risk_distribution(risk_distribution(outcome, risk), positive=positive, threshold=limit),
            discrimination.precision_recall(precision, threshold=limit),
        ]
    rates = [
        (_("Sensitivity"), counts.sensitivity),
        (_("Specificity"), counts.specificity),
        (_("Positive predictive value"), counts.ppv),
        (_("Negative predictive value"), counts.npv),
        (_("Share called positive"), counts.alert_rate),
        (_("Accuracy (without any skill: {n})", n=f"{counts.no_skill_accuracy:.3f}"), counts.accuracy),
    ]
    table = Table.of(
        _("At the threshold of {threshold} %, {who}", threshold=f"{100 * limit:.1f}", who=who),
        (_("Measure"), _("Estimate (95 % interval)")),
        [(label, with_interval(estimate)) for label, estimate in rates],
    )
    return [*(Picture(figure) for figure in figures), table]


def _calibrated(inputs: ReportInputs, patients: Patients, evaluation: Evaluation) -> Picture:
    """Draw whether the risk of each class comes true."""
    curves, found = {}, {}
    for k, (name, called) in enumerate(zip(evaluation.classes, inputs.class_names, strict=True)):
        event = (patients.outcome == k).astype(np.float64)
        if 0 < event.sum() < len(event):
            curves[called] = calibration_curve(event, patients.risk[:, k], groups=patients.groups)
            found[called] = evaluation.per_class[name]
    title = _("Each class against the others: predicted and observed")
    return Picture(calibration_charts.calibration(curves, found, title=title))


def _candidates(inputs: ReportInputs) -> list[Block]:
    names = ("auroc", "log_loss", "brier", "calibration_slope")
    rows = [
        (str(title(c.name)), *(with_interval(c.cross_validated.metrics[m]) for m in names))
        for c in inputs.results.candidates
    ]
    head = (_("Model"), *(_(METRICS[m]) for m in names))
    notes = tuple(running((f.message, f.remedy)) for f in inputs.results.findings)
    return [
        Heading(part("candidates"), 2),
        Table.of(_("Every model that was trained, out of fold"), head, rows),
        Paragraph(
            _(
                "Candidates stand here before recalibration. The delivered model's figures above include its weights and its recalibration, chosen anew for each fold in the others, and can therefore differ a little."
            )
        ),
        *([Bullets(notes)] if notes else []),
    ]


def threshold(inputs: ReportInputs) -> list[Block]:
    """Say from which risk a patient counts as positive, and why."""
    if inputs.target.event is None:
        text = _("The model gives a risk for every class. No threshold is used: counts are of the most probable class.")
        return [Heading(part("threshold"), 2), Paragraph(text)]
    why = _(inputs.rationale) if inputs.rationale else _("not stated")
    text = _(
        "A risk of {percent} % or more of {positive} counts as positive. Why: {why}.",
        positive=inputs.class_names[-1],
        percent=f"{100 * inputs.threshold:.1f}",
        why=why.rstrip(".。"),
    )
    return [Heading(part("threshold"), 2), Paragraph(running((text, _same_rows(inputs))))]


def _same_rows(inputs: ReportInputs) -> str:
    """Judge a threshold that the out-of-fold risks chose by folds that had no say in it."""
    training, folds = inputs.results.training, inputs.results.folds
    outcome, risk = events_and_risks(training)
    return chosen_here(outcome, risk, folds, inputs.rule, target=inputs.rule_target, groups=training.groups)


def chosen_here(
    outcome: Floats, risk: Floats, folds: Ints, rule: Rule, *, target: float | None = None, groups: Ints | None = None
) -> str:
    """Say what a threshold is worth that was chosen by a rule on these out-of-fold risks, all (n,); "" if by no outcome."""
    honest = across_folds(outcome, risk, folds, rule, target=target, groups=groups)
    if honest is None:
        return ""
    shares = {name: number(100 * getattr(honest, name).value, ".1f") for name in ("sensitivity", "specificity")}
    return _(SAME_ROWS, **shares)


def external(inputs: ReportInputs) -> list[Block]:
    """Say how the model did on patients it was not made from, and how they differ."""
    validation = inputs.validation
    if validation is None or validation.same_table:
        return []
    text = _(
        "The frozen model was judged on {n} new patients; {dropped} without an outcome were left out.",
        n=validation.n_patients,
        dropped=validation.n_without_outcome,
    )
    rows = [
        (
            str(inputs.shown(d.column)),
            "–" if d.difference is None else f"{d.difference:.2f}",
            missing_share(d.missing, validation.n_patients),
            missing_share(d.missing_training, validation.membership.n_training),
            HIDDEN if 0 < d.unseen < FEWEST_TOLD else d.unseen,
        )
        for d in validation.differences
    ]
    head = (_("Column"), _("Difference from training"), _("Missing"), _("Missing in training"), _("Unseen categories"))
    apart = validation.membership
    told = _(
        "A membership model tells the new patients from {n} of training with an AUROC of {auroc} (0.5: not at all; "
        "logistic regression, cross-validated).",
        n=apart.n_training,
        auroc=with_interval(apart.auroc, digits=2),
    )
    return [
        Heading(part("external"), 1),
        *(Paragraph(str(warning), strong=True) for warning in validation.warnings()),
        Paragraph(running((text, *validation.weighting()))),
        Paragraph(running((told, apart.meaning))),
        Table.of(
            _(
                "How the new patients differ from a sample of {n} training rows (standardised mean difference, or total variation for categories)",
                n=apart.n_training,
            ),
            head,
            rows,
        ),
        *_judged_anew(inputs, validation),
        *_recalibrated(validation.evaluation, inputs.recalibrations),
    ]


def _judged_anew(inputs: ReportInputs, validation: ExternalValidation) -> list[Block]:
    """Draw the new patients as the training ones are drawn."""
    patients = Patients(
        rows=validation.rows,
        outcome=validation.outcome,
        groups=validation.groups,
        sensitive=pd.DataFrame(index=range(validation.n_patients)),
        risk=validation.risk,
    )
    return _charts(inputs, patients, validation.evaluation, who=_("new patients"), weights=validation.weights)


def _recalibrated(before: Evaluation, changes: Sequence[Recalibration]) -> list[Block]:
    """Print what recalibration to the new patients would give, judged by cross-validation."""
    if not changes:
        return []
    columns = {_("As it is"): before} | {str(c.title): c.evaluation for c in changes}
    table = _metrics(columns, title=_("Recalibrated to the new patients, cross-validated, with 95 % intervals"))
    return [table, Bullets(tuple(_("{name}: {what}.", name=c.title, what=c.meaning) for c in changes))]
