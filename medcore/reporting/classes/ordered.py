"""The parts of a report that only an outcome in an order has: its figures and its cuts in two."""

from __future__ import annotations

from collections.abc import Sequence

from medcore.charts import calibration as calibration_charts
from medcore.data.describe.small_cells import HIDDEN
from medcore.evaluation import Evaluation, calibration_curve
from medcore.evaluation.figures.words import METRICS, short, with_interval
from medcore.i18n import _
from medcore.models.run.results import Patients
from medcore.reporting.formats.document import Block, Picture, Table
from medcore.reporting.inputs import ReportInputs
from medcore.targets import Target


def question_name(target: Target, classes: Sequence[str], question: int) -> str:
    """Name a class, or of an outcome in an order a cut: "moderate or higher"."""
    lowest = target.lowest(question)
    name = classes[lowest]
    return _("{name} or higher", name=name) if question in target.cuts and lowest < len(classes) - 1 else name


def of_order(inputs: ReportInputs, judged: Evaluation) -> list[str]:
    """Say what the figures of an outcome in an order are."""
    if not judged.target.ordered:
        return []
    return [
        _("The classes stand in this order, lowest first: {order}.", order=" < ".join(inputs.class_names)),
        _(
            "Ordinal c-indices order patients by their expected class: ORC is the mean over all pairs of classes (Van Calster 2012), the generalised c that over all pairs of patients of different classes (Harrell). The ranked probability score is the mean of the Brier scores of being at or above each class (Epstein 1969)."
        ),
    ]


def steps(inputs: ReportInputs, evaluation: Evaluation) -> list[Block]:
    """Print for each cut of an ordered outcome in two how well being at or above it is told and calibrated."""
    if not evaluation.target.ordered:
        return []
    names = ("auroc", "brier", "calibration_slope", "calibration_intercept", "o_e_ratio")
    counts, shown = list(evaluation.class_counts.values()), inputs.class_counts(evaluation)
    sizes = [HIDDEN if HIDDEN in shown else str(sum(counts[k:])) for k in range(len(counts))]
    rows = [
        (called, sizes[k], *(with_interval(evaluation.cumulative[name][m]) for m in names))
        for k, (name, called) in enumerate(zip(evaluation.classes, inputs.class_names, strict=True))
        if name in evaluation.cumulative
    ]
    head = (_("Class, or a higher one"), _("Rows"), *(short(_(METRICS[m])) for m in names))
    return [Table.of(_("At or above each class against lower ones, out of fold"), head, rows)]


def step_charts(inputs: ReportInputs, evaluation: Evaluation, patients: Patients) -> list[Block]:
    """Draw whether the risks of being at or above each class come true."""
    target, names = evaluation.target, inputs.class_names
    found = {names[k]: evaluation.cumulative[evaluation.classes[k]] for k in map(target.lowest, target.cuts)}
    curves = {
        names[target.lowest(cut)]: calibration_curve(
            *target.split(cut, patients.outcome, patients.risk), groups=patients.groups
        )
        for cut in target.cuts
    }
    return (
        [
            Picture(
                calibration_charts.calibration(
                    curves, found, title=_("Being at or above each class: predicted and observed")
                )
            )
        ]
        if curves
        else []
    )
