"""Charts on a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from medcore.charts import theme
from medcore.charts.marks import LEFT, RIGHT, TOP, Frame, Mark, framed
from medcore.ui.kit.text import markup


def figure(chart: Any, *, key: str, caption: str = "") -> None:
    """Draw a chart with its headline as text that wraps, and its words for screen readers.

    ``key`` is ``page.chart`` and stable: it keeps the reader's zoom and stops the
    chart from flickering when its data change. Texts of tables inside the chart
    were escaped by the chart (``theme.escape``); links are disarmed here again.
    """
    _headline(chart)
    _draw(chart, key=key, config=theme.CONFIG)
    if caption:
        st.html(f'<div class="mc-caption">{markup(caption)}</div>')


@dataclass(frozen=True, slots=True)
class MarkedFigure:
    """A chart that stays as it is while marks are moved over it; see :func:`marked_figure`."""

    frame: Frame
    words: Any
    over: Any

    def mark(self, marks: Sequence[Mark], words: str = "") -> None:
        """Lay marks over the chart, and say above it what they mean; a fragment may do so."""
        if words:
            self.words.html(f'<div class="mc-headline"><span class="mc-subtitle">{markup(words)}</span></div>')
        drawn = "".join(_mark(mark, self.frame) for mark in marks)
        self.over.html(f'<div class="mc-marks" aria-hidden="true" style="height:{self.frame.height}px">{drawn}</div>')


def marked_figure(chart: Any, *, key: str) -> MarkedFigure:
    """Draw a chart over which marks can be moved without drawing it again.

    A chart drawn again is taken down and built anew by the browser, a tenth of a
    second each; marks are a line of HTML. They go with the page, not with the
    chart's own full screen or its picture.
    """
    _headline(chart)
    words = st.empty()
    fixed = framed(chart)
    with st.container(key=f"{key}-marked", gap=None):
        _draw(fixed, key=key, config=theme.CONFIG)
        over = st.empty()
    return MarkedFigure(Frame.of(fixed), words, over)


def _headline(chart: Any) -> None:
    title, subtitle = theme.headline(chart)
    if title:
        # The headline's texts are escaped for plotly, whose entities HTML shares.
        small = f'<span class="mc-subtitle">{subtitle}</span>' if subtitle else ""
        st.html(f'<div class="mc-headline">{title}{small}</div>')


def _draw(chart: Any, *, key: str, config: Any) -> None:
    drawn = theme.on_page(chart, dark=dark_page(), key=key, titled=False)
    st.plotly_chart(drawn, key=key, theme=None, config=dict(config), alt=theme.alt_text(chart) or None)


def _mark(mark: Mark, frame: Frame) -> str:
    left = f"left:calc({LEFT}px + (100% - {LEFT + RIGHT}px) * {frame.across(mark.x):.5f})"
    if mark.y is None:
        return f'<i style="{left};top:{TOP}px;height:{frame.plot_height}px"></i>'
    return f'<b style="{left};top:{frame.down(mark.y):.1f}px;background:{mark.colour}"></b>'


def dark_page() -> bool | None:
    """Say whether the reader's page is dark; ``None`` when the browser has not said."""
    kind = st.context.theme.type
    return None if kind is None else kind == "dark"
