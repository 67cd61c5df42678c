"""Two models side by side, and one model against itself fitted again, as pictures."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from medcore.charts.drawing import lines, theme
from medcore.evaluation.comparison.instability import Instability
from medcore.evaluation.comparison.paired import BenefitDifference
from medcore.evaluation.figures.estimates import Floats
from medcore.i18n import _

#: More patients than this cannot be told apart in a scatter.
MOST_POINTS = 1500
#: About this share of 95 % intervals excludes no difference by chance alone.
CHANCE = 0.05


def benefit_difference(found: BenefitDifference, *, name_a: str, name_b: str) -> go.Figure:
    """Draw what A gains over B over all thresholds, with its band."""
    a, b = theme.escape(name_a), theme.escape(name_b)
    better_a, better_b = found.better()
    title = _("At hardly any threshold can {a} be shown to be better or worse than {b}", a=a, b=b)
    if max(better_a, better_b) > CHANCE:
        title = _(
            "{a} is shown to be better at {better_a} % of thresholds, {b} at {better_b} %, each threshold by itself",
            a=a,
            b=b,
            better_a=lines.percent(better_a),
            better_b=lines.percent(better_b),
        )
    figure = theme.new_figure(
        title=title,
        subtitle=_("Net benefit of {a} less that of {b}, with 95 % intervals", a=a, b=b),
        x_title=_("Threshold of risk"),
        y_title=_("Difference per 100 patients"),
        alt=_("Difference of two decision curves. {finding}.", finding=title),
    )
    bounds = (100 * found.low, 100 * found.high)
    lines.band(figure, found.thresholds, *bounds, name=_("95 % interval"), index=0)
    lines.reference(figure, [0, 1], [0, 0], name=_("No difference"), dash="dash")
    hover = _("At {x}: {y} per 100 patients", x="%{x:.0%}", y="%{y:.1f}")
    lines.line(figure, found.thresholds, 100 * found.difference, name=name_a, index=0, hover=hover)
    figure.update_xaxes(range=[0, 1], tickformat=".0%")
    # Near a threshold of 1 a single false positive weighs 99 true ones: the axis is for the rest.
    reach = 1.3 * float(np.quantile(np.abs(np.concatenate(bounds)), 0.85)) or 1.0
    figure.update_yaxes(range=[-reach, reach])
    return figure


def agreement(outcome: Floats, risk_a: Floats, risk_b: Floats, *, name_a: str, name_b: str) -> go.Figure:
    """Draw each patient's two risks; at most 1,500 patients, evenly by risk, are shown."""
    apart = float(np.mean(np.abs(risk_a - risk_b) > 0.1))
    title = _("For {n} of 100 patients the two risks are more than 10 points apart", n=lines.percent(apart))
    figure = theme.new_figure(
        title=title,
        x_title=_("Risk by {name}", name=theme.escape(name_b)),
        y_title=_("Risk by {name}", name=theme.escape(name_a)),
        alt=_("Each patient's risk by two models. {finding}.", finding=title),
        height=420,
    )
    lines.reference(figure, [0, 1], [0, 1], name=_("Same risk"))
    order = np.argsort(risk_a, kind="stable")
    shown = order[np.unique(np.linspace(0, len(order) - 1, min(MOST_POINTS, len(order))).astype(int))]
    for event, name, colour, symbol in (
        (0, _("Without"), theme.NEGATIVE, "circle"),
        (1, _("With the outcome"), theme.POSITIVE, "x"),
    ):
        rows = shown[outcome[shown] == event]
        figure.add_scatter(
            x=lines.rounded(risk_b[rows]),
            y=lines.rounded(risk_a[rows]),
            mode="markers",
            name=name,
            marker={"color": colour, "size": 6, "opacity": 0.55, "symbol": symbol},
            hovertemplate="%{y:.1%}, %{x:.1%}<extra></extra>",
        )
    lines.shares(figure)
    return figure


def instability(found: Instability, *, name: str) -> go.Figure:
    """Draw how far a patient's risk moves when the model is fitted again, over the risk."""
    title = _(
        "Fitted again, a patient's risk moves by {mean} points on average; for 1 in 10 patients by more than {high}",
        mean=lines.percent(found.mean, 1),
        high=lines.percent(found.ninth_decile, 1),
    )
    figure = theme.new_figure(
        title=title,
        subtitle=_(
            "{name}: standard deviation over models fitted again, {n} patients", name=theme.escape(name), n=found.n
        ),
        x_title=_("Predicted risk"),
        y_title=_("Spread of the risk"),
        alt=_("Instability of risks. {finding}.", finding=title),
    )
    hover = _("At a risk about {x}: {y}", x="%{x:.0%}", y="%{y:.1%}")
    lines.line(figure, found.risk, found.middle, name=_("Middle patient"), index=0, hover=hover)
    lines.line(figure, found.risk, found.high, name=_("9 in 10 patients are below"), index=1, hover=hover)
    figure.update_xaxes(range=[0, 1], tickformat=".0%")
    figure.update_yaxes(rangemode="tozero", tickformat=".0%")
    return figure
