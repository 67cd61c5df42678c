"""Charts of a version in use: the main ones of a place, the values of a column, and the groups beside one another."""

from __future__ import annotations

import numpy as np
import streamlit as st

from medcore.charts import subgroups, watching
from medcore.i18n import _, number, percent
from medcore.monitoring.chart import FIGURES, VALUES, Chart
from medcore.monitoring.outcomes import TREATED
from medcore.monitoring.watch import Watch
from medcore.monitoring.watched import WatchedPlace
from medcore.ui.kit.shown import components
from medcore.ui.watch.version import Version

MAIN = (
    *(
        "calibration_intercept",
        "o_e_ratio",
        "mean_error",
        "auroc",
        "mae",
        "calibration_slope",
        "coverage",
        "net_benefit",
    ),
    *("alerts", "risk", "volume"),
)


def place_of(found: Watch, version: Version) -> WatchedPlace:
    """Ask where to look: everybody, or one site or group."""
    names = [str(place.shown(version.naming)) for place in found.places]
    if len(names) == 1:
        return found.places[0]
    chosen = st.selectbox(
        _("Where"), range(len(names)), format_func=lambda i: components.one_line(names[i]), key="watch.place"
    )
    return found.places[chosen or 0]


def class_of(found: Watch) -> str | None:
    """Ask which class, where several are judged one by one."""
    classes = [name for name in found.classes if name is not None]
    if not classes:
        return None
    chosen: str = st.selectbox(_("Class"), classes, format_func=components.one_line, key="watch.class")
    return chosen


def main(found: Watch, version: Version) -> None:
    """Draw CUSUM, calibration, discrimination, use and what is expected at one place."""
    sides = st.columns(2)
    with sides[0]:
        place = place_of(found, version)
    with sides[1]:
        of_class = class_of(found)
    months = [m.name for m in found.months]
    running = [one for one in found.running if one.place == place and one.of_class == of_class]
    if running:
        components.caption(_(TREATED))
        components.figure(watching.cusum_chart(running, months, naming=version.naming), key="watch.cusum")
    drawn = [c for name in MAIN if (c := _chart(found, name, place, of_class)) is not None]
    left, right = st.columns(2)
    for side, chart in enumerate(drawn):
        with (left, right)[side % 2]:
            components.figure(
                watching.control_chart(chart, months, naming=version.naming), key=f"watch.chart.{chart.figure}"
            )
    estimate = found.expects(place, of_class)
    if estimate is not None:
        observed = found.chart("auroc", place, of_class=of_class)
        with (left, right)[len(drawn) % 2]:
            components.figure(
                watching.expected_chart(estimate, observed, months, naming=version.naming), key="watch.expected"
            )
    for text in map(str, (*found.beginning.lines(version.naming), *found.notes())):
        if text != _(TREATED) or not running:  # else it stands where the figures are
            components.caption(text)


def _chart(found: Watch, figure: str, place: WatchedPlace, of_class: str | None) -> Chart | None:
    """Return a chart of a class, or that of all of them together where there is none of a class."""
    return found.chart(figure, place, of_class=of_class) or found.chart(figure, place)


def values(found: Watch, version: Version, month: str) -> None:
    """Table every column's figures of the month at a place, and draw one column's."""
    place, months = place_of(found, version), [m.name for m in found.months]
    charts = [c for c in found.charts if c.place == place and c.figure in VALUES and c.column]
    at = months.index(month)
    columns = list(dict.fromkeys(str(c.column) for c in charts))
    by = {(c.column, c.figure): c for c in charts}
    rows = sorted(((_worst(by, column, at), column) for column in columns), key=lambda pair: -pair[0])
    components.table(
        [
            {_("Column"): version.naming(column).words}
            | {_(FIGURES[figure]): _cell(by.get((column, figure)), at) for figure in VALUES}
            for _excess, column in rows
        ]
    )
    order = [column for _excess, column in rows]
    chosen = st.selectbox(
        _("Draw"),
        order,
        format_func=lambda name: components.one_line(version.naming(name).words),
        key="watch.column",
    )
    sides = st.columns(2)
    for side, figure in enumerate(f for f in VALUES[::-1] if (chosen, f) in by):
        with sides[side % 2]:
            components.figure(
                watching.control_chart(by[chosen, figure], months, naming=version.naming), key=f"watch.value.{figure}"
            )


def _worst(by: dict[tuple[str | None, str], Chart], column: str, at: int) -> float:
    """Return how far beyond its limit the furthest of a column's figures is in a month."""
    return max((float(np.nan_to_num(c.excess[at])) for (name, _f), c in by.items() if name == column), default=0.0)


def _cell(chart: Chart | None, at: int) -> str:
    if chart is None:
        return percent(0.0)
    value = number(float(chart.value[at]), ".2f") if chart.figure == "difference" else percent(float(chart.value[at]))
    return _("{value} (beyond its limit)", value=value) if chart.beyond[at] else value


def groups(found: Watch, version: Version) -> None:
    """Show how good the model is at each place over the judged months together; of one event with the gaps."""
    judged = [one for one in found.together if one.figures]
    if len({one.place for one in judged}) < 2:
        components.note(_("No groups are watched apart, or no outcomes of judged months are known yet."))
        return
    if found.chart("alerts") is not None:
        components.caption(_(TREATED))
    if found.groups:
        _gaps(found, version)
        return
    of_class = class_of(found)
    rows = [one for one in judged if one.of_class == of_class]
    names = list(dict.fromkeys(name for one in rows for name in one.figures))
    components.table(
        [
            {_("Where"): components.plain(str(one.place.shown(version.naming))), _("Outcomes known"): f"{one.n:,}"}
            | {
                _(FIGURES[name]): components.with_interval(one.figures[name], digits=2) if name in one.figures else "–"
                for name in names
            }
            for one in rows
        ]
    )
    components.caption(_("All judged months together, with 95 % intervals."))


def _gaps(found: Watch, version: Version) -> None:
    """Draw one figure of each group beside the others, and table the gaps."""
    names = list(found.groups)
    column = components.choice(
        _("Groups by"), names, key="watch.group", show=lambda name: components.plain(version.naming(name).words)
    )
    parted = found.groups[column]
    measure = components.choice(
        _("Measure"), list(subgroups.MEASURES), key="watch.measure", show=lambda m: _(subgroups.MEASURES[m][0])
    )
    components.figure(subgroups.forest(parted, measure=measure, naming=version.naming), key="watch.forest")
    for warning in parted.shown(version.naming).warnings():
        components.note(str(warning), look="warning")
    gaps = parted.fairness
    components.table(
        [
            {_("Largest gap between groups"): label, _("Gap"): components.with_interval(gap)}
            for label, gap in (
                (_("Alerts"), gaps.demographic_parity),
                (_("Sensitivity"), gaps.equal_opportunity),
                (_("False alarms"), gaps.false_alarms),
                (_("Observed less predicted risk"), gaps.calibration),
            )
        ]
    )
