"""A figure as a still picture, for paper: no browser and no network are needed.

Draws with Matplotlib what medcore's own charts are made of (lines, markers,
bars, filled bands, error bars, maps, straight shapes, texts); anything else is
a programming error and says so.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Mapping, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from medcore.charts.drawing import theme
from medcore.settings import ASSETS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

FONT_FILE = ASSETS / "fonts" / "NotoSansSC-subset.ttf"
WIDTH_INCHES, PIXELS_PER_INCH = 6.5, 100
LINES = 1.35
"""From line to line of a text, in lines: Chinese letters are higher than Matplotlib takes for one."""
POINTS, SMALLEST_POINTS = 9.0, 6.5
"""The letters of a chart at its full width, and at the least: they shrink with it, or two lines of a label would meet."""
_DASHES = {
    "solid": "-",
    "dash": (0, (5, 3)),
    "dot": (0, (1, 2)),
    "dashdot": (0, (5, 2, 1, 2)),
    "longdash": (0, (9, 3)),
    "longdashdot": (0, (9, 3, 1, 3)),
}
_SYMBOLS = {"circle": "o", "diamond": "D", "square": "s", "cross": "P", "x": "X", "triangle-up": "^", "line-ns": "|"}


def to_png(figure: go.Figure, *, width: float = WIDTH_INCHES, dpi: int = 200) -> bytes:
    """Draw a chart without its title as a PNG, ``width`` inches wide."""
    buffer = BytesIO()
    _picture(figure, width).savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def to_svg(figure: go.Figure, *, width: float = WIDTH_INCHES, taller: float = 1.0) -> str:
    """Draw a chart without its title as an SVG whose letters are outlines, so many times as tall as its width asks for."""
    from matplotlib import rc_context

    buffer = BytesIO()
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "medcore"}):
        _picture(figure, width, taller).savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue().decode("utf-8")


def spare_font_file() -> Path:
    """Return the font, Matplotlib's own, that has the letters of other alphabets which :data:`FONT_FILE` lacks."""
    from matplotlib import get_data_path

    return Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


def plain(text: object) -> str:
    """Turn a text of a figure into plain lines: no tags, no escapes."""
    broken = re.sub(r"<br\s*/?>", "\n", str(text or ""))
    return html.unescape(re.sub(r"</?(b|i|sup|sub|span)[^>]*>", "", broken))


def _picture(figure: go.Figure, width: float, taller: float = 1.0) -> Picture:
    from matplotlib import rc_context
    from matplotlib.figure import Figure as Picture

    figure = go.Figure(_unpacked(figure.to_plotly_json()), skip_invalid=True)
    layout = figure.to_plotly_json()["layout"]
    height = taller * float(layout.get("height") or 380) / PIXELS_PER_INCH * width / WIDTH_INCHES
    with rc_context(
        {
            "font.family": [_family(), "DejaVu Sans"],
            "font.size": max(SMALLEST_POINTS, POINTS * width / WIDTH_INCHES),
            "axes.unicode_minus": False,
        }
    ):
        picture = Picture(figsize=(width, height), layout="constrained")
        panels = _panels(picture, layout)
        for place, trace in enumerate(figure.data):
            _draw(panels[_panel_of(trace, panels)], trace, place, layout)
        for name, panel in panels.items():
            _finish(panel, layout, name)
        _shapes_and_texts(next(iter(panels.values())), layout)
        _legend(picture, panels)
        picture.canvas.draw()
    return picture


@cache
def _family() -> str:
    """Make the font known to Matplotlib, which forgets each time where it found every other one, and return its name."""
    from matplotlib import font_manager

    font_manager.fontManager.addfont(str(FONT_FILE))
    return str(font_manager.FontProperties(fname=str(FONT_FILE)).get_name())


def _unpacked(value: Any) -> Any:
    """Unpack the arrays of a figure that came from another process: plotly packs them on the way."""
    if isinstance(value, Mapping) and "bdata" in value:
        array = np.frombuffer(base64.b64decode(value["bdata"]), dtype=np.dtype(value["dtype"]))
        shape = str(value.get("shape") or len(array))
        return array.reshape([int(n) for n in shape.split(",")])
    if isinstance(value, Mapping):
        return {name: _unpacked(part) for name, part in value.items()}
    return [_unpacked(part) for part in value] if isinstance(value, list | tuple) else value


