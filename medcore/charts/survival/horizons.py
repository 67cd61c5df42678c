"""Risks by a horizon judged, as pictures: what happened to groups by risk, calibration, decision curve, AUROC over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from medcore.charts.calibration import calibration
from medcore.charts.drawing import lines, theme
from medcore.charts.utility import decision_curve
from medcore.data.follow_up import UNIT_NAMES, span, whole_unit
from medcore.evaluation import CalibrationCurve, DecisionCurve, Estimate, IncidenceCurve, SurvivalPerformance
from medcore.evaluation.survival.groups import GroupAtHorizon
from medcore.i18n import _, listed, parted
from medcore.statistics.arrays import Floats
from medcore.targets.event_time import DAYS, TimeUnit

FAR_APART = 0.1
"""Risks of two models further apart than this may lead to another decision."""
_LINE = 0.075
"""Height of a line of the table of numbers at risk, as a share of the figure."""


def incidence_by_risk(
    curves: Sequence[IncidenceCurve], *, when: str, unit: str, competing: bool, per: float = 1.0
) -> go.Figure:
    """Draw the cumulative incidence of groups by risk, lowest first, with how many are still followed below.

    ``when`` is the horizon in words ("5 years"), ``unit`` that of the axis, of which each holds ``per`` of the
    follow-up's; ``competing`` says whether other events compete.
    """
    names = [_group_name(c) for c in curves]
    found = _("Only one group of risk can be told apart")
    if len(curves) > 1:
        found = _(
            "Within {when}, {high} of 100 patients with the highest risks had the event, and {low} of 100 with the lowest",
            when=when,
            high=lines.percent(curves[-1].by_horizon.value),
            low=lines.percent(curves[0].by_horizon.value),
        )
    estimator = _("Kaplan–Meier estimates") if not competing else _("Aalen–Johansen estimates, other events competing")
    figure = theme.new_figure(
        title=found,
        subtitle=estimator,
        x_title=_("Time ({unit})", unit=unit),
        y_title=_("Had the event by then"),
        alt=_(
            "Cumulative incidence by group of risk. {finding}. Still followed at the end of the axis: {left}.",
            finding=found,
            left=parted(f"{n}: {c.at_risk[-1]}" for n, c in zip(names, curves, strict=True)),
        ),
        height=400 + 26 * len(curves),
    )
    hover = _("By {x}: {y}", x="%{x:.4g}", y="%{y:.1%}")
    for i, (name, curve) in enumerate(zip(names, curves, strict=True)):
        shown = np.isfinite(curve.low)
        times, low, high = (_stepped(v[shown]) for v in (curve.times / per, curve.low, curve.high))
        lines.band(figure, times[1:], low[:-1], high[:-1], name=_("95 % interval"), index=i)
        lines.line(figure, curve.times / per, curve.incidence, name=name, index=i, hover=hover, line={"shape": "hv"})
    lines.shares(figure, x=False)
    _still_followed(figure, curves, names, per)
    top = max(float(np.nanmax(np.append(c.incidence, c.high))) for c in curves)
    figure.layout.yaxis.update(range=[-0.01, min(1.01, 1.1 * top + 0.02)], dtick=None)
    theme.legend_in(figure, "top left")
    return figure


def _stepped(values: Floats) -> Floats:
    """Repeat every value, so that a shifted pair draws steps."""
    return np.repeat(values, 2)


def _group_name(curve: IncidenceCurve) -> str:
    return _("Risk {low}–{high} %", low=lines.percent(curve.lowest), high=lines.percent(curve.highest))


def _still_followed(figure: go.Figure, curves: Sequence[IncidenceCurve], names: Sequence[str], per: float) -> None:
    """Write how many of each group are at risk at every tick, under the curves."""
    ticks = curves[0].ticks / per
    for i, (name, curve) in enumerate(zip(names, curves, strict=True)):
        figure.add_scatter(
            x=lines.rounded(ticks),
            y=[-i] * len(ticks),
            yaxis="y2",
            mode="text",
            text=[f"{n}" for n in curve.at_risk],
            textfont={"color": lines.colour_of(i), "size": 12},
            name=name,
            hovertemplate=_("{n} still followed at {x}", n="%{text}", x="%{x:.4g}") + "<extra>%{fullData.name}</extra>",
            showlegend=False,
        )
    share = min(0.4, _LINE * len(curves))
    edge = 0.03 * float(ticks[-1])
    figure.update_layout(
        yaxis={"domain": [share + 0.14, 1]},
        yaxis2={
            "domain": [0, share],
            "anchor": "x",
            "range": [-len(curves) + 0.4, 0.6],
            "showgrid": False,
            "zeroline": False,
            "tickformat": "d",
            "dtick": 1,
            "showticklabels": False,
            "title": {"text": _("At risk"), "font": {"size": 12}},
        },
    )
    figure.update_xaxes(range=[-edge, float(ticks[-1]) + edge], tickvals=[float(t) for t in ticks], anchor="y2")


def groups(found: Mapping[str, GroupAtHorizon], *, when: str) -> go.Figure:
    """Draw what was observed within a horizon in each group of patients beside what was predicted."""
    apart = [abs(g.observed.value - g.mean_risk) for g in found.values() if g.observed.exists]
    figure = theme.new_figure(
        title=_(
            "Observed and predicted shares differ by up to {n} of 100 between groups",
            n=f"{100 * max(apart, default=0.0):.0f}",
        ),
        x_title=_("Share with the event within {when}", when=when),
        y_title="",
        alt=parted(f"{n}: {g.observed:.2f}, {g.mean_risk:.2f}" for n, g in found.items()),
        height=160 + 44 * max(1, len(found)),
    )
    names = [theme.escape(name) for name in found]
    values = [g.observed for g in found.values()]
    bars = {
        "type": "data",
        "symmetric": False,
        "array": lines.rounded([e.high - e.value for e in values]),
        "arrayminus": lines.rounded([e.value - e.low for e in values]),
        "thickness": 1.2,
        "width": 4,
        "color": lines.colour_of(0),
    }
    hover = "%{y}: %{x:.1%}<extra>%{fullData.name}</extra>"
    marker = {"size": 9, "color": lines.colour_of(0)}
    observed = lines.rounded([e.value for e in values])
    figure.add_scatter(
        x=observed, y=names, mode="markers", error_x=bars, marker=marker, name=_("Observed"), hovertemplate=hover
    )
    predicted = lines.rounded([g.mean_risk for g in found.values()])
    marker = {"size": 9, "symbol": "diamond-open", "color": lines.colour_of(1)}
    figure.add_scatter(x=predicted, y=names, mode="markers", marker=marker, name=_("Predicted"), hovertemplate=hover)
    figure.update_xaxes(tickformat=".0%", rangemode="tozero")
    figure.update_yaxes(autorange="reversed")
    return figure


def agreement(a: Floats, b: Floats, *, name_a: str, name_b: str, when: str) -> go.Figure:
    """Draw two models' risks of the same patients within a horizon against each other."""
    share = float(np.mean(np.abs(a - b) > FAR_APART))
    figure = theme.new_figure(
        title=_(
            "The two give {n} of 100 patients risks more than {far} points apart",
            n=f"{100 * share:.0f}",
            far=round(100 * FAR_APART),
        ),
        x_title=_("Risk within {when}: {name}", when=when, name=theme.escape(name_a)),
        y_title=_("Risk within {when}: {name}", when=when, name=theme.escape(name_b)),
        alt=_("Risks of both models, a dot a patient; on the line both say the same."),
        height=420,
    )
    figure.add_scatter(
        x=lines.rounded(a),
        y=lines.rounded(b),
        mode="markers",
        marker={"size": 5, "opacity": 0.5, "color": lines.colour_of(0)},
        name=_("Patients"),
        hovertemplate="%{x:.1%}, %{y:.1%}<extra></extra>",
    )
    lines.reference(figure, [0, 1], [0, 1], name=_("The same risk"))
    lines.shares(figure)
    return figure


