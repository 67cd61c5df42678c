"""Why one patient got that risk, and what the model would say to other values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import plotly.graph_objects as go

from medcore.charts.drawing import theme
from medcore.data.shown import Naming, Shown
from medcore.explanation.patient.what_if import WhatIfCurve, WhatIfMap
from medcore.explanation.patient.wording import RISK, Measure, percent
from medcore.explanation.shapley.game import Floats
from medcore.explanation.shapley.results import Contribution, Explanation
from medcore.i18n import _, number

N_SHOWN = 8
AROUND = 72
"""Pixels above the first row and below the last one."""
BESIDE = 0.6
"""Rows left free above the first one's middle and below the last one's."""
ROW_HEIGHT = 38
"""Room for a name and its value, one below the other, and a gap to the next."""
CURVE_HEIGHT = 215
N_COLUMNS = 12
"""Up to this many values, the training patients are drawn as columns."""
_NAME, _VALUE = 26, 22
"""Characters of a column's name and of its value beside a bar."""


@dataclass(frozen=True, slots=True)
class _Bar:
    label: str
    hover: str
    start: float
    change: float
    error: float


def waterfall(explanation: Explanation, *, n_shown: int = N_SHOWN, naming: Naming = Shown) -> go.Figure:
    """Draw how the columns lead from the average of the comparison patients to this patient's risk.

    The ``n_shown`` largest contributions are drawn, the others folded into one
    bar. Error bars are 95 % intervals of the sampling, where there was any.
    """
    bars = _bars(explanation, n_shown, naming)
    up = [naming(c.column) for c in explanation.largest(3) if c.contribution > 0]
    down = [naming(c.column) for c in explanation.largest(3) if c.contribution < 0]
    title = _finding(explanation)
    figure = theme.new_figure(
        title=title,
        subtitle=_method(explanation),
        x_title=_axis(explanation),
        y_title="",
        alt=_(
            "Contributions to one patient's risk. {finding}. Raised most by: {up}. Lowered most by: {down}.",
            finding=title,
            up=[theme.escape(c) for c in up] or "–",
            down=[theme.escape(c) for c in down] or "–",
        ),
        height=round(AROUND + ROW_HEIGHT * (len(bars) + 1 + 2 * BESIDE)),
    )
    _draw_ends(figure, explanation, last=len(bars) + 1)
    _draw_bars(figure, bars, explanation)
    labels = [_("Average of the comparison patients"), *(b.label for b in bars), _("This patient")]
    figure.update_yaxes(tickvals=list(range(len(labels))), ticktext=[_wrapped(t) for t in labels], showgrid=False)
    figure.update_yaxes(range=[len(bars) + 1 + BESIDE, -BESIDE])
    figure.update_layout(showlegend=False, bargap=0.45)
    low, high = _room(bars, explanation)
    figure.update_xaxes(range=[low, high])
    if explanation.scale == "probability":
        figure.update_xaxes(tickvals=_ticks(low, high))
    return figure


def what_if_curve(
    curve: WhatIfCurve, *, threshold: float | None = None, naming: Naming = Shown, measure: Measure = RISK
) -> go.Figure:
    """Draw one patient's risk, or predicted number, along a column, with where training patients are and the patient's own value."""
    column = naming(curve.column)
    name = theme.escape(column)
    low, high = (measure.times * float(end) for end in (curve.risk.min(), curve.risk.max()))
    title = _(
        "Over the usual values of {column}, this patient's risk goes from {low} % to {high} %",
        column=name,
        low=f"{low:.0f}",
        high=f"{high:.0f}",
    )
    if measure.of_number:
        title = _(
            "Over the usual values of {column}, {outcome} is predicted from {low} to {high}",
            column=name,
            outcome=theme.escape(measure.name),
            low=measure.write(low),
            high=theme.escape(measure.write(high)),
        )
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
    bottom, top = 0.0, 100.0
    if measure.of_number:
        bottom, top = around(measure, low, high, curve.current_risk)
    elif high <= 50:
        top = max(5.0, 1.25 * max(high, 100 * curve.current_risk, 100 * (threshold or 0)))
    _draw_support(figure, curve, x, 0.25 * (top - bottom), bottom)
    said = f"%{{x}}: %{{y:.{measure.decimals}f}}{theme.escape(f' {measure.unit}') if measure.of_number else '%'}<extra></extra>"
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
        own = _axis_texts([curve.current], column)[0]
        figure.add_scatter(
            x=[own],
            y=[measure.times * curve.current_risk],
            mode="markers",
            marker={"size": 14, "color": theme.SECONDARY, "symbol": "diamond"},
            name=_("This patient"),
            hovertemplate=said,
        )
    if threshold is not None:
        figure.add_hline(y=measure.times * threshold, line={"color": theme.MUTED, "dash": "dash", "width": 1.5})
    figure.update_yaxes(range=[bottom, top + 0.03 * (top - bottom)])
    # Below, the column's name would run into it, and the names of categories where they stand aslant, as on a phone.
    figure.update_layout(legend={"y": 1.02, "yanchor": "bottom"})
    if curve.numeric and len(x) <= N_COLUMNS:
        figure.update_xaxes(tickvals=x)
    return figure


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


