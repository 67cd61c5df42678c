"""The numbers that a chart is drawn from, as a table: for who cannot see it, and for who computes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from medcore.charts.drawing import static
from medcore.i18n import _

DIGITS = 6
"""Figures that count: more than a chart shows."""


def numbers(figure: go.Figure) -> pd.DataFrame:
    """Return what a chart shows, a line a point: series, x (or the names along y), y, and from where to where a bar or an interval reaches.

    The columns are named by the axes' titles. A map gives a line for each of its cells.
    """
    layout = figure.layout.to_plotly_json()
    traces = sorted(
        figure.data, key=lambda trace: getattr(trace, "fill", None) not in (None, "none")
    )  # bands come last
    parts = [part for trace in traces if (part := _points(trace.to_plotly_json(), layout)) is not None]
    if not parts:
        return pd.DataFrame()
    found = pd.concat(parts, ignore_index=True).dropna(axis=1, how="all")
    for column in found.select_dtypes("float"):
        found[column] = [float(f"{value:.{DIGITS}g}") for value in found[column]]
    series = _("Series")
    return found.drop(columns=series) if series in found and found[series].nunique() < 2 else found


def _points(trace: Mapping[str, Any], layout: Mapping[str, Any]) -> pd.DataFrame | None:
    """Write one trace's points, its x before its y."""
    axes = {axis: _Axis(layout, trace, axis) for axis in ("x", "y")}
    if trace.get("type") == "heatmap":
        return _cells(trace, axes)
    x, y = _values(trace.get("x")), _values(trace.get("y"))
    if x is None or y is None or not len(x) or trace.get("mode") == "text":
        return None
    columns: dict[str, Any] = {_("Series"): _text(trace.get("name"))}
    along = "x" if trace.get("orientation") == "h" else "y"
    named = axes["y"].words(y).dtype.kind == "O" and axes["x"].words(x).dtype.kind != "O"
    for axis, values in (("y", y), ("x", x)) if named else (("x", x), ("y", y)):
        columns[axes[axis].title] = axes[axis].words(values)
        low, high = _reach(trace, axis, values, base=_values(trace.get("base")) if axis == along else None)
        if low is not None:
            columns[_("{axis}: from", axis=axes[axis].title)] = low
            columns[_("{axis}: to", axis=axes[axis].title)] = high
    return pd.DataFrame(columns)


def _reach(trace: Mapping[str, Any], axis: str, values: Any, base: Any) -> tuple[Any, Any]:
    """Say from where to where a bar that does not begin at zero, or an error bar, reaches."""
    if values.dtype.kind != "f":
        return None, None
    if base is not None:
        return base, base + values
    error = trace.get(f"error_{axis}") or {}
    ahead, behind = _values(error.get("array")), _values(error.get("arrayminus"))
    return (None, None) if ahead is None else (values - (ahead if behind is None else behind), values + ahead)


def _cells(trace: Mapping[str, Any], axes: Mapping[str, _Axis]) -> pd.DataFrame:
    z = np.asarray(trace["z"], dtype=float)
    across, down = (_values(trace.get(axis)) for axis in "xy")
    across, down = (np.arange(n) if v is None else v for v, n in ((across, z.shape[1]), (down, z.shape[0])))
    return pd.DataFrame(
        {
            axes["x"].title: np.tile(axes["x"].words(across), len(down)),
            axes["y"].title: np.repeat(axes["y"].words(down), len(across)),
            _("Value"): z.ravel(),
        }
    )


class _Axis:
    """An axis of a trace: its title, and the words that stand at its ticks."""

    def __init__(self, layout: Mapping[str, Any], trace: Mapping[str, Any], axis: str) -> None:
        found = layout.get(f"{axis}axis{str(trace.get(f'{axis}axis') or axis)[1:]}") or {}
        self.title = _text((found.get("title") or {}).get("text")) or (_("Name") if axis == "y" else _("Place"))
        ticks = zip(found.get("tickvals") or (), found.get("ticktext") or (), strict=False)
        self.ticks = {float(place): _text(word) for place, word in ticks if isinstance(place, int | float)}

    def words(self, values: Any) -> Any:
        """Replace places that have a word by it, where every one has."""
        if self.ticks and all(value in self.ticks for value in values):
            return np.array([self.ticks[value] for value in values], dtype=object)
        return values


def _text(text: object) -> str:
    return static.plain(text).replace("\n", " ").strip()


def _values(values: Any) -> Any:
    """Return values as an array: numbers, or texts without what is meant for plotly."""
    if values is None:
        return None
    array = np.asarray(values)
    if array.dtype.kind in "fiub":
        return array.astype(float)
    return np.array([v if v is None or isinstance(v, float | int) else _text(v) for v in array], dtype=object)
