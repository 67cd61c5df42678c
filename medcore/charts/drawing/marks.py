"""Where a threshold lies on a chart: drawn into the chart, or laid over it so that the chart need not be drawn again.

A chart that is laid under marks has a fixed frame: :func:`framed` gives margins,
ranges and legend that neither the data nor the width change, and :class:`Frame`
says where a value then lies.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from medcore.charts.drawing import lines, theme

LEFT, RIGHT, TOP = 72, 26, 24
_TITLE, _ROW, _NARROWEST = 58, 21, 300
"""Pixels below the plot for the axis, for a row of the legend, and for its width on a phone."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A point on the curve of a model, or without ``y`` a line across the chart."""

    x: float
    y: float | None = None
    index: int = 0

    @property
    def colour(self) -> str:
        """The colour of the model, or of a reference."""
        return theme.MUTED if self.y is None else lines.colour_of(self.index)


@dataclass(frozen=True, slots=True)
class Frame:
    """The plot of a chart with a fixed frame, in pixels from the edges, and the values at its ends."""

    height: int
    bottom: int
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    @classmethod
    def of(cls, figure: go.Figure) -> Frame:
        """Read the frame of a figure that :func:`framed` made."""
        layout = figure.layout
        y_range = tuple(layout.yaxis.range or (0.0, 1.0))
        return cls(layout.height, layout.margin.b, tuple(layout.xaxis.range), y_range)

    def across(self, x: float) -> float:
        """Return where x lies, as a share of the plot's width."""
        low, high = self.x_range
        return (x - low) / (high - low)

    def down(self, y: float) -> float:
        """Return where y lies, in pixels from the top of the chart."""
        low, high = self.y_range
        return TOP + (high - y) / (high - low) * self.plot_height

    @property
    def plot_height(self) -> int:
        """The height of the plot itself, in pixels."""
        return self.height - TOP - self.bottom


def draw(figure: go.Figure, marks: Sequence[Mark], *, name: str = "") -> None:
    """Draw marks into a chart."""
    for mark in marks:
        if mark.y is None:
            figure.add_vline(x=mark.x, line={"color": mark.colour, "width": 2, "dash": "dash"})
        else:
            lines.mark(figure, mark.x, mark.y, name=name, index=mark.index)


def framed(figure: go.Figure) -> go.Figure:
    """Return a copy whose frame is fixed, below which the legend has room on a phone as well."""
    data = figure.to_plotly_json()
    layout = data["layout"]
    legend = layout.get("legend", {})
    inside = (legend.get("y") or -1.0) > 0
    bottom = _TITLE if inside else _TITLE + _ROW * _legend_rows(figure) + 14
    height = int(layout["height"]) - 90 + bottom
    layout |= {
        "height": height,
        "margin": layout.get("margin", {}) | {"l": LEFT, "r": RIGHT, "t": TOP, "b": bottom, "autoexpand": False},
        "legend": legend if inside else legend | {"y": -_TITLE / (height - TOP - bottom)},
        "dragmode": False,
    }
    for name in ("xaxis", "yaxis"):
        layout[name] = layout.get(name, {}) | {"automargin": False, "fixedrange": True}
    return go.Figure(data, _validate=False)  # it was valid; checking it again takes ten times as long as the copy


def _legend_rows(figure: go.Figure) -> int:
    """Count the rows of a legend, whose columns are as wide as the longest name, where the page is narrow."""
    names = [t.name for t in figure.data if t.name and t.showlegend is not False]
    widths = [56 + sum(14 if unicodedata.east_asian_width(c) in "WF" else 7.5 for c in name) for name in names]
    return -(-len(names) // max(1, int(_NARROWEST // max(widths, default=1))))
