"""How much predictions and calibration depend on the patients a model happened to learn from (Riley & Collins 2023)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from medcore.charts.drawing import lines, theme
from medcore.explanation.patient.wording import RISK, Measure
from medcore.i18n import _, number

if TYPE_CHECKING:
    from medcore.evaluation.figures.estimates import Floats
    from medcore.models.run.stability import Stability

MOST_POINTS = 400


def risk_instability(stable: Stability, *, measure: Measure = RISK) -> go.Figure:
    """Draw for each patient the middle 95 % of the refits' risks, or numbers, over the model's own."""
    of_number = measure.of_number
    title = (
        _(
            "Trained on other samples, the model would predict numbers that differ by {error} on average",
            error=measure.write(stable.mean_error, more=1),
        )
        if of_number
        else _(
            "Trained on other samples, the model would give risks that differ by {error} percentage points on average",
            error=f"{100 * stable.mean_error:.1f}",
        )
    )
    chart = theme.new_figure(
        title=title,
        subtitle=_("{n} refits; each bar holds 95 % of their numbers for one patient", n=stable.n_refits)
        if of_number
        else _("{n} refits; each bar holds 95 % of their risks for one patient", n=stable.n_refits),
        x_title=_("Number by the model") if of_number else _("Risk by the model"),
        y_title=_("Number by its refits") if of_number else _("Risk by its refits"),
        alt=title,
        height=420,
    )
    ends = _ends(measure, stable.low, stable.high)
    lines.reference(chart, ends, ends, name=_("The same number") if of_number else _("The same risk"))
    order = np.argsort(stable.risk, kind="stable")
    some = order[np.unique(np.linspace(0, len(order) - 1, min(MOST_POINTS, len(order))).astype(int))]
    x, low, high = (lines.rounded(v[some]) for v in (stable.risk, stable.low, stable.high))
    gaps = np.full(len(some), np.nan, dtype=np.float32)
    chart.add_scatter(
        x=np.column_stack([x, x, gaps]).ravel(),
        y=np.column_stack([low, high, gaps]).ravel(),
        mode="lines",
        line={"color": theme.translucent(theme.PRIMARY, 0.45), "width": 1.5},
        name=_("95 % of the refits"),
        hovertemplate=("%{x:.4g}: %{y:.4g}" if of_number else "%{x:.1%}: %{y:.1%}") + "<extra></extra>",
    )
    if not of_number:
        lines.shares(chart)
    return chart


def calibration_instability(stable: Stability, *, measure: Measure = RISK) -> go.Figure:
    """Draw the calibration curves of refits on the patients of the study."""
    slope, of_number = stable.figures["calibration_slope"], measure.of_number
    title = _("Calibration slope {corrected} after correction for optimism", corrected=number(slope.corrected, ".2f"))
    chart = theme.new_figure(
        title=title,
        subtitle=_("Calibration of {n} refits on these patients", n=len(stable.curves)),
        x_title=_("Predicted") if of_number else _("Predicted risk"),
        y_title=_("Measured on average") if of_number else _("Observed share"),
        alt=title,
        height=420,
    )
    ends = _ends(measure, *(risk for risk, _observed in stable.curves))
    lines.reference(chart, ends, ends, name=_("Perfect agreement"))
    for at, (risk, observed) in enumerate(stable.curves):
        chart.add_scatter(
            x=lines.rounded(risk),
            y=lines.rounded(observed),
            mode="lines",
            line={"color": theme.translucent(theme.PRIMARY, 0.25), "width": 1},
            name=_("A refit"),
            showlegend=at == 0,
            hoverinfo="skip",
        )
    if not of_number:
        lines.shares(chart)
    return chart


def _ends(measure: Measure, *values: Floats) -> list[float]:
    """Return where a line of agreement begins and ends: over all risks, or over the numbers there are."""
    if not measure.of_number or not values:
        return [0.0, 1.0]
    return [float(min(v.min() for v in values)), float(max(v.max() for v in values))]
