"""What the model would say to other values of one patient: along a column, or over two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from medcore.charts.drawing import theme
from medcore.data.shown import Naming, Shown
from medcore.explanation.patient.changes.what_if import WhatIfCurve, WhatIfMap
from medcore.explanation.patient.wording import RISK, Measure
from medcore.explanation.shapley.game import Floats
from medcore.i18n import _

CURVE_HEIGHT = 215
N_COLUMNS = 12
"""Up to this many values, the training patients are drawn as columns."""
_VALUE = 22
"""Characters of a value on an axis."""


def what_if_curve(
    curve: WhatIfCurve, *, threshold: float | None = None, naming: Naming = Shown, measure: Measure = RISK
) -> go.Figure:
    """Draw one patient's risk, or predicted number, along a column, with where training patients are and the patient's own value."""
    column = naming(curve.column)
    name, title = theme.escape(column), _along(curve, column, measure)
    figure = theme.new_figure(
        title=title,
        subtitle=_("All other values as they are. Grey: how many training patients have such values."),
        x_title=theme.axis_title(column, curve.unit),
        y_title=measure_title(measure),
        height=CURVE_HEIGHT,
        alt=_("Prediction against {column}, all else unchanged. {finding}.", column=name, finding=title)
        if measure.of_number
        else _("Risk against {column}, all else unchanged. {finding}.", column=name, finding=title),
    )
    x = _axis_texts(curve.values, column)
    bottom, top = _ends(curve, measure, threshold)
    _draw_support(figure, curve, x, 0.25 * (top - bottom), bottom)
    _draw_predictions(figure, curve, x, column, measure)
    if threshold is not None:
        figure.add_hline(y=measure.times * threshold, line={"color": theme.MUTED, "dash": "dash", "width": 1.5})
    figure.update_yaxes(range=[bottom, top + 0.03 * (top - bottom)])
    # Below, the column's name would run into it, and the names of categories where they stand aslant, as on a phone.
    figure.update_layout(legend={"y": 1.02, "yanchor": "bottom"})
    if curve.numeric and len(x) <= N_COLUMNS:
        figure.update_xaxes(tickvals=x)
    return figure


def _along(curve: WhatIfCurve, column: Shown, measure: Measure) -> str:
    """Say from where to where the prediction goes along a column."""
    low, high = (measure.times * float(end) for end in (curve.risk.min(), curve.risk.max()))
    if measure.of_number:
        return _(
            "Over the usual values of {column}, {outcome} is predicted from {low} to {high}",
            column=theme.escape(column),
            outcome=theme.escape(measure.name),
            low=measure.write(low),
            high=theme.escape(measure.write(high)),
        )
    return _(
        "Over the usual values of {column}, this patient's risk goes from {low} % to {high} %",
        column=theme.escape(column),
        low=f"{low:.0f}",
        high=f"{high:.0f}",
    )


def _ends(curve: WhatIfCurve, measure: Measure, threshold: float | None) -> tuple[float, float]:
    """Return between what the axis of predictions goes."""
    low, high = (measure.times * float(end) for end in (curve.risk.min(), curve.risk.max()))
    if measure.of_number:
        return around(measure, low, high, curve.current_risk)
    if high > 50:
        return 0.0, 100.0
    return 0.0, max(5.0, 1.25 * max(high, 100 * curve.current_risk, 100 * (threshold or 0)))


def _draw_predictions(
    figure: go.Figure, curve: WhatIfCurve, x: Sequence[float | str], column: Shown, measure: Measure
) -> None:
    """Draw the prediction along the column, and the patient's own where their value is known."""
    unit = theme.escape(f" {measure.unit}") if measure.of_number else "%"
    said = f"%{{x}}: %{{y:.{measure.decimals}f}}{unit}<extra></extra>"
    figure.add_scatter(
        x=x,
        y=measure.times * curve.risk,
        mode="markers" if not curve.numeric else "lines+markers" if len(x) <= N_COLUMNS else "lines",
        line={"color": theme.PRIMARY, "width": 2.5},
        marker={"size": 9, "color": theme.PRIMARY},
        name=_("Predicted") if measure.of_number else _("Risk"),
        hovertemplate=said,
    )
    if curve.current is not None:
        figure.add_scatter(
            x=[_axis_texts([curve.current], column)[0]],
            y=[measure.times * curve.current_risk],
            mode="markers",
            marker={"size": 14, "color": theme.SECONDARY, "symbol": "diamond"},
            name=_("This patient"),
            hovertemplate=said,
        )


