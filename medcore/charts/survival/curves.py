"""By when the event comes: one patient's curve beside what happened to others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from medcore.charts.drawing import lines, theme
from medcore.explanation.patient.over_time import PatientCurve
from medcore.i18n import _
from medcore.statistics.survival.censoring import Censoring


def patient_curve(
    found: PatientCurve, *, name: str, horizons: Sequence[float], unit: str, per: float = 1.0
) -> go.Figure:
    """Draw a patient's cumulative incidence beside that observed among similar patients, and among all.

    ``unit`` is that of the axis, of which each holds ``per`` of the follow-up's.
    """
    times = found.times / per
    at = lines.percent(float(found.risk[-1]))
    figure = theme.new_figure(
        title=_("The risk of this patient rises to {percent} of 100", percent=at),
        x_title=_("Time ({unit})", unit=unit),
        y_title=_("Has had it by then: {name}", name=name),
        alt=_(
            "The patient’s risk by each time, beside what was observed among {n} similar patients.", n=found.n_similar
        ),
        height=380,
    )
    hover = _("{y} by {x}", y="%{y:.1%}", x="%{x:.4g}")
    lines.band(figure, times, found.risk_low, found.risk_high, name=_("Observed at such a risk (95 %)"), index=0)
    lines.line(figure, times, found.risk, name=_("This patient"), index=0, hover=hover)
    lines.band(figure, times, found.low, found.high, name=_("95 % interval of similar patients"), index=1)
    similar = _("{n} most similar patients, observed", n=found.n_similar)
    lines.line(figure, times, found.similar, name=similar, index=1, hover=hover, line_shape="hv")
    lines.line(
        figure,
        times,
        found.everybody,
        name=_("All training patients, observed"),
        index=2,
        hover=hover,
        line_shape="hv",
    )
    _mark(figure, horizons, per)
    lines.shares(figure, x=False)
    return figure


def follow_up(found: Censoring, *, horizons: Sequence[float], unit: str, per: float = 1.0) -> go.Figure:
    """Draw what share of the patients would still be followed had nobody had an event (reverse Kaplan–Meier).

    ``horizons`` are marked; ``unit`` is that of the axis, of which each holds ``per`` of the follow-up's.
    """
    times = np.concatenate([[0.0], found.table.times]) / per
    share = np.concatenate([[1.0], found.uncensored])
    asked = sorted(horizons)
    last = asked[-1] if asked else float(found.table.times[-1])
    left = float(share[int(np.searchsorted(times, last / per, side="right")) - 1])
    title = _(
        "Of 100 patients without an event, {n} were followed for {time} {unit}",
        n=lines.percent(left),
        time=f"{round(last / per, 2):g}",
        unit=unit,
    )
    figure = theme.new_figure(
        title=title,
        subtitle=_("Reverse Kaplan–Meier: censoring counts, events end the looking"),
        x_title=_("Time ({unit})", unit=unit),
        y_title=_("Still followed"),
        alt=title,
        height=280,
    )
    hover = _("{y} by {x}", y="%{y:.1%}", x="%{x:.4g}")
    lines.line(figure, times, share, name=_("Still followed"), index=0, hover=hover, line_shape="hv")
    _mark(figure, asked, per)
    lines.shares(figure, x=False)
    return figure


def _mark(figure: go.Figure, horizons: Sequence[float], per: float) -> None:
    """Draw a line at each horizon."""
    for horizon in horizons:
        figure.add_vline(x=horizon / per, line={"color": theme.MUTED, "width": 1, "dash": "dot"})