def _bars(explanation: Explanation, n_shown: int, naming: Naming) -> list[_Bar]:
    """Lay the contributions one after the other, largest first, the others folded into the last bar."""
    moving = [c for c in explanation.largest(len(explanation.contributions)) if c.contribution != 0]
    shown, folded = moving[:n_shown], moving[n_shown:]
    if len(folded) == 1:
        shown, folded = moving, []
    bars, at = [], explanation.base_value
    for contribution in shown:
        label = _label(contribution, naming(contribution.column))
        bars.append(_Bar(label, label, at, contribution.contribution, 1.96 * contribution.standard_error))
        at += contribution.contribution
    if folded:
        change = sum(c.contribution for c in folded)
        error = 1.96 * float(np.sqrt(sum(c.standard_error**2 for c in folded)))
        names = ", ".join(theme.escape(naming(c.column).words, limit=_NAME) for c in folded[:6])
        label = _("{n} other columns", n=len(folded))
        bars.append(_Bar(label, f"{label}: {names}{' …' if len(folded) > 6 else ''}", at, change, error))
    return bars


def _draw_ends(figure: go.Figure, explanation: Explanation, *, last: int) -> None:
    factor = _factor(explanation)
    ends = [explanation.base_value * factor, explanation.prediction * factor]
    figure.add_scatter(
        x=ends,
        y=[0, last],
        mode="markers+text",
        marker={"size": 13, "symbol": ["circle-open", "diamond"], "color": [theme.MUTED, theme.SECONDARY]},
        text=[f"<b>{_end(e, explanation)}</b>" for e in ends],
        textposition="middle right",
        hoverinfo="skip",
        cliponaxis=False,
    )


def _draw_bars(figure: go.Figure, bars: Sequence[_Bar], explanation: Explanation) -> None:
    factor = _factor(explanation)
    up = theme.RISES if explanation.scale == "value" else theme.POSITIVE
    changes = [b.change * factor for b in bars]
    figure.add_bar(
        orientation="h",
        y=list(range(1, len(bars) + 1)),
        x=changes,
        base=[b.start * factor for b in bars],
        marker={"color": [up if c > 0 else theme.NEGATIVE for c in changes]},
        error_x={
            "type": "data",
            "array": [b.error * factor for b in bars],
            "color": theme.MUTED,
            "thickness": 1.5,
            "width": 4,
            "visible": any(b.error > 0 for b in bars),
        },
        customdata=[[b.hover, _signed(c, explanation)] for b, c in zip(bars, changes, strict=True)],
        hovertemplate="%{customdata[0]}<br>%{customdata[1]}<extra></extra>",
    )
    # The figures stand beyond the error bars, so that neither hides the other.
    figure.add_scatter(
        x=[(b.start + b.change + (b.error if b.change > 0 else -b.error)) * factor for b in bars],
        y=list(range(1, len(bars) + 1)),
        mode="text",
        text=[f" {_signed(c, explanation)} " for c in changes],
        textposition=["middle right" if c > 0 else "middle left" for c in changes],
        hoverinfo="skip",
        cliponaxis=False,
    )