def _panels(picture: Picture, layout: Mapping[str, Any]) -> dict[str, Axes]:
    """Make one panel for each vertical axis that has a part of the height of its own."""
    domains = {n: layout[n]["domain"] for n in layout if re.fullmatch(r"yaxis\d*", n) and layout[n].get("domain")}
    if len(domains) < 2:
        return {"yaxis": picture.add_subplot()}
    names = sorted(domains, key=lambda n: -domains[n][1])
    ratios = [domains[n][1] - domains[n][0] for n in names]
    axes = np.atleast_1d(picture.subplots(len(names), 1, sharex=True, height_ratios=ratios))
    return dict(zip(names, axes, strict=True))


def _panel_of(trace: Any, panels: Mapping[str, Axes]) -> str:
    name = "yaxis" + str(trace.yaxis or "y")[1:]
    return name if name in panels else next(iter(panels))


def _draw(panel: Axes, trace: Any, place: int, layout: Mapping[str, Any]) -> None:
    if trace.visible in (False, "legendonly"):
        return
    if trace.type in ("scatter", "scattergl"):
        _scatter(panel, trace, place)
    elif trace.type == "bar":
        _bar(panel, trace, place, layout)
    elif trace.type == "heatmap":
        _heatmap(panel, trace)
    else:
        raise ValueError(f"a chart holds a trace of type {trace.type!r}, which static pictures do not know")


def _scatter(panel: Axes, trace: Any, place: int) -> None:
    x, y = _values(trace.x), _values(trace.y)
    line, marker = trace.line, trace.marker
    colour, opacity = _colour(line.color or marker.color or theme.class_colour(place))
    label = plain(trace.name) if trace.showlegend is not False and trace.name else None
    mode = trace.mode or "lines"
    if trace.fill in ("toself", "tonexty", "tozeroy"):
        fill, fill_opacity = _colour(trace.fillcolor or theme.BAND)
        panel.fill(x, y, color=fill, alpha=fill_opacity, linewidth=0, label=label)
        return
    if "lines" in mode and (line.width is None or line.width > 0):
        style = _DASHES.get(line.dash or "solid", "-")
        steps = {"hv": "steps-post", "vh": "steps-pre"}.get(line.shape or "", "default")
        panel.plot(
            x,
            y,
            color=colour,
            alpha=opacity,
            linewidth=(line.width or 2) * 0.6,
            linestyle=style,
            drawstyle=steps,
            label=label,
        )
        label = None
    if "markers" in mode:
        _markers(panel, trace, x, y, label)
    if "text" in mode and trace.text is not None:
        _texts(panel, trace, x, y)
    _errors(panel, trace, x, y, colour)


def _texts(panel: Axes, trace: Any, x: Any, y: Any) -> None:
    """Write the texts of points or bars beside them, on the side their trace asks for."""
    side = str(trace.textposition or "middle center")
    shift = (
        6 if "right" in side or side == "outside" else -6 if "left" in side else 0,
        6 if "top" in side else -7 if "bottom" in side else 0,
    )
    across = "left" if shift[0] > 0 else "right" if shift[0] < 0 else "center"
    texts = [trace.text] * len(x) if isinstance(trace.text, str) else trace.text
    for at_x, at_y, text in zip(x, y, texts, strict=True):
        panel.annotate(plain(text), (at_x, at_y), shift, textcoords="offset points", fontsize=8, ha=across, va="center")


def _markers(panel: Axes, trace: Any, x: Any, y: Any, label: str | None) -> None:
    marker = trace.marker
    colours = marker.color if marker.color is not None else theme.PRIMARY
    size = np.asarray(marker.size if marker.size is not None else 6, dtype=float) * 0.6
    shape = _SYMBOLS.get(str(marker.symbol or "circle").removesuffix("-open"), "o")
    if isinstance(colours, str):
        colour, opacity = _colour(colours)
        panel.scatter(
            x,
            y,
            s=size**2,
            color=colour,
            alpha=opacity * float(trace.opacity or 1),
            marker=shape,
            label=label,
            zorder=3,
        )
    elif np.asarray(colours).dtype.kind in "fiu":
        panel.scatter(x, y, s=size**2, c=np.asarray(colours, dtype=float), cmap="coolwarm", marker=shape, zorder=3)
    else:
        panel.scatter(x, y, s=size**2, color=[_colour(c)[0] for c in colours], marker=shape, label=label, zorder=3)