def participants(parts: Mapping[str, Sequence[int]], *, event: str, when: str) -> go.Figure:
    """Draw of each part of a study what share of its patients had had the event by a horizon, and who was censored.

    ``parts`` holds by name five counts: the event by then, the event later, another event first, followed to the
    horizon without any, censored before.
    """
    kinds = [
        _("{event} within {horizon}", event=event, horizon=when),
        _("The event later"),
        _("Another event first"),
        _("Followed for {horizon} or longer without", horizon=when),
        _("Censored before"),
    ]
    first = next(iter(parts.values()))
    figure = theme.new_figure(
        title=_(
            "Of {n} patients trained on, {k} were censored before {horizon}", n=sum(first), k=first[-1], horizon=when
        ),
        x_title=_("Share of the patients"),
        y_title="",
        alt=parted(
            f"{name}: " + listed(f"{k} {n}" for k, n in zip(kinds, counts, strict=True) if n)
            for name, counts in parts.items()
        ),
        height=180 + 60 * len(parts),
    )
    before = np.zeros(len(parts))
    for i, kind in enumerate(kinds):
        counts = [c[i] for c in parts.values()]
        if any(counts):
            shares = np.array([n / max(1, sum(c)) for n, c in zip(counts, parts.values(), strict=True)])
            figure.add_bar(
                y=[theme.escape(name) for name in parts],
                x=shares.tolist(),
                base=before.tolist(),
                orientation="h",
                name=theme.escape(kind),
                text=[str(n) if n else "" for n in counts],
                textposition="inside",
                marker={"color": lines.colour_of(i)},
                hovertemplate="%{x:.1%}<extra>%{fullData.name}</extra>",
            )
            before = before + shares
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(range=[0, 1], tickformat=".0%")
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure


