"""What acting on the model is worth: the decision curve and the confusion matrix."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from medcore.charts.drawing import legend, lines, marks, theme
from medcore.evaluation import Confusion, DecisionCurve
from medcore.evaluation.curves.calls import CallRule
from medcore.i18n import N_, _, parted

MOST_WITH_SHARES = 5
"""So many classes leave room for counts and shares in the cells on a phone; of more the shares are said at the pointer."""
LINE = 14


def decision_curve(curves: Mapping[str, DecisionCurve], *, threshold: float | None = None) -> go.Figure:
    """Draw net benefit over thresholds by model, against treating everyone and no one."""
    first = next(iter(curves.values()))
    useful = first.useful_range()
    title = _(
        "Over no range of thresholds do 95 % intervals show the model to be better than treating everyone or no one"
    )
    if useful:
        title = _(
            "Between thresholds of {low} % and {high} %, 95 % intervals show acting on the model to be better than treating everyone or no one",
            low=lines.percent(useful[0]),
            high=lines.percent(useful[1]),
        )
    reading = str(first.reading(threshold)) if threshold is not None else ""
    figure = theme.new_figure(
        title=title,
        subtitle=reading,
        x_title=_("Threshold of risk"),
        y_title=_("Net benefit per 100 patients"),
        alt=_("Decision curve. {finding}. {reading}", finding=title, reading=reading),
        height=420,
    )
    for number, part in enumerate(lines.stretches(first.low)):
        bounds = (100 * first.low[part], 100 * first.high[part])
        lines.band(figure, first.thresholds[part], *bounds, name=_("95 % interval"), index=0, legend=number == 0)
    lines.reference(figure, [0, 1], [0, 0], name=_("Treat no one"), dash="dash")
    lines.reference(figure, list(first.thresholds), list(100 * first.treat_all), name=_("Treat everyone"))
    for i, (name, curve) in enumerate(curves.items()):
        hover = _("At {x}: {y} per 100 patients", x="%{x:.0%}", y="%{y:.1f}")
        lines.line(figure, curve.thresholds, 100 * curve.net_benefit, name=name, index=i, hover=hover)
    top = 100 * max(first.prevalence, *(float(np.nanmax(c.net_benefit)) for c in curves.values()))
    figure.update_yaxes(range=[-0.25 * top - 0.5, 1.08 * top + 0.1])
    figure.update_xaxes(range=[0, 1], tickformat=".0%")
    legend.where_free(figure, "top right", "bottom left", "bottom right", "top left")
    if threshold is not None:
        marks.draw(figure, [marks.Mark(threshold)])
    return figure


def confusion_matrix(confusion: Confusion, *, positive: str, negative: str) -> go.Figure:
    """Draw what the threshold does to each 2 × 2 kind of patient, in counts and rates."""
    return _matrix(
        title=confusion_finding(confusion),
        counts=[[confusion.tp, confusion.fn], [confusion.fp, confusion.tn]],
        names=call_names(),
        rows=[theme.escape(positive), theme.escape(negative)],
        columns=[_("Called positive"), _("Called negative")],
        x_title=_("What the threshold calls"),
    )


def confusion_finding(confusion: Confusion) -> str:
    """Say what the threshold finds, and what its alerts are worth."""
    return _(
        "From a risk of {threshold} % on, {found} of 100 with the outcome are found and {true} of 100 alerts are true",
        threshold=f"{100 * confusion.threshold:.3g}",
        found=lines.percent(confusion.sensitivity.value),
        true=lines.percent(confusion.ppv.value),
    )


def call_names() -> list[list[str]]:
    """Name the cells of a 2 × 2 table, with the outcome first and called positive first."""
    return [[_("True alarm"), _("Missed")], [_("False alarm"), _("Rightly left alone")]]


def class_table(table: Sequence[Sequence[int]], classes: Sequence[str], *, rule: CallRule = "likeliest") -> go.Figure:
    """Draw the counts of true class by the class that patients are called by a rule, for more than two classes."""
    counts = np.array(table)
    right = float(np.trace(counts)) / max(int(counts.sum()), 1)
    labels = [theme.escape(c) for c in classes]
    told = N_("For {n} of 100 patients the most probable class is the true one")
    if rule == "beside_share":
        told = N_("For {n} of 100 patients the class whose risk most exceeds its share is the true one")
    return _matrix(
        title=_(told, n=lines.percent(right)),
        counts=counts.tolist(),
        names=[[""] * len(labels) for _row in labels],
        rows=labels,
        columns=labels,
        x_title=_("Most probable class") if rule == "likeliest" else _("Class whose risk most exceeds its share"),
    )


def _matrix(
    *, title: str, counts: list[list[int]], names: list[list[str]], rows: list[str], columns: list[str], x_title: str
) -> go.Figure:
    totals = [max(sum(row), 1) for row in counts]
    crowded = len(columns) > MOST_WITH_SHARES
    cells = [
        [
            f"<b>{n}</b>"
            if crowded
            else "<br>".join(p for p in (f"<b>{n}</b>", name, _share_words(n / total, short=len(columns) > 2)) if p)
            for n, name in zip(row, labels, strict=True)
        ]
        for row, labels, total in zip(counts, names, totals, strict=True)
    ]
    right = [[1.0 if i == j else -1.0 for j in range(len(columns))] for i in range(len(rows))]
    strength = [
        [s * n / t for s, n in zip(signs, row, strict=True)]
        for signs, row, t in zip(right, counts, totals, strict=True)
    ]
    said = parted(
        _("{row}, {column}: {n}", row=r, column=c, n=n)
        for r, row in zip(rows, counts, strict=True)
        for c, n in zip(columns, row, strict=True)
    )
    figure = theme.new_figure(
        title=title,
        x_title=x_title,
        y_title=_("What happened"),
        alt=_("Confusion matrix. {finding}. {cells}.", finding=title, cells=said),
        height=320 if len(rows) < 4 else 160 + (50 if crowded else 70) * len(rows),
    )
    rows, columns = ([_on_lines(label) for label in labels] for labels in (rows, columns))
    figure.add_heatmap(
        z=strength,
        x=columns,
        y=rows,
        zmin=-1,
        zmax=1,
        colorscale=[
            [0, theme.translucent(theme.SECONDARY, 0.45)],
            [0.5, theme.translucent(theme.MUTED, 0.08)],
            [1, theme.translucent(theme.PRIMARY, 0.45)],
        ],
        showscale=False,
        xgap=3,
        ygap=3,
        text=[[_share_words(n / t, short=False) for n in row] for row, t in zip(counts, totals, strict=True)],
        hovertemplate="%{text}<extra></extra>" if crowded else None,
        hoverinfo=None if crowded else "skip",
    )
    for row, texts in zip(rows, cells, strict=True):
        for column, text in zip(columns, texts, strict=True):
            figure.add_annotation(x=column, y=row, text=text, showarrow=False, font={"size": 11 if crowded else 15})
    # Classes called 0 and 1 are names all the same: plotly would draw them on a scale of numbers.
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    figure.update_xaxes(type="category", showgrid=False)
    return figure


def _on_lines(label: str) -> str:
    """Break a long name between its words, so that it leaves room for the cells on a phone."""
    return "<br>".join(textwrap.wrap(label, LINE, break_long_words=False, break_on_hyphens=False)) or label


def _share_words(share: float, *, short: bool) -> str:
    told = lines.never_round(share)
    return f"{told}%" if short else _("{share} % of row", share=told)
