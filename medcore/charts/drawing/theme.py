"""One look for every chart, readable on a light and on a dark page.

A chart starts from :func:`new_figure` and adds traces in the colours named here.
Every data colour keeps a contrast of at least 3:1 (WCAG 2.2, 1.4.11) on both
pages, and the classes' colours stay apart for people with protanopia and
deuteranopia; lines of classes also differ in their dashes. The background is
transparent and the ink neutral; :func:`on_page` gives a copy in the ink of the
page it is drawn on.

Plotly renders a little HTML, links among it, in every text of a figure. What
comes from a table (names of columns, values) therefore goes through
:func:`escape` before it enters a figure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import plotly.graph_objects as go

from medcore.data.shown import Shown

Figure = go.Figure
"""What every chart is, by a name that other rooms may use."""

PRIMARY = "#2f7fc4"
"""The result itself: the curve of the model in question."""
SECONDARY = "#cc6b14"
"""What it is compared with."""
POSITIVE = "#d64f4f"
"""The positive class, an event, what raises the risk."""
RISES = "#b0579f"
"""What raises a predicted number, of which more is neither good nor bad."""
NEGATIVE = "#2f7fc4"
"""The other class, no event, what lowers the risk."""
MUTED = "#7d8592"
"""References: the diagonal, "treat all", the part that is not in question."""
BAND = "rgba(47, 127, 196, 0.20)"
"""Intervals and bands around a line in :data:`PRIMARY`."""

FONT = (
    '"Source Sans", "Source Sans Pro", "Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", '
    '"Microsoft YaHei", "Hiragino Sans GB", "WenQuanYi Micro Hei", sans-serif'
)
INK, GRID = "#767d8a", "rgba(125, 133, 146, 0.22)"
LIGHT_PAGE, DARK_PAGE = "#ffffff", "#10151c"
LIGHT_INK, DARK_INK = "#3b4350", "#c9d1dc"

_CLASSES = ("#2f7fc4", "#cc6b14", "#4c9e80", "#b03b3b", "#3e69ea", "#2b6c82", "#b0579f", "#7d8592")
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_LINE_WIDTH = 46
"""Characters of a title before it breaks; a wide character counts as two."""


def class_colour(index: int) -> str:
    """Return the colour of the class with this index; beyond eight they repeat."""
    return _CLASSES[index % len(_CLASSES)]


def class_dash(index: int) -> str:
    """Return the dash of the class with this index, so that colour is never the only sign."""
    return _DASHES[index % len(_DASHES)]


def translucent(colour: str, opacity: float) -> str:
    """Return a ``#rrggbb`` colour with an opacity between 0 and 1, for a band or a fill.

    >>> translucent("#2f7fc4", 0.2)
    'rgba(47, 127, 196, 0.2)'
    """
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


def escape(text: object, *, limit: int = 60) -> str:
    """Make a text from a table safe to show in a figure: no markup, no link, no formula, one line.

    >>> escape('<a href="https://x.org">age</a>')
    '&lt;a href="https://x.org"&gt;age&lt;/a&gt;'
    >>> escape("cost in $ or %{y}")
    'cost in &#36; or &#37;{y}'
    """
    plain = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in str(text))
    plain = " ".join(plain.split())
    if len(plain) > limit:
        plain = plain[: limit - 1] + "…"
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace("$", "&#36;").replace("%{", "&#37;{")


def column(shown: Shown, *, limit: int = 40) -> str:
    """Write a column for an axis or a hover text, escaped: its label with the name of the file small beside it.

    >>> column(Shown("cp", "Chest pain type"))
    'Chest pain type <span style="font-size:80%">cp</span>'
    """
    label = escape(shown.words, limit=limit)
    return f'{label} <span style="font-size:80%">{escape(shown.aside, limit=limit)}</span>' if shown.aside else label


def axis_title(shown: Shown, unit: str | None = None) -> str:
    """Write a column with its unit for the title of an axis; ``unit`` where the result knows it, else the schema's."""
    unit = replace(shown, unit=unit or shown.unit).beside
    return f"{column(shown)} ({escape(unit)})" if unit else column(shown)


def new_figure(*, title: str, x_title: str, y_title: str, alt: str, subtitle: str = "", height: int = 380) -> go.Figure:
    """Start a chart: an empty figure in medcore's look.

    ``title`` states the finding in words and ``subtitle`` says of whom and how;
    both have been translated, and any text of a table in them escaped. The axis
    titles carry units. ``alt`` says for a person who cannot see the chart what it
    shows; :func:`alt_text` returns it.
    """
    # One construction: every later update would check the whole template again.
    return go.Figure(
        layout={
            "template": _template(INK, GRID),
            "title": {"text": _broken(title), "subtitle": {"text": _broken(subtitle, width=64)}},
            "height": height,
            "uirevision": "medcore",
            "meta": {"alt": alt, "title": title, "subtitle": subtitle},
            "xaxis": {"title": {"text": x_title}},
            "yaxis": {"title": {"text": y_title}},
        }
    )


