"""Whether predicted risks come true, as a picture."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from medcore.charts.drawing import legend, lines, theme
from medcore.evaluation import CalibrationCurve, Estimate
from medcore.evaluation.verdict import calibration_finding
from medcore.i18n import _, parted

Metrics = Mapping[str, Estimate]


def calibration(
    curves: Mapping[str, CalibrationCurve], metrics: Mapping[str, Metrics], *, title: str = ""
) -> go.Figure:
    """Draw calibration curves by model with band, tenths and histogram; ``metrics`` by the same names.

    Band, tenths and histogram are the first curve's, and so is the finding above, unless a ``title`` speaks of all.
    """
    name, first = next(iter(curves.items()))
    found = title or finding(metrics[name])
    figure = theme.new_figure(
        title=found,
        subtitle=parted(_figures(n, metrics[n]) for n in curves),
        x_title=_("Predicted risk"),
        y_title=_("Observed share"),
        alt=_(
            "Calibration plot. {finding}. {figures}",
            finding=found,
            figures=_figures(name, metrics[name]),
        ),
        height=460,
    )
    lines.reference(figure, [0, 1], [0, 1], name=_("Perfect agreement"))
    for number, part in enumerate(lines.stretches(first.observed)):
        band = (values[part] for values in (first.risk, first.low, first.high))
        lines.band(figure, *band, name=_("95 % interval"), index=0, legend=number == 0)
    for i, (label, curve) in enumerate(curves.items()):
        hover = _("Predicted {x}, observed {y}", x="%{x:.1%}", y="%{y:.1%}")
        lines.line(figure, curve.risk, curve.observed, name=label, index=i, hover=hover)
    _tenths(figure, first)
    figure.add_bar(
        x=lines.rounded((first.edges[:-1] + first.edges[1:]) / 2),
        y=first.counts,
        yaxis="y2",
        marker_color=theme.translucent(theme.MUTED, 0.55),
        hovertemplate=_("{n} patients at a risk about {x}", n="%{y}", x="%{x:.0%}") + "<extra></extra>",
        name=_("Patients"),
        showlegend=False,
    )
    lines.shares(figure)
    figure.update_layout(
        yaxis={"domain": [0.18, 1]},
        yaxis2={"domain": [0, 0.13], "anchor": "x", "showticklabels": False, "showgrid": False, "title": None},
        bargap=0.05,
    )
    figure.update_xaxes(anchor="y2")
    legend.where_free(figure, "top left", "bottom right")
    return figure


def finding(metrics: Metrics) -> str:
    """Say in the current language what calibration slope and calibration in the large mean together."""
    return str(calibration_finding(metrics))


def _tenths(figure: go.Figure, curve: CalibrationCurve) -> None:
    groups = curve.groups
    figure.add_scatter(
        x=lines.rounded([g.mean_risk for g in groups]),
        y=lines.rounded([g.observed.value for g in groups]),
        error_y={
            "type": "data",
            "symmetric": False,
            "array": lines.rounded([g.observed.high - g.observed.value for g in groups]),
            "arrayminus": lines.rounded([g.observed.value - g.observed.low for g in groups]),
            "thickness": 1,
            "width": 3,
            "color": theme.MUTED,
        },
        mode="markers",
        marker={"color": theme.PRIMARY, "size": 7, "symbol": "circle"},
        customdata=[[g.n, g.n_events] for g in groups],
        hovertemplate=_(
            "{events} of {n} patients, predicted {x}, observed {y}",
            events="%{customdata[1]}",
            n="%{customdata[0]}",
            x="%{x:.1%}",
            y="%{y:.1%}",
        )
        + "<extra></extra>",
        name=_("Tenths of the patients by risk"),
    )


def _figures(name: str, metrics: Metrics) -> str:
    return _(
        "{name}: slope {slope}, in the large {intercept}, mean error (ICI) {ici}",
        name=theme.escape(name),
        slope=f"{metrics['calibration_slope']:.2f}",
        intercept=f"{metrics['calibration_intercept']:.2f}",
        ici=f"{metrics['ici']:.3f}",
    )