def measure_title(measure: Measure) -> str:
    """Say what an axis of predictions is of."""
    return theme.axis_title(Shown(measure.name), measure.unit or None) if measure.of_number else _("Risk (%)")


def around(measure: Measure, *values: float) -> tuple[float, float]:
    """Return an axis's ends around predicted numbers: at least a standard deviation apart, a quarter of it left free."""
    low, high = min(values), max(values)
    room = max(0.25 * (high - low), 0.5 * ((measure.sd or 0.0) - (high - low)), 1e-9)
    return low - room, high + room


def _draw_support(
    figure: go.Figure, curve: WhatIfCurve, x: Sequence[float | str], height: float, bottom: float = 0.0
) -> None:
    """Draw where training patients are, as a hill under the curve or a column a category."""
    shares = height * curve.support / (float(curve.support.max()) or 1.0)
    look = {
        "name": _("Training patients"),
        "customdata": 100 * curve.support,
        "hovertemplate": _("{share} of training patients", share="%{customdata:.1f}%") + "<extra></extra>",
    }
    colour = theme.translucent(theme.MUTED, 0.3)
    if not (curve.numeric and len(x) > N_COLUMNS):
        figure.add_bar(x=x, y=shares, base=bottom or None, marker={"color": colour}, **look)
        return
    hill(figure, x, shares, bottom, fillcolor=colour, **look)


def hill(figure: go.Figure, x: Sequence[float | str], height: Floats, bottom: float, **look: Any) -> None:
    """Fill from a level up to heights above it."""
    line = {"x": x, "mode": "lines", "line": {"width": 0}}
    if bottom:
        figure.add_scatter(y=[bottom] * len(x), hoverinfo="skip", showlegend=False, **line)
    figure.add_scatter(y=bottom + height, fill="tonexty" if bottom else "tozeroy", **line, **look)


def what_if_map(risk_map: WhatIfMap, *, naming: Naming = Shown, measure: Measure = RISK) -> go.Figure:
    """Draw one patient's risk, or predicted number, over two columns at once; pale where no training patient has such a pair."""
    columns = [naming(c) for c in (risk_map.x_column, risk_map.y_column)]
    names = {"x": theme.escape(columns[0]), "y": theme.escape(columns[1])}
    title = _("Risk of this patient over {x} and {y}", **names)
    ends = {"low": f"{100 * risk_map.risk.min():.0f}", "high": f"{100 * risk_map.risk.max():.0f}"}
    alt = _("{finding}: a map of risk, from {low} % to {high} %.", finding=title, **ends)
    scale, said = {"zmin": 0, "zmax": 100}, "%{x}, %{y}: %{z:.1f}%<extra></extra>"
    if measure.of_number:
        title = _("{outcome} of this patient over {x} and {y}", outcome=theme.escape(measure.name), **names)
        ends = {"low": measure.write(risk_map.risk.min()), "high": measure.write(risk_map.risk.max())}
        alt = _("{finding}: a map of predictions, from {low} to {high}.", finding=title, **ends)
        scale, said = {}, f"%{{x}}, %{{y}}: %{{z:.{measure.decimals}f}}<extra></extra>"
    figure = theme.new_figure(
        title=title,
        subtitle=_("All other values as they are. Empty: no training patient has such a pair of values."),
        x_title=theme.axis_title(columns[0]),
        y_title=theme.axis_title(columns[1]),
        alt=alt,
        height=420,
    )
    pairs = zip((risk_map.x_values, risk_map.y_values), columns, strict=True)
    x, y = (_axis_texts(values, column) for values, column in pairs)
    figure.add_heatmap(
        x=x,
        y=y,
        z=np.where(risk_map.near, measure.times * risk_map.risk, np.nan),
        colorscale=[[0, theme.NEGATIVE], [0.5, "#d9d9d9"], [1, theme.RISES if measure.of_number else theme.POSITIVE]],
        colorbar={"title": {"text": measure_title(measure)}},
        hovertemplate=said,
        hoverongaps=False,
        **scale,
    )
    if None not in risk_map.current:
        own = [_axis_texts([v], column)[0] for v, column in zip(risk_map.current, columns, strict=True)]
        figure.add_scatter(
            x=[own[0]],
            y=[own[1]],
            mode="markers",
            marker={"size": 14, "color": theme.SECONDARY, "symbol": "diamond", "line": {"width": 2, "color": "white"}},
            name=_("This patient"),
            hovertemplate=_("This patient") + "<extra></extra>",
        )
    return figure


def _axis_texts(values: Sequence[float | str | None], column: Shown) -> list[float | str]:
    return [v if isinstance(v, float) else theme.escape(column.value(v), limit=_VALUE) for v in values]