def draw_once() -> None:
    """Draw a chart that nobody sees: plotly imports each kind of trace where it is first drawn, up to half a second."""
    figure = new_figure(title="–", x_title="", y_title="", alt="–")
    figure.add_scatter(x=[0.0], y=[0.0], mode="markers+text", text=["–"], marker={"size": 1}, line={"width": 1})
    figure.add_bar(x=[0.0], y=[0.0], orientation="h", error_x={"type": "data", "array": [0.0]})
    figure.update_xaxes(range=[0.0, 1.0], tickvals=[0.0])
    figure.update_layout(showlegend=False, bargap=0.5)
    on_page(figure, dark=False).to_json()


def alt_text(figure: go.Figure) -> str:
    """Return what a chart shows, in words."""
    return str(_meta(figure).get("alt", ""))


def headline(figure: go.Figure) -> tuple[str, str]:
    """Return the title and the subtitle of a chart, unbroken."""
    meta = _meta(figure)
    return str(meta.get("title", "")), str(meta.get("subtitle", ""))


def legend_in(figure: go.Figure, corner: str) -> None:
    """Put the legend into a corner of the plot that its curves leave free: ``"top right"``, and so on."""
    y, x = corner.split()
    place = {"x": 0.02 if x == "left" else 0.98, "y": 0.98 if y == "top" else 0.02}
    look = {"orientation": "v", "font": {"size": 12}, "bgcolor": "rgba(125, 133, 146, 0.10)"}
    figure.layout.legend.update({**place, **look, "xanchor": x, "yanchor": y})


def on_page(figure: go.Figure, *, dark: bool | None, key: str = "medcore", titled: bool = True) -> go.Figure:
    """Return a copy of a chart in the ink of the page, with links in its texts disarmed.

    ``dark`` is ``None`` where the page is not known. ``key`` ties the reader's zoom
    to the place on the page, so that new data does not undo it. Without ``titled``
    the copy has no title: the page writes it itself, where it can wrap.
    """
    data = _disarmed(figure.to_plotly_json())
    ink = INK if dark is None else DARK_INK if dark else LIGHT_INK
    layout = data["layout"]
    layout |= {"template": _template(ink, GRID), "uirevision": key}
    if not titled:
        layout |= {"title": {}, "margin": layout.get("margin", {}) | {"t": 24}}
    # It was valid, and checking it again takes ten times as long as the copy.
    return _Drawn(data, skip_invalid=True, _validate=False)


class _Drawn(go.Figure):  # type: ignore[misc]  # plotly has no types
    """A chart as it stands on a page: every run of the page sends it again, unchanged, so it is written down once."""

    def to_dict(self) -> dict[str, Any]:
        """Return the chart as plotly writes it; the same dictionary every time."""
        if not hasattr(self, "_written"):
            self._written = super().to_dict()
        written: dict[str, Any] = self._written
        return written


CONFIG: Mapping[str, Any] = {
    "displaylogo": False,
    "showTips": False,
    "responsive": True,
    "plotlyServerURL": "",
    "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
    "toImageButtonOptions": {"format": "png", "scale": 2},
}
"""Plotly's options: no logo, nothing that leaves the machine."""


@cache
def _template(ink: str, grid: str) -> go.layout.Template:
    axis = {
        "gridcolor": grid,
        "linecolor": grid,
        "zerolinecolor": grid,
        "zerolinewidth": 1,
        "ticks": "",
        "automargin": True,
        "title": {"standoff": 10, "font": {"size": 14}},
    }
    layout = {
        "font": {"family": FONT, "size": 14, "color": ink},
        "title": {"x": 0, "xref": "container", "pad": {"l": 12}, "font": {"size": 17}, "automargin": True},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "colorway": list(_CLASSES),
        "xaxis": axis,
        "yaxis": axis,
        "margin": {"l": 48, "r": 16, "t": 72, "b": 48},
        "legend": {"orientation": "h", "yanchor": "top", "y": -0.22, "x": 0, "bgcolor": "rgba(0,0,0,0)"},
        "hoverlabel": {
            "bgcolor": "#1f2733",
            "bordercolor": "#1f2733",
            "align": "left",
            "font": {"family": FONT, "size": 13, "color": "#ffffff"},
        },
        "hovermode": "closest",
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": INK, "activecolor": PRIMARY},
        "bargap": 0.25,
        "annotationdefaults": {"font": {"color": ink}, "arrowcolor": ink},
    }
    return go.layout.Template(layout=layout)


def _meta(figure: go.Figure) -> Mapping[str, Any]:
    meta = figure.layout.meta
    return meta if isinstance(meta, Mapping) else {}


def _broken(text: str, width: int = _LINE_WIDTH * 2) -> str:
    """Break a title into lines at spaces, or between wide characters."""
    lines, line = [""], 0
    for word in re.findall(r"[⺀-鿿＀-￯]|[^\s⺀-鿿＀-￯]+\s*|\s+", text):
        size = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in word)
        if line and line + size > width:
            lines.append("")
            line = 0
        lines[-1] += word
        line += size
    return "<br>".join(part.strip() for part in lines)


_LINK = re.compile(r"<(?=\s*/?\s*a\b)", re.IGNORECASE)


def _disarmed(value: Any) -> Any:
    """Replace the start of every link tag in the texts of a figure."""
    if isinstance(value, str):
        return _LINK.sub("&lt;", value)
    if isinstance(value, dict):
        return {k: _disarmed(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_disarmed(v) for v in value]
    if getattr(value, "dtype", None) is not None and value.dtype.kind in "OU":
        return [_disarmed(v) for v in value.tolist()]
    return value
