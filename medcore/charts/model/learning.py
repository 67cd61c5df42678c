"""Does more data help: how well models predict by the number of patients they learned from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from medcore.charts.drawing import theme
from medcore.evaluation import Estimate
from medcore.i18n import _

if TYPE_CHECKING:
    from medcore.models.run.learning import LearningCurve, LearningPoint

_LOOKS = ((theme.SECONDARY, "dash"), (theme.PRIMARY, "solid"))


def learning_loss(curve: LearningCurve, *, name: Callable[[str], str] = str) -> go.Figure:
    """Draw log loss by number of training patients, with 95 % intervals; the title says whether more would help.

    ``name`` turns a model's code into what people call it.
    """
    last = curve.of(curve.models[-1])
    return _drawn(
        curve,
        lambda point: point.log_loss,
        title=str(curve.gains[-1].sentence),
        y_title=_("Log loss"),
        alt=_(
            "Log loss by number of training patients: {first} with {n_first}, {last} with {n_last} ({model}).",
            first=f"{last[0].log_loss.value:.3f}",
            n_first=last[0].n_train,
            last=f"{last[-1].log_loss.value:.3f}",
            n_last=last[-1].n_train,
            model=name(curve.models[-1]),
        ),
        name=name,
    )


def learning_auroc(curve: LearningCurve, *, name: Callable[[str], str] = str) -> go.Figure:
    """Draw AUROC by number of training patients, with 95 % intervals."""
    last = curve.of(curve.models[-1])
    title = _(
        "AUROC went from {first} with {n_first} training patients to {last} with {n_last} ({model})",
        first=f"{last[0].auroc.value:.3f}",
        n_first=last[0].n_train,
        last=f"{last[-1].auroc.value:.3f}",
        n_last=last[-1].n_train,
        model=name(curve.models[-1]),
    )
    return _drawn(curve, lambda point: point.auroc, title=title, y_title=_("AUROC"), alt=title, name=name)


def _drawn(
    curve: LearningCurve,
    measure: Callable[[LearningPoint], Estimate],
    *,
    title: str,
    y_title: str,
    alt: str,
    name: Callable[[str], str],
) -> go.Figure:
    figure = theme.new_figure(title=title, x_title=_("Training patients"), y_title=y_title, alt=alt, height=340)
    for model, (colour, dash) in zip(curve.models, _LOOKS[-len(curve.models) :], strict=True):
        points = curve.of(model)
        values = np.array([[e.value, e.low, e.high] for e in (measure(p) for p in points)], dtype=float)
        figure.add_scatter(
            x=[p.n_train for p in points],
            y=values[:, 0],
            error_y={"array": values[:, 2] - values[:, 0], "arrayminus": values[:, 0] - values[:, 1], "thickness": 1.2},
            name=name(model),
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2.5},
            customdata=values[:, 1:],
            hovertemplate="%{y:.3f} (%{customdata[0]:.3f} – %{customdata[1]:.3f})",
        )
    figure.update_xaxes(rangemode="tozero")
    figure.update_yaxes(tickformat=".2f")
    return figure
