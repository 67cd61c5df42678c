"""The months of a version in use: which one is looked at, what changed in it, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from medcore.data.shown import Naming
from medcore.i18n import N_, _, listed, number, percent
from medcore.monitoring.alarms import ACTIONS, Action, WatchedChange
from medcore.monitoring.chart import FIGURES
from medcore.monitoring.watch import Month, Watch
from medcore.ui.kit import links
from medcore.ui.kit.shown import components
from medcore.ui.watch.version import Version

DOING: dict[Action, tuple[str, str]] = {
    "stop": (N_("stop"), "failed"),
    "recalibrate": (N_("recalibrate"), "stale"),
    "look": (N_("look"), "queued"),
}
SHOWN = 4
"""Changes of a kind that are shown at once; the others are behind a line that opens."""
DIFFERENCES = ("difference", "risk")
"""Figures that are 0 where nothing has changed."""


def choose(found: Watch) -> str:
    """Ask for a month; the last one unless another is chosen."""
    months = [m.name for m in reversed(found.months) if not m.reference]
    links.take_up("month", "watch.month", months, usual=months[0])

    def told(name: str) -> str:
        n = len(found.changes(name))
        return _("{month}: {n} change(s)", month=name, n=n) if n else _("{month}: nothing changed", month=name)

    month = st.selectbox(_("Month"), months, format_func=told, key="watch.month", persist_state="session")
    links.keep("month", "" if month == months[0] else month, month)
    return str(month)


def facts(found: Watch, name: str) -> None:
    """Say how many predictions and outcomes the month has."""
    month = next(m for m in found.months if m.name == name)
    pairs = [
        (_("Predictions"), f"{month.n:,}"),
        (_("Outcomes known"), percent(month.n_known / month.n_read, 0) if month.n_read else "–"),
    ]
    if month.n_events is not None and month.n_known:
        pairs.append((_("With the outcome"), percent(month.n_events / month.n_known)))
    if month.n_censored:
        pairs.append((_("Followed for less"), percent(month.n_censored / month.n_known)))
    pairs.append((_delayed(month), _delay(month)))
    components.facts(pairs)


def _delayed(month: Month) -> str:
    """Say what the delay is of: the outcome's own day, or that of its entry."""
    return _("Outcome after (median)") if month.n_dated == month.n_known else _("Outcome entered after (median)")


def _delay(month: Month) -> str:
    days = number(month.median_delay_days, ".0f")
    return _("{days} days", days=days) if days != "–" else "–"


def changes(found: Watch, name: str, version: Version) -> None:
    """Show what changed, by what it asks for, the gravest first, with what to do said once."""
    told = found.changes(name)
    if not told:
        components.note(
            _(
                "No alarm in {month}. In a quiet month chance alone gives one in {rate} % of cases.",
                month=name,
                rate=f"{100 * found.plan.rate:.3g}",
            ),
            look="success",
        )
        return
    for action, text in ACTIONS.items():
        those = [change for change in told if change.asks == action]
        if those:
            badge, look = DOING[action]
            components.card(_("{n} change(s) in {month}", n=len(those), month=name), _(text), badge=_(badge), look=look)
            if action == "recalibrate":
                components.link(
                    "evaluate", _("Judge it on new patients, and recalibrate"), icon=":material/arrow_forward:"
                )
            _table(those, version.naming)


def _table(those: Sequence[WatchedChange], naming: Naming) -> None:
    """Table the strongest changes, a line each, and fold the others away with their number."""
    lines = [_line(change, naming) for change in sorted(those, key=_strength)]
    components.table(_filled(lines[:SHOWN]))
    if len(lines) > SHOWN:
        with st.expander(_("{n} more changes", n=len(lines) - SHOWN)):
            components.table(_filled(lines[SHOWN:]))


def _filled(lines: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Leave out the columns in which nothing stands."""
    return [{name: line[name] for name in line if any(other[name] for other in lines)} for line in lines]


def _strength(change: WatchedChange) -> tuple[bool, float]:
    """Order by how far beyond the limit; what other changes may explain comes last."""
    return bool(change.strongest.because), -float(np.nan_to_num(change.strongest.excess))


def _line(change: WatchedChange, naming: Naming) -> dict[str, str]:
    """Say in the cells of a line what changed, how much, where, and what may explain it."""
    alarm = change.strongest
    figure = _(FIGURES[alarm.figure])
    where, more = str(alarm.where(naming)), len(change.others)
    told = (
        alarm.told
        if alarm.figure in DIFFERENCES
        else _("{value} (usual: {usual})", value=alarm.told, usual=alarm.usual)
    )
    return {
        _("What"): components.plain(naming(alarm.column).words if alarm.column else figure),
        _("Where"): components.plain(_("{place} and {n} more places", place=where, n=more) if more else where),
        _("What changed"): _("{figure}: {value}", figure=figure, value=told) if alarm.column else told,
        _("Times its limit"): number(alarm.excess, ".1f"),
        _("First look at"): listed(components.plain(naming(c).words) for c in alarm.because),
    }
