"""How a run is learning: loss and AUROC by epoch, readable while it runs."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from medcore.charts.drawing import theme
from medcore.i18n import _
from medcore.models.contract.progress import Progress

MAX_POINTS = 500
"""More points a line than this cannot be told apart and slow a live page."""


def epochs_of(points: Sequence[Progress]) -> tuple[Progress, ...]:
    """Return the moments of the part of a run that is learning now, or learned last, by epoch."""
    learning = [p for p in points if p.n_epochs > 0 and p.epoch > 0 and (p.loss is not None or p.val_loss is not None)]
    if not learning:
        return ()
    last = learning[-1]
    by_epoch = {p.epoch: p for p in learning if (p.stage, p.model) == (last.stage, last.model)}
    return _thinned([by_epoch[epoch] for epoch in sorted(by_epoch)])


def has_auroc(points: Sequence[Progress]) -> bool:
    """Whether the model tells classes apart while it learns: a number, or an event with its time, has another loss and no AUROC."""
    known = (a for p in points for a in (p.auroc, p.val_auroc) if a is not None)
    return any(a == a for a in known)  # a number's are NaN


def loss_curve(points: Sequence[Progress]) -> go.Figure:
    """Draw training and validation loss by epoch; the band holds every network trained together."""
    curve = epochs_of(points)
    last = curve[-1] if curve else None
    ranks = has_auroc(curve)
    figure = _figure(
        title=_("Loss: how far the risks are from the outcomes")
        if ranks
        else _("Loss: how far the predictions are from the outcomes"),
        y_title=_("Log loss") if ranks else _("Loss"),
        alt=_(
            "Loss by epoch. After {epoch} epochs the training loss is {loss} and the validation loss {val_loss}.",
            epoch=last.epoch if last else 0,
            loss=_number(last.loss if last else None),
            val_loss=_number(last.val_loss if last else None),
        ),
        n_epochs=last.n_epochs if last else 0,
    )
    _band(figure, curve, "val_loss_low", "val_loss_high")
    _line(figure, curve, "loss", _("Training patients"), theme.SECONDARY, "dash")
    _line(figure, curve, "val_loss", _("Validation patients"), theme.PRIMARY, "solid")
    return figure


def auroc_curve(points: Sequence[Progress]) -> go.Figure:
    """Draw training and validation AUROC by epoch, against chance."""
    curve = epochs_of(points)
    last = curve[-1] if curve else None
    figure = _figure(
        title=_("AUROC: how well the risks rank patients"),
        y_title=_("AUROC"),
        alt=_(
            "AUROC by epoch. After {epoch} epochs it is {auroc} in training and {val_auroc} in validation.",
            epoch=last.epoch if last else 0,
            auroc=_number(last.auroc if last else None),
            val_auroc=_number(last.val_auroc if last else None),
        ),
        n_epochs=last.n_epochs if last else 0,
    )
    _band(figure, curve, "val_auroc_low", "val_auroc_high")
    _line(figure, curve, "auroc", _("Training patients"), theme.SECONDARY, "dash")
    _line(figure, curve, "val_auroc", _("Validation patients"), theme.PRIMARY, "solid")
    figure.update_yaxes(tickformat=".2f")
    return figure


def _figure(*, title: str, y_title: str, alt: str, n_epochs: int) -> go.Figure:
    figure = theme.new_figure(title=title, x_title=_("Epoch"), y_title=y_title, alt=alt, height=300)
    figure.update_xaxes(range=[0, max(1, n_epochs)])
    figure.update_layout(hovermode="x unified", margin={"r": 8})
    return figure


def _line(figure: go.Figure, curve: Sequence[Progress], field: str, name: str, colour: str, dash: str) -> None:
    known = [(p.epoch, getattr(p, field)) for p in curve if getattr(p, field) is not None]
    if known:
        x, y = zip(*known, strict=True)
        line = {"color": colour, "dash": dash, "width": 2.5}
        figure.add_scatter(x=x, y=y, name=name, mode="lines", line=line, hovertemplate="%{y:.3f}")


def _band(figure: go.Figure, curve: Sequence[Progress], low: str, high: str) -> None:
    known = [
        (p.epoch, getattr(p, low), getattr(p, high)) for p in curve if None not in (getattr(p, low), getattr(p, high))
    ]
    if known:
        x, lower, upper = zip(*known, strict=True)
        figure.add_scatter(
            x=[*x, *reversed(x)],
            y=[*upper, *reversed(lower)],
            name=_("All networks"),
            fill="toself",
            fillcolor=theme.BAND,
            line={"width": 0},
            hoverinfo="skip",
        )


def _thinned(curve: list[Progress]) -> tuple[Progress, ...]:
    if len(curve) <= MAX_POINTS:
        return tuple(curve)
    step = (len(curve) - 1) / (MAX_POINTS - 1)
    return tuple(curve[round(i * step)] for i in range(MAX_POINTS))


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
