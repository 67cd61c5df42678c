"""A model in use, month by month, as pictures: control charts, CUSUMs, and what is expected before outcomes are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from medcore.charts.drawing import lines, theme
from medcore.data.shown import Naming, Shown
from medcore.i18n import N_, _, listed
from medcore.i18n import number as written
from medcore.monitoring.chart import FIGURES, SHARES, Chart
from medcore.monitoring.expected import Expected
from medcore.monitoring.running import Cusum
from medcore.statistics.arrays import Floats

HEIGHT = 320
MOST_TICKS = 4
"""Months that are written along an axis: more would stand aslant on a telephone, and in the way of the legend."""
FARTHEST = 2.5
"""Distances of the limit from the centre beyond which a month is drawn at the edge."""
AXES = {
    "volume": N_("Predictions a month"),
    "missing": N_("Patients without a value (%)"),
    "unused": N_("Patients with such a value (%)"),
    "unseen": N_("Patients with such a value (%)"),
    "outside": N_("Patients with such a value (%)"),
    "difference": N_("Difference (standard deviations)"),
    "risk": N_("Difference (standard deviations)"),
    "alerts": N_("Alerts per 100 patients"),
    "auroc": N_("AUROC"),
    "calibration_intercept": N_("Intercept (log odds; 0 is perfect)"),
    "o_e_ratio": N_("Observed over expected (1 is perfect)"),
    "mae": N_("Mean absolute error"),
    "mean_error": N_("Measured less predicted (0 is perfect)"),
    "coverage": N_("Patients inside their interval (%)"),
    "calibration_slope": N_("Slope (1 is perfect)"),
    "net_benefit": N_("True positives per 100 patients"),
}


def control_chart(chart: Chart, months: Sequence[str], *, naming: Naming = Shown) -> go.Figure:
    """Draw one figure of every month between its limits; months of reference are hollow, those beyond a limit are diamonds."""
    scale = 100.0 if chart.figure in (*SHARES, "net_benefit") else 1.0
    value, low, high = (scale * part for part in (chart.value, chart.low, chart.high))
    found = _finding(chart, months, naming)
    figure = theme.new_figure(
        title=found,
        subtitle=_(
            "{place}; chance alone passes a limit in {rate} % of months",
            place=_where(chart, naming),
            rate=f"{100 * chart.rate:.2g}",
        ),
        x_title=_("Month"),
        y_title=_(AXES[chart.figure]),
        alt=_(
            "Control chart of {figure}. {finding} {values}",
            figure=_name(chart, naming),
            finding=found,
            values=listed(f"{m} {written(v, '.3g')}" for m, v in zip(months, value, strict=True) if np.isfinite(v)),
        ),
        height=HEIGHT,
    )
    _draw_limits(figure, low, high)
    if np.isfinite(chart.centre) and chart.figure not in ("difference", "risk"):
        lines.reference(
            figure, [0, len(months) - 1], [scale * chart.centre] * 2, name=_("Months of reference together")
        )
    shown = _within(scale * chart.centre, value, low, high)
    _draw_values(figure, chart, months, value, shown)
    every = np.concatenate([shown, low, high])
    if np.isfinite(every).any():
        least, most = float(np.nanmin(every)), float(np.nanmax(every))
        figure.layout.yaxis.range = [least - 0.08 * (most - least), most + 0.08 * (most - least)]
    _months(figure, months)
    return figure


def _draw_limits(figure: go.Figure, low: Floats, high: Floats) -> None:
    """Draw the limits that there are, named once."""
    drawn = [bound for bound in (high, low) if np.isfinite(bound).any()]
    for place, bound in enumerate(drawn):
        figure.add_scatter(
            x=list(range(len(bound))),
            y=lines.rounded(bound),
            mode="lines",
            line={"color": theme.SECONDARY, "width": 1.5, "dash": "dash"},
            name=_("Control limits"),
            showlegend=place == 0,
            hovertemplate=_("Limit {y}", y="%{y:.3g}") + "<extra></extra>",
        )


def _draw_values(figure: go.Figure, chart: Chart, months: Sequence[str], value: Floats, shown: Floats) -> None:
    """Draw each month's value where it is ``shown``; one that is drawn nearer than it is has it written beside."""
    beyond = chart.beyond
    symbols = np.where(beyond, "diamond", np.where(chart.judged, "circle", "circle-open"))
    colours = np.where(beyond, theme.POSITIVE, theme.PRIMARY)
    figure.add_scatter(
        x=list(range(len(months))),
        y=lines.rounded(shown),
        customdata=[[written(v, ".3g"), month] for v, month in zip(value, months, strict=True)],
        mode="lines+markers+text",
        text=[
            written(v, ".3g") if far else ""
            for v, far in zip(value, np.isfinite(value) & (shown != value), strict=True)
        ],
        textposition="bottom center",
        line={"color": theme.PRIMARY, "width": 2},
        marker={"size": np.where(beyond, 12, 8).tolist(), "symbol": symbols.tolist(), "color": colours.tolist()},
        name=_("Month"),
        hovertemplate=_("{y} in {x}", y="%{customdata[0]}", x="%{customdata[1]}") + "<extra></extra>",
        showlegend=False,
    )


