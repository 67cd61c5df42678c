"""The report of a model that predicts a number, in the order in which a reviewer reads."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from medcore.charts import numbers as charts
from medcore.errors import SettingsError
from medcore.evaluation import Agreement, NumberPerformance, agreement, groups_of_numbers, number_calibration
from medcore.evaluation.figures.estimates import METHODS, Floats
from medcore.evaluation.figures.resampling import Ints
from medcore.evaluation.figures.words import METRICS, short, with_interval
from medcore.evaluation.number.performance import FEWEST, FIGURES
from medcore.explanation.patient.wording import Measure
from medcore.i18n import _, bracketed, listed, number, parted, percent, running
from medcore.models.contract.titles import title
from medcore.models.run.manifest import INTENDED_USE, LIMITS
from medcore.reporting.chapters import chapters
from medcore.reporting.formats.document import Block, Bullets, Document, Heading, Paragraph, Picture, Table
from medcore.reporting.frame import framed, rows_of, updates
from medcore.reporting.inputs import NumberReportInputs
from medcore.reporting.sample_size import n_parameters
from medcore.reporting.stability import stability
from medcore.reporting.standards.limits import much_missing
from medcore.reporting.standards.tripod import not_stated, part
from medcore.statistics.sample_size.development_of_numbers import sample_size_of_numbers

_SIDE_BY_SIDE = ("r2", "rmse", "mae", "calibration_slope")


def number_report(inputs: NumberReportInputs) -> Document:
    """Write the whole report in the current language.

    What the tool knows it fills in; what only people know is printed as they
    answered it, or as "not stated". It never claims that a guideline is met.
    """
    blocks = chapters(
        inputs,
        opening=[*_summary(inputs), *number_card(inputs)],
        flow=_flow(inputs),
        sample_size=_sample_size(inputs),
        judged=[
            *_measures(inputs),
            *_performance(inputs),
            *stability(inputs, measure=_measure(inputs)),
            *_subgroups(inputs),
            *_external(inputs),
            *_limits(inputs),
        ],
    )
    return framed(inputs, blocks, outcome=inputs.outcome.words)


def _who(judged: NumberPerformance) -> str:
    if judged.n_patients is None:
        return _("{n} patients", n=judged.n)
    return _("{rows} rows of {n} patients", rows=judged.n, n=judged.n_patients)


def _unit(inputs: NumberReportInputs) -> str:
    return inputs.results.unit or _("the outcome’s own unit")


def _measure(inputs: NumberReportInputs) -> Measure:
    return Measure(inputs.outcome.words, inputs.results.unit, inputs.results.cross_validated.sd)


def _headline(judged: NumberPerformance) -> dict[str, str]:
    metrics = judged.metrics
    return {
        "r2": with_interval(metrics["r2"], digits=2),
        "mae": with_interval(metrics["mae"]),
        "slope": with_interval(metrics["calibration_slope"], digits=2),
    }


def _columns(inputs: NumberReportInputs) -> dict[str, NumberPerformance]:
    columns = {_("Cross-validated"): inputs.results.cross_validated}
    columns |= {_("Locked test set"): inputs.tested} if inputs.tested else {}
    return columns | ({_("New patients"): inputs.new_patients} if inputs.new_patients else {})


def _summary(inputs: NumberReportInputs) -> list[Block]:
    judged, tested, new = inputs.results.cross_validated, inputs.tested, inputs.new_patients
    lines = [
        _(
            "Aim: {outcome} in {unit} (column “{column}”), learnt from {who}.",
            outcome=inputs.outcome.words,
            unit=_unit(inputs),
            column=inputs.results.name,
            who=_who(judged),
        ),
        _(
            "Out of fold, on {who}, the model explains a share of {r2} of the variance; the mean absolute error is {mae}, the calibration slope {slope}.",
            who=_who(judged),
            **_headline(judged),
        ),
    ]
    if tested is not None:
        mae = _headline(tested)["mae"]
        lines.append(_("On the locked test set of {who} the mean absolute error was {mae}.", who=_who(tested), mae=mae))
    if new is not None:
        mae = _headline(new)["mae"]
        lines.append(_("On {who} of another table the mean absolute error was {mae}.", who=_who(new), mae=mae))
    return [Heading(part("summary"), 1), Paragraph(_(INTENDED_USE), strong=True), Paragraph(running(lines))]


def number_card(inputs: NumberReportInputs) -> list[Block]:
    """Write the model card: use, inputs, making, figures, groups and identity, a line each."""
    results, manifest = inputs.results, inputs.results.manifest
    names = [inputs.shown(name).words for name in manifest["predictors"]]
    groups = [inputs.shown(str(name)).words for name in results.training.sensitive.columns]
    rows = [
        (_("Status"), _(INTENDED_USE)),
        (_("Intended use"), not_stated(inputs.answers.get("intended_use"))),
        (_("Predicts"), bracketed(inputs.outcome, _unit(inputs))),
        (
            _("Inputs"),
            _("{n} columns: {names}", n=len(names), names=names if len(names) <= 12 else [*names[:12], "…"]),
        ),
        (_("Made of"), listed(f"{title(n)} {percent(w, 0)}" for n, w in manifest["weights"].items() if w > 0)),
        (_("Learnt from"), _who(results.cross_validated)),
        (
            _("Out of fold"),
            _("R² {r2}; mean absolute error {mae}; calibration slope {slope}", **_headline(results.cross_validated)),
        ),
        (_("Groups judged apart"), listed(groups) if groups else _("none")),
        (_("Not for"), _("Patients unlike those it was learnt from, and decisions without a physician.")),
        (_("Date of training"), manifest["created"][:10]),
    ]
    return [Heading(part("card"), 1), Table.of(_("The model at a glance"), (_("What"), _("Value")), rows)]


def _flow(inputs: NumberReportInputs) -> list[Block]:
    """Say how many rows went where, and what was measured in each part."""
    names = (_("Trained on, and judged out of fold"), _("Locked test set"), _("New patients"))
    parts = (inputs.results.cross_validated, inputs.results.tested, inputs.new_patients)
    rows = [
        (name, _who(judged), number(judged.mean, ".4g"), number(judged.sd, ".3g"))
        for name, judged in zip(names, parts, strict=True)
        if judged is not None
    ]
    blocks: list[Block] = [Heading(part("flow"), 2)]
    if whole := rows_of(inputs):
        blocks.append(Table.of(_("From the table to the patients"), (_("Part"), _("Rows")), whole))
    head = (_("Part"), _("Rows"), _("Mean measured"), _("Standard deviation"))
    return [*blocks, Table.of(_("What was measured, in {unit}", unit=_unit(inputs)), head, rows)]


def _sample_size(inputs: NumberReportInputs) -> list[Block]:
    """Compare the number of patients with what the criteria for a number ask for."""
    judged, parameters = inputs.results.cross_validated, n_parameters(inputs.results)
    n = judged.n_patients or judged.n
    try:
        needed = sample_size_of_numbers(parameters, judged.mean, judged.sd)
    except SettingsError:
        return []
    text = _(
        "For {parameters} parameters, this mean and this standard deviation, the criteria of Riley et al. (Stat Med 2019;38:1262) ask for {needed} patients, assuming that {r2} of the variance is explained; {n} were trained on.",
        parameters=parameters,
        needed=needed.required,
        r2=percent(needed.r2, 0),
        n=n,
    )
    return [Heading(part("sample_size"), 2), Paragraph(text, strong=n < needed.required)]


def _measures(inputs: NumberReportInputs) -> list[Block]:
    """Say how performance was measured, by the methods that these figures were really found with."""
    by_method: dict[str, list[str]] = {}
    for name, estimate in inputs.results.cross_validated.metrics.items():
        if estimate.exists and estimate.method in METHODS:
            by_method.setdefault(estimate.method, []).append(short(_(METRICS[name])))
    told = [_("{figures}: {method}", figures=f, method=_(METHODS[m])) for m, f in by_method.items()]
    lines = [
        _("Numbers of all folds, each of a model that had not seen the patient, were pooled and judged together."),
        _("Errors and widths are in {unit}.", unit=_unit(inputs)),
        _(
            "Prediction intervals come from errors outside each training fold (cross-conformal); nine of ten patients are to be inside."
        ),
        _("Intervals are of 95 %. {methods}.", methods=parted(told)),
        _("Those of out-of-fold figures are meant for the model trained on all patients."),
    ]
    return [Heading(part("measures"), 2), Paragraph(running(lines))]


def _performance(inputs: NumberReportInputs) -> list[Block]:
    """Print every figure, then the charts, then the models side by side."""
    results, training = inputs.results, inputs.results.training
    columns = _columns(inputs)
    blocks: list[Block] = [Heading(part("results"), 1), _metrics(columns)]
    if results.tested and not inputs.tested:
        blocks.append(
            Paragraph(_("The locked test set has not been looked at yet, so its figures are not in this report."))
        )
    blocks.append(Heading(_("Out of fold"), 2))
    blocks += _charts(inputs, results.cross_validated, training.value, training.predicted, training.groups)
    head = (_("Model"), *(short(_(METRICS[n])) for n in _SIDE_BY_SIDE))
    rows = [
        (str(title(c.name)), *(with_interval(c.cross_validated.metrics[n]) for n in _SIDE_BY_SIDE))
        for c in results.candidates
    ]
    return [*blocks, Heading(part("candidates"), 2), Table.of(_("Out of fold"), head, rows), *updates(inputs)]


def _metrics(columns: Mapping[str, NumberPerformance]) -> Table:
    rows = [
        (_(METRICS[name]), *(with_interval(p.metrics[name]) if name in p.metrics else "–" for p in columns.values()))
        for name in (*FIGURES, "coverage", "interval_width")
    ]
    return Table.of(_("Performance, with 95 % intervals"), (_("Measure"), *columns), rows)


def _charts(
    inputs: NumberReportInputs,
    judged: NumberPerformance,
    value: Floats,
    predicted: Floats,
    groups: Ints | None,
    limits: Agreement | None = None,
) -> list[Block]:
    curve = number_calibration(value, predicted, groups=groups)
    found = limits or agreement(value, predicted, groups=groups)
    chart = charts.predicted_and_measured(
        curve, judged.metrics, value, predicted, outcome=inputs.outcome, measure=_measure(inputs), points=False
    )
    told = _(
        "Limits of agreement (Bland and Altman, measured less predicted): {low} and {high}; mean difference {mean}.",
        low=with_interval(found.lower),
        high=with_interval(found.upper),
        mean=with_interval(found.mean),
    )
    return [Picture(chart), Paragraph(told)]


def _subgroups(inputs: NumberReportInputs) -> list[Block]:
    """Judge the out-of-fold numbers within groups; groups under ten patients are not told."""
    training = inputs.results.training
    if training.sensitive.empty:
        return []
    blocks: list[Block] = [Heading(part("subgroups"), 1)]
    head = (
        _("Group"),
        _("Rows"),
        _("Mean measured"),
        _("Mean predicted"),
        _("Measured less predicted"),
        *(short(_(METRICS[name])) for name in ("mae", "calibration_slope")),
    )
    for column in map(str, training.sensitive.columns):
        shown = inputs.shown(column)
        rows = [
            (
                str(g.key.shown([shown])),
                str(g.performance.n),
                number(g.performance.mean, ".4g"),
                number(g.performance.mean_predicted, ".4g"),
                with_interval(g.off),
                with_interval(g.performance.metrics["mae"]),
                with_interval(g.performance.metrics["calibration_slope"], digits=2),
            )
            for g in groups_of_numbers(
                training.value, training.predicted, training.sensitive, [column], groups=training.groups
            )
            if g.performance.n >= FEWEST
        ]
        blocks.append(Table.of(_("By {column}, in {unit}", column=str(shown), unit=_unit(inputs)), head, rows))
    return blocks


def _external(inputs: NumberReportInputs) -> list[Block]:
    """Say on whom else the frozen model was judged."""
    new, judged = inputs.validation, inputs.new_patients
    if new is None or judged is None:
        return []
    lines = [
        _("The frozen model was judged on {n} patients of another table.", n=judged.n),
        _("{n} rows without an outcome were left out.", n=new.n_without_outcome) if new.n_without_outcome else "",
        str(new.membership.meaning),
    ]
    return [
        Heading(part("external"), 1),
        Paragraph(running([line for line in lines if line])),
        *_charts(inputs, judged, new.value, new.predicted, new.groups, new.agreement),
    ]


def _limits(inputs: NumberReportInputs) -> list[Block]:
    """Print what limits the use of this model: first what this study found, then what is true of all."""
    found = inputs.results.cross_validated.metrics
    own = []
    if not found["r2"].low > 0:
        own.append(_("It cannot be shown to be closer than the mean of all patients."))
    if np.isfinite(found["coverage"].high) and found["coverage"].high < inputs.results.intervals.coverage:
        own.append(_("Fewer patients are inside their prediction interval than there should be."))
    always = (
        *(_(limit) for limit in LIMITS),
        _(
            "Missing inputs are filled in as in training and marked; values outside the training patients' range are marked."
        ),
        _("This report lists the items of TRIPOD+AI; it does not claim that they are met."),
    )
    return [Heading(part("limits"), 1), Bullets((*own, *much_missing(inputs), *always))]
