"""What a model uses over many patients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from medcore.charts.drawing import theme
from medcore.charts.patients.what_if import around, hill, measure_title
from medcore.data.shown import Naming, Shown
from medcore.explanation.model.effects import Effect
from medcore.explanation.model.tables import Explanations
from medcore.explanation.model.whole import Importance, ImportanceStability
from medcore.explanation.patient.wording import RISK, Measure
from medcore.explanation.shapley.game import Floats
from medcore.features import CodeBook, kind_named
from medcore.i18n import _

N_SHOWN = 12
MAX_DOTS = 500
"""Patients drawn one by one, as vectors: WebGL, which is quicker, is missing on many virtual desktops."""
ROW_HEIGHT = 34
_NAME = 26
_LOW_TO_HIGH = (theme.NEGATIVE, "#b9bec7", theme.POSITIVE)


def importance_chart(
    found: Importance, *, scale: str = "probability", n_shown: int = N_SHOWN, naming: Naming = Shown
) -> go.Figure:
    """Draw how far each column moves the risk on average, with 95 % intervals, the largest first."""
    order, factor = found.order[:n_shown], _factor(scale)
    names, plain = _names_of([naming(found.columns[i]) for i in order])
    title = _("No column is used")
    if names and scale == "value":
        title = _("On average, {column} moves the prediction most", column=plain[0])
    elif names:
        title = _("On average, {column} moves the risk most", column=plain[0])
    figure = theme.new_figure(
        title=title,
        subtitle=_("Mean size of the contributions over {n} patients, with 95 % bootstrap intervals", n=found.n),
        x_title=_size_title(scale),
        y_title="",
        alt=_("Importance of the columns, the largest first: {columns}.", columns=plain),
        height=120 + ROW_HEIGHT * len(order),
    )
    mean = factor * found.mean[order]
    figure.add_bar(
        orientation="h",
        y=list(range(len(order))),
        x=mean,
        marker={"color": theme.PRIMARY},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": np.maximum(factor * found.high[order] - mean, 0),
            "arrayminus": np.maximum(mean - factor * found.low[order], 0),
            "color": theme.MUTED,
            "thickness": 1.5,
            "width": 4,
        },
        customdata=names,
        hovertemplate="%{customdata}: %{x:.2f}<extra></extra>",
    )
    _names_down(figure, names)
    figure.update_xaxes(rangemode="tozero")
    return figure


def beeswarm(
    found: Explanations, codebook: CodeBook, *, n_shown: int = N_SHOWN, seed: int = 0, naming: Naming = Shown
) -> go.Figure:
    """Draw every patient's contribution of the columns used most; colour tells low from high values.

    Categories and missing values, which are neither low nor high, are grey. Of
    more than 500 patients a random 500 are drawn.
    """
    chosen = _sample(len(found.rows), seed)
    order = np.argsort(-np.abs(found.contributions).mean(axis=0), kind="stable")[:n_shown]
    names, plain = _names_of([naming(found.columns[i]) for i in order])
    figure = theme.new_figure(
        title=_("{n} patients: what each value did to the prediction", n=len(chosen))
        if found.scale == "value"
        else _("{n} patients: what each value did to the risk", n=len(chosen)),
        subtitle=_("A dot a patient. Red: high values, blue: low values, grey: categories and missing values."),
        x_title=_change_title(found.scale),
        y_title="",
        alt=_("Contributions of each patient by column, the most used first: {columns}.", columns=plain),
        height=140 + ROW_HEIGHT * len(order),
    )
    rng = np.random.default_rng(seed)
    for place, column in enumerate(order):
        x = _factor(found.scale) * found.contributions[chosen, column]
        colours, grey = _value_colours(found.codes[chosen, column], bool(codebook.ordered[column]))
        figure.add_scatter(
            x=x,
            y=place + _spread(x, rng),
            mode="markers",
            marker={"size": 5, "color": [theme.MUTED if g else c for c, g in zip(colours, grey, strict=True)]},
            hovertemplate=f"{names[place]}: %{{x:+.2f}}<extra></extra>",
            showlegend=False,
        )
    _names_down(figure, names)
    figure.add_vline(x=0, line={"color": theme.MUTED, "width": 1})
    return figure


def dependence(
    found: Explanations, codebook: CodeBook, column: int, partner: int | None = None, *, naming: Naming = Shown
) -> go.Figure:
    """Draw a column's contribution against its value, a dot a patient, coloured by the partner's value."""
    chosen = _sample(len(found.rows), 0)
    shown = naming(found.columns[column])
    other = theme.escape(naming(found.columns[partner])) if partner is not None else ""
    subtitle = _("A dot a patient. Missing values are not drawn.")
    if partner is not None:
        subtitle = _(
            "A dot a patient. Colour: {partner}, from low (blue) to high (red); it changes most what this column does.",
            partner=other,
        )
    title = _("What {column} does to the risk, by its value", column=theme.escape(shown))
    if found.scale == "value":
        title = _("What {column} does to the prediction, by its value", column=theme.escape(shown))
    figure = theme.new_figure(
        title=title,
        subtitle=subtitle,
        x_title=theme.axis_title(shown),
        y_title=_change_title(found.scale),
        alt=_("{finding}: a dot for each of {n} patients.", finding=title, n=len(chosen)),
    )
    codes = found.codes[chosen, column]
    known = ~np.isnan(codes)
    y = _factor(found.scale) * found.contributions[chosen, column]
    colours = [theme.PRIMARY] * len(chosen)
    if partner is not None:
        colours, grey = _value_colours(found.codes[chosen, partner], numeric=True)
        colours = [theme.MUTED if g else c for c, g in zip(colours, grey, strict=True)]
    x = codes
    if not codebook.ordered[column]:
        names, x = _level_axis(found, codebook, column, chosen)
        texts = [theme.escape(shown.value(t), limit=22) for t in (*names, _("other"))]
        ticks = sorted({int(v) for v in x[known]})
        figure.update_xaxes(tickvals=ticks, ticktext=[texts[min(t, len(texts) - 1)] for t in ticks])
        x = x + np.random.default_rng(0).uniform(-0.25, 0.25, len(x))
    figure.add_scatter(
        x=x[known],
        y=y[known],
        mode="markers",
        marker={"size": 6, "color": [c for c, k in zip(colours, known, strict=True) if k]},
        hovertemplate="%{x}: %{y:+.2f}<extra></extra>",
        showlegend=False,
    )
    figure.add_hline(y=0, line={"color": theme.MUTED, "width": 1})
    return figure


def effect_chart(found: Effect, *, naming: Naming = Shown, measure: Measure = RISK) -> go.Figure:
    """Draw the mean risk, or predicted number, along a column: partial dependence, accumulated local effect, and where patients are."""
    column, times = naming(found.column), measure.times
    name = theme.escape(column)
    low, high = (times * float(end) for end in (found.partial.min(), found.partial.max()))
    title = _(
        "Over {column}, the mean risk goes from {low} % to {high} %", column=name, low=f"{low:.0f}", high=f"{high:.0f}"
    )
    if measure.of_number:
        ends = {"low": measure.write(low), "high": measure.write(high)}
        title = _("Over {column}, the mean prediction goes from {low} to {high}", column=name, **ends)
    figure = theme.new_figure(
        title=title,
        subtitle=_(
            "Over {n} training patients. Where the two lines part, columns go together: trust the accumulated one.",
            n=found.n,
        )
        if len(found.accumulated)
        else _("Over {n} training patients. Grey: how many have such values.", n=found.n),
        x_title=theme.axis_title(column, found.unit),
        y_title=measure_title(measure) if measure.of_number else _("Mean risk (%)"),
        alt=title if measure.of_number else _("Mean risk against {column}. {finding}.", column=name, finding=title),
    )
    curves = [found.partial, found.accumulated] if len(found.accumulated) else [found.partial]
    bottom, top = 0.0, min(100.0, 1.25 * 100 * max(float(c.max()) for c in curves))
    if measure.of_number:
        bottom, top = around(measure, low, high, *(float(end) for c in curves for end in (c.min(), c.max())))
    said = f"%{{x}}: %{{y:.{measure.decimals}f}}{'' if measure.of_number else '%'}<extra></extra>"
    x = [v if isinstance(v, float) else theme.escape(column.value(v), limit=22) for v in found.values]
    shares = 0.25 * (top - bottom) * found.support / (float(found.support.max()) or 1.0)
    grey = theme.translucent(theme.MUTED, 0.3)
    look = {"name": _("Training patients"), "hoverinfo": "skip"}
    if found.numeric and len(x) > N_SHOWN:
        hill(figure, x, shares, bottom, fillcolor=grey, **look)
    else:
        figure.add_bar(x=x, y=shares, base=bottom or None, marker={"color": grey}, **look)
    figure.add_scatter(
        x=x,
        y=times * found.partial,
        mode="lines" if found.numeric and len(x) > N_SHOWN else "markers",
        line={"color": theme.PRIMARY, "width": 2.5},
        marker={"size": 9, "color": theme.PRIMARY},
        name=_("Partial dependence"),
        hovertemplate=said,
    )
    if len(found.accumulated):
        figure.add_scatter(
            x=found.edges,
            y=times * found.accumulated,
            mode="lines",
            line={"color": theme.SECONDARY, "width": 2.5, "dash": "dash"},
            name=_("Accumulated local effect"),
            hovertemplate=said,
        )
        bottom = bottom if measure.of_number else min(0.0, 110 * float(found.accumulated.min()))
    figure.update_yaxes(range=[bottom, top + 0.03 * (top - bottom if measure.of_number else top)])
    return figure


def stability_chart(
    found: ImportanceStability, names: Sequence[str], *, n_shown: int = N_SHOWN, naming: Naming = Shown
) -> go.Figure:
    """Draw each model's share of importance by column: close together where the models agree.

    ``names`` are what the models are called, in their order.
    """
    order = np.argsort(-found.shares.mean(axis=0), kind="stable")[:n_shown]
    columns, plain = _names_of([naming(found.columns[i]) for i in order])
    title = _("The models inside rank the columns alike: {value}", value=f"{found.agreement:.2f}")
    if found.agreement < 0.6:
        title = _("The models inside disagree about the columns: {value}", value=f"{found.agreement:.2f}")
    figure = theme.new_figure(
        title=title,
        subtitle=_("Rank correlation between two models, on average; 1 is the same order, 0 no agreement"),
        x_title=_("Share of a model's contributions (%)"),
        y_title="",
        alt=_("{finding}. Columns by mean share: {columns}.", finding=title, columns=plain),
        height=160 + ROW_HEIGHT * len(order),
    )
    symbols = ("circle", "diamond", "square", "cross", "x", "triangle-up")
    for place, name in enumerate(names):
        figure.add_scatter(
            x=100 * found.shares[place, order],
            y=list(range(len(order))),
            mode="markers",
            marker={"size": 9, "color": theme.class_colour(place), "symbol": symbols[place % len(symbols)]},
            name=theme.escape(name),
            hovertemplate=f"{theme.escape(name)}: %{{x:.1f}}%<extra></extra>",
        )
    _names_down(figure, columns)
    figure.update_xaxes(rangemode="tozero")
    return figure


def _names_of(columns: Sequence[Shown]) -> tuple[list[str], list[str]]:
    """Return columns as an axis has them, and as a sentence has them."""
    return [theme.column(c, limit=_NAME) for c in columns], [theme.escape(c) for c in columns]


def _names_down(figure: go.Figure, names: Sequence[str]) -> None:
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=list(names), autorange="reversed", showgrid=False)


def _sample(n: int, seed: int) -> np.ndarray:
    return np.sort(np.random.default_rng(seed).permutation(n)[:MAX_DOTS])


def _level_axis(
    found: Explanations, codebook: CodeBook, column: int, chosen: np.ndarray
) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the names along the axis of a column that has no order, and each patient's place there."""
    codes, names = found.codes[chosen, column], codebook.categories[column]
    if kind_named(codebook.kinds[column]).scalar:
        return names, np.where(codes < 0, len(names), codes)
    texts = [found.values[row][column] or "" for row in chosen]
    names = tuple(sorted(set(texts)))
    return names, np.array([names.index(text) for text in texts], dtype=np.float64)


