"""How well risks tell patients apart: ROC, precision–recall, gain, and risks by outcome."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from medcore.charts.drawing import legend, lines, marks, theme
from medcore.charts.drawing.marks import Mark
from medcore.evaluation import GainCurve, PrecisionRecallCurve, RiskDistribution, RocCurve
from medcore.evaluation.figures.readings import of_100
from medcore.i18n import _, parted


def roc(curves: Mapping[str, RocCurve], *, threshold: float | None = None) -> go.Figure:
    """Draw ROC curves by model, the first with its pointwise band (none where the curves are of classes), and the threshold's place on each."""
    name, first = next(iter(curves.items()))
    title = _(
        "{n} of 100 times, a patient with the outcome is given a higher risk than one without",
        n=of_100(first.auroc.value),
    )
    if _of_classes(curves):
        title = _("How well each class is told from all others")
    figure = theme.new_figure(
        title=title if first.auroc.exists else _("The ROC curve needs patients with and without the outcome"),
        subtitle=_auroc_words(curves),
        x_title=_("False alarms (1 − specificity)"),
        y_title=_("Sensitivity"),
        alt=_("ROC curve. {areas}.", areas=_auroc_words(curves)),
        height=420,
    )
    lines.reference(figure, [0, 1], [0, 1], name=_("Chance"))
    if not _of_classes(curves):
        lines.band(figure, first.fpr, first.tpr_low, first.tpr_high, name=_("95 % interval"), index=0)
    for i, (name, curve) in enumerate(curves.items()):
        hover = _("Sensitivity {y}, false alarms {x}", y="%{y:.1%}", x="%{x:.1%}")
        lines.line(figure, curve.fpr, curve.tpr, name=name, index=i, hover=hover)
    if threshold is not None:
        marks.draw(figure, roc_marks(curves, threshold), name=_threshold_words(threshold))
    lines.shares(figure)
    theme.legend_in(figure, "bottom right")
    return figure


def roc_marks(curves: Mapping[str, RocCurve], threshold: float) -> list[Mark]:
    """Return the threshold's place on each ROC curve."""
    found = [(curve, _at(curve.thresholds, threshold)) for curve in curves.values()]
    return [Mark(float(c.fpr[at]), float(c.tpr[at]), i) for i, (c, at) in enumerate(found)]


def precision_recall(curves: Mapping[str, PrecisionRecallCurve], *, threshold: float | None = None) -> go.Figure:
    """Draw precision–recall curves by model against the share of alerts that would be true by chance."""
    first = next(iter(curves.values()))
    areas = parted(f"{theme.escape(n)}: AUPRC {c.auprc:.3f}" for n, c in curves.items())
    chance = lines.percent(first.prevalence, 1)
    at_half = float(first.precision[np.searchsorted(first.recall, 0.5)]) if first.n_events else float("nan")
    figure = theme.new_figure(
        title=_("To find half of the events, {n} of 100 alerts are true", n=lines.percent(at_half)),
        subtitle=_("{areas}; by chance {chance} of 100 alerts would be true", areas=areas, chance=chance),
        x_title=_("Sensitivity"),
        y_title=_("Positive predictive value"),
        alt=_("Precision–recall curve. {areas}; chance {chance} %.", areas=areas, chance=chance),
        height=420,
    )
    lines.reference(figure, [0, 1], [first.prevalence] * 2, name=_("Chance (prevalence)"))
    bounds = (first.precision_low, first.precision_high)
    lines.band(figure, first.recall, *bounds, name=_("95 % interval"), index=0)
    for i, (name, curve) in enumerate(curves.items()):
        hover = _("{y} of alerts true, sensitivity {x}", y="%{y:.1%}", x="%{x:.1%}")
        lines.line(figure, curve.recall, curve.precision, name=name, index=i, hover=hover)
    if threshold is not None:
        marks.draw(figure, precision_recall_marks(curves, threshold), name=_threshold_words(threshold))
    lines.shares(figure)
    theme.legend_in(figure, "bottom left")
    return figure


def precision_recall_marks(curves: Mapping[str, PrecisionRecallCurve], threshold: float) -> list[Mark]:
    """Return the threshold's place on each precision–recall curve."""
    found = [(curve, _at(curve.thresholds, threshold)) for curve in curves.values()]
    return [Mark(float(c.recall[at]), float(c.precision[at]), i) for i, (c, at) in enumerate(found)]


