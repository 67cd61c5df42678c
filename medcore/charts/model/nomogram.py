"""A nomogram: a line of points for every predictor, and the risk that belongs to a total."""

from __future__ import annotations

from dataclasses import replace

import plotly.graph_objects as go

from medcore.charts.drawing import theme
from medcore.data.shown import Naming, Shown
from medcore.i18n import _, significant
from medcore.models.written.nomogram import FULL_SCALE, Nomogram, ScaleMark

_ROW = 38
_LETTER = 1.35
"""About how many points on the scale of 100 a letter is wide."""
_NAME = 26


def nomogram_chart(found: Nomogram, *, event: str, naming: Naming = Shown) -> go.Figure:
    """Draw the scales under each other: the points of each value, their total, its risk."""
    scales = [theme.column(naming(s.name), limit=_NAME) for s in found.scales]
    names = [_("Points"), *scales, _("Total points"), _("Risk (%)")]
    n = len(names)
    figure = theme.new_figure(
        title=_("Nomogram: points of each value, and the risk of their total"),
        subtitle=_(
            "Risk of {event}. Find each value's points on the top scale, add them up, read the risk below the total.",
            event=theme.escape(event),
        ),
        x_title="",
        y_title="",
        alt=_(
            "Nomogram of {n} predictors. The longest scale is that of {name}; totals go up to {total} points.",
            n=len(found.scales),
            name=naming(max(found.scales, key=lambda s: s.span[1]).name),
            total=round(found.largest),
        ),
        height=110 + _ROW * n,
    )
    _line(figure, n - 1, (0.0, FULL_SCALE), [(v, f"{v:g}") for v in range(0, 101, 10)])
    for row, scale in enumerate(found.scales):
        y = n - 2 - row
        rising, falling = _branches(_worded(scale.marks, naming(scale.name)))
        above = _apart(rising)
        # A category without its points, or a line without its end, could not be read.
        left = [m for m in rising if m not in above and (isinstance(m.value, str) or m is rising[-1])]
        below = _apart([*falling, *left])
        _line(figure, y, scale.span, [(m.points, _text(m)) for m in above])
        _line(figure, y, None, [(m.points, _text(m)) for m in below], side="bottom center")
    factor = FULL_SCALE / found.largest
    step = next(s for s in (10, 20, 50, 100, 200, 500, 1000) if found.largest / s <= 12)
    _line(figure, 1, (0.0, FULL_SCALE), [(factor * v, str(v)) for v in range(0, int(found.largest) + 1, step)])
    risks = _apart([ScaleMark(f"{100 * risk:g}", factor * total) for risk, total in found.risks])
    ends = (factor * found.risks[0][1], factor * found.risks[-1][1]) if found.risks else (0.0, FULL_SCALE)
    _line(figure, 0, ends, [(m.points, str(m.value)) for m in risks], colour=theme.SECONDARY)
    figure.update_yaxes(
        tickmode="array", tickvals=list(range(n)), ticktext=names[::-1], range=[-0.6, n - 0.3], showgrid=False
    )
    figure.update_xaxes(range=[-8, 108], showticklabels=False, zeroline=False)
    return figure


def _worded(marks: tuple[ScaleMark, ...], column: Shown) -> tuple[ScaleMark, ...]:
    """Name categories as they are shown."""
    return tuple(replace(m, value=column.value(m.value)) if isinstance(m.value, str) else m for m in marks)


def _branches(marks: tuple[ScaleMark, ...]) -> tuple[list[ScaleMark], list[ScaleMark]]:
    """Part the marks into those above the line, and those below: where numbers fall, and what is missing."""
    rising: list[ScaleMark] = []
    falling: list[ScaleMark] = []
    before: ScaleMark | None = None
    turned = False
    for mark in marks:
        number = isinstance(mark.value, float)
        if number and before is not None:
            down = mark.points < before.points
            turned = down if len(rising) + len(falling) == 1 else turned
            (falling if down != turned else rising).append(mark)
        else:
            (falling if mark.value is None else rising).append(mark)
        before = mark if number else before
    return rising, falling


def _apart(marks: list[ScaleMark]) -> list[ScaleMark]:
    """Leave out marks whose texts would run into each other; the first stays, and the last where it can."""
    kept: list[ScaleMark] = []
    for mark in [*marks[:1], *marks[:0:-1], *marks[1:-1]]:
        if mark in kept:
            continue
        if all(abs(mark.points - k.points) >= _LETTER * (len(_text(mark)) + len(_text(k))) / 2 + 2 for k in kept):
            kept.append(mark)
    return kept


def _text(mark: ScaleMark) -> str:
    if mark.value is None:
        return _("missing")
    if mark.value == "":
        return _("other")
    return significant(mark.value) if isinstance(mark.value, float) else theme.escape(mark.value, limit=14)


def _line(
    figure: go.Figure,
    y: float,
    span: tuple[float, float] | None,
    marks: list[tuple[float, str]],
    *,
    side: str = "top center",
    colour: str = theme.PRIMARY,
) -> None:
    if span is not None:
        figure.add_scatter(
            x=list(span), y=[y, y], mode="lines", line={"color": colour, "width": 2}, showlegend=False, hoverinfo="skip"
        )
    if marks:
        figure.add_scatter(
            x=[x for x, _text in marks],
            y=[y] * len(marks),
            mode="markers+text",
            text=[text for _x, text in marks],
            textposition=side,
            textfont={"size": 10},
            marker={"color": colour, "size": 6},
            showlegend=False,
            hovertemplate="%{text}: %{x:.0f}<extra></extra>",
        )