def _errors(panel: Axes, trace: Any, x: Any, y: Any, colour: Any) -> None:
    for axis in ("x", "y"):
        error = trace[f"error_{axis}"]
        if error is not None and error.array is not None:
            above = np.asarray(error.array, dtype=float)
            below = above if error.arrayminus is None else np.asarray(error.arrayminus, dtype=float)
            bounds = np.nan_to_num(np.clip(np.vstack([below, above]), 0, None))
            shown = _colour(error.color)[0] if error.color else colour
            panel.errorbar(x, y, fmt="none", ecolor=shown, elinewidth=1, capsize=2, **{f"{axis}err": bounds})


def _bar(panel: Axes, trace: Any, place: int, layout: Mapping[str, Any]) -> None:
    across = trace.orientation == "h"
    position, length = (_values(trace.y), _values(trace.x)) if across else (_values(trace.x), _values(trace.y))
    numeric = np.asarray(position).dtype.kind in "fiu"
    gap = np.min(np.diff(np.unique(position))) if numeric and len(np.unique(position)) > 1 else 1.0
    thickness = gap * (1 - float(layout.get("bargap", 0.25)))
    base = 0.0 if trace.base is None else np.asarray(trace.base, dtype=float)
    marker = trace.marker.color
    colours: Any = marker if isinstance(marker, str) else theme.class_colour(place) if marker is None else list(marker)
    colour = _colour(colours) if isinstance(colours, str) else None
    options: dict[str, Any] = {
        "color": colour[0] if colour else [_colour(c)[0] for c in colours],
        "alpha": (colour[1] if colour else 1.0) * float(trace.opacity or 1),
        "label": plain(trace.name) if trace.showlegend is not False and trace.name else None,
    }
    if across:
        panel.barh(position, length, height=thickness, left=base, **options)
        ends = base + np.asarray(length, dtype=float)
        _errors(panel, trace, ends, position, theme.INK)
        if trace.text is not None:
            _texts(panel, trace, np.maximum(base, ends), position)
    else:
        panel.bar(position, length, width=thickness, bottom=base, **options)
        _errors(panel, trace, position, base + np.asarray(length, dtype=float), theme.INK)


