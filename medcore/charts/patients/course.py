"""A patient's course: what was predicted at each visit, beside the threshold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import plotly.graph_objects as go

from medcore.charts.drawing import lines, theme
from medcore.explanation.patient.wording import Measure
from medcore.i18n import _

MOST_TICKS, MOST_LONG_TICKS = 6, 3
"""Days that find place beneath the chart, and days with the time."""
HEIGHT = 300
_SYMBOLS = ("circle", "square", "diamond", "cross")


def course(
    moments: Sequence[datetime],
    predicted: Sequence[float],
    versions: Sequence[int],
    *,
    name: str,
    measure: Measure,
    threshold: float | None,
) -> go.Figure:
    """Draw a patient's predictions (n,) over the moments of the visits, in order of time; ``name`` is what they are of.

    Versions of the model have marks of their own: a step where the version changes may be the model's.
    """
    values = measure.times * np.asarray(predicted, dtype=float)
    days = np.array([(moment - moments[0]).total_seconds() / 86_400 for moment in moments])
    days = days / days[-1] if 0 < days[-1] < 1 else days  # places of less than a day would be rounded away
    title = finding(moments, predicted, name=name, measure=measure, threshold=threshold)
    unit = measure.unit if measure.of_number else "%"
    figure = theme.new_figure(
        title=title,
        x_title=_("Seen at (universal time)"),
        y_title=f"{theme.escape(name)} ({theme.escape(unit)})" if unit else theme.escape(name),
        alt=_("Predictions at {n} visits over time. {finding}.", n=len(moments), finding=title),
        height=HEIGHT,
    )
    labels = [f"{moment:%Y-%m-%d %H:%M}" for moment in moments]
    hover = "%{text}: %{y:.4g}"
    lines.line(figure, days, values, name=_("Predicted"), index=0, hover=hover, text=labels, showlegend=False)
    for place, version in enumerate(dict.fromkeys(versions)):
        chosen = np.flatnonzero(np.asarray(versions) == version)
        figure.add_scatter(
            x=days[chosen].tolist(),
            y=np.round(values[chosen], 4).tolist(),
            mode="markers",
            name=_("Version {version}", version=version),
            marker={"color": theme.PRIMARY, "size": 10, "symbol": _SYMBOLS[place % len(_SYMBOLS)]},
            text=[labels[i] for i in chosen],
            hovertemplate=hover + "<extra>%{fullData.name}</extra>",
            showlegend=len(set(versions)) > 1,
        )
    last = float(days[-1]) or 1.0  # of one visit there is no length
    if threshold is not None:
        said = _("Threshold {value}", value=measure.write(threshold))
        lines.reference(figure, [-0.12 * last, 1.12 * last], [100 * threshold] * 2, name=said, dash="dash")
    if not measure.of_number:
        figure.update_yaxes(range=[-3, 103])
    same_day = len({f"{moment:%Y-%m-%d}" for moment in moments}) < len(moments)
    shown = _apart(days.tolist(), last / (MOST_LONG_TICKS if same_day else MOST_TICKS))
    ticks = [labels[i] if same_day else labels[i][:10] for i in shown]
    figure.update_xaxes(tickvals=days[shown].tolist(), ticktext=ticks, range=[-0.12 * last, 1.12 * last])
    return figure


def finding(
    moments: Sequence[datetime],
    predicted: Sequence[float],
    *,
    name: str,
    measure: Measure,
    threshold: float | None,
) -> str:
    """Say in a sentence how predictions changed since the visit before, and whether they crossed the threshold."""
    name = theme.escape(name)
    now = theme.escape(measure.write(predicted[-1]))
    if len(predicted) < 2:
        return _("{name}: {now} at the one visit", name=name, now=now)
    before = predicted[-2]
    values = {
        "name": name,
        "now": now,
        "before": theme.escape(measure.write(before)),
        "time": _passed(moments[-1] - moments[-2]),
    }
    if threshold is not None and (before >= threshold) != (predicted[-1] >= threshold):
        if predicted[-1] >= threshold:
            return _("{name} rose across the threshold, from {before} to {now} in {time}", **values)
        return _("{name} fell across the threshold, from {before} to {now} in {time}", **values)
    if measure.write(before) == measure.write(predicted[-1]):
        return _("{name} stayed at {now} over {time}", **values)
    if predicted[-1] > before:
        return _("{name} rose from {before} to {now} in {time}", **values)
    return _("{name} fell from {before} to {now} in {time}", **values)


def _apart(days: Sequence[float], least: float) -> list[int]:
    """Return which visits are named beneath the chart: each so far from the one before that both can be read."""
    chosen = [0]
    for place, day in enumerate(days):
        if day - days[chosen[-1]] >= least:
            chosen.append(place)
    return chosen


def _passed(time: timedelta) -> str:
    """Say how long it was between two visits; hours only where it was less than two days."""
    hours = time.total_seconds() / 3600
    if hours >= 48:
        return _("{n} days", n=f"{hours / 24:.0f}")
    return _("{n} hours", n=f"{hours:.0f}") if hours >= 2 else _("less than two hours")
