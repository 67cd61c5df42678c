"""What is in a column, by outcome, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from medcore.charts.drawing import theme
from medcore.data.describe.profile import ColumnProfile, Profile
from medcore.data.shown import Naming, Shown
from medcore.i18n import _

MOST_BARS = 30
LEGEND_BELOW = {"orientation": "h", "y": -0.25, "x": 0}


def distribution(
    column: ColumnProfile, classes: Sequence[str], *, height: int = 300, naming: Naming = Shown
) -> go.Figure:
    """Draw a column's distribution within each class, as shares, so that rare classes can be compared.

    A column without values to show (free text, names of patients) gives an empty figure
    that says so.
    """
    if column.numbers is not None:
        return _histogram(column, classes, height, naming(column.name))
    if column.categories is not None and column.categories.names:
        return _bars(column, classes, height, naming(column.name))
    return theme.new_figure(
        title=_("{column}: not shown", column=theme.escape(naming(column.name))),
        x_title="",
        y_title="",
        alt=_("The values of {column} are not shown.", column=theme.escape(naming(column.name))),
        height=height,
    )


def missing_share(profile: Profile, *, most: int = MOST_BARS, naming: Naming = Shown) -> go.Figure:
    """Draw the share of missing values of the columns that lack most, by class where there are classes."""
    lacking = sorted((c for c in profile.columns if c.n_missing), key=lambda c: -c.missing)
    shown = lacking[:most][::-1]
    names = [theme.column(naming(c.name), limit=28) for c in shown]
    figure = theme.new_figure(
        title=_("{n} of {total} columns have missing values", n=len(lacking), total=len(profile.columns)),
        subtitle=_("The {n} with most are shown", n=len(shown)) if len(lacking) > most else "",
        x_title=_("Missing (%)"),
        y_title="",
        alt=_missing_words(lacking, len(profile.columns), naming),
        height=120 + 22 * max(len(shown), 3),
    )
    if profile.classes:
        for k, name in enumerate(profile.classes):
            figure.add_scatter(
                x=[100 * c.missing_by_class[k] for c in shown],
                y=names,
                mode="markers",
                name=theme.escape(name),
                marker={"size": 9, "color": theme.class_colour(k), "symbol": k},
            )
    else:
        figure.add_bar(x=[100 * c.missing for c in shown], y=names, orientation="h", marker_color=theme.PRIMARY)
    figure.update_layout(
        xaxis_range=[-1, 102], legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}, margin_t=48
    )
    return figure


def _histogram(column: ColumnProfile, classes: Sequence[str], height: int, shown: Shown) -> go.Figure:
    numbers = column.numbers
    assert numbers is not None
    edges = np.array(numbers.edges)
    figure = theme.new_figure(
        title=_headline(column, shown),
        x_title=theme.axis_title(shown, column.unit),
        y_title=_("Share of rows (%)"),
        alt=_(
            "Distribution of {column}: median {median}, middle half from {q1} to {q3}, from {low} to {high}.",
            column=theme.escape(shown),
            median=f"{numbers.median:.4g}",
            q1=f"{numbers.q1:.4g}",
            q3=f"{numbers.q3:.4g}",
            low=f"{numbers.low:.4g}",
            high=f"{numbers.high:.4g}",
        ),
        height=height,
    )
    for k, counts in enumerate(numbers.counts):
        share = 100 * np.array(counts) / max(sum(counts), 1)
        colour = theme.class_colour(k) if classes else theme.PRIMARY
        figure.add_scatter(
            x=np.repeat(edges, 2),
            y=np.concatenate([[0], np.repeat(share, 2), [0]]),
            mode="lines",
            name=theme.escape(classes[k]) if classes else _("all rows"),
            line={"color": colour, "width": 2, "dash": theme.class_dash(k)},
            fill="tozeroy",
            fillcolor=theme.translucent(colour, 0.14),
        )
    figure.update_layout(legend=LEGEND_BELOW, showlegend=bool(classes))
    return figure


def _bars(column: ColumnProfile, classes: Sequence[str], height: int, shown: Shown) -> go.Figure:
    categories = column.categories
    assert categories is not None
    counts = np.array(categories.counts, dtype=float)
    names = [theme.escape(shown.value(n), limit=24) for n in categories.names]
    figure = theme.new_figure(
        title=_headline(column, shown),
        subtitle=_("{n} rarer categories are not shown", n=categories.n_others) if categories.n_others else "",
        x_title=_("Share of rows (%)"),
        y_title="",
        alt=_(
            "{column}: the most frequent of {n} categories is {name}.",
            column=theme.escape(shown),
            n=column.n_unique,
            name=names[int(np.argmax(counts.sum(axis=1)))],
        ),
        height=max(height, 150 + 16 * len(names) * max(len(classes), 1) if len(names) > 4 else height),
    )
    total = np.maximum(counts.sum(axis=0), 1)
    for k in range(counts.shape[1]):
        figure.add_bar(
            x=100 * counts[::-1, k] / total[k],
            y=names[::-1],
            orientation="h",
            name=theme.escape(classes[k]) if classes else _("all rows"),
            marker_color=theme.class_colour(k) if classes else theme.PRIMARY,
        )
    figure.update_layout(barmode="group", legend={**LEGEND_BELOW, "traceorder": "normal"}, showlegend=bool(classes))
    figure.update_yaxes(type="category")
    return figure


def _headline(column: ColumnProfile, shown: Shown) -> str:
    name = theme.escape(shown)
    percent = f"{100 * column.missing:.0f}"
    if column.auroc is None:
        return _("{column}: {percent} % missing", column=name, percent=percent)
    return _(
        "{column}: alone AUROC {auroc}, {percent} % missing", column=name, auroc=f"{column.auroc:.2f}", percent=percent
    )


def _missing_words(lacking: list[ColumnProfile], n: int, naming: Naming) -> str:
    if not lacking:
        return _("No column has missing values.")
    return _(
        "{k} of {n} columns have missing values; {column} lacks most, {percent} %.",
        k=len(lacking),
        n=n,
        column=theme.escape(naming(lacking[0].name)),
        percent=f"{100 * lacking[0].missing:.0f}",
    )
