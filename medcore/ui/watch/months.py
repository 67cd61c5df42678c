"""The months of a version in use: which one is looked at, what changed in it, and what to do."""

from __future__ import annotations

import streamlit as st

from medcore.i18n import N_, _, number, percent, running
from medcore.monitoring.alarms import Action, WatchedChange
from medcore.monitoring.watch import Month, Watch
from medcore.ui.kit import links
from medcore.ui.kit.shown import components
from medcore.ui.watch.version import Version

DOING: dict[Action, tuple[str, str]] = {
    "stop": (N_("stop"), "failed"),
    "recalibrate": (N_("recalibrate"), "stale"),
    "look": (N_("look"), "queued"),
}
LOOK_FIRST = N_("look first")
SHOWN = 8
"""Changes that are shown at once; the others are behind a line that opens."""


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
        (_("Outcomes known"), percent(month.n_known / month.n, 0) if month.n else "–"),
        (_("With the outcome"), f"{month.n_events:,}"),
        (_("Outcome known after (median)"), _delay(month)),
    ]
    components.facts(pairs)


def _delay(month: Month) -> str:
    days = number(month.median_delay_days, ".0f")
    return _("{days} days", days=days) if days != "–" else "–"


def changes(found: Watch, name: str, version: Version) -> None:
    """Show what changed, the most urgent first, with what to do."""
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
    for change in told[:SHOWN]:
        _card(change, version)
    if len(told) > SHOWN:
        with st.expander(_("{n} more changes", n=len(told) - SHOWN)):
            for change in told[SHOWN:]:
                _card(change, version)
    if any(c.strongest.action == "recalibrate" for c in told):
        components.link("evaluate", _("Judge it on new patients, and recalibrate"), icon=":material/arrow_forward:")


def _card(change: WatchedChange, version: Version) -> None:
    alarm, naming = change.strongest, version.naming
    badge, look = DOING[alarm.action]
    if alarm.because:
        badge, look = LOOK_FIRST, "queued"
    sentence, *rest = change.lines(naming)
    components.card(str(sentence), running((*alarm.what_to_do(naming), *rest)), badge=_(badge), look=look)
