"""Pieces that the curves of evaluation share: a line a model, its band, the mark of a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from medcore.charts.drawing import theme

_COLOURS = (theme.PRIMARY, theme.SECONDARY)


def colour_of(index: int) -> str:
    """Return the colour of the first, second … model of a chart."""
    return _COLOURS[index] if index < len(_COLOURS) else theme.class_colour(index)


def line(figure: go.Figure, x: Any, y: Any, *, name: str, index: int, hover: str, **options: Any) -> None:
    """Add a model's curve in the colour and dash of its place."""
    figure.add_scatter(
        x=rounded(x),
        y=rounded(y),
        mode="lines",
        name=theme.escape(name),
        line={"color": colour_of(index), "width": 2.5, "dash": theme.class_dash(index)} | options.pop("line", {}),
        hovertemplate=hover + "<extra>%{fullData.name}</extra>",
        **options,
    )


def band(figure: go.Figure, x: Any, low: Any, high: Any, *, name: str, index: int, legend: bool = True) -> None:
    """Fill between two curves, under the line of the same model."""
    figure.add_scatter(
        x=np.concatenate([rounded(x), rounded(x)[::-1]]),
        y=np.concatenate([rounded(high), rounded(low)[::-1]]),
        fill="toself",
        mode="lines",
        line={"width": 0, "color": colour_of(index)},
        fillcolor=theme.translucent(colour_of(index), 0.18),
        name=name,
        hoverinfo="skip",
        showlegend=legend and index == 0,
    )


def stretches(values: Any) -> list[slice]:
    """Return the runs of places at which there are values: a band must not bridge where nothing is known."""
    known = np.concatenate([[False], np.isfinite(values), [False]])
    edges = np.flatnonzero(known[1:] != known[:-1])
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def reference(figure: go.Figure, x: Sequence[float], y: Sequence[float], *, name: str, dash: str = "dot") -> None:
    """Add a line of reference: chance, perfection, treat all."""
    figure.add_scatter(
        x=rounded(x),
        y=rounded(y),
        mode="lines",
        name=name,
        line={"color": theme.MUTED, "width": 1.5, "dash": dash},
        hoverinfo="skip",
    )


def mark(figure: go.Figure, x: float, y: float, *, name: str, index: int = 0) -> None:
    """Mark where the threshold in use lies on a model's curve."""
    figure.add_scatter(
        x=[x],
        y=[y],
        mode="markers",
        name=name,
        marker={"color": colour_of(index), "size": 12, "symbol": "diamond", "line": {"width": 2, "color": "#ffffff"}},
        hovertemplate="%{x:.1%}, %{y:.1%}<extra>%{fullData.name}</extra>",
        showlegend=index == 0,
    )


def shares(figure: go.Figure, *, x: bool = True, y: bool = True) -> None:
    """Give axes from 0 to 100 %."""
    axis = {"range": [-0.01, 1.01], "tickformat": ".0%", "dtick": 0.2}
    # A chart has one plot; to look for all of its axes takes four times as long.
    if x:
        figure.layout.xaxis.update(axis)
    if y:
        figure.layout.yaxis.update(axis)


def rounded(values: Any) -> Any:
    """Round to what can be seen, in single precision: a page must stay light."""
    return np.round(np.asarray(values, dtype=float), 4).astype(np.float32)


def percent(share: float, digits: int = 0) -> str:
    """Write a share as a number of per cent without its sign; a dash for none."""
    return "–" if not np.isfinite(share) else f"{100 * share:.{digits}f}"


def never_round(share: float) -> str:
    """Write a share as :func:`percent`, with the decimals that keep it from a 0 or 100 that it is not.

    >>> never_round(0.184), never_round(0.0013), never_round(0.99987), never_round(0.0)
    ('18', '0.1', '99.99', '0')
    """
    rest = 100 * min(share, 1 - share)
    digits = 0 if not 0 < rest < 0.5 else min(int(np.ceil(-np.log10(rest))), 6)
    return percent(share, digits)