def gain(curves: Mapping[str, GainCurve]) -> go.Figure:
    """Draw the share of events found when the patients of highest risk are looked at first."""
    first = next(iter(curves.values()))
    title = _("The fifth of patients with the highest risks holds {n} of 100 events", n=lines.percent(first.at(0.2)))
    figure = theme.new_figure(
        title=title,
        x_title=_("Patients looked at, highest risk first"),
        y_title=_("Events found"),
        subtitle=_("{n} patients", n=first.n),
        alt=_("Cumulative gain. {finding}.", finding=title),
        height=420,
    )
    lines.reference(figure, [0, 1], [0, 1], name=_("Random order"))
    for i, (name, curve) in enumerate(curves.items()):
        hover = _("{y} of events in {x} of patients", y="%{y:.1%}", x="%{x:.1%}")
        hover += "<br>" + _("{lift} times chance", lift="%{customdata:.2f}")
        lines.line(
            figure, curve.share, curve.gain, name=name, index=i, hover=hover, customdata=lines.rounded(curve.lift)
        )
    lines.shares(figure)
    theme.legend_in(figure, "bottom right")
    return figure


def risk_distribution(distribution: RiskDistribution, *, positive: str, threshold: float | None = None) -> go.Figure:
    """Draw how risks are spread among those with the outcome (up) and without (down)."""
    with_, without = distribution.quartiles_with, distribution.quartiles_without
    title = _("Risks of patients with and without the outcome")
    if with_ and without:
        title = _(
            "Half of those with the outcome are given a risk above {with_median} %; half of those without, above "
            "{without_median} %",
            with_median=lines.never_round(with_[1]),
            without_median=lines.never_round(without[1]),
        )
    n_with, n_without = int(distribution.with_outcome.sum()), int(distribution.without.sum())
    figure = theme.new_figure(
        title=title,
        subtitle=_(
            "Outcome {outcome}: {n_with} with, {n_without} without",
            outcome=theme.escape(positive),
            n_with=n_with,
            n_without=n_without,
        ),
        x_title=_("Predicted risk"),
        y_title=_("Share of each group"),
        alt=_("Distribution of predicted risk by outcome. {finding}.", finding=title),
        height=420,
    )
    middle = (distribution.edges[:-1] + distribution.edges[1:]) / 2
    rows = (
        (_("With the outcome"), distribution.with_outcome, n_with, theme.POSITIVE, 1),
        (_("Without"), distribution.without, n_without, theme.NEGATIVE, -1),
    )
    for name, counts, n, colour, sign in rows:
        figure.add_bar(
            x=lines.rounded(middle),
            y=lines.rounded(sign * counts / max(n, 1)),
            name=name,
            marker_color=colour,
            customdata=counts,
            hovertemplate=_("{n} patients at a risk about {x}", n="%{customdata}", x="%{x:.0%}") + "<extra></extra>",
        )
    figure.update_layout(barmode="relative", bargap=0.05)
    figure.update_xaxes(range=[0, 1], tickformat=".0%")
    figure.update_yaxes(showticklabels=False)
    legend.where_free(figure, "top left", "bottom right", "top right")
    if threshold is not None:
        marks.draw(figure, [Mark(threshold)])
    return figure


def _of_classes(curves: Mapping[str, RocCurve]) -> bool:
    """Say whether the curves are of classes, each against the rest, so that no finding holds for all."""
    return len({curve.n_events for curve in curves.values()}) > 1


def _auroc_words(curves: Mapping[str, RocCurve]) -> str:
    first = next(iter(curves.values()))
    areas = parted(f"{theme.escape(n)}: AUROC {c.auroc:.3f}" for n, c in curves.items())
    if first.auroc.method.endswith("_cluster"):
        return _("{areas} (95 % interval); {n} rows, several of a patient", areas=areas, n=first.n)
    if np.isnan(first.auroc.low):
        return _("{areas}; {n} rows", areas=areas, n=first.n)
    if _of_classes(curves):
        return _("{areas} (95 % interval); {n} patients", areas=areas, n=first.n)
    return _(
        "{areas} (95 % interval); {n} patients, {events} with the outcome",
        areas=areas,
        n=first.n,
        events=first.n_events,
    )


def _threshold_words(threshold: float) -> str:
    return _("Threshold {percent} %", percent=f"{100 * threshold:.3g}")


def _at(thresholds: NDArray[np.float64], threshold: float) -> int:
    """Return the point of a curve with the lowest threshold not below the wanted one."""
    return max(int(np.searchsorted(-thresholds, -threshold, side="right")) - 1, 0)
