"""Why one patient got that risk: from the average of the comparison patients to theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import plotly.graph_objects as go

from medcore.charts.drawing import theme
from medcore.data.shown import Naming, Shown
from medcore.explanation.patient.wording import percent
from medcore.explanation.shapley.results import Contribution, Explanation
from medcore.i18n import _, listed, number

N_SHOWN = 8
AROUND = 72
"""Pixels above the first row and below the last one."""
BESIDE = 0.6
"""Rows left free above the first one's middle and below the last one's."""
ROW_HEIGHT = 38
"""Room for a name and its value, one below the other, and a gap to the next."""
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
        names = listed(theme.escape(naming(c.column).words, limit=_NAME) for c in folded[:6])
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
