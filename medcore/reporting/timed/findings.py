"""How good risks by a horizon are, in a report: figures with intervals, charts, models side by side, groups, new patients."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from medcore.charts.survival import horizons as charts
from medcore.data.describe.small_cells import FEWEST_TOLD, HIDDEN
from medcore.data.follow_up import UNIT_NAMES, shown_unit, span
from medcore.evaluation import (
    Estimate,
    SurvivalPerformance,
    calibration_curve_at_horizon,
    decision_curve_at_horizon,
    groups_at_horizon,
    incidence_by_risk,
    round_times,
)
from medcore.evaluation.figures.estimates import METHODS
from medcore.evaluation.figures.words import METRICS, short, with_interval
from medcore.i18n import N_, _, number, parted, percent, running
from medcore.models.contract.titles import title
from medcore.reporting.formats.document import Block, Heading, Paragraph, Picture, Table
from medcore.reporting.frame import updates
from medcore.reporting.inputs import TimedReportInputs
from medcore.reporting.standards.tripod import part
from medcore.targets.event_time import DAYS

Floats = NDArray[np.float64]
DEFINED = N_(
    "Who had another event first did not have the event in question. Observed shares are Kaplan–Meier’s, or Aalen–Johansen’s "
    "where events compete; AUROC, Brier score and Uno’s C are weighted for censoring."
)
_SIDE_BY_SIDE = ("auroc", "uno_c", "scaled_brier", "calibration_slope", "o_e_ratio")


def measures(inputs: TimedReportInputs) -> list[Block]:
    """Say how performance was measured, by the methods that these figures were really found with."""
    at = inputs.results.cross_validated.by(inputs.results.target.main)
    by_method: dict[str, list[str]] = {}
    for name, label in METRICS.items():
        if name in at.metrics and at.metrics[name].exists:
            by_method.setdefault(at.metrics[name].method, []).append(short(_(label)))
    methods = [
        _("{figures}: {method}", figures=figures, method=_(METHODS[method]))
        for method, figures in by_method.items()
        if method in METHODS
    ]
    lines = [
        _("Risks of all folds, each of a model that had not seen the patient, were pooled and judged together."),
        _(DEFINED),
        _(
            "Calibration slope and calibration in the large: generalised estimating equations of pseudo-values on log(−log(1 − risk)). Censoring is taken to be independent of the predictors."
        ),
        _("Intervals are of 95 %. {methods}.", methods=parted(methods)),
        _("Those of out-of-fold figures are meant for the model trained on all patients."),
    ]
    return [Heading(part("measures"), 2), Paragraph(running(lines))]


def threshold(inputs: TimedReportInputs) -> list[Block]:
    """Say from which risk on to act, why, and what that is worth."""
    results, at = inputs.results, inputs.threshold
    training = results.training
    curve = decision_curve_at_horizon(
        training.duration, training.event, _risk(inputs, training.curve), results.target.main, groups=training.groups
    )
    lines = [
        _(
            "A patient counts as positive from a risk of {percent} within {horizon} on.",
            percent=percent(at),
            horizon=inputs.when,
        ),
        _(inputs.rationale) if inputs.rationale else "",
        _(
            "At this threshold one missed patient weighs as much as {n} unnecessary treatments.",
            n=number((1 - at) / at, ".1f"),
        ),
    ]
    chart = charts.decision_at_horizon({str(title(results.model)): curve}, when=inputs.when, threshold=at)
    return [Heading(part("threshold"), 2), Paragraph(running([line for line in lines if line])), Picture(chart)]


def _risk(inputs: TimedReportInputs, curve: Floats) -> Floats:
    return np.asarray(curve[:, 0, inputs.results.by(inputs.results.target.main)])


def performance(inputs: TimedReportInputs) -> list[Block]:
    """Print the figures by each horizon, then the charts by the main one, then the models side by side."""
    results, main = inputs.results, inputs.results.target.main
    columns = {_("Cross-validated"): results.cross_validated}
    columns |= {_("Locked test set"): inputs.tested} if inputs.tested else {}
    columns |= {_("New patients"): inputs.new_patients} if inputs.new_patients else {}
    blocks: list[Block] = [Heading(part("results"), 1)]
    for horizon in [main, *(h for h in results.target.horizons if h != main)]:
        when = str(span(horizon, results.target.unit))
        there = {name: p.by(horizon).metrics for name, p in columns.items() if horizon in p.horizons}
        blocks.append(_metrics(there, _("Performance within {horizon}, with 95 % intervals", horizon=when)))
    overall = {name: p.overall for name, p in columns.items()}
    blocks.append(_metrics(overall, _("Over the whole time until the last horizon")))
    if results.tested and not inputs.tested:
        blocks.append(
            Paragraph(_("The locked test set has not been looked at yet, so its figures are not in this report."))
        )
    blocks.append(Heading(_("Out of fold"), 2))
    return [*blocks, *_charts(inputs), *_candidates(inputs)]


def _metrics(columns: Mapping[str, Mapping[str, Estimate]], caption: str) -> Table:
    rows = [
        (_(label), *(with_interval(m[name]) if name in m else "–" for m in columns.values()))
        for name, label in METRICS.items()
        if any(name in m for m in columns.values())
    ]
    return Table.of(caption, (_("Measure"), *columns), rows)


def _charts(inputs: TimedReportInputs) -> list[Block]:
    results, training = inputs.results, inputs.results.training
    main, risk, name = results.target.main, _risk(inputs, training.curve), str(title(results.model))
    judged = results.cross_validated
    known = (training.duration, training.event.astype(np.int64), risk, main)
    groups = None if training.groups is None else training.groups.astype(np.int64)
    curve = calibration_curve_at_horizon(*known, groups=groups)
    shown = shown_unit(judged.longest_follow_up, results.target.unit)
    unit, per = _(UNIT_NAMES[shown]), DAYS[shown] / DAYS[results.target.unit]
    by_risk = incidence_by_risk(*known, groups=groups, ticks=round_times(float(training.duration.max()), per))
    drawn = [
        charts.calibration_at_horizon({name: curve}, {name: judged.by(main).metrics}, when=inputs.when),
        charts.incidence_by_risk(by_risk, when=inputs.when, unit=unit, competing=judged.n_competing > 0, per=per),
        charts.auroc_over_time({name: judged}, measured_in=results.target.unit),
    ]
    return [Picture(chart) for chart in drawn]


def _candidates(inputs: TimedReportInputs) -> list[Block]:
    """Set the models side by side, out of fold, the lowest integrated Brier score first."""
    main = inputs.results.target.main
    names = ("integrated_brier", *_SIDE_BY_SIDE)
    rows = []
    for candidate in inputs.results.candidates:
        found = {**candidate.cross_validated.by(main).metrics, **candidate.cross_validated.overall}
        rows.append((str(title(candidate.name)), *(with_interval(found[n]) for n in names)))
    head = (_("Model"), *(short(_(METRICS[n])) for n in names))
    caption = _("Out of fold, within {horizon} and over the whole time", horizon=inputs.when)
    return [Heading(part("candidates"), 2), Table.of(caption, head, rows), *updates(inputs)]


def subgroups(inputs: TimedReportInputs) -> list[Block]:
    """Judge the out-of-fold risks within groups; small groups and counts are not told."""
    training = inputs.results.training
    if training.sensitive.empty:
        return []
    blocks: list[Block] = [Heading(part("subgroups"), 1)]
    head = (
        _("Group"),
        _("Patients"),
        _("Events"),
        _("Observed"),
        _("Predicted"),
        "AUROC",
        _("Observed : expected"),
    )
    groups = None if training.groups is None else training.groups.astype(np.int64)
    for column in map(str, training.sensitive.columns):
        found = groups_at_horizon(
            training.duration,
            training.event.astype(np.int64),
            _risk(inputs, training.curve),
            inputs.results.target.main,
            training.sensitive,
            [column],
            groups=groups,
        )
        shown = inputs.shown(column)
        few = any(0 < g.n_events < FEWEST_TOLD for g in found)
        rows = [
            (
                str(g.key.shown([shown])),
                str(g.n),
                HIDDEN if few else str(g.n_events),
                HIDDEN if g.n_events < FEWEST_TOLD else with_interval(g.observed, digits=2),
                percent(g.mean_risk),
                with_interval(g.auroc, digits=2),
                HIDDEN if g.n_events < FEWEST_TOLD else with_interval(g.o_e_ratio, digits=2),
            )
            for g in found
        ]
        blocks.append(Table.of(_("By {column}, within {horizon}", column=str(shown), horizon=inputs.when), head, rows))
    return blocks


def external(inputs: TimedReportInputs) -> list[Block]:
    """Say on whom else the frozen model was judged, and how they differ."""
    new, judged = inputs.validation, inputs.new_patients
    if new is None or judged is None:
        return []
    lines = [
        _("The frozen model was judged on {n} patients of another table.", n=judged.n),
        _("{n} rows without an outcome were left out.", n=new.n_without_outcome) if new.n_without_outcome else "",
    ]
    beyond = [str(span(h, inputs.results.target.unit)) for h in inputs.results.target.horizons if h not in new.judged]
    if beyond:
        lines.append(
            _("None of these patients was followed for {horizons}, so risks by then are not judged.", horizons=beyond)
        )
    blocks: list[Block] = [Heading(part("external"), 1), Paragraph(running([line for line in lines if line]))]
    main = inputs.results.target.main
    if main in new.judged:
        curve = calibration_curve_at_horizon(new.duration, new.event, _risk(inputs, new.curve), main, groups=new.groups)
        name = str(title(inputs.results.model))
        blocks.append(
            Picture(charts.calibration_at_horizon({name: curve}, {name: judged.by(main).metrics}, when=inputs.when))
        )
    return blocks


def headline(judged: SurvivalPerformance, horizon: float) -> dict[str, str]:
    """Write the few figures of a summary."""
    metrics = judged.by(horizon).metrics
    return {
        "auroc": with_interval(metrics["auroc"]),
        "slope": with_interval(metrics["calibration_slope"], digits=2),
        "brier": with_interval(judged.overall["integrated_brier"]),
    }
