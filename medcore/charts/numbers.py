"""Predicted numbers beside measured ones: whether they come true, and between which limits they agree."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from medcore.charts.drawing import lines, theme
from medcore.data.shown import Shown
from medcore.evaluation import Agreement, Estimate, NumberCalibration
from medcore.evaluation.figures.estimates import Floats
from medcore.explanation.patient.wording import Measure
from medcore.i18n import _, number, parted

MOST_POINTS = 1_000
"""Patients drawn at most; more are not seen apart."""


def predicted_and_measured(
    curve: NumberCalibration,
    metrics: Mapping[str, Estimate],
    value: Floats,
    predicted: Floats,
    *,
    outcome: Shown,
    measure: Measure,
    points: bool = True,
) -> go.Figure:
    """Draw every patient (n,), but for a report without ``points``, the smooth curve with its band, and the line of perfect agreement."""
    slope, large = metrics["calibration_slope"], metrics["calibration_intercept"]
    title = calibration_finding(slope, large)
    figures = {"slope": f"{slope:.2f}", "large": f"{large:.{measure.decimals + 1}f}"}
    figure = theme.new_figure(
        title=title,
        subtitle=_("Slope {slope}, in the large {large}; each point is a patient", **figures)
        if points
        else _("Slope {slope}, in the large {large}", **figures),
        x_title=_("Predicted: {name}", name=theme.axis_title(outcome)),
        y_title=_("Measured: {name}", name=theme.axis_title(outcome)),
        alt=_("Measured against predicted numbers. {finding}.", finding=title),
        height=460,
    )
    some = _some(len(value) if points else 0)
    figure.add_scatter(
        x=lines.rounded(predicted[some]),
        y=lines.rounded(value[some]),
        showlegend=points,
        mode="markers",
        marker={"size": 5, "color": theme.translucent(theme.MUTED, 0.45)},
        name=_("Patients"),
        hovertemplate=_("Predicted {x}, measured {y}", x="%{x:.4g}", y="%{y:.4g}") + "<extra></extra>",
    )
    ends = [float(predicted.min()), float(predicted.max())]
    lines.reference(figure, ends, ends, name=_("Perfect agreement"))
    for place, part in enumerate(lines.stretches(curve.measured)):
        band = (values[part] for values in (curve.predicted, curve.low, curve.high))
        lines.band(figure, *band, name=_("95 % interval"), index=0, legend=place == 0)
    hover = _("Predicted {x}, measured {y}", x="%{x:.4g}", y="%{y:.4g}")
    lines.line(figure, curve.predicted, curve.measured, name=_("Measured on average"), index=0, hover=hover)
    theme.legend_in(figure, "top left")
    return figure


def calibration_finding(slope: Estimate, large: Estimate) -> str:
    """Say in the current language what slope and calibration in the large mean together."""
    if not slope.exists:
        return _("Everybody is predicted the same number")
    if np.isfinite(slope.low) and slope.low > 1:
        return _("Predictions are too close to the mean")
    if np.isfinite(slope.high) and slope.high < 1:
        return _("Predictions are too extreme: high ones too high, low ones too low")
    if np.isfinite(large.low) and (large.low > 0 or large.high < 0):
        return _("Predictions are too low on average") if large.low > 0 else _("Predictions are too high on average")
    return _("On average, what is predicted is what is measured")


def limits_of_agreement(
    found: Agreement, value: Floats, predicted: Floats, *, outcome: Shown, measure: Measure
) -> go.Figure:
    """Draw measured less predicted over what was predicted, with Bland and Altman's limits and their intervals."""
    low, high = found.lower, found.upper
    unit, digits = theme.escape(measure.unit), measure.decimals + 1
    title = _(
        "19 of 20 patients are measured between {low} and {high} of what was predicted",
        low=f"{measure.bare(low.value, signed=True, more=1)} {unit}".strip(),
        high=f"{measure.bare(high.value, signed=True, more=1)} {unit}".strip(),
    )
    figure = theme.new_figure(
        title=title,
        subtitle=_(
            "Limits of agreement (Bland and Altman): {low} and {high}",
            low=f"{low:.{digits}f}",
            high=f"{high:.{digits}f}",
        ),
        x_title=_("Predicted: {name}", name=theme.axis_title(outcome)),
        y_title=_("Measured less predicted ({unit})", unit=unit) if unit else _("Measured less predicted"),
        alt=_("Differences between measured and predicted numbers. {finding}.", finding=title),
        height=460,
    )
    some = _some(len(value))
    figure.add_scatter(
        x=lines.rounded(predicted[some]),
        y=lines.rounded((value - predicted)[some]),
        mode="markers",
        marker={"size": 5, "color": theme.translucent(theme.MUTED, 0.45)},
        name=_("Patients"),
        hovertemplate=_("Predicted {x}, off by {y}", x="%{x:.4g}", y="%{y:.3g}") + "<extra></extra>",
    )
    ends = [float(predicted.min()), float(predicted.max())]
    for estimate, name in (
        (found.upper, _("Upper limit")),
        (found.mean, _("Mean difference")),
        (found.lower, _("Lower limit")),
    ):
        if np.isfinite(estimate.low):
            lines.band(
                figure,
                np.array(ends),
                np.full(2, estimate.low),
                np.full(2, estimate.high),
                name="",
                index=0,
                legend=False,
            )
        lines.reference(
            figure, ends, [estimate.value] * 2, name=name, dash="solid" if estimate is found.mean else "dash"
        )
    _room_below(figure, value - predicted, low, high)
    theme.legend_in(figure, "bottom right")
    return figure


def _room_below(figure: go.Figure, off: Floats, low: Estimate, high: Estimate) -> None:
    """Leave the lowest quarter of the plot to the legend, which would lie on patients anywhere else."""
    least, most = min(float(off.min()), low.value), max(float(off.max()), high.value)
    figure.update_yaxes(range=[least - 0.36 * (most - least), most + 0.04 * (most - least)])


def _some(n: int) -> np.ndarray:
    """Draw some patients by chance, the same every time."""
    return np.sort(np.random.default_rng(0).permutation(n)[:MOST_POINTS])


def groups(found: Mapping[str, Estimate], *, unit: str) -> go.Figure:
    """Draw what was measured less what was predicted on average in each group of patients, with 95 % intervals."""
    widest = max((abs(e.value) for e in found.values() if e.exists), default=0.0)
    written = f"{number(widest, '.3g')} {theme.escape(unit)}".strip()
    figure = theme.new_figure(
        title=_("Predictions are off by up to {size} on average in a group", size=written),
        x_title=_("Measured less predicted ({unit})", unit=theme.escape(unit))
        if unit
        else _("Measured less predicted"),
        y_title="",
        alt=parted(f"{theme.escape(name)}: {number(e.value, '.3g')}" for name, e in found.items()),
        height=160 + 40 * max(1, len(found)),
    )
    bars = {
        "type": "data",
        "symmetric": False,
        "array": lines.rounded([e.high - e.value for e in found.values()]),
        "arrayminus": lines.rounded([e.value - e.low for e in found.values()]),
        "thickness": 1.2,
        "width": 4,
    }
    figure.add_scatter(
        x=lines.rounded([e.value for e in found.values()]),
        y=[theme.escape(name) for name in found],
        mode="markers",
        error_x=bars,
        marker={"size": 9, "color": lines.colour_of(0)},
        hovertemplate="%{y}: %{x:.3g}<extra></extra>",
        showlegend=False,
    )
    figure.add_vline(x=0, line={"color": theme.MUTED, "width": 1})
    figure.update_yaxes(autorange="reversed")
    return figure