def _where(one: Chart | Cusum | Expected, naming: Naming) -> str:
    """Name the place, and the class where there are several."""
    place = str(theme.escape(one.place.shown(naming)))
    return (
        place
        if one.of_class is None
        else _("{place}, {class}", **{"place": place, "class": theme.escape(one.of_class)})
    )


def _within(centre: float, value: Floats, low: Floats, high: Floats) -> Floats:
    """Keep what lies far beyond its limit near enough to it that the others can be told apart; its value is written beside it."""
    if not np.isfinite(centre):
        return value
    far = max(
        (float(np.nanmax(np.abs(side - centre))) for side in (low, high) if np.isfinite(side).any()), default=np.inf
    )
    return np.asarray(np.clip(value, centre - FARTHEST * far, centre + FARTHEST * far))


def _months(figure: go.Figure, months: Sequence[str]) -> None:
    """Write months at some places along the axis."""
    every = -(-len(months) // MOST_TICKS)
    places = list(range(0, len(months), every))
    figure.layout.xaxis.update(
        {
            "tickangle": 0,
            "tickvals": places,
            "ticktext": [months[p] for p in places],
            "range": [-0.5, len(months) - 0.5],
        }
    )


def _name(chart: Chart, naming: Naming) -> str:
    column = f" – {theme.column(naming(chart.column))}" if chart.column else ""
    return f"{_(FIGURES[chart.figure])}{column}"


def _finding(chart: Chart, months: Sequence[str], naming: Naming) -> str:
    beyond = [month for month, out in zip(months, chart.beyond, strict=True) if out]
    name = _name(chart, naming)
    if beyond:
        return _("{figure}: beyond its limits in {months}", figure=name, months=beyond)
    if not chart.judged.any():
        return _("{figure}: no month can be judged yet", figure=name)
    return _("{figure}: within its limits in all {n} judged months", figure=name, n=int(chart.judged.sum()))


_LOOKED_FOR: Mapping[str, str] = {
    "cusum_more": N_("Twice the odds predicted"),
    "cusum_fewer": N_("Half the odds predicted"),
    "cusum_higher": N_("Half a standard deviation higher than predicted"),
    "cusum_lower": N_("Half a standard deviation lower than predicted"),
}


def _cusum_finding(alarms: Sequence[str], *, of_number: bool) -> str:
    if of_number and alarms:
        return _("CUSUM: measured values are not as predicted, alarms in {months}", months=alarms)
    if of_number:
        return _("CUSUM: measured values are as predicted")
    if alarms:
        return _("CUSUM: events did not come as often as predicted, alarms in {months}", months=alarms)
    return _("CUSUM: events come as often as predicted")


def cusum_chart(running: Sequence[Cusum], months: Sequence[str], *, naming: Naming = Shown) -> go.Figure:
    """Draw the CUSUMs of one place over time: upwards that more events came, or numbers were higher, than predicted; downwards the contrary."""
    alarms = sorted({str(at)[:7] for one in running for _first, at in one.alarms})
    place = _where(running[0], naming)
    title = _cusum_finding(alarms, of_number=running[0].of_number)
    figure = theme.new_figure(
        title=title,
        subtitle=_(
            "{place}; set against what was predicted; chance alone passes a limit in {rate} % of months",
            place=place,
            rate=f"{100 * running[0].rate:.2g}",
        ),
        x_title=_("Month"),
        y_title=_("Log-likelihood ratio"),
        alt=_(
            "CUSUM chart of {place}. {finding}. Limits {limits}.",
            place=place,
            finding=title,
            limits=listed(written(one.limit, ".1f") for one in running),
        ),
        height=HEIGHT,
    )
    for index, one in enumerate(running):
        sign = 1.0 if one.looks_for > (0 if one.of_number else 1) else -1.0
        name = _(_LOOKED_FOR[one.figure])
        figure.add_scatter(
            x=_along(one.days, months),
            y=lines.rounded(sign * one.highest),
            customdata=[str(day) for day in one.days],
            mode="lines",
            name=name,
            line={"color": lines.colour_of(index), "width": 2, "dash": theme.class_dash(index)},
            hovertemplate=_("{y} on {x}", y="%{y:.2f}", x="%{customdata}") + "<extra>%{fullData.name}</extra>",
        )
        figure.add_scatter(
            x=[-0.5, len(months) - 0.5],
            y=[sign * one.limit] * 2,
            mode="lines",
            name=_("Control limits"),
            line={"color": theme.MUTED, "width": 1.5, "dash": "dash"},
            showlegend=index == 0,
            hoverinfo="skip",
        )
        days = np.array([at for _first, at in one.alarms], dtype="datetime64[D]")
        figure.add_scatter(
            x=_along(days, months),
            y=[sign * one.limit] * len(days),
            customdata=[str(day) for day in days],
            mode="markers",
            marker={"color": theme.POSITIVE, "size": 10, "symbol": "diamond"},
            name=_("Alarm"),
            showlegend=False,
            hovertemplate=_("Alarm on {x}", x="%{customdata}") + "<extra></extra>",
        )
    _months(figure, months)
    return figure


def _along(days: NDArray[np.datetime64], months: Sequence[str]) -> Floats:
    """Return where days lie among the months, a month's beginning half a place before its tick."""
    month = days.astype("datetime64[M]")
    length = ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(float)
    since = (days.astype("datetime64[D]") - month.astype("datetime64[D]")).astype(float)
    return np.asarray((month - np.datetime64(months[0])).astype(float) + since / length - 0.5)


def expected_chart(
    found: Expected, observed: Chart | None, months: Sequence[str], *, naming: Naming = Shown
) -> go.Figure:
    """Draw the AUROC that the risks of each month promise, an estimate, beside the one that came true where it is known."""
    known = found.auroc[np.isfinite(found.auroc)]
    title = _(
        "Expected AUROC, an estimate before outcomes are known: {first} at first, {last} at last",
        first=written(float(known[0]), ".2f") if len(known) else "–",
        last=written(float(known[-1]), ".2f") if len(known) else "–",
    )
    figure = theme.new_figure(
        title=title,
        subtitle=_where(found, naming),
        x_title=_("Month"),
        y_title=_("AUROC"),
        alt=_("Line of the expected AUROC by month. {finding}.", finding=title),
        height=HEIGHT,
    )
    hover = _("{y} in {x}", y="%{y:.3f}", x="%{customdata}")
    for index, (name, values) in enumerate(
        [(_("Expected from the risks"), found.auroc)] + ([] if observed is None else [(_("Came true"), observed.value)])
    ):
        figure.add_scatter(
            x=list(range(len(months))),
            y=lines.rounded(values),
            customdata=list(months),
            mode="lines+markers",
            name=name,
            line={"color": lines.colour_of(index), "width": 2, "dash": "dot" if index == 0 else "solid"},
            hovertemplate=hover + "<extra>%{fullData.name}</extra>",
        )
    _months(figure, months)
    return figure
