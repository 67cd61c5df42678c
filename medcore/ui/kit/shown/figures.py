"""Charts on a page."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import streamlit as st

from medcore import jobs
from medcore.charts.drawing import theme
from medcore.charts.drawing.marks import LEFT, RIGHT, TOP, Frame, Mark, framed
from medcore.charts.drawing.numbers import numbers
from medcore.charts.drawing.static import to_png, to_svg
from medcore.i18n import _
from medcore.ui.kit import layout
from medcore.ui.kit.shown.tables import download, downloads
from medcore.ui.kit.text import markup, plain

T = TypeVar("T")
PICTURES: tuple[tuple[str, Callable[[Any], bytes | str], str], ...] = (
    ("png", to_png, "image/png"),
    ("svg", to_svg, "image/svg+xml"),
)
SHOWN_NUMBERS = 200
"""Lines of a chart's table on the page; more are no longer read, and files have all."""


def figure(chart: Any, *, key: str, caption: str = "") -> None:
    """Draw a chart with its headline as text that wraps, and its words for screen readers.

    ``key`` is ``page.chart`` and stable: it keeps the reader's zoom and stops the
    chart from flickering when its data change. Texts of tables inside the chart
    were escaped by the chart (``theme.escape``); links are disarmed here again.
    """
    _headline(chart, key)
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
            self.words.html(f'<div class="mc-headline mc-words"><span class="mc-subtitle">{markup(words)}</span></div>')
        drawn = "".join(_mark(mark, self.frame) for mark in marks)
        self.over.html(f'<div class="mc-marks" aria-hidden="true" style="height:{self.frame.height}px">{drawn}</div>')


def marked_figure(chart: Any, *, key: str) -> MarkedFigure:
    """Draw a chart over which marks can be moved without drawing it again.

    A chart drawn again is taken down and built anew by the browser, a tenth of a
    second each; marks are a line of HTML. They go with the page, not with the
    chart's own full screen or its picture.
    """
    _headline(chart, key)
    words = st.empty()
    fixed = _once(chart, framed, "framed")
    with st.container(key=f"{key}-marked", gap=None):
        _draw(fixed, key=key, config=theme.CONFIG)
        over = st.empty()
    return MarkedFigure(_once(fixed, Frame.of, "frame"), words, over)


def _headline(chart: Any, key: str) -> None:
    """Write what the chart finds, and beside it the way to its numbers and to pictures of it."""
    title, subtitle = theme.headline(chart)
    with st.container(horizontal=True, wrap=False, gap="small", key=f"mc-head-{key}".replace(".", "-")):
        # The headline's texts are escaped for plotly, whose entities HTML shares.
        small = f'<span class="mc-subtitle">{subtitle}</span>' if subtitle else ""
        st.html(f'<div class="mc-headline">{title}{small}</div>')
        _take_along(chart, key)


def _take_along(chart: Any, key: str) -> None:
    """Offer a chart's numbers to read and to take along, and pictures of it; nothing is made before it is asked for."""
    opened = st.popover(
        _("Numbers"),
        icon=":material/table_chart:",
        type="tertiary",
        help=_("The numbers of this chart, and the chart as a picture"),
        key=f"{key}.take",
        on_change="rerun",
    )
    if not opened.open:
        return
    with opened:
        found = numbers(chart)
        with st.container(horizontal=True):
            # Drawn on a worker: the web process answers others meanwhile.
            for kind, draw, mime in PICTURES:
                made = partial(jobs.call, draw, chart)
                download(kind.upper(), made, file_name=f"chart.{kind}", mime=mime, key=f"{key}.{kind}", quiet=True)
            downloads(found, name="chart", key=key)
        rows = found.head(SHOWN_NUMBERS).map(lambda cell: plain(cell) if isinstance(cell, str) else cell)
        st.table(
            rows.rename(columns=lambda name: plain(name)),
            hide_index=True,
            border="horizontal",
            alt=theme.alt_text(chart),
        )
        if len(found) > SHOWN_NUMBERS:
            layout.caption(_("The first {n} of {of} lines; the files have all.", n=SHOWN_NUMBERS, of=len(found)))


def _draw(chart: Any, *, key: str, config: Any) -> None:
    dark = dark_page()
    drawn = _once(chart, lambda c: theme.on_page(c, dark=dark, key=key, titled=False), "on page", dark, key)
    st.plotly_chart(drawn, key=key, theme=None, config=dict(config), alt=theme.alt_text(chart) or None)


def _once(chart: Any, make: Callable[[Any], T], *identity: object) -> T:
    """Make something of a chart once, as long as the chart is kept: charts are never changed once they are drawn."""
    made = _made.setdefault(id(chart), {})
    if not made:
        weakref.finalize(chart, _made.pop, id(chart), None)
    if identity not in made:
        made[identity] = make(chart)
    found: T = made[identity]
    return found


_made: dict[int, dict[tuple[object, ...], Any]] = {}


def _mark(mark: Mark, frame: Frame) -> str:
    left = f"left:calc({LEFT}px + (100% - {LEFT + RIGHT}px) * {frame.across(mark.x):.5f})"
    if mark.y is None:
        return f'<i style="{left};top:{TOP}px;height:{frame.plot_height}px"></i>'
    return f'<b style="{left};top:{frame.down(mark.y):.1f}px;background:{mark.colour}"></b>'


def dark_page() -> bool | None:
    """Say whether the reader's page is dark; ``None`` when the browser has not said."""
    kind = st.context.theme.type
    return None if kind is None else kind == "dark"
