"""A patient's measurements over time as small lines, one below the other, over one axis of time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from medcore.charts.drawing import lines, theme
from medcore.data.reading.long.measured import PatientSeries
from medcore.data.shown import Naming, Shown
from medcore.explanation.shapley.results import Contribution, Scale
from medcore.i18n import _

HEIGHT = 60
"""Pixels of a line with its name above it."""
DAYS_FROM = 96.0
"""Hours from which on time is told in days."""
MOST_IN_ONE = 6
"""Lines below each other that leave the axis of time on a screen (900 pixels) with the patient's risk above them."""
MARGIN = 0.03
"""Share of the time that is left free on either side, so that a first and a last point are whole."""
_NAME = 24  # letters of a column's name
_GAP = 0.42  # share of a line's height that its name takes


def when_it_counted(columns: Sequence[Contribution], *, scale: Scale, naming: Naming = Shown) -> go.Figure:
    """Draw as a map how much each part of the time of each measurement contributed; a row adds up to its column."""
    shown = sorted(columns, key=lambda one: abs(one.contribution))
    factor, unit = (100.0, _("percentage points")) if scale == "probability" else (1.0, _("log odds"))
    cells = factor * np.array([[part.contribution for part in one.parts] for one in shown])
    row, at = np.unravel_index(np.abs(cells).argmax(), cells.shape)
    names = [naming(one.column) for one in shown]
    title = _(
        "{name} counted most at {when}",
        name=theme.escape(names[row].words),
        when=theme.escape(shown[row].parts[at].part),
    )
    figure = theme.new_figure(
        title=title,
        subtitle=_("A row adds up to the column's contribution, in {unit}.", unit=unit),
        x_title=_("Hours after the index date"),
        y_title=_("Column"),
        alt=_("{finding}: a map of {n} measurements over the time.", finding=title, n=len(shown)),
        height=30 * len(shown) + 150,
    )
    most = float(np.abs(cells).max()) or 1.0
    figure.add_heatmap(
        x=[part.part for part in shown[0].parts],
        y=[theme.escape(name.words, limit=_NAME) for name in names],
        z=cells,
        zmin=-most,
        zmax=most,
        colorscale=[[0, theme.NEGATIVE], [0.5, "#d9d9d9"], [1, theme.POSITIVE]],
        colorbar={"title": {"text": unit}},
        hovertemplate="%{y}, %{x}: %{z:+.2f}<extra></extra>",
    )
    return figure


def side_by_side(measured: Sequence[PatientSeries], *, who: str) -> list[go.Figure]:
    """Draw a patient's measurements as one chart, or as two of one time that stand beside each other where one is tall."""
    if len(measured) <= MOST_IN_ONE:
        return [small_lines(measured, who=who)]
    half = (len(measured) + 1) // 2
    span = (
        min(float(found.hours[0]) for found in measured),
        max(float(found.hours[-1]) for found in measured),
    )
    return [small_lines(part, who=who, span=span) for part in (measured[:half], measured[half:])]


def small_lines(measured: Sequence[PatientSeries], *, who: str, span: tuple[float, float] | None = None) -> go.Figure:
    """Draw each measurement over the time at which it was taken; its name, unit and last value stand above its line.

    Nothing is filled in between: a point is a result, and the line only leads the eye. ``span`` are the first and the
    last hour that are drawn, where there is more than these measurements.
    """
    n = len(measured)
    latest = span[1] if span else max(float(found.hours[-1]) for found in measured)
    in_days = latest > DAYS_FROM
    figure = theme.new_figure(
        title=_("{n} measurements over time", n=n),
        subtitle=who,
        x_title=_("Days after the index date") if in_days else _("Hours after the index date"),
        y_title=_("Value"),
        alt=_("{n} small lines, one for each measurement, over one axis of time.", n=n),
        height=HEIGHT * n + 90,
    )
    figure.update_layout(showlegend=False, margin={"l": 44, "t": 10})
    for place, found in enumerate(measured):
        _draw_small_line(figure, found, place, n, in_days=in_days)
    figure.update_xaxes(anchor=f"y{n if n > 1 else ''}")
    if span is not None:
        free, per = MARGIN * (span[1] - span[0]) or 1.0, 24.0 if in_days else 1.0
        figure.update_xaxes(range=[(span[0] - free) / per, (span[1] + free) / per])
    return figure


def _draw_small_line(figure: go.Figure, found: PatientSeries, place: int, n: int, *, in_days: bool) -> None:
    """Draw one of ``n`` measurements in its place from the top, with an axis of its own and its name above."""
    number = "" if place == 0 else str(place + 1)
    top = 1 - place / n
    bottom = 1 - (place + 1) / n
    figure.layout[f"yaxis{number}"] = {
        "domain": [bottom, top - _GAP / n],
        "nticks": 2,
        "title": {"text": _("Value") if place == 0 else "", "font": {"size": 1, "color": "rgba(0,0,0,0)"}},
        "anchor": "x",
        "zeroline": False,
    }
    beside = Shown(found.name, unit=found.unit).beside
    unit = f" ({beside})" if beside else ""
    lines.line(
        figure,
        found.hours / 24 if in_days else found.hours,
        found.values,
        name=f"{found.name}{unit}",
        index=0,
        hover=_("{y} at {x}", y="%{y:.4g}", x="%{x:.3g}"),
        yaxis=f"y{number}",
        marker={"size": 4, "color": lines.colour_of(0)},
        line={"width": 1.5},
    )
    figure.data[-1].mode = "lines+markers"
    figure.add_annotation(
        x=0,
        y=top - _GAP / n,
        xref="paper",
        yref="paper",
        xanchor="left",
        yanchor="bottom",
        showarrow=False,
        text=_(
            "{name}{unit}: last {value}",
            name=f"<b>{theme.escape(found.name)}</b>",
            unit=theme.escape(unit),
            value=f"{found.values[-1]:.4g}",
        ),
    )
