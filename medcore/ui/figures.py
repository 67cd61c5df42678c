"""Charts on a page."""

from __future__ import annotations

from typing import Any

import streamlit as st

from medcore.charts import theme
from medcore.ui.text import markup


def figure(chart: Any, *, key: str, caption: str = "") -> None:
    """Draw a chart with its headline as text that wraps, and its words for screen readers.

    ``key`` is ``page.chart`` and stable: it keeps the reader's zoom and stops the
    chart from flickering when its data change. Texts of tables inside the chart
    were escaped by the chart (``theme.escape``); links are disarmed here again.
    """
    title, subtitle = theme.headline(chart)
    if title:
        # The headline's texts are escaped for plotly, whose entities HTML shares.
        small = f'<span class="mc-subtitle">{subtitle}</span>' if subtitle else ""
        st.html(f'<div class="mc-headline">{title}{small}</div>')
    drawn = theme.on_page(chart, dark=dark_page(), key=key, titled=False)
    st.plotly_chart(drawn, key=key, theme=None, config=dict(theme.CONFIG), alt=theme.alt_text(chart) or None)
    if caption:
        st.html(f'<div class="mc-caption">{markup(caption)}</div>')


def dark_page() -> bool | None:
    """Say whether the reader's page is dark; ``None`` when the browser has not said."""
    kind = st.context.theme.type
    return None if kind is None else kind == "dark"