def _value_colours(codes: Floats, numeric: bool) -> tuple[list[str], np.ndarray]:
    """Colour values by their rank, so that one extreme value does not make all others alike; grey where none is."""
    grey = np.isnan(codes) | (not numeric)
    known = np.sort(codes[~np.isnan(codes)])
    below, upto = (np.searchsorted(known, codes, side=side) for side in ("left", "right"))
    ranks = (below + upto) / (2 * max(len(known), 1))
    return [_mixed(float(r)) if not g else theme.MUTED for r, g in zip(ranks, grey, strict=True)], grey


def _mixed(share: float) -> str:
    """Return the colour between low (0) and high (1)."""
    left, right = _LOW_TO_HIGH[:2] if share <= 0.5 else _LOW_TO_HIGH[1:]
    weight = 2 * share if share <= 0.5 else 2 * share - 1
    parts = [(int(left[i : i + 2], 16), int(right[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + weight * (b - a)):02x}" for a, b in parts)


def _spread(x: Floats, rng: np.random.Generator) -> Floats:
    """Move dots apart, up and down, where many lie side by side."""
    if not len(x) or np.ptp(x) == 0:
        return np.asarray(rng.uniform(-0.3, 0.3, len(x)))
    bins = np.minimum(((x - x.min()) / np.ptp(x) * 40).astype(int), 39)
    counts = np.bincount(bins, minlength=40)
    return np.asarray(rng.uniform(-0.36, 0.36, len(x)) * np.sqrt(counts[bins] / counts.max()))


def _factor(scale: str) -> float:
    return 100.0 if scale == "probability" else 1.0


def _size_title(scale: str) -> str:
    return (
        _("Mean size of the contribution (percentage points)")
        if scale == "probability"
        else _("Mean size of the contribution (in the outcome’s unit)")
        if scale == "value"
        else _("Mean size of the contribution (log odds)")
    )


def _change_title(scale: str) -> str:
    if scale == "value":
        return _("Change of the prediction (in the outcome’s unit)")
    return _("Change of the risk (percentage points)") if scale == "probability" else _("Change of the log odds")
