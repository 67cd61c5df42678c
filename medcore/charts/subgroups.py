"""How the model does in each group of patients, as a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import plotly.graph_objects as go

from medcore.charts.drawing import lines, theme
from medcore.data.shown import Naming, Shown
from medcore.evaluation.figures.estimates import Estimate
from medcore.evaluation.groups.subgroups import Breakdown, Subgroup
from medcore.i18n import N_, _, parted

MEASURES: Mapping[str, tuple[str, Callable[[Subgroup], Estimate], float | None]] = {
    "auroc": (N_("AUROC"), lambda g: g.auroc, 0.5),
    "calibration": (N_("Calibration in the large (0 is perfect)"), lambda g: g.calibration_intercept, 0.0),
    "sensitivity": (N_("Sensitivity"), lambda g: g.confusion.sensitivity, None),
    "ppv": (N_("Positive predictive value"), lambda g: g.confusion.ppv, None),
    "alerts": (N_("Share called positive"), lambda g: g.confusion.alert_rate, None),
    "net_benefit": (N_("Net benefit"), lambda g: g.net_benefit, 0.0),
}


def forest(found: Breakdown, *, measure: str, naming: Naming = Shown) -> go.Figure:
    """Draw one measure with its interval for each group; groups too small to judge are hollow and grey."""
    found = found.shown(naming)
    label, pick, reference = MEASURES[measure]
    known = [(g, pick(g)) for g in found.groups if pick(g).exists]
    judged = [(g, e) for g, e in known if g.judgeable != "no"]
    title = _("{measure}: too few patients to compare groups", measure=_(label))
    if len(judged) > 1:
        ordered = sorted(judged, key=lambda pair: pair[1].value)
        (low, low_value), (high, high_value) = ordered[0], ordered[-1]
        title = _(
            "{measure}: from {low_value} ({low}) to {high_value} ({high})",
            measure=_(label),
            low=theme.escape(low.name),
            low_value=f"{low_value.value:.2f}",
            high=theme.escape(high.name),
            high_value=f"{high_value.value:.2f}",
        )
    said = parted(f"{theme.escape(g.name)} {e:.2f}" for g, e in known)
    figure = theme.new_figure(
        title=title,
        subtitle=_(
            "By {columns}, with 95 % intervals", columns=" · ".join(theme.escape(naming(c)) for c in found.columns)
        ),
        x_title=_(label),
        y_title="",
        alt=_("{finding}. Each group: {groups}.", finding=title, groups=said),
        height=150 + 42 * len(known),
    )
    for sure, name, colour, symbol in (
        (True, _("Enough patients"), theme.PRIMARY, "circle"),
        (False, _("Too few to judge"), theme.MUTED, "circle-open"),
    ):
        rows = [(g, e) for g, e in known if (g.judgeable != "no") is sure]
        if rows:
            _points(figure, rows, name=name, colour=colour, symbol=symbol)
    if reference is not None:
        figure.add_vline(x=reference, line={"color": theme.MUTED, "width": 1.5, "dash": "dot"})
    order = [_row_name(g) for g, _e in known]
    figure.update_yaxes(categoryorder="array", categoryarray=order[::-1], showgrid=False)
    return figure


def _points(figure: go.Figure, rows: list[tuple[Subgroup, Estimate]], *, name: str, colour: str, symbol: str) -> None:
    figure.add_scatter(
        x=lines.rounded([e.value for _g, e in rows]),
        y=[_row_name(g) for g, _e in rows],
        error_x={
            "type": "data",
            "symmetric": False,
            "array": lines.rounded([max(e.high - e.value, 0) for _g, e in rows]),
            "arrayminus": lines.rounded([max(e.value - e.low, 0) for _g, e in rows]),
            "color": colour,
            "thickness": 2,
            "width": 4,
        },
        mode="markers",
        marker={"color": colour, "size": 10, "symbol": symbol},
        name=name,
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )


def _row_name(group: Subgroup) -> str:
    return _("{group} ({events} of {n})", group=theme.escape(group.name), events=group.n_events, n=group.n)