def calibration_at_horizon(
    curves: Mapping[str, CalibrationCurve], metrics: Mapping[str, Mapping[str, Estimate]], *, when: str
) -> go.Figure:
    """Draw calibration curves of risks by a horizon (``when``, in words) by model; ``metrics`` by the same names."""
    figure = calibration(curves, metrics)
    figure.update_xaxes(title_text=_("Predicted risk within {when}", when=when))
    figure.layout.yaxis.title.text = _("Observed share within {when}", when=when)
    return figure


def decision_at_horizon(curves: Mapping[str, DecisionCurve], *, when: str, threshold: float | None = None) -> go.Figure:
    """Draw the net benefit of acting on risks by a horizon (``when``, in words) by model."""
    figure = decision_curve(curves, threshold=threshold)
    figure.update_xaxes(title_text=_("Threshold of risk within {when}", when=when))
    return figure


def auroc_over_time(models: Mapping[str, SurvivalPerformance], *, measured_in: TimeUnit) -> go.Figure:
    """Draw the AUROC by each horizon with its interval, by model, in a unit of which all horizons are whole numbers."""
    name, first = next(iter(models.items()))
    shown = whole_unit(first.horizons, measured_in)
    unit, per = _(UNIT_NAMES[shown]), DAYS[shown] / DAYS[measured_in]
    whole = all(float(_short(h / per)).is_integer() for h in first.horizons)
    words = [_short(h / per) if whole else str(span(h, measured_in)) for h in first.horizons]
    judged = [h for h in first.at if h.metrics["auroc"].exists]
    found = _("Discrimination cannot be judged by any of these horizons")
    if judged:
        values = [h.metrics["auroc"].value for h in judged]
        found = _(
            "Between {low} and {high} of 100 times, depending on the horizon, the patient with the event by then was given the higher risk",
            low=lines.percent(min(values)),
            high=lines.percent(max(values)),
        )
    told = parted(f"{_short(h.horizon / per)} {unit}: {h.metrics['auroc']:.2f}" for h in judged)
    figure = theme.new_figure(
        title=found,
        x_title=_("Horizon ({unit})", unit=unit) if whole else _("Horizon"),
        y_title=_("AUROC"),
        alt=_("AUROC by horizon. {finding}. {name}: {figures}.", finding=found, name=theme.escape(name), figures=told),
        height=360,
    )
    least = 0.5
    for i, (label, performance) in enumerate(models.items()):
        areas = [h.metrics["auroc"] for h in performance.at]
        least = min([least, *(e.low for e in areas if np.isfinite(e.low)), *(e.value for e in areas if e.exists)])
        figure.add_scatter(
            x=lines.rounded(np.array(performance.horizons) / per),
            y=lines.rounded([e.value for e in areas]),
            error_y={
                "type": "data",
                "symmetric": False,
                "array": lines.rounded([e.high - e.value for e in areas]),
                "arrayminus": lines.rounded([e.value - e.low for e in areas]),
                "thickness": 1.2,
                "width": 4,
                "color": lines.colour_of(i),
            },
            mode="lines+markers",
            name=theme.escape(label),
            line={"color": lines.colour_of(i), "width": 2, "dash": theme.class_dash(i)},
            marker={"size": 8},
            hovertemplate=_("By {x}: AUROC {y}", x="%{x:.4g}", y="%{y:.3f}") + "<extra>%{fullData.name}</extra>",
        )
    ends = [round(h / per, 4) for h in first.horizons]
    lines.reference(figure, [0, 1.05 * ends[-1]], [0.5, 0.5], name=_("Chance"))
    figure.update_yaxes(range=[least - 0.03, 1.01])
    figure.update_xaxes(range=[0, 1.05 * ends[-1]], tickvals=ends, ticktext=words)
    theme.legend_in(figure, "bottom right")
    return figure


def _short(time: float) -> str:
    """Write a horizon to two decimals at the most."""
    return f"{round(time, 2):g}"
