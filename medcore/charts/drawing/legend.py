"""Where a legend lies: within the plot, in the corner that its curves leave free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from medcore.charts.drawing import theme
from medcore.evaluation.figures.estimates import Floats

LEGEND_WIDTH = 0.45
"""The share of a plot's width that a legend takes at most."""


def where_free(figure: go.Figure, *corners: str) -> None:
    """Put the legend into that one of some corners in which the least is drawn; the first of equals."""
    drawn = [_outline(trace) for trace in figure.data if trace.yaxis in (None, "y")]
    x, y = (np.concatenate([part[i] for part in drawn]) for i in (0, 1))
    across, up = (_places(v, axis.range) for v, axis in ((x, figure.layout.xaxis), (y, figure.layout.yaxis)))
    height = 0.08 + 0.07 * sum(trace.showlegend is not False for trace in figure.data)

    def lies_on(corner: str) -> int:
        side = across > 1 - LEGEND_WIDTH if corner.endswith("right") else across < LEGEND_WIDTH
        level = up > 1 - height if corner.startswith("top") else up < height
        return int((side & level).sum())

    theme.legend_in(figure, min(corners, key=lies_on))


def _outline(trace: Any) -> tuple[Floats, Floats]:
    """Return points along a line, or along each bar from 0 to its end."""
    x, y = (np.asarray(values, dtype=float) for values in (trace.x, trace.y))
    steps = np.linspace(0, 1, 9)[:, None]
    if trace.type == "bar":
        return np.tile(x, len(steps)), (steps * y).ravel()
    lines = trace.mode is None or "lines" in trace.mode
    if not lines or len(x) < 2:
        return x, y
    return (x[:-1] + steps * np.diff(x)).ravel(), (y[:-1] + steps * np.diff(y)).ravel()


def _places(values: Floats, ends: Sequence[float] | None) -> Floats:
    """Return where values are on an axis, from 0 to 1."""
    low, high = ends or (np.nanmin(values), np.nanmax(values))
    return (values - low) / ((high - low) or 1.0)