def _heatmap(panel: Axes, trace: Any) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    values = np.asarray(trace.z, dtype=float)
    x, y = (
        [plain(v) for v in side] if side is not None and isinstance(side[0], str) else side
        for side in (trace.x, trace.y)
    )
    options: dict[str, Any] = {"cmap": "Blues", "alpha": 0.6}
    if trace.colorscale is not None:
        steps = [(float(at), (*_colour(c)[0], _colour(c)[1])) for at, c in trace.colorscale if str(c).startswith("rgb")]
        if len(steps) == len(trace.colorscale):
            options = {"cmap": LinearSegmentedColormap.from_list("chart", steps)}
    options |= {"vmin": trace.zmin, "vmax": trace.zmax}
    panel.imshow(values, aspect="auto", origin="lower", interpolation="nearest", **options)
    for labels, set_ticks in ((x, panel.set_xticks), (y, panel.set_yticks)):
        if labels is not None:
            every = max(1, len(labels) // 12)
            shown = range(0, len(labels), every)
            names = [v if isinstance(v, str) else f"{v:.3g}" for v in (labels[i] for i in shown)]
            # Long names side by side would run into each other.
            slanted = set_ticks == panel.set_xticks and sum(map(len, names)) > 70
            turned: dict[str, Any] = {"rotation": 35, "ha": "right"} if slanted else {}
            set_ticks(list(shown), names, **turned)


def _finish(panel: Axes, layout: Mapping[str, Any], name: str) -> None:
    """Titles, ranges, ticks and grid of one panel."""
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(color="#dddfe3", linewidth=0.5)
    panel.set_axisbelow(True)
    for axis, options in (("x", layout.get("xaxis", {})), ("y", layout.get(name, {}))):
        title = plain((options.get("title") or {}).get("text"))
        place = panel.get_subplotspec()
        last = place is None or place.is_last_row()
        if title and (axis == "y" or last):
            getattr(panel, f"set_{axis}label")(title)
        _scale(panel, axis, options)
        _ticks(panel, axis, options)
        if options.get("showgrid") is False:
            panel.grid(visible=False, axis=axis)  # type: ignore[arg-type]


def _scale(panel: Axes, axis: str, options: Mapping[str, Any]) -> None:
    if options.get("type") == "log":
        getattr(panel, f"set_{axis}scale")("log")
    limits = options.get("range")
    if limits is not None:
        bounds = [10.0**v for v in limits] if options.get("type") == "log" else [float(v) for v in limits]
        getattr(panel, f"set_{axis}lim")(*bounds)
    elif options.get("autorange") == "reversed":
        getattr(panel, f"invert_{axis}axis")()


def _ticks(panel: Axes, axis: str, options: Mapping[str, Any]) -> None:
    from matplotlib.ticker import PercentFormatter

    target = panel.xaxis if axis == "x" else panel.yaxis
    if options.get("tickvals") is not None:
        texts = options.get("ticktext")
        values = list(options["tickvals"])
        target.set_ticks(values, [plain(t) for t in texts] if texts is not None else None)
    elif str(options.get("tickformat", "")).endswith("%"):
        target.set_major_formatter(PercentFormatter(1, decimals=0))
    for label in target.get_ticklabels():
        label.set_linespacing(LINES)
    if options.get("showticklabels") is False:
        target.set_tick_params(labelbottom=False, labelleft=False)


def _shapes_and_texts(panel: Axes, layout: Mapping[str, Any]) -> None:
    for shape in layout.get("shapes", ()):
        colour = _colour((shape.get("line") or {}).get("color") or shape.get("fillcolor") or theme.MUTED)[0]
        dash = _DASHES.get((shape.get("line") or {}).get("dash") or "solid", "-")
        if shape.get("type") == "line" and str(shape.get("yref", "y")).endswith("domain"):
            panel.axvline(shape["x0"], color=colour, linestyle=dash, linewidth=1)
        elif shape.get("type") == "line" and str(shape.get("xref", "x")).endswith("domain"):
            panel.axhline(shape["y0"], color=colour, linestyle=dash, linewidth=1)
        elif shape.get("type") == "line":
            panel.plot(
                [shape["x0"], shape["x1"]], [shape["y0"], shape["y1"]], color=colour, linestyle=dash, linewidth=1
            )
    for text in layout.get("annotations", ()):
        if text.get("xref", "x") == "x" and text.get("yref", "y") == "y":
            where = (_place(panel.get_xticklabels(), text["x"]), _place(panel.get_yticklabels(), text["y"]))
            panel.annotate(plain(text.get("text")), where, fontsize=8, ha="center", va="center")


def _place(labels: Sequence[Any], value: Any) -> Any:
    """Find where a category is on its axis; a number is where it is."""
    return [label.get_text() for label in labels].index(plain(value)) if isinstance(value, str) else value


def _legend(picture: Picture, panels: Mapping[str, Axes]) -> None:
    entries = {label: mark for p in panels.values() for mark, label in zip(*p.get_legend_handles_labels(), strict=True)}
    if len(entries) > 1:
        longest = 40 if picture.get_figwidth() > WIDTH_INCHES * 0.6 else 20
        columns = 1 if max(map(len, entries)) > longest else 2
        picture.legend(
            entries.values(), entries.keys(), loc="outside lower left", ncols=columns, frameon=False, fontsize=8
        )


def _values(values: Any) -> Any:
    array = np.asarray(values)
    return array if array.dtype.kind in "fiuM" else [plain(v) for v in array]


def _colour(colour: object) -> tuple[Any, float]:
    """Read a CSS colour: what Matplotlib calls it, and its opacity."""
    match = re.fullmatch(r"rgba?\(\s*([\d.]+)[,\s]+([\d.]+)[,\s]+([\d.]+)(?:[,\s/]+([\d.]+))?\s*\)", str(colour))
    if match is None:
        return str(colour), 1.0
    red, green, blue = (float(v) / 255 for v in match.groups()[:3])
    return (red, green, blue), float(match.group(4) or 1)