def _room(bars: Sequence[_Bar], explanation: Explanation) -> tuple[float, float]:
    """Return the range of the axis, with room for the figures beside the bars."""
    ends = [
        explanation.base_value,
        explanation.prediction,
        *(b.start + b.change + s * b.error for b in bars for s in (-1, 1)),
    ]
    low, high = min(ends) * _factor(explanation), max(ends) * _factor(explanation)
    of_number = explanation.scale == "value"  # whose figures have more digits, and stand beside narrow bars on a phone
    sign = not of_number and not 0.0005 <= explanation.prediction <= 0.9995  # ">99.9" is longer than "98.2"
    room = (0.42 if of_number or sign else 0.24) * max(high - low, 1e-9 if of_number else 1e-3)
    return low - room, high + room


def _ticks(low: float, high: float) -> list[float]:
    """Return round percentages between two ends, none of them below 0 or above 100."""
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20) if (high - low) / s <= 6 or s == 20)
    return [float(t) for t in np.arange(0, 100 + step / 2, step).round(2) if low <= t <= high]


def _finding(explanation: Explanation) -> str:
    values = {
        "name": theme.escape(explanation.class_name, limit=40),
        "risk": _end(explanation.prediction * _factor(explanation), explanation),
        "base": _end(explanation.base_value * _factor(explanation), explanation),
    }
    if explanation.scale == "probability":
        return _("Risk of {name}: {risk} %, against {base} % on average", **values)
    if explanation.scale == "value":
        values["risk"] = f"{values['risk']} {theme.escape(explanation.unit)}".strip()
        return _("{name}: {risk}, against {base} on average", **values)
    return _("Log odds of {name}: {risk}, against {base} on average", **values)


def _method(explanation: Explanation) -> str:
    values = {"n": explanation.n_background, "error": f"{100 * explanation.relative_error:.1f}"}
    if explanation.method == "exact":
        return _("Exact Shapley values against {n} comparison patients", **values)
    return _("Shapley values against {n} comparison patients, sampled to {error} %", **values)


def _label(contribution: Contribution, shown: Shown) -> str:
    name = theme.column(shown, limit=_NAME)
    if contribution.value is None:
        return _("{column} is missing", column=name)
    value = theme.escape(shown.value(contribution.value), limit=_VALUE)
    unit = replace(shown, unit=contribution.unit or "").beside
    return f"{name} = {value} {theme.escape(unit)}" if unit else f"{name} = {value}"


def _wrapped(label: str) -> str:
    """Break a long label before its value, so that it leaves room for the bars on a phone."""
    if len(label) <= 16:
        return label
    if " = " in label:
        return label.replace(" = ", "<br>= ", 1)
    if "<span" in label:
        return label.replace("</span> ", "</span><br>", 1)
    spaces = [i for i, c in enumerate(label) if c == " "]
    if not spaces:
        return label
    middle = min(spaces, key=lambda i: abs(i - len(label) / 2))
    return f"{label[:middle]}<br>{label[middle + 1 :]}"


def _axis(explanation: Explanation) -> str:
    """Say what the axis is of."""
    if explanation.scale == "value":
        return theme.axis_title(Shown(explanation.class_name), explanation.unit or None)
    return _("Risk (%)") if explanation.scale == "probability" else _("Log odds of the outcome")


def _factor(explanation: Explanation) -> float:
    return 100.0 if explanation.scale == "probability" else 1.0


def _number(value: float, explanation: Explanation) -> str:
    return number(value, _digits(explanation))


def _end(value: float, explanation: Explanation) -> str:
    """Write where a waterfall begins or ends; a risk in per cent never as a round 0 or 100, as beside the chart."""
    if explanation.scale == "probability":
        return theme.escape(percent(value / 100, digits=1).removesuffix("%"))
    return _number(value, explanation)


def signed(value: float, explanation: Explanation) -> str:
    """Write a contribution, or an error of one, as beside the bars of :func:`waterfall`; risks are in per cent."""
    return _signed(_factor(explanation) * value, explanation)


def _signed(value: float, explanation: Explanation) -> str:
    return number(value, f"+{_digits(explanation)}")


def _digits(explanation: Explanation) -> str:
    """Choose how numbers are written: a predicted number to what its contributions tell."""
    if explanation.scale != "value":
        return ".1f" if explanation.scale == "probability" else ".2f"
    size = max((abs(c.contribution) for c in explanation.contributions), default=1.0)
    return f".{int(np.clip(2 - np.floor(np.log10(max(size, 1e-9))), 0, 6))}f"
